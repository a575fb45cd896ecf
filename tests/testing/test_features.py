"""Feature extractors: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kit import faults
from torch import nn

from translate import FeatureExtractor, Frozen, Pretrained, Seen, UserError
from translate.options import Part
from translate.plugins import installed
from translate.testing import NonConforming, check_features

#: Narrow forms of those that are slow as they come.
FORMS = {"timm": "timm:backbone=test_resnet"}


@pytest.mark.parametrize("name", installed().features)
def test_built_in_extractors_conform(name):
    part = FORMS.get(name, name)
    check_features(installed().features[Part.parse(part).name], part=part)


class Colours(FeatureExtractor):
    """The mean of each channel, and its sign as two classes."""

    label = "colours"

    def __init__(self, space):
        super().__init__()
        self.channels = space.channels

    def forward(self, images):
        means = self.means(images)
        return Seen(means, torch.stack([means[:, 0], -means[:, 0]], 1))

    def means(self, images):
        return images.mean(dim=(2, 3))


class InColourOnly(Colours):
    def __init__(self, space):
        if space.channels != 3:
            raise UserError("It sees colours only.")
        super().__init__(space)


class OnSomethingFrozen(Colours):
    def __init__(self, space):
        super().__init__(space)
        self.eye = Frozen(nn.Conv2d(space.channels, 4, 3), {"eye": "sha256:1"})

    def means(self, images):
        return super().means(self.eye(images))


@pytest.mark.parametrize("good", [Colours, InColourOnly, OnSomethingFrozen])
def test_a_plain_extractor_conforms(good):
    check_features(good)


def test_what_refuses_all_is_heard():
    with pytest.raises(UserError, match="colours only"):
        check_features(InColourOnly, channels=(1, 2))


class Nameless(Colours):
    label = ""


class Maps(Colours):
    def means(self, images):
        return images


class OneForAll(Colours):
    def means(self, images):
        return super().means(images).mean(0, keepdim=True)


class NotFinite(Colours):
    def means(self, images):
        return super().means(images) / 0


class OnlyFeatures(Colours):
    def forward(self, images):
        return self.means(images)


class OddLogits(Colours):
    def forward(self, images):
        return Seen(self.means(images), self.means(images)[:2])


class Guesses(Colours):
    def means(self, images):
        return super().means(images) + torch.rand(())


class LooksAround(Colours):
    def means(self, images):
        return super().means(images - images.mean(0))


class NumpyEye(Colours):
    def __init__(self, space):
        super().__init__(space)
        self.register_buffer("weights", torch.from_numpy(np.random.standard_normal((space.channels, 4))).float())

    def means(self, images):
        return super().means(images) @ self.weights


class Blind(Colours):
    def means(self, images):
        return 0 * super().means(images)


class Scribbles(Colours):
    def means(self, images):
        return super().means(images.clamp_(min=0))


class Waits(Colours):
    """For a begin() that never comes."""

    def __init__(self, space):
        super().__init__(space)
        self.eye = Pretrained()


class Unnamed(Colours):
    def __init__(self, space):
        super().__init__(space)
        self.eye = Frozen(nn.Identity(), {})


@faults(
    (Nameless, r"Feature extractor '<.*Nameless>' has no label"),
    (Maps, r"gives features of the shape \(6, 3, 32, 32\) for 6 samples; give each a row"),
    (OneForAll, r"gives features of the shape \(1, 3\)"),
    (NotFinite, r"gives features .* they must be finite"),
    (OnlyFeatures, r"returns a Tensor; it must return translate\.Seen"),
    (OddLogits, r"gives logits of the shape \(2, 3\)"),
    (Guesses, r"sees something else in the same pictures when it is asked again; leave chance out of it"),
    (LooksAround, r"sees something else in a picture when there are others beside it"),
    (NumpyEye, r"sees something else when it is made again under the same seed"),
    (Blind, r"sees the same in all pictures"),
    (Scribbles, r"changes the samples that it is shown"),
    (Waits, r"holds a translate.Pretrained, whose begin\(\) nobody calls here, .*translate.Frozen\("),
    (Unnamed, r"holds a frozen network, .* with the backbones {}, .* give translate.Frozen\(network, {NAME: DIGEST}\)"),
)
def test_a_faulty_extractor_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_features(faulty)
