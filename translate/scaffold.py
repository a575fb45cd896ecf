"""Writes a small complete package for a new plugin, from the templates beside this module."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import translate
from translate.errors import UserError, listed, near
from translate.plugins import installed


@dataclass(frozen=True)
class Kind:
    """A kind of plugin: what it is in a few words, a command that uses it, and its entry point."""

    about: str
    use: str
    entry: str = '@NAME@ = "@MODULE@"'
    group: str = "translate"


RUN = "translate run cyclegan --domains horse zebra --steps 20"
EVALUATE = "translate evaluate drawn-horse2zebra --count 50"
KINDS = {
    "loss": Kind("An adversarial loss", f"{RUN} --adversarial @NAME@"),
    "generator": Kind("A generator", f"{RUN} --generator @NAME@"),
    "discriminator": Kind("A discriminator", f"{RUN} --discriminator @NAME@"),
    "recipe": Kind("A training method", "translate run @NAME@ --domains horse zebra --steps 20"),
    "data": Kind("A data source", "translate run cyclegan --domains @NAME@:light @NAME@:dark --size 32 --steps 20"),
    "augmentation": Kind("An augmentation", f"{RUN} --augment @NAME@"),
    "score": Kind("A score", f"{EVALUATE} --scores @NAME@"),
    "features": Kind("A feature extractor", f"{EVALUATE} --scores kid --features @NAME@"),
    "diagnosis": Kind("A diagnosis", f"{RUN} --diagnoses @NAME@"),
    "listener": Kind("A listener", f"{RUN} --listeners @NAME@"),
    "command": Kind(
        "A verb of the command", "translate @NAME@ mnist-vanilla", '@NAME@ = "@MODULE@:main"', '"translate.commands"'
    ),
}


def write_package(name: str, kind: str, out: Path | None = None) -> Path:
    """Write the package of a plugin that registers ``name`` to the folder ``out``, by default ``translate-NAME``; its folder.

    Raises UserError for a name that cannot be one, for an unknown kind, and where the folder is not empty.
    """
    if kind not in KINDS:
        raise UserError(f"There is no kind of plugin '{kind}'.{near(kind, KINDS)} Kinds: {listed(KINDS)}.")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UserError(
            f"'{name}' cannot be the name of a plugin; use small letters and digits, with hyphens between words: my-loss."
        )
    module = f"translate_{name.replace('-', '_')}"
    if find_spec(module) is not None or name in {plugin.name for plugin in installed().found}:
        raise UserError(f"There is a plugin or a module of the name '{name}' here already; choose another.")
    folder = out or Path(f"translate-{name}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is {'not empty' if folder.is_dir() else 'a file'}; give another folder with -o.")
    word = "".join(each.capitalize() for each in name.split("-"))
    values = {
        "ENTRY": KINDS[kind].entry,  # those that have marks of their own come first
        "USE": KINDS[kind].use,
        "GROUP": KINDS[kind].group,
        "ABOUT": KINDS[kind].about,
        "DISTRIBUTION": f"translate-{name}",
        "MODULE": module,
        # A name of Python's or of what the templates import would be in its own way.
        "CLASS": f"My{word}" if keyword.iskeyword(word) or word in {each.capitalize() for each in translate.__all__} else word,
        "NAME": name,
    }
    files = {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{values['MODULE']}.py": f"{kind}.py.txt",
        f"tests/test_{name.replace('-', '_')}.py": f"{kind}.test.txt",
    }
    templates = resources.files("translate") / "templates"
    for path, template in files.items():
        text = (templates / template).read_text(encoding="utf-8")
        for mark, value in values.items():
            text = text.replace(f"@{mark}@", value)
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder
