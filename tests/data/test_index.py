from __future__ import annotations

import hashlib
import json
import os
import time

import pytest
from conftest import draw
from data.odd import noise, png

from translate.data import index, picture
from translate.data.index import FolderIndex


@pytest.fixture
def opened(monkeypatch):
    """The names of files that are looked into, in their order; files count as written long ago."""
    monkeypatch.setattr(index, "FRESH", -(10**12))
    names = []
    for name in ("probe", "extremes"):
        original = getattr(picture, name)
        monkeypatch.setattr(picture, name, lambda path, original=original: names.append(path.name) or original(path))
    return names


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("a.png", "b.png")):
        draw(tmp_path / "data" / name, seed)
    return tmp_path / "data"


def all_of(folder):
    kept = FolderIndex(folder)
    known = [(kept.facts(path), kept.digest(path), kept.extremes(path)) for path in sorted(folder.iterdir())]
    kept.save()
    return known


def test_what_was_found_out_is_found_again(folder, opened):
    first = all_of(folder)
    assert opened == ["a.png", "a.png", "b.png", "b.png"]
    assert first[0][:2] == (picture.probe(folder / "a.png"), hashlib.sha256((folder / "a.png").read_bytes()).hexdigest())
    opened.clear()
    assert all_of(folder) == first
    assert opened == []


def test_extremes_are_the_least_and_largest_values(folder):
    (folder / "c.png").write_bytes(png(noise((4, 4, 1), "uint16", 4000) + 7, 16))
    values = noise((4, 4, 1), "uint16", 4000) + 7
    assert FolderIndex(folder).extremes(folder / "c.png") == (values.min(), values.max())
    (folder / "text.png").write_text("no picture")
    assert FolderIndex(folder).extremes(folder / "text.png") is None
    assert FolderIndex(folder).facts(folder / "text.png") is None
    assert FolderIndex(folder).facts(folder / "missing.png") is None


@pytest.mark.parametrize("change", ["size", "time", "times set back"])
def test_a_file_that_has_changed_is_looked_into_again(folder, opened, change):
    before = all_of(folder)
    opened.clear()
    path = folder / "a.png"
    status = path.stat()
    data = path.read_bytes()
    path.write_bytes(data + b"x" if change == "size" else data[:-1] + b"x")
    if change == "times set back":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = all_of(folder)
    assert set(opened) == {"a.png"}
    assert after[0][1] == hashlib.sha256(path.read_bytes()).hexdigest() != before[0][1]
    assert after[1] == before[1]


def test_a_file_that_was_just_written_is_not_believed_the_next_time(folder, opened, monkeypatch):
    all_of(folder)
    opened.clear()
    monkeypatch.setattr(index, "FRESH", 10**12)
    all_of(folder)
    assert set(opened) == {"a.png", "b.png"}


def test_a_file_written_before_two_seconds_is_believed(folder, monkeypatch):
    later = time.time_ns() + index.FRESH + 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    all_of(folder)
    monkeypatch.setattr(picture, "probe", lambda path: pytest.fail("looked into again"))
    all_of(folder)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "version", "folder"])
def test_a_damaged_index_counts_for_nothing(folder, opened, damage):
    first = all_of(folder)
    kept = FolderIndex(folder).path
    data = kept.read_bytes()
    opened.clear()
    if damage == "cut":
        kept.write_bytes(data[:-5])
    elif damage == "flipped":
        kept.write_bytes(data.replace(b'"PNG"', b'"PNX"', 1))
    elif damage == "empty":
        kept.write_bytes(b"")
    elif damage == "version":
        kept.write_bytes(data.replace(f" {index.VERSION} ".encode(), b" 999 ", 1))
    else:
        kept.unlink()
        kept.mkdir()
    assert all_of(folder) == first
    assert set(opened) == {"a.png", "b.png"}


def test_an_index_that_cannot_be_written_is_no_error(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRANSLATE_CACHE", str(tmp_path / "file" / "below"))
    assert len(all_of(folder)) == 2


def test_nothing_is_left_of_a_failed_write(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    all_of(folder)
    assert list(FolderIndex(folder).path.parent.iterdir()) == []


def test_files_that_are_gone_are_forgotten_and_those_not_asked_for_kept(folder, opened):
    all_of(folder)
    (folder / "b.png").unlink()
    draw(folder / "c.png", 7)
    kept = FolderIndex(folder)
    kept.facts(folder / "c.png")
    kept.save()
    assert set(json.loads(kept.path.read_bytes().partition(b"\n")[2])) == {"a.png", "c.png"}


def test_two_that_know_different_files_of_a_folder_keep_both(folder, opened, monkeypatch):
    """As two ranges of ages do, whose pictures are in one folder."""
    one, other = FolderIndex(folder), FolderIndex(folder)
    for each, name in ((one, "a.png"), (other, "b.png")):
        each.digest(folder / name)
        each.save()
    monkeypatch.setattr(hashlib, "file_digest", None)
    kept = FolderIndex(folder)
    for name in ("a.png", "b.png"):
        assert kept.digest(folder / name) == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_each_folder_has_an_index_of_its_own_whatever_it_is_called(folder, monkeypatch):
    assert FolderIndex(folder).path != FolderIndex(folder.parent).path
    monkeypatch.chdir(folder.parent)
    assert FolderIndex(folder.relative_to(folder.parent)).path == FolderIndex(folder).path
    assert FolderIndex(folder).name(folder / "sub" / "x.png") == os.path.join("sub", "x.png")
