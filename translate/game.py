"""The contract between the two sides of an adversarial game."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from torch import Tensor, nn

from translate.clock import Clock


class Judge(Protocol):
    """A discriminator as a game sees it: samples in, raw scores out, ``(B, 1, h, w)`` or ``(B, 1)``."""

    def __call__(self, samples: Tensor, /) -> Tensor:
        """Raw scores of ``samples``."""


class Game(nn.Module):
    """What the two sides play for: an adversarial loss.

    A game sees the judge and both kinds of samples, not only scores, so that gradient penalties, relativistic pairs and packing
    fit. The judge returns raw scores: a game that wants probabilities applies the sigmoid itself, as cross-entropy with logits.
    It returns named scalars that are to be minimised, computed in float32; the engine adds them up. ``real`` and ``fake`` are
    ``(B, C, H, W)`` in [-1, 1], or ``(B, D)`` for points. ``fake`` may carry a graph: the engine differentiates each update with
    respect to one group of networks only, so nothing needs to be detached for its sake.
    """

    @abstractmethod
    def discriminator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the discriminator minimises: low where it tells ``real`` from ``fake``."""

    @abstractmethod
    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the generator minimises: low where the judge takes ``fake`` for ``real``."""


class ImageLoss(nn.Module):
    """A distance between what a network gave and what it should have given: a cycle or a reconstruction loss.

    ``forward(output, target)`` takes two tensors of one shape, ``(B, C, H, W)`` in [-1, 1], and returns a scalar >= 0 in float32.
    """

    @abstractmethod
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """The distance, as a scalar."""
