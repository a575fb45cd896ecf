from __future__ import annotations

import doctest

import pytest

from translate.data import wanted
from translate.data.wanted import Wanted, is_path, short_names


def test_examples_in_docstrings():
    assert doctest.testmod(wanted).failed == 0


@pytest.mark.parametrize("name", ["/pics/cats", "~/cats", "./cats", "../cats", "..", "."])
def test_names_that_are_paths(name):
    assert is_path(name)


@pytest.mark.parametrize("name", ["cats", "pics/cats", "mnist:3", "celeba.csv:Young=1", "utkface:-19"])
def test_names_that_are_none(name):
    assert not is_path(name)


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (("horse", "zebra"), ("horse", "zebra")),
        (("horse/", "zebra/"), ("horse", "zebra")),
        (("animals/cats", "animals/dogs"), ("animals/cats", "animals/dogs")),
        (("/a/celeba.csv:Young=1", "/a/celeba.csv:Young=0"), ("celeba.csv:Young=1", "celeba.csv:Young=0")),
        (("/a/b/x", "/c/b/x"), ("a-b-x", "c-b-x")),
        (("/x", "/a/x"), ("x", "a-x")),
        (("cats", "/pics/cats"), ("cats", "pics-cats")),
        (("same", "same"), ("same", "same")),
        ((), ()),
    ],
)
def test_short_names_tell_domains_apart(names, short):
    assert short_names(names) == short


def test_where_a_path_leads(tmp_path, monkeypatch):
    def locate(path, root=tmp_path):
        return Wanted("x", root, ("x",)).locate(path)

    assert locate("cats") == tmp_path / "cats"
    assert locate("pics/cats") == tmp_path / "pics" / "cats"
    assert locate("cats", None) is None
    assert locate("", tmp_path) is None
    here = tmp_path / "there" / "cats"
    here.mkdir(parents=True)
    assert locate(str(here)) == locate(str(here), None) == here
    # What was moved is found by its last part.
    assert locate("/gone/cats") == tmp_path / "cats"
    assert str(locate("/gone/cats", None)) == "/gone/cats"
    assert str(Wanted("x", tmp_path, ("x",), loose=False).locate("/gone/cats")) == "/gone/cats"
    monkeypatch.setenv("HOME", str(tmp_path / "there"))
    assert locate("~/cats", None) == here
