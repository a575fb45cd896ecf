"""The networks with 5×5 kernels and linear layers at the small end, as the authors' own code has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from translate import Space, UserError, full_precision, option, upcast
from translate_dcgan.layers import Descending, Norm, descent, halvings, initialise


class AuthorsGenerator(nn.Module):
    """A linear layer to 4×4×1024, batch norm over each of its numbers, then transposed 5×5 convolutions; tanh; no biases.

    18,885,760 parameters for 64 px in RGB. ``(B, D)`` → ``(B, C, H, W)`` in [-1, 1].
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(128, "channels of the last hidden layer; they double on the way to z", least=1)

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        if source.is_picture:
            raise UserError(
                "Generator 'dcgan-authors' makes pictures from noise, and here it is to take pictures; use one that does."
            )
        times, small = halvings("Generator 'dcgan-authors'", target)
        width = options.channels * 2 ** (times - 1)
        wide = width * math.prod(small)
        self.project = nn.Sequential(
            nn.Linear(source.channels, wide, bias=False),
            nn.BatchNorm1d(wide),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (width, *small)),
        )
        layers: list[nn.Module] = []
        for _ in range(times - 1):
            layers += [_double(width, width // 2), nn.BatchNorm2d(width // 2), nn.ReLU(inplace=True)]
            width //= 2
        self.body = nn.Sequential(*layers)
        self.last = _double(width, target.channels)
        initialise(self)

    def forward(self, noise: Tensor) -> Tensor:
        """Pictures."""
        features = self.body(self.project(noise))
        with full_precision(features.device):
            return torch.tanh(self.last(upcast(features)))


class AuthorsDiscriminator(Descending):
    """5×5 convolutions of stride 2 and a linear layer; batch norm but in the first, LeakyReLU 0.2; no biases.

    17,232,768 parameters for 64 px in RGB. ``(B, C, H, W)`` in [-1, 1] → raw scores ``(B, 1)``.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(128, "channels of the first layer; they double with each halving", least=1)
        norm: Norm = option("batch", "normalisation: batch as published, instance, or none, as gradient penalties need")

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        times, small = halvings("Discriminator 'dcgan-authors'", space)
        self.body, width = descent(space.channels, options.channels, times, 5, options.norm)
        self.last = nn.Linear(width * math.prod(small), 1, bias=False)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores."""
        return cast(Tensor, self.last(self.features(image)[-1].flatten(1)))


def _double(before: int, after: int) -> nn.ConvTranspose2d:
    """Twice the height and the width."""
    return nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1, bias=False)
