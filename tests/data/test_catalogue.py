from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import draw

from translate.data import catalogue
from translate.data.catalogue import open_domains
from translate.data.domain import Domain
from translate.errors import UserError
from translate.isolation import Guard
from translate.plugins import Plugins, installed

PAIR = ("cat", "dog")


class Drawn(Domain):
    def __init__(self, name, count):
        self.name, self.count, self.origin = name, count, f"{count} dreams"

    def __len__(self):
        return self.count

    def read(self, index):
        return np.zeros((4, 4, 3), np.uint8)


class Dreamer:
    """Stands for a guard and its plugins: opens the names it knows, and notes what it was asked."""

    def __init__(self, *known, rooted=()):
        self.known, self.rooted, self.asked = known, rooted, []

    def find_domain(self, name, root, split, size, domains):
        self.asked.append((name, root, split, size, domains))
        if name not in (self.known if root is None else self.rooted) or split not in ("train", "test"):
            return None
        return "dreamer", Drawn(name, 9 if split == "train" else 3)


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    """An empty working folder, and no data sets of the person who runs the tests."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(catalogue, "fetched_data", lambda: tmp_path / "fetched")
    return tmp_path


# From --data


def test_the_pictures_of_a_folder(photos):
    found = open_domains(Dreamer(), PAIR, photos, (16, 16))
    assert found.root == photos
    assert [domain.name for domain in found.train] == ["cat", "dog"]
    assert [len(domain) for domain in found.train] == [5, 5]
    assert [len(domain) for domain in found.test] == [2, 2]
    assert found.train[0].folder == photos / "train" / "cat"
    assert found.test[1].folder == photos / "test" / "dog"
    assert found.summary() == "cat: 5 pictures in train/cat; dog: 5 in train/dog; test: 2 + 2."


def test_the_folder_may_be_a_text_and_begin_at_home(photos, monkeypatch):
    monkeypatch.setenv("HOME", str(photos.parent))
    assert open_domains(Dreamer(), PAIR, str(photos), None).root == photos
    assert open_domains(Dreamer(), PAIR, "~/photos", None).root == photos


def test_without_held_out_pictures(at_home):
    for index, name in enumerate(PAIR):
        draw(at_home / "flat" / name / "0.png", index)
    found = open_domains(Dreamer(), PAIR, at_home / "flat", None)
    assert found.test == (None, None)
    assert found.summary().endswith("; no test pictures, so grids show training pictures.")


def test_what_is_not_there_gets_a_sentence_with_what_is(at_home):
    root = at_home / "mine"
    draw(root / "horses" / "0.png", 0)
    draw(root / "zebras" / "0.png", 0)
    (root / "readme.txt").touch()
    with pytest.raises(UserError) as caught:
        open_domains(Dreamer(*PAIR), PAIR, root, None)
    assert str(caught.value) == (
        f"{root} has no pictures of cat and dog: expected {root}/cat/ or {root}/train/cat/ or {root}/trainA/; "
        "it holds the folders horses/ and zebras/."
    )


def test_only_what_is_missing_is_named(photos):
    draw(photos / "fish" / "0.png", 0)
    with pytest.raises(UserError) as caught:
        open_domains(Dreamer(), ("cat", "fox"), photos, None)
    assert str(caught.value) == (
        f"{photos} has no pictures of fox: expected {photos}/fox/ or {photos}/train/fox/ or {photos}/trainB/; "
        "it holds the folders fish/, test/ and train/."
    )


def test_a_domain_whose_folder_is_empty(photos):
    (photos / "fox").mkdir()
    with pytest.raises(UserError, match="fox holds no picture that can be read"):
        open_domains(Dreamer(), ("cat", "fox"), photos, None)


def test_plugins_may_open_what_the_layouts_do_not(photos):
    dreamer = Dreamer(rooted=("fox",))
    found = open_domains(dreamer, ("cat", "fox"), photos, (16, 24))
    assert [domain.origin for domain in found.train] == [f"5 pictures in {photos}/train/cat", "9 dreams"]
    assert [len(domain) for domain in found.test] == [2, 3]
    assert dreamer.asked == [("fox", photos, split, (16, 24), ("cat", "fox")) for split in ("train", "test")]


def test_drawn_domains_are_no_substitute_for_a_folder_that_was_named(photos):
    with pytest.raises(UserError, match="has no pictures of horse and zebra"):
        open_domains(Guard(installed()), ("horse", "zebra"), photos, (16, 16))


# Without --data


def test_data_beside_you_is_used_when_it_has_them_all(photos, at_home):
    photos.rename(at_home / "work" / "data")
    found = open_domains(Dreamer(*PAIR), PAIR, None, None)
    assert str(found.root) == "data"
    assert [len(domain) for domain in found.train] == [5, 5]
    assert found.summary() == "In data: cat: 5 pictures in train/cat; dog: 5 in train/dog; test: 2 + 2."


def test_data_beside_you_is_left_alone_when_it_has_but_one(photos, at_home):
    photos.rename(at_home / "work" / "data")
    dreamer = Dreamer("cat", "fox")
    found = open_domains(dreamer, ("cat", "fox"), None, (16, 24))
    assert found.root is None
    assert [domain.origin for domain in found.train] == ["9 dreams", "9 dreams"]
    assert dreamer.asked[-1][1] is None


def test_then_data_sets_that_were_fetched_in_the_order_of_names(photos, at_home):
    for name in ("old-cat2dog", "b-cat2dog", "apple2orange"):
        for letter in "AB":
            draw(at_home / "fetched" / name / f"train{letter}" / "0.png", 1)
    (at_home / "fetched" / "0.txt").touch()
    draw(at_home / "fetched" / ".a-cat2dog.part" / "trainA" / "0.png", 1)  # broken off
    assert [each.name for each in catalogue.places()] == ["data", "apple2orange", "b-cat2dog", "old-cat2dog"]
    found = open_domains(Dreamer(*PAIR), PAIR, None, None)
    assert found.root == at_home / "fetched" / "b-cat2dog"
    assert found.summary().startswith(f"In {found.root}: cat: 1 pictures in trainA; dog: 1 in trainB; ")
    photos.rename(at_home / "work" / "data")
    assert str(open_domains(Dreamer(*PAIR), PAIR, None, None).root) == "data"


def test_letters_do_not_stand_for_domains_that_nobody_named(at_home):
    """trainA fits any name: somebody's apples in ./data must not be taken for cats."""
    for letter in "AB":
        draw(at_home / "work" / "data" / f"train{letter}" / "0.png", 1)
    assert open_domains(Dreamer(*PAIR), PAIR, None, None).root is None
    assert open_domains(Dreamer(*PAIR), PAIR, "data", None).root is not None


def test_else_they_are_drawn():
    found = open_domains(Guard(installed()), ("horse", "zebra"), None, (16, 24))
    assert found.root is None
    assert [domain.read(0).shape for domain in found.train] == [(16, 24, 3)] * 2
    assert [len(domain) for domain in found.train] == [1000, 1000]
    assert [len(domain) for domain in found.test] == [200, 200]
    assert found.summary() == (
        "horse: drawn by the program (1000 pictures); zebra: drawn by the program (1000 pictures); test: 200 + 200."
    )


@pytest.mark.parametrize("guard", [Dreamer(), Dreamer("cat")])
def test_else_there_is_a_sentence(guard):
    with pytest.raises(UserError) as caught:
        open_domains(guard, PAIR, None, None)
    assert str(caught.value) == (
        "There are no pictures for the domains cat and dog: no --data was given, ./data does not hold them, and no plugin draws "
        "them; give --data DIR with a folder for each domain, such as DIR/cat/."
    )


def test_blocked_plugins_draw_nothing():
    with pytest.raises(UserError, match="There are no pictures for the domains horse and zebra"):
        open_domains(Guard(Plugins(allowed=())), ("horse", "zebra"), None, (16, 16))


# Which layout, and what is said of it


def made(root, *paths, size=(8, 8)):
    for index, path in enumerate(paths):
        draw(root / path, index, size)
    return root


def test_what_a_plugin_has_is_not_taken_for_a_layout_that_fits_any_name(at_home):
    """MNIST beside a stray picture stays MNIST."""
    root = made(at_home / "mine", "stray.png")
    found = open_domains(Dreamer(rooted=("mnist",)), ("mnist",), root, None)
    assert found.train[0].origin == "9 dreams"
    assert open_domains(Dreamer(), ("mnist",), root, None).summary() == (
        f"mnist: 1 pictures in {root}; no test pictures, so grids show training pictures."
    )


def test_names_that_say_what_they_are_come_before_letters(at_home):
    root = made(at_home / "mine", "trainA/a.png", "trainB/b.png", "20_x.png", "60_x.png")
    for number, name in enumerate(PAIR):
        (root / f"{name}.txt").write_text(f"{(20, 60)[number]}_x.png\n")
    (root / "t.csv").write_text("file,pet\n20_x.png,cat\n60_x.png,dog\n")
    for names in (("cat.txt", "dog.txt"), ("t.csv:pet=cat", "t.csv:pet=dog"), ("x:-30", "x:31-")):
        found = open_domains(Dreamer(), names, root, None)
        assert [domain.label(0) for domain in found.train] == ["20_x.png", "60_x.png"]
        assert found.summary() == (
            f"{names[0]}: 1 pictures in {root}; {names[1]}: 1 in {root}; no test pictures, so grids show training pictures."
        )
    assert [domain.label(0) for domain in open_domains(Dreamer(), PAIR, root, None).train] == ["a.png", "b.png"]


def test_the_line_for_letters(at_home):
    root = made(
        at_home / "horse2zebra", *(f"{folder}/{i}.png" for folder in ("trainA", "trainB", "testA", "testB") for i in range(2))
    )
    made(root, "trainB/7.png", "testA/8.png")
    assert open_domains(Dreamer(), PAIR, root, None).summary() == "cat: 2 pictures in trainA; dog: 3 in trainB; test: 3 + 2."


def test_the_line_for_one_domain_with_tests(at_home):
    root = made(at_home / "mine", "cat/0.png", "dog/0.png", "dog/1.png", "dog/test/2.png")
    assert open_domains(Dreamer(), PAIR, root, None).summary() == "cat: 1 pictures in cat; dog: 2 in dog; test: 0 + 1."


def test_the_line_for_pairs_side_by_side(at_home):
    root = made(at_home / "facades", "train/0.png", "train/1.png", "val/2.png", size=(8, 16))
    found = open_domains(Dreamer(), PAIR, root, None)
    assert found.summary() == "cat: 2 pictures in train (left half); dog: 2 in train (right half); test: 1 + 1."
    assert np.array_equal(found.train[0].counterpart(1, "dog"), found.train[1].read(1))


# Names that are paths


def test_domains_by_their_paths(photos, at_home, monkeypatch):
    monkeypatch.setenv("HOME", str(photos.parent))
    for names in (
        [f"{photos}/train/{name}" for name in PAIR],
        [f"~/photos/train/{name}/" for name in PAIR],
        [f"../photos/train/{name}" for name in PAIR],
    ):
        found = open_domains(Dreamer(*PAIR), names, None, None)
        assert [domain.name for domain in found.train] == ["cat", "dog"]
        assert [len(domain) for domain in found.train] == [5, 5]
    assert found.root == Path()  # from where ../photos is looked for, in a run that is resumed elsewhere, too
    assert open_domains(Dreamer(*PAIR), [f"{photos}/train/{name}" for name in PAIR], None, None).root is None


def test_a_path_is_not_looked_for_in_other_places(photos, at_home):
    """../photos from here is not ../photos from ./data."""
    made(at_home / "work", "data/x.png", "photos/train/cat/0.png", "photos/train/dog/0.png")
    found = open_domains(Dreamer(), [f"../photos/train/{name}" for name in PAIR], None, None)
    assert [len(domain) for domain in found.train] == [5, 5]


def test_domains_that_moved(photos, at_home):
    names = [f"{at_home}/old/{name}" for name in PAIR]
    with pytest.raises(UserError, match="does not exist"):
        open_domains(Dreamer(), names, None, None, search=False)
    found = open_domains(Dreamer(), names, photos / "train", None, search=False)
    assert [(domain.name, len(domain)) for domain in found.train] == [("cat", 5), ("dog", 5)]


def test_the_working_folder_is_searched_where_it_is_named_alone(photos, at_home, monkeypatch):
    monkeypatch.chdir(photos)
    assert open_domains(Dreamer(*PAIR), PAIR, None, None).root is None
    found = open_domains(Dreamer(*PAIR), PAIR, ".", None)
    assert found.summary() == "cat: 5 pictures in train/cat; dog: 5 in train/dog; test: 2 + 2."


@pytest.mark.parametrize("names", [PAIR, ("cat",)])
def test_loose_pictures_here_are_nobodys(at_home, names):
    made(at_home / "work", "train/0.png", "0.png", "data/0.png", "data/train/0.png", size=(8, 16))
    assert open_domains(Dreamer(*PAIR), names, None, None).root is None


# Held-out pictures and pairs


@pytest.fixture
def flat(at_home):
    return made(at_home / "flat", *(f"{name}/{index}.png" for name in PAIR for index in range(20)), "dog/20.png")


def test_pictures_are_held_out_when_asked(flat):
    whole = open_domains(Dreamer(), PAIR, flat, None)
    found = open_domains(Dreamer(), PAIR, flat, None, holdout=4, seed=1)
    assert [len(domain) for domain in (*found.train, *found.test)] == [16, 17, 4, 4]
    assert found.summary() == "cat: 16 pictures in cat; dog: 17 in dog; test: 4 + 4, held out of them."
    for all_, train, test in zip(whole.train, found.train, found.test, strict=True):
        seen = [part.label(index) for part in (train, test) for index in range(len(part))]
        assert sorted(seen) == sorted(all_.label(index) for index in range(len(all_)))
    again = open_domains(Dreamer(), PAIR, flat, None, holdout=4, seed=1)
    assert [each.fingerprint() for each in again.train] == [each.fingerprint() for each in found.train]


def test_existing_splits_are_kept(photos):
    found = open_domains(Dreamer(), PAIR, photos, None, holdout=0.5)
    assert [len(domain) for domain in (*found.train, *found.test)] == [5, 5, 2, 2]


def test_equal_names_are_pairs_where_that_is_said(photos):
    for paired in (False, True):
        found = open_domains(Dreamer(), PAIR, photos, None, paired=paired)
        for cat, dog in (found.train, found.test):
            truth = cat.counterpart(1, "dog")
            assert np.array_equal(truth, dog.read(1)) if paired else truth is None


def test_held_out_pairs_stay_pairs(at_home):
    root = made(at_home / "flat", *(f"{name}/{index}.png" for name in PAIR for index in range(12)))
    found = open_domains(Dreamer(), PAIR, root, None, paired=True, holdout=0.3)
    for cat, dog in (found.train, found.test):
        assert [cat.label(index) for index in range(len(cat))] == [dog.label(index) for index in range(len(dog))]
        assert all(np.array_equal(cat.counterpart(index, "dog"), dog.read(index)) for index in range(len(cat)))
