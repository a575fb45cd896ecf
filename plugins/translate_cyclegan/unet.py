"""The U-Net generator of the paper's code (after Isola et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate import Space, option
from translate_cyclegan.layers import Output, initialise, instance_norm, require_size

#: As deep as the published U-Net-256, which ends in one pixel at 256 px.
DEEPEST = 8
SHALLOWEST = 5


class UNetGenerator(nn.Module):
    """4×4 convolutions of stride 2 down to the bottom and back up, each level joined to its mirror.

    54,409,603 parameters at 256 px in RGB (``downs=8``). ``(B, C, H, W)`` in [-1, 1] → ``(B, C', H, W)`` in [-1, 1], with H and W
    multiples of 2**downs.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer", least=1)
        downs: int | None = option(
            None,
            "how often the picture is halved; by default as often as the size allows, up to 8",
            least=SHALLOWEST,
            most=DEEPEST,
        )

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        require_size("Generator 'unet'", source.size, 2**SHALLOWEST)
        downs = options.downs or _deepest(source.size)
        self.stride = 2**downs
        widths = [options.channels * min(2**level, 8) for level in range(downs)]
        self.first = nn.Conv2d(source.channels, widths[0], 4, stride=2, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(above, below, 4, stride=2, padding=1) for above, below in pairwise(widths))
        # From the second level of the way up on, features of the way down are beside those that come from below.
        below = [widths[-1], *(2 * width for width in reversed(widths[1:-1]))]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(entering, leaving, 4, stride=2, padding=1)
            for entering, leaving in zip(below, reversed(widths[:-1]), strict=True)
        )
        self.norms = nn.ModuleList(instance_norm(width) for width in widths[1:-1])
        self.up_norms = nn.ModuleList(instance_norm(width) for width in reversed(widths[:-1]))
        self.output = Output(nn.ConvTranspose2d(2 * widths[0], target.channels, 4, stride=2, padding=1))
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        features: Tensor = self.first(image)
        beside = [features]
        for level, convolve in enumerate(self.down):
            features = convolve(functional.leaky_relu(features, 0.2))
            if level < len(self.norms):  # the bottom may be a single pixel, which has no statistics
                features = self.norms[level](features)
                beside.append(features)
        for convolve, norm in zip(self.up, self.up_norms, strict=True):
            features = norm(convolve(functional.relu(features)))
            features = torch.cat([beside.pop(), features], dim=1)
        result: Tensor = self.output(functional.relu(features), image)
        return result


def _deepest(size: tuple[int, int]) -> int:
    fitting = [downs for downs in range(SHALLOWEST, DEEPEST + 1) if not any(side % 2**downs for side in size)]
    return max(fitting, default=SHALLOWEST)
