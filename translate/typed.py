"""Whether what a file says is of the types that it must be: files come from strangers, and JSON and TOML hold anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

#: No infinity, and no NaN, is at most this; nor are whole numbers that no float is near.
LARGEST = sys.float_info.max


def check(name: str, value: Any, hint: Any) -> Any:
    """``value``, where it is of the type ``hint``. Raises ValueError, which calls it ``name``."""
    if not fits(value, hint):
        raise ValueError(f"'{name}' is {str(value)[:60]!r}, which is of another type than it must be")
    return value


def fits(value: object, hint: Any) -> bool:
    """Whether ``value``, as JSON or TOML gives it, is of the type ``hint``: a text, number, list or mapping, a choice, or one of several.

    >>> fits({"a": [1, 2]}, dict[str, list[int]]), fits({"a": [1, True]}, dict[str, list[int]])
    (True, False)
    """
    kind, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if kind in (Union, UnionType):
        return any(fits(value, each) for each in inner)
    if kind is Literal:
        return any(value == each and type(value) is type(each) for each in inner)
    if kind in (dict, Mapping):
        return isinstance(value, dict) and all(fits(key, inner[0]) and fits(each, inner[1]) for key, each in value.items())
    if kind is list:
        return isinstance(value, list) and all(fits(each, inner[0]) for each in value)
    if isinstance(value, bool):  # which Python takes for a number
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and abs(value) <= LARGEST
    return isinstance(value, hint)
