"""Recipes: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import itertools
import random
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from kit import Painter, Tiny, faults
from torch import nn
from torch.nn import functional

from translate import SGD, Frozen, Preset, Update
from translate.plugins import installed
from translate.testing import NonConforming, check_recipe

POINTS = {"domains": ("points:ring8",), "batch": 16}


NARROW_RUNS: dict[str, dict[str, Any]] = {
    "cyclegan": {
        "domains": ("horse", "zebra"),
        "preset": "paper",
        "size": 16,
        "generator": "resnet:blocks=1,channels=4",
        "discriminator": "patch:channels=4,layers=1",
        "pool_size": 3,
    },
    "dcgan": {
        "domains": ("digits",),
        "size": 28,
        "generator": "dcgan:channels=2",
        "discriminator": "dcgan:channels=2",
        "ema": 0.9,
    },
    "discogan": {
        "domains": ("bags", "shoes"),
        "size": 16,
        "generator": "discogan:channels=2",
        "discriminator": "discogan:channels=2",
    },
    "one-sided": {
        "domains": ("bags", "shoes"),
        "size": 16,
        "generator": "resnet:blocks=1,channels=4",
        "discriminator": "patch:channels=4,layers=1",
    },
    "vanilla": {"domains": ("points:ring8",), "preset": "points", "generator": "mlp:widths=8", "discriminator": "mlp:widths=8"},
}


@pytest.mark.parametrize("recipe", installed().recipes)
def test_built_in_recipes_conform(recipe):
    check_recipe(recipe, **NARROW_RUNS[recipe])


def test_a_small_recipe_conforms():
    check_recipe(Tiny, **POINTS)


class InNoGroup(Tiny):
    """A network that nobody trains."""

    def build(self, make):
        super().build(make)
        self.E = nn.Linear(2, 2)


class InTwoGroups(Tiny):
    """A layer that both sides have."""

    def build(self, make):
        super().build(make)
        self.D.spare = self.G


class HiddenState(Tiny):
    """Counts on the side."""

    def build(self, make):
        super().build(make)
        self.calls = 0

    def step(self, batches, clock):
        self.calls += 1
        yield from super().step(batches, clock)

    def cost(self, scores):
        return super().cost(scores * self.calls)


class SharedState(Tiny):
    """Counts on the class."""

    calls = itertools.count(1)

    def cost(self, scores):
        return super().cost(scores * next(self.calls))


class NumpyDraws(Tiny):
    """Draws from numpy's generator."""

    def cost(self, scores):
        return super().cost(scores * np.random.uniform())


class PythonDraws(Tiny):
    """Draws from Python's generator."""

    def cost(self, scores):
        return super().cost(scores * random.random())


class OneSided(Tiny):
    """The judge alone learns."""

    def step(self, batches, clock):
        yield next(super().step(batches, clock))


class NothingChanges(Tiny):
    """At a rate of 0."""

    def optimisers(self):
        return {"judge": SGD(over=("D",), lr=0.1), "maker": SGD(over=("G",), lr=0.0)}


class WrongShape(Tiny):
    """Points of one coordinate."""

    def sample(self, noise):
        return self.G(noise)[:, :1]


class NotANumber(Tiny):
    """Samples that are none."""

    def sample(self, noise):
        return self.G(noise) / 0


class ToNoEnd(Tiny):
    """Makes nothing."""

    def build(self, make):
        super().build(make)
        self.latent = None

    def step(self, batches, clock):
        fake = self.G(torch.randn(len(batches[0]), 3))
        yield Update("judge", {"tell": self.cost(self.D(fake) - self.D(batches[0].images[0]))})
        yield Update("maker", {"fool": self.cost(-self.D(fake))})


class KeptBack(Tiny):
    """Samples by what it does not export."""

    def sample(self, noise):
        return self.G(noise) + self.D.weight


class Overflows(Tiny):
    """Losses without an end."""

    def cost(self, scores):
        return super().cost(scores) / 0


class VectorLoss(Tiny):
    """A loss a sample."""

    def cost(self, scores):
        return functional.softplus(scores).flatten()


class UnknownGroup(Tiny):
    """An update for nobody."""

    def step(self, batches, clock):
        for update in super().step(batches, clock):
            yield Update(update.group + "s", update.losses)


class Undocumented(Tiny):
    pass


class ExportsNothing(Tiny):
    """No weights."""

    exports = ()


class BadPreset(Tiny):
    """A preset with an option that is not there."""

    presets: ClassVar = {"quick": Preset("as it was", options={"rate": 1})}


class OddBatches(Tiny):
    """One update more for every other batch that it meets."""

    def build(self, make):
        super().build(make)
        self.register_buffer("met", torch.zeros(()))

    def step(self, batches, clock):
        self.met += 1
        odd = int(self.met) % 2
        yield from super().step(batches, clock)
        if odd:
            yield from super().step(batches, clock)


class HalfLoss(Tiny):
    """Leaves half precision as it is."""

    def cost(self, scores):
        return functional.softplus(scores).mean()


class HalfOverflows(Tiny):
    """Cannot do without full precision."""

    def cost(self, scores):
        return super().cost(scores if scores.dtype == torch.float32 else scores / 0)


class UnnamedFrozen(Tiny):
    """An eye that nobody knows."""

    def build(self, make):
        super().build(make)
        self.eye = Frozen(nn.Linear(2, 2), {})


@faults(
    (
        InNoGroup,
        r"Recipe '<.*InNoGroup>': 'E' could be trained and is in no group; add to a plan's 'over' .*requires_grad_\(False\)",
    ),
    (InTwoGroups, r"'G.weight' of group 'maker' is 'D.spare.weight' of group 'judge' as well"),
    (HiddenState, r"does not go on from a checkpoint as it would have without a stop: 'recipe/.*register_buffer"),
    (SharedState, r"trains differently when it is run again under the same seed: .* on the class"),
    (NumpyDraws, r"draws from the global generator of numpy, .* batch.uniform"),
    (PythonDraws, r"draws from the global generator of the module random"),
    (OneSided, r"yields no update for group 'maker' in 4 steps"),
    (NothingChanges, r"exports 'G', which 4 steps have not changed"),
    (WrongShape, r"makes samples of the shape \(2, 1\), where \(2, 2\) is expected"),
    (NotANumber, r"makes samples that are infinite or NaN"),
    (ToNoEnd, r"neither translates nor samples"),
    (KeptBack, r"makes other samples when its weights are loaded from a file; keep all .* 'exports'"),
    (Overflows, r"Loss 'judge/tell' of Recipe .* is inf at step 1"),
    (VectorLoss, r"Loss 'judge/tell' has the shape \(16,\); it must be a scalar"),
    (UnknownGroup, r"yields an update for 'judges', which has no optimiser plan"),
    (Undocumented, r"has no docstring"),
    (ExportsNothing, r"exports no network"),
    (BadPreset, r"Preset 'quick' of Recipe .* cannot be used: .* no option 'rate'"),
    (HalfLoss, r"Loss 'judge/tell' of Recipe .* under bf16 autocast is bfloat16, where float32 is expected; .*translate.upcast"),
    (HalfOverflows, r"Loss 'judge/tell' of Recipe .* under bf16 autocast is (inf|nan) at step 1"),
    (UnnamedFrozen, r"holds a frozen network, .* with the backbones {}"),
    (OddBatches, r"yields fewer updates for one accumulated batch than for another"),
)
def test_a_faulty_recipe_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_recipe(faulty, **POINTS)


class TooBright(Painter):
    """Beyond white."""

    def sample(self, noise):
        return 9 * self.G(noise)


def test_a_recipe_whose_pictures_leave_the_range_is_told_so():
    check_recipe(Painter, domains=("digits",), size=16)
    with pytest.raises(NonConforming, match=r"makes samples with pixels from -\S+ to \S+, where \[-1, 1\] is expected"):
        check_recipe(TooBright, domains=("digits",), size=16)
