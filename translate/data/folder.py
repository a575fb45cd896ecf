"""Files of pictures as a domain."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from translate.data import picture, unread
from translate.data.domain import WINDOWS, Array, Domain
from translate.data.index import FolderIndex
from translate.data.picture import Facts, Window
from translate.errors import DataWarning, UserError, listed

#: Set to 1, links that lead out of the folder of the data are followed.
FOLLOW_LINKS = "TRANSLATE_FOLLOW_LINKS"

#: Pictures that are decoded at a time to find the window of a domain.
_THREADS = 4


class PictureFiles(Domain):
    """The pictures among ``files``, in their order, named by their paths below ``folder``. Those that are none are skipped and named once.

    The domain is 8-bit where any picture is; otherwise it has 16 bits, or floats where any picture has, and its window is that of the
    values in all of them. It has one channel where all pictures are grey, three where they are of grey and colour, and others where all
    have as many.
    """

    #: Decoding files takes long enough to keep the results on disk.
    cacheable = True

    def __init__(self, name: str, folder: Path, files: Sequence[Path]) -> None:
        self.name = name
        self.folder = folder
        self._index = FolderIndex(folder)
        facts: dict[Path, Facts] = {}
        skipped: list[Path] = []
        too_large: list[Path] = []
        for path in files:
            found = self._index.facts(path)
            if found is None:
                skipped.append(path)
            elif found.refusal:
                too_large.append(path)
            else:
                facts[path] = found
        #: Files that are left out, because they are no pictures or too large.
        self.left_out = (*skipped, *too_large)
        self.paths = list(facts)
        by_need = _by_need(skipped)
        if not self.paths:
            need = next(filter(None, by_need), "")
            why = (
                f"{_named(by_need[need])}; they {need}"
                if need
                else f"{_named([*too_large, *skipped])}; formats: {listed(picture.FORMATS)}"
            )
            raise UserError(f"{folder} holds no picture that can be read{why}.")
        for need, paths in by_need.items():
            _warn(folder, need or "are no pictures", "skipped", paths)
        _warn(folder, "are too large to decode", "skipped", too_large)
        _warn(folder, "hold several pictures", "read only the first picture of", [path for path in facts if facts[path].several])
        self.channels = _channels(folder, facts)
        self.dtype = _dtype(folder, facts)
        self._ranges = self._ranges_of(facts)
        self.window = self._ranges.get(self.dtype, WINDOWS[self.dtype])
        self.origin = f"{len(self.paths)} pictures in {folder}{_depth(self.dtype, self.window)}"
        self._damaged: set[Path] = set()
        self._index.save()

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, index: int) -> str:
        """The picture's path below the folder, or from the folder to it."""
        return self._index.name(self.paths[index]).replace(os.sep, "/")

    def read(self, index: int) -> Array:
        """The picture; where its file turns out to be damaged, the next one that is not."""
        for step in range(len(self.paths)):
            path = self.paths[(index + step) % len(self.paths)]
            try:
                return picture.read(path, self.channels, self.dtype, self.window, ranges=self._ranges)
            except UserError as error:
                cause = error.__cause__
                if isinstance(cause, OSError) and cause.errno is not None:  # no fault of what is in it: it was there at the start
                    raise UserError(
                        f"{path} cannot be read any more ({cause.strerror}); put it back, and go on with 'translate resume RUN', or with "
                        f"--data DIR there if the pictures have moved."
                    ) from error
                # Which files are damaged is a property of the data, so that what replaces them is the same in every run.
                if path not in self._damaged:
                    self._damaged.add(path)
                    warnings.warn(f"Skipped: {error}", DataWarning, stacklevel=2)
        raise UserError(f"{self.folder} holds no picture that can be read any more; was the folder moved or emptied?")

    def fingerprint(self) -> str:
        """SHA-256 over the names of all pictures and the SHA-256 of their bytes."""
        digest = hashlib.sha256()
        for index, path in enumerate(self.paths):
            # Names of files need not be text on every system.
            digest.update(self.label(index).encode(errors="surrogateescape") + f"\0{self._index.digest(path)}\0".encode())
        self._index.save()
        return digest.hexdigest()

    def _ranges_of(self, facts: Mapping[Path, Facts]) -> dict[str, Window]:
        """The window of the values of each dtype that is deeper than 8 bits, for which all its pictures are decoded, once."""
        ranges = {}
        for dtype in sorted({found.dtype for found in facts.values()} - {"uint8"}):
            with ThreadPoolExecutor(_THREADS) as pool:
                found = pool.map(self._index.extremes, (path for path in facts if facts[path].dtype == dtype))
                known = [extremes for extremes in found if extremes is not None]
            if known:
                ranges[dtype] = picture.window_of(dtype, min(low for low, _ in known), max(high for _, high in known))
        return ranges


def _by_need(skipped: Sequence[Path]) -> dict[str, list[Path]]:
    """The files by what must be done with them before they can be read; by nothing where they are no pictures."""
    found: dict[str, list[Path]] = {}
    for path in skipped:
        found.setdefault(unread.needs(path) or "", []).append(path)
    return found


def _channels(folder: Path, facts: Mapping[Path, Facts]) -> int:
    first: dict[int, Path] = {}
    for path, found in facts.items():
        first.setdefault(found.channels, path)
    if set(first) <= {1, 3}:
        return max(first)
    if len(first) > 1:
        numbers = listed(f"{count} ({first[count].name})" for count in sorted(first))
        raise UserError(
            f"The pictures in {folder} have {numbers} channels; all pictures of a domain must have as many, so keep each kind in a "
            f"folder of its own."
        )
    return next(iter(first))


def _dtype(folder: Path, facts: Mapping[Path, Facts]) -> str:
    kinds = {found.dtype for found in facts.values()}
    if "uint8" not in kinds:
        return "float32" if "float32" in kinds else "uint16"
    if len(kinds) > 1:
        names = [name for kind, name in (("float32", "of floats"), ("uint16", "of 16"), ("uint8", "of 8")) if kind in kinds]
        warnings.warn(
            f"{folder}: pictures {listed(names)} bits are mixed, so all are read with 8 bits; keep each depth in a folder of "
            f"its own to lose nothing.",
            DataWarning,
            stacklevel=3,
        )
    return "uint8"


def _depth(dtype: str, window: Window) -> str:
    if dtype == "uint8":
        return ""
    return f", {'16 bits' if dtype == 'uint16' else 'floats'}, window {window[0]:g}…{window[1]:g}"


def _warn(folder: Path, which: str, what: str, paths: Sequence[Path]) -> None:
    if paths:
        warnings.warn(f"{folder}: {what} {len(paths)} file(s) that {which}{_named(paths)}.", DataWarning, stacklevel=3)


def files_in(folder: Path, without: Path | None = None, root: Path | None = None) -> list[Path]:
    """Every file under ``folder`` but not ``without``, in the order of their paths; what begins with a dot is left out.

    A link is followed where it leads to something under ``root``, by default ``folder``; each folder is visited once. What leads farther
    is left out and named once, unless the environment variable TRANSLATE_FOLLOW_LINKS is 1.
    """
    follow = os.environ.get(FOLLOW_LINKS) == "1"
    here, allowed = (os.path.join(os.path.realpath(each), "") for each in (folder, root or folder))
    found: list[Path] = []
    outside: list[Path] = []
    visited: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        folders = []
        for entry in _entries(parent, visited):
            path = parent / entry.name
            if entry.name.startswith(".") or path == without:
                continue
            if entry.is_symlink():
                target = os.path.join(os.path.realpath(path), "")
                # What leads nowhere, or to itself, is nothing; and folders that are inside are found there.
                if not os.path.exists(path) or (target.startswith(here) and os.path.isdir(target)):
                    continue
                if not follow and not target.startswith(allowed):
                    outside.append(path)
                    continue
            if entry.is_dir():
                folders.append(path)
            elif entry.is_file():
                found.append(path)
        waiting += reversed(folders)
    if outside:
        # Said from one place for all callers: Python shows a warning once for each place.
        warnings.warn(
            f"{folder}: skipped {len(outside)} link(s) that lead out of the data{_named(outside)}; set {FOLLOW_LINKS}=1 to follow them.",
            DataWarning,
            stacklevel=1,
        )
    return found


def _entries(folder: Path, visited: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """What is in the folder, in the order of names; nothing where it was ``visited`` by another way."""
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in visited:
            return []
        visited.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        warnings.warn(f"{folder} cannot be looked into ({error.strerror}), and is left out.", DataWarning, stacklevel=1)
        return []


def _named(paths: Sequence[Path]) -> str:
    if not paths:
        return ""
    return f" ({', '.join(path.name for path in paths[:3])}{', ...' if len(paths) > 3 else ''})"
