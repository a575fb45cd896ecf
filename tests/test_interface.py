"""The hook interface has a version of its own, and changes only as that says.

    python tests/test_interface.py

writes ``tests/interface.json`` anew, after ``translate.hookspecs.INTERFACE`` was raised: the major number where something that plugins
rely on is gone or changed, the minor one where something was added.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

import translate
from translate import hookspecs

FILE = Path(__file__).parent / "interface.json"
#: What plugins subclass or are handed: their public methods and class attributes are part of the interface.
CLASSES = (
    "Adam", "Augmentation", "Batch", "Clock", "DataSet", "Diagnosis", "Domain", "Download", "Engine", "Evidence",
    "FeatureExtractor", "Figure", "Finding",
    "ForeignFormat", "ForeignNetwork", "Frozen", "Game", "ImageLoss", "ImagePool", "JudgeAugmentation", "Latent",
    "LinearDecay", "Make", "Part", "Preset", "Pretrained", "RMSprop", "Recipe", "Report", "SGD", "Score", "Seen", "Size",
    "Space", "Update",
)  # fmt: skip


def interface() -> dict[str, Any]:
    """Every hook with its signature, every public name, and the public members of what plugins build on."""
    hooks = {
        name: str(inspect.signature(each)) for name, each in sorted(vars(hookspecs).items()) if hasattr(each, "translate_spec")
    }
    members: dict[str, str] = {}
    for name in CLASSES:
        cls = getattr(translate, name)
        for key, value in sorted({key: value for base in reversed(cls.__mro__) for key, value in _own(base)}.items()):
            members[f"{name}.{key}"] = _described(value)
    return {"version": hookspecs.INTERFACE, "hooks": hooks, "names": sorted(translate.__all__), "members": members}


def _own(cls: type) -> list[tuple[str, Any]]:
    if not cls.__module__.startswith("translate"):
        return []
    attributes = {**dict.fromkeys(inspect.get_annotations(cls), ""), **vars(cls)}
    return [(key, value) for key, value in attributes.items() if not key.startswith("_") or key in ("__init__", "__call__")]


def _described(value: Any) -> str:
    value = getattr(value, "__func__", value)
    if not inspect.isfunction(value):
        return "attribute"
    return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(value)))  # a default that is a function has an address


def required(before: dict[str, Any], now: dict[str, Any]) -> str:
    """What the change from one interface to another calls for: "major", "minor" or ""."""
    flat = [
        {**{f"hook {k}": v for k, v in each["hooks"].items()}, **{f"name {k}": "" for k in each["names"]}, **each["members"]}
        for each in (before, now)
    ]
    if any(flat[1].get(key) != value for key, value in flat[0].items()):
        return "major"
    return "minor" if flat[1].keys() - flat[0].keys() else ""


def raised(before: str, now: str) -> str:
    """Which number was raised."""
    (old_major, old_minor), (major, minor) = (map(int, each.split(".")) for each in (before, now))
    if (major, minor) < (old_major, old_minor):
        return "lowered"
    return "major" if major > old_major else "minor" if minor > old_minor else ""


def test_the_interface_is_what_its_version_says():
    committed, now = json.loads(FILE.read_text(encoding="utf-8")), interface()
    change, step = required(committed, now), raised(committed["version"], now["version"])
    assert {"major": step == "major", "minor": step in ("minor", "major"), "": step != "lowered"}[change], (
        f"The hook interface changed so that the {change} number of translate.hookspecs.INTERFACE must be raised."
    )
    assert now == committed, (
        "The interface was changed and its version raised: write the file anew, python tests/test_interface.py."
    )


BEFORE = {"version": "1.0", "hooks": {"a": "(x)"}, "names": ["N"], "members": {"C.m": "(self)"}}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, ""),
        ({"hooks": {"a": "(x)", "b": "()"}}, "minor"),
        ({"hooks": {}}, "major"),
        ({"hooks": {"a": "(x, y)"}}, "major"),
        ({"names": ["N", "M"]}, "minor"),
        ({"names": []}, "major"),
        ({"members": {"C.m": "(self, more)"}}, "major"),
        ({"members": {"C.m": "(self)", "C.n": "attribute"}}, "minor"),
        ({"names": ["M"]}, "major"),
    ],
)
def test_what_a_change_calls_for(change, wanted):
    assert required(BEFORE, {**BEFORE, **change}) == wanted


@pytest.mark.parametrize(("now", "which"), [("1.0", ""), ("1.1", "minor"), ("2.0", "major"), ("0.9", "lowered")])
def test_which_number_was_raised(now, which):
    assert raised("1.0", now) == which


if __name__ == "__main__":
    FILE.write_text(json.dumps(interface(), indent=1) + "\n", encoding="utf-8")
