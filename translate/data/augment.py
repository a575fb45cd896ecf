"""Changes to a training picture that keep what it shows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from translate.data.domain import Array


class Augmentation:
    """What happens to a picture of training on its way to a batch; this one leaves it as it is. Subclass it.

    ``size`` is the (height, width) of a batch's pictures. An augmentation draws nothing itself: it is given ``draws`` numbers a picture,
    which belong to the picture's position in the run, so that a resumed run sees the same ones.
    """

    #: How many draws in [0, 1) a picture takes.
    draws: ClassVar[int] = 0

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    @property
    def loading_size(self) -> tuple[int, int]:
        """The (height, width) that pictures are resized to before they come here; by default that of a batch."""
        return self.size

    def __call__(self, image: Array, draw: NDArray[np.float64]) -> Array:
        """``image``, ``(H, W, C)`` at the loading size and in the domain's dtype, as ``(height, width, C)`` of ``size``; it must not
        be written to. ``draw`` is ``(draws,)`` in [0, 1).

        ``image`` is a view of planes: where rows of pixels are wanted, ``numpy.ascontiguousarray`` makes them. A view of it may be
        returned, and is best: it is copied once, into the batch.
        """
        return image

    def fingerprint(self) -> str:
        """A digest of what its options do not say, such as a file's content; empty where they say all."""
        return ""
