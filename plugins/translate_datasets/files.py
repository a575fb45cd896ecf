"""MNIST and Fashion-MNIST: where their files are, whether they are the published ones, and a domain of their pictures."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from translate import Domain, UserError

#: The files of each split, images and labels.
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@dataclass(frozen=True)
class DataSet:
    """A data set that torchvision reads.

    ``reader`` is its class in ``torchvision.datasets``, which is its folder too; ``digests`` are the SHA-256 of its unpacked files.
    """

    title: str
    reader: str
    digests: Mapping[str, str]

    @property
    def advice(self) -> str:
        """How to get it."""
        return f"'translate data get {self.title.lower()}', and leave --data away"


# torchvision compares checksums only when it downloads, and only those of the packed files: with download=False it reads whatever
# bears the name. These are of the files unpacked from the published .gz files, whose MD5 were those in torchvision's `resources`.
DATA_SETS = {
    "mnist": DataSet(
        "MNIST",
        "MNIST",
        {
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "fashion-mnist": DataSet(
        "Fashion-MNIST",
        "FashionMNIST",
        {
            "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ),
}


class DataSetDomain(Domain):
    """The pictures of a data set, or those of one class, in the set's order: uint8 (28, 28, 1).

    ``images`` is (N, 28, 28, 1) and ``labels`` (N,), both uint8 and read-only; ``places`` (N,) are the pictures' indices in the set.
    """

    channels = 1

    def __init__(
        self, name: str, images: NDArray[np.uint8], labels: NDArray[np.uint8], folder: Path, only: int | None = None
    ) -> None:
        self.name = name
        self.places = np.flatnonzero(labels == only) if only is not None else np.arange(len(labels))
        self.images, self.labels = images[self.places], labels[self.places]
        # What is read is a view, and whoever changed it would change the data of everybody else.
        self.images.flags.writeable = self.labels.flags.writeable = False
        self.origin = f"{len(self)} pictures in {folder}"

    def __len__(self) -> int:
        return len(self.places)

    def read(self, index: int) -> NDArray[np.uint8]:
        """(28, 28, 1) in 0…255."""
        picture: NDArray[np.uint8] = self.images[index]
        return picture

    def label(self, index: int) -> str:
        """Such as ``mnist-00017-3.png``: the picture's place in the data set, whichever domain it is in, and its class."""
        return f"{self.name.partition(':')[0]}-{self.places[index]:05d}-{self.labels[index]}.png"

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of all pictures and labels."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()


def open_data_set(name: str, family: str, choice: str | None, root: Path | None, split: str) -> DataSetDomain | None:
    """The domain ``name`` from the files under ``root``.

    ``choice`` is a class, by number or name, None for all. Returns None where there is a training split but no
    test split. Raises UserError for a class that does not exist, and for files that are missing or damaged.
    """
    data_set = DATA_SETS[family]
    only = None if choice is None else _class(data_set, choice)
    if root is None:
        raise UserError(
            f"No --data was given and ./data has no {data_set.title}; give --data DIR with {data_set.reader}/raw/ in it, or fetch it: "
            f"{data_set.advice}."
        )
    folder = _folder(data_set, root)
    if folder is None:
        raise UserError(
            f"{root} has no {data_set.title}: expected {root / data_set.reader / 'raw' / FILES['train'][0]} and its labels, "
            f"packed (.gz) or not; or fetch it: {data_set.advice}."
        )
    paths = {file: path for file in FILES[split] if (path := _path(folder, file))}
    if not paths and split == "test":
        return None
    missing = [file for file in FILES[split] if file not in paths]
    if missing:
        raise UserError(f"{folder} lacks {' and '.join(missing)}, packed (.gz) or not; fetch them again: {data_set.advice}.")
    images, labels = _load(data_set, folder, paths, split)
    return DataSetDomain(name, images, labels, folder, only)


def _class(data_set: DataSet, choice: str) -> int:
    classes: list[str] = _reader(data_set).classes
    # torchvision calls a digit "3 - three", and a class of Fashion-MNIST "Ankle boot".
    names = [_plain(each.rpartition(" - ")[2]) for each in classes]
    known = {str(number): number for number in range(len(names))} | {each: number for number, each in enumerate(names)}
    number = known.get(_plain(choice))
    if number is None:
        nearest = get_close_matches(_plain(choice), names, n=1, cutoff=0.6)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        raise UserError(
            f"{data_set.title} has no class '{choice}'.{hint} Its classes are 0 to {len(names) - 1}, or by name {', '.join(names)}."
        )
    return number


def _plain(name: str) -> str:
    """``Ankle boot``, ``ankle-boot`` and ``ankle_boot`` are one class; a command line takes the latter two without quotes."""
    return re.sub(r"[\s_-]+", "-", name.strip().casefold())


def _reader(data_set: DataSet) -> Any:
    from torchvision import datasets  # type: ignore[import-untyped]  # torchvision carries no types

    return getattr(datasets, data_set.reader)


def _folder(data_set: DataSet, root: Path) -> Path | None:
    """The folder of the files: ``root/MNIST/raw``, or ``root/raw`` where ``root`` is the folder ``MNIST`` itself."""
    candidates = [root / data_set.reader / "raw"]
    # Both data sets call their files the same, so that a folder must say by its name which it holds.
    if Path(os.path.abspath(root)).name == data_set.reader:
        candidates.append(root / "raw")
    return next((folder for folder in candidates if any(_path(folder, file) for file in data_set.digests)), None)


def _path(folder: Path, file: str) -> Path | None:
    return next((path for path in (folder / file, folder / f"{file}.gz") if path.is_file()), None)


def _load(data_set: DataSet, folder: Path, paths: Mapping[str, Path], split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 28, 28, 1) and labels (N,)."""
    # What torchvision reads is a copy: the bytes that were verified and no others, from packed files too, in a folder that may be
    # written to. It also asks for the files of the other split, though it doesn't read them.
    with TemporaryDirectory() as copy:
        raw = Path(copy, data_set.reader, "raw")
        raw.mkdir(parents=True)
        for file in data_set.digests:
            (raw / file).write_bytes(_verified(data_set, folder, paths[file], file) if file in paths else b"")
        read = _reader(data_set)(copy, train=split == "train", download=False)
    return read.data.numpy()[..., None], read.targets.numpy().astype(np.uint8)


def _verified(data_set: DataSet, folder: Path, path: Path, file: str) -> bytes:
    """The unpacked bytes of ``path``. Raises UserError unless they are those that were published."""
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}); delete it and fetch them again: {data_set.advice}.") from error
    announced = _announced(content)
    if announced != len(content):
        expected = f"its header announces {announced}" if announced else "its header is not that of an idx file"
        raise UserError(
            f"{path} is damaged: it has {len(content)} bytes, and {expected}; delete it and fetch them again: {data_set.advice}."
        )
    found = hashlib.sha256(content).hexdigest()
    if found != data_set.digests[file]:
        raise UserError(
            f"{path} is not the published file of {data_set.title}: its content has the SHA-256 {found[:12]}…, expected "
            f"{data_set.digests[file][:12]}…; delete it and fetch them again: {data_set.advice}."
        )
    return content


def _announced(content: bytes) -> int | None:
    """How long an idx file of bytes says that it is: two zeros, 8 for unsigned bytes, the number of axes, their lengths, the values."""
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        return None
    start = 4 + 4 * content[3]
    return start + math.prod(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
