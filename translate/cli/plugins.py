"""``translate plugins``: what is installed, whether it keeps its contract, and a new one to begin with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from translate.cli import VERBS, plugin_verbs
from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.errors import UserError, brief, listed, near
from translate.plugins import GROUP, Plugins, installed
from translate.scaffold import KINDS, write_package

ACTIONS = ("list", "check", "new")
HELP = """usage: translate plugins list [--json]
       translate plugins check PACKAGE [--domains NAME ...] [--data DIR] [--parts NAME:KEY=VALUE ...] [--json]
       translate plugins new NAME --kind KIND [-o DIR]

list   the plugins that are installed: version, distribution, state, and what each registers
check  run the conformance kit on a plugin: by its name in the list, or a module that can be imported
new    write a small complete package that installs and passes its tests: a {kinds}"""


def main(arguments: Sequence[str]) -> int:
    """Do one of the three."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP.format(kinds=listed(KINDS).replace(" and ", " or ")))
        raise SystemExit(0)
    action, rest = arguments[0], arguments[1:]
    if action not in ACTIONS:
        raise UserError(f"'translate plugins' knows {listed(ACTIONS)}, not '{action}'.{near(action, ACTIONS)}")
    return {"list": _list, "check": _check, "new": _new}[action](rest)


def _list(arguments: Sequence[str]) -> int:
    parser = Parser(prog="translate plugins list", description="List the plugins that are installed.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    plugins = installed()
    rows = [_row(plugins, number) for number in range(len(plugins.found))]
    if values.json:
        emit(rows)
        return 0
    for row in rows:
        print(
            f"{row['name']} {row['version']} ({row['distribution']}): {row['state']}{': ' * bool(row['problem'])}{row['problem']}"
        )
        for kind, names in row["registers"].items():
            print(f"  {kind}: {', '.join(names)}")
    for verb, entry in sorted(plugin_verbs().items()):
        print(f"verb {verb}, from {entry.module}")
    return 0


def _row(plugins: Plugins, number: int) -> dict[str, Any]:
    plugin = plugins.found[number]
    registers = {
        kind.replace("-", " "): [name for name in registry if registry.owner(name) == plugin.name]
        for kind, registry in plugins.registries.items()
    }
    hooks = plugins.hooks_of(plugin.name)
    return {
        "name": plugin.name,
        "version": plugin.version,
        "distribution": plugin.distribution,
        "state": plugin.state,
        "problem": plugin.problem,
        "registers": {kind: names for kind, names in registers.items() if names} | ({"hooks": hooks} if hooks else {}),
    }


def _check(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="translate plugins check",
        description="Run the conformance kit on what a plugin registers; the exit code is 1 where something fails.",
    )
    parser.add_argument("package", metavar="PACKAGE", help="a plugin's name, as in 'translate plugins list', or a module")
    parser.add_argument(
        "--domains", metavar="NAME", nargs="+", default=[], help="domains that the plugin opens, to be checked as well"
    )
    parser.add_argument("--data", metavar="DIR", help="the folder that they are in, where they need one")
    parser.add_argument(
        "--parts", metavar="NAME:KEY=VALUE", nargs="+", default=[], help="options for parts that are to be checked with others"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    # Imported here: it builds networks.
    from translate.testing import check_plugin

    results = check_plugin(_module(values.package), values.package, domains=values.domains, data=values.data, parts=values.parts)
    if values.json:
        emit([vars(result) for result in results])
    else:
        for result in results:
            print(result)
        failed = sum(not result.ok for result in results)
        print(f"{len(results)} checks, {failed} failed." if results else "The plugin registers nothing that could be checked.")
    return int(any(not result.ok for result in results))


def _module(name: str) -> object:
    """What the plugin ``name`` is, or the module of that name. Raises UserError."""
    plugins = installed()
    target = next((plugin.target for plugin in plugins.found if plugin.name == name), name)
    try:
        if find_spec(target.partition(":")[0]) is not None:
            return EntryPoint(name, target, GROUP).load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises
        raise UserError(f"The plugin '{name}' cannot be loaded from '{target}' ({brief(error)}).") from error
    names = [plugin.name for plugin in plugins.found]
    raise UserError(f"There is no plugin and no module '{name}'.{near(name, names)} Plugins: {listed(names)}.")


def _new(arguments: Sequence[str]) -> int:
    parser = Parser(prog="translate plugins new", description="Write a small complete package for a new plugin.")
    parser.add_argument("name", metavar="NAME", help="the name to register, such as my-loss")
    parser.add_argument("--kind", metavar="|".join(KINDS), required=True, help="what the plugin adds")
    parser.add_argument("-o", "--out", metavar="DIR", help="folder of the package [translate-NAME]")
    values = parser.parse(arguments)
    if values.kind == "command" and values.name in {*VERBS, *plugin_verbs()}:
        raise UserError(f"There is a verb '{values.name}' already; choose another name.")
    folder = write_package(values.name, values.kind, Path(values.out) if values.out else None)
    print(f"{KINDS[values.kind].about} in {folder}. Install and test it:")
    print(f"cd {shlex.quote(str(folder))} && pip install -e '.[dev]' && pytest")
    return 0
