"""Folders of pictures, in the layouts that people have.

For the domain ``horse``, the first of two, these are tried in this order under the root:

1. ``train/horse/`` and ``test/horse/``
2. ``horse/train/`` and ``horse/test/``
3. ``horse/``, all of it for training
4. ``trainA/`` and ``testA/``: A, B, C ... stand for the domains in the order they were given

Where there is no ``test``, ``val`` stands for it. The only domain of a method may also be the root itself, whatever its name.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase

from translate.data import picture
from translate.data.folder import PictureFiles, files_in
from translate.data.wanted import Splits, Wanted, is_path

#: What folders of each split are called; the first that is there is taken.
SPLITS = {"train": ("train",), "test": ("test", "val")}


def find_folder(name: str, root: Path, split: str, domains: Sequence[str], *, letters: bool = True) -> Path | None:
    """The folder that holds ``split`` of domain ``name`` under ``root``, or None; ``letters`` allows layout 4, which fits any name."""
    path = Path(name)
    if not path.parts or ".." in path.parts or path.is_absolute() or path.drive:
        return None
    for word in SPLITS[split]:
        candidates = [root / word / name, root / name / word]
        if split == "train":
            candidates.append(root / name)
        if letters and len(domains) <= len(ascii_uppercase):
            candidates.append(root / f"{word}{ascii_uppercase[list(domains).index(name)]}")
        for folder in candidates:
            if folder.is_dir() and as_written(folder):
                return folder
    return None


def as_written(folder: Path) -> bool:
    """Whether the folder is spelt so: some systems find MNIST/ where mnist/ is asked for, which is another thing."""
    return folder.name in ("..", "") or folder.name in os.listdir(folder.parent)


def open_folder(
    name: str, root: Path, split: str, domains: Sequence[str], *, letters: bool = True, called: str | None = None
) -> PictureFiles | None:
    """The domain's pictures in the first layout that fits, or None. Raises UserError where that folder holds no picture.

    ``called`` is the name that the domain gets, by default ``name``.
    """
    folder = find_folder(name, root, split, domains, letters=letters)
    if folder is None:
        return None
    test = find_folder(name, root, "test", domains, letters=letters)
    return _pictures(called or name, folder, test if split == "train" else None, root, needed=split == "train")


def open_by_name(wanted: Wanted) -> Splits | None:
    """The domain in a folder of its name: layouts 1 to 3."""
    return _open(wanted, letters=False)


def open_by_letter(wanted: Wanted) -> Splits | None:
    """The domain in any of the layouts 1 to 4, where those are allowed that fit any name."""
    return _open(wanted, letters=True) if wanted.loose else None


def _open(wanted: Wanted, *, letters: bool) -> Splits | None:
    if wanted.root is None:
        return None
    train, test = (
        open_folder(wanted.name, wanted.root, split, wanted.domains, letters=letters, called=wanted.called) for split in SPLITS
    )
    return in_splits(train, test) if train else None


def open_own_path(wanted: Wanted) -> Splits | None:
    """The domain in the folder that its name is the path of, such as ``~/pics/cats``."""
    folder = wanted.locate(wanted.name) if is_path(wanted.name) and wanted.called else None
    return _split_folder(wanted.called, folder) if folder is not None and folder.is_dir() else None


def open_root(wanted: Wanted) -> Splits | None:
    """The only domain in the root itself, where that holds pictures: it may have any name."""
    if wanted.root is None or not wanted.loose or len(wanted.domains) != 1:
        return None
    train = wanted.root / "train"
    if not pictures_directly_in(train if train.is_dir() else wanted.root):
        return None
    return _split_folder(wanted.called, wanted.root)


def _split_folder(name: str, folder: Path) -> Splits:
    """The pictures in ``train`` and ``test`` of ``folder``, or, where there is no ``train``, all of it but the test pictures."""
    test = next((folder / word for word in SPLITS["test"] if (folder / word).is_dir()), None)
    train = folder / "train"
    pictures = _pictures(name, train if train.is_dir() else folder, test, folder, needed=True)
    assert pictures is not None
    return in_splits(pictures, _pictures(name, test, None, folder, needed=False) if test else None)


def _pictures(name: str, folder: Path, test: Path | None, root: Path, *, needed: bool) -> PictureFiles | None:
    """The pictures in ``folder`` but not in ``test``; where there are none and they aren't ``needed``, None. Links lead within ``root``."""
    # A domain's folder that is all for training may have its test pictures inside.
    inside = test if test and folder in test.parents else folder / "test" if needed else None
    files = files_in(folder, inside, root)
    return PictureFiles(name, folder, files) if needed or any(picture.probe(path) for path in files) else None


def in_splits(train: PictureFiles, test: PictureFiles | None) -> Splits:
    """The two splits of a domain, whose test pictures are read as its training pictures are: with their channels, depth and window."""
    if test is not None:
        test.channels, test.dtype, test.window = train.channels, train.dtype, train.window
    return Splits(train, test)


def pictures_directly_in(folder: Path) -> list[Path]:
    """The files of ``folder`` itself whose names end as those of pictures do, in the order of their names."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = sorted(each.name for each in entries if not each.name.startswith("."))
    return [path for name in names if (path := folder / name).suffix.lower() in picture.SUFFIXES and path.is_file()]
