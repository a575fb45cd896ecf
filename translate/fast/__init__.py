"""The same functions, computed faster. Recipes and plugins never mention it.

``hasten`` exchanges the class of a network's layers for a subclass that computes the same in another way: parameters, names, hooks and
checkpoints stay what they are. Each way is a lever with a name, and all are checked against float64 in tests/fast.
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
OTHERS = ("adam",)


def chosen(names: Collection[str]) -> tuple[str, ...]:
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


def hasten(network: nn.Module, device: torch.device, levers: Collection[str]) -> None:
    """Exchange the layers of ``network`` for which one of ``levers`` pays on ``device``: so far, on a CPU."""
    if device.type != "cpu":
        return
    for module in network.modules():
        for name, faster in LEVERS.items():
            if name in levers and type(module) is faster.__bases__[0] and faster.fits(module):
                module.__class__ = faster
