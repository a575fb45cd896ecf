"""``translate list``: what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from translate import weights
from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.data.published import DataSet
from translate.errors import UserError, listed, near
from translate.plugins import installed

#: What people also call a kind, or several together.
ALIASES = {
    "losses": ("adversarial-losses", "cycle-losses", "reconstruction-losses"),
    "games": ("adversarial-losses",),
    "distances": ("cycle-losses", "reconstruction-losses"),
}


def main(arguments: Sequence[str]) -> int:
    """List everything, or one kind."""
    plugins = installed()
    kinds = [*plugins.registries, *ALIASES, "weights", "plugins"]
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
    wanted = ALIASES.get(values.kind, (values.kind,)) if values.kind else tables
    shown = {kind: tables[kind] for kind in wanted}
    if values.json:
        emit(shown)
        return 0
    for kind, rows in _merged(shown).items():
        print(kind.replace("-", " "))
        width = max(16, *map(len, rows)) if rows else 0
        for name, line in rows.items():
            print(f"  {name:<{width}} {line}")
        if not rows:
            print("  none")
    if values.kind is None:
        print("\n'translate show NAME' says more about each.")
    return 0


def _merged(tables: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """``tables``, of which those with the same rows are one: a distance may serve as several kinds of loss."""
    merged: dict[str, Mapping[str, str]] = {}
    for kind, rows in tables.items():
        same = next((other for other, known in merged.items() if rows and known == rows), None)
        if same is None:
            merged[kind] = rows
        else:
            merged = {f"{key}, {kind}" if key == same else key: known for key, known in merged.items()}
    return merged


def summary(factory: object) -> str:
    """What a data set is called, or the first sentence of what is written about anything else."""
    return factory.title if isinstance(factory, DataSet) else (factory.__doc__ or "").strip().split("\n")[0]
