"""Pairs in one file, side by side: pix2pix's ``train/*.jpg``, the left half of the first domain and the right one of the second."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from translate.data.domain import Array, Domain
from translate.data.folder import PictureFiles
from translate.data.index import FolderIndex
from translate.data.layouts import SPLITS, find_folder, in_splits, pictures_directly_in
from translate.data.view import View
from translate.data.wanted import Splits, Wanted, short_names


class Side(View):
    """One of the parts, side by side, of each picture of ``whole``: that of domain ``name``, one of ``names`` from left to right."""

    def __init__(self, name: str, whole: Domain, names: Sequence[str]) -> None:
        super().__init__(whole)
        self.name, self.names = name, tuple(names)
        at, count = self.names.index(name), len(self.names)
        self.origin = f"{whole.origin} ({('left', 'right')[at] + ' half' if count == 2 else f'part {at + 1} of {count}'})"

    def read(self, index: int) -> Array:
        """The part of this domain."""
        return self._part(index, self.name)

    def _part(self, index: int, name: str) -> Array:
        whole = self.domain.read(index)
        width, at = whole.shape[1] // len(self.names), self.names.index(name)
        return whole[:, at * width : (at + 1) * width]

    def fingerprint(self) -> str:
        """A digest of the whole pictures' fingerprint and of which part this is."""
        part = f"{self.domain.fingerprint()}\0{self.names.index(self.name)}\0{len(self.names)}"
        return hashlib.sha256(part.encode()).hexdigest()

    def counterpart(self, index: int, domain: str) -> Array | None:
        """The part of the same picture that is ``domain``'s."""
        return self._part(index, domain) if domain in self.names else None


def open_sides(wanted: Wanted) -> Splits | None:
    """The domain's part of pictures that lie directly in ``train``, all of them as many times as wide as high as there are domains."""
    root, count = wanted.root, len(wanted.domains)
    if root is None or not wanted.loose or count < 2:
        return None
    if any(find_folder(name, root, split, wanted.domains) for name in wanted.domains for split in SPLITS):
        return None
    folders = {split: [root / word for word in words] for split, words in SPLITS.items()}
    train, test = (next(filter(None, map(pictures_directly_in, folders[split])), []) for split in ("train", "test"))
    if not train or not all(_are_rows(files, count) for files in (train, test) if files):
        return None
    called, names = wanted.called, short_names(wanted.domains)
    held_out = PictureFiles(called, test[0].parent, test) if test else None
    whole = in_splits(PictureFiles(called, train[0].parent, train), held_out)
    return Splits(Side(called, whole.train, names), Side(called, whole.test, names) if whole.test is not None else None)


def _are_rows(files: Sequence[Path], count: int) -> bool:
    """Whether all pictures among the files of a folder are ``count`` squares side by side."""
    index = FolderIndex(files[0].parent)
    rows = all((facts := index.facts(path)) is None or facts.width == count * facts.height for path in files)
    index.save()
    return rows
