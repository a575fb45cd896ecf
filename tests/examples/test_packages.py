"""Packages as third parties write them: real, small, and right."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from third_party import EXAMPLES, ROOT, project, spaces

import translate
from translate.plugins import installed
from translate.recipe import Make
from translate.settings import resolve

METHODS = ("cut", "pix2pix", "stargan")  # the packages of recipes, which bear their names


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_installed(example, use):
    described = project(example)
    about = described["project"]
    assert described["build-system"] == {"requires": ["hatchling"], "build-backend": "hatchling.build"}
    assert about["name"] == f"translate-example-{example}"
    assert re.fullmatch(r"\d+\.\d+", about["version"])
    assert "image-translate" in about["dependencies"]
    ((_, module),) = about["entry-points"]["translate"].items()
    # hatchling finds what bears the project's name.
    assert module == about["name"].replace("-", "_")
    plugin = use(example)
    assert Path(plugin.__file__).is_relative_to(ROOT / example)
    assert [name for name, each in vars(plugin).items() if hasattr(each, "translate_impl")]
    assert "pip install -e ." in (ROOT / example / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_import_public_names_and_what_they_declare(example):
    about = project(example)["project"]
    ((_, own),) = about["entry-points"]["translate"].items()
    declared = {own, *sys.stdlib_module_names, *(each for each in about["dependencies"] if each != "image-translate")}
    for path in (ROOT / example).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "translate":
                assert node.module == "translate", path
                assert {each.name for each in node.names} <= {*translate.__all__}, path
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, path
                assert node.module.split(".")[0] in declared, (path, node.module)
            elif isinstance(node, ast.Import):
                assert {each.name.split(".")[0] for each in node.names} <= declared, path


def test_a_loss_takes_thirty_lines_in_all():
    files = [path for path in (ROOT / "loss").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.name for path in files} == {"pyproject.toml", "README.md", "translate_example_loss.py"}
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= 30


@pytest.mark.parametrize("example", METHODS)
def test_presets_name_options_that_exist(example, use):
    use(example)
    method = installed().recipes[example]
    assert {"quick", "paper"} <= set(method.presets)
    for preset in method.presets:
        resolve(method, example, preset, {})
    quick, own = resolve(method, example, "quick", {})
    method(own, Make(installed(), spaces(3, 3, size=quick.size)))
