"""What the documents say is so."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from translate.plugins import installed

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readme_has_the_two_commands_that_ci_looks_for():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, command in (
        ("main job", "pip install -e . && translate run cyclegan --domains horse zebra"),
        ("tests", "pip install -e '.[dev]' && pytest"),
    ):
        assert f"<!-- command: {name} -->\n```sh\n{command}\n```" in text


@pytest.mark.parametrize("name", ["translate.errors", "translate.randomness", "translate.options"])
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_page_on_adding_a_loss_adds_one(tiny):
    text = (ROOT / "docs" / "how-to" / "add-a-loss.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.S) if "hookimpl" in block]
    module = ModuleType("translate_smoothed")
    exec(code, vars(module))
    installed().add(module, "smoothed")
    try:
        report = next(tiny(adversarial="smoothed").steps())
    finally:
        installed().remove(module, "smoothed")
    assert "generators/fool_x" in report.losses


def test_pages_name_options_and_verbs_that_exist():
    from dataclasses import fields

    from translate.cli import VERBS, plugin_verbs
    from translate.settings import RunOptions

    options = [RunOptions, *(recipe.Options for recipe in installed().recipes.values())]
    flags = {"--" + field.name.replace("_", "-") for cls in options for field in fields(cls)}
    flags |= {"--preset", "--config", "--out", "--help", "--json", "--to", "--source", "--scale", "--interpolate", "--walk"}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for flag in re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text):
            assert flag in flags, (page, flag)
        for verb in re.findall(r"translate ([a-z]+) (?:[A-Z]{2}|cyclegan|runs/)", text):
            assert verb in {*VERBS, *plugin_verbs()}, (page, verb)
