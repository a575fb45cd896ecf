"""``translate data check``: look through pictures before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.data.looks import Portion
from translate.data.preflight import Preflight, check
from translate.data.preflight_page import page
from translate.data.wanted import typed
from translate.errors import UserError
from translate.options import Size
from translate.plugins import installed


def main(arguments: Sequence[str]) -> int:
    """Decode every picture, and print what was found; 2 where training cannot work."""
    parser = Parser(
        prog="translate data check",
        description="Look through pictures before training: decode every one, and say what is there, what is wrong and what to do.",
    )
    parser.add_argument(
        "data", metavar="DIR", nargs="?", type=Path, help="a folder of pictures [where a run without --data looks]"
    )
    parser.add_argument("--domains", metavar="NAME", nargs="+", default=[], help="as for 'translate run' [all that DIR holds]")
    parser.add_argument(
        "--size", metavar="N|HxW", help="pixels of the run: smaller pictures are named [those of the command at the end]"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a page with pictures")
    values = parser.parse(arguments)
    if values.data is None and not values.domains:
        raise UserError("Nothing was said to check; give a folder of pictures, or --domains NAME ... as for 'translate run'.")
    with _Display() as display:
        found = check(
            installed(), values.domains, values.data and values.data.expanduser(), _size(values.size), progress=display.show
        )
    if values.html is not None:
        _write(values.html, page(found))
    if values.json:
        emit(found.as_dict())
    else:
        print("\n".join(_lines(found)))
        if values.html is not None:
            print(f"With pictures: {values.html}")
    return 0 if found.works else 2


def _size(text: str | None) -> Size | None:
    if text is None:
        return None
    try:
        size = Size.parse(text)
    except ValueError:
        size = Size(0, 0)
    if min(size) < 1:
        raise UserError(f"--size is '{text}'; give pixels such as 256, or height x width such as 128x96.")
    return size


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"--html {path} cannot be written ({error.strerror}); name a file in a folder that is there.") from error


def _lines(found: Preflight) -> Iterator[str]:
    """The report for a terminal."""
    if found.summary:
        yield found.summary
    rows = [
        ["", *(f"{each.name}{'' if each.split == 'train' else ' (test)'}" for each in found.portions)],
        *([what, *(cell(each) for each in found.portions)] for what, cell in ROWS.items()),
    ]
    rows = [row for row in rows if any(row[1:])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if found.portions:
        yield ""
        yield from ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
        yield ""
    yield from (f"{finding.level}: {finding.text}" for finding in found.findings)
    errors = sum(finding.level == "error" for finding in found.findings)
    if errors:
        yield f"Training cannot work: {errors} error{'' if errors == 1 else 's'}."
    elif found.command is not None:
        more = "" if typed(*found.names) in found.command else f", two of {len(found.names)} domains"
        yield f"Train on it{more}: {found.command}"


def _sizes(portion: Portion) -> str:
    if not portion.looks:
        return ""
    sizes = portion.sizes()
    return sizes["smallest"] if sizes["smallest"] == sizes["largest"] else f"{sizes['smallest']}…{sizes['largest']}"


def _levels(values: Iterable[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


#: What the rows of the table are called, and what stands in them.
ROWS: dict[str, Callable[[Portion], str]] = {
    "pictures": lambda portion: str(len(portion.looks) if portion.domain.is_picture else len(portion.domain)),
    "unreadable": lambda portion: str(len(portion.damaged)),
    "left out": lambda portion: str(len(portion.left_out)),
    "size": _sizes,
    "format": lambda portion: ", ".join(filter(None, portion.tally("format"))),
    "values": lambda portion: f"{portion.domain.channels} of {portion.domain.dtype}",
    "mean": lambda portion: _levels(portion.mean()) if portion.looks else "",
    "deviation": lambda portion: _levels(portion.std()) if portion.looks else "",
}


class _Display:
    """A bar on a terminal, on standard error, so that JSON stays alone on standard output."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("looking at pictures"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.progress.add_task("", total=None)

    def __enter__(self) -> _Display:
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def show(self, done: int, total: int) -> None:
        """``done`` of ``total`` pictures."""
        self.progress.update(self.task, completed=done, total=total)
