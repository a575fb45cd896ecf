"""The published networks: a generator that labels get through, and a judge with two heads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from translate import Space, UserError, full_precision, option, upcast


def _normalised(convolution: nn.Module, channels: int) -> list[nn.Module]:
    # Without running statistics, which the authors keep: a picture then looks the same in training and in use.
    return [convolution, nn.InstanceNorm2d(channels, affine=True), nn.ReLU(inplace=True)]


class Residual(nn.Module):
    """Two 3×3 convolutions, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first = _normalised(nn.Conv2d(channels, channels, 3, padding=1, bias=False), channels)
        second = _normalised(nn.Conv2d(channels, channels, 3, padding=1, bias=False), channels)
        self.body = nn.Sequential(*first, *second[:-1])

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same shape."""
        return features + self.body(features)


class StarGenerator(nn.Module):
    """Down twice, residual blocks, up twice, with zeros around every picture. ``(B, C, H, W)`` → ``(B, C', H, W)`` in [-1, 1].

    The zeros matter where a channel is constant, as a label is. Normalisation takes away whatever is added to a picture as a whole, so that
    with reflected borders a label would leave no trace.
    """

    stride = 4

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        channels: int = option(64, "channels of the first layer", least=1)
        blocks: int = option(6, "residual blocks", least=0)

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        if min(source.size) < 8:
            height, width = source.size
            raise UserError(
                f"Generator 'stargan' takes pictures of at least 8 pixels a side, not {height}x{width}; raise --size."
            )
        width = options.channels
        body = _normalised(nn.Conv2d(source.channels, width, 7, padding=3, bias=False), width)
        for _ in range(2):
            body += _normalised(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False), 2 * width)
            width *= 2
        body += [Residual(width) for _ in range(options.blocks)]
        for _ in range(2):
            body += _normalised(nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False), width // 2)
            width //= 2
        self.body = nn.Sequential(*body)
        self.last = nn.Conv2d(width, target.channels, 7, padding=3, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        features = self.body(image)
        # Half precision would leave few of its 8 bits to pixels near ±1.
        with full_precision(image.device):
            return torch.tanh(self.last(upcast(features)))


class TwoHeads(nn.Module):
    """A judge that sees whether a picture is real, patch by patch, and which of ``domains`` it is of."""

    def __init__(self, space: Space, domains: int, channels: int, layers: int) -> None:
        super().__init__()
        height, width = (side >> layers for side in space.size)
        if not (height and width):
            raise UserError(
                f"The judge halves pictures {layers} times, and {space.size[0]}x{space.size[1]} is too small for that; raise --size, or "
                f"lower --judge-layers."
            )
        body: list[nn.Module] = []
        before = space.channels
        for level in range(layers):
            after = channels * 2**level
            body += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.01, inplace=True)]
            before = after
        self.body = nn.Sequential(*body)
        self.real = nn.Conv2d(before, 1, 3, padding=1, bias=False)
        self.domain = nn.Conv2d(before, domains, (height, width), bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores ``(B, 1, h, w)``: the judge as games see it."""
        return self.real(self.body(image))

    def classify(self, image: Tensor) -> Tensor:
        """Raw scores of each domain, ``(B, domains)``."""
        return self.domain(self.body(image)).flatten(1)
