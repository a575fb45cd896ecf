"""Finds plugins, isolates broken ones and fills the registries."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from translate import hookspecs
from translate.errors import PluginError, PluginWarning, TranslateError, brief, capitalised, listed, near
from translate.hookspecs import (
    AugmentationFactory,
    DiagnosisFactory,
    DiscriminatorFactory,
    FeatureFactory,
    GameFactory,
    GeneratorFactory,
    ImageLossFactory,
    JudgeAugmentationFactory,
    ListenerFactory,
    ScoreFactory,
)
from translate.recipe import Recipe
from translate.registry import Registry

if TYPE_CHECKING:
    from translate.data.published import DataSet
    from translate.foreign.formats import ForeignFormat

#: The entry-point group of plugins.
GROUP = "translate"
#: Set to names of plugins, separated by commas, this variable keeps them from being loaded; ``*`` are all but the library's own.
BLOCK = "TRANSLATE_BLOCK"
#: Set to names of plugins, this variable keeps all others from being loaded.
ALLOW = "TRANSLATE_ALLOW"

#: The distribution of the library, whose plugins stay where all others are blocked.
OWN = "image-translate"
#: Where a plugin is from that no distribution brought.
HERE = "registered by translate.plugin"
#: A distribution and its version.
PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]* [A-Za-z0-9][A-Za-z0-9._+!-]*")

#: What happens when a plugin that is no part of a run fails: the run stops, or goes on without it.
OnError = Literal["fail", "disable"]


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found: its name, where it is from, and what became of it."""

    name: str
    distribution: str
    version: str
    #: "loaded"; "blocked", by the user; "broken", where it could not be loaded; "disabled", where an event failed.
    state: str
    problem: str = ""
    #: What the entry point names: a module, or an object in one, "module:object".
    target: str = ""

    @property
    def origin(self) -> str:
        """Where it is from, as records say it."""
        return f"{self.distribution} {self.version}".strip()

    def __str__(self) -> str:
        return f"plugin '{self.name}'" + (f" ({self.origin})" if self.distribution != HERE else "")


class Hooks:
    """Modules and objects by name, and which hooks each implements."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("translate")
        self._manager.add_hookspecs(hookspecs)

    def __contains__(self, name: str) -> bool:
        return self._manager.has_plugin(name)

    def add(self, plugin: object, name: str) -> None:
        """Take ``plugin`` in. Raises PluginError, and leaves it out, where the name is taken or a hook of it does not exist."""
        if name in self:
            raise PluginError(f"There is a plugin or a listener named '{name}' already; one of the two must choose another name.")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            if not self._manager.get_hookcallers(plugin):
                raise PluginError(
                    f"'{name}' implements no hook; mark its functions with @translate.hookimpl: docs/reference/hooks.md lists the hooks."
                )
            self._refuse_wrappers(name)
        except pluggy.PluginValidationError as error:
            self.remove(name)
            raise PluginError(f"'{name}' cannot take part ({brief(error)}); docs/reference/hooks.md lists the hooks.") from error
        except BaseException:
            self.remove(name)
            raise

    def _refuse_wrappers(self, name: str) -> None:
        """Hooks are called one by one here, and what wraps the others would never run."""
        for caller in self._manager.get_hookcallers(self._manager.get_plugin(name)) or ():
            for each in caller.get_hookimpls():
                if each.plugin_name == name and (each.wrapper or each.hookwrapper):
                    raise PluginError(
                        f"'{name}' wraps the hook '{caller.name}', and hooks are called one by one here; leave 'wrapper' out."
                    )

    def remove(self, name: str) -> None:
        """Forget the plugin ``name``, if there is one."""
        if name in self:
            self._manager.unregister(name=name)

    def implementations(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        """The name of each plugin that implements ``hook``, in the order of names, and a function that takes all arguments of the hook."""
        return [
            (each.plugin_name, partial(_call, each.function, each.argnames))
            for each in sorted(getattr(self._manager.hook, hook).get_hookimpls(), key=lambda each: str(each.plugin_name))
        ]


def _call(function: Callable[..., Any], names: Sequence[str], **arguments: Any) -> Any:
    return function(**{name: arguments[name] for name in names})


class Plugins:
    """The plugins of this process and what they registered.

    Each entry point is loaded by itself, in the order of names, and undone when it fails: a broken plugin takes nothing else with
    it. ``blocked`` are names that are not loaded; ``"*"`` blocks all that are not of this library. Where ``allowed`` is given, all others
    are blocked.
    """

    def __init__(self, blocked: Collection[str] = (), allowed: Collection[str] | None = None) -> None:
        self.recipes: Registry[type[Recipe]] = Registry("recipe", self.hint)
        self.generators: Registry[GeneratorFactory] = Registry("generator", self.hint)
        self.discriminators: Registry[DiscriminatorFactory] = Registry("discriminator", self.hint)
        self.adversarial_losses: Registry[GameFactory] = Registry("adversarial loss", self.hint)
        self.cycle_losses: Registry[ImageLossFactory] = Registry("cycle loss", self.hint)
        self.reconstruction_losses: Registry[ImageLossFactory] = Registry("reconstruction loss", self.hint)
        self.augmentations: Registry[AugmentationFactory] = Registry("augmentation", self.hint)
        self.judge_augmentations: Registry[JudgeAugmentationFactory] = Registry("judge augmentation", self.hint)
        self.features: Registry[FeatureFactory] = Registry("feature extractor", self.hint)
        self.scores: Registry[ScoreFactory] = Registry("score", self.hint)
        self.diagnoses: Registry[DiagnosisFactory] = Registry("diagnosis", self.hint)
        self.data_sets: Registry[DataSet] = Registry("data set", self.hint)
        self.foreign_formats: Registry[Callable[[], ForeignFormat]] = Registry("foreign format", self.hint)
        self.listeners: Registry[ListenerFactory] = Registry("listener", self.hint)
        self.found: list[Plugin] = []
        self._hooks = Hooks()
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            strange = entry.dist is None or entry.dist.name != OWN
            kept_out = (
                entry.name in blocked or ("*" in blocked and strange) or (allowed is not None and entry.name not in allowed)
            )
            self._load_entry(entry, blocked=kept_out)

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
            "augmentations": self.augmentations,
            "judge-augmentations": self.judge_augmentations,
            "features": self.features,
            "scores": self.scores,
            "diagnoses": self.diagnoses,
            "data-sets": self.data_sets,
            "foreign-formats": self.foreign_formats,
            "listeners": self.listeners,
        }

    def add(self, plugin: object, name: str) -> None:
        """Register a module or an object with hook implementations under ``name``. Undone as a whole where it raises."""
        if name in self._hooks:
            raise TranslateError(f"There is a plugin named '{name}' already; one of the two must choose another name.")
        try:
            self._hooks.add(plugin, name)
            for plural, registry in self.registries.items():
                hook = f"register_{plural.replace('-', '_')}"
                for owner, implementation in self._hooks.implementations(hook):
                    if owner == name:
                        implementation(register=_registrar(registry, name))
        except BaseException:
            self.remove(name)
            raise

    def remove(self, name: str) -> None:
        """Undo ``add``."""
        self._hooks.remove(name)
        for registry in self.registries.values():
            registry.remove(name)

    def hooks_of(self, name: str) -> list[str]:
        """The hooks that plugin ``name`` implements, other than those that fill a registry."""
        others = [
            hook for hook in vars(hookspecs) if hasattr(getattr(hookspecs, hook), "translate_spec") and "register_" not in hook
        ]
        return [hook for hook in others if any(owner == name for owner, _ in self._hooks.implementations(hook))]

    def origin(self, name: str) -> str:
        """The plugin ``name`` as sentences call it, with its distribution and version where it was installed."""
        return next((str(plugin) for plugin in self.found if plugin.name == name), f"plugin '{name}'")

    def check(self, on_error: OnError) -> None:
        """Raise PluginError where a plugin is broken and the policy is to fail."""
        broken = [plugin for plugin in self.found if plugin.state == "broken"]
        if broken and on_error == "fail":
            raise PluginError(
                f"{capitalised(str(broken[0]))} is broken: {broken[0].problem}; --on-plugin-error disable goes on without it."
            )

    def implementations(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        """The name of each plugin that implements ``hook``, in the order of names, and a function that takes all arguments of the hook."""
        return self._hooks.implementations(hook)

    def note_failure(self, name: str, problem: str) -> None:
        """Remember, for lists, that the plugin ``name`` failed in a run."""
        self.found = [
            replace(each, state="disabled", problem=problem) if (each.name, each.state) == (name, "loaded") else each
            for each in self.found
        ]

    def hint(self) -> str:
        """A sentence on plugins that are not there, to end the error about a name that is missing; usually empty."""
        missing = [
            f"{plugin} is blocked" if plugin.state == "blocked" else f"{plugin} is broken: {plugin.problem}"
            for plugin in self.found
            if plugin.state in ("blocked", "broken")
        ]
        return f" Note that {'; '.join(missing)}." if missing else ""

    def missing(self, recorded: Mapping[str, str]) -> str:
        """Which plugins of ``recorded``, distributions and versions by name, are not loaded here, and how to get them; empty if none."""
        here = {plugin.name for plugin in self.found if plugin.state in ("loaded", "disabled")}
        absent = {name: origin for name, origin in recorded.items() if name not in here}
        if not absent:
            return ""
        # Files say what they like: what is no name and version of a distribution is nothing to be installed, or shown.
        absent = {name: origin if origin == HERE or PACKAGE.fullmatch(origin) else "unknown" for name, origin in absent.items()}
        names = listed(f"'{name}' ({origin})" for name, origin in absent.items())
        known = {plugin.name for plugin in self.found}  # blocked or broken: there is nothing to install
        packages = " ".join(
            dict.fromkeys(
                origin.rpartition(" ")[0] for name, origin in absent.items() if name not in known and PACKAGE.fullmatch(origin)
            )
        )
        how = (
            f": pip install {packages}"
            if packages
            else ": register it again"
            if HERE in absent.values()
            else ", and the file does not say where it is from"
            if absent.keys() - known
            else ", though installed: 'translate plugins list' says why"
        )
        return f"plugin{'s' * (len(absent) > 1)} {names}, not loaded here{how}"

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
                state, problem = "broken", brief(error)
        self.found.append(Plugin(entry.name, distribution, version, state, problem, entry.value))


def _registrar(registry: Registry[Any], plugin: str) -> Callable[[str, Any], None]:
    def register(name: str, factory: Any) -> None:
        if not (callable(factory) or registry.kind == "data set"):  # the one kind that is not made for a run
            raise TranslateError(
                f"Plugin '{plugin}' registers the {registry.kind} '{name}' with {factory!r}, which cannot be called."
            )
        registry.add(name, factory, plugin)

    return register


def _names(variable: str) -> list[str]:
    return [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]


@cache
def installed() -> Plugins:
    """The plugins installed here, as ``TRANSLATE_BLOCK`` and ``TRANSLATE_ALLOW`` choose among them; loaded at the first call."""
    return loaded()


def loaded(*, own: bool = False) -> Plugins:
    """The plugins installed here, or of this library's ``own`` alone, as the environment chooses among them; loaded anew."""
    blocked = [*_names(BLOCK), *(["*"] if own else [])]
    plugins = Plugins(blocked=blocked, allowed=_names(ALLOW) if ALLOW in os.environ else None)
    known = [plugin.name for plugin in plugins.found]
    for variable in (BLOCK, ALLOW):
        for name in _names(variable):
            if name not in (*known, "*"):
                said = f"{variable} names the plugin '{name}', which is not installed here.{near(name, known)}"
                warnings.warn(said, PluginWarning, stacklevel=2)
    return plugins


@contextmanager
def plugin(plugin: object, name: str | None = None) -> Iterator[Plugins]:
    """Inside, ``plugin`` is registered as one that is installed is: a module or an object with functions marked ``@translate.hookimpl``.

    ``name`` is its own name unless given. Raises TranslateError where the name, or one that it registers, is taken.

    >>> import translate
    >>> class Mine:
    ...     @translate.hookimpl
    ...     def run_started(self, engine):
    ...         print("off we go")
    >>> with translate.plugin(Mine(), "mine"):
    ...     pass
    """
    plugins = installed()
    chosen = str(name or getattr(plugin, "__name__", type(plugin).__name__))
    plugins.add(plugin, chosen)
    plugins.found.append(Plugin(chosen, HERE, "", "loaded"))
    try:
        yield plugins
    finally:
        plugins.remove(chosen)
        plugins.found = [each for each in plugins.found if (each.name, each.distribution) != (chosen, HERE)]
