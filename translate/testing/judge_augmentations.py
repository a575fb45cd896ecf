"""Whether augmentations on the way to the judge keep their contract."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from translate.errors import UserError
from translate.game import JudgeAugmentation
from translate.hookspecs import JudgeAugmentationFactory
from translate.options import Part
from translate.parts import build_part
from translate.randomness import seeded
from translate.testing.common import (
    BATCH,
    CPU,
    NonConforming,
    blamed,
    check_options,
    draw,
    no_plugins,
    part_of,
    second_derivative_fault,
    shown,
    space,
    unchanged,
)

#: Scores of reals by a judge that knows them all, so many that whatever adapts to them has done so.
SURE, HEARD = 5.0, 1 << 16


def check_judge_augmentation(
    factory: JudgeAugmentationFactory, *, part: str = "", size: tuple[int, int] = (16, 24), channels: Sequence[int] = (3, 1)
) -> None:
    """Raise NonConforming unless ``factory`` makes augmentations that keep the contract.

    Pictures of ``size`` with each number of ``channels`` come out in their shape, finite and in float32, under autocast too; the same for
    the same random state, and by one that took over the buffers of another; the gradient reaches what goes in, and can be differentiated
    again; what came in is not written to. All of that as it is made, and after it has heard of a judge that knows its reals by heart. It
    may refuse some of ``channels`` in ``check`` by a UserError, which is raised where it refuses all.
    """
    chosen = part_of(factory, part)
    what = f"Judge augmentation '{chosen.name}'"
    check_options(factory, what)
    refusals = []
    for count in channels:
        augmentation = _made(chosen, what)
        try:
            with blamed(f"Method 'check' of {what}", "check(space) must return, or refuse the space by a UserError"):
                augmentation.check(space(count, size))
        except UserError as refusal:
            refusals.append(refusal)
            continue
        samples = draw(BATCH, count, *size)
        _check_pictures(augmentation, what, samples)
        _hear(augmentation, what)
        _check_pictures(augmentation, what, samples)
        _check_buffers(augmentation, _made(chosen, what), what, samples)
    if len(refusals) == len(channels):
        raise refusals[0]


def _made(chosen: Part, what: str) -> JudgeAugmentation:
    with blamed(what, "it must be made by factory(), or by factory(options)"):
        return build_part(no_plugins().judge_augmentations, chosen, JudgeAugmentation)


def _hear(augmentation: JudgeAugmentation, what: str) -> None:
    with seeded(CPU, 0), blamed(f"Method 'heard' of {what}", "it must take scores (B, 1) and (B, 1, h, w)"):
        for shape in ((BATCH, 1, 3, 2), (HEARD, 1)):
            augmentation.heard(torch.full(shape, SURE))


def _changed(augmentation: JudgeAugmentation, what: str, samples: Tensor, expected: str = "it must take them") -> Tensor:
    """What becomes of ``samples`` under a seed. Raises NonConforming unless it is finite, and of their shape and dtype."""
    case = f"{what}, given {str(samples.dtype).removeprefix('torch.')} of the shape {shown(samples)},"
    before = samples.detach().clone()
    with seeded(CPU, 0), blamed(case, expected):
        result = augmentation(samples)
    unchanged(what, [before], [samples.detach()])
    if not isinstance(result, Tensor) or result.shape != samples.shape or not result.isfinite().all():
        found = f"numbers of the shape {shown(result)}" if isinstance(result, Tensor) else f"a {type(result).__name__}"
        raise NonConforming(f"{case} returns {found}; they must be finite and of the shape that came in.")
    if result.dtype != samples.dtype:
        raise NonConforming(
            f"{case} returns {str(result.dtype).removeprefix('torch.')}; return the dtype that came in, computed under "
            f"translate.full_precision on translate.upcast(samples)."
        )
    return result


def _check_pictures(augmentation: JudgeAugmentation, what: str, samples: Tensor) -> None:
    if not torch.equal(_changed(augmentation, what, samples), _changed(augmentation, what, samples)):
        raise NonConforming(
            f"{what} makes something else under the same random state; draw from torch's global generator, which the engine seeds at every "
            f"step, and from no other."
        )
    with torch.autocast("cpu", torch.bfloat16):
        _changed(augmentation, what, samples)
    leaf = samples.double().requires_grad_()
    way = draw(*samples.shape, seed=1).double()

    def value() -> Tensor:
        result = _changed(augmentation, what, leaf, "convert by translate.upcast, which leaves float64 as it is")
        return (result + result.square()).mul(way).sum()

    total = value()
    with blamed(f"The backward pass of {what}", "it must be differentiable"):
        (gradient,) = torch.autograd.grad(total, leaf, allow_unused=True) if total.requires_grad else (None,)
    if gradient is None or not gradient.any():
        raise NonConforming(
            f"{what} lets no gradient through, so that the generator learns nothing; use differentiable operations, and no detach()."
        )
    if fault := second_derivative_fault(value, [leaf]):
        raise NonConforming(
            f"The second derivative of {what}, which gradient penalties need, {fault}; use differentiable operations."
        )


def _check_buffers(augmentation: JudgeAugmentation, fresh: JudgeAugmentation, what: str, samples: Tensor) -> None:
    """What it has heard survives a stop of the run."""
    with blamed(f"{what}, stored and loaded again,", "its state_dict() must hold tensors that load_state_dict() takes back"):
        fresh.load_state_dict(augmentation.state_dict())
    if not torch.equal(_changed(augmentation, what, samples), _changed(fresh, what, samples)):
        raise NonConforming(
            f"{what} makes something else after a stop of the run than it would have without; keep what it has heard in buffers, by "
            f"self.register_buffer(NAME, TENSOR)."
        )
