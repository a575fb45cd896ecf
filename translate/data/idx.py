"""Pictures in files as MNIST's: ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and those of ``t10k``, packed (.gz) or not.

They lie in ``kana/`` or in ``kana/raw/``. The domain ``kana`` is all of their pictures, ``kana:3`` are those with the label 3.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from translate.data.domain import Domain
from translate.data.layouts import as_written
from translate.data.wanted import Splits, Wanted
from translate.errors import UserError, listed

#: What the files of each split begin with.
PREFIXES = {"train": "train", "test": "t10k"}
NAME = re.compile(r"(?P<folder>.+?)(:(?P<label>\d{1,3}))?")
#: No file holds more bytes, packed or not: a header of 16 bytes may claim any number.
MOST_BYTES = 1 << 30


class IdxPictures(Domain):
    """Grey pictures of 8 bits, ``images`` (N, H, W): those at ``places`` (M,), in their order."""

    channels = 1

    def __init__(self, name: str, folder: Path, images: NDArray[np.uint8], places: NDArray[np.int64]) -> None:
        self.name, self.places = name, places
        self.images = images[places]
        # What is read is a view, and whoever changed it would change the pictures of everybody else.
        self.images.flags.writeable = False
        self.origin = f"{len(self)} pictures in {folder}"

    def __len__(self) -> int:
        return len(self.places)

    def read(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 1) in 0…255."""
        picture: NDArray[np.uint8] = self.images[index][..., None]
        return picture

    def label(self, index: int) -> str:
        """Its number in the file, such as ``00017``."""
        return f"{self.places[index]:05d}"

    def fingerprint(self) -> str:
        """SHA-256 over the pictures and their numbers in the file."""
        digest = hashlib.sha256(f"{self.images.shape}{self.places.tolist()}".encode())
        digest.update(self.images.tobytes())
        return digest.hexdigest()


def idx_folder(folder: Path) -> Path | None:
    """``folder`` or its ``raw``, whichever holds the training pictures."""
    return next((each for each in (folder, folder / "raw") if _file(each, "train", "images-idx3")), None)


def open_idx(wanted: Wanted) -> Splits | None:
    """The domain in such files, in a folder of its name or in the root of that name. Raises UserError where they are damaged."""
    match = NAME.fullmatch(wanted.name)
    if match is None:
        return None
    place, root = wanted.locate(match["folder"]), wanted.root
    place = place if place is not None and place.is_dir() and as_written(place) else None
    own = root if root is not None and root.absolute().name == match["folder"] else None
    folder = next((found for each in (place, own) if each is not None and (found := idx_folder(each))), None)
    if folder is None:
        return None
    label = None if match["label"] is None else int(match["label"])
    train, test = (_open(wanted.called, folder, split, label) for split in PREFIXES)
    return None if train is None else Splits(train, test)


def _open(name: str, folder: Path, split: str, label: int | None) -> IdxPictures | None:
    path = _file(folder, split, "images-idx3")
    if path is None:
        return None
    images = read_idx(path, axes=3)
    if label is None:
        return IdxPictures(name, folder, images, np.arange(len(images)))
    beside = _file(folder, split, "labels-idx1")
    if beside is None:
        raise UserError(f"{folder} lacks {PREFIXES[split]}-labels-idx1-ubyte, packed (.gz) or not, which says what is '{name}'.")
    labels = read_idx(beside, axes=1)
    if len(labels) != len(images):
        raise UserError(f"{beside} has {len(labels)} labels for the {len(images)} pictures of {path.name}; get both anew.")
    if label not in labels:
        raise UserError(f"{beside} has no label {label} for '{name}'; its labels are {listed(map(str, np.unique(labels)))}.")
    return IdxPictures(name, folder, images, np.flatnonzero(labels == label))


def _file(folder: Path, split: str, what: str) -> Path | None:
    path = folder / f"{PREFIXES[split]}-{what}-ubyte"
    return next((each for each in (path, path.with_name(f"{path.name}.gz")) if each.is_file()), None)


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The bytes in an idx file of so many axes, in its shape. Raises UserError where it is damaged, or another file."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            # Two zeros, 8 for unsigned bytes, the number of axes, their lengths, the values.
            if file.read(4) != bytes([0, 0, 8, axes]):
                raise ValueError(f"it does not begin as a file of bytes with {axes} axes does")
            shape = struct.unpack(f">{axes}I", file.read(4 * axes))
            size = math.prod(shape)
            if not 0 < size <= MOST_BYTES:
                raise ValueError(f"its header announces {size} bytes")
            content = file.read(size + 1)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise UserError(f"{path} cannot be read as an idx file ({error}); get it anew.") from None
    if len(content) != size:
        found = f"only {len(content)}" if len(content) < size else "more"
        raise UserError(f"{path} is damaged: its header announces {size} bytes, and it has {found}; get it anew.")
    return np.frombuffer(content, np.uint8).reshape(shape)
