from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from translate.typed import check, fits


@pytest.mark.parametrize(
    ("hint", "yes", "no"),
    [
        (str, ["", "a"], [1, None, ["a"], {"a": 1}, True]),
        (int, [0, -5, 10**30], [1.0, "1", True, None]),
        (bool, [True, False], [0, 1, "true", None]),
        (float, [0, 1.5, -1e308], [True, "1", float("nan"), float("inf"), -float("inf"), 10**400, None]),
        (int | None, [1, None], [True, "1"]),
        (list[int], [[], [1, 2]], [(1, 2), [1, "2"], {1: 2}, "12"]),
        (dict[str, int], [{}, {"a": 1}], [{"a": "1"}, {"a": True}, [("a", 1)]]),
        (Mapping[str, Any], [{}, {"a": [None]}], [[], "a"]),
        (dict[str, list[dict[str, str]]], [{"a": [{"b": "c"}]}], [{"a": [{"b": 1}]}, {"a": {"b": "c"}}]),
        (Literal["a", 1], ["a", 1], ["b", True, 1.0, ["a"]]),
        (dict[Literal["a", "b"], int], [{"a": 1}], [{"c": 1}]),
        (Any, [None, 1, [{}]], []),
    ],
)
def test_fits(hint, yes, no):
    assert [value for value in yes if not fits(value, hint)] == []
    assert [value for value in no if fits(value, hint)] == []


def test_check_gives_the_value_or_names_it_in_short():
    assert check("steps", 5, int) == 5
    with pytest.raises(ValueError, match=r"^'steps' is '5+', which is of another type than it must be$") as caught:
        check("steps", "5" * 1000, int)
    assert len(str(caught.value)) < 120
