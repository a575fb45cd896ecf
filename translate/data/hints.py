"""Domains in a folder that no folder of it shows: rows of a table, lists of files, ages in the names of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from translate.data.ages import age_of
from translate.data.lists import file_of
from translate.data.tables import FILE_COLUMNS, SPLIT_COLUMNS, WEIGHT_COLUMNS, Table, folder_of, read_table
from translate.data.wanted import typed
from translate.errors import UserError, listed

#: How UTKFace names files: age, sex, group, then when it was taken. A number alone is seldom an age.
FACE = re.compile(r"\d{1,3}_[01]_[0-4]_.*")
#: A column with more values is no attribute, but a name or a measure.
MOST_VALUES = 12
#: What a condition can be written with as it is.
PLAIN = re.compile(r"[\w .+-]+")
#: Lines of a text file that are looked at.
LINES = 20


def hints(root: Path, pictures: Mapping[str, Sequence[Path]]) -> Iterator[str]:
    """What ``--domains`` could name in ``root`` beside its folders, in sentences; ``pictures`` are those of each domain found there."""
    files = sorted(path for path in root.iterdir() if path.is_file() and path.name[0] != ".")
    for path in files:
        if table := _table(path):
            yield f"There is a table, {path.name}, whose rows can be domains; try --domains {_rows(table)}."
    if lists := [path.name for path in files if _is_list(path)]:
        yield f"There {'is a list' if len(lists) == 1 else 'are lists'} of pictures; try --domains {typed(*lists)}."
    for name, paths in pictures.items():
        ages = sorted(age for path in paths if FACE.fullmatch(path.name) and (age := age_of(path)) is not None)
        if len(ages) > len(paths) / 2 and (low := ages[len(ages) // 3]) < (high := ages[2 * len(ages) // 3]):
            yield (
                f"The names of the pictures of {name} begin with ages, from {ages[0]} to {ages[-1]}; try --domains "
                f"{typed(f'{name}:-{low}', f'{name}:{high}-')}."
            )


def _table(path: Path) -> Table | None:
    """The table in ``path``, where its rows name pictures below its folder."""
    if path.suffix.lower() not in (".csv", ".tsv") and not path.name.startswith("list_attr"):
        return None
    try:
        table = read_table(path)
        folder_of(table, [row[table.one_of(FILE_COLUMNS) or 0] for row in table.rows])
    except UserError:  # a table of something else
        return None
    return table


def _rows(table: Table) -> str:
    """Two domains of the table by the first column that tells them apart; where none does, how to write one."""
    told = {table.one_of(names) for names in (SPLIT_COLUMNS, WEIGHT_COLUMNS)} | {table.one_of(FILE_COLUMNS) or 0}
    for column in sorted(set(range(len(table.header))) - told):
        counts = Counter(row[column] for row in table.rows if row[column])
        if 2 <= len(counts) <= MOST_VALUES and all(map(PLAIN.fullmatch, (table.header[column], *counts))):
            return typed(*(f"{table.path.name}:{table.header[column]}={value}" for value, _ in counts.most_common(2)))
    return f"{typed(table.path.name)}:COLUMN=VALUE, by its columns {listed(table.header)}"


def _is_list(path: Path) -> bool:
    """Whether a text file names pictures, one a line."""
    if path.suffix.lower() != ".txt":
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = [line.strip() for line, _ in zip(file, range(LINES), strict=False)]
    except (OSError, UnicodeDecodeError):
        return False
    return any(file_of(path.parent, line) for line in lines if line and not line.startswith("#"))
