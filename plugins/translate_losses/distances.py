"""Distances between what a network gave and what it should have given, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from translate import ImageLoss, option, upcast


class PixelDistance(ImageLoss):
    """A mean over pixels of a function of their difference."""

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        unit: bool = option(False, "measure on pixels in [0, 1] instead of [-1, 1]: differences are halved")

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        self.options = self.Options() if options is None else options

    def scaled(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Both in at least float32, in the units in which they are compared."""
        output, target = upcast(output), upcast(target)
        return (output / 2, target / 2) if self.options.unit else (output, target)


class L1(PixelDistance):
    """The mean absolute difference."""

    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """Mean of |output - target|."""
        return functional.l1_loss(*self.scaled(output, target))


class MSE(PixelDistance):
    """The mean squared difference; with ``unit``, a quarter of it: what methods have that keep pixels in [0, 1], such as DiscoGAN."""

    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """Mean of (output - target)²."""
        return functional.mse_loss(*self.scaled(output, target))


class Huber(PixelDistance):
    """d²/2 where the difference d is at most δ, δ·(|d| - δ/2) beyond (Huber, 1964): noise counts as in MSE, outliers as in L1.

    The slope is never steeper than δ. At the default of 1, half of the range, it is at most L1's, so that a weight meant for L1 is not
    too large here; a smaller δ comes nearer to δ times L1.
    """

    @dataclass(frozen=True)
    class Options(PixelDistance.Options):
        """What a user may choose."""

        delta: float = option(1.0, "difference from which on the distance is a straight line", least=0.001)

    options: Options

    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """Mean of the function above."""
        return functional.huber_loss(*self.scaled(output, target), delta=self.options.delta)
