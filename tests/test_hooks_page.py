"""docs/reference/hooks.md: a heading, the literal signature and a running example for each hook; and that each has a built-in user."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from conftest import TINY

import translate
from translate import Engine, Evidence, Figure, Part, Report, Seen, hookspecs
from translate.isolation import Guard
from translate.metrics.score import REASONS, Need
from translate.options import kind
from translate.plugins import installed
from translate.settings import RunOptions

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
HOOKS = [name for name, each in vars(hookspecs).items() if hasattr(each, "translate_spec")]
#: The page's sections by their headings.
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
EVENTS = [name for name in HOOKS if not name.startswith("register_") and name != "open_domain"]


def signature(hook: str) -> str:
    """The hook's definition as it stands in the source, without the colon."""
    source = inspect.getsource(getattr(hookspecs, hook))
    return source[source.index("def ") : source.index(':\n    """')]


def test_the_headings_are_the_hooks_in_the_order_of_a_runs_life():
    assert [title for title in SECTIONS if title != "Commands"] == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_its_literal_signature_and_says_what_none_means(hook):
    assert f"```python\n{signature(hook)}\n```" in SECTIONS[hook]
    # Where a hook may return something, None is one of the answers.
    assert ("or returns None" in SECTIONS[hook]) == (not signature(hook).endswith("-> None"))


def example(hook: str) -> ModuleType:
    (code,) = re.findall(r"<!-- example -->\n```python\n(.*?)^```", SECTIONS[hook], re.DOTALL | re.MULTILINE)
    module = ModuleType(f"example_{hook}")
    exec(compile(code, module.__name__, "exec", dont_inherit=True), vars(module))
    return module


def options_for(plural: str) -> list[tuple[str, str]]:
    """The recipe and the option that take a part of the registry ``plural``."""
    return {
        "generators": [("cyclegan", "generator")],
        "discriminators": [("cyclegan", "discriminator")],
        "adversarial-losses": [("cyclegan", "adversarial")],
        "cycle-losses": [("cyclegan", "cycle")],
        "reconstruction-losses": [("cyclegan", "identity")],
        "augmentations": [("cyclegan", "augment")],
        "judge-augmentations": [("cyclegan", "judge_augment")],
        "diagnoses": [("cyclegan", "diagnoses")],
        "listeners": [("cyclegan", "listeners")],
    }[plural]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_each_hook_runs(hook, photos, tmp_path, capsys):
    settings = {**TINY, "data": str(photos), "log_every": 2, "checkpoint_every": 4}
    module = example(hook)
    with translate.plugin(module, "example") as plugins:
        added = [(kind, name) for kind, names in plugins.registries.items() for name in names if names.owner(name) == "example"]
        if hook == "register_recipes":
            engine = Engine("one-way", ("cat", "dog"), data=str(photos), size=16, steps=2, out=tmp_path / "run").fit()
            assert (tmp_path / "run" / "samples" / "000002.png").is_file()
            assert engine.used >= {"example"}
        elif hook == "open_domain":
            owner, domain = Guard(plugins).find_domain("grey", None, "train", None, ("grey",))
            assert owner == "example"
            assert domain.read(3)[0, 0, 0] == 60
        elif hook in ("register_features", "register_scores"):
            ((plural, name),) = added
            engine = Engine("cyclegan", ("cat", "dog"), **settings)
            chosen = {"scores": ["kid"], "features": name} if plural == "features" else {"scores": [name]}
            rows = engine.evaluate(**chosen).rows
            assert next(row.way for row in rows if row.score == chosen["scores"][0]) == "cat→dog"
            assert plural != "features" or all(row.name.endswith("[thumbnail8]") for row in rows)
        elif hook == "register_data_sets":
            ((_, name),) = added
            assert plugins.data_sets[name].domains == ("first", "second")
        elif hook == "register_foreign_formats":
            ((_, name),) = added
            assert plugins.foreign_formats[name]().recognise({"layers.0.weight": (16, 3, 7, 7)}) is not None
        elif hook in EVENTS:
            Engine("cyclegan", ("cat", "dog"), out=tmp_path / "run", **settings).fit()
            assert capsys.readouterr().out
        else:
            ((plural, name),) = added
            for recipe, option in options_for(plural):
                engine = Engine(recipe, ("cat", "dog"), **{**settings, "augment": "none", option: name}).fit()
                assert engine.used >= {"example"}, "the part was not used"
        assert all(plugin.state != "disabled" for plugin in plugins.found)
    assert hook.startswith("register_") == bool(added)


def implementations(root: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py")))


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_built_in_user(hook):
    code = implementations(ROOT / "plugins") + implementations(ROOT / "translate" / "cli") + implementations(ROOT / "translate")
    assert re.search(rf"@hookimpl\n *def {hook}\(", code), f"nothing that is built in implements {hook}"


@pytest.mark.parametrize(
    ("hook", "fields_of"),
    [("register_scores", Evidence), ("register_scores", Figure), ("register_features", Seen), ("step_reported", Report)],
)
def test_the_page_names_all_that_a_part_is_given_or_gives(hook, fields_of):
    names = fields_of._fields if fields_of is Seen else [each.name for each in fields(fields_of)]
    assert not [name for name in names if not name.startswith("_") and f"`{name}`" not in SECTIONS[hook]]


def test_the_page_names_every_word_of_needs():
    paragraph = SECTIONS["register_scores"].partition("`needs` is a set of words;")[2].partition("\n\n")[0]
    assert set(re.findall("`([a-z]+)`", paragraph)) == {*get_args(Need)} == {*REASONS}


@pytest.mark.parametrize("plural", installed().registries)
def test_the_page_names_everything_that_is_built_in(plural):
    text = SECTIONS[f"register_{plural.replace('-', '_')}"]
    missing = [name for name in installed().registries[plural] if f"`{name}`" not in text]
    assert not missing or "Built in: the same." in text, missing


def test_every_registry_has_an_option_that_takes_its_parts():
    """No hook without a caller; what evaluations and ``translate data`` take is no option of a run."""
    options = {each.name for cls in [RunOptions, *(m.Options for m in installed().recipes.values())] for each in fields(cls)}
    for plural in installed().registries:
        if plural not in ("recipes", "features", "scores", "data-sets", "foreign-formats"):
            assert {option for _, option in options_for(plural)} <= options
    assert kind(RunOptions, "augment") is Part
