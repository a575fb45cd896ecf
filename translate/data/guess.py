"""Which domains a folder holds, where nobody has said it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase

from translate.data import picture, unread
from translate.data.folder import files_in
from translate.data.hints import hints
from translate.data.idx import idx_folder
from translate.data.layouts import SPLITS, pictures_directly_in
from translate.data.wanted import typed
from translate.errors import DataWarning, UserError

#: A data set that is called after its two domains: horse2zebra.
PAIR = re.compile(r"([^\W\d_]+)2([^\W\d_]+)")
_SPLIT_FOLDER = re.compile("(train|test|val)[A-Z]?")


def guess_domains(root: Path) -> tuple[str, ...]:
    """The domains in ``root`` by its layout, as ``--domains`` would name them.

    Files as MNIST's in the root itself; or else folders in ``train``; or else trainA, trainB ...; or else the folders of the root; or else
    pairs side by side; or else the pictures of the root itself as the only domain. Raises UserError where there are no pictures, or where
    a data set lies one folder deeper.
    """
    own = Path(root).absolute().name or "pictures"
    if idx_folder(root):
        return (own,)
    if names := _folders(root / "train"):
        return names
    if count := _lettered(root):
        return _called(root, count)
    if names := _folders(root):
        if deeper := next((root / name for name in names if _is_data_set(root / name, alone=len(names) == 1)), None):
            raise UserError(
                f"{deeper} is a data set and no domain; check one folder deeper: translate data check {typed(deeper)}"
            )
        return names
    files = next(filter(None, map(pictures_directly_in, (root / "train", root))), [])
    if not files:
        said = f"{root} holds no pictures; give a folder with a folder of pictures for each domain, such as {root}/horse/."
        raise UserError(" ".join([said, *hints(root, {})]))
    if files[0].parent != root and all((facts := picture.probe(path)) and facts.width == 2 * facts.height for path in files):
        return _called(root, 2)
    return (own,)


def without_pictures(root: Path, names: Sequence[str]) -> list[Path]:
    """The folders beside those of the guessed domains ``names`` that hold no pictures, and so are no domains."""
    for parent in (root / "train", root):
        if all((parent / name).is_dir() for name in names):
            return [each for each in _subfolders(parent) if each.name not in names]
    return []


def _folders(parent: Path) -> tuple[str, ...]:
    """The folders of ``parent`` that hold what may be pictures, but those of splits."""
    return tuple(each.name for each in _subfolders(parent) if _has_pictures(each))


def _subfolders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    folders = sorted(each for each in parent.iterdir() if each.is_dir() and each.name[0] != ".")
    return [each for each in folders if not _SPLIT_FOLDER.fullmatch(each.name)]


def _is_data_set(folder: Path, *, alone: bool) -> bool:
    """Whether a folder holds several domains; where it isn't ``alone``, the folders in its ``train`` may as well be parts of one."""
    return _lettered(folder) > 1 or (alone and len(_folders(folder / "train")) > 1)


def _has_pictures(folder: Path) -> bool:
    if idx_folder(folder):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # said when the domain is opened
        return any(map(_may_be_picture, files_in(folder)))


def _may_be_picture(path: Path) -> bool:
    # Those that are damaged, or of a format that is not read, are named when the domain is opened.
    return path.suffix.lower() in picture.SUFFIXES or unread.needs(path) is not None or picture.probe(path) is not None


def _lettered(root: Path) -> int:
    """How many of trainA, trainB ... there are, without a gap."""
    there = [(root / f"{SPLITS['train'][0]}{letter}").is_dir() for letter in ascii_uppercase]
    return there.index(False) if False in there else len(there)


def _called(root: Path, count: int) -> tuple[str, ...]:
    """Names for domains that have none: from that of the data set, or letters."""
    pair = PAIR.search(root.absolute().name)
    return (pair[1], pair[2]) if pair and count == 2 else tuple(ascii_uppercase[:count])
