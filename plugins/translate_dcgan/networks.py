"""The networks with 4×4 kernels, as PyTorch's own example has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from translate import Space, UserError, full_precision, option, upcast
from translate_dcgan.layers import Descending, Norm, descent, halvings, initialise


class DCGenerator(nn.Module):
    """Transposed convolutions from z to 4×4, and on by doubling; batch norm and ReLU between them, tanh at the end; no biases.

    3,576,704 parameters for 64 px in RGB, 3,574,656 in grey. ``(B, D)`` → ``(B, C, H, W)`` in [-1, 1].
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the last hidden layer (ngf); they double on the way to z", least=1)

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        if source.is_picture:
            raise UserError("Generator 'dcgan' makes pictures from noise, and here it is to take pictures; use one that does.")
        times, small = halvings("Generator 'dcgan'", target)
        width = options.channels * 2 ** (times - 1)
        layers: list[nn.Module] = [nn.ConvTranspose2d(source.channels, width, small, bias=False)]
        for _ in range(times - 1):
            layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            layers.append(nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False))
            width //= 2
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.last = nn.ConvTranspose2d(width, target.channels, 4, stride=2, padding=1, bias=False)
        initialise(self)

    def forward(self, noise: Tensor) -> Tensor:
        """Pictures."""
        features = self.body(noise[:, :, None, None])
        with full_precision(features.device):
            return torch.tanh(self.last(upcast(features)))


class DCDiscriminator(Descending):
    """Convolutions of stride 2 down to 4×4, and one over all that is left; batch norm but in the first, LeakyReLU 0.2; no biases.

    2,765,568 parameters for 64 px in RGB, 2,763,520 in grey. ``(B, C, H, W)`` in [-1, 1] → raw scores ``(B, 1)``.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer (ndf); they double with each halving", least=1)
        norm: Norm = option("batch", "normalisation: batch as published, instance, or none, as gradient penalties need")

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        times, small = halvings("Discriminator 'dcgan'", space)
        self.body, width = descent(space.channels, options.channels, times, 4, options.norm)
        self.last = nn.Conv2d(width, 1, small, bias=False)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores."""
        return cast(Tensor, self.last(self.features(image)[-1]).flatten(1))
