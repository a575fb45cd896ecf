"""Structural similarity as a distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from translate import ImageLoss, Space, UserError, option, upcast

#: The paper's constants: the window's standard deviation in pixels, and what keeps both fractions finite, as shares of the range.
SIGMA = 1.5
K1, K2 = 0.01, 0.03
#: The range of pixels from black to white.
RANGE = 2.0


class SSIM(ImageLoss):
    """1 - SSIM: how far means, contrasts and structures of small windows agree (Wang et al., 2004), from 0 for equal pictures to 2.

    For every channel and every window that lies within the picture, weighted by a Gaussian:
    SSIM = (2 μ_x μ_y + C1) (2 σ_xy + C2) / ((μ_x² + μ_y² + C1) (σ_x² + σ_y² + C2)), and the mean of all. Pixels count from black, as
    the paper's do, so that the figure is that of the pictures as they are stored.

    With ``l1``, a mixture (Zhao et al., 2017): (1 - l1) · (1 - SSIM) + l1 · mean |output - target|, on pixels in [0, 1] as in the paper;
    l1 is its 1 - α, 0.16 there. The paper weights the absolute difference by the window too, which its mean hardly shows.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose; the window is the paper's."""

        window: int = option(11, "side of the window in pixels, odd; in smaller pictures, the largest that fits", least=3)
        l1: float = option(0.0, "share of the mean absolute difference in the distance", least=0, most=1)

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        self.options = self.Options() if options is None else options
        if self.options.window % 2 == 0:
            raise UserError(
                f"ssim:window is {self.options.window}; it must be odd, for a window has a pixel at its centre: "
                f"use ssim:window={self.options.window + 1}."
            )

    def check(self, space: Space) -> None:
        """Refuse points, which have no windows."""
        _ = space.size  # raises

    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """1 - SSIM, or its mixture with the mean absolute difference."""
        output, target = upcast(output), upcast(target)
        share = self.options.l1
        distance = 1 - similarity(output + RANGE / 2, target + RANGE / 2, self.options.window).mean()
        return (1 - share) * distance + share * functional.l1_loss(output / RANGE, target / RANGE) if share else distance


def similarity(x: Tensor, y: Tensor, window: int) -> Tensor:
    """SSIM of every window of two pictures ``(B, C, H, W)`` in [0, ``RANGE``]: ``(B, C, h, w)`` in [-1, 1]."""
    shortest = min(x.shape[-2:])
    weights = gaussian(min(window, shortest - 1 + shortest % 2))
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    mean_x, mean_y, squares, product = blur(torch.stack([x, y, x * x + y * y, x * y]), weights).unbind()
    variances = squares - (mean_x * mean_x + mean_y * mean_y)  # of x and of y, added
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    return luminance * (2 * covariance + c2) / (variances + c2)


def gaussian(size: int) -> list[float]:
    """The weights of a window along one side, adding up to 1."""
    weights = [math.exp(-(((place - size // 2) / SIGMA) ** 2) / 2) for place in range(size)]
    return [weight / sum(weights) for weight in weights]


def blur(images: Tensor, weights: Sequence[float]) -> Tensor:
    """Weighted means of the square windows that lie within ``images``, over the last two dimensions.

    Sums of shifted pictures, not a convolution: hardware may compute those with 10 bits, of which the difference between a mean of
    squares and a squared mean leaves nothing.
    """
    for dim in (-2, -1):
        length = images.shape[dim] - len(weights) + 1
        shifted = (weight * images.narrow(dim, start, length) for start, weight in enumerate(weights))
        images = reduce(torch.add, shifted)
    return images
