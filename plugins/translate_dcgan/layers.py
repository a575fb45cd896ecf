"""What both forms of the networks have in common."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from translate import Space, UserError

Norm = Literal["batch", "instance", "none"]


def normalise(kind: Norm, channels: int) -> list[nn.Module]:
    """The normalisation of a layer, as a list of one, or none."""
    if kind == "none":
        return []
    return [nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels, affine=True)]


def halvings(what: str, space: Space) -> tuple[int, tuple[int, int]]:
    """How often a picture is halved, and the size that is left, 4 to 7 on its short side. Raises UserError where there is no such size.

    64 px are halved four times, to 4×4, and 28 px twice, to 7×7.
    """
    height, width = space.size
    times = 0
    while min(height, width) > 7 and height % 2 == width % 2 == 0:
        height, width, times = height // 2, width // 2, times + 1
    if not (4 <= min(height, width) <= 7 and times):
        raise UserError(
            f"{what} goes between pictures and 4 to 7 pixels a side by factors of 2, and {space.size[0]}x{space.size[1]} is no such size; "
            f"try --size 28, 32, 64 or 128."
        )
    return times, (height, width)


def descent(channels: int, width: int, times: int, kernel: int, norm: Norm) -> tuple[nn.ModuleList, int]:
    """``times`` convolutions that halve the picture, each wider than the last, with LeakyReLU 0.2 and, but for the first, a norm; and the
    width that they end in."""
    layers = nn.ModuleList()
    for level in range(times):
        convolution = nn.Conv2d(channels, width * 2**level, kernel, stride=2, padding=(kernel - 1) // 2, bias=False)
        channels = width * 2**level
        layers.append(nn.Sequential(convolution, *(normalise(norm, channels) if level else ()), nn.LeakyReLU(0.2, inplace=True)))
    return layers, channels


class Descending(nn.Module):
    """A judge whose ``body`` is a descent."""

    body: nn.ModuleList

    def features(self, image: Tensor) -> list[Tensor]:
        """``(B, C', H', W')`` after each activation."""
        seen = []
        for layer in self.body:
            image = layer(image)
            seen.append(image)
        return seen


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), scales of norms from N(1, 0.02), everything else 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
