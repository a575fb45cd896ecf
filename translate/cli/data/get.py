"""``translate data get``: fetch a data set, verify and unpack it."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from translate.cli.arguments import Parser
from translate.cli.display import LINE_SECONDS
from translate.data.fetch import amount
from translate.data.obtain import Obtained, obtain
from translate.data.published import DataSet, landing
from translate.errors import DataWarning, Interrupted
from translate.plugins import installed


def main(arguments: Sequence[str]) -> int:
    """Fetch it, or say that it is there already."""
    parser = Parser(
        prog="translate data get",
        description="Fetch a data set: download it, verify it, unpack it. What broke off goes on where it was.",
    )
    parser.add_argument("name", metavar="NAME", help="a data set, as in 'translate data list'")
    parser.add_argument("--to", metavar="DIR", type=Path, help="a new folder for it [one where runs without --data look]")
    parser.add_argument(
        "--from", dest="source", metavar="FILE|DIR|URL", help="an archive, a folder or another address in place of its own"
    )
    parser.add_argument(
        "--sha256", metavar="DIGITS", help="what the archive's SHA-256 must be, in place of what is known of its size and content"
    )
    values = parser.parse(arguments)
    name, data_set = values.name, installed().data_sets[values.name]
    final = landing(name, values.to.expanduser() if values.to else None)
    if values.to is None and values.source is None and values.sha256 is None and final.is_dir() and any(final.iterdir()):
        print(f"{name} is there already, in {final}; delete that folder to fetch it again.")
        _tell_use(data_set, final)
        return 0
    try:
        with Display() as display:
            obtained = obtain(
                name,
                data_set,
                final,
                source=values.source,
                sha256=values.sha256,
                progress=display.show,
                check=lambda folder: display.during(_looking_in(folder), lambda: _check(data_set, folder)),
            )
    except KeyboardInterrupt:
        raise Interrupted("Stopped; what has come is kept, and the same command goes on with it.", signal.SIGINT) from None
    _tell(name, replace(data_set, checksums="SHA-256 as given with --sha256") if values.sha256 else data_set, obtained)
    _tell_use(data_set, final)
    return 0


def _check(data_set: DataSet, folder: Path) -> None:
    """Raise UserError unless the command that its user is told will find its domains in ``folder``."""
    # Imported here: it brings torch, which is not needed for a download that fails.
    from translate.data.catalogue import open_domains
    from translate.isolation import Guard

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # said again when the domains are opened for a run
        open_domains(Guard(installed()), data_set.domains, folder, None)


def _looking_in(folder: Path) -> str:
    return f"Looking at {sum(len(names) for _, _, names in os.walk(folder))} files ..."


def _tell(name: str, data_set: DataSet, obtained: Obtained) -> None:
    """Say what came and how far it was verified."""
    print(f"{name}: {obtained.files} files in {obtained.folder}.")
    for what, digest in obtained.unverified.items():
        if digest:
            print(
                f"No checksum is known for {name}: what came was not verified beyond its length and that it holds its domains. {what} has "
                f"the SHA-256 {digest}, which --sha256 takes."
            )
        else:
            print(f"The folder {what} was copied as it is: nothing in it was verified, but that it holds its domains.")
    if not obtained.unverified:
        print(f"Everything that came was verified{f': {data_set.checksums}' if data_set.checksums else ' by its SHA-256'}.")
    print(f"Licence: {data_set.licence}.\nCite: {data_set.citation}.")


def _tell_use(data_set: DataSet, folder: Path) -> None:
    # Imported here: it brings torch, which is not needed for a download that fails.
    from translate.data.suggestion import method_for

    if method := method_for(installed(), data_set.domains):
        print(f"Train on it: {method.command(folder)}")


class Display:
    """Shows how far a download is: a bar on a terminal, a line now and then elsewhere; and that what came is looked at."""

    def __init__(self) -> None:
        self.console = Console(soft_wrap=True, highlight=False, markup=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.progress.add_task("", total=None)
        self.what = ""
        self.shown = time.monotonic()

    def __enter__(self) -> Display:
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def show(self, what: str, done: int, total: int | None) -> None:
        """``done`` of ``total`` bytes of ``what``."""
        if what != self.what:
            self.what = what
            self.progress.reset(self.task, description=what, total=total)
        self.progress.update(self.task, completed=done, total=total)
        now = time.monotonic()
        if not self.console.is_terminal and now - self.shown >= LINE_SECONDS:
            self.shown = now
            print(f"{what}: {amount(done)}{f' of {amount(total)}' if total else ''}")
            sys.stdout.flush()

    def during(self, what: str, action: Callable[[], None]) -> None:
        """Do ``action``, which takes nobody knows how long, and say ``what`` it does."""
        self.progress.stop()
        if not self.console.is_terminal:
            print(what)
            sys.stdout.flush()
        with self.console.status(what):
            action()
