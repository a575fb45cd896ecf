"""``translate weights``: what is published, whether a file is whole, and weights of other programs."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from translate import checkpoint, options, weights
from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.errors import UserError, listed, near
from translate.plugins import installed

HELP = """usage: translate weights list [--json]
       translate weights verify WEIGHTS [--json]
       translate weights import FILE [FILE] --domains NAME ... -o FILE [--format NAME] [--recipe NAME] [--size N|HxW]
                                [--order rgb|bgr] [--range signed|unit] [--entry NAME] [--json]
       translate weights export WEIGHTS --format NAME -o DIR

list    the weights that come with the library: size, digest, and what they do
verify  whether a file, a run, a checkpoint or published weights are as they were written
import  weights of another program, .pth or .safetensors, as a weights file; nothing in them is run
export  a weights file in the naming of another program"""


def main(arguments: Sequence[str]) -> int:
    """Do one of them."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP)
        raise SystemExit(0)
    action, rest = arguments[0], arguments[1:]
    actions = {"list": _list, "verify": _verify, "import": _import, "export": _export}
    if action not in actions:
        raise UserError(f"'translate weights' knows {listed(actions)}, not '{action}'.{near(action, actions)}")
    return actions[action](rest)


def _list(arguments: Sequence[str]) -> int:
    parser = Parser(prog="translate weights list", description="List the weights that come with the library.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    rows = {
        name: {"about": each.about, "bytes": each.path.stat().st_size, "sha256": each.sha256, "file": str(each.path)}
        for name, each in weights.published().items()
    }
    if values.json:
        emit(rows)
        return 0
    for name, row in rows.items():
        print(f"{name}: {row['about']}\n  {row['bytes']:,} bytes, sha256 {row['sha256']}")
    return 0


def _verify(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="translate weights verify",
        description="Check every byte of weights: against their own digest, a checkpoint's manifest, or what was published.",
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a weights file, a run, a checkpoint or a published name")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    path = Path(values.weights)
    folders = [path] if (path / checkpoint.MANIFEST_NAME).is_file() else checkpoint.checkpoints(path)
    if folders:
        found: list[dict[str, object]] = [
            {"file": str(folder / name), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "verified": True}
            for folder in folders
            for name, data in checkpoint.verify(folder, [weights.WEIGHTS_NAME, checkpoint.TRAINING_NAME]).items()
        ]
    else:
        found = [_file(checkpoint.locate(values.weights))]
    if values.json:
        emit(found)
        return 0
    for each in found:
        state = (
            "as it was written" if each["verified"] else "can be read, but has no digest to compare with: who wrote it left none"
        )
        print(f"{each['file']}: {state}; {each['bytes']:,} bytes, sha256 {each['sha256']}")
    return 0


def _file(path: Path) -> dict[str, object]:
    """What a weights file is like. Raises UserError where it is damaged."""
    data = weights.read(path)
    _, header = weights.parse(data, path)  # compares the digest, where there is one
    sealed = header.format >= weights.SEALED
    return {"file": str(path), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "verified": sealed}


def _import(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="translate weights import",
        description="Make a weights file of networks that another program trained: of one, or of those of both directions.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help=".pth as torch.save writes them, or .safetensors")
    parser.add_argument("--domains", metavar="NAME", nargs="+", required=True, help="what they translate from, and to; or make")
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the weights file to write")
    parser.add_argument("--format", metavar="NAME", help="the program that wrote them [told by names and shapes]")
    parser.add_argument("--recipe", metavar="NAME", help="the method that they are weights of [told by the number of files]")
    parser.add_argument("--size", metavar="N|HxW", help="the size of the pictures that they were trained on [usual or only one]")
    parser.add_argument("--order", metavar="rgb|bgr", help="the order of channels that they were trained on [the format's]")
    parser.add_argument(
        "--range", metavar="signed|unit", help="pixels in [-1, 1] and a tanh, or in [0, 1] and a sigmoid [the format's]"
    )
    parser.add_argument("--entry", metavar="NAME", help="which network, where a file holds several")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    # Imported here, as it is not light.
    from translate.foreign.importing import Choice, import_weights

    out = Path(values.out)
    if out.suffix != ".safetensors":
        raise UserError(f"-o is {out}; weights files end in .safetensors.")
    if out.exists():
        raise UserError(f"{out} exists already; give another name with -o.")
    given = {name: getattr(values, name) for name in ("format", "recipe", "domains", "size", "order", "range", "entry")}
    choice = options.build(Choice, {name: value for name, value in given.items() if value is not None}, "The import")
    imported = import_weights([Path(each) for each in values.files], choice, installed())
    imported.write(out)
    header = imported.header
    if values.json:
        emit({"file": str(out), "format": imported.format, "about": imported.about, "recipe": header.recipe,
              "options": dict(header.options), "notes": list(imported.notes)})  # fmt: skip
        return 0
    for note in imported.notes:
        print(note)
    use = "sample" if len(header.spaces) == 1 else "apply"
    pictures = "" if use == "sample" else " PICTURES"
    print(f"{imported.about} of format '{imported.format}', as recipe '{header.recipe}', in {out}. Use it:")
    print(f"translate {use} {shlex.quote(str(out))}{pictures}")
    return 0


def _export(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="translate weights export",
        description="Write weights in the naming of another program, as state dicts that torch.load reads.",
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a weights file, a run, a checkpoint or a published name")
    parser.add_argument(
        "--format", metavar="NAME", required=True, help="the program: 'translate list foreign-formats' shows them"
    )
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the folder to write to")
    values = parser.parse(arguments)
    from translate.foreign.exporting import export_weights

    for path in export_weights(values.weights, values.format, Path(values.out), installed()):
        print(path)
    return 0
