"""``translate list``: what there is."""

from __future__ import annotations

from collections.abc import Sequence

from translate import weights
from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.errors import UserError, listed, near
from translate.plugins import installed


def main(arguments: Sequence[str]) -> int:
    """List everything, or one kind."""
    plugins = installed()
    kinds = [*plugins.registries, "weights", "plugins"]
    parser = Parser(prog="translate list", description="List what there is.")
    parser.add_argument("kind", metavar="KIND", nargs="?", help=f"{listed(kinds).replace(' and ', ' or ')} [all]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    if values.kind is not None and values.kind not in kinds:
        raise UserError(f"There is no kind '{values.kind}'.{near(values.kind, kinds)} Kinds: {listed(kinds)}.")
    tables = {plural: {name: summary(registry[name]) for name in registry} for plural, registry in plugins.registries.items()}
    tables["weights"] = {name: each.about for name, each in weights.published().items()}
    tables["plugins"] = {
        each.name: f"{each.distribution} {each.version}, {each.state}{': ' + each.problem if each.problem else ''}"
        for each in plugins.found
    }
    shown = {kind: tables[kind] for kind in ([values.kind] if values.kind else kinds)}
    if values.json:
        emit(shown)
        return 0
    for kind, rows in shown.items():
        print(kind.replace("-", " "))
        width = max(16, *map(len, rows)) if rows else 0
        for name, line in rows.items():
            print(f"  {name:<{width}} {line}")
        if not rows:
            print("  none")
    if values.kind is None:
        print("\n'translate show NAME' says more about each.")
    return 0


def summary(factory: object) -> str:
    """The first sentence of what is written about a recipe, a network or a loss."""
    return (factory.__doc__ or "").strip().split("\n")[0]
