"""Domains that are rows of a table of pictures: ``celeba.csv:Young=1,Male=0``."""

from __future__ import annotations

import csv
import io
import math
import operator
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.folder import PictureFiles
from translate.data.layouts import in_splits
from translate.data.lists import file_of, open_named, read_text
from translate.data.view import Weighted
from translate.data.wanted import Splits, Wanted
from translate.errors import UserError, listed, near

#: A table, and the conditions that its rows must fit. A text file without conditions is a list of paths.
NAME = re.compile(r"(?P<file>.+\.(?:csv|tsv|txt)):(?P<conditions>.+)|(?P<whole>.+\.(?:csv|tsv))", re.I)
CONDITION = re.compile(r"\s*(?P<column>.*?\S)\s*(?P<sign>!=|<=|>=|==|=|<|>)\s*(?P<value>.*?)\s*")
#: Equality is that of texts where the value is no number.
EQUALITY: dict[str, Callable[[object, object], bool]] = {"=": operator.eq, "!=": operator.ne}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    **EQUALITY,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: What columns of file names are called, in lower case and with ``_`` between words.
FILE_COLUMNS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path"),
    *("image", "image_id", "image_path", "image_name", "image_file", "img", "img_path", "picture"),
)
SPLIT_COLUMNS = ("split", "partition")
WEIGHT_COLUMNS = ("weight", "weights")
#: What a split is called in a table; CelebA writes numbers.
SPLIT_WORDS = {"train": "train", "training": "train", "0": "train"}
SPLIT_WORDS |= {"val": "val", "valid": "val", "validation": "val", "1": "val", "test": "test", "testing": "test", "2": "test"}


@dataclass(frozen=True)
class Table:
    """Texts in columns."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> int:
        """The number of the column of that name. Raises UserError where there is none."""
        for spelt in (str.strip, _plain):
            names = [spelt(each) for each in self.header]
            if spelt(name) in names:
                return names.index(spelt(name))
        raise UserError(f"{self.path} has no column '{name}'.{near(name, self.header)} Its columns are {_some(self.header)}.")

    def one_of(self, names: Sequence[str]) -> int | None:
        """The number of the first column that is called as one of ``names``."""
        return next((number for number, each in enumerate(self.header) if _plain(each) in names), None)


def open_table(wanted: Wanted) -> Splits | None:
    """The pictures of the rows that fit all conditions; of a table without conditions, of all rows."""
    match = NAME.fullmatch(wanted.name)
    path = wanted.locate(match["file"] or match["whole"]) if match else None
    if match is None or path is None or not path.is_file():
        return None
    table = read_table(path)
    rows = _fitting(table, match["conditions"] or "")
    files = table.one_of(FILE_COLUMNS) or 0
    base = folder_of(table, [row[files] for row in table.rows])
    split = table.one_of(SPLIT_COLUMNS)
    named: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for row in rows:
        named["train" if split is None else _split(table, split, row[split])].append(row[files])
    if not named["train"]:
        raise UserError(
            f"{path} has {len(rows)} rows for '{wanted.name}', and none of them is for training; see its column "
            f"'{table.header[split or 0]}'."
        )
    held_out = named["test"] or named["val"]
    train = open_named(wanted.called, path, base, named["train"])
    found = in_splits(train, open_named(wanted.called, path, base, held_out) if held_out else None)
    weight = table.one_of(WEIGHT_COLUMNS)
    return found if weight is None else Splits(_weighted(train, table, base, files, weight), found.test)


def read_table(path: Path) -> Table:
    """The table in ``path``: comma, semicolon or tab between values, or as CelebA writes its attributes. Raises UserError."""
    text = read_text(path)
    first, *more = text.splitlines() or [""]
    if first.strip().isdecimal() and more:
        # The number of rows, then the names of all columns but the first, and spaces between values.
        rows = [(number, line.split()) for number, line in enumerate(more[1:], 3) if line.strip()]
        header = ["file", *more[0].split()]
    else:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",", ";", "\t", key=first.count))
        try:
            rows = [(reader.line_num, row) for row in reader if any(row)]
        except csv.Error as error:
            raise UserError(f"{path} cannot be read as a table, in line {reader.line_num} ({error}).") from error
        header = rows.pop(0)[1] if rows else []
    if not rows:
        raise UserError(f"{path} has no rows below a header; expected a line of column names and one line for each picture.")
    for number, row in rows:
        if len(row) != len(header):
            raise UserError(
                f"{path} has {len(row)} values in line {number}, where its header has {len(header)} columns; mend that line."
            )
    return Table(path, tuple(each.strip() for each in header), tuple(tuple(each.strip() for each in row) for _, row in rows))


def _fitting(table: Table, conditions: str) -> list[tuple[str, ...]]:
    """The rows that fit all conditions. Raises UserError where none does."""
    rows = list(table.rows)
    for condition in filter(None, conditions.split(",")):
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise UserError(
                f"'{condition}' is no condition on {table.path}; write a column, one of = != < <= > >=, and a value: Young=1."
            )
        column = table.column(match["column"])
        values = [row[column] for row in table.rows]
        fits = _test(match["sign"].replace("==", "="), match["value"], values)
        if not any(map(fits, values)):
            raise UserError(
                f"{table.path} has no row with {condition.strip()}; its column '{table.header[column]}' holds "
                f"{_some(sorted(set(values) - {''}, key=lambda each: (_number(each) is None, _number(each), each)))}."
            )
        rows = [row for row in rows if fits(row[column])]
    if not rows:
        raise UserError(f"{table.path} has no row that fits all of {conditions}, though each of them fits some.")
    return rows


def _test(sign: str, value: str, values: Sequence[str]) -> Callable[[str], bool]:
    """Whether a value of a column fits; an empty one, which is unknown, never does."""
    wanted = _number(value)
    if wanted is None:
        if sign not in EQUALITY:
            raise UserError(f"'{sign}' compares numbers, and '{value}' is none; write = or != to compare texts.")
        return lambda each: each != "" and EQUALITY[sign](each.casefold(), value.casefold())
    if wanted == 0 and {_number(each) for each in values} <= {-1.0, 1.0}:
        wanted = -1.0  # CelebA writes no as -1
    compare = COMPARISONS[sign]
    return lambda each: each != "" and compare(number if (number := _number(each)) is not None else math.nan, wanted)


def folder_of(table: Table, names: Sequence[str]) -> Path:
    """The folder that the table's file names are relative to: its own, or the only one below in which the first of them are."""
    first = [name for name in names if name][:5]
    here = table.path.parent
    if any(file_of(here, name) for name in first):
        return here
    below = [
        Path(parent, folder)
        for parent, folders, _ in os.walk(here)
        for folder in sorted(folders)
        if any(file_of(Path(parent, folder), name) for name in first)
    ]
    if len(below) == 1:
        return below[0]
    if below:
        raise UserError(
            f"The pictures of {table.path} are in {below[0]} and in {below[1]}; leave only one of them beside the table."
        )
    raise UserError(
        f"The pictures of {table.path}, such as {first[0] if first else 'none'}, are neither in {here} nor in a folder below it; put "
        f"them there."
    )


def _weighted(domain: PictureFiles, table: Table, base: Path, files: int, column: int) -> Weighted:
    """The pictures, drawn by the weights in ``column``. Raises UserError where one is no number from 0 on."""
    weights: dict[str, float] = {}
    for row in table.rows:
        weight = _number(row[column])
        if weight is None or not 0 <= weight < math.inf:
            raise UserError(
                f"{table.path} has '{row[column]}' in its column '{table.header[column]}' for {row[files]}; a weight is a number from 0 on."
            )
        path = file_of(base, row[files])
        weights[os.path.abspath(path) if path else ""] = weight
    return Weighted(domain, [weights[os.path.abspath(path)] for path in domain.paths])


def _split(table: Table, column: int, value: str) -> str:
    word = SPLIT_WORDS.get(value.casefold())
    if word is None:
        raise UserError(
            f"{table.path} has '{value}' in its column '{table.header[column]}'; expected train, val or test (or 0, 1 or 2)."
        )
    return word


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number else None


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _some(values: Sequence[str]) -> str:
    """The first of ``values`` as a sentence takes them."""
    return listed(values) if len(values) <= 8 else f"{', '.join(values[:8])}, ... ({len(values)} in all)"
