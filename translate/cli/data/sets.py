"""``translate data list``: the data sets that can be fetched."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.data.fetch import amount
from translate.data.published import DataSet, landing
from translate.plugins import installed


def main(arguments: Sequence[str]) -> int:
    """List them."""
    parser = Parser(
        prog="translate data list", description="List the data sets that 'translate data get' fetches, and whose they are."
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with addresses and checksums")
    values = parser.parse(arguments)
    known = installed().data_sets
    if values.json:
        emit([_row(name, known[name]) for name in known])
        return 0
    for name in known:
        print(f"{name}: {known[name].title}")
        for key, value in described(name, known[name]).items():
            print(textwrap.fill(f"{key}: {value}", 110, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False))
    print("\n'translate data get NAME' fetches one. Nothing is ever downloaded by a run.")
    return 0


def described(name: str, data_set: DataSet) -> dict[str, str]:
    """What people want to know of a data set before they fetch it."""
    fetched = landing(name)
    size = f"{amount(data_set.size)} to download" if data_set.size else "size not known" if data_set.files else "by hand"
    return {
        "size": f"{size}{f'; fetched, in {fetched}' if fetched.is_dir() else ''}",
        "licence": data_set.licence,
        "source": data_set.homepage,
        "checksum": data_set.checksums or "none is known",
        "domains": " ".join(data_set.domains),
    }


def _row(name: str, data_set: DataSet) -> dict[str, object]:
    fetched = landing(name)
    return {"name": name, **asdict(data_set), "size": data_set.size, "fetched": str(fetched) if fetched.is_dir() else None}
