"""Domains out of NumPy archives: domain ``scans`` is ``DIR/scans.npz``, with the arrays ``train``, ``test`` and their names."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from translate import Domain, UserError, hookimpl

#: The stored values that become -1 and +1.
WINDOWS = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0), "float32": (-1.0, 1.0)}


class Archive(Domain):
    """The pictures of one split of an archive, kept in memory: ``pictures`` is (N, H, W, C)."""

    def __init__(self, name: str, pictures: NDArray[np.generic], names: Sequence[str], path: Path) -> None:
        self.name = name
        self.pictures, self.names = pictures, names
        self.channels = pictures.shape[3]
        self.dtype = pictures.dtype.name
        self.window = WINDOWS[self.dtype]
        self.origin = f"{len(self)} pictures in {path}"
        # What is read is a view, and whoever changed it would change the data of everybody else.
        self.pictures.flags.writeable = False

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> NDArray[np.generic]:
        """``(H, W, C)`` as it was stored."""
        return self.pictures[index]

    def label(self, index: int) -> str:
        """The picture's own name, or its number: without the domain's, so that pairs have the same."""
        return self.names[index]

    def fingerprint(self) -> str:
        """SHA-256 over all pixels and names: a run is resumed with these and no others."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        about = f"{self.dtype}\0{self.pictures.shape}\0" + "\0".join(self.names)
        digest = hashlib.sha256(about.encode())
        digest.update(self.pictures.tobytes())
        return digest.hexdigest()


@hookimpl
def open_domain(name: str, root: Path | None, split: str) -> Archive | None:
    """The domain, where ``root`` has an archive of its name with that split."""
    path = root / f"{name}.npz" if root is not None else None
    if path is None or not path.is_file():
        return None
    try:
        # An array of objects is a pickle, which can run anything: NumPy reads none unless told to.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in (split, f"{split}_names") if name in archive}
            held = ", ".join(archive) or "none"
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} cannot be read as an archive of arrays; write it with numpy.savez.") from error
    if split not in arrays:
        if split == "train":
            raise UserError(f"{path} has no array 'train'; its arrays: {held}.")
        return None
    pictures = arrays[split]
    if pictures.dtype.name not in WINDOWS:
        raise UserError(f"'{split}' of {path} is {pictures.dtype}; pictures are {', '.join(WINDOWS)}.")
    # An archive keeps the byte order of the machine that wrote it.
    pictures = pictures.astype(pictures.dtype.newbyteorder("="), copy=False)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4 or not pictures.size:
        raise UserError(
            f"'{split}' of {path} has the shape {pictures.shape}; pictures are (N, H, W) or (N, H, W, C), at least one."
        )
    if pictures.dtype.kind == "f" and not np.isfinite(pictures).all():
        raise UserError(f"'{split}' of {path} has pixels that are infinite or NaN; leave those pictures out, or fill them.")
    names = [str(each) for each in arrays.get(f"{split}_names", [f"{index:05d}" for index in range(len(pictures))])]
    if len(names) != len(pictures) or len(set(names)) < len(names):
        raise UserError(f"'{split}_names' of {path} must be {len(pictures)} different names, one a picture.")
    return Archive(name, pictures, names, path)
