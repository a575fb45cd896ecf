"""What the networks of the paper are made of."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from translate import UserError, full_precision, upcast


def instance_norm(channels: int) -> nn.Module:
    """Instance normalisation as the paper's PyTorch code has it: without learned scale and without running statistics."""
    return nn.InstanceNorm2d(channels, affine=False, track_running_stats=False)


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def require_size(what: str, size: tuple[int, int], least: int) -> None:
    """Raise UserError where a picture is too small for a network: instance norm of a single pixel is 0, whatever the pixel."""
    if min(size) < least:
        raise UserError(f"{what} takes pictures of at least {least} pixels a side, not {size[0]}x{size[1]}; raise --size.")


#: The least share of the new picture. Were it 0, attention could close for good: the exact identity has no cycle loss at all, and training
#: was seen to end there.
LEAST = 0.1


class Output(nn.Module):
    """The last layer and its tanh, computed in full precision: half precision leaves 8 bits of which most are spent near ±1.

    With ``attention``, the layer's last channel says how much of the new picture is laid over the one that came in: from ``LEAST`` to all.
    """

    def __init__(self, layer: nn.Module, attention: bool = False) -> None:
        super().__init__()
        self.layer = layer
        self.attention = attention

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        """The picture in [-1, 1] from the last features and the picture that came in."""
        with full_precision(features.device):
            output = cast(Tensor, self.layer(upcast(features)))
            if not self.attention:
                return torch.tanh(output)
            share = LEAST + (1 - LEAST) * torch.sigmoid(output[:, -1:])
            made = torch.tanh(output[:, :-1])
            return torch.lerp(_kept(image, made.shape[1]), made, share)


def _kept(image: Tensor, channels: int) -> Tensor:
    """``image`` with so many channels: grey in each of them, or, of one, the mean of all."""
    return image.mean(1, keepdim=True) if channels == 1 else image.expand(-1, channels, -1, -1)
