"""The contract between the two sides of an adversarial game."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import Any, ClassVar, Protocol, cast

from torch import Tensor, nn

from translate.clock import Clock
from translate.data.domain import Space
from translate.options import Part


class Judge(Protocol):
    """A discriminator as a game sees it: samples in, raw scores out, ``(B, 1, h, w)`` or ``(B, 1)``."""

    def __call__(self, samples: Tensor, /) -> Tensor:
        """Raw scores of ``samples``."""


class FeatureJudge(Judge, Protocol):
    """A discriminator that also shows what its layers see."""

    def features(self, samples: Tensor, /) -> list[Tensor]:
        """The activations of ``samples``, ``(B, ...)`` each, from the first layer to the last."""


class Game(nn.Module):
    """What the two sides play for: an adversarial loss.

    A game sees the judge and both kinds of samples, not only scores, so that gradient penalties, relativistic pairs and packing
    fit. The judge returns raw scores: a game that wants probabilities applies the sigmoid itself, as cross-entropy with logits.
    It returns named scalars that are to be minimised, computed in float32; the engine adds them up. ``real`` and ``fake`` are
    ``(B, C, H, W)`` in [-1, 1], or ``(B, D)`` for points. ``fake`` may carry a graph: the engine differentiates each update with
    respect to one group of networks only, so nothing needs to be detached for its sake. ``clock.step`` counts the updates of the
    side at hand where a recipe has a rhythm, so that what is due every n-th time stays in proportion.
    """

    @abstractmethod
    def discriminator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the discriminator minimises: low where it tells ``real`` from ``fake``."""

    @abstractmethod
    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the generator minimises: low where the judge takes ``fake`` for ``real``."""

    def phase(self, clock: Clock) -> Hashable:
        """Steps with the same phase compute the same losses; a part of the phase of a recipe."""
        return None

    def check(self, judge: nn.Module, part: Part) -> None:
        """Raise UserError, before training starts, where this game cannot be played with ``judge``, which was made from ``part``."""
        return


class ImageLoss(nn.Module):
    """A distance between what a network gave and what it should have given: a cycle or a reconstruction loss.

    ``forward(output, target)`` takes two tensors of one shape, ``(B, C, H, W)`` in [-1, 1], and returns a scalar >= 0 in float32.
    Recipes call ``loss(output, target, judge)``, where ``judge`` is the discriminator of the pictures' domain; a loss that compares what
    the judge sees sets ``needs_judge`` and is given it as a third argument, with a method ``features``: a :class:`FeatureJudge`.
    """

    #: Whether ``forward`` takes the judge as a third argument.
    needs_judge: ClassVar[bool] = False

    def __call__(self, output: Tensor, target: Tensor, judge: Judge | None = None) -> Tensor:
        """The distance; ``judge`` reaches those losses that need it."""
        more: tuple[Any, ...] = (judge,) if self.needs_judge else ()
        return cast(Tensor, super().__call__(output, target, *more))

    def check(self, space: Space) -> None:
        """Raise UserError, before training starts, where samples of ``space`` cannot be compared."""
        return

    @abstractmethod
    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """The distance, as a scalar."""
