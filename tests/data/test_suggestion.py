from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from translate.data.suggestion import Method, method_for
from translate.options import Size
from translate.plugins import Plugins, installed


@pytest.mark.parametrize(
    ("names", "points", "method"),
    [
        (("a",), False, Method("dcgan", ("a",))),
        (("a", "b"), False, Method("cyclegan", ("a", "b"))),
        (("a", "b", "c"), False, Method("cyclegan", ("a", "b"))),
        (("points:ring8",), True, Method("vanilla", ("points:ring8",))),
        (("points:ring8", "points:ring9"), True, None),
    ],
)
def test_a_recipe_that_takes_so_many_domains(names, points, method):
    assert method_for(installed(), names, points=points) == method


def test_without_recipes_there_is_none():
    assert method_for(Plugins(allowed=()), ("a",)) is None


@pytest.mark.parametrize(
    ("names", "data", "size", "words"),
    [
        (("a", "b"), None, None, ["a", "b"]),
        (("-a", "my dog"), Path("-x"), Size(16, 24), ["./-a", "my dog", "--data", "./-x", "--size", "16x24"]),
        (("t.csv:age<30", "t.csv:age>=50"), Path("/p q"), None, ["t.csv:age<30", "t.csv:age>=50", "--data", "/p q"]),
    ],
)
def test_the_command_can_be_copied_into_a_shell(names, data, size, words):
    assert shlex.split(Method("r", names).command(data, size)) == ["translate", "run", "r", "--domains", *words]
