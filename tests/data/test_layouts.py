from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from PIL import Image

from translate.data.layouts import find_folder, open_by_letter, open_by_name, open_folder, open_own_path, open_root
from translate.data.wanted import Wanted
from translate.errors import DataWarning, UserError

PAIR = ("horse", "zebra")


def labels(domain):
    return [domain.label(index) for index in range(len(domain))]


# Which folder


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("train/horse", "train/zebra"), ("test/horse", "test/zebra")),
        (("horse/train", "zebra/train"), ("horse/test", "zebra/test")),
        (("horse", "zebra"), (None, None)),
        (("trainA", "trainB"), ("testA", "testB")),
    ],
)
def test_each_layout(tmp_path, train, test):
    for folder in (*train, *test):
        if folder:
            draw(tmp_path / folder / f"{folder.replace('/', '-')}.png", 1)
    for name, of_train, of_test in zip(PAIR, train, test, strict=True):
        domain = open_folder(name, tmp_path, "train", PAIR)
        assert domain.folder == tmp_path / of_train
        assert domain.name == name
        assert labels(domain) == [f"{of_train.replace('/', '-')}.png"]
        found = open_folder(name, tmp_path, "test", PAIR)
        assert (found.folder if found else None) == (tmp_path / of_test if of_test else None)


def test_letters_follow_the_order_in_which_domains_were_given(tmp_path):
    for letter in "ABC":
        (tmp_path / f"train{letter}").mkdir()
    domains = ("z", "a", "m")
    assert [find_folder(name, tmp_path, "train", domains).name for name in domains] == ["trainA", "trainB", "trainC"]
    assert [find_folder(name, tmp_path, "train", domains[::-1]).name for name in domains] == ["trainC", "trainB", "trainA"]
    assert find_folder("z", tmp_path, "test", domains) is None


def test_the_first_layout_that_is_there_is_taken(tmp_path):
    order = ["trainA", "horse", "horse/train", "train/horse"]
    for folder in order:
        (tmp_path / folder).mkdir(parents=True)
        assert find_folder("horse", tmp_path, "train", PAIR) == tmp_path / folder
    for folder in ["testA", "horse/test", "test/horse"]:
        (tmp_path / folder).mkdir(parents=True)
        assert find_folder("horse", tmp_path, "test", PAIR) == tmp_path / folder


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "horse").touch()
    assert find_folder("horse", tmp_path, "train", PAIR) is None
    assert open_folder("horse", tmp_path, "train", PAIR) is None


def test_more_domains_than_letters(tmp_path):
    domains = [f"d{number}" for number in range(27)]
    (tmp_path / "trainA").mkdir()
    (tmp_path / "d26").mkdir()
    assert find_folder("d26", tmp_path, "train", domains) == tmp_path / "d26"
    assert find_folder("d0", tmp_path, "train", domains) is None


@pytest.mark.parametrize("name", ["..", ".", "", "../horse", "horse/..", "horse/../../x", "/etc"])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    root = tmp_path / "root"
    for folder in (root / "horse", root / "train", root / "train" / "horse", tmp_path / "horse", tmp_path / "x"):
        folder.mkdir(parents=True, exist_ok=True)
    assert find_folder(name, root, "train", [name]) is None


def test_pictures_held_out_are_never_trained_on(tmp_path):
    draw(tmp_path / "horse" / "a.png", 1)
    draw(tmp_path / "horse" / "test" / "b.png", 2)
    assert labels(open_folder("horse", tmp_path, "test", PAIR)) == ["b.png"]
    assert labels(open_folder("horse", tmp_path, "train", PAIR)) == ["a.png"]


def test_val_stands_for_test_where_there_is_none(tmp_path):
    for folder, name in (("train/horse", "a"), ("val/horse", "b"), ("trainB", "c"), ("valB", "d")):
        draw(tmp_path / folder / f"{name}.png", 1)
    assert labels(open_folder("horse", tmp_path, "test", PAIR)) == ["b.png"]
    assert labels(open_folder("zebra", tmp_path, "test", PAIR)) == ["d.png"]
    draw(tmp_path / "testB" / "e.png", 1)
    assert labels(open_folder("zebra", tmp_path, "test", PAIR)) == ["e.png"]


@pytest.mark.parametrize(
    ("folders", "train", "test"),
    [
        (("horse", "horse/val"), ["horse"], ["horse-val"]),
        # What is called val is training data as ever where the test pictures are elsewhere.
        (("horse", "horse/val", "horse/test"), ["horse", "val/horse-val"], ["horse-test"]),
        (("horse", "horse/test", "test/horse"), ["horse"], ["test-horse"]),
    ],
)
def test_pictures_held_out_inside(tmp_path, folders, train, test):
    for folder in folders:
        draw(tmp_path / folder / f"{folder.replace('/', '-')}.png", 1)
    found = open_by_name(Wanted("horse", tmp_path, PAIR))
    assert labels(found.train) == [f"{name}.png" for name in train]
    assert labels(found.test) == [f"{name}.png" for name in test]


def test_test_pictures_are_read_as_those_for_training(tmp_path):
    """Whatever they are themselves: networks for one grey channel of 12 bits are shown nothing else."""
    for folder, most in (("train/scan", 4095), ("test/scan", 1000)):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(np.full((8, 8), most, np.uint16)).save(tmp_path / folder / "0.png")
    draw(tmp_path / "test" / "scan" / "1.png", 1)
    with pytest.warns(DataWarning, match="bits are mixed"):
        found = open_by_name(Wanted("scan", tmp_path, ("scan", "other")))
    assert found.train.window == found.test.window == (0, 4095)
    assert (found.test.dtype, found.test.channels) == ("uint16", 1)
    assert np.array_equal(found.test.read(0), np.full((8, 8, 1), 1000, np.uint16))
    assert found.test.read(1).shape == (20, 24, 1)


def test_letters_are_a_layout_of_their_own(tmp_path):
    draw(tmp_path / "trainA" / "a.png", 1)
    assert open_by_name(Wanted("horse", tmp_path, PAIR)) is None
    assert open_by_letter(Wanted("horse", tmp_path, PAIR, loose=False)) is None
    assert labels(open_by_letter(Wanted("horse", tmp_path, PAIR)).train) == ["a.png"]


def test_letters_hold_no_test_pictures_of_a_folder_with_a_name(tmp_path):
    """Or else a run that found its data by name, where letters are not looked at, would find more of it when it is resumed."""
    for folder in ("horse", "testA"):
        draw(tmp_path / folder / "a.png", 1)
    assert open_by_name(Wanted("horse", tmp_path, PAIR)).test is None


def test_a_name_may_end_as_folders_do(tmp_path):
    draw(tmp_path / "horse" / "a.png", 1)
    found = open_by_name(Wanted("horse/", tmp_path, ("horse/", "zebra/")))
    assert (found.train.name, found.train.folder) == ("horse", tmp_path / "horse")


@pytest.mark.parametrize(
    ("folders", "train", "test"),
    [
        (("cats",), ["cats"], None),
        (("cats", "cats/test"), ["cats"], ["cats-test"]),
        (("cats/train", "cats/val"), ["cats-train"], ["cats-val"]),
        (("cats", "train/cats", "test/cats"), ["cats"], None),
    ],
)
def test_a_folder_by_its_path(tmp_path, monkeypatch, folders, train, test):
    for folder in folders:
        draw(tmp_path / folder / f"{folder.replace('/', '-')}.png", 1)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (f"{tmp_path}/cats", f"{tmp_path}/cats/", "~/cats", "../cats"):
        found = open_own_path(Wanted(name, Path(), (name, "dogs")))
        assert found.train.name == "cats"
        assert labels(found.train) == [f"{each}.png" for each in train]
        assert (labels(found.test) if found.test else None) == (test and [f"{each}.png" for each in test])
    assert open_own_path(Wanted("cats", tmp_path, ("cats",))) is None  # a name, which other layouts take


def test_the_root_is_the_only_domain(tmp_path):
    draw(tmp_path / "a.png", 1)
    draw(tmp_path / "more" / "b.png", 2)
    draw(tmp_path / "test" / "c.png", 3)
    found = open_root(Wanted("faces", tmp_path, ("faces",)))
    assert (found.train.name, labels(found.train), labels(found.test)) == ("faces", ["a.png", "more/b.png"], ["c.png"])
    assert open_root(Wanted("faces", tmp_path, ("faces", "others"))) is None
    assert open_root(Wanted("faces", tmp_path, ("faces",), loose=False)) is None
    assert open_root(Wanted("faces", None, ("faces",))) is None


def test_the_only_domain_may_have_splits(tmp_path):
    for split in ("train", "val"):
        draw(tmp_path / split / f"{split}.JPG", 1)
    found = open_root(Wanted("faces", tmp_path, ("faces",)))
    assert (labels(found.train), labels(found.test)) == (["train.JPG"], ["val.JPG"])


def test_pictures_further_down_are_not_those_of_the_root(tmp_path):
    draw(tmp_path / "dogs" / "a.png", 1)
    (tmp_path / "notes.txt").touch()
    assert open_root(Wanted("faces", tmp_path, ("faces",))) is None


def test_an_empty_folder_of_a_layout_is_an_error(tmp_path):
    (tmp_path / "horse").mkdir()
    with pytest.raises(UserError, match="holds no picture that can be read"):
        open_folder("horse", tmp_path, "train", PAIR)
