"""Where the pictures of a run come from.

For each domain these are asked, in this order: files as MNIST's in a folder of its name, a folder of its name (layouts 1 to 3 of
:mod:`translate.data.layouts`), its name as the path of a folder, a list of files, a table, a range of ages, the letters of layout 4,
plugins, pairs side by side, and the root itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from translate.data import layouts
from translate.data.advice import check_root, no_domain
from translate.data.ages import open_ages
from translate.data.domain import Domain
from translate.data.idx import open_idx
from translate.data.lists import open_list
from translate.data.pairs import pair_up
from translate.data.sides import open_sides
from translate.data.splits import Subset, hold_out
from translate.data.tables import open_table
from translate.data.wanted import Splits, Wanted, is_path
from translate.errors import UserError

if TYPE_CHECKING:
    from translate.isolation import Guard

Layout = Callable[[Wanted], Splits | None]
#: Layouts that only pictures fit which were meant, tried before plugins are asked, and those that fit any name, tried after.
NAMED: tuple[Layout, ...] = (
    open_idx,
    layouts.open_by_name,
    layouts.open_own_path,
    open_list,
    open_table,
    open_ages,
    layouts.open_by_letter,
)
LOOSE: tuple[Layout, ...] = (open_sides, layouts.open_root)


@dataclass(frozen=True)
class Found:
    """The opened domains of a run, all from one place: ``train`` for every name, ``test`` where there is one."""

    train: tuple[Domain, ...]
    test: tuple[Domain | None, ...]
    root: Path | None
    #: The plugins that opened some of them, by the domain's name.
    owners: Mapping[str, str] = field(default_factory=dict)
    #: Whether the root was found, and not named by the user.
    searched: bool = False

    @property
    def held_out(self) -> list[Domain]:
        """The test samples of each domain, or the training ones where it has none."""
        return [test or train for train, test in zip(self.train, self.test, strict=True)]

    def summary(self) -> str:
        """One line that says what was found: ``horse: 1067 pictures in trainA; zebra: 1334 in trainB; test: 120 + 140.``"""
        origins = [self._below_root(domain.origin) or self._from_plugin(domain) for domain in self.train]
        said = re.match(r"\d+( \w+) (?:in|from) ", origins[0])
        # The first says of what there are so many.
        origins[1:] = [re.sub(rf"^(\d+){re.escape(said[1])}", r"\1", each) if said else each for each in origins[1:]]
        parts = [f"{domain.name}: {origin}" for domain, origin in zip(self.train, origins, strict=True)]
        counts = [str(len(domain)) if domain else "0" for domain in self.test]
        held_out = ", held out of them" if any(isinstance(domain, Subset) for domain in self.test) else ""
        tested = f"test: {' + '.join(counts)}{held_out}"
        place = f"In {self.root}: " if self.searched and self.root != Path() else ""
        return (
            place + "; ".join([*parts, tested if any(self.test) else "no test pictures, so grids show training pictures"]) + "."
        )

    def _from_plugin(self, domain: Domain) -> str:
        return f"{len(domain)} samples from plugin '{self.owners.get(domain.name, '?')}'"

    def _below_root(self, origin: str) -> str:
        return origin.replace(f"{self.root}{os.sep}", "", 1) if self.root is not None else origin


def fetched_data() -> Path:
    """The folder of data sets that the user had fetched."""
    return user_data_path("image-translate", appauthor=False) / "data"


def places() -> list[Path]:
    """Where domains are looked for when no ``--data`` is given: ``./data``, then every data set fetched before."""
    fetched = fetched_data()
    # What begins with a dot was not fetched to its end.
    sets = sorted(each for each in fetched.iterdir() if each.is_dir() and each.name[0] != ".") if fetched.is_dir() else []
    return [Path("data"), *sets]


@dataclass(frozen=True)
class Search:
    """How domains are opened, wherever that is: of pictures of ``size``, (height, width), for plugins that draw them.

    ``holdout`` is the share (below 1) or the number of samples that are held out by ``seed`` for each domain without any for testing, 0 for
    none; ``paired`` says that pictures of equal names belong together.
    """

    guard: Guard
    domains: tuple[str, ...]
    size: tuple[int, int] | None
    holdout: float = 0.0
    seed: int = 0
    paired: bool = False

    def open(self, root: Path | None, *, loose: bool = True) -> Found | None:
        """All domains from ``root``, or None where it lacks one; ``loose`` allows layouts that fit any name."""
        owners: dict[str, str] = {}
        opened: list[Splits] = []
        for name in self.domains:
            found = self.open_one(Wanted(name, root, self.domains, loose), owners)
            if found is None:
                return None
            opened.append(found)
        if self.paired:
            opened = pair_up(opened)
        if self.holdout:
            opened = [hold_out(each.train, self.holdout, self.seed) if each.test is None else each for each in opened]
        return Found(tuple(each.train for each in opened), tuple(each.test for each in opened), root, owners)

    def missing(self, root: Path | None) -> list[str]:
        """The domains that ``root`` lacks."""
        return [name for name in self.domains if self.open_one(Wanted(name, root, self.domains), {}) is None]

    def open_one(self, wanted: Wanted, owners: dict[str, str]) -> Splits | None:
        """The domain from the first layout or plugin that has it, or None; a plugin that does is noted in ``owners``."""
        for layout in NAMED:
            if found := layout(wanted):
                return found
        if (train := self._ask_plugins(wanted, "train", owners)) is not None:
            return Splits(train, self._ask_plugins(wanted, "test", owners))
        return next((found for layout in LOOSE if (found := layout(wanted))), None)

    def _ask_plugins(self, wanted: Wanted, split: str, owners: dict[str, str]) -> Domain | None:
        found = self.guard.find_domain(wanted.name, wanted.root, split, self.size, self.domains)
        if found is None:
            return None
        owners[wanted.name], domain = found
        if not len(domain) and split == "train":
            raise UserError(f"The domain '{wanted.name}' of plugin '{found[0]}' is empty; choose another, or tell its author.")
        return domain if len(domain) else None


def open_domains(
    guard: Guard,
    names: Sequence[str],
    data: str | Path | None,
    size: tuple[int, int] | None,
    *,
    search: bool = True,
    holdout: float = 0.0,
    seed: int = 0,
    paired: bool = False,
) -> Found:
    """Open the domains ``names``: from ``data``, or else from the first place that has them all, or else from plugins.

    Names that are paths lead where they say. Without ``search``, no place is looked at but these, ``data`` and plugins. Nothing is ever
    downloaded. ``holdout``, ``seed`` and ``paired`` are those of :class:`Search`. Raises UserError where a domain cannot be found.
    """
    domains = tuple(names)
    opener = Search(guard, domains, size, holdout, seed, paired)
    if data is not None:
        root = Path(os.path.expanduser(data))
        check_root(root)
        found = opener.open(root)
        if found is None:
            raise no_domain(root, domains, opener.missing(root))
        return found
    problems: list[UserError] = []
    for root in _places(domains) if search else []:
        # Layouts that fit any name need data that was not asked for to say by its own name what it holds: horse2zebra.
        loose = all(name in root.name for name in domains)
        try:
            if root.is_dir() and (found := opener.open(root, loose=loose)):
                return replace(found, searched=True)
        except UserError as problem:  # of a place that was not asked for; another may be better
            problems.append(problem)
    try:
        drawn = opener.open(None)
    except UserError as problem:
        drawn = None
        problems.append(problem)
    if drawn is None and problems:
        raise problems[0]
    if drawn is None:
        paths = [name for name in domains if is_path(name)]
        raise no_domain(None, domains, paths or list(domains))
    return drawn


def _places(domains: tuple[str, ...]) -> list[Path]:
    """Where ``domains`` are looked for: where all are absolute paths, nowhere else; a path such as ``../cats`` leads from here."""
    if all(Path(os.path.expanduser(name)).is_absolute() for name in domains):
        return []
    return [Path()] if any(map(is_path, domains)) else places()
