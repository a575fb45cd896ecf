"""The same functions, computed faster. Recipes and plugins never mention it.

``hasten`` exchanges the class of a network's layers for a subclass that computes the same in another way, or lays weights out otherwise:
parameters, names, hooks and checkpoints stay what they are. Each way is a lever with a name, and all are checked against float64 in
tests/fast.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import nn

from translate.errors import UserError, listed, near
from translate.fast.norms import GroupedInstanceNorm2d
from translate.fast.split import SplitConv2d
from translate.fast.winograd import WinogradConv2d

#: What a layer may be exchanged for, by the name of the lever, in the order in which they are tried.
LEVERS: Mapping[str, type[GroupedInstanceNorm2d | SplitConv2d | WinogradConv2d]] = {
    "norm": GroupedInstanceNorm2d,
    "split": SplitConv2d,
    "winograd": WinogradConv2d,
}
#: Levers that are no layer.
OTHERS = ("channels-last", "adam")
#: From so many samples in a batch on, convolutions with batch norms are faster where a pixel's channels lie side by side.
LARGE_BATCH = 8


def levers(names: Collection[str]) -> tuple[str, ...]:
    """The levers that ``names`` are: "all", "none", or names of some. Raises UserError."""
    known = (*LEVERS, *OTHERS)
    if list(names) in (["all"], ["none"]):
        return known if "all" in names else ()
    for name in names:
        if name not in known:
            raise UserError(
                f"There is no lever '{name}' for --fast.{near(name, known)} Levers: all, none, or of {listed(known)}."
            )
    return tuple(each for each in known if each in names)


def hasten(recipe: nn.Module, device: torch.device, chosen: Collection[str], batch: int = 1) -> None:
    """Apply to the networks of ``recipe`` those levers of ``chosen`` that pay on ``device``, with so many samples in a batch."""
    if device.type != "cpu":
        return
    for module in recipe.modules():
        for name, faster in LEVERS.items():
            if name in chosen and type(module) is faster.__bases__[0] and faster.fits(module):
                module.__class__ = faster
    if "channels-last" in chosen and batch >= LARGE_BATCH:
        for network in recipe.children():
            if _is_batch_normalised(network):
                network.to(memory_format=torch.channels_last)


def _is_batch_normalised(network: nn.Module) -> bool:
    """Whether its convolutions go with batch norms; with instance norms, which are slow in that layout, nothing is won."""
    kinds = {type(module) for module in network.modules()}
    return nn.BatchNorm2d in kinds and not any(issubclass(each, nn.InstanceNorm2d) for each in kinds)
