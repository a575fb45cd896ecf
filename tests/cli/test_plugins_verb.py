"""``translate plugins``: list, check and new."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from translate.cli import main
from translate.scaffold import KINDS


def test_list_names_version_distribution_state_and_what_is_registered(capsys):
    assert main(["plugins", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["cyclegan"]["distribution"] == "image-translate"
    assert rows["cyclegan"]["state"] == "loaded"
    assert rows["cyclegan"]["registers"]["generators"] == ["resnet", "unet"]
    assert rows["pictures"]["registers"] == {"hooks": ["open_domain"]}
    assert main(["plugins", "list"]) == 0
    out = capsys.readouterr().out
    assert re.search(
        r"^cyclegan \S+ \(image-translate\): loaded\n  recipes: cyclegan\n  generators: resnet, unet$", out, re.MULTILINE
    )


def write(kind: str, folder: Path) -> dict[str, object]:
    """A package of this kind, its name ``my-KIND``; what its pyproject says."""
    assert main(["plugins", "new", f"my-{kind}", "--kind", kind, "-o", str(folder)]) == 0
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def install(folder: Path, project: dict[str, object], site: Path) -> None:
    """What an installer leaves: the module, and what its distribution says of itself."""
    told = project["project"]
    info = site / f"{told['name'].replace('-', '_')}-{told['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n")
    lines = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in each.items()) for group, each in told["entry-points"].items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module in folder.glob("*.py"):
        (site / module.name).write_text(module.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A package of every kind, installed into one folder; the folder of the packages and the environment that finds them."""
    root = tmp_path_factory.mktemp("packages")
    for kind in KINDS:
        install(root / kind, write(kind, root / kind), root / "site")
    path = os.pathsep.join([str(root / "site"), *([os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else [])])
    return root, {**os.environ, "PYTHONPATH": path}


def test_what_new_writes_passes_its_own_tests_and_ruff(packages):
    root, environment = packages
    files = sorted(str(path) for path in root.glob("*/tests/test_*.py"))
    assert len(files) == len(KINDS)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", os.devnull, *files],
        env=environment, cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for path in [*root.glob("*/*.py"), *root.glob("*/tests/*.py"), *root.glob("*/*.toml"), *root.glob("*/*.md")]:
        assert "@" not in path.read_text(encoding="utf-8").replace("@hookimpl", "").replace("@dataclass", "").replace(
            "@pytest", ""
        )
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--ignore", "T201", "--line-length", "130", *map(str, root.glob("*/*.py"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout


def test_what_new_writes_is_found_by_name_and_its_verb_is_there(packages):
    _, environment = packages
    code = (
        "from translate.cli import main; main(['plugins', 'list', '--json']); main(['my-command', 'mnist-vanilla']); "
        "from translate.isolation import Guard; from translate.plugins import installed; "
        "print(Guard(installed()).find_domain('my-data:dark', None, 'train', None, ())[1].read(0).shape)"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    listing, end = ran.stdout.rsplit("]\n", 1)
    rows = {row["name"]: row for row in json.loads(listing + "]")}
    assert rows["my-loss"] | {"problem": ""} == rows["my-loss"]
    assert (rows["my-loss"]["version"], rows["my-loss"]["distribution"]) == ("0.1.0", "translate-my-loss")
    assert rows["my-loss"]["registers"] == {"adversarial losses": ["my-loss"]}
    registered = {
        "recipe": "recipes",
        "augmentation": "augmentations",
        "score": "scores",
        "features": "features",
        "diagnosis": "diagnoses",
        "listener": "listeners",
    }
    for kind, plural in registered.items():
        assert rows[f"my-{kind}"]["registers"] == {plural: [f"my-{kind}"]}
    assert end.splitlines() == ["G 1,489,936", "(64, 64, 1)"]


def test_check_says_what_holds_and_what_does_not(tmp_path, monkeypatch, capsys):
    write("loss", tmp_path / "good")
    monkeypatch.syspath_prepend(tmp_path / "good")
    assert main(["plugins", "check", "translate_my_loss"]) == 0
    assert "adversarial loss 'my-loss': ok" in capsys.readouterr().out
    code = (tmp_path / "good" / "translate_my_loss.py").read_text(encoding="utf-8")
    (tmp_path / "good" / "bad_loss.py").write_text(code.replace(".square().mean()}\n\n\n@hookimpl", ".square()}\n\n\n@hookimpl"))
    assert main(["plugins", "check", "bad_loss"]) == 1
    assert re.search(r"adversarial loss 'my-loss': .*mean", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plugins", "nev"], "knows list, check and new, not 'nev'. Did you mean 'new'?"),
        (["plugins", "new", "x", "--kind", "los"], "There is no kind of plugin 'los'. Did you mean 'loss'?"),
        (["plugins", "new", "My Loss", "--kind", "loss"], "'My Loss' cannot be the name of a plugin"),
        (["plugins", "new", "x"], "required: --kind"),
        (["plugins", "new", "losses", "--kind", "loss"], "There is a plugin or a module of the name 'losses' here already"),
        (["plugins", "new", "draw", "--kind", "command"], "There is a verb 'draw' already"),
        (["plugins", "check", "losse"], "There is no plugin and no module 'losse'. Did you mean 'losses'?"),
    ],
)
def test_mistakes_get_a_sentence(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["plugins", "new", "x", "--kind", "loss", "-o", str(tmp_path)]) == 2
    assert "is not empty; give another folder with -o" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_class_of_the_templates_does_not_hide_what_they_import(tmp_path, capsys):
    assert main(["plugins", "new", "adam", "--kind", "recipe", "-o", str(tmp_path / "adam")]) == 0
    assert "class MyAdam(Recipe):" in (tmp_path / "adam" / "translate_adam.py").read_text(encoding="utf-8")


def test_check_looks_at_the_object_that_an_entry_point_names(tmp_path, monkeypatch, capsys):
    (tmp_path / "holder.py").write_text(
        "from torch import nn\nfrom translate import hookimpl\n\n\nclass Holder:\n    @hookimpl\n"
        "    def register_discriminators(self, register):\n        register('held', lambda space: nn.Conv2d(space.channels, 1, 3))\n\n\n"
        "plugin = Holder()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["plugins", "check", "holder:plugin"]) == 0
    assert "discriminator 'held': ok" in capsys.readouterr().out
