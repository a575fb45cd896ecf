"""What sources may not do: run texts, open pickles, start programs, or import what a file names. They are read, not run.

It sees imports, names and attributes, under whatever names a module has given them. It is a guard against slips: whoever wants to hide
something from it can.
"""

from __future__ import annotations

import ast

#: Modules that run code from files or texts, or start programs.
MODULES = {
    *("pickle", "_pickle", "cPickle", "pickletools", "dill", "cloudpickle", "joblib", "shelve", "marshal", "builtins"),
    *(
        "yaml",
        "ruamel",
        "hydra",
        "omegaconf",
        "runpy",
        "code",
        "codeop",
        "pty",
        "imp",
        "zipimport",
        "subprocess",
        "ctypes",
        "cffi",
    ),
    *("torch.hub", "torch.package", "torch.serialization", "torch.jit", "torch.utils.cpp_extension", "logging.config"),
    *("importlib.machinery", "asyncio.subprocess"),
}
BUILTINS = {"eval", "exec", "compile", "__import__", "__builtins__", "breakpoint"}
#: Functions by their full names. ``torch.save`` writes a pickle.
FUNCTIONS = {
    *("torch.load", "torch.save", "torch.export.load", "torch.ops.load_library", "numpy.fromregex", "pandas.read_pickle"),
    *("os.system", "os.popen", "os.startfile", "os.posix_spawn", "os.posix_spawnp", "os.fork", "os.forkpty"),
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "shutil.unpack_archive", "pkgutil.resolve_name"),
    *("importlib.__import__", "importlib.util.spec_from_file_location", "importlib.util.module_from_spec"),
    *(f"os.{kind}{form}" for kind in ("exec", "spawn") for form in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
}
#: Methods, whatever they are of.
METHODS = {"extractall", "unsafe_load", "full_load", "find_class"}
#: Arguments, and the only value that each may have.
ARGUMENTS = {"allow_pickle": False, "shell": False, "trust_repo": False, "trust_remote_code": False, "weights_only": True}
#: Where one of these is asked for an attribute by a name that is no literal, it may be any of the above.
PARENTS = {"torch", "os", "importlib", "numpy", "sys", "shutil", "asyncio"}
IMPORT = "importlib.import_module"


def findings(source: str) -> list[tuple[int, str]]:
    """The lines of a module that do something forbidden, and what."""
    tree = ast.parse(source)
    known, found = _imports(tree)
    nodes = list(ast.walk(tree))
    _follow(nodes, known)
    literal = {id(node.func) for node in nodes if isinstance(node, ast.Call) and _is_literal(node.args)}
    for node in nodes:
        name = full_name(node, known) if isinstance(node, ast.Name | ast.Attribute) else ""
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            found.add((node.lineno, node.id))
        elif name in MODULES | FUNCTIONS:
            found.add((node.lineno, name))
        elif name == IMPORT and id(node) not in literal:
            found.add((node.lineno, "import_module of a name that is no literal"))
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            found.add((node.lineno, node.attr))
        elif isinstance(node, ast.keyword) and node.arg in ARGUMENTS and not _is(node.value, ARGUMENTS[node.arg]):
            found.add((node.value.lineno, node.arg))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "vars"):
            what = full_name(node.args[0], known) if node.args else ""
            if what in PARENTS and (asked := _asked(node, what)) is not None:
                found.add((node.lineno, asked))
    return sorted(found)


def _imports(tree: ast.Module) -> tuple[dict[str, str], set[tuple[int, str]]]:
    """What the names that a module imports stand for, and what of it is forbidden."""
    known: dict[str, str] = {}
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                first = each.name.partition(".")[0]
                known[each.asname or first] = each.name if each.asname else first
                found |= {(node.lineno, name) for name in _prefixes(each.name) if name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                full = f"{node.module}.{each.name}"
                known[each.asname or each.name] = full
                found |= {(node.lineno, name) for name in _prefixes(full) if name in MODULES | FUNCTIONS}
                if each.name == "*":
                    found.add((node.lineno, "import of everything"))
    return known, found


def _follow(nodes: list[ast.AST], known: dict[str, str]) -> None:
    """Add to ``known`` what other names the module gives to what it imports: ``t = torch``."""
    for node in nodes:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign | ast.NamedExpr)
            else []
        )
        for target in targets:
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and value is not None and (name := full_name(value, known)):
                known.setdefault(target.id, name)


def full_name(node: ast.AST, known: dict[str, str]) -> str:
    """The name that an expression has by the module's imports, or an empty text."""
    if isinstance(node, ast.NamedExpr):
        return full_name(node.value, known)
    if isinstance(node, ast.Attribute):
        base = full_name(node.value, known)
        return f"{base}.{node.attr}" if base else ""
    return known.get(node.id, "") if isinstance(node, ast.Name) else ""


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _is_literal(arguments: list[ast.expr]) -> bool:
    return bool(arguments) and isinstance(arguments[0], ast.Constant)


def _is(node: ast.expr, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _asked(node: ast.Call, what: str) -> str | None:
    """What ``getattr`` or ``vars`` may give of the module ``what`` that is forbidden, or None."""
    if len(node.args) < 2 or not isinstance(node.args[1], ast.Constant):
        return f"any attribute of {what}"
    name = f"{what}.{node.args[1].value}"
    return name if name in MODULES | FUNCTIONS | {IMPORT} else None
