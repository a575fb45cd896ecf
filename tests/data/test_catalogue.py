from __future__ import annotations

import numpy as np
import pytest
from conftest import draw

from translate.data import catalogue
from translate.data.catalogue import open_domains
from translate.data.domain import Domain
from translate.errors import UserError
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
    """Stands for the installed plugins: opens the names it knows, and notes what it was asked."""

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
    assert found.summary() == (f"cat: 5 pictures in {photos}/train/cat; dog: 5 pictures in {photos}/train/dog; test: 2 + 2.")


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


def test_a_missing_folder(at_home):
    with pytest.raises(UserError) as caught:
        open_domains(Dreamer(*PAIR), PAIR, at_home / "nowhere", None)
    assert str(caught.value) == f"The data folder {at_home}/nowhere does not exist; give --data a folder of pictures."


def test_a_file(at_home):
    (at_home / "photos.zip").touch()
    with pytest.raises(UserError) as caught:
        open_domains(Dreamer(*PAIR), PAIR, at_home / "photos.zip", None)
    assert str(caught.value) == f"The data folder {at_home}/photos.zip is a file; give --data a folder of pictures."


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


def test_a_folder_without_folders(at_home):
    draw(at_home / "loose" / "0.png", 0)
    with pytest.raises(UserError, match=r"; it holds no folders\.$"):
        open_domains(Dreamer(), PAIR, at_home / "loose", None)


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
        open_domains(installed(), ("horse", "zebra"), photos, (16, 16))


# Without --data


def test_data_beside_you_is_used_when_it_has_them_all(photos, at_home):
    photos.rename(at_home / "work" / "data")
    found = open_domains(Dreamer(*PAIR), PAIR, None, None)
    assert str(found.root) == "data"
    assert [len(domain) for domain in found.train] == [5, 5]


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
    assert [each.name for each in catalogue.places()] == ["data", "apple2orange", "b-cat2dog", "old-cat2dog"]
    assert open_domains(Dreamer(*PAIR), PAIR, None, None).root == at_home / "fetched" / "b-cat2dog"
    photos.rename(at_home / "work" / "data")
    assert str(open_domains(Dreamer(*PAIR), PAIR, None, None).root) == "data"


def test_letters_do_not_stand_for_domains_that_nobody_named(at_home):
    """trainA fits any name: somebody's apples in ./data must not be taken for cats."""
    for letter in "AB":
        draw(at_home / "work" / "data" / f"train{letter}" / "0.png", 1)
    assert open_domains(Dreamer(*PAIR), PAIR, None, None).root is None
    assert open_domains(Dreamer(*PAIR), PAIR, "data", None).root is not None


def test_else_they_are_drawn():
    found = open_domains(installed(), ("horse", "zebra"), None, (16, 24))
    assert found.root is None
    assert [domain.read(0).shape for domain in found.train] == [(16, 24, 3)] * 2
    assert [len(domain) for domain in found.train] == [1000, 1000]
    assert [len(domain) for domain in found.test] == [200, 200]
    assert found.summary() == (
        "horse: drawn by the program (1000 pictures); zebra: drawn by the program (1000 pictures); test: 200 + 200."
    )


@pytest.mark.parametrize("plugins", [Dreamer(), Dreamer("cat")])
def test_else_there_is_a_sentence(plugins):
    with pytest.raises(UserError) as caught:
        open_domains(plugins, PAIR, None, None)
    assert str(caught.value) == (
        "There are no pictures for the domains cat and dog: no --data was given, ./data does not hold them, and no plugin draws "
        "them; give --data DIR with a folder for each domain, such as DIR/cat/."
    )


def test_blocked_plugins_draw_nothing():
    with pytest.raises(UserError, match="There are no pictures for the domains horse and zebra"):
        open_domains(Plugins(blocked=["*"]), ("horse", "zebra"), None, (16, 16))
