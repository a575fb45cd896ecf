"""What the documents say is so."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
from pathlib import Path

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


def test_pages_name_options_and_verbs_that_exist():
    from dataclasses import fields

    from translate.cli import VERBS, plugin_verbs
    from translate.settings import RunOptions

    options = [RunOptions, *(recipe.Options for recipe in installed().recipes.values())]
    flags = {"--" + field.name.replace("_", "-") for cls in options for field in fields(cls)}
    for module in [
        *(ROOT / "translate" / "cli").rglob("*.py"),
        *(ROOT / "tests" / "proofs").glob("*.py"),
        *(ROOT / "tests" / "benchmarks").glob("*.py"),
    ]:
        flags |= set(re.findall(r'"(--[a-z][a-z0-9-]+)"', module.read_text(encoding="utf-8")))
    flags.add("--help")
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for flag in re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]+)", text):
            assert flag in flags, (page, flag)
        for verb in re.findall(rf"translate ([a-z]+) (?:[A-Z]{{2}}|runs/|(?:{'|'.join(installed().recipes)})\b)", text):
            assert verb in {*VERBS, *plugin_verbs()}, (page, verb)


#: A block of code that is said to stand in a file, and that file.
EXCERPT = re.compile(r"^<!-- from (.*?) -->\n```python\n(.*?)^```$", re.M | re.S)
#: The lines of a page's shell blocks.
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
METHODS = {
    "vanilla-gan": "translate_vanilla",
    "dcgan": "translate_dcgan",
    "discogan": "translate_discogan",
    "cyclegan": "translate_cyclegan",
}


def stripped(code: str) -> list[str]:
    """The lines of ``code`` that are not empty, without indentation."""
    return [line.strip() for line in code.splitlines() if line.strip()]


def stands_in(excerpt: str, source: str) -> bool:
    """Whether the lines of ``excerpt`` follow each other in ``source``, at whatever indentation."""
    mine, theirs = stripped(excerpt), stripped(source)
    return bool(mine) and any(theirs[at : at + len(mine)] == mine for at in range(len(theirs)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_excerpts_stand_in_the_source(page):
    text = page.read_text(encoding="utf-8")
    excerpts = EXCERPT.findall(text)
    assert len(excerpts) == text.count("<!-- from "), "a marker has no block of Python right below it"
    for path, excerpt in excerpts:
        assert path.startswith("plugins/"), path
        assert stands_in(excerpt, (ROOT / path).read_text(encoding="utf-8")), f"{path} has no such lines any more:\n{excerpt}"


def test_an_excerpt_that_is_not_so_is_found():
    source = "def f():\n    a = 1\n\n    return a\n"
    assert stands_in("a = 1\nreturn a", source)
    for excerpt in ("", "a = 2", "a = 1\nreturn b", "return a\na = 1", "a ="):
        assert not stands_in(excerpt, source)


@pytest.mark.parametrize("page", METHODS)
def test_every_method_has_a_page_with_its_own_code(page):
    text = (ROOT / "docs" / "explanation" / f"{page}.md").read_text(encoding="utf-8")
    assert any(path == f"plugins/{METHODS[page]}/recipe.py" for path, _ in EXCERPT.findall(text))
    assert f"(explanation/{page}.md)" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_pages_name_tests_that_exist():
    files = sorted((ROOT / "tests").rglob("*.py"))
    known = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M)}
    known |= {file.stem for file in files}
    for page in PAGES:
        for name in re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")):
            assert name in known, (page, name)


def commands() -> list[str]:
    """Every run that a page tells the reader to start, as it stands there; the reference has placeholders in them."""
    # The page on plugins uses one that it makes on the way, and has a test of its own, tests/test_plugin_page.py.
    pages = [page for page in PAGES if page.parent.name != "reference" and page.name != "write-a-plugin.md"]
    lines = [line for page in pages for block in SHELL.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    return sorted({line[line.index("translate run") :] for line in lines if "translate run" in line})


@pytest.mark.parametrize("command", commands())
def test_runs_in_pages_have_options_and_parts_that_exist(command):
    from dataclasses import fields

    from translate import Part
    from translate.cli.run import _parser
    from translate.parts import part_options
    from translate.settings import default_preset, resolve

    plugins = installed()
    name, *flags = shlex.split(command, comments=True)[2:]
    recipe = plugins.recipes[name]
    values = vars(_parser(name, recipe).parse(flags))
    recipe.check_domains(name, values["domains"])
    chosen = values.pop("preset") or default_preset(recipe, "cpu")
    for other in ("config", "out", "no_plugins", "override"):
        del values[other]
    _, own = resolve(recipe, name, chosen, values)
    registries = {
        "generator": plugins.generators,
        "discriminator": plugins.discriminators,
        "adversarial": plugins.adversarial_losses,
        "cycle": plugins.cycle_losses,
    }
    for field in fields(own):
        chosen_part = getattr(own, field.name)
        if isinstance(chosen_part, Part):
            registry = registries.get(field.name, plugins.reconstruction_losses)
            part_options(registry[chosen_part.name], chosen_part, field.name)
