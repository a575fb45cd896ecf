"""Whether what came is the data set that it should be, and where in it the data is; downloads are in ``tests/cli/test_data_get.py``."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from conftest import draw

from translate.cli import main
from translate.cli.data import get
from translate.data.obtain import obtain
from translate.data.published import DataSet, Download
from translate.errors import UserError

CATS = DataSet("Cats and dogs", "https://example.org", "MIT", "Somebody 2020", ("cat", "dog"), inside="cat2dog", terms="ask.")
LETTERS = ("trainA", "trainB", "testA", "testB")


def letters(folder: Path) -> Path:
    for number, letter in enumerate(LETTERS):
        draw(folder / letter / "0.png", number)
    return folder


def pairs(folder: Path) -> Path:
    for number, split in enumerate(("train", "val")):
        draw(folder / split / "0.png", number, (20, 40))
    return folder


def fetched(name: str, source: Path, final: Path) -> int:
    return main(["data", "get", name, "--from", str(source), "--to", str(final)])


def packed(folder: Path) -> Path:
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.rglob("*"):
            file.write(path, path.relative_to(folder))
    return archive


@pytest.mark.parametrize("top", ["", "horse2zebra", "horse2zebra-master", "some/where"])
def test_the_data_is_found_below_folders_that_hold_nothing_else(tmp_path, capsys, top):
    letters(tmp_path / "mine" / top)
    (tmp_path / "mine" / "__MACOSX").mkdir()
    assert fetched("horse2zebra", tmp_path / "mine", tmp_path / "data") == 0
    assert sorted(each.name for each in (tmp_path / "data").iterdir() if each.name != "__MACOSX") == sorted(LETTERS)
    assert main(["data", "check", str(tmp_path / "data"), "--domains", "horse", "zebra"]) == 0, "as the command that was told"
    assert "horse: 1 pictures in trainA; zebra: 1 in trainB; test: 1 + 1." in capsys.readouterr().out


def test_pairs_from_an_archive_with_another_folder_at_its_top(tmp_path):
    pairs(tmp_path / "mine" / "shoes")
    assert fetched("edges2shoes", packed(tmp_path / "mine"), tmp_path / "data") == 0
    assert sorted(each.name for each in (tmp_path / "data").iterdir()) == ["train", "val"]


def test_the_only_folder_is_not_left_out_where_it_says_what_its_pictures_are(tmp_path):
    """Pairs are known by ``train``."""
    draw(tmp_path / "mine" / "train" / "0.png", 0, (20, 40))
    assert fetched("edges2shoes", tmp_path / "mine", tmp_path / "data") == 0
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["train"]


@pytest.mark.parametrize("packing", [lambda folder: folder, packed], ids=["folder", "archive"])
@pytest.mark.parametrize("name", ["edges2shoes", "utkface", "celeba"])
def test_what_does_not_hold_the_domains_does_not_land(tmp_path, capsys, name, packing):
    for kind in ("lions", "tigers"):
        draw(tmp_path / "mine" / kind / "0.png", 0)
    source = packing(tmp_path / "mine")
    before = sorted(tmp_path.iterdir())
    assert fetched(name, source, tmp_path / "data") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"translate: {source} does not hold what was published (")
    assert str(tmp_path / "data") not in said, "a folder that is not there would help nobody"
    assert sorted(tmp_path.iterdir()) == before


def test_single_pictures_are_no_pairs(tmp_path, capsys):
    draw(tmp_path / "mine" / "train" / "0.png", 0)
    assert fetched("edges2shoes", tmp_path / "mine", tmp_path / "data") == 2
    assert "must be 2 times as wide as high" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_whoever_stops_the_check_has_nothing_that_was_not_checked(tmp_path, monkeypatch):
    def stop(data_set, folder):
        assert folder == tmp_path / "data"
        raise KeyboardInterrupt

    monkeypatch.setattr(get, "_check", stop)
    assert fetched("horse2zebra", letters(tmp_path / "mine"), tmp_path / "data") == 130
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_links_that_lead_round_are_followed_once(tmp_path):
    mine = tmp_path / "mine"
    for name in ("a", "b"):
        draw(mine / name / "0.png", 0)
    os.symlink(mine / "a", mine / "again")
    os.symlink(mine, mine / "a" / "up")
    os.symlink(mine / "b", mine / "a" / "to-b")
    os.symlink(mine / "a", mine / "b" / "to-a")
    obtain("cat2dog", CATS, tmp_path / "data", source=str(mine))
    found = sorted(str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*") if path.is_file())
    once = ["a/0.png", "a/to-b/0.png", "again/0.png", "again/to-b/0.png", "b/0.png", "b/to-a/0.png"]
    assert found == once


def test_files_that_are_others_are_not_offered_to_be_trusted(tmp_path):
    """There is no --sha256 for several files."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.gz").write_bytes(b"a")
    digits = DataSet("Digits", "-", "-", "-", ("x",), (Download("a.gz", (), 1, "0" * 64),), archive=False, folder="raw")
    with pytest.raises(UserError, match=r"expected 0{64}; give --from the folder with the published files of Digits") as caught:
        obtain("digits", digits, tmp_path / "data", source=str(tmp_path / "mine"))
    assert "--sha256" not in str(caught.value)
