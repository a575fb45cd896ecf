"""Diagnoses: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import math

import pytest
import torch
from kit import faults

from translate import Diagnosis, Finding, UserError
from translate.plugins import installed
from translate.testing import NonConforming, check_diagnosis


@pytest.mark.parametrize("name", installed().diagnoses)
def test_built_in_diagnoses_conform(name):
    check_diagnosis(installed().diagnoses[name], part=name)


class Ever(Diagnosis):
    """A loss beyond all bounds."""

    def judge(self, history):
        losses = history[-1].losses
        return self.found(max(losses.values())) if losses and max(losses.values()) > 100 else None

    def found(self, value):
        return Finding(f"A loss is {value:g}.", "Lower the learning rate.")


class Silent(Diagnosis):
    def judge(self, history):
        return None


class Measures(Ever):
    def measure(self, engine):
        return {"weight": next(engine.recipe.parameters()).abs().max().item(), "unknown": math.nan}


@pytest.mark.parametrize("good", [Ever, Silent, Measures])
def test_a_plain_diagnosis_conforms(good):
    check_diagnosis(good)


class Impatient(Ever):
    def judge(self, history):
        return self.found(0) if len(history) > 3 and history[-1].losses != history[-2].losses else None


class LooksTooFar(Ever):
    def judge(self, history):
        return self.found(1) if history[-5].step > 1000 else None


class CountsOnLosses(Ever):
    def judge(self, history):
        return self.found(1) if history[-1].losses["generators/fool"] > 100 else None


class CountsOnSignals(Ever):
    def judge(self, history):
        return self.found(1) if history[-1].signals["gradient/generators"] > 1e9 else None


class Says(Ever):
    def found(self, value):
        return f"A loss is {value}."


class NoAdvice(Ever):
    def found(self, value):
        return Finding("A loss is large.", "")


class AskedOnce(Ever):
    def __init__(self):
        self.last = None

    def judge(self, history):
        asked, self.last = self.last == len(history), len(history)
        return None if asked else super().judge(history)


class Remembers(Ever):
    def __init__(self):
        self.before = 0

    def judge(self, history):
        found = super().judge(history)
        self.before += found is not None
        return found if self.before > 3 else None


class MeasuresTensors(Ever):
    def measure(self, engine):
        return {"weight": next(engine.recipe.parameters()).max()}


class MeasuresNothing(Ever):
    def measure(self, engine):
        return None


class Heals(Ever):
    @torch.no_grad()
    def measure(self, engine):
        for each in engine.recipe.parameters():
            each.mul_(0.5)
        return {}


class LeavesItAsleep(Ever):
    def measure(self, engine):
        engine.recipe.eval()
        return {}


class OnlyTranslations(Ever):
    def measure(self, engine):
        return {"first": engine.recipe.translate(engine.real(0), 0, 1).mean().item()}


class OnlySamples(Ever):
    def measure(self, engine):
        return {"first": engine.recipe.sample(engine.recipe.latent.draw(1)).mean().item()}


class NoDiagnosis:
    pass


@faults(
    (Impatient, r"Diagnosis '<.*Impatient>' finds something at report 4 of a run whose losses and gradients only fluctuate"),
    (LooksTooFar, r"at report 1 of a run, raises IndexError .* it must return None where it cannot tell"),
    (CountsOnLosses, r"at report 2 of a run, raises KeyError"),
    (CountsOnSignals, r"of a run, raises KeyError"),
    (Says, r"returns 'A loss is \S+'; it must be None, or translate.Finding"),
    (NoAdvice, r"returns Finding\(.*advice=''\); it must be None, or"),
    (AskedOnce, r"finds something else in the same reports when it is asked again"),
    (Remembers, r"made anew, finds something else in the same reports, as when a run is resumed; judge by the history"),
    (MeasuresTensors, r"Method 'measure' of .* returns {'weight': tensor.*numbers by name, such as float\(tensor\)"),
    (MeasuresNothing, r"Method 'measure' of .* returns None"),
    (Heals, r"Method 'measure' of .* changes 'recipe/G.* of the engine; leave the engine as it was"),
    (LeavesItAsleep, r"Method 'measure' of .* changes the mode of its networks"),
    (OnlySamples, r"Method 'measure' of .* raises AttributeError .* none where it cannot tell"),
    (NoDiagnosis, r"is of the class NoDiagnosis, and must be a Diagnosis"),
)
def test_a_faulty_diagnosis_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_diagnosis(faulty)


def test_what_a_diagnosis_refuses_comes_through():
    with pytest.raises(UserError, match="does not map one domain to another"):
        check_diagnosis(OnlyTranslations)
