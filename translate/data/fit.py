"""How a picture of any shape becomes one of the size that networks take."""

from __future__ import annotations

from typing import Literal

import numpy as np

from translate.data import picture
from translate.data.domain import Array

#: ``squash`` resizes each side by itself; ``crop`` keeps the middle, as much as has the wanted shape; ``fit`` keeps everything and
#: continues the picture by its mirror image.
Fit = Literal["squash", "crop", "fit"]


def fitted(array: Array, size: tuple[int, int], fit: Fit = "squash") -> Array:
    """``(H, W, C)`` brought to ``size``, (height, width); the dtype stays."""
    if fit == "crop":
        return picture.resize(_middle(array, size), size)
    if fit == "fit":
        return _continued(picture.resize(array, _inside(array, size)), size)
    return picture.resize(array, size)


def _middle(array: Array, size: tuple[int, int]) -> Array:
    """The largest part in the middle that has the shape of ``size``, to a pixel.

    Cut before it is resized: the other way, a panorama would become as long as its shape says before most of it is thrown away.
    """
    part = [min(have, max(1, round(other * want / other_want))) for have, other, want, other_want in _sides(array, size)]
    top, left = ((have - keep) // 2 for have, keep in zip(array.shape, part, strict=False))
    return array[top : top + part[0], left : left + part[1]]


def _inside(array: Array, size: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the picture's own shape, to a pixel, that lies within ``size``."""
    height, width = (min(want, max(1, round(have * other_want / other))) for have, other, want, other_want in _sides(array, size))
    return height, width


def _sides(array: Array, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """For each side: its length and that of the other one, then both as wanted."""
    (height, width), (tall, wide) = array.shape[:2], size
    return [(height, width, tall, wide), (width, height, wide, tall)]


def _continued(array: Array, size: tuple[int, int]) -> Array:
    """``array`` in the middle of ``size``, continued by its mirror image on both sides.

    Bars of one colour, or streaks of the last pixels, would tell the discriminator which domain has the longer pictures, and the
    generator would learn to draw them; a mirror image looks like what the picture shows.
    """
    missing = [want - have for want, have in zip(size, array.shape, strict=False)]
    if not any(missing):
        return array
    return np.pad(array, [*((each // 2, each - each // 2) for each in missing), (0, 0)], mode="symmetric")
