"""Augmentations: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from kit import faults

from translate import Augmentation
from translate.plugins import installed
from translate.testing import NonConforming, check_augmentation

#: What those need that take nothing for granted.
FORMS = {"albumentations": "albumentations:transforms=HorizontalFlip+RandomBrightnessContrast"}


@pytest.mark.parametrize("name", installed().augmentations)
def test_built_in_augmentations_conform(name):
    check_augmentation(installed().augmentations[name], part=FORMS.get(name, name))


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


class NotForThreads(Augmentation):
    def __init__(self, size):
        super().__init__(size)
        self.home = threading.get_ident()

    def __call__(self, image, draw):
        return image if threading.get_ident() == self.home else image[::-1]


@faults(
    (Noisy, r"Augmentation '<.*Noisy>' makes something else of the same picture and draws"),
    (Whitens, r"given uint8 of the shape \(16, 24, 3\), raises ValueError .*read-only.* write to neither"),
    (Floats, r"returns float64 of \(16, 24, 3\), where uint8 of \(16, 24, 3\) is expected"),
    (Turns, r"returns uint8 of \(24, 16, 3\), where uint8 of \(16, 24, 3\)"),
    (TooFewDraws, r"raises IndexError"),
    (HalfADraw, r"has 0.5 draws; it must be a whole number"),
    (NotForThreads, r"makes something else of a picture when threads ask at a time; keep nothing on the object"),
    (OffTheEdge, r"given uint8 of the shape \(18, 24, 3\), returns uint8 of \(15, 24, 3\)"),
)
def test_a_faulty_augmentation_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_augmentation(faulty)
