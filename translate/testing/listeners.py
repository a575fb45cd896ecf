"""Whether listeners, and the event hooks of plugins, keep their contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from translate import hookspecs
from translate.engine import Engine
from translate.errors import PluginError, UserError
from translate.hookspecs import ListenerFactory
from translate.parts import build_part
from translate.plugins import Hooks
from translate.randomness import seeded
from translate.testing.common import CPU, NonConforming, blamed, check_options, no_plugins, part_of
from translate.testing.small import Painter, small_engine

#: What happens in a run: the hooks that are told of its engine.
EVENTS = tuple(
    name
    for name, each in vars(hookspecs).items()
    if hasattr(each, "translate_spec") and "engine" in inspect.signature(each).parameters
)


class _Telling(Engine):
    """An engine that tells ``hooks`` of all that happens, and says of which event one of them failed."""

    hooks = Hooks()
    what = ""
    expected = ""

    def tell(self, event: str, **arguments: Any) -> None:
        """Tell its own listeners, and then the hooks."""
        super().tell(event, **arguments)
        for _, implementation in self.hooks.implementations(event):
            with blamed(f"{self.what}, told of {event},", self.expected):
                implementation(engine=self, **arguments)


def check_listener(factory: ListenerFactory, *, part: str = "") -> None:
    """Raise NonConforming unless ``factory`` makes objects with event hooks that exist, with the arguments that they have.

    One is told of a run of two steps that is kept in a folder, from a checkpoint before its first step to its end, and another of a run
    that is kept nowhere; neither may raise, other than UserError, which comes through where a run is kept.
    """
    chosen = part_of(factory, part)
    what = f"Listener '{chosen.name}'"
    check_options(factory, what)

    def made() -> Hooks:
        hooks = Hooks()
        with blamed(
            what, "it must be made by factory(), or by factory(options), with hooks and arguments as translate.hookspecs has them"
        ):
            try:
                hooks.add(build_part(no_plugins().listeners, chosen, None), chosen.name)
            except PluginError as error:
                raise NonConforming(str(error)) from error
        return hooks

    hooks = made()
    if not any(hooks.implementations(event) for event in EVENTS):
        raise NonConforming(
            f"{what} has no event hook, so that it hears of nothing; mark one of its methods, such as step_reported, with "
            "@translate.hookimpl."
        )
    _check_told(made, what)


def check_events(plugin: object, name: str) -> None:
    """Raise NonConforming unless the event hooks of ``plugin`` bear to be told of runs, as those of a listener must."""
    hooks = Hooks()
    hooks.add(plugin, name)
    _check_told(lambda: hooks, f"Plugin '{name}'")


def _check_told(made: Callable[[], Hooks], what: str) -> None:
    first = "it must bear what happens in any run, such as a checkpoint before run_started, where a run begins from other weights"
    second = (
        "it must bear more than one run, and one that is kept in no folder: where engine.out is None, write nothing, or raise UserError "
        "at run_started"
    )
    with seeded(CPU, 0):
        _tell(made(), what, first, kept=True)
        with suppress(UserError):
            _tell(made(), what, second, kept=False)


def _tell(hooks: Hooks, what: str, expected: str, *, kept: bool) -> None:
    with small_engine(Painter, _Telling, kept=kept) as engine:
        engine.hooks, engine.what, engine.expected = hooks, what, expected
        if kept:
            engine.save_checkpoint()
        engine.fit()
