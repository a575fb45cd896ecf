"""The exponential moving average of networks."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """A slowly following copy of a network: ``average = decay * average + (1 - decay) * parameter``.

    Parameters are averaged and buffers copied. Batch statistics that are copied belong to another network: ``Trainer.settle`` measures
    the average's own where it is used.
    ``network`` is the copy; it is in evaluation mode, needs no gradients, and never takes part in training.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Average:
        """Do nothing: an average is never trained."""
        return self

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Follow ``network`` one step."""
        mine: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(mine, theirs, 1 - self.decay)
        for copied, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            copied.copy_(buffer)
