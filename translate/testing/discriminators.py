"""Whether discriminators keep their contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from translate.data.domain import Space
from translate.errors import UserError
from translate.hookspecs import DiscriminatorFactory
from translate.testing.common import (
    BATCH,
    NonConforming,
    blamed,
    check_options,
    maker,
    part_of,
    second_derivative_fault,
    shown,
    space,
)
from translate.testing.networks import Network, check_finite_gradients, check_gradients, check_repeats, check_storage, shake


@dataclass(frozen=True)
class Traits:
    """What a discriminator is like, where the contract leaves it free."""

    #: Whether, in training mode, the score of a sample depends on the others: some gradient penalties refuse that.
    couples_batch: bool
    #: Whether it shows what its layers see, as feature matching needs.
    shows_features: bool


def check_discriminator(
    factory: DiscriminatorFactory, *, part: str = "", size: tuple[int, int] = (32, 32), channels: Sequence[int] = (3, 1)
) -> Traits:
    """Raise NonConforming unless ``factory`` makes discriminators that keep the contract; return what they are like.

    Finite scores ``(B, 1)`` or ``(B, 1, h, w)`` for pictures of each number of ``channels``; in evaluation mode, those of a sample do not
    depend on its batch; all parameters and the input have gradients, and second derivatives unless it says otherwise; the same network and
    scores under the same seed; a file carries it; bf16 autocast works; ``features``, where it has them, are a list of ``(B, ...)``.
    It may refuse some of ``channels`` by a UserError, which is raised where it refuses all.
    """
    chosen = part_of(factory, part)
    what = f"Discriminator '{chosen.name}'"
    check_options(factory, what)

    def network(judged: Space) -> Network:
        return Network(what, lambda: maker(judged).discriminator(chosen, judged), judged.shape)

    accepted, refusals = [], []
    for count in channels:
        subject = network(space(count, size))
        try:
            subject.built()
            accepted.append(subject)
        except UserError as refusal:
            refusals.append(refusal)
    if not accepted:
        raise refusals[0]
    for subject in accepted:
        built = subject.built()
        for mode in (True, False):
            _check_scores(subject, subject.run(built.train(mode), subject.samples()))
    subject = accepted[0]
    _check_samples_apart(subject)
    check_repeats(subject)
    check_gradients(subject, to_input=True)
    check_storage(subject)
    _check_half_precision_scores(subject)
    _check_second_derivative(subject)
    return Traits(couples_batch(subject), _check_features(subject))


def _check_scores(subject: Network, scores: Tensor, where: str = "") -> None:
    if not (scores.shape[:2] == (BATCH, 1) and scores.dim() in (2, 4)):
        raise NonConforming(
            f"{subject.what} gives scores of the shape {shown(scores)} for {BATCH} samples{where}, where (B, 1) or (B, 1, h, w) "
            f"is expected; end it with one channel, and keep the dimension of the batch."
        )
    if not (scores.is_floating_point() and scores.isfinite().all()):
        raise NonConforming(
            f"{subject.what} gives scores that are infinite, NaN or no real numbers{where}; return raw scores, computed in "
            f"float32 where they overflow."
        )


@torch.no_grad()
def _check_samples_apart(subject: Network) -> None:
    """In evaluation mode a score is of one sample."""
    network, samples = subject.built().eval(), subject.samples()
    together = subject.run(network, samples)
    alone = torch.cat([subject.run(network, sample[None]) for sample in samples])
    if not _close(together, alone):
        raise NonConforming(
            f"{subject.what} gives a sample other scores in a batch than alone, in evaluation mode; let it look at other samples "
            f"of the batch in training mode only, such as by batch normalisation with running statistics."
        )


@torch.no_grad()
def couples_batch(subject: Network) -> bool:
    """Whether, in training mode, the score of the first sample depends on the others."""
    samples, others = subject.samples(), subject.samples(1)
    others[0] = samples[0]
    # Networks made anew: running statistics and the like are those of one pass in both.
    first, second = (subject.run(subject.built().train(), each)[0] for each in (samples, others))
    return not _close(first, second)


def _close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()) + 1e-7)


def _check_half_precision_scores(subject: Network) -> None:
    where = " under bf16 autocast"
    network = subject.built().train()
    with torch.autocast("cpu", torch.bfloat16):
        scores = subject.run(network, subject.samples(), expected="bf16 must work as well")
    _check_scores(subject, scores, where)
    check_finite_gradients(subject, network, scores, where)


def _check_second_derivative(subject: Network) -> None:
    network = subject.built()
    if not getattr(network, "twice_differentiable", True):
        return
    shake(network)
    network.double().eval()
    samples = subject.samples()[:2].double().requires_grad_()
    leaves = [samples, *(each for each in network.parameters() if each.requires_grad)]
    with blamed(
        f"{subject.what}, in float64,", "convert by translate.upcast, which leaves float64 as it is, and not by .float()"
    ):
        network(samples)
        fault = second_derivative_fault(lambda: network(samples).sum(), leaves)
    if fault:
        raise NonConforming(
            f"The second derivative of {subject.what}, which gradient penalties need, {fault}; make the backward of its custom "
            f"functions of differentiable operations, or set twice_differentiable = False on its class."
        )


def _check_features(subject: Network) -> bool:
    """Whether it has features; that they are what they should be."""
    network = subject.built().eval()
    if not hasattr(network, "features"):
        return False
    samples = subject.samples().requires_grad_()
    with blamed(f"Method 'features' of {subject.what}", "features(samples) must return the activations of its layers"):
        seen = network.features(samples)  # type: ignore[operator]  # torch types attributes of modules loosely
    if (
        not isinstance(seen, list)
        or not seen
        or not all(isinstance(each, Tensor) and each.shape[:1] == (BATCH,) for each in seen)
    ):
        raise NonConforming(
            f"Method 'features' of {subject.what} returns {_described(seen)} for {BATCH} samples; it must return a list of "
            f"tensors (B, ...), from the first layer to the last."
        )
    total = torch.stack([each.float().square().mean() for each in seen]).sum()
    (gradient,) = torch.autograd.grad(total, samples, allow_unused=True) if total.requires_grad else (None,)
    if gradient is None or not gradient.any():
        raise NonConforming(
            f"What 'features' of {subject.what} returns has no gradient to the samples, so that no generator can learn from it; "
            f"return the activations as they are, not detached."
        )
    return True


def _described(value: object) -> str:
    if isinstance(value, list):
        return "a list of " + (
            ", ".join(shown(each) if isinstance(each, Tensor) else type(each).__name__ for each in value) or "nothing"
        )
    return f"a {type(value).__name__}"
