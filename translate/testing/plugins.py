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

import numpy as np
from PIL import Image

from translate.errors import DataWarning, TranslateError, UserError
from translate.plugins import GROUP, Plugins
from translate.randomness import uniform
from translate.recipe import Recipe
from translate.testing.augmentations import check_augmentation
from translate.testing.common import NonConforming
from translate.testing.data import check_data, check_strangers
from translate.testing.discriminators import check_discriminator
from translate.testing.games import check_game
from translate.testing.generators import check_generator
from translate.testing.imports import check_import
from translate.testing.listeners import check_listener
from translate.testing.losses import check_image_loss
from translate.testing.recipes import check_recipe

#: Sides of pictures that parts are tried with, until one is taken.
SIZES = (32, 64)
#: Pictures in each domain that a recipe is tried on.
PICTURES = 4
#: A recipe is trained for twice so many: with them, five updates of a judge for one of a generator are a rhythm that has its turn.
STEPS = 3


@dataclass(frozen=True)
class Result:
    """What became of one check: ``kind`` and ``name`` say of what, and ``advice``, where it is not ``ok``, what to do."""

    kind: str
    name: str
    ok: bool
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}': {'ok' if self.ok else self.advice}"


def check_plugin(plugin: object, name: str, *, domains: Sequence[str] = (), data: str | Path | None = None) -> list[Result]:
    """Check a module or an object with hook implementations as plugin ``name``: what it registers, and how it is imported.

    Parts are made with their default options, and recipes with those of their preset ``quick``, or their first. ``domains`` are names that
    its ``open_domain`` has, from the folder ``data`` where it needs one. Nothing is raised: each check gives a Result.
    """
    results = []
    if isinstance(plugin, ModuleType) and plugin.__spec__ is not None:
        results.append(_tried("module", plugin.__name__, [partial(check_import, plugin.__name__)]))
    try:
        plugins = _with(plugin, name)
    except Exception as error:  # whatever a stranger's code raises
        return [*results, Result("plugin", name, False, f"It cannot be registered ({type(error).__name__}: {error}).")]
    for registry in plugins.registries.values():
        for part in (part for part in registry if registry.owner(part) == name):
            results.append(_tried(registry.kind, part, _checks(plugins, registry.kind, part, registry[part])))
    open_domain = getattr(plugin, "open_domain", None)
    if open_domain is not None and hasattr(open_domain, "translate_impl"):
        results.append(_tried("hook", "open_domain", [partial(check_strangers, open_domain)]))
        results += [_tried("domain", each, [partial(check_data, open_domain, each, data=data)]) for each in domains]
    return results


def _with(plugin: object, name: str) -> Plugins:
    """The installed plugins and this one, which may be one of them, in registries of their own."""
    module = getattr(plugin, "__name__", None)
    itself = [entry.name for entry in entry_points(group=GROUP) if entry.value == module or entry.name == name]
    plugins = Plugins(blocked=itself)
    plugins.add(plugin, name)
    return plugins


def _checks(plugins: Plugins, kind: str, name: str, factory: Any) -> list[Callable[[], object]]:
    """The checks to try on a registered part, one after the other as long as it refuses."""

    def image_loss(size: int) -> Callable[[], object]:
        return partial(check_image_loss, factory, part=name, sizes=((size, size), (size - 8, size + 8)))

    by_size: dict[str, Callable[[int], Callable[[], object]]] = {
        "recipe": lambda size: partial(_check_recipe, plugins, name, factory, size),
        "generator": lambda size: partial(check_generator, factory, part=name, size=(size, size)),
        "discriminator": lambda size: partial(check_discriminator, factory, part=name, size=(size, size)),
        "cycle loss": image_loss,
        "reconstruction loss": image_loss,
    }
    of_any_size: dict[str, Callable[[], object]] = {
        "adversarial loss": partial(check_game, factory, part=name),
        "augmentation": partial(check_augmentation, factory, part=name),
        "listener": partial(check_listener, factory, part=name),
    }
    return [of_any_size[kind]] if kind in of_any_size else [by_size[kind](size) for size in SIZES]


def _check_recipe(plugins: Plugins, name: str, recipe: type[Recipe], size: int) -> None:
    least = recipe.domains if isinstance(recipe.domains, int) else recipe.domains[0]
    preset = "quick" if "quick" in recipe.presets else next(iter(recipe.presets), None)
    domains = [f"domain-{number}" for number in range(1, max(least, 1) + 1)]
    with TemporaryDirectory(prefix="translate-testing-") as folder:
        for domain in domains:
            _write_pictures(Path(folder) / domain, size)
        check_recipe(name, domains=domains, data=folder, steps=STEPS, plugins=plugins, preset=preset, size=size)


def _write_pictures(folder: Path, size: int) -> None:
    """Smooth random colours, under the same names in every domain: a recipe may learn from pairs."""
    folder.mkdir()
    for index in range(PICTURES):
        colours = (uniform(0, folder.name, 48 * index, 48) * 256).astype(np.uint8).reshape(4, 4, 3)
        Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC).save(folder / f"{index}.png")


def _tried(kind: str, name: str, checks: Sequence[Callable[[], object]]) -> Result:
    """The result of the first check that is not refused, or the first refusal."""
    refusal = ""
    for check in checks:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                check()
        except UserError as error:
            refusal = refusal or str(error)
            continue
        except (NonConforming, TranslateError) as error:
            return Result(kind, name, False, str(error))
        except Exception as error:  # whatever a stranger's code raises
            return Result(kind, name, False, f"The check fails by {type(error).__name__}: {error}.")
        return Result(kind, name, True)
    return Result(kind, name, False, f"Nothing that was tried is taken: {refusal}")
