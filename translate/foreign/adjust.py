"""Networks for pictures of another order of channels or range, made ones for ours by their weights alone."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from translate.errors import UserError
from translate.foreign.formats import ForeignNetwork, Order, Range


def adjusted(tensors: Mapping[str, Tensor], network: ForeignNetwork, order: Order, pixels: Range) -> dict[str, Tensor]:
    """``tensors``, by our names, so that the network takes and makes RGB in [-1, 1] where it was made for ``order`` and ``pixels``.

    Raises UserError where weights alone cannot do that.
    """
    result = dict(tensors)
    if order == "bgr":
        _turn(result, network)
    if pixels != network.pixels:
        _stretch(result, network, pixels)
    return result


def _turn(tensors: dict[str, Tensor], network: ForeignNetwork) -> None:
    """Turn the channels of pictures round; a second time is back again. Grey ones have nothing to turn."""
    for end in (network.first, network.last):
        if end is not None and tensors[end[0]].shape[end[1]] == 3:
            name, dimension = end
            tensors[name] = tensors[name].flip(dimension)
            bias = name.removesuffix("weight") + "bias"
            if end is network.last and bias in tensors:
                tensors[bias] = tensors[bias].flip(0)


def _stretch(tensors: dict[str, Tensor], network: ForeignNetwork, pixels: Range) -> None:
    """From a network that takes [0, 1] and ends in a sigmoid to one that takes [-1, 1] and ends in a tanh.

    W ((x + 1) / 2) + b = (W / 2) x + (b + ΣW / 2), and 2 sigmoid(a) - 1 = tanh(a / 2).
    """
    if pixels == "signed" or network.last is None:
        raise UserError(f"A {network.about} takes pixels in [0, 1] wherever it is known; leave --range away.")
    if network.first is not None:
        weight, bias = network.first[0], network.first[0].removesuffix("weight") + "bias"
        if not network.reflects or bias not in tensors:
            raise UserError(
                f"A {network.about} pads its pictures with zeros, which are black in [0, 1] and grey in [-1, 1]; weights alone cannot "
                f"make up for that, so it cannot be imported with --range unit."
            )
        tensors[bias] = (tensors[bias].double() + tensors[weight].double().sum(dim=(1, 2, 3)) / 2).float()
        tensors[weight] = tensors[weight] / 2
    name = network.last[0]
    for each in (name, name.removesuffix("weight") + "bias"):
        if each in tensors:
            tensors[each] = tensors[each] / 2
