"""Judges of patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from translate import Space, option
from translate_cyclegan.layers import initialise, instance_norm, require_size


class PatchDiscriminator(nn.Module):
    """C64-C128-C256-C512 and one score for each 70×70 patch: the PatchGAN of the paper.

    2,764,737 parameters in RGB. ``(B, C, H, W)`` in [-1, 1] → raw scores ``(B, 1, h, w)``; 30×30 of them at 256 px.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer", least=1)
        layers: int = option(3, "layers of stride 2; 3 see patches of 70 px", least=1)

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        require_size("Discriminator 'patch'", space.size, 3 * 2**options.layers)
        width = options.channels
        body: list[nn.Module] = [nn.Conv2d(space.channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for level in range(1, options.layers + 1):
            wider = options.channels * min(2**level, 8)
            stride = 2 if level < options.layers else 1
            body += [nn.Conv2d(width, wider, 4, stride=stride, padding=1), instance_norm(wider), nn.LeakyReLU(0.2, inplace=True)]
            width = wider
        self.body = nn.Sequential(*body, nn.Conv2d(width, 1, 4, padding=1))
        initialise(self)

    def features(self, image: Tensor) -> list[Tensor]:
        """``(B, C', H', W')`` after each activation."""
        return _activations(self.body, image)

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores, one a patch."""
        return cast(Tensor, self.body(image))


class PixelDiscriminator(nn.Module):
    """1×1 convolutions: judges colours, one pixel at a time.

    8,705 parameters in RGB. ``(B, C, H, W)`` in [-1, 1] → raw scores ``(B, 1, H, W)``.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer", least=1)

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        require_size("Discriminator 'pixel'", space.size, 2)
        width = options.channels
        self.body = nn.Sequential(
            nn.Conv2d(space.channels, width, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 1),
            instance_norm(2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 1, 1),
        )
        initialise(self)

    def features(self, image: Tensor) -> list[Tensor]:
        """``(B, C', H, W)`` after each activation."""
        return _activations(self.body, image)

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores, one a pixel."""
        return cast(Tensor, self.body(image))


def _activations(body: nn.Sequential, image: Tensor) -> list[Tensor]:
    seen = []
    for layer in body:
        image = layer(image)
        if isinstance(layer, nn.LeakyReLU):
            seen.append(image)
    return seen
