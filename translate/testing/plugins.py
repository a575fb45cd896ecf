"""Everything that a plugin registers, checked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from translate.errors import DataWarning, TranslateError, UserError, near
from translate.options import Part
from translate.plugins import GROUP, Plugins
from translate.recipe import Recipe
from translate.testing.augmentations import check_augmentation
from translate.testing.common import NonConforming
from translate.testing.data import OpenDomain, check_data, check_strangers
from translate.testing.data_sets import check_data_set
from translate.testing.diagnoses import check_diagnosis
from translate.testing.discriminators import check_discriminator
from translate.testing.features import check_features
from translate.testing.foreign_formats import check_foreign_format
from translate.testing.games import check_game
from translate.testing.generators import check_generator
from translate.testing.imports import check_import
from translate.testing.judge_augmentations import check_judge_augmentation
from translate.testing.listeners import EVENTS, check_events, check_listener
from translate.testing.losses import check_image_loss
from translate.testing.recipes import check_recipe
from translate.testing.scores import check_score
from translate.testing.small import draw_pictures

#: Sides of pictures that parts are tried with, until one is taken.
SIZES = (32, 64)
#: A recipe is trained for twice so many: with them, five updates of a judge for one of a generator are a rhythm that has its turn.
STEPS = 3


@dataclass(frozen=True)
class Result:
    """What became of one check: ``kind`` and ``name`` say of what; ``advice`` what to do, or, where it is ``ok``, what to beware of."""

    kind: str
    name: str
    ok: bool
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}': {'; '.join(filter(None, ('ok', self.advice))) if self.ok else self.advice}"


def check_plugin(
    plugin: object, name: str, *, domains: Sequence[str] = (), data: str | Path | None = None, parts: Sequence[str] = ()
) -> list[Result]:
    """Check a module or an object with hook implementations as plugin ``name``: what it registers, what it hears of, how it is imported.

    Parts are made with their default options, unless ``parts`` gives them others, ``resnet:blocks=1``, which those need that take nothing
    for granted; recipes with those of their preset ``quick``, or their first. ``domains`` are names that its ``open_domain`` has, from the
    folder ``data`` where it needs one. Nothing is raised: each check gives a Result.
    """
    results = []
    if isinstance(plugin, ModuleType) and plugin.__spec__ is not None:
        results.append(_tried("module", plugin.__name__, [partial(check_import, plugin.__name__)]))
    try:
        plugins = _with(plugin, name)
    except Exception as error:  # whatever a stranger's code raises
        return [*results, Result("plugin", name, False, f"It cannot be registered ({type(error).__name__}: {error}).")]
    given = {Part.parse(text).name: text for text in parts}
    mine = [(registry, part) for registry in plugins.registries.values() for part in registry if registry.owner(part) == name]
    for registry, part in mine:
        results.append(_tried(registry.kind, part, _checks(plugins, registry.kind, given.get(part, part), registry[part])))
    names = [part for _, part in mine]
    results += [
        Result("part", each, False, f"The plugin registers no part of that name.{near(each, names)}")
        for each in given
        if each not in names
    ]
    if events := [hook for hook in plugins.hooks_of(name) if hook in EVENTS]:
        results.append(_tried("events", ", ".join(events), [partial(check_events, plugin, name)]))
    open_domain = getattr(plugin, "open_domain", None)
    if open_domain is not None and hasattr(open_domain, "translate_impl"):
        results.append(_tried("hook", "open_domain", [partial(_check_open_domain, open_domain, domains)]))
        results += [_tried("domain", each, [partial(check_data, open_domain, each, data=data)]) for each in domains]
    return results


def _with(plugin: object, name: str) -> Plugins:
    """The installed plugins and this one, which may be one of them, in registries of their own."""
    module = getattr(plugin, "__name__", None)
    itself = [entry.name for entry in entry_points(group=GROUP) if entry.value == module or entry.name == name]
    plugins = Plugins(blocked=itself)
    plugins.add(plugin, name)
    return plugins


def _check_open_domain(open_domain: OpenDomain, domains: Sequence[str]) -> str:
    check_strangers(open_domain)
    return "" if domains else "none of its domains was looked at, for none was named: --domains NAME"


def _checks(plugins: Plugins, kind: str, text: str, factory: Any) -> list[Callable[[], object]]:
    """The checks to try on a registered part, one after the other as long as it refuses; ``text`` gives its name and options."""

    def image_loss(size: int) -> Callable[[], object]:
        return partial(check_image_loss, factory, part=text, sizes=((size, size), (size - 8, size + 8)))

    by_size: dict[str, Callable[[int], Callable[[], object]]] = {
        "recipe": lambda size: partial(_check_recipe, plugins, text, factory, size),
        "generator": lambda size: partial(check_generator, factory, part=text, size=(size, size)),
        "discriminator": lambda size: partial(check_discriminator, factory, part=text, size=(size, size)),
        "cycle loss": image_loss,
        "reconstruction loss": image_loss,
        "feature extractor": lambda size: partial(check_features, factory, part=text, size=(size, size)),
    }
    of_any_size: dict[str, Callable[[], object]] = {
        "adversarial loss": partial(check_game, factory, part=text),
        "augmentation": partial(check_augmentation, factory, part=text),
        "judge augmentation": partial(check_judge_augmentation, factory, part=text),
        "score": partial(check_score, factory, part=text),
        "diagnosis": partial(check_diagnosis, factory, part=text),
        "data set": partial(check_data_set, factory, name=text),
        "foreign format": partial(check_foreign_format, factory, name=text),
        "listener": partial(check_listener, factory, part=text),
    }
    return [of_any_size[kind]] if kind in of_any_size else [by_size[kind](size) for size in SIZES]


def _check_recipe(plugins: Plugins, name: str, recipe: type[Recipe], size: int) -> None:
    least = recipe.domains if isinstance(recipe.domains, int) else recipe.domains[0]
    preset = "quick" if "quick" in recipe.presets else next(iter(recipe.presets), None)
    domains = [f"domain-{number}" for number in range(1, max(least, 1) + 1)]
    with TemporaryDirectory(prefix="translate-testing-") as folder:
        for domain in domains:
            draw_pictures(Path(folder) / domain, size)
        check_recipe(name, domains=domains, data=folder, steps=STEPS, plugins=plugins, preset=preset, size=size)


def _tried(kind: str, name: str, checks: Sequence[Callable[[], object]]) -> Result:
    """The result of the first check that is not refused, or the first refusal; a text that a check returns is what to beware of."""
    refusal = ""
    for check in checks:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                said = check()
        except UserError as error:
            refusal = refusal or str(error)
            continue
        except (NonConforming, TranslateError) as error:
            return Result(kind, name, False, str(error))
        except Exception as error:  # whatever a stranger's code raises
            return Result(kind, name, False, f"The check fails by {type(error).__name__}: {error}.")
        return Result(kind, name, True, said if isinstance(said, str) else "")
    return Result(kind, name, False, f"Nothing that was tried is taken: {refusal}")
