from __future__ import annotations

import dataclasses
import datetime
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from translate import option, options, part
from translate.errors import UserError
from translate.options import Part, Size


@dataclass(frozen=True)
class Drinks:
    cups: int = option(3, "how many", least=1, most=12)
    cup_weight: float = option(0.5, "kilograms", least=0)
    size: Size = option(Size(4, 4), least=2, most=99)
    tea: Part = part("green:minutes=3")
    milk: bool = option(False)
    mood: Literal["calm", "merry"] = option("calm")
    guests: tuple[str, ...] = option(())
    host: str = option("anna")
    limit: int | None = option(None, least=1)
    note: str | None = option(None)


@dataclass(frozen=True)
class Required:
    cups: int
    host: str = option("anna")


# Size and Part


@pytest.mark.parametrize(
    ("text", "size"), [("256", Size(256, 256)), ("128x96", Size(128, 96)), ("128X96", Size(128, 96)), ("1x2", Size(1, 2))]
)
def test_size_is_height_by_width(text, size):
    assert Size.parse(text) == size
    assert Size.parse(str(size)) == size
    assert size == (size.height, size.width)


def test_size_is_written_short_where_it_is_square():
    assert str(Size(7, 7)) == "7"
    assert str(Size(7, 8)) == "7x8"


@pytest.mark.parametrize("text", ["", "x", "x5", "a", "5xa", "1x2x3", "2.5"])
def test_size_refuses_what_is_none(text):
    with pytest.raises(ValueError, match=r".*"):
        Size.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("resnet", Part("resnet")),
        ("resnet:blocks=6", Part("resnet", (("blocks", "6"),))),
        ("resnet:blocks=6,channels=32", Part("resnet", (("blocks", "6"), ("channels", "32")))),
        ("file:path=a=b:c", Part("file", (("path", "a=b:c"),))),
        ("resnet:blocks=", Part("resnet", (("blocks", ""),))),
    ],
)
def test_part_and_its_text(text, value):
    assert Part.parse(text) == value
    assert str(value) == text


def test_part_forgives_spaces_and_a_last_comma():
    assert Part.parse("resnet: blocks = 6, channels=32,") == Part("resnet", (("blocks", "6"), ("channels", "32")))


@pytest.mark.parametrize("text", ["", ":", ":a=1", " ", "resnet:blocks", "resnet:=6", "resnet:a=1,b"])
def test_part_refuses_what_is_none(text):
    with pytest.raises(ValueError, match=r".*"):
        Part.parse(text)


# One value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("cups", 5, 5),
        ("cups", "5", 5),
        ("cups", 5.0, 5),
        ("cup_weight", "2", 2.0),
        ("cup_weight", 2, 2.0),
        ("cup_weight", "1e-3", 0.001),
        ("size", "8", Size(8, 8)),
        ("size", 8, Size(8, 8)),
        ("size", (8, 9), Size(8, 9)),
        ("size", [8, 9], Size(8, 9)),
        ("size", "8x9", Size(8, 9)),
        ("size", Size(8, 9), Size(8, 9)),
        ("tea", "black", Part("black")),
        ("tea", Part("black"), Part("black")),
        ("milk", True, True),
        ("milk", "true", True),
        ("milk", "False", False),
        ("milk", "TRUE", True),
        ("mood", "merry", "merry"),
        ("guests", "bert", ("bert",)),
        ("guests", ["bert", "carl"], ("bert", "carl")),
        ("guests", (), ()),
        ("host", "none", "none"),
        ("limit", None, None),
        ("limit", "none", None),
        ("limit", "4", 4),
        ("note", "none", None),
        ("note", "some", "some"),
    ],
)
def test_a_value_means_the_same_from_python_and_as_text(name, value, expected):
    result = options.read(Drinks, name, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("cups", "many", "--cups is 'many'; it must be a whole number."),
        ("cups", 2.5, "--cups is '2.5'; it must be a whole number."),
        ("cups", "2.5", "--cups is '2.5'; it must be a whole number."),
        ("cups", True, "--cups is 'True'; it must be a whole number."),
        ("cups", math.nan, "--cups is 'nan'; it must be a whole number."),
        ("cups", math.inf, "--cups is 'inf'; it must be a whole number."),
        ("cups", None, "--cups is 'None'; it must be a whole number."),
        ("cups", [1], "--cups is '[1]'; it must be a whole number."),
        ("cup_weight", "heavy", "--cup-weight is 'heavy'; it must be a number."),
        ("cup_weight", math.nan, "--cup-weight is 'nan'; it must be a number."),
        ("cup_weight", "nan", "--cup-weight is 'nan'; it must be a number."),
        ("cup_weight", None, "--cup-weight is 'None'; it must be a number."),
        ("size", "big", "--size is 'big'; it must be a size such as 256 or 128x96."),
        ("size", (1, 2, 3), "--size is '(1, 2, 3)'; it must be a size such as 256 or 128x96."),
        ("size", (8.5, 9), "--size is '(8.5, 9)'; it must be a size such as 256 or 128x96."),
        ("size", True, "--size is 'True'; it must be a size such as 256 or 128x96."),
        ("tea", "green:minutes", "--tea is 'green:minutes'; it must be a name with options, such as resnet:blocks=6."),
        ("milk", "yes", "--milk is 'yes'; it must be true or false."),
        ("milk", 1, "--milk is '1'; it must be true or false."),
        ("mood", "sad", "--mood is 'sad'; it must be calm or merry."),
        ("guests", 3, "--guests is '3'; it must be names."),
        ("limit", "few", "--limit is 'few'; it must be a whole number."),
    ],
)
def test_an_unfit_value_gets_a_sentence_with_the_flag(name, value, sentence):
    with pytest.raises(UserError) as caught:
        options.read(Drinks, name, value)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("cups", 0, "--cups is 0; it must be at least 1."),
        ("cups", "13", "--cups is 13; it must be at most 12."),
        ("cup_weight", -0.25, "--cup-weight is -0.25; it must be at least 0."),
        ("cup_weight", "-inf", "--cup-weight is -inf; it must be at least 0."),
        ("size", "1", "--size is 1; it must be at least 2."),
        ("size", "5x1", "--size is 5x1; it must be at least 2."),
        ("size", (1, 5), "--size is (1, 5); it must be at least 2."),
        ("size", "100x5", "--size is 100x5; it must be at most 99."),
        ("limit", 0, "--limit is 0; it must be at least 1."),
    ],
)
def test_bounds(name, value, sentence):
    with pytest.raises(UserError) as caught:
        options.read(Drinks, name, value)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("name", "value"), [("cups", 1), ("cups", 12), ("cup_weight", 0), ("size", "2x99"), ("limit", 1)])
def test_bounds_are_allowed_themselves(name, value):
    options.read(Drinks, name, value)


# All of them


def test_build_fills_in_defaults_and_converts():
    assert options.build(Drinks, {}, "x") == Drinks()
    built = options.build(Drinks, {"cups": "5", "size": "8x9", "tea": "black:sugar=1", "guests": ["bert"]}, "x")
    assert built == Drinks(cups=5, size=Size(8, 9), tea=Part("black", (("sugar", "1"),)), guests=("bert",))


def test_an_unknown_option_names_the_near_one_and_all():
    with pytest.raises(UserError) as caught:
        options.build(Required, {"cup": 3}, "Recipe 'tea'")
    assert str(caught.value) == "Recipe 'tea' has no option 'cup'. Did you mean 'cups'? Options: cups and host."
    with pytest.raises(UserError) as caught:
        options.build(Required, {"zzz": 3}, "Recipe 'tea'")
    assert str(caught.value) == "Recipe 'tea' has no option 'zzz'. Options: cups and host."


def test_what_has_no_default_is_required():
    with pytest.raises(UserError, match=r"^Recipe 'tea' needs --cups\.$"):
        options.build(Required, {"host": "bert"}, "Recipe 'tea'")
    assert options.build(Required, {"cups": 1}, "Recipe 'tea'") == Required(1)


@pytest.mark.parametrize(
    "values",
    [
        Drinks(),
        Drinks(cups=12, cup_weight=1e-3, size=Size(8, 9), tea=Part("black", (("sugar", "1"), ("path", "a=b")))),
        Drinks(milk=True, mood="merry", guests=("bert", "carl é"), host="", limit=7, note="a 'note'"),
    ],
)
def test_plain_is_read_back_by_build_also_through_json(values):
    plain = options.plain(values)
    assert options.build(Drinks, plain, "x") == values
    assert options.build(Drinks, json.loads(json.dumps(plain)), "x") == values


def test_plain_leaves_out_none():
    plain = options.plain(Drinks(size=Size(8, 9), guests=("a",)))
    assert plain == {
        "cups": 3,
        "cup_weight": 0.5,
        "size": "8x9",
        "tea": "green:minutes=3",
        "milk": False,
        "mood": "calm",
        "guests": ["a"],
        "host": "anna",
    }


@dataclass(frozen=True)
class Lid:
    closed_after: int | None = option(5)


@pytest.mark.parametrize("minutes", [None, 5, 7])
def test_none_is_read_back_where_it_is_not_the_default(minutes):
    assert options.build(Lid, options.plain(Lid(minutes)), "x") == Lid(minutes)


def test_flag_kind_and_fields():
    assert options.flag("cycle_weight") == "--cycle-weight"
    assert options.kind(Drinks, "limit") is int
    assert options.kind(Drinks, "note") is str
    assert options.kind(Drinks, "size") is Size
    assert dataclasses.fields(Drinks)[0].metadata["help"] == "how many"


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "a whole number"),
        (float, "a number"),
        (bool, "true or false"),
        (str, "a text"),
        (Literal["a", "b", "c"], "a, b or c"),
        (tuple[str, ...], "names"),
        (tuple[int, ...], "whole numbers, such as 0+2+3"),
        (tuple[float, ...], "numbers, such as 0.5+2"),
    ],
)
def test_describe(hint, text):
    assert options.describe(hint) == text


@dataclass(frozen=True)
class Layers:
    """What compares features takes."""

    layers: tuple[int, ...] = option((0, 2), "which", least=0, most=8)
    weights: tuple[float, ...] = option((), "how much of each")


@pytest.mark.parametrize(
    ("value", "layers"),
    [("0+2+3", (0, 2, 3)), ("0,2, 3", (0, 2, 3)), (["0", "2+3"], (0, 2, 3)), ([0, 2], (0, 2)), (4, (4,)), ("4", (4,)), ((), ())],
)
def test_several_numbers(value, layers):
    options_ = options.build(Layers, {"layers": value}, "It")
    assert options_.layers == layers
    assert options.plain(options_)["layers"] == list(layers)
    assert options.build(Layers, options.plain(options_), "It") == options_


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("0+a", "--layers is '0+a'; it must be whole numbers, such as 0+2+3."),
        ("", "--layers is ''; it must be whole numbers, such as 0+2+3."),
        ([1.5], "--layers is '[1.5]'; it must be whole numbers, such as 0+2+3."),
        ("3+9", "--layers is 3+9; it must be at most 8."),
    ],
)
def test_several_numbers_that_are_none(value, sentence):
    with pytest.raises(UserError) as error:
        options.build(Layers, {"layers": value}, "It")
    assert str(error.value) == sentence


@dataclass(frozen=True)
class Guests:
    """Options that take texts and parts."""

    host: str = "Ada"
    names: tuple[str, ...] = ()
    food: Part = part("soup")
    gifts: tuple[Part, ...] = ()


TABLE = {"_target_": "os.system", "args": ["x"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("host", value) for value in (["Ada"], TABLE, True, None, datetime.date(2020, 1, 1), b"Ada")),
        *(("names", value) for value in (TABLE, [["Ada"]], [TABLE], [True], 5)),
        *(("food", value) for value in (["soup"], TABLE, datetime.datetime(2020, 1, 1), datetime.time(1), b"soup", dict, print)),
        *(("gifts", value) for value in (TABLE, [TABLE], [["soup"]])),
    ],
)
def test_what_a_file_holds_in_the_wrong_place_gets_a_sentence(name, value):
    with pytest.raises(UserError, match=rf"^--{name} is .*; it must be "):
        options.build(Guests, {name: value}, "It")


def test_texts_may_be_paths_and_numbers():
    made = options.build(Guests, {"host": Path("a") / "b", "names": [3, "x"]}, "It")
    assert (made.host, made.names) == (str(Path("a") / "b"), ("3", "x"))


@pytest.mark.parametrize("value", [2**63, -(2**63), str(10**30), 10**400])
def test_numbers_that_no_machine_has_are_refused(value):
    with pytest.raises(UserError, match=r"^--minutes is -?\d+; it must be less than 9223372036854775808\.$"):
        options.build(Long, {"minutes": value}, "It")
    assert options.build(Long, {"minutes": 2**63 - 1}, "It").minutes == 2**63 - 1


@dataclass(frozen=True)
class Long:
    """Something that takes a while."""

    minutes: int = 1
