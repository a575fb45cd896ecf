"""Data that is moved goes on training the run that it began, in every layout."""

from __future__ import annotations

import pytest
from conftest import TINY, draw

from translate import Engine
from translate.data import catalogue
from translate.errors import UserError


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (("cat", "dog"), ("train/cat/0.png", "train/dog/0.png")),
        (("cat", "dog"), ("cat/0.png", "dog/0.png")),
        (("cat", "dog"), ("trainA/0.png", "trainB/0.png")),
        (("cat.txt", "dog.txt"), ("a/0.png", "b/1.png")),
        (("t.csv:pet=cat", "t.csv:pet=dog"), ("a/0.png", "b/1.png")),
        (("faces:0-30", "faces:31-"), ("faces/20_x.png", "faces/60_x.png")),
        (("left", "right"), ("train/0.png", "train/1.png")),
    ],
)
def test_a_root_that_moved(tmp_path, names, places):
    old = tmp_path / "old"
    for index, place in enumerate(places):
        draw(old / place, index, (16, 32))
    if names[0] == "cat.txt":
        for name, place in zip(names, places, strict=True):
            (old / name).write_text(place)
    elif names[0].startswith("t.csv"):
        (old / "t.csv").write_text(f"file,pet\n{places[0]},cat\n{places[1]},dog\n")
    begun = Engine("cyclegan", names, data=str(old), out=tmp_path / "run", **TINY)
    new = old.rename(tmp_path / "new")
    with pytest.raises(UserError, match=r"The data folder .*old does not exist; give --data a folder of pictures\."):
        Engine.resume(tmp_path / "run")
    resumed = Engine.resume(tmp_path / "run", data=str(new))
    assert resumed.fingerprints == begun.fingerprints
    for mine, theirs in zip(resumed.found.train, begun.found.train, strict=True):
        assert [mine.label(index) for index in range(len(mine))] == [theirs.label(index) for index in range(len(theirs))]


def test_folders_named_by_their_paths(photos, tmp_path, monkeypatch):
    names = [str(photos / "train" / name) for name in ("cat", "dog")]
    begun = Engine("cyclegan", names, out=tmp_path / "run", **TINY)
    assert [space.name for space in begun.spaces] == ["cat", "dog"]
    assert Engine.resume(tmp_path / "run").fingerprints == begun.fingerprints
    (photos / "train").rename(tmp_path / "moved")
    with pytest.raises(UserError, match=rf"The domain '{names[0]}' is not there"):
        Engine.resume(tmp_path / "run")
    assert Engine.resume(tmp_path / "run", data=str(tmp_path / "moved")).fingerprints == begun.fingerprints
    assert Engine.resume(tmp_path / "run").fingerprints == begun.fingerprints  # it is remembered


def test_folders_that_were_found_from_here_are_found_from_elsewhere(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "fetched_data", lambda: tmp_path / "fetched")
    monkeypatch.chdir(photos)
    for names, data in ((("cat", "dog"), "."), (("./train/cat", "../photos/train/dog"), None)):
        begun = Engine("cyclegan", names, data=data, out=tmp_path / names[0].replace("/", "-"), **TINY)
        monkeypatch.chdir(tmp_path)
        assert Engine.resume(begun.out).fingerprints == begun.fingerprints
        monkeypatch.chdir(photos)
