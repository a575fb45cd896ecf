"""``translate bench``: measure how fast training, translating and loading are, beside the usual ways."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import translate
from translate.errors import UserError, listed, near

HELP = """usage: translate bench {names} [options]

Measure how fast training, translating and loading are here, in turns with the usual ways.

  translate bench NAME --help    says more about one"""


def main(arguments: Sequence[str]) -> int:
    """Run one of the benchmarks of the repository."""
    folder = Path(translate.__file__).parents[1] / "tests" / "benchmarks"
    if not folder.is_dir():
        raise UserError(
            "Benchmarks are in the project's repository; install from a clone of it, by pip install -e ., to run them."
        )
    known = sorted(each.stem for each in folder.glob("*.py") if 'if __name__ == "__main__"' in each.read_text(encoding="utf-8"))
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name in ("-h", "--help"):
        print(HELP.format(names="|".join(known)))
        raise SystemExit(0)
    if name not in known:
        raise UserError(f"Which benchmark? There are {listed(known)}.{near(name, known)}")
    before = sys.argv, sys.path
    sys.argv, sys.path = [f"translate bench {name}", *rest], [str(folder), *sys.path]
    try:
        runpy.run_path(str(folder / f"{name}.py"), run_name="__main__")
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.argv, sys.path = before
    return 0
