"""Pictures that are the same, or nearly: one file twice, or one picture saved anew, resized, mirrored, or a little brighter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Two pictures are nearly the same where their hashes differ in so many of 64 bits at most, and their thumbnails by so much on average,
#: on the scale of 0 to 255 and as a share of their contrast. Thumbnails tell apart what only has the same broad shapes.
NEAR_BITS = 10
NEAR_LEVELS = 8.0
NEAR_CONTRAST = 0.25
#: Pictures with a shorter side, in pixels, hold too little for that: most ones of MNIST would pass for the same.
LEAST_SIDE = 48
#: Sides of the picture that is hashed, in pixels, and of the thumbnail that is kept.
HASHED, KEPT = 32, 16

#: The eight slowest cosines over the side of what is hashed, as rows.
_COSINES = np.cos(np.pi * np.outer(np.arange(8), np.arange(HASHED) + 0.5) / HASHED).astype(np.float32)
#: How the cosines look in a mirror: those that are odd around the middle change their signs.
_MIRROR = np.resize(np.array([1, -1], np.float32), 8)


@dataclass(frozen=True)
class Sketch:
    """What is kept of a picture to find its like: 64 bits, those of its mirror image, and a thumbnail, (KEPT, KEPT, 3) of uint8."""

    bits: int
    mirrored: int
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True)
class Group:
    """Pictures that are alike, by their numbers in rising order. ``exact`` says that they are the very same bytes."""

    members: tuple[int, ...]
    exact: bool


def sketch(array: NDArray[np.uint8]) -> Sketch | None:
    """The sketch of ``(H, W, C)``: of its first three channels, or of the first where there are fewer. None where it is too small."""
    if min(array.shape[:2]) < LEAST_SIDE:
        return None
    shown = array[..., :3] if array.shape[2] >= 3 else array[..., 0]
    small = Image.fromarray(shown).resize((HASHED, HASHED), Image.Resampling.BOX).convert("RGB")
    waves = _COSINES @ np.asarray(small.convert("L"), np.float32) @ _COSINES.T
    # Rounded, so that what ought to be zero, as in a picture of one colour, is no noise.
    waves = waves.round(1)
    return Sketch(_bits(waves), _bits(waves * _MIRROR), np.asarray(small.reduce(HASHED // KEPT)))


def _bits(waves: NDArray[np.float32]) -> int:
    return int(np.packbits(waves > np.median(waves)).view(">u8")[0])


def alike(digests: Sequence[bytes], sketches: Sequence[Sketch | None]) -> list[Group]:
    """The groups of pictures with equal ``digests`` or with sketches that are nearly the same, in the order of their first members.

    Every two pictures are compared, a row at a time; two that are not alike are in one group where others between them are.
    """
    first: dict[bytes, int] = {}
    # Each picture's group, by the number of its first member.
    labels = np.array([first.setdefault(digest, number) for number, digest in enumerate(digests)], dtype=np.int64)
    drawn = {number: each for number in first.values() if (each := sketches[number]) is not None}
    once = np.fromiter(drawn, dtype=np.int64)
    bits = np.array([each.bits for each in drawn.values()], dtype=np.uint64)
    thumbnails = np.array([each.thumbnail for each in drawn.values()], dtype=np.uint8).reshape(len(once), KEPT, KEPT, 3)
    for row, each in enumerate(drawn.values()):
        for hashed, thumbnail in ((each.bits, each.thumbnail), (each.mirrored, each.thumbnail[:, ::-1])):
            near = row + 1 + np.flatnonzero(np.bitwise_count(bits[row + 1 :] ^ np.uint64(hashed)) <= NEAR_BITS)
            # Those that are in its group already would be compared in vain: many blank pictures, say.
            near = near[labels[once[near]] != labels[once[row]]]
            near = near[_close(thumbnails[near], thumbnail)]
            if len(near):
                joined = np.unique(labels[once[np.append(near, row)]])
                labels[np.isin(labels, joined)] = joined[0]
    return [_group(numbers, digests) for numbers in _by_label(labels)]


def _close(others: NDArray[np.uint8], one: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of ``others``, (N, KEPT, KEPT, 3), are as good as the same thumbnail as ``one``."""
    off = np.abs(others.astype(np.int16) - one).mean(axis=(1, 2, 3))
    close: NDArray[np.bool_] = off <= min(NEAR_LEVELS, NEAR_CONTRAST * float(one.std()))
    return close


def _by_label(labels: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The numbers that share a label with others."""
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [numbers for numbers in groups if len(numbers) > 1]


def _group(numbers: NDArray[np.int64], digests: Sequence[bytes]) -> Group:
    members = tuple(int(number) for number in numbers)
    return Group(members, exact=len({digests[number] for number in members}) == 1)
