"""Domains that are ranges of ages, which lead the names of the files, as in UTKFace: ``utkface:20-30``, ``utkface:50-``."""

from __future__ import annotations

import re
from pathlib import Path

from translate.data.folder import PictureFiles, files_in
from translate.data.layouts import SPLITS, find_folder, in_splits
from translate.data.wanted import Splits, Wanted
from translate.errors import UserError

#: A folder and a range of ages, both ends included; one may be left open.
NAME = re.compile(r"(?P<folder>.+):(?P<least>\d{0,3})-(?P<most>\d{0,3})(?<!:-)")
#: A file name that begins with an age: 25_0_1_20170116.jpg.
AGE = re.compile(r"(\d{1,3})_")


def age_of(path: Path) -> int | None:
    """The age that the file's name begins with."""
    match = AGE.match(path.name)
    return int(match[1]) if match else None


def open_ages(wanted: Wanted) -> Splits | None:
    """The pictures of people of that age, in the folder or, where that is not there, in the root itself. Raises UserError where none is."""
    match = NAME.fullmatch(wanted.name)
    if match is None:
        return None
    least, most = int(match["least"] or 0), int(match["most"] or 999)
    if least > most:
        raise UserError(f"'{wanted.name}' is no range of ages: {least} is more than {most}; write the lower age first.")
    train, test = _folders(wanted, match["folder"])
    ages = _ages_in(train, test, wanted.root) if train else {}
    if train is None or not ages:
        return None
    chosen = [path for path, age in ages.items() if least <= age <= most]
    if not chosen:
        raise UserError(
            f"{train} has {len(ages)} pictures with ages from {min(ages.values())} to {max(ages.values())}, and none for "
            f"'{wanted.name}'; choose a range that holds some."
        )
    held_out = [path for path, age in _ages_in(test, None, wanted.root).items() if least <= age <= most] if test else []
    return in_splits(
        PictureFiles(wanted.called, train, chosen), PictureFiles(wanted.called, test, held_out) if test and held_out else None
    )


def _ages_in(folder: Path, without: Path | None, root: Path | None) -> dict[Path, int]:
    return {path: age for path in files_in(folder, without, root) if (age := age_of(path)) is not None}


def _folders(wanted: Wanted, name: str) -> tuple[Path | None, Path | None]:
    """The folders of the two splits."""
    place = wanted.locate(name)
    root, name = (place.parent, place.name) if place is not None and place.is_dir() else (wanted.root, name)
    if root is None:
        return None, None
    train, test = (find_folder(name, root, split, [name], letters=False) for split in SPLITS)
    # Below a root that nobody named, such as the working folder, any name might begin with a number.
    if train is None and (wanted.loose or root.name.casefold() == name.casefold()):
        train, test = (next((root / word for word in SPLITS[split] if (root / word).is_dir()), None) for split in SPLITS)
        return train or root, test
    return train, test
