"""Changes for domains of few pictures: stronger than crops, and without colour unless asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from translate import Augmentation, option
from translate_augmentations.channels import by_channels

Array = NDArray[Any]

#: Pictures are loaded so many times as large as a batch's.
LOADED = 1.25
#: The part of a loaded picture that is shown has at least this share of its sides.
SMALLEST = 0.8
#: Turned by up to so many radians, either way: 10 degrees.
TURN = math.radians(10)
#: A vertical line leans by up to so much, either way.
LEAN = 0.1


class Small(Augmentation):
    """A part of 0.8 to 1 of the sides, at a random place, flipped with probability ½, turned by up to 10° and sheared by up to 0.1.

    What lies beyond the edges is mirrored in them. It is meant for domains of under some 500 pictures. With ``colour``, brightness,
    contrast and hue vary as well.
    """

    draws: ClassVar[int] = 9

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        colour: float = option(
            0.0,
            "how much brightness, contrast and hue vary, such as 0.3; 0 leaves them, for colour is often what tells domains apart",
            least=0,
            most=1,
        )

    def __init__(self, size: tuple[int, int], options: Options | None = None) -> None:
        super().__init__(size)
        self.options = self.Options() if options is None else options

    @property
    def loading_size(self) -> tuple[int, int]:
        """1.25 of the training size, each side rounded."""
        return round(self.size[0] * LOADED), round(self.size[1] * LOADED)

    def __call__(self, image: Array, draw: NDArray[np.float64]) -> Array:
        """``image``, seen through a map of ``draw[:6]``, its colours changed by ``draw[6:]``."""
        import cv2

        height, width = self.size
        matrix = placed(draw[:6], self.size, (image.shape[0], image.shape[1]))
        seen = by_channels(
            lambda piece: cv2.warpAffine(
                piece,
                matrix,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT_101,
            ),
            image,
        )
        return coloured(seen, 2 * draw[6:] - 1, self.options.colour) if self.options.colour else seen


def placed(draw: NDArray[np.float64], size: tuple[int, int], loaded: tuple[int, int]) -> NDArray[np.float64]:
    """``(2, 3)``: from a pixel (x, y, 1) of a picture of ``size`` to the place (x, y) in one of size ``loaded`` that it shows.

    ``draw`` is (flip, share, down, across, turn, lean), each in [0, 1). Pixels are counted from the centre of the first.
    """
    flip, share, down, across, turn, lean = draw
    share = SMALLEST + (1 - SMALLEST) * share
    angle, lean = TURN * (2 * turn - 1), LEAN * (2 * lean - 1)
    cos, sin = math.cos(angle), math.sin(angle)
    zoom = np.array([loaded[1] / size[1], loaded[0] / size[0]]) * share
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, lean], [0, 1]]) @ np.diag(zoom * [-1 if flip < 0.5 else 1, 1])
    centre = (np.array(size[::-1]) - 1) / 2
    # The part keeps within the picture, but for what the turn and the lean take out of it.
    seen = (np.array(loaded[::-1]) - 1) / 2 + (np.array([across, down]) - 0.5) * (1 - share) * loaded[::-1]
    return np.column_stack([linear, seen - linear @ centre])


def coloured(image: Array, change: NDArray[np.float64], strength: float) -> Array:
    """``image``, ``(H, W, C)``, brighter, of more contrast and, where C is 3, of other hues, by ``change``: three numbers in [-1, 1].

    At strength 1, by up to one standard deviation of the picture's values, by up to twice and down to no contrast, and by up to half a
    radian around the grey axis. Which values are black and white is not known here, so none leaves the range that the picture has.
    """
    brightness, contrast, hue = (float(each) for each in strength * change)  # plain floats leave float32 as it is
    values = image.astype(np.float32)
    mean = float(values.mean())
    values = mean + brightness * float(values.std()) + (1 + contrast) * (values - mean)
    if image.shape[2] == 3:
        values = values @ turned_hue(hue / 2).T.astype(np.float32)
    values = values.clip(image.min(), image.max())
    result: Array = (values if image.dtype.kind == "f" else np.rint(values)).astype(image.dtype)
    return result


def turned_hue(angle: float) -> NDArray[np.float64]:
    """``(3, 3)``: the rotation of red, green and blue around the axis of greys by ``angle`` radians."""
    same = (1 - math.cos(angle)) / 3
    ahead, behind = same + math.sin(angle) / math.sqrt(3), same - math.sin(angle) / math.sqrt(3)
    own = math.cos(angle) + same
    return np.array([[own, behind, ahead], [ahead, own, behind], [behind, ahead, own]])
