"""The networks of the paper. Inside they work on pixels in [0, 1], as published; outside on [-1, 1], as all networks here do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import torch
from torch import Tensor, nn

from translate import Space, UserError, full_precision, option, upcast

Norm = Literal["batch", "instance", "none"]


def _halvings(what: str, space: Space) -> tuple[int, tuple[int, int]]:
    """How often a picture is halved to end at 4 px on its short side, and the size that is left. Raises UserError."""
    height, width = space.size
    times = 0
    while min(height, width) > 4 and height % 2 == width % 2 == 0:
        height, width, times = height // 2, width // 2, times + 1
    if min(height, width) != 4 or not times:
        raise UserError(
            f"{what} halves pictures down to 4 pixels, and {space.size[0]}x{space.size[1]} is no such size; try --size 32, 64 or 128."
        )
    return times, (height, width)


def _normalise(kind: Norm, channels: int) -> list[nn.Module]:
    if kind == "none":
        return []
    return [nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels, affine=True)]


class DiscoGenerator(nn.Module):
    """Convolutions of stride 2 down to 4×4 and transposed ones back up; batch norm, no biases, sigmoid.

    5,513,856 parameters at 64 px in RGB; 7,153,480 with the bottleneck of 100 numbers. ``(B, C, H, W)`` in [-1, 1] →
    ``(B, C', H, W)`` in [-1, 1]. Without the bottleneck H and W may be any multiples of ``stride``.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer; they double with each halving, up to eight times", least=1)
        bottleneck: int = option(
            0, "numbers that a picture is squeezed into; the paper has 100, its code 0 or 100; 0 is none", least=0
        )

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        times, small = _halvings("Generator 'discogan'", source)
        self.stride = 2**times
        self.fixed_size = options.bottleneck > 0
        widths = [options.channels * min(2**level, 8) for level in range(times)]
        layers: list[nn.Module] = [
            nn.Conv2d(source.channels, widths[0], 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
        if options.bottleneck:
            layers.append(nn.Conv2d(widths[-1], options.bottleneck, small, bias=False))
            layers += [nn.BatchNorm2d(options.bottleneck), nn.LeakyReLU(0.2, inplace=True)]
            layers.append(nn.ConvTranspose2d(options.bottleneck, widths[-1], small, bias=False))
            layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)]
        for before, after in pairwise(reversed(widths)):
            layers.append(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers)
        self.last = nn.ConvTranspose2d(widths[0], target.channels, 4, stride=2, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        features = self.body((image + 1) / 2)
        with full_precision(features.device):
            return 2 * torch.sigmoid(self.last(upcast(features))) - 1


class DiscoDiscriminator(nn.Module):
    """64-128-256-512-1, all 4×4 convolutions of stride 2 but the last; batch norm but in the first, LeakyReLU 0.2; no biases.

    2,765,568 parameters at 64 px in RGB. ``(B, C, H, W)`` in [-1, 1] → raw scores ``(B, 1)``.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer; they double with each halving, up to eight times", least=1)
        norm: Norm = option("batch", "normalisation: batch as published, instance, or none, as gradient penalties need")

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        times, small = _halvings("Discriminator 'discogan'", space)
        widths = [options.channels * min(2**level, 8) for level in range(times)]
        first = nn.Conv2d(space.channels, widths[0], 4, stride=2, padding=1, bias=False)
        self.body = nn.ModuleList([nn.Sequential(first, nn.LeakyReLU(0.2, inplace=True))])
        for before, after in pairwise(widths):
            convolution = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
            self.body.append(nn.Sequential(convolution, *_normalise(options.norm, after), nn.LeakyReLU(0.2, inplace=True)))
        self.last = nn.Conv2d(widths[-1], 1, small, bias=False)

    def features(self, image: Tensor) -> list[Tensor]:
        """What is matched: the activations of all layers but the first; at 64 px 128×16², 256×8² and 512×4²."""
        features = (image + 1) / 2
        seen = []
        for layer in self.body:
            features = layer(features)
            seen.append(features)
        return seen[1:] or seen

    def score(self, features: list[Tensor]) -> Tensor:
        """Raw scores from what ``features`` gave."""
        return cast(Tensor, self.last(features[-1]).flatten(1))

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores."""
        return self.score(self.features(image))
