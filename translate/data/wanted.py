"""What is looked for: a domain, by the name that the user gave it, and where."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.domain import Domain


@dataclass(frozen=True)
class Splits:
    """A domain's pictures for training and, where some are kept apart, for testing."""

    train: Domain
    test: Domain | None


@dataclass(frozen=True)
class Wanted:
    """The domain ``name``, one of ``domains``, is looked for under ``root``, or nowhere but at its own path where that is None.

    ``loose``, where the user named the root, allows the layouts that fit any name, such as ``trainA``.
    """

    name: str
    root: Path | None
    domains: tuple[str, ...]
    loose: bool = True

    @property
    def called(self) -> str:
        """The domain's name in weights and reports: as it was given, and ``cats`` for ``~/pics/cats``."""
        return short_names(self.domains)[self.domains.index(self.name)]

    def locate(self, path: str) -> Path | None:
        """Where ``path``, the name or its first part, leads: below the root, or where it says itself.

        What is not where it says is looked for by its last part below a root that the user named: data that moved.
        """
        place = Path(os.path.expanduser(path))
        if not place.is_absolute():
            # A drive without a root (C:cats) would leave the root.
            return None if self.root is None or place.drive or place == Path() else self.root / place
        return self.root / place.name if self.root and self.loose and place.name and not place.exists() else place


def is_path(name: str) -> bool:
    """Whether a name says itself where it lies: ``/pics/cats``, ``~/pics/cats``, ``./cats`` or ``../cats``."""
    return name.startswith((".", "~")) or Path(name).is_absolute()


def typed(*names: str | Path) -> str:
    """Domains and paths as they are typed in a command: quoted where need be, and none with a dash at its front, which would be a flag.

    >>> typed("-cats", "my dogs")
    "./-cats 'my dogs'"
    """
    return shlex.join(f"./{name}" if str(name).startswith("-") else str(name) for name in names)


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as they are shown: of paths, as many of the last parts as tell them apart.

    >>> short_names(["~/pics/cats", "/pics/dogs", "fish/"])
    ('cats', 'dogs', 'fish')
    >>> short_names(["summer/photos", "/a/summer/photos", "/a/winter/photos"])
    ('summer/photos', 'summer-photos', 'winter-photos')
    """
    parts = [Path(os.path.expanduser(name)).parts if is_path(name) else (name.rstrip("/\\"),) for name in names]
    for count in range(1, max(map(len, parts), default=1) + 1):
        short = tuple("-".join(filter(None, (each.strip("/\\") for each in every[-count:]))) for every in parts)
        if len(set(short)) == len(names):
            return short
    return tuple(names)
