from __future__ import annotations

import signal

import pytest

from translate.errors import Interrupted, NotFinite, RecipeError, TranslateError, UnknownName, UserError, listed, near


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(UserError, ValueError), (UnknownName, UserError), (NotFinite, ArithmeticError), (RecipeError, RuntimeError)],
)
def test_errors_are_ours_and_pythons(error, builtin):
    assert issubclass(error, TranslateError)
    assert issubclass(error, builtin)
    assert str(error("It is so.")) == "It is so."


def test_a_plugins_fault_is_not_the_users():
    assert not issubclass(RecipeError, UserError)
    assert not issubclass(NotFinite, UserError)


def test_interrupted_knows_its_signal():
    error = Interrupted("Stopped.", signal.SIGTERM)
    assert (str(error), error.signal) == ("Stopped.", 15)
    assert isinstance(error, TranslateError)


@pytest.mark.parametrize(
    ("names", "text"),
    [([], "none"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (iter("abcd"), "a, b, c and d")],
)
def test_listed(names, text):
    assert listed(names) == text


@pytest.mark.parametrize(
    ("name", "names", "text"),
    [
        ("cyclgan", ["dcgan", "cyclegan"], " Did you mean 'cyclegan'?"),
        ("cyclegan", iter(["cyclegan2", "cyclegan"]), " Did you mean 'cyclegan'?"),
        ("horse", ["batch", "seed"], ""),
        ("horse", [], ""),
    ],
)
def test_near(name, names, text):
    assert near(name, names) == text
