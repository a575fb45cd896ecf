"""``RUN/metrics.csv``: a row for each report, a column for each loss.

Everything is read off the file when it is needed, and nothing kept in memory: so the table of a run that was stopped, or that died, and was
resumed is that of a run that was not.
"""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from translate import hookimpl

if TYPE_CHECKING:
    from translate import Engine, Report

FILE = "metrics.csv"

log = logging.getLogger(__name__)


@hookimpl
def run_started(engine: Engine) -> None:
    """Drop the rows beyond the checkpoint that the run goes on from: those steps will be done, and reported, again."""
    if engine.out is None:
        return
    columns, rows = read(engine.out / FILE)
    if columns:
        write(engine.out / FILE, columns, [row for row in rows if int(row["step"]) <= engine.step])
    log.info("%s begins after step %d of %d.", engine.out, engine.step, engine.total)


@hookimpl
def step_reported(engine: Engine, report: Report) -> None:
    """Append a row; where there is a loss that had no column yet, write the table anew with one more."""
    if engine.out is None:
        return
    path = engine.out / FILE
    row = {"step": report.step, "epoch": report.clock.epoch, **report.losses}
    columns = header(path)
    if more := [name for name in row if name not in columns]:
        write(path, [*columns, *more], [*read(path)[1], row])
    else:
        with path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, columns).writerow(row)


@hookimpl
def samples_saved(engine: Engine, path: Path) -> None:
    """Say where they are."""
    log.info("Step %d: samples in %s.", engine.step, path)


@hookimpl
def checkpoint_saved(folder: Path) -> None:
    """Say where it is."""
    log.info("Step %d: checkpoint in %s.", int(folder.name), folder)


@hookimpl
def run_finished(engine: Engine) -> None:
    """Say where the table is."""
    if engine.out is not None:
        log.info("%s is finished; its losses are in %s.", engine.out, engine.out / FILE)


def header(path: Path) -> list[str]:
    """The columns of the table; none where there is no table yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and the rows of the table, without a last row that a crash cut short."""
    if not path.exists():
        return [], []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = csv.reader(line for line in lines if line.endswith("\n"))
    columns = next(whole, [])
    return columns, [dict(zip(columns, row, strict=True)) for row in whole]


def write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Replace the table as a whole, so that whoever reads it meanwhile, or a crash, finds the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(rows)
    os.replace(beside, path)
