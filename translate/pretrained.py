"""Networks that come with weights of their own: those that a run begins from, and those that it never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn


class Pretrained(nn.Module):
    """A part that begins from weights that were trained elsewhere: a generator on a published backbone, say.

    Build it with random weights, and load the others in ``begin``: it is called once when a run begins, before its first step, and never
    where the part's own trained weights are to be loaded, so that these need nobody else's.
    """

    #: The networks that this part rests on, by name, and the digests of their weights; for the record of the run and the weights' header.
    backbones: Mapping[str, str] = MappingProxyType({})

    def begin(self) -> None:
        """Load the weights to begin from, and set ``backbones``. Raises UserError where they are not to be had."""


class Frozen(Pretrained):
    """Holds ``network`` so that it moves with its owner and is neither trained nor stored: always in evaluation mode, without gradients
    to its parameters, in no checkpoint.

    Gradients flow through it to its input. Whoever owns it makes it anew when a run goes on; it must then have the same ``backbones``.
    """

    def __init__(self, network: nn.Module, backbones: Mapping[str, str]) -> None:
        super().__init__()
        # In a tuple, torch does not see it: it is in no state_dict and no list of parameters.
        self._held = (network.requires_grad_(False).eval(),)
        self.backbones = dict(backbones)

    @property
    def network(self) -> nn.Module:
        """The network."""
        return self._held[0]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Frozen:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.network._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return self

    def forward(self, *inputs: Any) -> Any:
        """What the network gives."""
        return self.network(*inputs)


def backbones(module: nn.Module) -> dict[str, str]:
    """What the parts of ``module`` rest on: digests by the part's place and the network's name, "D_X.backbone: timm/resnet18"."""
    return {
        f"{place}: {name}" if place else name: digest
        for place, each in module.named_modules()
        if isinstance(each, Pretrained)
        for name, digest in each.backbones.items()
    }
