"""Whether listeners keep their contract."""

from __future__ import annotations

import inspect

from translate import hookspecs
from translate.errors import PluginError
from translate.hookspecs import ListenerFactory
from translate.parts import build_part
from translate.plugins import Hooks
from translate.testing.common import NonConforming, blamed, check_options, no_plugins, part_of

#: What happens in a run: the hooks that are told of its engine.
EVENTS = tuple(
    name
    for name, each in vars(hookspecs).items()
    if hasattr(each, "translate_spec") and "engine" in inspect.signature(each).parameters
)


def check_listener(factory: ListenerFactory, *, part: str = "") -> None:
    """Raise NonConforming unless ``factory`` makes objects with event hooks that exist, with the arguments that they have.

    What they do when they are told is their own affair, and not tried.
    """
    chosen = part_of(factory, part)
    what = f"Listener '{chosen.name}'"
    check_options(factory, what)
    hooks = Hooks()
    with blamed(
        what, "it must be made by factory(), or by factory(options), with hooks and arguments as translate.hookspecs has them"
    ):
        try:
            hooks.add(build_part(no_plugins().listeners, chosen, None), chosen.name)
        except PluginError as error:
            raise NonConforming(str(error)) from error
    if not any(hooks.implementations(event) for event in EVENTS):
        raise NonConforming(
            f"{what} has no event hook, so that it hears of nothing; mark one of its methods, such as step_reported, with "
            "@translate.hookimpl."
        )
