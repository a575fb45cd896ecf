from __future__ import annotations

import pytest
from conftest import draw

from translate.data.guess import guess_domains, without_pictures
from translate.errors import UserError


def place(root, *names, size=(8, 8)):
    for number, name in enumerate(names):
        draw(root / name, number, size)
    return root


@pytest.mark.parametrize(
    ("files", "domains"),
    [
        (("train/zebra/a.png", "train/horse/a.png", "test/horse/b.png"), ("horse", "zebra")),
        (("zebra/a.png", "horse/train/a.png", "horse/test/a.png", "test/horse/b.png"), ("horse", "zebra")),
        (("trainA/a.png", "trainB/a.png", "testA/a.png", "extra/a.png"), ("A", "B")),
        (("trainA/a.png", "trainB/a.png", "trainC/a.png", "trainE/a.png"), ("A", "B", "C")),
        (("summer/sub/deep/a.png", ".hidden/a.png"), ("summer",)),
        (("train/a.png", "test/b.png"), ("photos",)),
        (("a.png",), ("photos",)),
    ],
)
def test_domains_are_read_off_the_layout(tmp_path, files, domains):
    assert guess_domains(place(tmp_path / "photos", *files)) == domains


def test_letters_are_called_after_the_data_set(tmp_path):
    assert guess_domains(place(tmp_path / "summer2winter_yosemite", "trainA/a.png", "trainB/a.png")) == ("summer", "winter")
    assert guess_domains(place(tmp_path / "a2b", "trainA/a.png", "trainB/a.png", "trainC/a.png")) == ("A", "B", "C")


def test_pairs_side_by_side_are_two_domains(tmp_path):
    assert guess_domains(place(tmp_path / "edges2shoes", "train/a.png", "train/b.png", size=(8, 16))) == ("edges", "shoes")
    assert guess_domains(place(tmp_path / "maps", "train/a.png", size=(8, 16))) == ("A", "B")
    assert guess_domains(place(tmp_path / "wide", "a.png", size=(8, 16))) == ("wide",)


def test_folders_without_pictures_are_no_domains_but_those_of_damaged_ones_are(tmp_path):
    place(tmp_path, "cat/a.png")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "cow").mkdir()
    (tmp_path / "cow" / "IMG_1.HEIC").write_bytes(b"of a format that is not read")
    assert guess_domains(tmp_path) == ("cat", "cow", "dog")


def test_a_data_set_one_folder_deeper_is_named(tmp_path):
    place(tmp_path, "horse2zebra/trainA/a.png", "horse2zebra/trainB/a.png")
    for beside in ((), ("faces/a.png",)):
        place(tmp_path, *beside)
        with pytest.raises(
            UserError, match=r"horse2zebra is a data set .* one folder deeper: translate data check .*horse2zebra$"
        ):
            guess_domains(tmp_path)


def test_parts_of_a_domain_are_no_data_set_where_other_domains_are_beside_it(tmp_path):
    place(tmp_path, "horse/train/brown/a.png", "horse/train/white/a.png")
    with pytest.raises(UserError, match="one folder deeper"):
        guess_domains(tmp_path)
    place(tmp_path, "zebra/a.png")
    assert guess_domains(tmp_path) == ("horse", "zebra")


def test_nothing_to_find_is_an_error(tmp_path):
    with pytest.raises(UserError, match="holds no pictures; give a folder with a folder of pictures for each domain"):
        guess_domains(tmp_path)


def test_folders_without_pictures_beside_domains_are_found(tmp_path):
    place(tmp_path, "cat/a.png", "dog/a.png")
    for name in ("leer", "test", ".hidden", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    assert without_pictures(tmp_path, guess_domains(tmp_path)) == [tmp_path / "leer", tmp_path / "notes"]
    place(tmp_path, "train/cat/a.png")
    (tmp_path / "train" / "cow").mkdir()
    assert without_pictures(tmp_path, guess_domains(tmp_path)) == [tmp_path / "train" / "cow"]


def test_folders_beside_lettered_ones_are_no_domains_anyway(tmp_path):
    place(tmp_path, "trainA/a.png", "trainB/a.png")
    (tmp_path / "notes").mkdir()
    assert without_pictures(tmp_path, guess_domains(tmp_path)) == []


def test_a_folder_of_nothing_but_lists_says_what_they_are(tmp_path):
    place(tmp_path / "elsewhere", "a.png")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "cats.txt").write_text("../elsewhere/a.png\n")
    with pytest.raises(UserError, match=r"holds no pictures; .* There is a list of pictures; try --domains cats\.txt\.$"):
        guess_domains(tmp_path / "here")
