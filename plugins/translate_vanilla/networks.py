"""Multilayer perceptrons, for pictures of any size and for points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from translate import Space, UserError, full_precision, option, upcast

Activation = Literal["leaky-relu", "relu"]
Initial = Literal["glorot", "normal"]


class Maxout(nn.Module):
    """The greatest of ``pieces`` neighbouring numbers: ``(B, n * pieces)`` → ``(B, n)`` (Goodfellow et al., 2013)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, values: Tensor) -> Tensor:
        """The maximum of each group."""
        return values.view(len(values), -1, self.pieces).amax(2)


class MLPGenerator(nn.Module):
    """100-256-512-1024-784, LeakyReLU then batch norm after each hidden layer, tanh: the generator of the course report.

    1,489,936 parameters for 28×28 grey pictures from 100 numbers. ``(B, ...)`` of any shape → ``(B, C, H, W)`` in [-1, 1], or ``(B, D)``
    for points, which have no tanh. Batch norm is Keras's with momentum 0.8: eps 1e-3, and 0.2 in torch's way of counting.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        widths: str = option("256-512-1024", "widths of the hidden layers", metavar="N-N-...")
        norm: Literal["batch", "none"] = option("batch", "normalisation after each hidden layer")
        activation: Activation = option("leaky-relu", "leaky-relu, of slope 0.2, or relu")
        init: Initial = option("glorot", "initial weights: glorot (uniform) or normal (0, 0.02)")

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        self.shape, self.bounded = target.shape, target.is_picture
        self.fixed_size = True
        width = math.prod(source.shape)
        layers: list[nn.Module] = []
        for wider in _widths("Generator", options.widths):
            layers += [nn.Linear(width, wider), _activation(options.activation)]
            if options.norm == "batch":
                layers.append(nn.BatchNorm1d(wider, eps=1e-3, momentum=0.2))
            width = wider
        self.hidden = nn.Sequential(*layers)
        self.last = nn.Linear(width, math.prod(target.shape))
        _initialise(self, options.init)

    def forward(self, samples: Tensor) -> Tensor:
        """Samples of the target."""
        features = self.hidden(samples.flatten(1))
        with full_precision(features.device):
            output: Tensor = self.last(upcast(features)).view(-1, *self.shape)
            return torch.tanh(output) if self.bounded else output


class MLPDiscriminator(nn.Module):
    """784-512-256-1 with LeakyReLU: the discriminator of the course report, without the sigmoid, which games apply.

    533,505 parameters for 28×28 grey pictures. ``(B, C, H, W)`` in [-1, 1], or ``(B, D)``, → raw scores ``(B, 1)``.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        widths: str = option("512-256", "widths of the hidden layers", metavar="N-N-...")
        activation: Activation = option("leaky-relu", "leaky-relu, of slope 0.2, or relu")
        maxout: int = option(0, "pieces of a maxout that takes the place of the activation; 0 is off", least=0)
        init: Initial = option("glorot", "initial weights: glorot (uniform) or normal (0, 0.02)")

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        width = math.prod(space.shape)
        self.hidden = nn.ModuleList()
        for wider in _widths("Discriminator", options.widths):
            last = Maxout(options.maxout) if options.maxout else _activation(options.activation)
            self.hidden.append(nn.Sequential(nn.Linear(width, wider * (options.maxout or 1)), last))
            width = wider
        self.last = nn.Linear(width, 1)
        _initialise(self, options.init)

    def features(self, samples: Tensor) -> list[Tensor]:
        """``(B, width)`` of each hidden layer."""
        seen, values = [], samples.flatten(1)
        for layer in self.hidden:
            values = layer(values)
            seen.append(values)
        return seen

    def forward(self, samples: Tensor) -> Tensor:
        """Raw scores."""
        return cast(Tensor, self.last(self.features(samples)[-1]))


def _widths(what: str, text: str) -> list[int]:
    try:
        widths = [int(width) for width in text.split("-")]
    except ValueError:
        widths = [0]
    if min(widths) < 1:
        raise UserError(f"{what} 'mlp' has the widths '{text}'; write whole numbers with hyphens between them: 256-512-1024.")
    return widths


def _activation(name: Activation) -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True) if name == "leaky-relu" else nn.ReLU(inplace=True)


def _initialise(network: nn.Module, how: Initial) -> None:
    """Weights as said, biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            if how == "glorot":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.normal_(module.weight, 0.0, 0.02)
            nn.init.zeros_(module.bias)
