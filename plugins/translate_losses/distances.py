"""Distances between what a network gave and what it should have given."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from translate import ImageLoss


class L1(ImageLoss):
    """The mean absolute difference."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean of |output - target|."""
        return functional.l1_loss(output, target)
