"""What all checks have in common."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from translate.data.domain import Space
from translate.errors import TranslateError, UserError
from translate.options import Part, kind
from translate.plugins import Plugins
from translate.randomness import seeded
from translate.recipe import Make

CPU = torch.device("cpu")
#: Samples in a batch: batch normalisation of two has hardly a gradient.
BATCH = 4


class NonConforming(AssertionError):
    """A part breaks its contract; the message says what was found, what was expected and what to do."""


@contextmanager
def blamed(what: str, expected: str) -> Iterator[None]:
    """Inside, whatever a part raises is a fault of it, but for a refusal on purpose (UserError) and what a check says."""
    try:
        yield
    except (NonConforming, UserError):
        raise
    except TranslateError as error:  # already a sentence for its author
        raise NonConforming(str(error)) from error
    except Exception as error:  # of whatever kind: it is its author's
        said = " ".join(str(error).split()).rstrip(".")
        raise NonConforming(f"{what} raises {type(error).__name__}{f' ({said})' if said else ''}; {expected}.") from error


@cache
def no_plugins() -> Plugins:
    """Empty registries: a part under test is given as an object."""
    return Plugins(allowed=())


def part_of(factory: object, text: str) -> Part:
    """``factory`` under the name and with the options that ``text``, such as ``resnet:blocks=1``, gives it."""
    return replace(Part.parse(text) if text else Part.of(factory), given=factory)


def maker(*spaces: Space) -> Make:
    """Makes parts as a run on ``spaces`` does."""
    return Make(no_plugins(), spaces)


def space(channels: int, size: tuple[int, int], name: str = "x") -> Space:
    """What pictures of so many channels are."""
    return Space(name, (channels, *size))


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Uniform in [-1, 1], from a generator of its own: the caller's is left alone."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def shown(tensor: Tensor) -> str:
    """A tensor's shape, for sentences."""
    return str(tuple(tensor.shape))


def check_options(factory: object, what: str) -> None:
    """The ``Options`` of a part are a frozen dataclass whose fields have types that can be read and help texts."""
    options = getattr(factory, "Options", None)
    if options is None:
        return
    if not (isinstance(options, type) and is_dataclass(options)):
        raise NonConforming(f"{what} has Options that are no dataclass; write @dataclass(frozen=True) above the class.")
    if not options.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # typeshed leaves it out
        raise NonConforming(
            f"{what} has Options that can be changed, and a run records them once; write @dataclass(frozen=True) above the class."
        )
    for each in fields(options):
        with blamed(f"Option '{each.name}' of {what}", "write a type that can be found from the module of the class"):
            kind(options, each.name)
        if not each.metadata.get("help"):
            raise NonConforming(
                f"Option '{each.name}' of {what} has no help text, which --help and 'translate show' print; declare it as "
                f"{each.name}: TYPE = translate.option(DEFAULT, 'what it does')."
            )


def unchanged(what: str, before: Sequence[Tensor], after: Sequence[Tensor]) -> None:
    """Raise NonConforming where a part changed the samples that it was shown."""
    if not all(torch.equal(*pair) for pair in zip(before, after, strict=True)):
        raise NonConforming(
            f"{what} changes the samples that it is shown, which others are shown as well; avoid operations in place on them, "
            f"such as a ReLU(inplace=True) in front."
        )


@contextmanager
def caller_untouched(what: str, doing: str) -> Iterator[None]:
    """Raise NonConforming where a global generator of random numbers moves inside."""
    before = _generators()
    yield
    moved = [name for name, state in _generators().items() if state != before[name]]
    if moved:
        raise NonConforming(
            f"{what}, {doing}, draws from the global generator of {moved[0]}, which the caller may use and no run seeds, so that "
            f"none can be repeated; draw by torch functions, which the engine seeds, or from the batch: batch.uniform(PURPOSE)."
        )


def _generators() -> dict[str, object]:
    _, words, *rest = np.random.get_state()
    numpy = (words.tobytes(), *rest) if isinstance(words, np.ndarray) else words
    return {"torch": torch.get_rng_state().numpy().tobytes(), "numpy": numpy, "the module random": random.getstate()}


# Second derivatives

#: Steps of finite differences, for numbers of 64 and of 32 bits: short, so that few kinks of a piecewise linear function lie within.
STEPS = {torch.float64: 1e-7, torch.float32: 1e-2}
#: Kinks that do lie within are elsewhere in another draw.
DRAWS = 3


def second_derivative_fault(value: Callable[[], Tensor], leaves: Sequence[Tensor]) -> str:
    """What is wrong with the second derivative of a scalar with respect to ``leaves``, as part of a sentence; empty where nothing is.

    The derivative of the gradient along random directions, by autograd and by finite differences. A custom ``autograd.Function`` whose
    backward is not itself made of differentiable operations gives zeros without a word: hence the figures.
    """
    try:
        if any(_second_derivatives_agree(value, leaves, seed) for seed in range(DRAWS)):
            return ""
    except RuntimeError as error:  # what autograd raises where there is no second derivative
        return f"cannot be computed ({' '.join(str(error).split())[:160].rstrip('.')})"
    return "differs from that of finite differences"


def _second_derivatives_agree(value: Callable[[], Tensor], leaves: Sequence[Tensor], seed: int) -> bool:
    chance = torch.Generator().manual_seed(seed)
    directions = [torch.randn(each.shape, dtype=each.dtype, generator=chance) for each in leaves]

    def gradient(again: bool = False) -> list[Tensor]:
        with seeded(CPU, seed):
            return _filled(torch.autograd.grad(value(), leaves, create_graph=again, allow_unused=True), leaves)

    first = gradient(again=True)
    slope = torch.stack([(each * way).sum() for each, way in zip(first, directions, strict=True)]).sum()
    second = _filled(
        torch.autograd.grad(slope, leaves, allow_unused=True) if slope.requires_grad else [None] * len(leaves), leaves
    )
    step = STEPS[torch.float64 if value().dtype == torch.float64 else torch.float32]

    def moved(by: float) -> list[Tensor]:
        with torch.no_grad():
            torch._foreach_add_(list(leaves), directions, alpha=by)
        return gradient()

    ahead, behind = moved(step), moved(-2 * step)
    moved(step)
    measured = [(one - other) / (2 * step) for one, other in zip(ahead, behind, strict=True)]
    error = _norm([one - other for one, other in zip(second, measured, strict=True)])
    return error <= 0.02 * _norm(measured) + 1e-4 * _norm(first)


def _filled(gradients: Sequence[Tensor | None], leaves: Sequence[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(leaf) if each is None else each for each, leaf in zip(gradients, leaves, strict=True)]


def _norm(tensors: Sequence[Tensor]) -> float:
    return float(torch.stack([each.detach().double().square().sum() for each in tensors]).sum().sqrt())
