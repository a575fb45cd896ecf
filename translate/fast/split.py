"""A large convolution to few channels as a tall one to many and sums along the rows."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

#: Convolutions of at least this side and to at most so many channels are worth it: a CPU computes 16 channels at a time.
LEAST_SIDE, MOST_CHANNELS = 5, 4


class SplitConv2d(nn.Conv2d):
    """A k×k convolution to C channels as a k×1 one to k·C, whose columns are then shifted and added up: the last layer of a translator."""

    @staticmethod
    def fits(module: Any) -> bool:
        """Square kernels that move pixel by pixel over what was padded before."""
        side = module.kernel_size[0]
        return (
            module.kernel_size == (side, side)
            and side >= LEAST_SIDE
            and module.out_channels <= MOST_CHANNELS
            and module.in_channels > MOST_CHANNELS
            and (module.stride, module.dilation, module.padding, module.groups) == ((1, 1), (1, 1), (0, 0), 1)
        )

    def forward(self, input: Tensor) -> Tensor:
        """``(B, C, H, W)`` → ``(B, C', H - k + 1, W - k + 1)``."""
        if input.dim() != 4 or input.shape[3] < self.kernel_size[1]:
            return super().forward(input)
        many, channels, side, _ = self.weight.shape
        tall = self.weight.permute(0, 3, 1, 2).reshape(many * side, channels, side, 1)
        columns = functional.conv2d(input, tall)
        columns = columns.reshape(len(input), many, side, *columns.shape[2:])
        width = input.shape[3] - side + 1
        result = columns[:, :, 0, :, :width]
        for shift in range(1, side):
            result = result + columns[:, :, shift, :, shift : shift + width]
        return result if self.bias is None else result + self.bias[:, None, None]
