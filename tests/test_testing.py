"""The conformance kit: built-in parts keep their contracts, and each fault that a check is for is found and named."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import parts
import pytest
import torch
from torch import nn
from torch.nn import functional

import translate
from translate import SGD, Augmentation, Domain, Game, ImageLoss, Latent, Preset, Recipe, Update, UserError, hookimpl, option
from translate.options import Part
from translate.plugins import installed
from translate.testing import (
    NonConforming,
    Result,
    Traits,
    check_augmentation,
    check_data,
    check_discriminator,
    check_game,
    check_generator,
    check_image_loss,
    check_import,
    check_listener,
    check_plugin,
    check_recipe,
)

SMALL = {"size": (16, 16), "channels": ((3, 3),)}
POINTS = {"domains": ("points:ring8",), "batch": 16}


def faults(*rows: tuple[Any, str]):
    """Faulty parts, and a pattern of the advice that each has to get."""
    return pytest.mark.parametrize(("faulty", "advice"), rows, ids=[getattr(row[0], "__name__", "fault") for row in rows])


@pytest.fixture(autouse=True)
def _callers_generators_are_left_alone(request):
    """No check, whatever it finds, moves a generator of random numbers that is the caller's."""
    before = torch.get_rng_state(), np.random.get_state()[2]
    yield
    if not any(word in request.node.name for word in ("Numpy", "numpy")):
        assert torch.equal(before[0], torch.get_rng_state())
        assert before[1] == np.random.get_state()[2]


class Doubled(torch.autograd.Function):
    """x → x², with a backward that keeps no graph: its second derivative is 0 without a word."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x.detach()
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.x * gradient.detach()


class Refusal(torch.autograd.Function):
    """x → x, without a derivative."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("no derivative")


class Once(torch.autograd.Function):
    """x → x², whose derivative has none."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return Refusal.apply(2 * ctx.saved_tensors[0] * gradient)


# Generators


@pytest.mark.parametrize("part", parts.forms("generator"))
def test_built_in_generators_conform(part):
    check_generator(installed().generators[Part.parse(part).name], part=part)


@pytest.mark.parametrize("takes", ["pictures", "noise"])
def test_a_generator_may_take_both(takes):
    check_generator(installed().generators["mlp"], part="mlp:widths=8", takes=takes)


class Net(nn.Module):
    """What everybody writes first, and it conforms."""

    def __init__(self, source, target):
        super().__init__()
        self.convolve = nn.Conv2d(source.channels, target.channels, 3, padding=1)

    def forward(self, image):
        return self.paint(self.convolve(image))

    def paint(self, features):
        return translate.upcast(features).tanh()


def test_a_plain_generator_conforms():
    check_generator(Net)


class Linear(Net):
    def paint(self, features):
        return 100 * translate.upcast(features)


class LinearWhenSmall(Net):
    def paint(self, features):
        return 0.1 * translate.upcast(features)


class Unused(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        self.spare = nn.Linear(3, 3)


class ShutOff(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        self.spare = nn.Conv2d(3, 3, 1)

    def forward(self, image):
        return self.paint(self.convolve(image) + 0 * self.spare(image))


class NumpyWeights(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        with torch.no_grad():
            self.convolve.weight.copy_(torch.from_numpy(np.random.standard_normal(self.convolve.weight.shape)))


class NumpyNoise(Net):
    def forward(self, image):
        return self.paint(self.convolve(image) + (np.random.standard_normal() if self.training else 0))


class AlwaysDropout(Net):
    def forward(self, image):
        return self.paint(functional.dropout(self.convolve(image), 0.5, training=True))


class HalfOverflows(Net):
    def paint(self, features):
        made = super().paint(features)
        return made if features.dtype == torch.float32 else made / 0


class HalfStays(Net):
    def paint(self, features):
        return features.tanh()


class HalfGradientOverflows(Net):
    def paint(self, features):
        made = translate.upcast(features).tanh()
        return made if features.dtype == torch.float32 else made + (features.float() * 0).sqrt()


class GreyOut(Net):
    def paint(self, features):
        return super().paint(features).mean(1, keepdim=True)


class RoundsUp(Net):
    def forward(self, image):
        small = functional.avg_pool2d(image, 4, ceil_mode=True)
        return self.paint(functional.interpolate(self.convolve(small), scale_factor=4))


class OnlyItsSize(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        self.position = nn.Parameter(torch.zeros(*target.size))

    def forward(self, image):
        return self.paint(self.convolve(image) + self.position)


class Transposed(Net):
    fixed_size = True

    def forward(self, image):
        return super().forward(image).mT


class Hidden(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        self.shift = torch.randn(())

    def paint(self, features):
        return super().paint(features + self.shift)


class Deaf(Net):
    def forward(self, image):
        return super().forward(image.detach())


class Scribbles(Net):
    def forward(self, image):
        with torch.no_grad():
            image.relu_()
        return super().forward(image)


class Remembers(Net):
    def forward(self, image):
        self.last = super().forward(image)
        return self.last


class Two(Net):
    def forward(self, image):
        return super().forward(image), None


class Fails(Net):
    def forward(self, image):
        return super().forward(image.view(-1))


class CannotBeMade(Net):
    def __init__(self):
        super().__init__()


class LooseOptions(Net):
    @dataclass
    class Options:
        channels: int = option(3, "channels")

    def __init__(self, source, target, options):
        super().__init__(source, target)


class PlainOptions(LooseOptions):
    class Options:
        channels = 3


class SilentOptions(LooseOptions):
    @dataclass(frozen=True)
    class Options:
        channels: int = 3


@faults(
    (Linear, r"Generator '<.*Linear>' makes pixels from -\S+ to \S+, where \[-1, 1\] is expected; end it with a tanh"),
    (LinearWhenSmall, r"makes pixels of up to ±\S+ when its weights grow, where \[-1, 1\] is expected"),
    (Unused, r"parameters without a gradient: spare.weight, spare.bias; use them"),
    (ShutOff, r"parameters without a gradient: spare.weight;"),
    (
        NumpyWeights,
        r"has another 'convolve.weight' when it is made again under the same seed; draw .* from torch's global generator",
    ),
    (NumpyNoise, r"gives something else for the same samples under the same seed, in training mode"),
    (AlwaysDropout, r"gives something else for the same samples at each call, in evaluation mode"),
    (HalfOverflows, r"makes pixels that are infinite or NaN under bf16 autocast"),
    (
        HalfStays,
        r"makes bfloat16 under bf16 autocast, where float32 is expected; compute its last layer under translate.full_precision",
    ),
    (HalfGradientOverflows, r"gradients that are infinite or NaN under bf16 autocast: convolve.weight, convolve.bias"),
    (GreyOut, r"makes the shape \(4, 1, 16, 16\), where \(4, 3, 16, 16\) is expected"),
    (RoundsUp, r"makes the shape \(4, 3, 20, 16\), where \(4, 3, 17, 16\) .* its stride, 1, promises .* set the 'stride'"),
    (OnlyItsSize, r"samples of the shape \(4, 3, 17, 16\), raises RuntimeError .* 'fixed_size' to true"),
    (Transposed, r"makes the shape \(4, 3, 24, 16\), where \(4, 3, 16, 24\) is expected"),
    (Hidden, r"something else after its state was stored and loaded .* by self.register_buffer.*; 'shift' is neither"),
    (Deaf, r"gives its input no gradient, .* avoid detach\(\)"),
    (Scribbles, r"changes the samples that it is shown"),
    (Remembers, r"copied after a pass, raises RuntimeError .* keep no results of forward in attributes"),
    (Two, r"returns a tuple; it must return one tensor"),
    (Fails, r"shown samples of the shape \(4, 3, 16, 16\), raises RuntimeError"),
    (CannotBeMade, r"could not be made \(TypeError"),
    (LooseOptions, r"has Options that can be changed, .*@dataclass\(frozen=True\)"),
    (PlainOptions, r"has Options that are no dataclass"),
    (SilentOptions, r"Option 'channels' of Generator .* has no help text, .* channels: TYPE = translate.option"),
)
def test_a_faulty_generator_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_generator(faulty, **SMALL)


def test_a_refusal_comes_through():
    with pytest.raises(UserError, match="try --size 28, 32, 64 or 128"):
        check_generator(installed().generators["dcgan"], size=(33, 33))
    with pytest.raises(UserError, match="has no option 'nothing'"):
        check_generator(installed().generators["dcgan"], part="dcgan:nothing=1")
    with pytest.raises(UserError, match="at least 12 pixels a side"):
        check_discriminator(installed().discriminators["patch"], part="patch:channels=2,layers=2", size=(8, 8))


# Discriminators


@pytest.mark.parametrize("part", parts.forms("discriminator"))
def test_built_in_discriminators_conform(part):
    traits = check_discriminator(installed().discriminators[Part.parse(part).name], part=part)
    assert traits == Traits(couples_batch=parts.normalises_batches(part), shows_features=True)


class Critic(nn.Module):
    def __init__(self, space):
        super().__init__()
        self.first = nn.Conv2d(space.channels, 4, 4, stride=2, padding=1)
        self.last = nn.Conv2d(4, 1, 3, padding=1)

    def see(self, image):
        return torch.tanh(self.first(image))

    def forward(self, image):
        return self.score(self.last(self.see(image)))

    def score(self, scores):
        return scores


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


# Games


@pytest.mark.parametrize(
    "part", [*installed().adversarial_losses, *(f"{name}:r1=1,r2=2" for name in installed().adversarial_losses)]
)
def test_built_in_games_conform(part):
    check_game(installed().adversarial_losses[Part.parse(part).name], part=part)


class Gap(Game):
    """Logistic, by hand."""

    def discriminator(self, judge, real, fake, clock):
        return {"tell": self.cost(-self.ask(judge, real)) + self.cost(self.ask(judge, fake))}

    def generator(self, judge, real, fake, clock):
        return {"fool": self.cost(-self.ask(judge, fake))}

    def ask(self, judge, samples):
        return translate.upcast(judge(samples))

    def cost(self, scores):
        return functional.softplus(scores).mean()


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
    (Vector, r"Loss 'tell' of the discriminator in Game '<.*Vector>' is of the shape \(4,\); it must be a scalar tensor"),
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


# Image losses


@pytest.mark.parametrize(
    "part",
    [*parts.forms("loss"), "l1:unit=true", "huber:delta=0.1", "ssim:window=5,l1=0.2", "feature-matching:paired=false"],
)
def test_built_in_image_losses_conform(part):
    name = Part.parse(part).name
    for registry in (installed().cycle_losses, installed().reconstruction_losses):
        check_image_loss(registry[name], part=part)


class Squared(ImageLoss):
    def forward(self, output, target):
        return self.distance(translate.upcast(output), translate.upcast(target))

    def distance(self, output, target):
        return (output - target).square().mean()


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
    (Map, r"returns has the shape \(4, 3, 32, 32\); it must be a scalar tensor"),
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


# Recipes

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
    "vanilla": {"domains": ("points:ring8",), "preset": "points", "generator": "mlp:widths=8", "discriminator": "mlp:widths=8"},
}


@pytest.mark.parametrize("recipe", installed().recipes)
def test_built_in_recipes_conform(recipe):
    check_recipe(recipe, **NARROW_RUNS[recipe])


class Tiny(Recipe):
    """Points from noise, by two lines."""

    domains = 1
    exports = ("G",)
    order = ("round",)

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """None but the rate."""

        lr: float = option(0.1, "learning rate")

    def build(self, make):
        self.latent = Latent(3)
        self.G, self.D = nn.Linear(3, 2), nn.Linear(2, 1)

    def optimisers(self):
        return {"judge": SGD(over=("D",), lr=self.options.lr), "maker": SGD(over=("G",), lr=self.options.lr)}

    def step(self, batches, clock):
        (batch,) = batches
        fake = self.G(batch.noise(self.latent))
        yield Update("judge", {"tell": self.cost(self.D(fake) - self.D(batch.images[0]))})
        yield Update("maker", {"fool": self.cost(-self.D(fake))})

    def cost(self, scores):
        return functional.softplus(scores).mean()

    def sample(self, noise):
        return self.G(noise)


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
    (OddBatches, r"yields fewer updates for one accumulated batch than for another"),
)
def test_a_faulty_recipe_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_recipe(faulty, **POINTS)


class Painter(Tiny):
    """Grey pictures from noise."""

    def build(self, make):
        super().build(make)
        (space,) = self.spaces
        count = space.channels * space.size[0] * space.size[1]
        self.G = nn.Sequential(nn.Linear(3, count), nn.Tanh(), nn.Unflatten(1, space.shape))
        self.D = nn.Sequential(nn.Flatten(), nn.Linear(count, 1))


class TooBright(Painter):
    """Beyond white."""

    def sample(self, noise):
        return 9 * self.G(noise)


def test_a_recipe_whose_pictures_leave_the_range_is_told_so():
    check_recipe(Painter, domains=("digits",), size=16)
    with pytest.raises(NonConforming, match=r"makes samples with pixels from -\S+ to \S+, where \[-1, 1\] is expected"):
        check_recipe(TooBright, domains=("digits",), size=16)


# Data


class Ramp(Domain):
    """Pictures of one level each."""

    channels = 1
    count = 5

    def __init__(self, name, split="train"):
        self.name = name

    def __len__(self):
        return self.count

    def read(self, index):
        return np.full((6, 7, 1), index, dtype=np.uint8)


def opener(domain: type[Domain], **more: Any) -> Callable[..., Domain | None]:
    """``open_domain`` of a plugin that has ``domain`` by the name of ramp."""

    def open_domain(name, split):
        return domain(name, **more) if name == "ramp" and split in ("train", "test") else None

    return open_domain


@pytest.mark.parametrize("name", ["horse", "digits"])
def test_drawn_domains_conform(name):
    import translate_pictures

    check_data(translate_pictures.open_domain, name)


@pytest.mark.parametrize("name", ["points:ring8", "points:grid25"])
def test_points_conform(name):
    import translate_datasets

    check_data(translate_datasets.open_domain, name)


def test_a_plain_domain_conforms():
    check_data(opener(Ramp), "ramp")
    check_data(opener(Ramp), "ramp", split="test")


class Random(Ramp):
    def read(self, index):
        return np.random.default_rng().integers(0, 256, (6, 7, 1), dtype=np.uint8)


class Opened(Ramp):
    opened = itertools.count()

    def __init__(self, name):
        super().__init__(name)
        self.number = next(self.opened)

    def read(self, index):
        return super().read(index + self.number)


class Shared(Ramp):
    """One array for all readers."""

    def __init__(self, name):
        super().__init__(name)
        self.samples = np.stack([Ramp.read(self, index) for index in range(self.count)])

    def read(self, index):
        return self.samples[index]


class NotForThreads(Ramp):
    def __init__(self, name):
        import threading

        super().__init__(name)
        self.home = threading.get_ident()

    def read(self, index):
        import threading

        return super().read(index + (threading.get_ident() != self.home))


class AnotherDtype(Ramp):
    dtype = "uint16"


class AnotherShape(Ramp):
    def read(self, index):
        return super().read(index)[..., 0]


class UnknownDtype(Ramp):
    dtype = "uint8"

    def __init__(self, name):
        super().__init__(name)
        self.dtype = "int32"


class Holes(Ramp):
    dtype = "float32"

    def read(self, index):
        return np.full((6, 7, 1), np.nan, dtype=np.float32)


class NoChannels(Ramp):
    channels = 0


class Reversed(Ramp):
    window = (255.0, 0.0)


class Empty(Ramp):
    count = 0


class Twins(Ramp):
    def label(self, index):
        return f"ramp-{index // 2}"


class Numbers(Ramp):
    def label(self, index):
        return index


class Shifting(Ramp):
    prints = itertools.count()

    def fingerprint(self):
        return str(next(self.prints))


class Blank(Ramp):
    def fingerprint(self):
        return ""


class Nameless(Ramp):
    def __init__(self, name):
        self.name = name.upper()


class OneTooMany(Ramp):
    def read(self, index):
        return np.stack([super(OneTooMany, self).read(each) for each in range(self.count - 1)])[index]


class KnowsAll(Ramp):
    def counterpart(self, index, domain):
        return self.read(index)


class OddMask(Ramp):
    def mask(self, index):
        return np.zeros((3, 3), dtype=np.bool_)


@faults(
    (
        Random,
        r"Sample 0 of Domain 'ramp' is another when it is read again; reading must be pure|Sample 4 .* read again; reading must be",
    ),
    (Opened, r"Sample 0 of .* is another when the domain is opened again"),
    (Shared, r"gives out arrays that are its own, .* array.flags.writeable = False"),
    (NotForThreads, r"Sample 0 of .* is another when threads read at a time"),
    (AnotherDtype, r"Sample 0 of .* is uint8, and its dtype is declared as uint16"),
    (AnotherShape, r"Sample 0 of .* has the shape \(6, 7\), where \(H, W, 1\) is expected"),
    (UnknownDtype, r"has the dtype 'int32'; it must be one of uint8, uint16, float32"),
    (Holes, r"values that are infinite or NaN"),
    (NoChannels, r"has 0 channels"),
    (Reversed, r"has the window \(255.0, 0.0\); .* the lower one first"),
    (Empty, r"is empty; raise UserError"),
    (Twins, r"Samples 0 and 1 of .* both have the label 'ramp-0'; labels must be unique"),
    (Numbers, r"has the label 0; it must be a text"),
    (Shifting, r"The fingerprint of .* changes though its samples do not"),
    (Blank, r"The fingerprint of .* is ''; it must be a text"),
    (Nameless, r"has the name 'RAMP'"),
    (OneTooMany, r"raises IndexError .*every index below its length must be readable"),
    (KnowsAll, r"has a counterpart in a domain that does not exist"),
    (OddMask, r"The mask of sample 0 of .* is bool of the shape \(3, 3\)"),
)
def test_a_faulty_domain_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_data(opener(faulty), "ramp")


def greedy(name):
    return Ramp(name)


def any_split(name):
    return Ramp(name) if name == "ramp" else None


def touchy(name):
    if name != "ramp":
        raise UserError(f"There is no '{name}' here.")
    return Ramp(name)


def clumsy(name):
    return {"ramp": Ramp}[name](name)


def wrong(name):
    return [1, 2, 3] if name == "ramp" else None


def closed(name):
    return None


@faults(
    (greedy, r"open_domain opens 'no-such-name' and split 'train', which cannot be its own; return None"),
    (any_split, r"open_domain opens 'ramp' and split 'no-such-name'"),
    (touchy, r"open_domain raises UserError .* for 'no-such-name' .* return None"),
    (clumsy, r"open_domain, asked for 'no-such-name' and split 'train', raises KeyError"),
    (wrong, r"open_domain returns a list for 'ramp'"),
    (closed, r"open_domain returns None for 'ramp'"),
)
def test_a_faulty_opener_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_data(faulty, "ramp")


# Augmentations and listeners


@pytest.mark.parametrize("name", installed().augmentations)
def test_built_in_augmentations_conform(name):
    check_augmentation(installed().augmentations[name], part=name)


class Noisy(Augmentation):
    def __call__(self, image, draw):
        return (image * np.random.default_rng().uniform(0.5, 1.0)).astype(image.dtype)


class Whitens(Augmentation):
    def __call__(self, image, draw):
        image[:2] = 1
        return image


class Floats(Augmentation):
    def __call__(self, image, draw):
        return image * 0.5


class Turns(Augmentation):
    def __call__(self, image, draw):
        return image.swapaxes(0, 1)


class TooFewDraws(Augmentation):
    def __call__(self, image, draw):
        return image[:, ::-1] if draw[0] < 0.5 else image


class HalfADraw(Augmentation):
    draws = 0.5


class OffTheEdge(Augmentation):
    """At the last of all draws, one pixel too far."""

    draws = 1
    loading_size = property(lambda self: (self.size[0] + 2, self.size[1]))

    def __call__(self, image, draw):
        top = round(draw[0] * 3)
        return image[top : top + self.size[0]]


@faults(
    (Noisy, r"Augmentation '<.*Noisy>' makes something else of the same picture and draws"),
    (Whitens, r"given uint8 of the shape \(16, 24, 3\), raises ValueError .*read-only.* write to neither"),
    (Floats, r"returns float64 of \(16, 24, 3\), where uint8 of \(16, 24, 3\) is expected"),
    (Turns, r"returns uint8 of \(24, 16, 3\), where uint8 of \(16, 24, 3\)"),
    (TooFewDraws, r"raises IndexError"),
    (HalfADraw, r"has 0.5 draws; it must be a whole number"),
    (OffTheEdge, r"given uint8 of the shape \(18, 24, 3\), returns uint8 of \(15, 24, 3\)"),
)
def test_a_faulty_augmentation_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_augmentation(faulty)


class Hears:
    @hookimpl
    def step_reported(self, report):
        pass


class HearsNothing:
    def step_reported(self, report):
        pass


class HearsWrong:
    @hookimpl
    def step_reported(self, step):
        pass


class HearsOfNothing:
    @hookimpl
    def step_rported(self, report):
        pass


def test_a_listener_conforms():
    check_listener(Hears)


@faults(
    (HearsNothing, r"Listener '<.*HearsNothing>' has no event hook, .* with @translate.hookimpl"),
    (HearsWrong, r"cannot take part .*hook 'step_reported'.*'step'"),
    (HearsOfNothing, r"cannot take part .*step_rported"),
)
def test_a_faulty_listener_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_listener(faulty)


# Imports


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes modules that can be imported; a stub of torchvision among them, so that it takes no time."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "torchvision.py").write_text("")
    return lambda name, text: (tmp_path / f"{name}.py").write_text(text)


def test_a_plugin_must_be_light_to_import(module, tmp_path):
    module("light", "def later():\n    import torchvision\n")
    check_import("light")
    module("inner", "'''Doc.'''\n\nimport torchvision\n")
    module("heavy", "import inner\n")
    with pytest.raises(NonConforming) as error:
        check_import("heavy")
    assert str(error.value) == (
        f"Importing heavy imports torchvision at {tmp_path / 'inner.py'}:3, for which everybody waits who has the plugin installed; import "
        f"it where it is used: inside the function or the method."
    )
    module("broken", "import no_such_module\n")
    with pytest.raises(
        NonConforming, match=r"broken cannot be imported \(ModuleNotFoundError: No module named 'no_such_module'\)"
    ):
        check_import("broken")


# Plugins


def registering(**registered: dict[str, Any]) -> ModuleType:
    """A plugin, as a module is, that registers these parts."""
    plugin = ModuleType("mine")

    def hook(each: dict[str, Any]) -> Callable[..., None]:
        def implementation(register):
            for name, factory in each.items():
                register(name, factory)

        return hookimpl(implementation)

    vars(plugin).update({f"register_{kind}": hook(each) for kind, each in registered.items()})
    return plugin


def test_everything_that_a_plugin_registers_is_checked():
    plugin = registering(
        recipes={"painter": Painter},
        generators={"net": Net, "linear": Linear},
        discriminators={"critic": Critic},
        adversarial_losses={"gap": Gap, "vector": Vector},
        cycle_losses={"squared": Squared},
        reconstruction_losses={"squared": Squared, "root": Root},
        augmentations={"turns": Turns, "as-it-is": Augmentation},
        listeners={"hears": Hears},
    )
    plugin.open_domain = hookimpl(opener(Ramp))
    before = {kind: list(registry) for kind, registry in installed().registries.items()}
    results = check_plugin(plugin, "mine", domains=("ramp", "hills"))
    assert {(each.kind, each.name): each.ok for each in results} == {
        ("recipe", "painter"): True,
        ("generator", "linear"): False,
        ("generator", "net"): True,
        ("discriminator", "critic"): True,
        ("adversarial loss", "gap"): True,
        ("adversarial loss", "vector"): False,
        ("cycle loss", "squared"): True,
        ("reconstruction loss", "squared"): True,
        ("reconstruction loss", "root"): False,
        ("augmentation", "turns"): False,
        ("augmentation", "as-it-is"): True,
        ("listener", "hears"): True,
        ("hook", "open_domain"): True,
        ("domain", "ramp"): True,
        ("domain", "hills"): False,
    }
    said = {each.name: str(each) for each in results}
    assert said["net"] == "generator 'net': ok"
    assert said["linear"].startswith("generator 'linear': Generator 'linear' makes pixels")
    assert {kind: list(registry) for kind, registry in installed().registries.items()} == before


def test_a_built_in_plugin_is_checked_beside_the_others():
    """It is installed already, and does not stand in its own way; larger pictures are tried where small ones are refused."""
    import translate_discogan

    results = check_plugin(translate_discogan, "discogan")
    assert [(each.kind, each.name) for each in results] == [
        ("module", "translate_discogan"),
        ("recipe", "discogan"),
        ("generator", "discogan"),
        ("discriminator", "discogan"),
    ]
    assert all(each.ok for each in results), [str(each) for each in results]


class LargeOnly(Net):
    def __init__(self, source, target):
        if min(source.size) < 48:
            raise UserError("It takes pictures of at least 48 pixels a side.")
        super().__init__(source, target)


class HugeOnly(Net):
    def __init__(self, source, target):
        raise UserError("It takes pictures of at least 4800 pixels a side.")


class Breaks(Net):
    def __init__(self, source, target):
        raise SystemError("no")


def test_sizes_are_tried_until_one_is_taken():
    results = check_plugin(registering(generators={"large": LargeOnly, "huge": HugeOnly, "breaks": Breaks}), "mine")
    assert [(each.name, each.ok) for each in results] == [("breaks", False), ("huge", False), ("large", True)]
    assert results[1].advice == "Nothing that was tried is taken: It takes pictures of at least 4800 pixels a side."
    assert "SystemError: no" in results[0].advice


def test_a_plugin_that_cannot_be_registered_is_a_result():
    (result,) = check_plugin(registering(generators={"resnet": Net}), "mine")
    assert result == Result("plugin", "mine", False, result.advice)
    assert "'resnet', which plugin 'cyclegan' has registered already" in result.advice
    (result,) = check_plugin(registering(generator={"net": Net}), "mine")
    assert "register_generator" in result.advice
