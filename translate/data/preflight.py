"""What a folder of pictures holds, and whether training on it can work: found out before a run, not in its middle."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from translate.data.advice import check_root, no_domain
from translate.data.catalogue import Found, Search, open_domains
from translate.data.duplicates import Group, alike
from translate.data.findings import Finding, in_number, judge
from translate.data.folder import PictureFiles
from translate.data.guess import guess_domains, without_pictures
from translate.data.hints import hints
from translate.data.looks import Look, Portion, below, look_through
from translate.data.suggestion import Method, method_for
from translate.data.wanted import Splits, Wanted
from translate.errors import DataWarning, PluginWarning, UserError, listed
from translate.isolation import Guard
from translate.options import Size, build
from translate.plugins import Plugins
from translate.precision import choose_device
from translate.settings import RunOptions, default_preset

#: Called with how many pictures were looked at, and how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Preflight:
    """What was found in ``root``, or for domains that plugins draw where that is None.

    ``size`` is that of the run, (height, width), for which the pictures were judged. ``groups`` number the looks of all portions, one
    after another. ``command`` trains on these domains, or on the first two of them, and is None where training cannot work.
    """

    root: Path | None
    names: tuple[str, ...]
    size: Size
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
            "size": list(self.size),
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
    plugins: Plugins, names: Sequence[str], data: Path | None, size: Size | None = None, progress: Progress | None = None
) -> Preflight:
    """Look through the domains ``names`` in ``data``, or in the place where a run would find them; without names, through all there are.

    ``size`` is that of the run, (height, width), by default the one that the command trains at. Raises UserError where ``data`` is no
    folder or holds no pictures.
    """
    if data is not None:
        check_root(data)
    given, names = bool(names), tuple(names) or (guess_domains(data) if data is not None else ())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        root = data if data is not None else open_domains(Guard(plugins), names, None, size).root
        opened, problems = _open(Search(Guard(plugins), names, size), root)
        portions = _look_through(opened, root, progress or (lambda done, total: None))
    groups = alike(*_digests_and_sketches(portions))
    said = dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, DataWarning | PluginWarning))
    method = method_for(plugins, names, points=any(not each.train.is_picture for each in opened))
    asked, size = size, size or _usual_size(plugins, method)
    findings = (
        *problems,
        *(() if data is None or given else _passed_over(data, names, opened)),
        *(Finding("warning", "opening", text) for text in said),
        *judge(portions, groups, size),
    )
    works = all(finding.level != "error" for finding in findings)
    found = Found(tuple(each.train for each in opened), tuple(each.test for each in opened), root)
    return Preflight(
        root,
        names,
        size,
        found.summary() if opened else "",
        tuple(portions),
        tuple(groups),
        findings,
        method.command(data, asked) if works and method else None,
    )


def _open(search: Search, root: Path | None) -> tuple[list[Splits], list[Finding]]:
    """The domains that can be opened, and why others cannot: one that is wrong keeps nobody from seeing the others."""
    opened: list[Splits] = []
    problems: list[Finding] = []
    for name in search.domains:
        try:
            found = search.open_one(Wanted(name, root, search.domains), {})
            if found is None:
                raise no_domain(root, search.domains, [name])
            opened.append(found)
        except UserError as error:
            problems.append(Finding("error", "domain", str(error)))
    return opened, problems


def _passed_over(root: Path, names: Sequence[str], opened: Sequence[Splits]) -> Iterator[Finding]:
    """What ``root`` holds beside the domains that were guessed: folders without pictures, and domains of other kinds."""
    if empty := [f"{below(folder, root)}/" for folder in without_pictures(root, names)]:
        text = in_number(len(empty), "[holds|hold] no pictures and [is|are] left out; put some in, or delete [it|them].")
        yield Finding("warning", "empty", f"{listed(empty)} {text}")
    pictures = {each.train.name: each.train.paths for each in opened if isinstance(each.train, PictureFiles)}
    yield from (Finding("warning", "hint", text) for text in hints(root, pictures))


def _look_through(opened: Sequence[Splits], root: Path | None, progress: Progress) -> list[Portion]:
    splits = [("train", each.train) for each in opened]
    splits += [("test", each.test) for each in opened if each.test is not None]
    total, done = sum(len(domain) for _, domain in splits if domain.is_picture), 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return [look_through(domain, split, root, step) for split, domain in splits]


def _digests_and_sketches(portions: Sequence[Portion]) -> tuple[list[bytes], list[Any]]:
    looks = [look for portion in portions for look in portion.looks]
    return [look.digest for look in looks], [look.sketch for look in looks]


def _usual_size(plugins: Plugins, method: Method | None) -> Size:
    """The size, in pixels, that the method trains at on this machine unless it is told another."""
    values: Mapping[str, Any] = {}
    if method is not None:
        recipe = plugins.recipes[method.recipe]
        preset = default_preset(recipe, choose_device("auto").type)
        assert preset is not None, "recipes without presets are not chosen"
        values = recipe.presets[preset].run
    return build(RunOptions, values, "The run").size


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
