"""Image losses: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import numpy as np
import parts
import pytest
from kit import Doubled, Squared, faults

from translate import ImageLoss
from translate.options import Part
from translate.plugins import installed
from translate.testing import NonConforming, check_image_loss


@pytest.mark.parametrize(
    "part",
    [*parts.forms("loss"), "l1:unit=true", "huber:delta=0.1", "ssim:window=5,l1=0.2", "feature-matching:paired=false"],
)
def test_built_in_image_losses_conform(part):
    name = Part.parse(part).name
    for registry in (installed().cycle_losses, installed().reconstruction_losses):
        check_image_loss(registry[name], part=part)


class NotTwice(Squared):
    twice_differentiable = False

    def distance(self, output, target):
        return Doubled.apply(output - target).mean()


@pytest.mark.parametrize("good", [Squared, Squared(), NotTwice])
def test_a_plain_image_loss_conforms(good):
    check_image_loss(good)


class Negative(Squared):
    def distance(self, output, target):
        return super().distance(output, target) - 1


class Root(Squared):
    def distance(self, output, target):
        return super().distance(output, target).sqrt()


class Map(Squared):
    def distance(self, output, target):
        return (output - target).square()


class LooksAtTarget(Squared):
    def distance(self, output, target):
        return super().distance(output.detach(), target)


class NotTwiceAndSilent(Squared):
    def distance(self, output, target):
        return Doubled.apply(output - target).mean()


class Offset(Squared):
    def distance(self, output, target):
        return (output - 0.9 * target).square().mean()


class Infinite(Squared):
    def distance(self, output, target):
        return 1 / super().distance(output, target)


class HalfDistance(ImageLoss):
    def forward(self, output, target):
        return (output.flatten(1) @ target.flatten(1).T - target.flatten(1) @ target.flatten(1).T).square().mean()


class NumpyWeight(Squared):
    def distance(self, output, target):
        return super().distance(output, target) * np.random.uniform(0.5, 1.0)


class Blurs(ImageLoss):
    def forward(self, output, target):
        target.mul_(0.5)
        return (output - target).square().mean()


class AsksForJudge(Squared):
    needs_judge = True

    def forward(self, output, target, judge):
        return judge.nothing(output)


@faults(
    (Negative, r"Image loss '<.*Negative>' is -\S+; a distance must be at least 0|is -\S+.*; a distance must be at least 0"),
    (Root, r"has a gradient that is infinite or NaN where the pictures are equal; .* such as a square root at 0"),
    (Map, r"returns is of the shape \(4, 3, 32, 32\); it must be a scalar tensor"),
    (LooksAtTarget, r"has no gradient to its first argument, the output, so that no network learns"),
    (NotTwiceAndSilent, r"The second derivative of Image loss .* differs .*twice_differentiable = False"),
    (Offset, r"is \S+ for equal pictures and \S+ for different ones; it must be least where they are equal"),
    (Infinite, r"is inf for equal pictures; a distance must be finite"),
    (HalfDistance, r"returns bfloat16 under bf16 autocast, where float32 is expected"),
    (NumpyWeight, r"says something else of the same pictures under the same seed|must be least"),
    (Blurs, r"changes the samples that it is shown"),
    (AsksForJudge, r"raises AttributeError"),
)
def test_a_faulty_image_loss_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_image_loss(faulty)
