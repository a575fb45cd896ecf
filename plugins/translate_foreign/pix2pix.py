"""The U-Net of pix2pix (Isola et al., 2017), with the batch norm that its published weights were trained with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate import Space, UserError, full_precision, option, upcast


class BatchUNet(nn.Module):
    """4×4 convolutions of stride 2 down and back up, each level joined to its mirror, batch norm between them.

    54,413,955 parameters at 256 px in RGB (``downs=8``). ``(B, C, H, W)`` in [-1, 1] → ``(B, C', H, W)`` in [-1, 1], with H and W multiples
    of 2**downs. It has no dropout, which pix2pix also uses as its noise: the same picture always gives the same.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer", least=1)
        downs: int = option(5, "how often the picture is halved; published are 8 for 256 px and 7 for 128", least=5, most=8)

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        self.stride = 2**options.downs
        if min(source.size) < self.stride:
            height, width = source.size
            raise UserError(
                f"Generator 'unet-batch' takes pictures of at least {self.stride} pixels a side, not {height}x{width}; raise --size."
            )
        widths = [options.channels * min(2**level, 8) for level in range(options.downs)]
        self.first = nn.Conv2d(source.channels, widths[0], 4, stride=2, padding=1, bias=False)
        self.down = nn.ModuleList(
            nn.Conv2d(above, below, 4, stride=2, padding=1, bias=False) for above, below in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:-1])
        entering = [widths[-1], *(2 * width for width in reversed(widths[1:-1]))]
        leaving = widths[-2::-1]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
            for before, after in zip(entering, leaving, strict=True)
        )
        self.up_norms = nn.ModuleList(nn.BatchNorm2d(width) for width in leaving)
        self.output = nn.ModuleDict({"layer": nn.ConvTranspose2d(2 * widths[0], target.channels, 4, stride=2, padding=1)})
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(self.output["layer"].bias)  # type: ignore[arg-type]  # torch does not say which module a dictionary holds

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        features: Tensor = self.first(image)
        beside = [features]
        for level, convolve in enumerate(self.down):
            features = convolve(functional.leaky_relu(features, 0.2))
            if level < len(self.norms):
                features = self.norms[level](features)
                beside.append(features)
        for convolve, norm in zip(self.up, self.up_norms, strict=True):
            features = torch.cat([beside.pop(), norm(convolve(functional.relu(features)))], dim=1)
        with full_precision(features.device):
            return torch.tanh(self.output["layer"](functional.relu(upcast(features))))
