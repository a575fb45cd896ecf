"""Networks that take part in training and are never trained: the backbone of a perceptual loss or of a discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class Frozen(nn.Module):
    """Holds ``network`` so that it moves with its owner and is neither trained nor stored: always in evaluation mode, without gradients
    to its parameters, in no checkpoint.

    Gradients flow through it to its input. Whoever owns it makes it anew when a run goes on; ``backbones`` of the owner says which
    weights it has to have then.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        # In a tuple, torch does not see it: it is in no state_dict and no list of parameters.
        self._held = (network.requires_grad_(False).eval(),)

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
    """Every pretrained network in ``module`` by name, with the digest of its weights: what its parts declare as ``backbones``."""
    found: dict[str, str] = {}
    for each in module.modules():
        declared = getattr(each, "backbones", {})
        if isinstance(declared, dict):
            found |= declared
    return found
