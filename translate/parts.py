"""Builds what a part names, or is."""

from __future__ import annotations

import copy
from functools import partial
from inspect import isclass, isroutine
from typing import Any, TypeVar, cast

from torch import nn

from translate import options as _options
from translate.errors import RecipeError, TranslateError, UserError, brief
from translate.options import NoOptions, Part
from translate.registry import Registry

T = TypeVar("T")


def part_options(factory: object, part: Part, what: str) -> Any:
    """The options that ``part`` gives to ``factory``: an instance of its ``Options`` dataclass. Raises UserError."""
    return _options.build(getattr(factory, "Options", NoOptions), dict(part.options), f"{what} '{part.name}'", flags=False)


def build_part(registry: Registry[Any], part: Part, wanted: type[T] | None, *arguments: object) -> T:
    """What ``part`` names in ``registry``, or the object that it is, made for ``arguments``; it must be a ``wanted``, where that is given.

    Raises UserError, or RecipeError where the author of the part is to blame.
    """
    what, origin = registry.kind, ""
    if part.given is not None:
        factory: Any = part.given
    elif part.is_object:
        raise UserError(
            f"The {what} was an object of the class {part}, which no file can hold; give one again, by the option's name, to "
            f"Engine.resume, Engine.load or Engine."
        )
    else:
        factory = registry[part.name]
        origin = f" of plugin '{registry.owner(part.name)}'"
    if (
        isinstance(factory, nn.Module)
        or (part.given is not None and not callable(factory))
        or (wanted and isinstance(factory, wanted))
    ):
        if wanted is nn.Module:
            raise UserError(
                f"The {what} is an object of the class {part}, and a method makes its networks for its domains; give the class itself, "
                f"or a function that makes one."
            )
        # Copied, so that two engines that are given one object have nothing in common; listeners are there to be looked at afterwards.
        result: Any = copy.deepcopy(factory) if wanted is not None else factory
    else:
        options = part_options(factory, part, what)
        try:
            result = factory(*arguments, options) if hasattr(factory, "Options") else factory(*arguments)
        except TranslateError:
            raise
        except Exception as error:  # of whatever kind: it is its author's
            if wanted and part.given is not None and not (isclass(factory) or isroutine(factory) or isinstance(factory, partial)):
                raise RecipeError(
                    f"The {what} is an object of the class {part}; expected a translate.{wanted.__name__}, or what makes one."
                ) from error
            raise RecipeError(f"The {what} '{part.name}'{origin} could not be made ({brief(error)}).") from error
    if wanted is not None and not isinstance(result, wanted):
        raise RecipeError(
            f"The {what} '{part.name}'{origin} is of the class {type(result).__name__}, and must be a {wanted.__name__}."
        )
    return cast(T, result)


def owner(registry: Registry[Any], part: Part) -> str | None:
    """The plugin that ``part`` comes from, if it comes from one."""
    return registry.owner(part.name) if part.given is None and part.name in registry else None
