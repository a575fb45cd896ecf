from __future__ import annotations

import numpy as np
import pytest

from translate.plugins import installed
from translate.randomness import uniform
from translate_augmentations.crops import Flip, Paper


def numbered(height, width):
    return np.arange(height * width, dtype=np.uint16).reshape(height, width, 1)


@pytest.mark.parametrize(
    ("name", "size", "loading"),
    [
        ("paper", (256, 256), (286, 286)),
        ("paper", (128, 128), (143, 143)),
        ("paper", (128, 256), (143, 286)),
        ("paper", (16, 16), (18, 18)),  # 17.875
        ("flip", (128, 96), (128, 96)),
        ("none", (128, 96), (128, 96)),
    ],
)
def test_the_size_to_load(name, size, loading):
    assert installed().augmentations[name](size).loading_size == loading


@pytest.mark.parametrize(
    ("draw", "top", "left"),
    [
        ((0.0, 0.0, 0.9), 0, 0),
        ((0.999, 0.999, 0.9), 2, 3),
        ((0.34, 0.0, 0.9), 1, 0),  # 0.34 * 3 = 1.02
        ((0.33, 0.26, 0.9), 0, 1),  # 0.26 * 4 = 1.04
        ((0.67, 0.75, 0.9), 2, 3),
    ],
)
def test_the_crop_by_hand(draw, top, left):
    image = numbered(6, 8)
    got = Paper((4, 5))(image, np.array(draw))
    assert np.array_equal(got, image[top : top + 4, left : left + 5])


@pytest.mark.parametrize(("kind", "before"), [(Paper, [0.0, 0.0]), (Flip, [])])
def test_the_flip(kind, before):
    image = numbered(4, 5)
    assert kind.draws == len(before) + 1
    assert np.array_equal(kind((4, 5))(image, np.array([*before, 0.4999])), image[:, ::-1])
    assert np.array_equal(kind((4, 5))(image, np.array([*before, 0.5])), image)


def test_none_changes_nothing():
    none, image = installed().augmentations["none"], numbered(4, 5)
    assert none.draws == 0
    for draw in uniform(0, "x", 0, 20, 0):
        assert np.array_equal(none((4, 5))(image, draw), image)
    assert none.__doc__.startswith("No change")  # what a user of 'translate list' reads, not what an author of another would


def test_every_crop_comes_and_half_are_flipped():
    augmentation, image, seen, count = Paper((4, 5)), numbered(6, 8), {}, 4800
    for draw in uniform(0, "augment", 0, count, augmentation.draws):
        got = augmentation(image, draw)
        assert got.shape == (4, 5, 1)
        key = int(got[0, 0, 0]), int(got[0, 4, 0])
        seen[key] = seen.get(key, 0) + 1
    # 3 tops, 4 lefts, 2 ways: 24 outcomes of 200 each, with a standard deviation of 14.
    assert len(seen) == 24
    assert all(abs(times - count / 24) < 5 * 14 for times in seen.values())


def test_the_picture_is_not_changed():
    image = numbered(6, 8)
    Paper((4, 5))(image, np.array([0.5, 0.5, 0.1]))
    assert np.array_equal(image, numbered(6, 8))
