"""Names for what plugins provide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from translate.errors import RecipeError, UnknownName, listed, near

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from names to factories of one kind, whose errors suggest the near name.

    ``kind`` is the singular noun that errors and listings use: "generator", "cycle loss". ``hint`` gives a sentence that may explain
    a missing name, such as that its plugin is broken.
    """

    def __init__(self, kind: str, hint: Callable[[], str] = str) -> None:
        self.kind = kind
        self._hint = hint
        self._factories: dict[str, T] = {}
        self._owners: dict[str, str] = {}

    def add(self, name: str, factory: T, plugin: str) -> None:
        """Register ``factory`` under ``name`` for ``plugin``. Raises RecipeError where another plugin has the name."""
        if name in self._factories:
            raise RecipeError(
                f"Plugin '{plugin}' registers the {self.kind} '{name}', which plugin '{self._owners[name]}' has registered already; "
                f"one of the two must choose another name."
            )
        self._factories[name] = factory
        self._owners[name] = plugin

    def owner(self, name: str) -> str:
        """The plugin that registered ``name``."""
        return self._owners[name]

    def remove(self, plugin: str) -> None:
        """Forget everything that ``plugin`` registered."""
        for name in [name for name, owner in self._owners.items() if owner == plugin]:
            del self._factories[name], self._owners[name]

    def __getitem__(self, name: str) -> T:
        try:
            return self._factories[name]
        except KeyError:
            raise UnknownName(
                f"There is no {self.kind} named '{name}'.{near(name, self._factories)} "
                f"Registered: {listed(sorted(self._factories))}.{self._hint()}"
            ) from None

    def get(self, name: str, default: Any = None) -> Any:
        """The factory of that name, or ``default``."""
        return self._factories.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._factories  # Mapping's own asks __getitem__, whose error is for people

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._factories))

    def __len__(self) -> int:
        return len(self._factories)
