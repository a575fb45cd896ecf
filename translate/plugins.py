"""Finds plugins, isolates broken ones and fills the registries."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from translate import hookspecs
from translate.data.domain import Domain
from translate.errors import TranslateError
from translate.hookspecs import DiscriminatorFactory, GameFactory, GeneratorFactory, ImageLossFactory
from translate.recipe import Recipe
from translate.registry import Registry

#: The entry-point group of plugins.
GROUP = "translate"
#: Set to names of plugins, separated by commas, or to ``*``, this variable keeps them from being loaded.
BLOCK = "TRANSLATE_BLOCK_PLUGINS"


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found: its name, where it is from, and why it could not be loaded where it could not."""

    name: str
    distribution: str
    version: str
    state: str  # "loaded", "blocked" or "broken"
    problem: str = ""

    def __str__(self) -> str:
        return f"plugin '{self.name}' ({self.distribution} {self.version})"


class Plugins:
    """The plugins of this process and what they registered.

    Each entry point is loaded by itself, in the order of names, and undone when it fails: a broken plugin takes nothing else with
    it. ``blocked`` are names that are not loaded; ``"*"`` blocks all, and then every registry is empty.
    """

    def __init__(self, blocked: Collection[str] = ()) -> None:
        self.recipes: Registry[type[Recipe]] = Registry("recipe", self.hint)
        self.generators: Registry[GeneratorFactory] = Registry("generator", self.hint)
        self.discriminators: Registry[DiscriminatorFactory] = Registry("discriminator", self.hint)
        self.adversarial_losses: Registry[GameFactory] = Registry("adversarial loss", self.hint)
        self.cycle_losses: Registry[ImageLossFactory] = Registry("cycle loss", self.hint)
        self.reconstruction_losses: Registry[ImageLossFactory] = Registry("reconstruction loss", self.hint)
        self.found: list[Plugin] = []
        self._manager = pluggy.PluginManager("translate")
        self._manager.add_hookspecs(hookspecs)
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            self._load_entry(entry, blocked="*" in blocked or entry.name in blocked)

    @property
    def registries(self) -> dict[str, Registry[Any]]:
        """Every registry by the plural under which ``translate list`` shows it."""
        return {
            "recipes": self.recipes,
            "generators": self.generators,
            "discriminators": self.discriminators,
            "adversarial-losses": self.adversarial_losses,
            "cycle-losses": self.cycle_losses,
            "reconstruction-losses": self.reconstruction_losses,
        }

    def add(self, plugin: object, name: str) -> None:
        """Register a module or an object with hook implementations under ``name``. Undone as a whole where it raises."""
        if self._manager.has_plugin(name):
            raise TranslateError(f"There is a plugin named '{name}' already; one of the two must choose another name.")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            for plural, registry in self.registries.items():
                hook = f"register_{plural.replace('-', '_')}"
                implementation = self._implementation(plugin, hook)
                if implementation is not None:
                    implementation(register=_registrar(registry, name))
        except BaseException:
            self.remove(plugin, name)
            raise

    def remove(self, plugin: object, name: str) -> None:
        """Undo ``add``."""
        if self._manager.is_registered(plugin):
            self._manager.unregister(plugin)
        for registry in self.registries.values():
            registry.remove(name)

    def open_domain(
        self, name: str, root: Path | None, split: str, size: tuple[int, int] | None, domains: tuple[str, ...]
    ) -> Domain | None:
        """The domain from the first plugin, in the order of names, that has it."""
        # pluggy calls the last registered first; users are promised the order of names.
        for _, plugin in sorted(self._manager.list_name_plugin()):
            implementation = self._implementation(plugin, "open_domain")
            if implementation is None:
                continue
            domain: Domain | None = implementation(name=name, root=root, split=split, size=size, domains=domains)
            if domain is not None:
                return domain
        return None

    def tell(self, event: str, **arguments: Any) -> None:
        """Call an event hook of every plugin."""
        getattr(self._manager.hook, event)(**arguments)

    def hint(self) -> str:
        """A sentence on plugins that are not there, to end the error about a name that is missing; usually empty."""
        missing = [
            f"{plugin} is blocked" if plugin.state == "blocked" else f"{plugin} is broken: {plugin.problem}"
            for plugin in self.found
            if plugin.state != "loaded"
        ]
        return f" Note that {'; '.join(missing)}." if missing else ""

    def _implementation(self, plugin: object, hook: str) -> Callable[..., Any] | None:
        """``plugin``'s implementation of ``hook``, which takes all arguments of the hook."""
        caller = self._manager.subset_hook_caller(
            hook, [other for _, other in self._manager.list_name_plugin() if other is not plugin]
        )
        return caller if caller.get_hookimpls() else None

    def _load_entry(self, entry: EntryPoint, *, blocked: bool) -> None:
        distribution = entry.dist.name if entry.dist else "unknown"
        version = entry.dist.version if entry.dist else "unknown"
        state, problem = "blocked" if blocked else "loaded", ""
        if not blocked:
            try:
                module: ModuleType = entry.load()
                self.add(module, entry.name)
            except (Exception, SystemExit) as error:
                # Whatever a stranger's package raises while it is imported must not take the others with it.
                state, problem = "broken", f"{type(error).__name__}: {error}"
        self.found.append(Plugin(entry.name, distribution, version, state, problem))


def _registrar(registry: Registry[Any], plugin: str) -> Callable[[str, Any], None]:
    def register(name: str, factory: Any) -> None:
        if not callable(factory):
            raise TranslateError(
                f"Plugin '{plugin}' registers the {registry.kind} '{name}' with {factory!r}, which cannot be called."
            )
        registry.add(name, factory, plugin)

    return register


@cache
def installed() -> Plugins:
    """The plugins installed here, less those that ``TRANSLATE_BLOCK_PLUGINS`` names; loaded at the first call."""
    return Plugins(blocked=[name.strip() for name in os.environ.get(BLOCK, "").split(",") if name.strip()])
