"""Domains whose pictures are named one by one: in a text file, or by the rows of a table."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from translate.data import picture
from translate.data.folder import PictureFiles
from translate.data.layouts import SPLITS, in_splits
from translate.data.wanted import Splits, Wanted
from translate.errors import DataWarning, UserError, listed


def open_list(wanted: Wanted) -> Splits | None:
    """The domain ``horses.txt``: a file with one path a line, relative to it.

    ``train/horses.txt`` and ``test/horses.txt`` are the two splits. Empty lines and those that begin with ``#`` mean nothing.
    """
    if not wanted.name.lower().endswith(".txt"):
        return None
    found = {split: _find(wanted, split) for split in SPLITS}
    if found["train"] is None:
        return None
    train, test = (_open(wanted.called, path) if path else None for path in (found["train"], found["test"]))
    assert train is not None
    return in_splits(train, test)


def _find(wanted: Wanted, split: str) -> Path | None:
    whole = wanted.locate(wanted.name)
    if whole is None:
        return None
    parted = [whole.parent / word / whole.name for word in SPLITS[split]]
    return next((path for path in [*parted, *([whole] if split == "train" else [])] if path.is_file()), None)


def _open(name: str, path: Path) -> PictureFiles:
    lines = [line.strip() for line in read_text(path).splitlines()]
    return open_named(name, path, path.parent, [line for line in lines if line and not line.startswith("#")])


def read_text(path: Path) -> str:
    """The text in ``path``. Raises UserError where it is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text ({error}); save it as UTF-8.") from error


def open_named(name: str, source: Path, base: Path, named: Sequence[str]) -> PictureFiles:
    """The pictures that ``source`` names, relative to ``base``, each once. Those that are not there are passed over with a warning.

    Raises UserError where none is there.
    """
    found: dict[Path, None] = {}
    missing: list[str] = []
    for each in named:
        path = file_of(base, each)
        if path is None:
            missing.append(each)
        else:
            found[path] = None
    if not found:
        first = f" ({missing[0]!r} is the first)" if missing else ""
        raise UserError(
            f"None of the {len(named)} files that {source} names for '{name}' is there{first}; they are looked for relative to {base}."
        )
    if missing:
        warnings.warn(
            f"{source}: passed over {len(missing)} of {len(named)} files that are not there ({', '.join(missing[:3])}"
            f"{', ...' if len(missing) > 3 else ''}).",
            DataWarning,
            stacklevel=2,
        )
    return PictureFiles(name, *_below(base, list(found), source))


def file_of(base: Path, name: str) -> Path | None:
    """The file ``name`` relative to ``base``, which may be written as Windows does, and without the ending of a picture."""
    if not name:
        return None
    for spelt in dict.fromkeys((name, name.replace("\\", "/"))):
        path = os.path.normpath(os.path.join(base, spelt))
        endings = ("",) if os.path.splitext(path)[1] else ("", *sorted(picture.SUFFIXES))
        # Of texts, which is many times as fast as with paths: tables name hundreds of thousands.
        if found := next((path + end for end in endings if os.path.isfile(path + end)), None):
            return Path(found)
    return None


def _below(base: Path, files: list[Path], source: Path) -> tuple[Path, list[Path]]:
    """The folder that files are named relative to, and the files: ``base``, or where one lies outside, the lowest that holds all."""
    base = Path(os.path.normpath(base))
    below = "" if base == Path() else os.path.join(base, "")
    if all(str(file).startswith(below) for file in files) and (below or not any(map(_leads_out, files))):
        return base, files
    files = [Path(os.path.normpath(file.absolute())) for file in files]
    try:
        return Path(os.path.commonpath([file.parent for file in files])), files
    except ValueError:
        drives = listed(sorted({file.drive for file in files}))
        raise UserError(f"{source} names files on several drives ({drives}); bring them together on one.") from None


def _leads_out(path: Path) -> bool:
    return path.is_absolute() or path.parts[0] == ".."
