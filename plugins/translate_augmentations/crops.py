"""Random crops and flips, and none of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from translate import Augmentation

#: The paper loads 286 pixels for a crop of 256.
MARGIN = 286 / 256

Array = NDArray[Any]


class AsItIs(Augmentation):
    """No change: pictures as they are, at the training size."""


class Flip(Augmentation):
    """A horizontal flip with probability ½."""

    draws: ClassVar[int] = 1

    def __call__(self, image: Array, draw: NDArray[np.float64]) -> Array:
        """``image``, or its mirror image."""
        return image[:, ::-1] if draw[-1] < 0.5 else image


class Paper(Flip):
    """Resize to 286/256 of the training size, crop at random and flip, as CycleGAN's authors do."""

    draws: ClassVar[int] = 3

    @property
    def loading_size(self) -> tuple[int, int]:
        """286/256 of the training size, each side rounded."""
        return round(self.size[0] * MARGIN), round(self.size[1] * MARGIN)

    def __call__(self, image: Array, draw: NDArray[np.float64]) -> Array:
        """A part of ``image`` from ``draw[0]`` of the way down and ``draw[1]`` of the way across, flipped where ``draw[2]`` says so."""
        height, width = self.size
        top = int(draw[0] * (image.shape[0] - height + 1))
        left = int(draw[1] * (image.shape[1] - width + 1))
        return super().__call__(image[top : top + height, left : left + width], draw)
