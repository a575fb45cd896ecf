from __future__ import annotations

import numpy as np
import pytest
from conftest import draw, opened

from translate.data.sides import open_sides
from translate.data.wanted import Wanted

PAIR = ("photo", "map")


def sides(root, names=PAIR, **values):
    return [open_sides(Wanted(name, root, tuple(names), **values)) for name in names]


@pytest.fixture
def facades(tmp_path):
    for index in range(3):
        draw(tmp_path / "train" / f"{index}.png", index, (8, 16))
    draw(tmp_path / "val" / "9.png", 9, (8, 16))
    return tmp_path


def pixels(path):
    return np.asarray(opened(path))


def test_left_is_the_first_and_right_the_second(facades):
    photo, plan = sides(facades)
    for index in range(3):
        whole = pixels(facades / "train" / f"{index}.png")
        assert np.array_equal(photo.train.read(index), whole[:, :8])
        assert np.array_equal(plan.train.read(index), whole[:, 8:])
        assert photo.train.label(index) == plan.train.label(index) == f"{index}.png"
    assert [photo.train.name, plan.train.name] == ["photo", "map"]
    assert photo.train.origin == f"3 pictures in {facades}/train (left half)"
    assert plan.train.origin == f"3 pictures in {facades}/train (right half)"
    assert (len(photo.test), len(plan.test)) == (1, 1)
    assert np.array_equal(plan.test.read(0), pixels(facades / "val" / "9.png")[:, 8:])


def test_the_truth_is_the_other_half(facades):
    photo, plan = sides(facades)
    assert np.array_equal(photo.train.counterpart(1, "map"), plan.train.read(1))
    assert np.array_equal(plan.test.counterpart(0, "photo"), photo.test.read(0))
    assert photo.train.counterpart(1, "nobody") is None


def test_test_stands_before_val(facades):
    draw(facades / "test" / "7.png", 7, (8, 16))
    assert [each.test.label(0) for each in sides(facades)] == ["7.png", "7.png"]


def test_three_domains_are_three_parts(tmp_path):
    whole = pixels(draw(tmp_path / "train" / "0.png", 0, (8, 24)))
    found = sides(tmp_path, ("a", "b", "c"))
    assert [np.array_equal(each.train.read(0), whole[:, at : at + 8]) for at, each in zip((0, 8, 16), found, strict=True)] == [
        True
    ] * 3
    assert [each.test for each in found] == [None] * 3
    assert found[1].train.origin.endswith(" (part 2 of 3)")
    assert sides(tmp_path, PAIR) == [None, None]


def test_each_half_has_a_fingerprint_of_its_own(facades, tmp_path_factory):
    prints = [each.train.fingerprint() for each in sides(facades)]
    assert prints == [each.train.fingerprint() for each in sides(facades)]
    assert prints[0] != prints[1]
    draw(facades / "train" / "0.png", 99, (8, 16))
    changed = [each.train.fingerprint() for each in sides(facades)]
    assert len({*prints, *changed}) == 4


def test_one_picture_of_another_shape_and_they_are_no_pairs(facades):
    draw(facades / "val" / "8.png", 9, (8, 15))
    assert sides(facades) == [None, None]


def test_a_folder_for_one_of_the_domains_and_they_are_no_pairs(facades):
    (facades / "train" / "map").mkdir()
    assert sides(facades) == [None, None]


@pytest.mark.parametrize("letters", [("trainA",), ("trainA", "trainB")])
def test_letters_come_first(facades, letters):
    for letter in letters:
        (facades / letter).mkdir()
    assert sides(facades) == [None, None]


def test_one_domain_or_none_that_was_named_is_no_pair(facades):
    assert sides(facades, ("photo",)) == [None]
    assert sides(facades, loose=False) == [None, None]
    assert sides(None) == [None, None]
    assert sides(facades / "train") == [None, None]
