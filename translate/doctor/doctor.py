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
from translate.errors import UserError, listed
from translate.isolation import Guard
from translate.options import Part
from translate.parts import build_part, owners
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
        self._owners = {str(part): next(iter(owners(plugins.diagnoses, part)), "") for part in chosen}
        if len(self._owners) < len(chosen):
            raise UserError(
                f"A diagnosis is asked for twice: {listed(map(str, chosen))}; give each another class, or other options."
            )
        #: The plugins that a run rests on by having asked for them by name.
        self.asked: Collection[str] = set() if everybody else {owner for owner in self._owners.values() if owner}
        self.diagnoses: dict[str, Diagnosis] = {}
        for part in chosen:
            if everybody:
                with self.guard.asking(self._owners[str(part)], f"to make the diagnosis '{part}'"):
                    self.diagnoses[str(part)] = build_part(plugins.diagnoses, part, Diagnosis)
            else:
                self.diagnoses[str(part)] = build_part(plugins.diagnoses, part, Diagnosis)
        self.history: list[Report] = []

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


def look_back(plugins: Plugins, run: Path, parts: Sequence[Part]) -> Iterator[Spell]:
    """What the diagnoses find in the log of the run in the folder ``run``, in the order in which it began."""
    doctor = Doctor(plugins, parts)
    open_spells: dict[str, Spell] = {}
    spells: list[Spell] = []
    for report in read_log(run):
        findings = doctor.judge(report)
        for name, finding in findings.items():
            known = open_spells.get(name)
            first, said = (known.first, known.finding) if known else (report.step, finding)
            open_spells[name] = Spell(name, said, first, report.step)
        for name in [name for name in open_spells if name not in findings]:
            spells.append(open_spells.pop(name))
    yield from sorted([*spells, *open_spells.values()], key=lambda spell: (spell.first, spell.name))


def read_log(run: Path) -> Iterator[Report]:
    """The reports in the log of a run. Raises UserError where there is none, or a line is none."""
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
        except (ValueError, KeyError, TypeError, AttributeError):
            if number < len(lines):  # a crash may cut the last one short
                raise UserError(f"Line {number} of {path} is no report; restore the file.") from None
            return
        yield report


def _floats(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in values.items()}
