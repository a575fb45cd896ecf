"""Folders of pictures, in the layouts that people have.

For the domain ``horse``, the first of two, these are tried in this order under the root:

1. ``train/horse/`` and ``test/horse/``
2. ``horse/train/`` and ``horse/test/``
3. ``horse/``, all of it for training
4. ``trainA/`` and ``testA/``: A, B, C ... stand for the domains in the order they were given
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase

from translate.data import picture
from translate.data.folder import PictureFiles, files_in


def find_folder(name: str, root: Path, split: str, domains: Sequence[str], *, letters: bool = True) -> Path | None:
    """The folder that holds ``split`` of domain ``name`` under ``root``, or None; ``letters`` allows layout 4, which fits any name."""
    parts = Path(name).parts
    if not parts or ".." in parts or Path(name).is_absolute():
        return None
    candidates = [root / split / name, root / name / split]
    if split == "train":
        candidates.append(root / name)
    if letters and len(domains) <= len(ascii_uppercase):
        candidates.append(root / f"{split}{ascii_uppercase[list(domains).index(name)]}")
    return next((folder for folder in candidates if folder.is_dir() and _as_written(folder)), None)


def _as_written(folder: Path) -> bool:
    """Whether the folder is spelt so: some systems find MNIST/ where mnist/ is asked for, which is another thing."""
    return folder.name in ("..", "") or folder.name in os.listdir(folder.parent)


def open_folder(name: str, root: Path, split: str, domains: Sequence[str], *, letters: bool = True) -> PictureFiles | None:
    """The domain's pictures in the first layout that fits, or None. Raises UserError where that folder holds no picture."""
    folder = find_folder(name, root, split, domains, letters=letters)
    if folder is None or (split != "train" and not any(picture.probe(path) for path in files_in(folder))):
        return None
    # A domain's folder that is all for training may have its test pictures inside.
    return PictureFiles(name, folder, files_in(folder, without=folder / "test" if split == "train" else None))
