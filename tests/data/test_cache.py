from __future__ import annotations

import json
import os

import numpy as np
import pytest
from conftest import draw

from translate.cli.data import cache as command
from translate.data import cache
from translate.data.domain import Domain
from translate.data.index import FolderIndex
from translate.errors import DataWarning, UserError

SIZE = (16, 20)
EACH = 16 * 20 * 3


class Files(Domain):
    """Pictures of which only the number and the content are known."""

    cacheable = True

    def __init__(self, content, count=5, **values):
        self.name, self.content, self.count, self.origin = "files", content, count, f"{count} pictures in {content}"
        vars(self).update(values)

    def __len__(self):
        return self.count

    def read(self, index):
        return np.full((*SIZE, self.channels), index, self.dtype)

    def fingerprint(self):
        return self.content


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pixels"


def filled(content, count=5, used=None, **values):
    """An open cache of ``count`` samples, last used ``used`` seconds after 1970."""
    file = cache.open_cache(Files(content, count, **values), SIZE, "squash")
    for index in range(count):
        file.write(index, np.full((3, *SIZE), index, np.uint8))
    if used is not None:
        os.utime(file.path, (used, used))
    return file


def contents():
    return [each.about["folder"].split()[-1] for each in cache.kept()]


# What a file stands for


def test_the_key_is_content_and_what_was_made_of_it():
    paths = {
        cache.open_cache(domain, size, fit).path.name
        for domain, size, fit in [
            (Files("one"), SIZE, "squash"),
            (Files("two"), SIZE, "squash"),
            (Files("one"), (20, 16), "squash"),
            (Files("one"), SIZE, "crop"),
            (Files("one", channels=1), SIZE, "squash"),
            (Files("one", dtype="uint16"), SIZE, "squash"),
            (Files("one", window=(0.0, 4095.0)), SIZE, "squash"),
        ]
    }
    assert len(paths) == 7
    assert cache.open_cache(Files("one", name="another", origin="moved"), SIZE, "squash").path.name in paths


def test_what_is_drawn_is_not_kept_on_the_disk(folder):
    assert cache.open_cache(Files("one", cacheable=False), SIZE, "squash") is None
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_to_is_said_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRANSLATE_CACHE", str(tmp_path / "file"))
    with pytest.warns(
        DataWarning, match=r"^Decoded pictures of 'files' cannot be kept in .*/file/pixels \(\w+: .*TRANSLATE_CACHE"
    ):
        assert cache.open_cache(Files("one"), SIZE, "squash") is None


def test_without_a_variable_it_is_in_the_users_folder(monkeypatch):
    monkeypatch.delenv("TRANSLATE_CACHE")
    assert cache.cache_folder().name == "image-translate"


# How much


def test_what_was_used_least_recently_goes():
    for content, used in (("a", 3000), ("b", 1000), ("c", 2000)):
        filled(content, used=used)
    assert contents() == ["b", "c", "a"]
    sizes = [each.bytes for each in cache.kept()]
    cache.set_limit(sum(sizes))
    assert contents() == ["b", "c", "a"]
    cache.set_limit(sum(sizes[1:]))
    assert contents() == ["c", "a"]
    cache.set_limit(sum(sizes[1:]) + 5 * EACH)
    filled("d")
    assert contents() == ["c", "a", "d"]
    filled("e")  # needs the room of one
    assert contents() == ["a", "d", "e"]


def test_opening_is_using():
    for content, used in (("a", 1000), ("b", 2000)):
        filled(content, used=used)
    cache.open_cache(Files("a"), SIZE, "squash")
    assert contents() == ["b", "a"]


def test_what_is_in_use_stays_and_its_room_is_not_given_twice():
    cache.set_limit(8 * EACH)
    first = cache.open_cache(Files("a"), SIZE, "squash")
    second = cache.open_cache(Files("b"), SIZE, "squash")
    assert (first.room, second.room) == (5, 3)  # before either holds anything
    assert contents() == ["a", "b"]
    for file in (first, second):
        for index in range(5):
            file.write(index, np.zeros((3, *SIZE), np.uint8))
    assert [sum(file.read(index) is not None for index in range(5)) for file in (first, second)] == [5, 3]


def test_one_that_is_larger_than_the_limit_is_kept_in_part():
    cache.set_limit(3 * EACH)
    file = filled("a", count=50)
    assert [index for index in range(50) if file.read(index) is not None] == [0, 1, 2]


def test_by_default_a_tenth_of_the_free_disk_at_most(monkeypatch):
    usage = {"free": 10**15}
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: type("Usage", (), usage))
    assert cache.limit() == 20 * 10**9
    usage["free"] = 5 * 10**9
    assert cache.limit() == 5 * 10**8
    kept = filled("a")
    usage["free"] -= kept.path.stat().st_blocks * 512
    assert cache.limit() == 5 * 10**8  # what it takes itself does not shrink it


def test_a_limit_that_cannot_be_read_is_the_default(folder):
    cache.set_limit(77)
    assert cache.limit() == 77
    (folder / "limit").write_text("many")
    assert cache.limit() > 10**6


# The command


def test_the_command_shows_what_there_is(capsys, folder):
    file = filled("a")
    assert command.main([]) == 0
    said = capsys.readouterr().out
    assert "'files': 5 pictures of 16x20, squash, from 5 pictures in a; last used 20" in said
    assert "--max" not in said
    assert f"in {folder}." in said
    assert command.main(["--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["limit"] == cache.limit()
    (row,) = shown["files"]
    assert (row["domain"], row["pictures"], row["size"], row["fit"]) == ("files", 5, "16x20", "squash")
    assert row["path"] == str(file.path)
    assert row["bytes"] == file.path.stat().st_blocks * 512


def test_the_command_sets_the_limit(capsys):
    filled("a", used=1000)
    assert command.main(["--max", "1 kB"]) == 0
    said = capsys.readouterr().out
    assert "0 B of at most 1 kB" in said
    assert said.endswith("\nThat limit was set with --max; '--max default' goes back to the usual one.\n")
    assert (cache.limit(), cache.kept()) == (1000, [])


def test_the_command_goes_back_to_the_default(capsys):
    usual = cache.limit()
    assert command.main(["--max", "default"]) == 0, "where none was set, too"
    command.main(["--max", "1 kB"])
    capsys.readouterr()
    assert command.main(["--max", "default"]) == 0
    assert "--max" not in capsys.readouterr().out
    assert cache.limit() == pytest.approx(usual, rel=0.1)  # of what is free, which others change


def test_the_command_empties_it(capsys):
    kept = filled("a")
    filled("b")
    assert command.main(["--clear"]) == 0
    assert "1 of them stayed, because a run is using it." in capsys.readouterr().out
    assert contents() == ["a"]
    assert kept.read(1) is not None
    del kept
    command.main(["--clear"])
    assert contents() == []


def test_emptied_it_knows_nothing_of_files_either(tmp_path):
    index = FolderIndex(draw(tmp_path / "cat" / "a.png", 1).parent)
    index.facts(tmp_path / "cat" / "a.png")
    index.save()
    assert index.path.exists()
    command.main(["--clear"])
    assert not index.path.exists()


def test_a_file_without_a_page_is_shown_and_removed(capsys, folder):
    folder.mkdir(parents=True)
    (folder / "x.pixels").write_bytes(b"\xff" * 5000)
    command.main([])
    assert "? pictures of ?, ?, from an unknown folder" in capsys.readouterr().out
    command.main(["--clear"])
    assert cache.kept() == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("50GB", 50 * 10**9), ("500 MB", 5 * 10**8), ("1.5g", 1_500_000_000), ("7", 7), ("2k", 2000), ("0", 0), ("1TB", 10**12)],
)
def test_sizes(text, count):
    assert command.read_bytes(text) == count


@pytest.mark.parametrize("text", ["", "much", "1-5GB", "5 QB", "GB"])
def test_what_is_no_size(text):
    with pytest.raises(UserError, match=f"^--max is '{text}'; give a size such as 50GB or 500MB, or 'default'"):
        command.main(["--max", text])


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1 MB"), (20 * 10**9, "20 GB")]
)
def test_shown_sizes(count, text):
    assert command.show_bytes(count) == text
