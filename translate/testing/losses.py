"""Whether image losses keep their contract."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from translate.errors import UserError
from translate.game import ImageLoss
from translate.hookspecs import ImageLossFactory
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
    space,
    unchanged,
)
from translate.testing.games import SmallJudge
from translate.testing.pretrained import check_frozen

#: How much, of the distance of pictures that differ, rounding may take from 0.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Case:
    """A loss under test, made for pictures of one shape, the judge it is given, and two pictures that differ in every pixel."""

    what: str
    loss: ImageLoss
    judge: nn.Module
    output: Tensor
    target: Tensor

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        """What the loss says, under a seed. Raises NonConforming unless it is a scalar."""
        before = [output.detach().clone(), target.detach().clone()]
        with seeded(CPU, 0), blamed(f"{self.what}, for pictures of the shape {shown(output)},", "it must take them"):
            result = self.loss(output, target, self.judge)
        unchanged(self.what, before, [output.detach(), target.detach()])
        return result


def check_image_loss(
    factory: ImageLossFactory,
    *,
    part: str = "",
    sizes: Sequence[tuple[int, int]] = ((32, 32), (24, 40)),
    channels: Sequence[int] = (3, 1),
) -> None:
    """Raise NonConforming unless ``factory`` makes cycle or reconstruction losses that keep the contract.

    For pictures of all ``sizes`` and ``channels``: a scalar >= 0 in float32, under autocast too, least for equal pictures, the same again
    under the same seed, with a finite gradient to the output also where pictures are equal, and unless it says otherwise a second
    derivative. A loss that needs a judge is given a small one. It may refuse some shapes by a UserError, which is raised where it refuses
    all.
    """
    what = f"Image loss '{part_of(factory, part).name}'"
    check_options(factory, what)
    cases, refusals = [], []
    for count in channels:
        for size in sizes:
            try:
                cases.append(_case(factory, part, what, count, size))
            except UserError as refusal:
                refusals.append(refusal)
    if not cases:
        raise refusals[0]
    for case in cases:
        _check_distances(case)
        _check_gradients(case)
    _check_second_derivative(cases[0])


def _case(factory: ImageLossFactory, part: str, what: str, channels: int, size: tuple[int, int]) -> Case:
    pictures = space(channels, size)
    judge = SmallJudge(pictures.shape).requires_grad_(False)
    with seeded(CPU, 0), blamed(what, "it must be made by factory(), or by factory(options) where it has Options"):
        loss = maker(pictures).reconstruction_loss(part_of(factory, part), [judge])
    check_frozen(what, loss)
    target = 0.5 * draw(BATCH, *pictures.shape, seed=1)
    # By 0.1 to 0.4 in every pixel: no kink of an absolute difference is near.
    difference = draw(BATCH, *pictures.shape, seed=2)
    return Case(what, loss, judge, target + 0.1 * difference.sign() + 0.3 * difference, target)


def _check_distances(case: Case) -> None:
    what = case.what
    apart, equal = case.distance(case.output, case.target), case.distance(case.target.clone(), case.target)
    with torch.autocast("cpu", torch.bfloat16):
        halved = case.distance(case.output, case.target)
    for result, where in ((apart, ""), (equal, " for equal pictures"), (halved, " under bf16 autocast")):
        if result.dtype != torch.float32:
            raise NonConforming(
                f"{what} returns {str(result.dtype).removeprefix('torch.')}{where}, where float32 is expected; take pictures and "
                f"features by translate.upcast."
            )
        if not result.isfinite():
            raise NonConforming(f"{what} is {result:g}{where}; a distance must be finite.")
        if result < -ROUNDING * apart.abs():
            raise NonConforming(
                f"{what} is {result:.4g}{where}; a distance must be at least 0: add its least value, or take the square."
            )
    if equal > apart + ROUNDING * apart.abs():
        raise _not_least(case, equal, apart)
    # Copies, because a loss may count in its buffers.
    first, second = (replace(case, loss=copy.deepcopy(case.loss)).distance(case.output, case.target) for _ in range(2))
    if not torch.equal(first, second):
        raise NonConforming(
            f"{what} says something else of the same pictures under the same seed; draw from torch's global generator, which the "
            f"engine seeds at every step, and from no other."
        )


def _check_gradients(case: Case) -> None:
    """Between pictures that differ, and at equality, where a square root has no derivative."""
    gradient = _gradient(case, case.output, "")
    if not gradient.any():
        raise _no_gradient(case, "")
    gradient = _gradient(case, case.target, " where the pictures are equal")
    # A step downhill from there must not lead further down. (Rounding leaves gradients that are almost 0.)
    moved = case.target - 0.05 * gradient / gradient.square().mean().sqrt().clamp(min=1e-30)
    equal, lower, apart = (case.distance(each, case.target) for each in (case.target, moved, case.output))
    if lower < equal - ROUNDING * apart:
        raise _not_least(case, equal, lower)


def _gradient(case: Case, start: Tensor, where: str) -> Tensor:
    """That of the distance to the target with respect to the output."""
    output = start.clone().requires_grad_()
    result = case.distance(output, case.target)
    with blamed(f"The backward pass of {case.what}", "it must be differentiable"):
        (gradient,) = torch.autograd.grad(result, output, allow_unused=True) if result.requires_grad else (None,)
    if gradient is None:
        raise _no_gradient(case, where)
    if not gradient.isfinite().all():
        raise NonConforming(
            f"{case.what} has a gradient that is infinite or NaN{where}; avoid what has no derivative there, such as a square root at "
            f"0: add a small number under it."
        )
    return gradient


def _no_gradient(case: Case, where: str) -> NonConforming:
    return NonConforming(
        f"{case.what} has no gradient to its first argument, the output{where}, so that no network learns from it; avoid detach() "
        f"and no_grad() on the way."
    )


def _not_least(case: Case, equal: Tensor, other: Tensor) -> NonConforming:
    return NonConforming(
        f"{case.what} is {equal:.4g} for equal pictures and {other:.4g} for different ones; it must be least where they are equal."
    )


def _check_second_derivative(case: Case) -> None:
    if not getattr(case.loss, "twice_differentiable", True):
        return
    case.loss.double()
    case.judge.double()
    output, target = case.output[:2].double().requires_grad_(), case.target[:2].double()
    with blamed(f"{case.what}, in float64,", "convert by translate.upcast, which leaves float64 as it is, and not by .float()"):
        fault = second_derivative_fault(lambda: case.distance(output, target), [output])
    if fault:
        raise NonConforming(
            f"The second derivative of {case.what} {fault}; make the backward of its custom functions of differentiable "
            f"operations, or set twice_differentiable = False on its class."
        )
