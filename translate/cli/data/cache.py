"""``translate data cache``: what is kept of decoded pictures, how much that may be, and removing it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.data import cache
from translate.errors import UserError

#: Written in place of a size, the limit that nobody set.
DEFAULT = "default"
UNITS = ("B", "kB", "MB", "GB", "TB")


def main(arguments: Sequence[str]) -> int:
    """Show the cache, bound it or empty it."""
    parser = Parser(
        prog="translate data cache",
        description="Show what is kept of decoded and resized pictures, so that they need not be decoded in every run.",
    )
    parser.add_argument(
        "--max",
        metavar="SIZE",
        help=f"keep so much at most from here on, such as 50GB, or '{DEFAULT}'; what was used least recently goes",
    )
    parser.add_argument("--clear", action="store_true", help="remove everything that no run is using")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    if values.max is not None:
        cache.set_limit(read_bytes(values.max))
    in_use = cache.clear() if values.clear else []
    kept, most = cache.kept(), cache.limit()
    if values.json:
        emit({"folder": str(cache.pixels_folder()), "limit": most, "files": [_row(each) for each in kept]})
        return 0
    for each in reversed(kept):
        pictures, size, fit = (each.about.get(key, "?") for key in ("pictures", "size", "fit"))
        # Domains of one table have one folder.
        name = f"'{each.about['domain']}': " if "domain" in each.about else ""
        folder, used = each.about.get("folder", "an unknown folder"), datetime.fromtimestamp(each.used).strftime("%Y-%m-%d %H:%M")
        print(f"{show_bytes(each.bytes):>9}  {name}{pictures} pictures of {size}, {fit}, from {folder}; last used {used}")
    print(f"{show_bytes(sum(each.bytes for each in kept))} of at most {show_bytes(most)} in {cache.pixels_folder()}.")
    if cache.own_limit() is not None:
        print(f"That limit was set with --max; '--max {DEFAULT}' goes back to the usual one.")
    if in_use:
        print(f"{len(in_use)} of them stayed, because a run is using {'it' if len(in_use) == 1 else 'them'}.")
    return 0


def read_bytes(text: str) -> int | None:
    """A size as people write it, in bytes; None for the default one. Raises UserError.

    >>> read_bytes("1.5 GB")
    1500000000
    """
    if text.strip() == DEFAULT:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise UserError(f"--max is '{text}'; give a size such as 50GB or 500MB, or '{DEFAULT}'.")
    return int(float(found[1]) * 1000 ** " KMGT".index(found[2].upper() or " "))


def show_bytes(count: int) -> str:
    """Bytes as people write them.

    >>> show_bytes(1_500_000_000)
    '1.5 GB'
    """
    amount = float(count)
    for unit in UNITS:
        if amount < 999.5 or unit == UNITS[-1]:
            break
        amount /= 1000
    return f"{amount:.3g} {unit}"


def _row(each: cache.Kept) -> dict[str, Any]:
    used = datetime.fromtimestamp(each.used).astimezone().isoformat(timespec="seconds")
    return {"path": str(each.path), **each.about, "bytes": each.bytes, "used": used}
