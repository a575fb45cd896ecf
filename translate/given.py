"""What stands in for what a file cannot hold: recipes and parts that were objects, and plugins that are not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from translate import options
from translate.errors import NoDomain, UnknownName, UserError
from translate.options import Part
from translate.plugins import Plugins
from translate.recipe import Recipe


def find_recipe(recipe: str | type[Recipe], plugins: Plugins) -> tuple[str, type[Recipe]]:
    """The name and the class of a recipe that is given as either."""
    if isinstance(recipe, str):
        return recipe, plugins.recipes[recipe]
    if not (isinstance(recipe, type) and issubclass(recipe, Recipe)):
        raise UserError(f"The recipe is {recipe!r}; it must be a name, such as 'cyclegan', or a subclass of translate.Recipe.")
    return Part.of(recipe).name, recipe


def recorded_method(name: str, given: type[Recipe] | None, plugins: Plugins) -> type[Recipe]:
    """The recipe of the recorded ``name``, or the one that is ``given`` again in its place. Raises UserError."""
    if not Part(name).is_object:
        if given is not None:
            raise UserError(f"The recipe is '{name}', by name, and cannot be replaced; leave 'recipe' away.")
        return plugins.recipes[name]
    if given is None:
        raise UserError(f"The recipe was the class {name}, which no file can hold; give it again: recipe={_last(name)}.")
    same_class("recipe", name, find_recipe(given, plugins)[0])
    return given


def given_again(recorded: Mapping[str, Any], given: Mapping[str, object], *, required: bool = False) -> dict[str, object]:
    """The objects of ``given`` that stand in for parts which were objects in the ``recorded`` options. Raises UserError for any others.

    With ``required``, none may lack.
    """
    objects = {name: str(value) for name, value in recorded.items() if Part(str(value)).is_object}
    for name, value in given.items():
        if name not in objects:
            raise UserError(f"A run goes on with the options that it began with, so {options.flag(name)} cannot be changed.")
        if isinstance(value, str):
            raise UserError(
                f"{options.flag(name)} was an object of the class {objects[name]}, and cannot be a name now: give one again."
            )
        same_class(name, objects[name], Part.of(value).name)
    for name in objects.keys() - given.keys() if required else ():
        raise UserError(
            f"{options.flag(name)} was an object of the class {objects[name]}, which no file can hold; give one again: "
            f"{name}={_last(objects[name])}."
        )
    return dict(given)


def same_class(name: str, recorded: str, given: str) -> None:
    """Raise UserError unless both are of one class, whatever module it lives in now."""
    if _last(recorded) != _last(given):
        raise UserError(f"'{name}' was {recorded}, and {given} was given; give one of the same class.")


def _last(name: str) -> str:
    """The class's own name, of the name of a part that is an object."""
    return name[1:-1].rpartition(".")[2]


@contextmanager
def explained(plugins: Plugins, recorded: Mapping[str, str]) -> Iterator[None]:
    """Where a name or a domain is missing inside, say which plugins the weights or the run were made with that are not here."""
    try:
        yield
    except (UnknownName, NoDomain) as error:
        missing = plugins.missing(recorded)
        raise type(error)(f"{error} It was made with {missing}." if missing else str(error)) from None
