"""Whether generators keep their contract."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from translate.data.domain import Space
from translate.errors import UserError
from translate.hookspecs import GeneratorFactory
from translate.latent import Latent
from translate.testing.common import BATCH, NonConforming, blamed, check_options, draw, maker, part_of, shown, space
from translate.testing.networks import Network, check_finite_gradients, check_gradients, check_repeats, check_storage

#: How far beyond ±1 rounding may take a pixel.
ROUNDING = 1e-5
#: The noise that generators of pictures from noise are shown.
NOISE = Latent(16).space

Takes = Literal["auto", "pictures", "noise"]


def check_generator(
    factory: GeneratorFactory,
    *,
    part: str = "",
    size: tuple[int, int] = (32, 32),
    channels: Sequence[tuple[int, int]] = ((3, 3), (1, 3)),
    takes: Takes = "auto",
) -> None:
    """Raise NonConforming unless ``factory`` makes generators that keep the contract.

    Pictures ``(B, C', H, W)`` in [-1, 1] and float32, under autocast too, for each pair ``(C, C')`` of ``channels`` and for all sizes that
    its ``stride`` allows; all parameters and, from pictures, the input have gradients; the same network and pictures under the same seed;
    weights carry everything through a file. ``takes`` says whether it makes them from pictures or from noise; ``auto`` finds out. It may
    refuse some of ``channels`` by a UserError, which is raised where it refuses all.
    """
    chosen = part_of(factory, part)
    what = f"Generator '{chosen.name}'"
    check_options(factory, what)

    def network(source: Space, target: Space) -> Network:
        pictures = [each for each in (source, target) if each is not NOISE]
        return Network(what, lambda: maker(*pictures).generator(chosen, source, target), source.shape)

    candidates = []
    if takes != "noise":
        candidates.append([(space(c, size, "x"), space(d, size, "y")) for c, d in channels])
    if takes != "pictures":
        candidates.append([(NOISE, space(d, size)) for d in dict.fromkeys(d for _, d in channels)])
    accepted = _first_accepted(candidates, network)
    for source, target in accepted:
        _check_pictures(network(source, target), target)
    source, target = accepted[0]
    _check_other_training_size(network, source, target)
    subject = network(source, target)
    _check_bounds(subject)
    check_repeats(subject)
    check_gradients(subject, to_input=source.is_picture)
    check_storage(subject)
    _check_copying(subject)
    _check_half_precision(subject, target)


def _first_accepted(
    candidates: Sequence[Sequence[tuple[Space, Space]]], network: Callable[[Space, Space], Network]
) -> list[tuple[Space, Space]]:
    """Of the first kind of source that a generator takes, the pairs that it takes. Raises UserError, its own, where there are none."""
    refusals: dict[str, None] = {}  # a set in order
    for pairs in candidates:
        accepted = []
        for source, target in pairs:
            try:
                network(source, target).built()
                accepted.append((source, target))
            except UserError as refusal:
                refusals.setdefault(str(refusal))
        if accepted:
            return accepted
    raise UserError(" ".join(refusals))


def _check_pictures(subject: Network, target: Space) -> None:
    """In training and evaluation mode, at the training size and at those that the stride allows."""
    network = subject.built()
    _check_picture(subject, subject.run(network.train(), subject.samples()), target.channels, target.size)
    _check_picture(subject, subject.run(network.eval(), subject.samples()), target.channels, target.size)
    if len(subject.shape) < 3 or getattr(network, "fixed_size", False):
        return
    stride = getattr(network, "stride", 1)
    stride = stride if isinstance(stride, int) else 1
    height, width = target.size
    advice = f"its stride, {stride}, promises all multiples of {stride}: set the 'stride' that it has, or 'fixed_size' to true"
    for size in ((height + stride, width), (height, width + stride)):
        made = subject.run(network, draw(BATCH, subject.shape[0], *size), expected=advice)
        _check_picture(subject, made, target.channels, size, f"; or {advice}")


def _check_other_training_size(network: Callable[[Space, Space], Network], source: Space, target: Space) -> None:
    """Pictures that are wider than high, unless they are refused: where height and width are mixed up, squares do not tell."""
    height, width = target.size
    wide = (height, width + width // 2)
    subject = network(
        source if not source.is_picture else space(source.channels, wide, source.name), space(target.channels, wide)
    )
    try:
        built = subject.built()
    except UserError:
        return
    _check_picture(subject, subject.run(built, subject.samples()), target.channels, wide)


def _check_picture(subject: Network, made: Tensor, channels: int, size: tuple[int, int], hint: str = "") -> None:
    wanted = (BATCH, channels, *size)
    if made.shape != wanted:
        raise NonConforming(
            f"{subject.what} makes the shape {shown(made)}, where {wanted} is expected: return (B, C', H, W){hint}."
        )
    _check_numbers(subject, made, "")


def _check_numbers(subject: Network, made: Tensor, where: str) -> None:
    if made.dtype != torch.float32:
        raise NonConforming(
            f"{subject.what} makes {str(made.dtype).removeprefix('torch.')}{where}, where float32 is expected; compute its last "
            f"layer under translate.full_precision, on translate.upcast(features)."
        )
    if not made.isfinite().all():
        raise NonConforming(
            f"{subject.what} makes pixels that are infinite or NaN{where}; compute what overflows, such as norms, in float32."
        )
    if made.abs().max() > 1 + ROUNDING:
        raise NonConforming(
            f"{subject.what} makes pixels from {made.min():.3g} to {made.max():.3g}{where}, where [-1, 1] is expected; end it "
            "with a tanh."
        )


@torch.no_grad()
def _check_bounds(subject: Network) -> None:
    """With large weights, too: fresh networks are small numbers, and one without a tanh may not leave the range before it is "
    "trained."""
    network = subject.built().eval()
    made = []
    for _ in range(2):
        for parameter in network.parameters():
            parameter.mul_(10)
        made.append(subject.run(network, subject.samples()))
    largest = torch.stack(made).abs().nan_to_num(0.0).max()  # no fault where weights of this size overflow on the way
    if largest > 1 + ROUNDING:
        raise NonConforming(
            f"{subject.what} makes pixels of up to ±{largest:.3g} when its weights grow, where [-1, 1] is "
            f"expected; end it with a tanh."
        )


def _check_copying(subject: Network) -> None:
    """A moving average begins as a copy of a network that is in training."""
    network = subject.built().train()
    subject.run(network, subject.samples())
    with blamed(
        f"{subject.what}, copied after a pass,", "keep no results of forward in attributes: a moving average is a deep copy"
    ):
        copy.deepcopy(network)


def _check_half_precision(subject: Network, target: Space) -> None:
    where = " under bf16 autocast"
    network = subject.built().train()
    with torch.autocast("cpu", torch.bfloat16):
        made = subject.run(network, subject.samples(), expected="bf16 must work as well")
    _check_numbers(subject, made, where)
    check_finite_gradients(subject, network, made, where)
