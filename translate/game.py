"""The contract between the two sides of an adversarial game."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from functools import wraps
from inspect import isfunction
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from translate.clock import Clock
from translate.data.domain import Space
from translate.errors import RecipeError
from translate.options import Part

#: The methods of a game.
SIDES = ("discriminator", "generator")


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

    #: The raw score at which a judge is undecided; None where a single score says nothing.
    middle: ClassVar[float | None] = 0.0

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for side in SIDES:  # what an author's code returns is looked at where it is returned, whoever calls it
            if isfunction(vars(cls).get(side)):
                setattr(cls, side, _checked(vars(cls)[side]))

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
        """The distance; ``judge`` reaches those losses that need it. Raises RecipeError unless it is a scalar."""
        more: tuple[Any, ...] = (judge,) if self.needs_judge else ()
        distance = super().__call__(output, target, *more)
        if not isinstance(distance, Tensor) or distance.dim():
            found = f"of the shape {tuple(distance.shape)}" if isinstance(distance, Tensor) else f"a {type(distance).__name__}"
            raise RecipeError(f"What {type(self).__name__} returns is {found}; it must be a scalar tensor: take its mean.")
        return distance

    def check(self, space: Space) -> None:
        """Raise UserError, before training starts, where samples of ``space`` cannot be compared."""
        return

    @abstractmethod
    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """The distance, as a scalar."""


class JudgeAugmentation(nn.Module):
    """What reals and fakes alike go through on their way to the judge, so that few pictures are not learned by heart. Subclass it.

    ``forward`` takes ``(B, C, H, W)`` in [-1, 1] and gives the same shape, differentiably, with draws from torch's global generator,
    which the engine seeds at every step (Zhao et al., 2020; Karras et al., 2020). State that adapts is a buffer.
    """

    #: Whether it adapts to the judge's scores, so that these must say something.
    adapts: ClassVar[bool] = False

    def check(self, space: Space) -> None:
        """Raise UserError, before training starts, where samples of ``space`` cannot be taken. By default points are refused."""
        _ = space.size

    def heard(self, scores: Tensor) -> None:
        """Told of the judge's scores of augmented reals at each update of the discriminator, detached: above 0 it takes them for real."""
        return

    @abstractmethod
    def forward(self, samples: Tensor) -> Tensor:
        """``samples``, changed at random."""


def _checked(method: Callable[..., Any]) -> Callable[..., dict[str, Tensor]]:
    """``method`` of a game; raises RecipeError unless it returns named scalars."""

    @wraps(method)
    def checked(self: Game, *arguments: Any, **named: Any) -> dict[str, Tensor]:
        losses = method(self, *arguments, **named)
        what = f"Method '{method.__name__}' of {type(self).__name__}"
        if not isinstance(losses, dict) or not losses or not all(isinstance(name, str) for name in losses):
            found = "nothing" if losses is None else "no losses" if losses == {} else f"a {type(losses).__name__}"
            raise RecipeError(f"{what} returns {found}; it must return a dictionary of named losses, such as {{'fool': loss}}.")
        for name, loss in losses.items():
            if not isinstance(loss, Tensor) or loss.dim():
                found = f"of the shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
                raise RecipeError(f"{what} returns a loss '{name}' that is {found}; it must be a scalar tensor: take its mean.")
        return losses

    return checked


class AugmentedGame(Game):
    """``game``, whose judge sees everything through ``augmentation``; penalties are on the gradient with respect to what goes in."""

    def __init__(self, game: Game, augmentation: JudgeAugmentation) -> None:
        super().__init__()
        self.game, self.augmentation = game, augmentation

    def discriminator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the discriminator minimises in the game; the augmentation hears how reals are judged."""
        return self.game.discriminator(_Through(judge, self.augmentation, real, self.game.middle or 0.0), real, fake, clock)

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the generator minimises in the game."""
        return self.game.generator(_Through(judge, self.augmentation, None), real, fake, clock)

    def phase(self, clock: Clock) -> Hashable:
        """That of the game."""
        return self.game.phase(clock)

    def check(self, judge: nn.Module, part: Part) -> None:
        """That of the game."""
        self.game.check(judge, part)


class _Through:
    """A judge behind an augmentation, which hears of the scores of ``real``."""

    def __init__(self, judge: Any, augmentation: JudgeAugmentation, real: Tensor | None, middle: float = 0.0) -> None:
        self.judge, self.augmentation, self.real, self.middle = judge, augmentation, real, middle

    def __call__(self, samples: Tensor) -> Tensor:
        scores: Tensor = self.judge(self._changed(samples))
        if samples is self.real:
            self.augmentation.heard(scores.detach() - self.middle)
        return scores

    def features(self, samples: Tensor) -> list[Tensor]:
        seen: list[Tensor] = self.judge.features(self._changed(samples))
        return seen

    def _changed(self, samples: Tensor) -> Tensor:
        changed: Tensor = self.augmentation(samples)
        if changed.shape != samples.shape:
            raise RecipeError(
                f"The judge augmentation {type(self.augmentation).__name__} makes {tuple(changed.shape)} of {tuple(samples.shape)}; "
                f"it must return the shape that came in."
            )
        return changed
