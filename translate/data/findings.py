"""What is wrong with pictures that were looked through, and what to do about it, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from translate.data.duplicates import Group
from translate.data.looks import Look, Portion
from translate.errors import listed

#: With fewer pictures a judge soon knows them by heart; and a domain may have so many times as many as another.
FEW, UNBALANCED = 500, 10
#: Pictures of more pixels take long to decode, and few are of use.
HUGE = 1 << 24
#: Longer sides of a picture are at most so many times the shorter ones before squashing them shows.
LONGEST = 2.0
#: Names in a sentence.
NAMED = 3


@dataclass(frozen=True)
class Finding:
    """Something wrong: an ``error`` keeps training from working, a ``warning`` does not. ``names`` are all the pictures it is about."""

    level: Literal["error", "warning"]
    kind: str
    text: str
    names: tuple[str, ...] = ()


def judge(portions: Sequence[Portion], groups: Sequence[Group], size: tuple[int, int]) -> Iterator[Finding]:
    """What is wrong with ``portions`` for a run at ``size``, (height, width). ``groups`` number the looks of all portions in a row."""
    for portion in portions:
        if portion.domain.is_picture:
            yield from _unread(portion)
            yield from _shapes(portion, size)
            yield from _kinds(portion)
    training = [portion for portion in portions if portion.split == "train"]
    yield from _counts(training)
    yield from _duplicates(portions, groups)
    if len({portion.domain.channels for portion in training if portion.domain.is_picture}) > 1:
        found = listed(f"{portion.domain.channels} ({portion.name})" for portion in training)
        yield _warning(
            "channels",
            f"The domains have {found} channels: parts that compare pictures of both, as the identity loss, are left out.",
        )


def _unread(portion: Portion) -> Iterator[Finding]:
    count, damaged = len(portion.looks) + len(portion.damaged), portion.damaged
    names = tuple(each.name for each in damaged)
    if count and not portion.looks and portion.split == "train":
        yield Finding(
            "error",
            "unreadable",
            f"None of the {_pictures(count)} of {_of(portion)} can be decoded: {damaged[0].name} {damaged[0].reason}; "
            "copy or convert them anew.",
            names,
        )
    elif damaged:
        which = f": {damaged[0].name}" if len(damaged) == 1 else f", such as {damaged[0].name}, which"
        instead = in_number(len(damaged), "[another stands in for it|others stand in for them], so delete or replace [it|them]")
        yield _warning(
            "unreadable",
            f"{_of(portion)}: {len(damaged)} of {_pictures(count)} cannot be decoded{which} {damaged[0].reason}; {instead}.",
            names,
        )


def _shapes(portion: Portion, size: tuple[int, int]) -> Iterator[Finding]:
    height, width = size
    wanted = f"{height}" if height == width else f"{height}x{width}"
    if small := [look for look in portion.looks if look.height < height or look.width < width]:
        least = min(min(look.height, look.width) for look in small)
        yield _about(
            portion,
            "tiny",
            small,
            f"[is|are] smaller than the {wanted} px of the run, down to {least} px, and would be blown up; train at a smaller --size, "
            "or leave [it|them] out.",
        )
    if huge := [look for look in portion.looks if look.height * look.width > HUGE]:
        yield _about(
            portion,
            "huge",
            huge,
            f"[has|have] more than {HUGE >> 20} million pixels and [is|are] slow to decode; make [a smaller copy|smaller copies].",
        )
    if long := [look for look in portion.looks if max(look.height / look.width, look.width / look.height) > LONGEST]:
        text = "[is|are] more than twice as long as wide and would be squashed; train with --fit crop."
        yield _about(portion, "shape", long, text)


def _kinds(portion: Portion) -> Iterator[Finding]:
    grey = [look for look in portion.looks if look.colourless]
    if portion.domain.channels == 3 and 0 < len(grey) < len(portion.looks):
        stored = sum(look.channels == 1 for look in grey)
        yield _about(
            portion,
            "grey",
            grey,
            f"[has|have] no colour among pictures that do ({stored} {'is' if stored == 1 else 'are'} stored as grey); leave [it|them] out "
            "where colour matters.",
        )
    if flat := [look for look in portion.looks if look.flat]:
        yield _about(
            portion, "blank", flat, "[is|are] of one colour all over; delete [it unless it is|them unless they are] meant."
        )


def _counts(training: Sequence[Portion]) -> Iterator[Finding]:
    counts = {portion.name: len(portion.looks) if portion.domain.is_picture else len(portion.domain) for portion in training}
    if few := {name: count for name, count in counts.items() if 0 < count < FEW}:
        found = listed(f"{name} has {_pictures(count)}" for name, count in few.items())
        yield _warning(
            "few",
            f"Few pictures: {found}. Below about {FEW}, start from a run that has seen similar pictures, with its judges: --init-from RUN. "
            "Stronger changes (--augment small, --judge-augment diffaugment) are for long runs; in short ones they made pictures worse "
            "(docs/how-to/few-pictures.md).",
        )
    least, most = min(counts, key=counts.__getitem__, default=""), max(counts, key=counts.__getitem__, default="")
    if counts and counts[most] > UNBALANCED * counts[least] > 0:
        yield _warning(
            "unbalanced",
            f"Unbalanced: {most} has {counts[most]} pictures and {least} {counts[least]}; in an epoch those of {least} come "
            f"{counts[most] // counts[least]} times, so add some to it.",
        )


def _duplicates(portions: Sequence[Portion], groups: Sequence[Group]) -> Iterator[Finding]:
    looks = [(portion, look.name) for portion in portions for look in portion.looks]
    leaks: list[str] = []
    shared: list[str] = []
    sharing = 0
    spare: dict[str, list[str]] = {}
    for group in groups:
        members = [looks[number] for number in group.members]
        if len({portion.split for portion, _ in members}) > 1:
            leaks += [name for portion, name in members if portion.split == "test"]
        if len({portion.name for portion, _ in members}) > 1:
            sharing += 1
            shared += [name for _, name in members]
        seen: set[str] = set()
        for portion, name in members:
            where = _of(portion)
            if where in seen:
                spare.setdefault(where, []).append(name)
            seen.add(where)
    if leaks:
        said = in_number(
            len(leaks),
            "[is|are] in training too, the same or nearly, and scores on [it|them] flatter; delete [it|them] from one of the two.",
        )
        yield _warning("leak", f"{len(leaks)} of the test pictures{_some(leaks)} {said}", leaks)
    if shared:
        yield _warning(
            "shared",
            f"{_pictures(sharing)} in more than one domain, the same or nearly{_some(shared)}: delete each from the domain that it does "
            "not show.",
            shared,
        )
    for where, names in spare.items():
        yield _warning(
            "duplicates",
            f"{where}: {_pictures(len(names))} too many{_some(names)}, the same or nearly as others; delete what repeats.",
            names,
        )


def _warning(kind: str, text: str, names: Iterable[str] = ()) -> Finding:
    return Finding("warning", kind, text, tuple(names))


def _about(portion: Portion, kind: str, looks: Sequence[Look], what: str) -> Finding:
    names = tuple(look.name for look in looks)
    said = in_number(len(looks), what)
    return _warning(kind, f"{_of(portion)}: {len(looks)} of {_pictures(len(portion.looks))}{_some(names)} {said}", names)


def in_number(count: int, text: str) -> str:
    """``text`` as it is said of one thing or of several.

    >>> in_number(1, "[is|are] small; leave [it|them] out"), in_number(2, "[is|are] small")
    ('is small; leave it out', 'are small')
    """
    return re.sub(r"\[([^]|]*)\|([^]]*)\]", r"\1" if count == 1 else r"\2", text)


def _of(portion: Portion) -> str:
    return portion.name if portion.split == "train" else f"{portion.name} (test)"


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''})"
