"""Games: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kit import Doubled, Gap, Once, faults
from torch.nn import functional

import translate
from translate import UserError
from translate.options import Part
from translate.plugins import installed
from translate.testing import NonConforming, check_game


@pytest.mark.parametrize(
    "part", [*installed().adversarial_losses, *(f"{name}:r1=1,r2=2" for name in installed().adversarial_losses)]
)
def test_built_in_games_conform(part):
    check_game(installed().adversarial_losses[Part.parse(part).name], part=part)


class Counts(Gap):
    def __init__(self):
        super().__init__()
        self.register_buffer("asked", torch.ones(()))

    def ask(self, judge, samples):
        self.asked = self.asked + 1
        return super().ask(judge, samples) * self.asked


class OnceAndSaysSo(Gap):
    twice_differentiable = False

    def cost(self, scores):
        return Once.apply(functional.softplus(scores)).mean()


class LooksAtFeatures(Gap):
    def generator(self, judge, real, fake, clock):
        seen = [translate.upcast(judge.features(each)[0]).mean(0) for each in (real, fake)]
        return {"match": (seen[0] - seen[1]).square().mean()}


class PicturesOnly(Gap):
    def ask(self, judge, samples):
        if samples.dim() != 4:
            raise UserError("This game takes pictures.")
        return super().ask(judge, samples)


@pytest.mark.parametrize("good", [Gap, Gap(), Counts, OnceAndSaysSo, LooksAtFeatures, PicturesOnly])
def test_a_plain_game_conforms(good):
    check_game(good)


class Vector(Gap):
    def cost(self, scores):
        return functional.softplus(scores).flatten(1).mean(1)


class Unnamed(Gap):
    def generator(self, judge, real, fake, clock):
        return super().generator(judge, real, fake, clock)["fool"]


class LogOfSigmoid(Gap):
    def cost(self, scores):
        return -(1 - scores.sigmoid()).log().mean()


class GradientOverflows(Gap):
    def cost(self, scores):
        return torch.where(scores > 20, scores, scores.mul(2).exp().log1p() / 2).mean()


class RootOfNothing(Gap):
    def cost(self, scores):
        return functional.softplus(scores).mean() + (scores - scores.detach()).square().sqrt().mean()


class DetachesFake(Gap):
    def generator(self, judge, real, fake, clock):
        return super().generator(judge, real, fake.detach(), clock)


class DetachesJudge(Gap):
    def discriminator(self, judge, real, fake, clock):
        with torch.no_grad():
            return super().discriminator(judge, real, fake, clock)


class GeneratorReversed(Gap):
    def generator(self, judge, real, fake, clock):
        return {"fool": self.cost(self.ask(judge, fake))}


class DiscriminatorReversed(Gap):
    def discriminator(self, judge, real, fake, clock):
        return super().discriminator(judge, fake, real, clock)


class ClipsFakes(Gap):
    def ask(self, judge, samples):
        with torch.no_grad():
            samples.clamp_(-0.5, 0.5)
        return super().ask(judge, samples)


class FreezesJudge(Gap):
    def generator(self, judge, real, fake, clock):
        judge.requires_grad_(False)
        return super().generator(judge, real, fake, clock)


class SwitchesJudge(Gap):
    def discriminator(self, judge, real, fake, clock):
        judge.eval()
        return super().discriminator(judge, real, fake, clock)


class ClipsWeights(Gap):
    def discriminator(self, judge, real, fake, clock):
        with torch.no_grad():
            for each in judge.parameters():
                each.clamp_(-0.01, 0.01)
        return super().discriminator(judge, real, fake, clock)


class NumpyLabels(Gap):
    def cost(self, scores):
        return functional.softplus(scores).mean() * np.random.uniform(0.9, 1.0)


class NoSecond(Gap):
    def cost(self, scores):
        return Doubled.apply(functional.softplus(scores)).mean()


class RaisesAtSecond(Gap):
    def cost(self, scores):
        return Once.apply(functional.softplus(scores)).mean()


class HalfLosses(Gap):
    def ask(self, judge, samples):
        return judge(samples)


class Unhashable(Gap):
    def phase(self, clock):
        return [clock.step]


class FailsOnPoints(Gap):
    def ask(self, judge, samples):
        return super().ask(judge, functional.avg_pool2d(samples, 1))


class Penalises(Gap):
    def discriminator(self, judge, real, fake, clock):
        points = translate.upcast(real.detach()).requires_grad_()
        (slope,) = torch.autograd.grad(self.ask(judge, points).sum(), points, create_graph=True)
        return super().discriminator(judge, real, fake, clock) | {"r1": translate.upcast(slope).square().mean()}


class Refuses(Gap):
    def check(self, judge, part):
        raise UserError("It wants another judge.")


class PacksByTwo(Gap):
    def ask(self, judge, samples):
        return super().ask(judge, torch.cat(samples.chunk(2), 1))


@faults(
    (Vector, r"Method 'discriminator' of Vector returns a loss 'tell' that is of the shape \(4,\); it must be a scalar tensor"),
    (Unnamed, r"Method 'generator' of .* returns a Tensor; it must return a dictionary of named losses"),
    (LogOfSigmoid, r"Loss 'tell' of the discriminator in .* is inf at scores of about .50 for reals .* softplus"),
    (GradientOverflows, r"has gradients that are infinite or NaN at scores of about"),
    (RootOfNothing, r"has gradients to the judge that are infinite or NaN; avoid what has no derivative, such as a square root"),
    (DetachesFake, r"What the generator minimises in .* has no gradient to the fakes"),
    (DetachesJudge, r"What the discriminator minimises in .* has no gradient to the judge"),
    (
        GeneratorReversed,
        r"What the generator minimises in .* where the judge scores fakes higher than reals, .* turn its sign round",
    ),
    (DiscriminatorReversed, r"What the discriminator minimises in .* where the judge scores reals high .* turn its sign round"),
    (ClipsFakes, r"Method 'discriminator' of .* changes the samples"),
    (FreezesJudge, r"Method 'generator' of .* changes the judge, its mode or which of its parameters need gradients"),
    (SwitchesJudge, r"Method 'discriminator' of .* changes the judge, its mode"),
    (ClipsWeights, r"Method 'discriminator' of .* changes the judge"),
    (NumpyLabels, r"gives the discriminator something else for the same samples under the same seed"),
    (NoSecond, r"The second derivative of what the discriminator minimises in .* differs .*twice_differentiable = False"),
    (RaisesAtSecond, r"The second derivative of what the discriminator minimises in .* cannot be computed \(no derivative\)"),
    (HalfLosses, r"Loss 'tell' .* is bfloat16 under bf16 autocast, where float32 is expected; take scores by translate.upcast"),
    (Unhashable, r"Method 'phase' of .* raises TypeError"),
    (FailsOnPoints, r"Method 'discriminator' of .* for samples of the shape \(4, 2\), raises IndexError"),
    (Penalises, r"differentiates scores by the samples, and accepts a judge with batch normalisation"),
    (PacksByTwo, r"raises RuntimeError"),
)
def test_a_faulty_game_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_game(faulty)


def test_a_game_that_refuses_the_small_judge_is_heard():
    with pytest.raises(UserError, match="another judge"):
        check_game(Refuses)
