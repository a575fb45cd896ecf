"""Discriminators: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import parts
import pytest
import torch
from kit import Critic, Doubled, Once, faults
from torch import nn

from translate import UserError
from translate.options import Part
from translate.plugins import installed
from translate.testing import NonConforming, Traits, check_discriminator


@pytest.mark.parametrize("part", parts.forms("discriminator"))
def test_built_in_discriminators_conform(part):
    traits = check_discriminator(installed().discriminators[Part.parse(part).name], part=part)
    assert traits == Traits(couples_batch=parts.normalises_batches(part), shows_features=True)


class Probabilities(Critic):
    def score(self, scores):
        return scores.sigmoid()


class OnceButSaysSo(Critic):
    twice_differentiable = False

    def see(self, image):
        return Doubled.apply(self.first(image))


class Normalised(Critic):
    def __init__(self, space):
        super().__init__(space)
        self.norm = nn.BatchNorm2d(4)

    def see(self, image):
        return self.norm(self.first(image)).tanh()


@pytest.mark.parametrize("good", [Critic, Probabilities, OnceButSaysSo])
def test_a_plain_discriminator_conforms(good):
    assert check_discriminator(good) == Traits(couples_batch=False, shows_features=False)


def test_a_discriminator_may_couple_the_batch_in_training():
    assert check_discriminator(Normalised).couples_batch


class Coupled(Critic):
    def score(self, scores):
        return scores - scores.mean(0)


class Flattened(Critic):
    def score(self, scores):
        return scores.mean((1, 2, 3))


class OneForAll(Critic):
    def score(self, scores):
        return scores.mean().view(1, 1)


class Logarithm(Critic):
    def score(self, scores):
        return scores.log()


class NoSecondDerivative(Critic):
    def see(self, image):
        return Doubled.apply(self.first(image))


class RaisesAtSecondDerivative(Critic):
    def see(self, image):
        return Once.apply(self.first(image))


class SingleOnly(Critic):
    def see(self, image):
        return self.first(image.float())


class UnusedInCritic(Critic):
    def __init__(self, space):
        super().__init__(space)
        self.spare = nn.Linear(2, 2)


class HalfOverflowsInCritic(Critic):
    def score(self, scores):
        return scores if scores.dtype != torch.bfloat16 else scores / 0


class NoGraph(Critic):
    def score(self, scores):
        return scores.detach()


class HiddenInCritic(Critic):
    def __init__(self, space):
        super().__init__(space)
        self.scale = [torch.randn(())]  # where torch does not see it

    def score(self, scores):
        return scores * self.scale[0]


class ShowsATuple(Critic):
    def features(self, image):
        return (self.see(image),)


class ShowsMeans(Critic):
    def features(self, image):
        return [self.see(image).mean(), self.see(image)]


class ShowsDetached(Critic):
    def features(self, image):
        return [self.see(image).detach()]


class FailsToShow(Critic):
    def features(self, image):
        return self.first[0](image)


@faults(
    (Coupled, r"Discriminator '<.*Coupled>' gives a sample other scores in a batch than alone, in evaluation mode"),
    (Flattened, r"scores of the shape \(4,\) for 4 samples, where \(B, 1\) or \(B, 1, h, w\) is expected"),
    (OneForAll, r"scores of the shape \(1, 1\) for 4 samples"),
    (Logarithm, r"scores that are infinite, NaN"),
    (
        NoSecondDerivative,
        r"The second derivative of Discriminator .* differs from that of finite differences; .*twice_differentiable = F",
    ),
    (RaisesAtSecondDerivative, r"The second derivative of .* cannot be computed \(no derivative\)"),
    (SingleOnly, r"in float64, raises RuntimeError .* convert by translate.upcast"),
    (UnusedInCritic, r"parameters without a gradient: spare.weight, spare.bias"),
    (HalfOverflowsInCritic, r"scores that are infinite, NaN or no real numbers under bf16 autocast"),
    (NoGraph, r"has no graph, so that nothing can be learned"),
    (HiddenInCritic, r"something else after its state was stored and loaded"),
    (ShowsATuple, r"Method 'features' of .* returns a tuple for 4 samples; it must return a list of tensors"),
    (ShowsMeans, r"returns a list of \(\), \(4, 4, 8, 8\) for 4 samples"),
    (ShowsDetached, r"'features' of .* has no gradient to the samples"),
    (FailsToShow, r"Method 'features' of .* raises TypeError"),
)
def test_a_faulty_discriminator_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_discriminator(faulty, size=(16, 16), channels=(3,))


def test_a_refusal_of_a_discriminator_comes_through():
    with pytest.raises(UserError, match="at least 12 pixels a side"):
        check_discriminator(installed().discriminators["patch"], part="patch:channels=2,layers=2", size=(8, 8))
