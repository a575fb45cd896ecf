"""Scores: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from kit import faults

from translate import Evidence, Figure, Score, Space, UserError
from translate.plugins import installed
from translate.testing import NonConforming, check_score


@pytest.mark.parametrize("name", installed().scores)
def test_built_in_scores_conform(name):
    check_score(installed().scores[name], part=name)


def test_the_coverage_of_modes_conforms_where_they_are_known():
    from translate_datasets.points import Points

    points = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
    known = Evidence(Space("points:ring8", (2,), "float32", (-1.0, 1.0)), Points("points:ring8", "train"), points, points)
    check_score(installed().scores["modes"], part="modes", evidence=[known])


class Brightness(Score):
    """How much brighter outputs are than real samples."""

    def __call__(self, evidence):
        return self.figures(evidence.outputs.mean().item() - evidence.real.mean().item())

    def figures(self, value):
        return {"brightness": Figure(value)}


class Unknown(Brightness):
    def figures(self, value):
        return {"brightness": Figure(math.nan, note="nobody knows"), "interval": Figure(value, "lower", value - 1, value + 1)}


class Seeded(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value + np.random.default_rng(0).uniform())}


class Truth(Score):
    needs = frozenset({"truth"})

    def __call__(self, evidence):
        return {"error": Figure((evidence.outputs - evidence.truth).abs().mean().item(), "lower")}


class NotOfPoints(Brightness):
    def unfit(self, evidence):
        return "" if evidence.target.is_picture else "points have no brightness"

    def __call__(self, evidence):
        assert evidence.outputs.dim() == 4
        return super().__call__(evidence)


class Tensors(Brightness):
    def figures(self, value):
        return {"brightness": Figure(torch.tensor(value))}


@pytest.mark.parametrize("good", [Brightness, Unknown, Seeded, Truth, NotOfPoints, Tensors])
def test_a_plain_score_conforms(good):
    check_score(good)


class NeedsAge(Brightness):
    needs = frozenset({"age"})


class NeedsBoth(Brightness):
    needs = frozenset({"pictures", "points"})


class Undeclared(Brightness):
    def __call__(self, evidence):
        return self.figures((evidence.outputs - evidence.truth).abs().mean().item())


class AsManyOfBoth(Brightness):
    def __call__(self, evidence):
        return self.figures((evidence.outputs - evidence.real).abs().mean().item())


class AsManyChannels(Brightness):
    needs = frozenset({"inputs"})

    def __call__(self, evidence):
        return self.figures((evidence.outputs[:, 1] - evidence.inputs[:, 1]).mean().item())


class PicturesOnly(Brightness):
    def __call__(self, evidence):
        return self.figures(evidence.outputs[:, 0, 0, 0].mean().item())


class Floats(Brightness):
    def figures(self, value):
        return {"brightness": value}


class Alone(Brightness):
    def figures(self, value):
        return Figure(value)


class Nothing(Brightness):
    def figures(self, value):
        return {}


class Vectors(Brightness):
    def figures(self, value):
        return {"brightness": Figure(torch.tensor([value, value]))}


class Whether(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value > 0)}


class Unexplained(Brightness):
    def figures(self, value):
        return {"brightness": Figure(math.nan)}


class Infinite(Brightness):
    def figures(self, value):
        return {"brightness": Figure(math.inf)}


class EndsInside(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value, low=value, high=math.inf)}


class Reversed(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value, low=2.0, high=1.0)}


class More(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value, "more")}


class Chance(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value, low=value - torch.rand(()).item())}


class NumpyChance(Brightness):
    def figures(self, value):
        return {"brightness": Figure(value + np.random.uniform())}


class Clips(Brightness):
    def __call__(self, evidence):
        evidence.outputs.clamp_(-0.5, 0.5)
        return super().__call__(evidence)


class SaysNothing(Brightness):
    def unfit(self, evidence):
        return None


class NoScore:
    pass


@faults(
    (NeedsAge, r"Score '<.*NeedsAge>' needs 'age', which nobody can give; it may need features, inputs, .*"),
    (NeedsBoth, r"needs pictures, points at once, which no evidence has; let out of 'needs'"),
    (Undeclared, r"given x→y, raises TypeError .* name in 'needs' what it cannot do without"),
    (AsManyOfBoth, r"raises RuntimeError"),
    (AsManyChannels, r"given x→y, raises IndexError"),
    (PicturesOnly, r"given points, raises IndexError .* or say by unfit\(\)"),
    (Floats, r"returns float values by str; it must return translate.Figure values by name"),
    (Alone, r"returns a Figure; it must"),
    (Nothing, r"returns no figure; return one"),
    (Vectors, r"A figure has the value tensor\(.*, and must have one number"),
    (Whether, r"Figure 'brightness' of .* has the value (True|False); it must be a finite number"),
    (Unexplained, r"Figure 'brightness' of .* is NaN, and does not say why; give it a note"),
    (Infinite, r"has the value inf; it must be a finite number"),
    (EndsInside, r"has the value inf; it must be a finite number"),
    (Reversed, r"has the interval \[2, 1\]; the lower end comes first"),
    (More, r"says that 'more' is better; it must be 'higher', 'lower' or ''"),
    (Chance, r"gives other figures for the same evidence; draw from a generator that evidence.seed seeds"),
    (NumpyChance, r"gives other figures for the same evidence"),
    (Clips, r"changes the samples that it is shown"),
    (SaysNothing, r"Method 'unfit' of .* returns a NoneType; it must return a text"),
    (NoScore, r"is of the class NoScore, and must be a Score"),
)
def test_a_faulty_score_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_score(faulty)


class OnlyMine(Floats):
    """Wrong, where it can be computed."""

    def unfit(self, evidence):
        return "" if evidence.seed == 7 else "it is not mine"


def test_evidence_of_ones_own_is_tried_as_well():
    check_score(OnlyMine)
    mine = Evidence(Space("y", (3, 8, 8)), SimpleNamespace(), torch.zeros(2, 3, 8, 8), torch.zeros(3, 3, 8, 8), seed=7)
    with pytest.raises(NonConforming, match="returns float values"):
        check_score(OnlyMine, evidence=[mine])


class RefusesAll(Brightness):
    def __call__(self, evidence):
        raise UserError("Install what it needs.")


def test_a_refusal_comes_through():
    with pytest.raises(UserError, match="Install what it needs"):
        check_score(RefusesAll)
