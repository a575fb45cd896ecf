from __future__ import annotations

import warnings

import numpy as np
import pytest
from conftest import draw, opened

from translate.data.folder import PictureFiles, files_in
from translate.data.pairs import pair_up
from translate.data.splits import hold_out
from translate.data.view import View
from translate.data.wanted import Splits


def files(root, name):
    return PictureFiles(name, root / name, files_in(root / name))


def folders(root, **names):
    for number, (folder, labels) in enumerate(names.items()):
        for index, label in enumerate(labels):
            draw(root / folder / label, 10 * number + index, (24, 24))
    return [each.train for each in pair_up([Splits(files(root, folder), None) for folder in names])]


def test_the_truth_is_the_picture_of_the_same_name(tmp_path):
    photo, plan = folders(tmp_path, photo=["a.png", "s/b.png", "s.c.png"], plan=["a.bmp", "s/b.png", "s.c.png"])
    for index in range(3):
        other = next(at for at in range(3) if plan.label(at)[:-4] == photo.label(index)[:-4])
        assert np.array_equal(photo.counterpart(index, "plan"), plan.read(other))
        assert np.array_equal(plan.counterpart(other, "photo"), photo.read(index))
    assert photo.counterpart(0, "photo") is None
    assert photo.counterpart(0, "nobody") is None


def test_all_else_is_that_of_the_files(tmp_path):
    photo, _ = folders(tmp_path, photo=["a.png"], plan=["a.png"])
    plain = files(tmp_path, "photo")
    assert (photo.name, photo.origin, photo.channels, photo.dtype, photo.window) == (
        plain.name,
        plain.origin,
        plain.channels,
        plain.dtype,
        plain.window,
    )
    assert photo.fingerprint() == plain.fingerprint()
    assert photo.label(0) == "a.png"
    assert photo.mask(0) is None


@pytest.mark.parametrize("others", [["a.png"], ["a.png", "c.png"], ["a.png", "b.png", "c.png"], ["a.png", "b.png", "b.bmp"]])
def test_without_a_counterpart_for_each_there_is_none(tmp_path, others):
    pair = folders(tmp_path, photo=["a.png", "b.png"], plan=others)
    assert [type(each) for each in pair] == [PictureFiles, PictureFiles]


def test_of_three_domains_two_may_be_pairs(tmp_path):
    photo, plan, sketch = folders(tmp_path, photo=["a.png"], plan=["b.png"], sketch=["a.png"])
    assert np.array_equal(photo.counterpart(0, "sketch"), sketch.read(0))
    assert photo.counterpart(0, "plan") is None
    assert type(plan) is PictureFiles


def test_what_is_not_of_files_is_left_alone(tmp_path):
    draw(tmp_path / "photo" / "a.png", 1)
    photo = files(tmp_path, "photo")
    view = View(photo)
    assert pair_up([Splits(photo, view), Splits(view, None)]) == [Splits(photo, view), Splits(view, None)]


def test_splits_are_paired_apart(tmp_path):
    for index, place in enumerate(("photo/a.png", "plan/a.png", "tests/photo/b.png", "tests/plan/c.png")):
        draw(tmp_path / place, index)
    tests = tmp_path / "tests"
    photo, plan = pair_up([Splits(files(tmp_path, name), files(tests, name)) for name in ("photo", "plan")])
    assert np.array_equal(photo.train.counterpart(0, "plan"), plan.train.read(0))
    assert photo.test.counterpart(0, "plan") is None


def test_the_truth_of_held_out_pictures(tmp_path):
    names = [f"{index}.png" for index in range(8)]
    photo, plan = folders(tmp_path, photo=names, plan=names)
    for side in ("train", "test"):
        mine, others = (getattr(hold_out(each, 3, 0), side) for each in (photo, plan))
        for index in range(len(mine)):
            expected = np.asarray(opened(tmp_path / "plan" / mine.label(index)))
            assert np.array_equal(mine.counterpart(index, "plan"), expected)
            assert np.array_equal(others.read(index), expected)


@pytest.mark.parametrize("damaged", ["photo", "plan"])
def test_no_truth_is_shown_for_a_damaged_picture(tmp_path, damaged):
    """Another picture stands in for it, whose truth is another."""
    photo, _ = folders(tmp_path, photo=["a.png", "b.png"], plan=["a.png", "b.png"])
    path = tmp_path / damaged / "a.png"
    path.write_bytes(path.read_bytes()[:-400])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert photo.counterpart(0, "plan") is None
        assert photo.counterpart(1, "plan") is not None
