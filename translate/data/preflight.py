"""What a folder of pictures holds, and whether training on it can work: found out before a run, not in its middle."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from translate.data.advice import check_root, no_domain
from translate.data.catalogue import Found, Search, open_domains
from translate.data.duplicates import Group, alike
from translate.data.findings import Finding, judge
from translate.data.guess import guess_domains
from translate.data.looks import Look, Portion, look_through
from translate.data.wanted import Splits, Wanted
from translate.errors import DataWarning, PluginWarning, UserError
from translate.plugins import Plugins
from translate.recipe import Recipe

#: Called with how many pictures were looked at, and how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Preflight:
    """What was found in ``root``, or for domains that plugins draw where that is None.

    ``groups`` number the looks of all portions, one after another. ``command`` trains on these domains, or on the first
    two of them, and is None where training cannot work.
    """

    root: Path | None
    names: tuple[str, ...]
    summary: str
    portions: tuple[Portion, ...]
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]
    command: str | None

    @property
    def works(self) -> bool:
        """Whether training can work."""
        return all(finding.level != "error" for finding in self.findings)

    def looks(self) -> list[Look]:
        """Those of all portions, as groups number them."""
        return [look for portion in self.portions for look in portion.looks]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        looks = self.looks()
        return {
            "root": None if self.root is None else str(self.root),
            "domains": list(self.names),
            "works": self.works,
            "summary": self.summary,
            "portions": [_as_dict(portion) for portion in self.portions],
            "duplicates": [
                {"exact": group.exact, "pictures": [looks[number].name for number in group.members]} for group in self.groups
            ],
            "findings": [asdict(finding) for finding in self.findings],
            "command": self.command,
        }


def check(
    plugins: Plugins, names: Sequence[str], data: Path | None, size: tuple[int, int], progress: Progress | None = None
) -> Preflight:
    """Look through the domains ``names`` in ``data``, or in the place where a run would find them; without names, through all there are.

    ``size`` is that of the run, (height, width). Raises UserError where ``data`` is no folder or holds no pictures.
    """
    if data is not None:
        check_root(data)
    names = tuple(names) or (guess_domains(data) if data is not None else ())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        root = data if data is not None else open_domains(plugins, names, None, size).root
        opened, problems = _open(Search(plugins, tuple(names), size), root)
        portions = _look_through(opened, root, progress or (lambda done, total: None))
    groups = alike(*_digests_and_sketches(portions))
    said = dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, DataWarning | PluginWarning))
    findings = (*problems, *(Finding("warning", "opening", text) for text in said), *judge(portions, groups, size))
    works = all(finding.level != "error" for finding in findings)
    found = Found(tuple(each.train for each in opened), tuple(each.test for each in opened), root)
    return Preflight(
        root,
        tuple(names),
        found.summary() if opened else "",
        tuple(portions),
        tuple(groups),
        findings,
        _command(plugins, tuple(names), data, points=not opened[0].train.is_picture) if works else None,
    )


def _open(search: Search, root: Path | None) -> tuple[list[Splits], list[Finding]]:
    """The domains that can be opened, and why others cannot: one that is wrong keeps nobody from seeing the others."""
    opened: list[Splits] = []
    problems: list[Finding] = []
    for name in search.domains:
        try:
            found = search.open_one(Wanted(name, root, search.domains), set())
            if found is None:
                raise no_domain(root, search.domains, [name])
            opened.append(found)
        except UserError as error:
            problems.append(Finding("error", "domain", str(error)))
    return opened, problems


def _look_through(opened: Sequence[Splits], root: Path | None, progress: Progress) -> list[Portion]:
    pairs = [("train", each.train, each.test) for each in opened]
    pairs += [("test", each.test, None) for each in opened if each.test is not None]
    total, done = sum(len(domain) for _, domain, _ in pairs if domain.is_picture), 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return [look_through(domain, split, root, test, step) for split, domain, test in pairs]


def _digests_and_sketches(portions: Sequence[Portion]) -> tuple[list[bytes], list[Any]]:
    looks = [look for portion in portions for look in portion.looks]
    return [look.digest for look in looks], [look.sketch for look in looks]


def _command(plugins: Plugins, names: tuple[str, ...], data: Path | None, *, points: bool) -> str | None:
    """The command that trains on the domains, or on the first two where no recipe takes all of them."""
    for chosen in dict.fromkeys((names, names[:2])):
        for name in sorted(plugins.recipes):
            recipe = plugins.recipes[name]
            if all(preset.points != points for preset in recipe.presets.values()) or not _takes(recipe, name, chosen):
                continue
            words = ["translate", "run", name, "--domains", *chosen]
            return shlex.join([*words, "--data", str(data)] if data is not None else words)
    return None


def _takes(recipe: type[Recipe], name: str, domains: Sequence[str]) -> bool:
    try:
        recipe.check_domains(name, domains)
    except UserError:
        return False
    return True


def _as_dict(portion: Portion) -> dict[str, Any]:
    domain = portion.domain
    about: dict[str, Any] = {
        "domain": portion.name,
        "split": portion.split,
        "origin": domain.origin,
        "count": len(portion.looks) if domain.is_picture else len(domain),
        "channels": domain.channels,
        "dtype": domain.dtype,
        "window": list(domain.window),
        "damaged": [asdict(each) for each in portion.damaged],
        "left_out": [asdict(each) for each in portion.left_out],
    }
    if not portion.looks:
        return about
    return about | {
        "sizes": portion.sizes(),
        "formats": portion.tally("format"),
        "file_channels": portion.tally("channels"),
        "file_dtypes": portion.tally("dtype"),
        "colourless": sum(look.colourless for look in portion.looks),
        "mean": np.round(portion.mean(), 2).tolist(),
        "std": np.round(portion.std(), 2).tolist(),
    }
