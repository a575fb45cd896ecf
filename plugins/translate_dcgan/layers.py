"""What both forms of the networks have in common."""

from __future__ import annotations

from typing import Literal

from torch import nn

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


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), scales of norms from N(1, 0.02), everything else 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
