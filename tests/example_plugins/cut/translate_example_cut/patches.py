"""Patches that should resemble their own source more than they resemble any other place of the picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from translate import full_precision, upcast


class PatchHead(nn.Module):
    """Projects features of ``channels`` to directions of ``width`` numbers: a layer of F, for one layer of the generator.

    ``(B, C, H, W)`` and P places out of H·W → ``(B, P, width)`` of length 1, in full precision.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width))
        for layer in self.body:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight, 0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor, places: Tensor) -> Tensor:
        """The directions of the features at ``places``, the same in every picture."""
        patches = features.flatten(2)[..., places].mT
        with full_precision(features.device):
            directions = self.body(upcast(patches))
            # The authors' constant: where all units of a patch are silent, its length is 0, and so is the derivative of vector_norm.
            return directions / (torch.linalg.vector_norm(directions, dim=2, keepdim=True) + 1e-7)


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """How hard each query finds its own key among those of its picture: the mean of -log softmax(q·k / temperature) at its own.

    Both are ``(B, P, C)`` of length 1, and the other P - 1 keys of a picture are the negatives.
    """
    with full_precision(queries.device):
        likeness = upcast(queries) @ upcast(keys).mT / temperature
        own = torch.arange(likeness.shape[1], device=likeness.device).repeat(len(likeness))
        return cross_entropy(likeness.flatten(0, 1), own)
