"""A generator of two levels that trades pixels for channels: folded down, unfolded up, nothing thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from translate import Space, UserError, full_precision, hookimpl, option, upcast


def layer(before: int, after: int) -> nn.Sequential:
    """A 3×3 convolution, normalised for each picture by itself, and its activation."""
    convolution = nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect")
    return nn.Sequential(convolution, nn.InstanceNorm2d(after, affine=True), nn.GELU())


class ShuffleGenerator(nn.Module):
    """Two levels of a U, at half and at a quarter of the size.

    ``(B, C, H, W)`` → ``(B, C', H, W)``, both in [-1, 1], with H and W multiples of 4.
    """

    stride = 4

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(32, "channels at half the size; twice as many at a quarter", least=1)
        blocks: int = option(2, "residual blocks at a quarter of the size", least=0)

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        # Reflection needs a neighbour, and a single pixel has no statistics.
        if min(source.size) < 8:
            height, width = source.size
            raise UserError(
                f"Generator 'shuffle' takes pictures of at least 8 pixels a side, not {height}x{width}; raise --size."
            )
        width = options.channels
        self.upper = layer(4 * source.channels, width)
        self.lower = layer(4 * width, 2 * width)
        self.blocks = nn.ModuleList(layer(2 * width, 2 * width) for _ in range(options.blocks))
        self.rise = layer(2 * width, 4 * width)
        self.join = layer(2 * width, width)
        self.last = nn.Conv2d(width, 4 * target.channels, 3, padding=1, padding_mode="reflect")

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        half = self.upper(pixel_unshuffle(image, 2))
        quarter = self.lower(pixel_unshuffle(half, 2))
        for block in self.blocks:
            quarter = quarter + block(quarter)
        risen = pixel_shuffle(self.rise(quarter), 2)
        joined = self.join(torch.cat([half, risen], dim=1))
        # Half precision would leave few of its 8 bits to pixels near ±1.
        with full_precision(image.device):
            return torch.tanh(pixel_shuffle(self.last(upcast(joined)), 2))


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the network."""
    register("shuffle", ShuffleGenerator)
