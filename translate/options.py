"""Options are frozen dataclasses; here they are read from flags, files and keyword arguments, and written down again.

One reader serves the command line, ``run.toml``, ``--config`` files, weights headers and Python, so that a value means the same
everywhere and a mistake gets the same sentence.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from translate.errors import UserError, listed, near

T = TypeVar("T")

#: Whole numbers from here on are refused: neither torch nor numpy has them.
LARGE = 1 << 63


class Size(NamedTuple):
    """Height and width of a picture in pixels; written ``256`` or ``128x96`` (height first)."""

    height: int
    width: int

    def __str__(self) -> str:
        return str(self.height) if self.height == self.width else f"{self.height}x{self.width}"

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read ``256`` or ``128x96``. Raises ValueError."""
        height, by, width = text.lower().partition("x")
        return cls(int(height), int(width if by else height))


@dataclass(frozen=True)
class Part:
    """A registered part, such as a network or a loss, with its options; written ``resnet`` or ``resnet:blocks=6,channels=32``.

    In Python an object may stand in its place, which needs no name: ``given`` is that object, and ``name`` says its class,
    ``<my_module.MyGame>``.
    """

    name: str
    options: tuple[tuple[str, str], ...] = ()
    given: object = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name + (":" + ",".join(f"{key}={value}" for key, value in self.options) if self.options else "")

    @property
    def is_object(self) -> bool:
        """Whether an object stands, or stood, in the place of a name: a file can say of which class it was, and not hold it."""
        return self.name.startswith("<")

    @classmethod
    def of(cls, value: object) -> Part:
        """The part that is ``value``: a text, or an instance, a class or a function in its place. Raises ValueError."""
        if isinstance(value, Part):
            return value
        if isinstance(value, str | int | float | None):
            return cls.parse(str(value))
        what = value if hasattr(value, "__qualname__") else type(value)
        if what.__module__ in ("builtins", "datetime"):
            raise ValueError(value)  # what a file holds in the wrong place: a list, a table, a date
        return cls(f"<{what.__module__}.{what.__qualname__}>", given=value)

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``name`` or ``name:key=value,key=value``. Raises ValueError."""
        name, colon, rest = text.partition(":")
        items = [tuple(each.strip() for each in item.partition("=")) for item in rest.split(",") if item]
        if not name.strip() or bool(colon) != bool(items) or any(not key or not equals for key, equals, _ in items):
            raise ValueError(text)
        return cls(name.strip(), tuple((key, value) for key, _, value in items))


@dataclass(frozen=True)
class NoOptions:
    """For parts that have nothing to choose."""


def option(default: T, help: str = "", *, least: float | None = None, most: float | None = None, metavar: str | None = None) -> T:
    """A dataclass field with a help text and bounds; ``most`` and ``least`` are allowed values themselves.

    ``metavar`` stands for the value in help texts, where the type does not say enough.
    """
    result: T = field(default=default, metadata={"help": help, "least": least, "most": most, "metavar": metavar})
    return result


def part(text: str, help: str = "") -> Part:
    """A dataclass field that names a network or a loss, such as ``part("resnet:blocks=6")``."""
    return option(Part.parse(text), help)


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def flag(name: str) -> str:
    """The flag of an option: ``cycle_weight`` becomes ``--cycle-weight``."""
    return "--" + name.replace("_", "-")


def kind(cls: type, name: str) -> Any:
    """The type of option ``name``, without ``| None``."""
    hint = _hints(cls)[name]
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    return hint


def describe(hint: Any) -> str:
    """What a value of this type looks like, for help texts and errors."""
    if get_origin(hint) is Literal:
        return listed(str(each) for each in get_args(hint)).replace(" and ", " or ")
    if get_origin(hint) is tuple:
        return {Part: "names with options", int: "whole numbers, such as 0+2+3", float: "numbers, such as 0.5+2"}.get(
            get_args(hint)[0], "names"
        )
    return {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        Size: "a size such as 256 or 128x96",
    }.get(hint, "a name with options, such as resnet:blocks=6")


def read(cls: type, name: str, value: object, called: str = "") -> Any:
    """``value``, from Python or as text, as the type of option ``name`` of ``cls``.

    Raises UserError, which names the option as it is ``called``, by default its flag.
    """
    hint, called = kind(cls, name), called or flag(name)
    optional = hint is not _hints(cls)[name]
    if optional and (value is None or value == "none"):
        return None
    try:
        result = _convert(hint, value)
    except (ValueError, TypeError, OverflowError):
        raise UserError(f"{called} is {str(value)!r}; it must be {describe(hint)}.") from None
    limits = next(each.metadata for each in fields(cls) if each.name == name)
    for number in result if isinstance(result, tuple) else [result]:
        if isinstance(number, int) and abs(number) >= LARGE:
            raise UserError(f"{called} is {value}; it must be less than {LARGE}.")
        if limits.get("least") is not None and number < limits["least"]:
            raise UserError(f"{called} is {value}; it must be at least {limits['least']:g}.")
        if limits.get("most") is not None and number > limits["most"]:
            raise UserError(f"{called} is {value}; it must be at most {limits['most']:g}.")
    return result


def _convert(hint: Any, value: object) -> object:
    if get_origin(hint) is Literal:
        if str(value) not in get_args(hint):
            raise ValueError(value)
        return str(value)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if item in (int, float):
            return _numbers(item, value)
        if isinstance(value, Mapping):
            raise ValueError(value)  # its keys alone would be taken
        parts = item is Part
        alone = isinstance(value, str) or (parts and not isinstance(value, list | tuple))
        return tuple(
            Part.of(each) if parts else _convert(str, each) for each in ((value,) if alone else cast(Iterable[object], value))
        )
    if hint is Size and not isinstance(value, str):
        sides = cast(Iterable[object], value) if isinstance(value, list | tuple) else [value] * 2
        return Size(*(cast(int, _convert(int, side)) for side in sides))
    if hint is Part:
        return Part.of(value)
    if hint is Size:
        return value if isinstance(value, Size) else Size.parse(str(value))
    if hint is bool:
        if str(value).lower() not in ("true", "false"):
            raise ValueError(value)
        return str(value).lower() == "true"
    if hint is int and (isinstance(value, bool) or (isinstance(value, float) and value != int(value))):
        raise ValueError(value)
    if hint is str and (isinstance(value, bool) or not isinstance(value, str | int | float | os.PathLike)):
        raise ValueError(value)
    if hint is float and not float(value) == float(value):  # type: ignore[arg-type]
        raise ValueError(value)  # a NaN passes every bound
    return value if isinstance(value, hint) else hint(value)


def _numbers(kind: type, value: object) -> tuple[object, ...]:
    """Several numbers: a number, a list of them, or texts such as ``0+2+3``: a comma would end the option of a part."""
    given = value if isinstance(value, list | tuple) else [value]
    texts = [text for each in given for text in (re.split(r"[+,\s]+", each.strip()) if isinstance(each, str) else [each])]
    return tuple(_convert(kind, text) for text in texts)


def build(cls: type[T], values: Mapping[str, object], what: str, *, flags: bool = True) -> T:
    """An instance of options dataclass ``cls`` from ``values``. Raises UserError for an unknown name or an unfit value.

    ``what`` names the owner in errors: "recipe 'cyclegan'", "generator 'resnet'"; ``flags`` says whether its options are flags.
    """
    known = [each.name for each in fields(cls)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise UserError(f"{what} has no option '{name}'.{near(name, known)} Options: {listed(known)}.")
    required = [
        each.name
        for each in fields(cls)  # type: ignore[arg-type]
        if each.default is MISSING and each.default_factory is MISSING and each.name not in values
    ]
    if required:
        raise UserError(f"{what} needs {flag(required[0]) if flags else repr(required[0])}.")
    called = {name: "" if flags else f"Option '{name}' of {what[:1].lower()}{what[1:]}" for name in values}
    return cls(**{name: read(cls, name, value, called[name]) for name, value in values.items()})


def plain(options: object) -> dict[str, Any]:
    """An options dataclass as numbers, texts and lists, for TOML and JSON as ``build`` reads it.

    A None that is the default is left out, and so are objects in a list of parts, which no file can hold.
    """
    values = {each.name: getattr(options, each.name) for each in fields(options)}  # type: ignore[arg-type]
    defaults = {each.name: each.default for each in fields(options)}  # type: ignore[arg-type]
    return {
        name: "none" if value is None else _plain(value)
        for name, value in values.items()
        if value is not None or defaults[name] is not None
    }


def _plain(value: object) -> object:
    if isinstance(value, Size | Part):
        return str(value)
    if isinstance(value, tuple):
        if all(isinstance(each, int | float) for each in value):
            return list(value)
        return [str(each) for each in value if not (isinstance(each, Part) and each.is_object)]
    return value
