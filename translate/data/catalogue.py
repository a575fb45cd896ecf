"""Where the pictures of a run come from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from translate.data import layouts
from translate.data.domain import Domain
from translate.errors import NoDomain, UserError, listed

if TYPE_CHECKING:
    from translate.plugins import Plugins


@dataclass(frozen=True)
class Found:
    """The opened domains of a run, all from one place: ``train`` for every name, ``test`` where there is one."""

    train: tuple[Domain, ...]
    test: tuple[Domain | None, ...]
    root: Path | None
    #: The plugins that opened some of them.
    plugins: frozenset[str] = frozenset()

    def summary(self) -> str:
        """One line that says what was found: ``horse: 1067 pictures in photos/trainA; ...; test: 120 + 140``."""
        parts = [f"{domain.name}: {domain.origin}" for domain in self.train]
        counts = [str(len(domain)) if domain else "0" for domain in self.test]
        held_out = f"test: {' + '.join(counts)}" if any(self.test) else "no test pictures, so grids show training pictures"
        return "; ".join([*parts, held_out]) + "."


def fetched_data() -> Path:
    """The folder of data sets that the user had fetched."""
    return user_data_path("image-translate", appauthor=False) / "data"


def places() -> list[Path]:
    """Where domains are looked for when no ``--data`` is given: ``./data``, then every data set fetched before."""
    fetched = fetched_data()
    return [Path("data"), *(sorted(each for each in fetched.iterdir() if each.is_dir()) if fetched.is_dir() else [])]


def open_domains(
    plugins: Plugins, names: Sequence[str], data: str | Path | None, size: tuple[int, int] | None, *, search: bool = True
) -> Found:
    """Open the domains ``names``: from ``data``, or else from the first place that has them all, or else from plugins.

    Without ``search``, no place is looked at but ``data`` and plugins. Nothing is ever downloaded. Raises UserError where a domain
    cannot be found.
    """
    domains = tuple(names)
    if data is not None:
        root = Path(os.path.expanduser(data))
        if not root.is_dir():
            raise UserError(
                f"The data folder {root} {'is a file' if root.exists() else 'does not exist'}; give --data a folder of pictures."
            )
        return _open_all(plugins, domains, root, size) or _nothing_found(root, domains)
    problems: list[UserError] = []
    for root in places() if search else []:
        # Letters fit any names, so that data that was not asked for must say by its own name what it holds: horse2zebra.
        letters = all(name in root.name for name in domains)
        try:
            if root.is_dir() and (found := _open_all(plugins, domains, root, size, letters=letters)):
                return found
        except UserError as problem:  # of a place that was not asked for; another may be better
            problems.append(problem)
    try:
        drawn = _open_all(plugins, domains, None, size)
    except UserError as problem:
        drawn = None
        problems.append(problem)
    if drawn is None and problems:
        raise problems[0]
    if drawn is None:
        raise NoDomain(
            f"There are no pictures for the domains {listed(domains)}: no --data was given, ./data does not hold them, and no plugin "
            f"draws them; give --data DIR with a folder for each domain, such as DIR/{domains[0]}/."
        )
    return drawn


def _open_all(
    plugins: Plugins, domains: tuple[str, ...], root: Path | None, size: tuple[int, int] | None, *, letters: bool = True
) -> Found | None:
    owners = set()

    def open_one(name: str, split: str) -> Domain | None:
        folder = layouts.open_folder(name, root, split, domains, letters=letters) if root else None
        if folder is not None:
            return folder
        found = plugins.find_domain(name, root, split, size, domains)
        if found is None:
            return None
        owners.add(found[0])
        return found[1]

    train = [open_one(name, "train") for name in domains]
    if any(domain is None for domain in train):
        return None
    test = tuple(open_one(name, "test") for name in domains)
    return Found(tuple(domain for domain in train if domain), test, root, frozenset(owners))


def _nothing_found(root: Path, domains: tuple[str, ...]) -> Found:
    missing = [name for name in domains if layouts.find_folder(name, root, "train", domains) is None]
    at = domains.index(missing[0])
    lettered = f" or {root}/train{ascii_uppercase[at]}/" if at < len(ascii_uppercase) else ""
    inside = sorted(each.name + "/" for each in root.iterdir() if each.is_dir())[:8]
    raise NoDomain(
        f"{root} has no pictures of {listed(missing)}: expected {root / missing[0]}/ or {root}/train/{missing[0]}/{lettered}; "
        f"it holds {'the folders ' + listed(inside) if inside else 'no folders'}."
    )
