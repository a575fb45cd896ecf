"""Who takes part in a run, and whose code it was where it fails."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from translate.errors import PluginError, RecipeError, TranslateError, brief, capitalised
from translate.options import Part
from translate.parts import build_part, owner
from translate.registry import Registry

if TYPE_CHECKING:
    from translate.plugins import Plugins

T = TypeVar("T")


class Member(NamedTuple):
    """A part of a run: itself, what it is called, "generator 'resnet'", and its plugin, or None for an object of the caller's."""

    part: Any
    what: str
    owner: str | None


class Roster:
    """The parts of a run. Where one raises, it is known by the frames of the traceback that are methods of it: no call costs anything."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        #: The plugins that the run rests on: where one of them fails, the run stops.
        self.used: set[str] = set()
        self._members: dict[int, Member] = {}

    def add(self, part: object, what: str, owner: str | None) -> None:
        """Take in ``part``, which is called ``what``, of plugin ``owner``."""
        self._members[id(part)] = Member(part, what, owner)
        if owner is not None:
            self.used.add(owner)

    def build(self, registry: Registry[Any], part: Part, wanted: type[T] | None, *arguments: object) -> T:
        """What :func:`translate.parts.build_part` builds, taken in."""
        made = build_part(registry, part, wanted, *arguments)
        self.add(made, f"{registry.kind} '{part.name}'", owner(registry, part))
        return made

    @contextmanager
    def blaming(self, doing: str) -> Iterator[None]:
        """Inside, what a plugin's part raises becomes a PluginError, one sentence, that names both; ``doing`` is such as "at step 3".

        What is wrong with the input stays as it is, and so does what objects of the caller's raise, with a note.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, TranslateError) and not isinstance(error, RecipeError):
                raise
            frames = [
                (self._members[id(own)], frame.f_code.co_filename, line)
                for frame, line in traceback.walk_tb(error.__traceback__)
                if id(own := frame.f_locals.get("self")) in self._members
            ]
            if not frames:
                raise
            innermost, file, line = frames[-1]
            # The recipe calls everything, which says nothing.
            callers = [each for each, _, _ in frames[1:] if each is not innermost]
            called = f", which the {self._named(callers[-1])} calls," if callers else ""
            if innermost.owner is None:
                error.add_note(f"Raised {doing} by the {innermost.what}{called.rstrip(',')}.")
                raise
            why = str(error).rstrip(".") if isinstance(error, TranslateError) else brief(error)
            raise PluginError(
                f"{capitalised(self._named(innermost))}{called} failed {doing} ({why}; {Path(file).name}, line {line}); "
                f"'translate plugins check {innermost.owner}' tries it by itself."
            ) from error

    def _named(self, member: Member) -> str:
        return f"{member.what} of {self.plugins.origin(member.owner)}" if member.owner else member.what
