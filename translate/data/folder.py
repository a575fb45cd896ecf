"""Files of pictures as a domain."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from translate.data import picture
from translate.data.domain import WINDOWS, Array, Domain
from translate.errors import DataWarning, UserError


class PictureFiles(Domain):
    """The pictures among ``files``, in their order, named by their paths below ``folder``. Those that are none are skipped and named once.

    The domain has one channel where all pictures are grey, and 16 bits where all of them have; otherwise it is 8-bit RGB.
    """

    def __init__(self, name: str, folder: Path, files: Sequence[Path]) -> None:
        self.name = name
        self.folder = folder
        self.paths: list[Path] = []
        modes: set[str] = set()
        skipped: list[Path] = []
        for path in files:
            mode = picture.probe(path)
            if mode is None:
                skipped.append(path)
            else:
                self.paths.append(path)
                modes.add(mode)
        if not self.paths:
            raise UserError(
                f"{folder} holds no picture that can be read{_named(skipped)}; formats: JPEG, PNG, WebP, BMP and TIFF."
            )
        if skipped:
            warnings.warn(
                f"{folder}: skipped {len(skipped)} file(s) that are no pictures{_named(skipped)}.", DataWarning, stacklevel=2
            )
        self.dtype = "uint16" if modes <= picture.DEEP_MODES else "uint8"
        if self.dtype == "uint8" and modes & picture.DEEP_MODES:
            warnings.warn(
                f"{folder}: pictures of 16 and of 8 bits are mixed, so all are read with 8 bits.", DataWarning, stacklevel=2
            )
        self.window = WINDOWS[self.dtype]
        self.channels = 1 if modes <= {"L", "LA", "1", *picture.DEEP_MODES} else 3
        self.origin = f"{len(self.paths)} pictures in {folder}"
        self._damaged: set[Path] = set()

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, index: int) -> str:
        """The picture's path below the folder."""
        return self.paths[index].relative_to(self.folder).as_posix()

    def read(self, index: int) -> Array:
        """The picture; where its file turns out to be damaged, the next one that is not."""
        for step in range(len(self.paths)):
            path = self.paths[(index + step) % len(self.paths)]
            try:
                return picture.read(path, self.channels, self.dtype)
            except UserError as error:
                # Which files are damaged is a property of the data, so that what replaces them is the same in every run.
                if path not in self._damaged:
                    self._damaged.add(path)
                    warnings.warn(f"Skipped: {error}", DataWarning, stacklevel=2)
        raise UserError(f"{self.folder} holds no picture that can be read any more; was the folder moved or emptied?")

    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of all pictures."""
        digest = hashlib.sha256()
        for index, path in enumerate(self.paths):
            digest.update(f"{self.label(index)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()


def files_in(folder: Path, without: Path | None = None) -> list[Path]:
    """Every file under ``folder`` but not ``without``, in the order of their paths; what begins with a dot is left out."""
    found = []
    # Links to folders are not followed: they may lead in circles, or out of the data.
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and Path(parent, name) != without)
        found += [path for name in sorted(names) if not name.startswith(".") and (path := Path(parent, name)).is_file()]
    return found


def _named(paths: Sequence[Path]) -> str:
    if not paths:
        return ""
    return f" ({', '.join(path.name for path in paths[:3])}{', ...' if len(paths) > 3 else ''})"
