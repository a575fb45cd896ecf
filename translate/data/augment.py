"""Changes to a training picture that keep what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from translate.data.domain import Array

AugmentationName = Literal["paper", "flip", "none"]

#: The paper loads 286 pixels for a crop of 256.
PAPER_MARGIN = 286 / 256


@dataclass(frozen=True)
class Augmentation:
    """A random crop to ``size`` and a horizontal flip with probability ½, each where it is on.

    ``paper`` resizes pictures to 286/256 of the training size, crops and flips, as CycleGAN's authors do; ``flip`` only flips.
    """

    name: AugmentationName
    size: tuple[int, int]

    #: How many draws in [0, 1) a picture takes.
    draws = 3

    @property
    def loading_size(self) -> tuple[int, int]:
        """The (height, width) that pictures are resized to before they come here."""
        if self.name != "paper":
            return self.size
        return round(self.size[0] * PAPER_MARGIN), round(self.size[1] * PAPER_MARGIN)

    def __call__(self, image: Array, draw: NDArray[np.float64]) -> Array:
        """``image``, ``(H, W, C)`` at the loading size, cropped and flipped as ``draw``, ``(3,)`` in [0, 1), says."""
        height, width = self.size
        top = int(draw[0] * (image.shape[0] - height + 1))
        left = int(draw[1] * (image.shape[1] - width + 1))
        image = image[top : top + height, left : left + width]
        return image[:, ::-1] if self.name != "none" and draw[2] < 0.5 else image
