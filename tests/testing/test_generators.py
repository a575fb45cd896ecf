"""Generators: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import parts
import pytest
import torch
from kit import Net, faults
from torch import nn
from torch.nn import functional

import translate
from translate import UserError, option
from translate.options import Part
from translate.plugins import installed
from translate.testing import NonConforming, check_generator

SMALL = {"size": (16, 16), "channels": ((3, 3),)}


@pytest.mark.parametrize("part", parts.forms("generator"))
def test_built_in_generators_conform(part):
    check_generator(installed().generators[Part.parse(part).name], part=part)


@pytest.mark.parametrize("takes", ["pictures", "noise"])
def test_a_generator_may_take_both(takes):
    check_generator(installed().generators["mlp"], part="mlp:widths=8", takes=takes)


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
