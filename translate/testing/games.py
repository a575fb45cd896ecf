"""Whether games keep their contract."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from translate.clock import Clock
from translate.errors import UserError
from translate.game import SIDES, Game
from translate.hookspecs import GameFactory
from translate.options import Part
from translate.randomness import seeded
from translate.testing.common import (
    BATCH,
    CPU,
    NonConforming,
    blamed,
    check_options,
    draw,
    maker,
    part_of,
    second_derivative_fault,
    shown,
    unchanged,
)

CLOCK = Clock(0, 4)
#: Scores that a judge reaches that is sure, on the right side or on the wrong one.
EXTREME = 50.0


class SmallJudge(nn.Module):
    """A smooth judge of samples of ``shape``: raw scores, ``(B, 1, h, w)`` or, with ``flat`` and for points, ``(B, 1)``."""

    def __init__(self, shape: tuple[int, ...], *, flat: bool = False, norm: bool = False) -> None:
        super().__init__()
        self.flat = flat or len(shape) == 1
        #: Whether a game differentiated the scores by the samples that it showed.
        self.penalised = False
        positions = math.prod(side // 2 for side in shape[1:])
        with seeded(CPU, 0):  # the same weights each time, and the caller's generator left alone
            self.first: nn.Module = nn.Linear(shape[0], 6) if len(shape) == 1 else nn.Conv2d(shape[0], 6, 4, stride=2, padding=1)
            self.last: nn.Module = nn.Linear(6 * positions, 1) if self.flat else nn.Conv2d(6, 1, 3, padding=1)
        if norm:
            self.first = nn.Sequential(self.first, nn.BatchNorm1d(6) if len(shape) == 1 else nn.BatchNorm2d(6))

    def features(self, samples: Tensor) -> list[Tensor]:
        """The activations of the only layer."""
        return [torch.tanh(self.first(samples))]

    def forward(self, samples: Tensor) -> Tensor:
        """Raw scores."""
        self.penalised |= samples.requires_grad
        (seen,) = self.features(samples)
        return cast(Tensor, self.last(seen.flatten(1) if self.flat else seen))


class SureJudge(nn.Module):
    """Scores are ``gain`` times the mean over the channels of the sample, of each pixel or, with ``flat``, of all."""

    def __init__(self, gain: float, *, flat: bool) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))
        self.flat = flat

    def features(self, samples: Tensor) -> list[Tensor]:
        """What it sees is what there is."""
        return [samples]

    def forward(self, samples: Tensor) -> Tensor:
        """Raw scores."""
        scores = self.gain * samples.mean(1, keepdim=True)
        return scores.flatten(1).mean(1, keepdim=True) if self.flat else scores


def check_game(factory: GameFactory, *, part: str = "", size: tuple[int, int] = (16, 16), channels: int = 3) -> None:
    """Raise NonConforming unless ``factory`` makes games that keep the contract.

    For maps of scores ``(B, 1, h, w)`` and for single ones ``(B, 1)``, for pictures and for points, both sides get named scalars, finite
    and float32 under autocast too, at scores of ±50 as well, and the same again under the same seed; the discriminator's are lower where
    the judge scores reals high and fakes low, the generator's where it is the other way round; both have the gradients, and unless the game
    says otherwise the second derivatives, that training needs; the samples, the judge and its modes are left as they are. A game
    that penalises gradients of single samples refuses a judge that couples them.
    """
    chosen = part_of(factory, part)
    what = f"Game '{chosen.name}'"
    check_options(factory, what)
    with seeded(CPU, 0), blamed(what, "it must be made by factory(), or by factory(options) where it has Options"):
        game = maker().adversarial_loss(chosen)
    pictures = (channels, *size)
    for judge in (SmallJudge(pictures), SmallJudge(pictures, flat=True)):
        _check_sides(game, what, judge, pictures)
    _check_points(game, what)
    for flat in (False, True):
        _check_directions(game, what, pictures, flat)
        _check_extremes(game, what, pictures, flat)
    _check_second_derivatives(game, what, pictures)
    _check_coupling(game, what, pictures)
    with blamed(f"Method 'phase' of {what}", "it must return what can be hashed, or None"):
        hash(game.phase(CLOCK))


def play(game: Game, what: str, side: str, judge: nn.Module, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """What a side is given, under a seed. Raises NonConforming unless it is named scalars."""
    method: Callable[..., Any] = getattr(game, side)
    with seeded(CPU, 0), blamed(f"Method '{side}' of {what}, for samples of the shape {shown(real)},", "it must take them"):
        losses: dict[str, Tensor] = method(judge, real, fake, CLOCK)
    return losses


def _sum(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def _gradients(what: str, side: str, losses: Mapping[str, Tensor], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Those that there are of the sum of a side's losses."""
    total = _sum(losses)
    with blamed(f"The backward pass of what the {side} minimises in {what}", "it must be differentiable"):
        found = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else ()
    return [each for each in found if each is not None]


def _check_finite(losses: Mapping[str, Tensor], what: str, side: str, where: str) -> None:
    for name, loss in losses.items():
        if loss.dtype != torch.float32:
            raise NonConforming(
                f"Loss '{name}' of the {side} in {what} is {str(loss.dtype).removeprefix('torch.')}{where}, where float32 is "
                f"expected; take scores by translate.upcast(judge(samples))."
            )
        if not loss.isfinite():
            raise NonConforming(
                f"Loss '{name}' of the {side} in {what} is {loss:g}{where}; compute it from raw scores, such as by "
                f"softplus(-score), and not from the logarithm of a sigmoid."
            )


# What is checked for each kind of judge


def _check_sides(game: Game, what: str, judge: SmallJudge, shape: tuple[int, ...]) -> None:
    real, fake = draw(BATCH, *shape, seed=1), draw(BATCH, *shape, seed=2)
    with blamed(f"Method 'check' of {what}", "check(judge, part) must return, or refuse the judge by a UserError"):
        game.check(judge, Part("small"))
    for side in SIDES:
        _check_leaves_alone(game, what, side, judge, real, fake)  # first, because it may not do it twice
        # Copies, because a game may count in its buffers.
        losses, again = (play(copy.deepcopy(game), what, side, judge, real, fake) for _ in range(2))
        _check_finite(losses, what, side, "")
        if any(not torch.equal(losses[name], again.get(name, losses[name] + 1)) for name in losses):
            raise NonConforming(
                f"{what} gives the {side} something else for the same samples under the same seed; draw from torch's global "
                f"generator, which the engine seeds at every step, and from no other."
            )
        with torch.autocast("cpu", torch.bfloat16):
            _check_finite(play(game, what, side, judge, real, fake), what, side, " under bf16 autocast")
    _check_gradients(game, what, judge, real, fake)


def _check_leaves_alone(game: Game, what: str, side: str, judge: nn.Module, real: Tensor, fake: Tensor) -> None:
    samples = [real.clone(), fake.clone()]
    state = {name: each.clone() for name, each in judge.state_dict().items()}
    modes = _modes(judge)
    play(game, what, side, judge, real, fake)
    unchanged(f"Method '{side}' of {what}", samples, [real, fake])
    if _modes(judge) != modes or any(not torch.equal(each, state[name]) for name, each in judge.state_dict().items()):
        raise NonConforming(
            f"Method '{side}' of {what} changes the judge, its mode or which of its parameters need gradients; leave that to the "
            f"engine, which differentiates by the parameters of one side only."
        )


def _modes(judge: nn.Module) -> list[bool]:
    return [each.training for each in judge.modules()] + [each.requires_grad for each in judge.parameters()]


def _check_gradients(game: Game, what: str, judge: nn.Module, real: Tensor, fake: Tensor) -> None:
    """The judge learns from the discriminator's losses, and what made the fakes from the generator's."""
    graphed = fake.clone().requires_grad_()
    learners: dict[str, tuple[str, list[Tensor]]] = {
        "discriminator": ("the judge", list(judge.parameters())),
        "generator": ("the fakes", [graphed]),
    }
    for side, (learner, leaves) in learners.items():
        gradients = _gradients(what, side, play(game, what, side, judge, real, graphed), leaves)
        if not any(each.any() for each in gradients):
            raise NonConforming(
                f"What the {side} minimises in {what} has no gradient to {learner}, so that it learns nothing; detach neither, "
                f"as the engine differentiates by the parameters of one side only."
            )
        if not all(each.isfinite().all() for each in gradients):
            raise NonConforming(
                f"What the {side} minimises in {what} has gradients to {learner} that are infinite or NaN; avoid what has no "
                f"derivative, such as a square root at 0."
            )


def _check_points(game: Game, what: str) -> None:
    """Samples may be points; a game that only takes pictures says so."""
    try:
        _check_sides(game, what, SmallJudge((2,)), (2,))
    except UserError:
        return


# Which side is which


def _samples(shape: tuple[int, ...], level: float, seed: int) -> Tensor:
    """Pictures whose mean is ``level``, and that are not all the same."""
    return level * (1 + 0.1 * draw(BATCH, *shape, seed=seed))


def _check_directions(game: Game, what: str, shape: tuple[int, ...], flat: bool) -> None:
    """Each side's losses fall as it gets better: right judges score reals high."""
    real, fake = _samples(shape, 0.5, 1), _samples(shape, -0.5, 2)
    for side, better, wanted in (
        ("discriminator", 2.0, "where the judge scores reals high and fakes low"),
        ("generator", -2.0, "where the judge scores fakes higher than reals"),
    ):
        good, bad = (_sum(play(game, what, side, SureJudge(gain, flat=flat), real, fake)).item() for gain in (better, -better))
        # A generator's may look at features alone, and then scores make no difference.
        if good > bad or (side == "discriminator" and good == bad):
            raise NonConforming(
                f"What the {side} minimises in {what} is {good:.4g} {wanted}, and {bad:.4g} where it is the other way round; it "
                f"must be lower in the first case: turn its sign round."
            )


def _extremes() -> Iterator[tuple[float, float]]:
    for on_real in (EXTREME, -EXTREME):
        for on_fake in (EXTREME, -EXTREME):
            yield on_real, on_fake


def _check_extremes(game: Game, what: str, shape: tuple[int, ...], flat: bool) -> None:
    for on_real, on_fake in _extremes():
        where = f" at scores of about {on_real:+g} for reals and {on_fake:+g} for fakes"
        real, fake = _samples(shape, on_real / EXTREME, 1), _samples(shape, on_fake / EXTREME, 2).requires_grad_()
        judge = SureJudge(EXTREME, flat=flat)
        for side in SIDES:
            losses = play(game, what, side, judge, real, fake)
            _check_finite(losses, what, side, where)
            leaves = [judge.gain] if side == "discriminator" else [fake]
            if not all(each.isfinite().all() for each in _gradients(what, side, losses, leaves)):
                raise NonConforming(
                    f"What the {side} minimises in {what} has gradients that are infinite or NaN{where}; compute it from raw "
                    f"scores, such as by softplus(-score), and not from the logarithm of a sigmoid."
                )


# What further derivatives and penalties need


def _check_second_derivatives(game: Game, what: str, shape: tuple[int, ...]) -> None:
    if not getattr(game, "twice_differentiable", True):
        return
    judge = SmallJudge(shape).double()
    real, fake = (draw(BATCH, *shape, seed=seed).double() for seed in (1, 2))
    fake.requires_grad_()
    for side, leaves in (("discriminator", list(judge.parameters())), ("generator", [fake])):

        def value(side: str = side) -> Tensor:
            return _sum(play(copy.deepcopy(game), what, side, judge, real, fake))

        with blamed(f"Method '{side}' of {what}, in float64,", "convert by translate.upcast, which leaves float64 as it is"):
            fault = second_derivative_fault(value, leaves)
        if fault:
            raise NonConforming(
                f"The second derivative of what the {side} minimises in {what} {fault}; make the backward of its custom "
                f"functions of differentiable operations, or set twice_differentiable = False on its class."
            )


def _check_coupling(game: Game, what: str, shape: tuple[int, ...]) -> None:
    """A gradient with respect to one sample alone is not to be had from a judge that couples them."""
    judge = SmallJudge(shape)
    play(game, what, "discriminator", judge, draw(BATCH, *shape, seed=1), draw(BATCH, *shape, seed=2))
    with blamed(f"Method 'check' of {what}", "check(judge, part) must return, or refuse the judge by a UserError"):
        try:
            game.check(SmallJudge(shape, norm=True), Part("batch-norm"))
        except UserError:
            return
    if judge.penalised:
        raise NonConforming(
            f"{what} differentiates scores by the samples, and accepts a judge with batch normalisation, whose gradient at one "
            f"sample depends on all; raise UserError in check(judge, part) where one of judge.modules() normalises over the "
            "batch."
        )
