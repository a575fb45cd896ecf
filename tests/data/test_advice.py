"""What people do, and the sentence that they get."""

from __future__ import annotations

import pytest
from conftest import draw

from translate.data.catalogue import open_domains
from translate.errors import NoDomain, UserError
from translate.isolation import Guard
from translate.plugins import Plugins

PAIR = ("horse", "zebra")


def said(data, *domains):
    with pytest.raises(UserError) as caught:
        open_domains(Guard(Plugins(allowed=())), domains or PAIR, data, (16, 16))
    return caught.value, str(caught.value)


def expected(root, missing="horse and zebra", first="horse", letter="A"):
    return f"{root} has no pictures of {missing}: expected {root}/{first}/ or {root}/train/{first}/ or {root}/train{letter}/; "


@pytest.fixture
def home(tmp_path):
    root = tmp_path / "photos"
    for name in PAIR:
        draw(root / name / "0.png", 1)
    return tmp_path


def test_data_that_does_not_exist(home):
    error, text = said(home / "photo")
    assert text == f"The data folder {home}/photo does not exist; give --data a folder of pictures. Did you mean 'photos'?"
    assert not isinstance(error, NoDomain)
    assert said(home / "a" / "b")[1] == f"The data folder {home}/a/b does not exist; give --data a folder of pictures."


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar.gz", "photos.TAR", "photos.tgz"])
def test_data_that_is_an_archive(home, name):
    (home / name).touch()
    assert said(home / name)[1] == (
        f"The data folder {home}/{name} is an archive; unpack it, and give --data the folder that comes out."
    )


def test_data_that_is_a_table(home):
    (home / "celeba.csv").touch()
    assert said(home / "celeba.csv")[1] == (
        f"The data folder {home}/celeba.csv is a table; give --data {home}, and name domains by its columns: "
        f"--domains celeba.csv:COLUMN=VALUE ..."
    )


def test_data_that_is_another_file(home):
    assert said(home / "photos" / "horse" / "0.png")[1] == (
        f"The data folder {home}/photos/horse/0.png is a file; give --data a folder of pictures."
    )


def test_one_folder_too_high(home):
    error, text = said(home)
    assert isinstance(error, NoDomain)
    assert text == f"{expected(home)}it holds the folders photos/. Try one folder deeper: --data {home}/photos."


def test_one_folder_too_high_for_letters(home):
    for letter in "AB":
        draw(home / "sets" / "horse2zebra" / f"train{letter}" / "0.png", 1)
    assert said(home / "sets")[1].endswith(
        f"; it holds the folders horse2zebra/. Try one folder deeper: --data {home}/sets/horse2zebra."
    )


@pytest.mark.parametrize("inside", ["horse", "train"])
def test_one_folder_too_low(home, inside):
    root = home / "photos"
    if inside == "train":
        (root / "train").mkdir()
        draw(root / "train" / "deep" / "0.png", 1)
    assert said(root / inside)[1].endswith(f" Try one folder higher: --data {root}.")


def test_one_folder_too_low_for_letters(home):
    draw(home / "horse2zebra" / "trainA" / "0.png", 1)
    assert said(home / "horse2zebra" / "trainA")[1].endswith(f" Try one folder higher: --data {home}/horse2zebra.")


@pytest.mark.parametrize(
    ("folders", "meant"),
    [
        (("horses", "zebras"), "horses zebras"),
        (("Horse", "ZEBRA"), "Horse ZEBRA"),
        (("horse", "zebras"), "horse zebras"),
        (("hrose", "zebar"), "hrose zebar"),
        (("train/horses", "train/zebras"), "horses zebras"),
    ],
)
def test_names_that_differ_a_little(tmp_path, folders, meant):
    for folder in folders:
        draw(tmp_path / folder / "0.png", 1)
    assert said(tmp_path)[1].endswith(f". Did you mean --domains {meant}?")


def test_other_folders_are_named(tmp_path):
    for name in ("apples", "oranges"):
        draw(tmp_path / name / "0.png", 1)
    assert said(tmp_path)[1] == f"{expected(tmp_path)}it holds the folders apples/ and oranges/."


def test_of_many_folders_some_are_named(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02d}").mkdir()
    assert said(tmp_path)[1].endswith("; it holds the folders 00/, 01/, 02/, 03/, 04/, 05/, 06/, 07/ and 12 more.")


def test_an_empty_folder(tmp_path):
    assert said(tmp_path)[1] == f"{expected(tmp_path)}it is empty."


def test_an_archive_that_waits_in_the_folder(tmp_path):
    (tmp_path / "horse2zebra.zip").touch()
    assert said(tmp_path)[1] == f"{expected(tmp_path)}it holds no folders. Unpack horse2zebra.zip first."


def test_pictures_loose_in_the_root(tmp_path):
    for index in range(3):
        draw(tmp_path / f"{index}.png", 1)
    assert said(tmp_path)[1] == (
        f"{expected(tmp_path)}it holds no folders. {tmp_path} itself holds 3 pictures: a folder for each domain tells them apart, such "
        f"as {tmp_path}/horse/; pairs side by side, in {tmp_path}/train/, must be 2 times as wide as high."
    )


def test_pictures_loose_in_train(tmp_path):
    draw(tmp_path / "train" / "0.png", 1, (10, 19))
    assert f" {tmp_path}/train itself holds 1 picture: a folder for each domain" in said(tmp_path)[1]


def test_one_domain_is_missing(home):
    root = home / "photos"
    assert said(root, "horse", "fox")[1] == f"{expected(root, 'fox', 'fox', 'B')}it holds the folders horse/ and zebra/."


def test_a_table_that_is_not_there(home):
    (home / "celeba.csv").write_text("file,Young\n")
    text = said(home, "celebs.csv:Young=1", "celebs.csv:Young=0")[1]
    assert text == (
        f"{home} has no table celebs.csv for 'celebs.csv:Young=1'; it holds the folders photos/. Did you mean 'celeba.csv'? Put the "
        f"table there, or write its path before the colon."
    )


def test_ages_that_are_not_there(home):
    root = home / "photos"
    assert said(root, "utkface:20-30", "utkface:50-")[1] == (
        f"{root} has no pictures for 'utkface:20-30': expected files whose names begin with an age, such as 25_0_1.jpg, in "
        f"{root}/utkface/ or in {root}/ itself; it holds the folders horse/ and zebra/."
    )


def test_a_path_that_leads_nowhere(home):
    root = home / "photos"
    assert said(None, f"{root}/hors", f"{root}/zebra")[1] == (
        f"The domain '{root}/hors' is not there: {root}/hors does not exist; give the path of a folder of pictures. Did you mean 'horse'?"
    )
    # What moved is looked for under --data, too.
    assert said(root, "/gone/fox", "horse")[1] == (
        f"The domain '/gone/fox' is not there: /gone/fox does not exist, and neither does {root}/fox; give the path of a folder of "
        f"pictures."
    )
    assert said(None, f"{root}/celeba.csv:Young=1")[1] == (
        f"The domain '{root}/celeba.csv:Young=1' is not there: {root}/celeba.csv does not exist; give the path of a table."
    )


def test_a_path_of_something_else(home):
    (home / "horse.zip").touch()
    (home / "notes.md").touch()
    assert said(None, f"{home}/horse.zip")[1] == f"The domain '{home}/horse.zip' is an archive; unpack it, and give a folder."
    assert said(None, f"{home}/notes.md")[1] == (
        f"The domain '{home}/notes.md' is neither a folder of pictures nor a list of them; give a folder."
    )
    assert said(None, f"{home}/photos:20-30")[1] == (
        f"The domain '{home}/photos:20-30' is not there: {home}/photos has no pictures whose names begin with an age, such as 25_0_1.jpg."
    )


def test_nothing_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("translate.data.catalogue.fetched_data", lambda: tmp_path / "fetched")
    assert said(None)[1].startswith("There are no pictures for the domains horse and zebra: no --data was given, ./data does not")
