"""``translate data``: what data sets there are, fetching them, checking one's own, and the cache of decoded pictures."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from translate.errors import UserError, listed, near

#: Each action is a module here with ``main(arguments) -> exit code``; ``list`` would hide the built-in one.
ACTIONS = {"list": "sets", "get": "get", "check": "check", "cache": "cache"}
HELP = """usage: translate data list [--json]
       translate data get NAME [--to DIR] [--from FILE|DIR|URL] [--sha256 DIGITS]
       translate data check [DIR] [--domains NAME ...] [--size N] [--json] [--html FILE]
       translate data cache [--max SIZE|default] [--clear] [--json]

list   the data sets that can be fetched: their size, licence and source
get    fetch one, verify and unpack it
check  look through folders of pictures before training: what is there, what is wrong, what would be skipped
cache  what the cache of decoded pictures holds; bound it or empty it"""


def main(arguments: Sequence[str]) -> int:
    """Do one of them."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP)
        raise SystemExit(0)
    action, rest = arguments[0], arguments[1:]
    if action not in ACTIONS:
        raise UserError(f"'translate data' knows {listed(ACTIONS)}, not '{action}'.{near(action, ACTIONS)}")
    return int(import_module(f"translate.cli.data.{ACTIONS[action]}").main(rest))
