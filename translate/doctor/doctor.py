"""Asks every diagnosis at each report, and keeps those that fail from taking a run with them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from translate.checkpoint import LOG_NAME
from translate.clock import Clock
from translate.doctor.diagnosis import Diagnosis, Finding
from translate.errors import RecipeError, UserError, listed
from translate.isolation import Guard
from translate.options import Part
from translate.parts import build_part, owner
from translate.plugins import Plugins
from translate.report import Report

if TYPE_CHECKING:
    from translate.engine import Engine

T = TypeVar("T")
#: So many reports of a run are looked back at.
MEMORY = 1000


class Doctor:
    """The diagnoses ``parts``, or with "all" every registered one, with "none" none, and what they have heard of a run."""

    def __init__(self, plugins: Plugins, parts: Sequence[Part], guard: Guard | None = None) -> None:
        self.guard = guard or Guard(plugins)
        everybody = [str(part) for part in parts] == ["all"]
        chosen = [Part(name) for name in plugins.diagnoses] if everybody else [part for part in parts if str(part) != "none"]
        self._owners = {str(part): owner(plugins.diagnoses, part) or "" for part in chosen}
        if len(self._owners) < len(chosen):
            raise UserError(
                f"A diagnosis is asked for twice: {listed(map(str, chosen))}; give each another class, or other options."
            )
        #: The plugins that a run rests on by having asked for them by name.
        self.asked: Collection[str] = set() if everybody else {each for each in self._owners.values() if each}
        self.diagnoses: dict[str, Diagnosis] = {}
        for part in chosen:
            if everybody:
                with self.guard.asking(self._owners[str(part)], f"to make the diagnosis '{part}'"):
                    self.diagnoses[str(part)] = _made(plugins, part)
            else:
                self.diagnoses[str(part)] = build_part(plugins.diagnoses, part, Diagnosis)
        self.history: list[Report] = []

    @property
    def asked_to_the_end(self) -> list[str]:
        """The diagnoses that have not failed."""
        return [name for name in self.diagnoses if self._owners[name] not in self.guard.disabled]

    def recall(self, run: Path) -> None:
        """Take up what the log of the run in the folder ``run`` tells of it so far."""
        self.history = list(read_log(run))[-MEMORY:]

    def measure(self, engine: Engine) -> dict[str, float]:
        """The signals of this moment, of all diagnoses."""
        nothing: dict[str, float] = {}
        signals: dict[str, float] = {}
        for name, diagnosis in self.diagnoses.items():
            signals |= self._asked(name, partial(_measured, diagnosis, engine), nothing)
        return signals

    def judge(self, report: Report) -> dict[str, Finding]:
        """What is wrong at ``report``, by the name of the diagnosis."""
        self.history = [*self.history[-MEMORY + 1 :], report]
        findings = {}
        for name, diagnosis in self.diagnoses.items():
            found = self._asked(name, partial(_judged, diagnosis, tuple(self.history)), None)
            if found is not None:
                findings[name] = found
        return findings

    def _asked(self, name: str, question: Callable[[], T], nothing: T) -> T:
        owner = self._owners[name]
        if not owner:  # an object of the caller's own: what it raises is the caller's to see as it is
            return question()
        if owner not in self.guard.disabled:
            with self.guard.asking(owner, f"in the diagnosis '{name}'", self.asked):
                return question()
        return nothing


def _made(plugins: Plugins, part: Part) -> Diagnosis:
    """The diagnosis; what its constructor raises comes as it is, for whoever asks says which diagnosis it is of."""
    try:
        return build_part(plugins.diagnoses, part, Diagnosis)
    except RecipeError as error:
        raise error.__cause__ or error from None


def _measured(diagnosis: Diagnosis, engine: Engine) -> dict[str, float]:
    given: object = diagnosis.measure(engine)
    if not isinstance(given, Mapping) or not all(
        isinstance(name, str) and isinstance(each, int | float) for name, each in given.items()
    ):
        raise TypeError(f"measure() gave {given!r:.80}, and must give numbers by name")
    return {name: float(each) for name, each in given.items()}


def _judged(diagnosis: Diagnosis, history: Sequence[Report]) -> Finding | None:
    given: object = diagnosis.judge(history)
    if not (given is None or isinstance(given, Finding)):
        raise TypeError(f"judge() gave {given!r:.80}, and must give a translate.Finding or None")
    return given


@dataclass(frozen=True)
class Spell:
    """A diagnosis that held from one report to another: the finding is that of the first."""

    name: str
    finding: Finding
    first: int
    last: int


@dataclass(frozen=True)
class LookBack:
    """What was found in the log of a run, in the order in which it began, and the diagnoses that looked for it to the end."""

    spells: tuple[Spell, ...]
    looked_for: tuple[str, ...]


def look_back(plugins: Plugins, run: Path, parts: Sequence[Part]) -> LookBack:
    """Ask the diagnoses of each report in the log of the run in the folder ``run``.

    Where all are asked, findings that the log holds of others, which are not loaded here, are told as they stand in it.
    """
    doctor = Doctor(plugins, parts, Guard(plugins, what="the search"))
    everybody = [str(part) for part in parts] == ["all"]
    open_spells: dict[str, Spell] = {}
    spells: list[Spell] = []
    for report, logged in _logged(run):
        findings = doctor.judge(report)
        if everybody:
            findings |= {name: _hearsay(plugins, name, said) for name, said in logged.items() if name not in doctor.diagnoses}
        for name, finding in findings.items():
            known = open_spells.get(name)
            first, said = (known.first, known.finding) if known else (report.step, finding)
            open_spells[name] = Spell(name, said, first, report.step)
        for name in [name for name in open_spells if name not in findings]:
            spells.append(open_spells.pop(name))
    spells = sorted([*spells, *open_spells.values()], key=lambda spell: (spell.first, spell.name))
    return LookBack(tuple(spells), tuple(doctor.asked_to_the_end))


def _hearsay(plugins: Plugins, name: str, said: str) -> Finding:
    """A finding that is in the log alone, which holds no advice."""
    if name.partition(":")[0] in plugins.diagnoses:
        return Finding(said, f"That is what the log says; --diagnoses {name} asks again.")
    return Finding(
        said, f"That is what the log says; the diagnosis '{name}' is not loaded here, and what it advises is not known."
    )


def read_log(run: Path) -> Iterator[Report]:
    """The reports in the log of a run. Raises UserError where there is none, or a line is none."""
    return (report for report, _ in _logged(run))


def _logged(run: Path) -> Iterator[tuple[Report, dict[str, str]]]:
    """The reports, each with what diagnoses found at it when it was written."""
    path = run / LOG_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise UserError(f"There is no log of a run at {path}; give the folder of a run.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text ({error}); restore the file.") from None
    for number, line in enumerate(lines, 1):
        try:
            values: dict[str, Any] = json.loads(line)
            clock = Clock(int(values["step"]) - 1, int(values["step"]), int(values.get("epoch", 1)))
            losses = {name: torch.tensor(each) for name, each in _floats(values["losses"]).items()}
            report = Report(clock, losses, _floats(values.get("rates", {})), _floats(values.get("signals", {})))
            findings = {name: str(each) for name, each in values.get("findings", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            if number < len(lines):  # a crash may cut the last one short
                raise UserError(f"Line {number} of {path} is no report; restore the file.") from None
            return
        yield report, findings


def _floats(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in values.items()}
