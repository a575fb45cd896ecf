"""OpenCV on pictures of any number of channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: OpenCV's functions on pictures take up to so many channels.
AT_ONCE = 4


def by_channels(function: Callable[[Array], Array], image: Array) -> Array:
    """``function`` of OpenCV's, which leaves out the channel axis where there is one channel, on ``image``, ``(H, W, C)``."""
    pieces = [function(image[..., first : first + AT_ONCE]) for first in range(0, image.shape[2], AT_ONCE)]
    pieces = [piece[..., None] if piece.ndim == 2 else piece for piece in pieces]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=2)
