"""Every picture of a domain, really decoded, and what is kept of it: small statistics, never the pixels."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from translate.data import picture
from translate.data.domain import WINDOWS, Domain
from translate.data.duplicates import KEPT, Sketch, sketch
from translate.data.folder import PictureFiles
from translate.data.index import FolderIndex
from translate.errors import UserError

#: Pictures of more pixels are decoded one at a time: several of the largest would not fit into memory together.
LARGE = 1 << 25
#: The levels by which the channels of a picture without colour may differ, where it is reduced to so many pixels a side.
COLOURLESS, COLOURLESS_SIDE = 2, 32

_THREADS = max(2, min(8, os.cpu_count() or 1))


@dataclass(frozen=True)
class Look:
    """What is kept of a picture: ``number`` is its place in the domain, ``name`` what the report calls it.

    ``height`` and ``width`` are pixels, upright. ``channels`` and ``dtype`` are those of the file, ``format`` is empty where there is
    none. ``digest`` is the SHA-256 of the file, or of the pixels. ``colourless`` says that its colours are all greys, ``flat`` that it has
    only one; ``brightness`` is its mean from 0 to 255.
    """

    number: int
    name: str
    height: int
    width: int
    format: str
    channels: int
    dtype: str
    digest: bytes
    sketch: Sketch | None
    colourless: bool
    flat: bool
    brightness: float


@dataclass(frozen=True)
class Failure:
    """A file that is not read, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Portion:
    """One split of a domain, looked at. ``histogram`` is ``(C, 256)``: how many values there are of each level, 0 black, 255 white."""

    domain: Domain
    split: str
    looks: tuple[Look, ...]
    #: Those that cannot be decoded, for which others stand in, and the files beside them that are left out from the start.
    damaged: tuple[Failure, ...]
    left_out: tuple[Failure, ...]
    histogram: NDArray[np.int64]

    @property
    def name(self) -> str:
        """The domain's name."""
        return self.domain.name

    def sizes(self) -> dict[str, str]:
        """``smallest``, ``median`` and ``largest`` picture by its pixels, each as ``WIDTHxHEIGHT``."""
        ordered = sorted(self.looks, key=lambda look: (look.height * look.width, look.number))
        chosen = {"smallest": ordered[0], "median": ordered[len(ordered) // 2], "largest": ordered[-1]}
        return {which: f"{look.width}x{look.height}" for which, look in chosen.items()}

    def tally(self, what: str) -> dict[str, int]:
        """How many pictures there are of each ``format``, ``channels`` or ``dtype``, the most frequent first."""
        return {str(value): count for value, count in Counter(getattr(look, what) for look in self.looks).most_common()}

    def mean(self) -> NDArray[np.float64]:
        """The mean of each channel, 0 to 255."""
        return self._moment(1)

    def std(self) -> NDArray[np.float64]:
        """The standard deviation of each channel, over all its values."""
        return np.sqrt(np.maximum(self._moment(2) - self._moment(1) ** 2, 0))

    def _moment(self, power: int) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = self.histogram @ np.arange(256.0) ** power
        moments: NDArray[np.float64] = sums / np.maximum(self.histogram.sum(axis=1), 1)
        return moments


def look_through(domain: Domain, split: str, root: Path | None, progress: Callable[[], None]) -> Portion:
    """Decode every picture of ``domain`` and call ``progress`` after each.

    Points are counted, no more: their portion has no looks.
    """
    looks: list[Look] = []
    damaged: list[Failure] = []
    histogram = np.zeros((domain.channels, 256), np.int64)
    looker = _Looker(domain, root)
    count = len(domain) if domain.is_picture else 0
    # Thumbnails left lying where threads made them, between pictures that come and go, would keep ten times their memory from being reused.
    thumbnails = np.empty((count, KEPT, KEPT, 3), np.uint8)
    for seen in _in_threads(looker, count):
        progress()
        if isinstance(seen, Failure):
            damaged.append(seen)
            continue
        look, counts = seen
        histogram += counts
        if look.sketch is not None:
            thumbnails[look.number] = look.sketch.thumbnail
            look = replace(look, sketch=replace(look.sketch, thumbnail=thumbnails[look.number]))
        looks.append(look)
    left_out = tuple(looker.left_out())
    looker.save()
    return Portion(domain, split, tuple(looks), tuple(damaged), left_out, histogram)


def eight_bits(domain: Domain, number: int) -> NDArray[np.uint8]:
    """The picture as 8 bits, ``(H, W, C)`` with the domain's channels. Raises UserError where it cannot be read."""
    if not isinstance(domain, PictureFiles):
        return picture.to_eight_bits(domain.read(number), domain.window)
    path = domain.paths[number]
    facts = picture.probe(path)
    if facts is None:
        raise UserError(f"{path} is no picture any more.")
    array = picture.read(path, domain.channels, facts.dtype)
    if facts.dtype == domain.dtype:
        window = domain.window
    elif facts.dtype == "uint8":
        window = WINDOWS["uint8"]
    else:
        window = picture.window_of(facts.dtype, float(array.min()), float(array.max()))
    return picture.to_eight_bits(array, window)


def below(path: Path, root: Path | None) -> str:
    """The path from ``root`` to the file, with slashes, fit to be shown; the whole path where it lies elsewhere."""
    shown = path.relative_to(root) if root is not None and path.is_relative_to(root) else path
    # Names of files need not be text on every system.
    return os.fsencode(shown.as_posix()).decode("utf-8", "replace")


Seen = tuple[Look, NDArray[np.int64]] | Failure


class _Looker:
    """Looks at the pictures of a domain; called from several threads at once."""

    def __init__(self, domain: Domain, root: Path | None) -> None:
        self.domain, self.root = domain, root
        self.files = domain if isinstance(domain, PictureFiles) else None
        self.index = FolderIndex(self.files.folder) if self.files else None
        self._alone = Lock()

    def __call__(self, number: int) -> Seen:
        """The picture of that number, and its histogram, ``(C, 256)``."""
        path = self.files.paths[number] if self.files else None
        name = below(path, self.root) if path else f"{self.domain.name}: {self.domain.label(number)}"
        facts = self.index.facts(path) if self.index and path else None
        try:
            with self._alone if facts and facts.width * facts.height > LARGE else nullcontext():
                shown = eight_bits(self.domain, number)
                drawn = sketch(shown)
                counts = _histogram(shown)
            digest = self.index.digest(path) if self.index and path else hashlib.sha256(shown.tobytes()).hexdigest()
        except (UserError, OSError) as error:
            return Failure(name, _reason(error, path))
        channels, dtype = (facts.channels, facts.dtype) if facts else (self.domain.channels, self.domain.dtype)
        height, width = shown.shape[:2]
        brightness = float((counts @ np.arange(256)).sum() / shown.size)
        look = Look(
            number,
            name,
            height,
            width,
            facts.format if facts else "",
            channels,
            dtype,
            bytes.fromhex(digest),
            drawn,
            channels == 1 or _is_colourless(shown),
            int(counts.max(axis=1).min()) == height * width,
            brightness,
        )
        return look, counts

    def left_out(self) -> Iterator[Failure]:
        """The files of the domain that are no pictures or too large, and why."""
        for path in self.files.left_out if self.files else ():
            try:
                picture.extremes(path)
            except UserError as error:
                yield Failure(below(path, self.root), _reason(error, path))

    def save(self) -> None:
        """Keep what was found out of the files: a run that follows need not."""
        if self.index:
            self.index.save()


def _in_threads(look: Callable[[int], Seen], count: int) -> Iterator[Seen]:
    """``look`` of each number below ``count``, in their order; only a few are done ahead of the one that is asked for."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting = iter(range(count))
        ahead = deque(pool.submit(look, number) for number in islice(waiting, 4 * _THREADS))
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(look, number) for number in islice(waiting, 1))


def _histogram(shown: NDArray[np.uint8]) -> NDArray[np.int64]:
    channels = shown.shape[2]
    if channels in (1, 3):
        return np.array(Image.fromarray(shown[..., 0] if channels == 1 else shown).histogram(), np.int64).reshape(channels, 256)
    return np.stack([np.bincount(shown[..., channel].ravel(), minlength=256) for channel in range(channels)])


def _is_colourless(shown: NDArray[np.uint8]) -> bool:
    if shown.shape[2] != 3:
        return False
    small = np.asarray(Image.fromarray(shown).resize((COLOURLESS_SIDE, COLOURLESS_SIDE), Image.Resampling.BOX), np.int16)
    return bool(np.ptp(small, axis=2).max() <= COLOURLESS)


def _reason(error: Exception, path: Path | None) -> str:
    return str(error).removeprefix(f"{path} ").removesuffix(".")
