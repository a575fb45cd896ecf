from __future__ import annotations

import pytest
from conftest import draw

from translate.data.ages import age_of, open_ages
from translate.data.wanted import Wanted
from translate.errors import UserError

AGES = (1, 19, 20, 25, 30, 31, 50, 116)


def found(root, name):
    return open_ages(Wanted(name, root, (name, "other")))


def ages(domain):
    return sorted(int(domain.label(index).rpartition("/")[2].partition("_")[0]) for index in range(len(domain)))


@pytest.fixture
def faces(tmp_path):
    for age in AGES:
        draw(tmp_path / "utkface" / ("young" if age < 30 else "old") / f"{age}_0_1_2017.jpg.chip.jpg", age, (4, 4))
    draw(tmp_path / "utkface" / "group.jpg", 1)
    return tmp_path


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("20-30", [20, 25, 30]),
        ("31-49", [31]),
        ("50-", [50, 116]),
        ("-19", [1, 19]),
        ("25-25", [25]),
        ("0-999", list(AGES)),
    ],
)
def test_both_ends_are_included(faces, span, expected):
    opened = found(faces, f"utkface:{span}")
    assert ages(opened.train) == expected
    assert opened.train.name == f"utkface:{span}"
    assert opened.train.origin == f"{len(expected)} pictures in {faces}/utkface"
    assert opened.test is None


def test_the_root_itself(faces):
    assert ages(found(faces / "utkface", "utkface:20-30").train) == [20, 25, 30]
    assert ages(found(faces / "utkface", "anything:20-30").train) == [20, 25, 30]


def test_by_path(faces):
    name = f"{faces}/utkface:50-"
    opened = found(None, name)
    assert (ages(opened.train), opened.train.name) == ([50, 116], "utkface:50-")


@pytest.mark.parametrize("parts", [("train/utkface", "test/utkface"), ("utkface/train", "utkface/val"), ("train", "test")])
def test_existing_splits(tmp_path, parts):
    for part, offset in zip(parts, (0, 1), strict=True):
        for age in (20, 40):
            draw(tmp_path / part / f"{age + offset}_x.png", age, (4, 4))
    young, old = (found(tmp_path, f"utkface:{span}") for span in ("10-30", "31-"))
    assert (ages(young.train), ages(young.test)) == ([20], [21])
    assert (ages(old.train), ages(old.test)) == ([40], [41])
    assert found(tmp_path, "utkface:20-20").test is None


def test_ages_begin_at_0(tmp_path):
    for place in ("train/babies/0_x.png", "test/babies/0_y.png"):
        draw(tmp_path / place, 1)
    opened = found(tmp_path, "babies:-3")
    assert (ages(opened.train), ages(opened.test)) == ([0], [0])


def test_below_a_root_that_nobody_named(faces):
    """Such as the working folder: only a folder of the name is looked into."""
    for root, there in ((faces, True), (faces / "utkface", True), (faces / "utkface" / "old", False)):
        name = "utkface:50-"
        opened = open_ages(Wanted(name, root, (name,), loose=False))
        assert (opened is not None) is there


def test_test_pictures_inside_are_never_trained_on(faces):
    draw(faces / "utkface" / "test" / "22_x.png", 1)
    opened = found(faces, "utkface:20-30")
    assert (ages(opened.train), ages(opened.test)) == ([20, 25, 30], [22])


def test_a_range_without_pictures(faces):
    with pytest.raises(UserError) as caught:
        found(faces, "utkface:60-90")
    assert str(caught.value) == (
        f"{faces}/utkface has 8 pictures with ages from 1 to 116, and none for 'utkface:60-90'; choose a range that holds some."
    )


def test_a_range_that_is_none(faces):
    with pytest.raises(UserError, match="'utkface:30-20' is no range of ages: 30 is more than 20; write the lower age first"):
        found(faces, "utkface:30-20")


@pytest.mark.parametrize("name", ["utkface", "utkface:-", "utkface:20", "mnist:3", "points:ring8", "utkface:a-b", ":20-30"])
def test_what_is_no_range(faces, name):
    assert found(faces, name) is None


def test_where_no_name_begins_with_an_age(photos):
    assert found(photos, "cat:20-30") is None
    assert found(photos, "nobody:20-30") is None
    assert found(None, "utkface:20-30") is None


@pytest.mark.parametrize(
    ("name", "age"), [("7_x.png", 7), ("116_x.png", 116), ("2017_x.png", None), ("a7_x.png", None), ("7.png", None)]
)
def test_the_age_leads_the_name(tmp_path, name, age):
    assert age_of(tmp_path / name) == age
