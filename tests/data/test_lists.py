from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import draw, opened

from translate.data.lists import file_of, open_list
from translate.data.wanted import Wanted
from translate.errors import DataWarning, UserError


def labels(domain):
    return [domain.label(index) for index in range(len(domain))]


def open_in(root, name, *others):
    return open_list(Wanted(name, root, (name, *others)))


@pytest.fixture
def root(tmp_path):
    for index, name in enumerate(("a.png", "sub/b.png", "c d.png", "über.png")):
        draw(tmp_path / "pics" / name, index)
    return tmp_path


def test_one_path_a_line_relative_to_the_file(root):
    (root / "pics" / "horses.txt").write_text("# the good ones\n\nsub/b.png\n  c d.png  \nüber.png\n", encoding="utf-8")
    found = open_in(root / "pics", "horses.txt")
    assert found.train.name == "horses.txt"
    assert labels(found.train) == ["sub/b.png", "c d.png", "über.png"]
    assert found.test is None
    assert np.array_equal(found.train.read(0), np.asarray(opened(root / "pics" / "sub" / "b.png")))


def test_files_elsewhere_are_named_from_the_folder_that_holds_all(root):
    (root / "lists").mkdir()
    (root / "lists" / "horses.txt").write_text(f"../pics/a.png\n{root}/pics/sub/b.png\n")
    domain = open_in(root / "lists", "horses.txt").train
    assert (labels(domain), domain.folder) == (["a.png", "sub/b.png"], root / "pics")


def test_relative_roots(root, monkeypatch):
    (root / "pics" / "horses.txt").write_text("a.png\nsub/b.png\n")
    (root / "out.txt").write_text("pics/a.png\n../" + root.name + "/pics/sub/b.png\n")
    monkeypatch.chdir(root)
    assert labels(open_in(Path("pics"), "horses.txt").train) == ["a.png", "sub/b.png"]
    assert labels(open_in(Path(), "pics/horses.txt").train) == ["a.png", "sub/b.png"]
    assert labels(open_in(Path(), "./out.txt").train) == ["a.png", "sub/b.png"]


def test_a_mark_of_byte_order_and_lines_of_windows(root):
    (root / "pics" / "horses.txt").write_bytes("\ufeffa.png\r\nsub\\b.png\r\n".encode())
    assert labels(open_in(root / "pics", "horses.txt").train) == ["a.png", "sub/b.png"]


def test_a_picture_that_is_named_twice_is_there_once(root):
    (root / "pics" / "horses.txt").write_text("a.png\nsub/../a.png\n./a.png\nsub/b.png\n")
    assert labels(open_in(root / "pics", "horses.txt").train) == ["a.png", "sub/b.png"]


def test_a_list_for_each_split(root):
    for split, line in (("train", "../a.png"), ("val", "../sub/b.png")):
        (root / "pics" / split).mkdir()
        (root / "pics" / split / "horses.txt").write_text(line)
    found = open_in(root / "pics", "horses.txt")
    assert (labels(found.train), labels(found.test)) == (["a.png"], ["b.png"])


def test_files_that_are_not_there_are_passed_over_and_named(root):
    (root / "pics" / "horses.txt").write_text("a.png\n1.png\n2.png\n3.png\n4.png\n")
    with pytest.warns(DataWarning) as caught:
        assert labels(open_in(root / "pics", "horses.txt").train) == ["a.png"]
    assert [str(each.message) for each in caught] == [
        f"{root}/pics/horses.txt: passed over 4 of 5 files that are not there (1.png, 2.png, 3.png, ...)."
    ]


def test_none_is_there(root):
    (root / "horses.txt").write_text("a.png\nb.png\n")
    with pytest.raises(UserError) as caught:
        open_in(root, "horses.txt")
    assert str(caught.value) == (
        f"None of the 2 files that {root}/horses.txt names for 'horses.txt' is there ('a.png' is the first); they are looked for "
        f"relative to {root}."
    )
    (root / "horses.txt").write_text("# nothing\n")
    with pytest.raises(UserError, match=r"None of the 0 files that .* names for 'horses.txt' is there; they are"):
        open_in(root, "horses.txt")


def test_no_text(root):
    (root / "horses.txt").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(UserError, match=r"horses\.txt cannot be read as text \(.*\); save it as UTF-8\."):
        open_in(root, "horses.txt")


def test_what_is_no_list(root):
    assert open_in(root / "pics", "horses.txt") is None
    assert open_in(root / "pics", "a.png") is None
    (root / "dir.txt").mkdir()
    assert open_in(root, "dir.txt") is None


def test_names_without_an_ending(root):
    assert file_of(root / "pics", "a") == root / "pics" / "a.png"
    assert file_of(root / "pics", "sub\\b") == root / "pics" / "sub" / "b.png"
    assert file_of(root / "pics", "a.jpg") is None
    assert file_of(root / "pics", "sub") is None
    assert file_of(root / "pics", "") is None
