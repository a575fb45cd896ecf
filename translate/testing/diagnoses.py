"""Whether diagnoses keep their contract."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from translate.clock import Clock
from translate.doctor.diagnosis import Diagnosis, Finding
from translate.engine import Engine
from translate.hookspecs import DiagnosisFactory
from translate.options import Part
from translate.parts import build_part
from translate.randomness import seeded, uniform
from translate.report import Report
from translate.testing.common import CPU, NonConforming, blamed, check_options, no_plugins, part_of
from translate.testing.small import Painter, Translator, first_difference, small_engine, state_of

#: Reports of a run in which nothing goes wrong, and of how it then does.
HEALTHY, SICK = 200, 100


def check_diagnosis(factory: DiagnosisFactory, *, part: str = "") -> None:
    """Raise NonConforming unless ``factory`` makes diagnoses that keep the contract.

    In a run whose losses and gradients only fluctuate it finds nothing, from the first report on, also where signals or a side's losses are
    missing; where they then grow without bound, what it finds, if anything, is a Finding, the same again, and the same for one that is made
    anew, as when a run is resumed. What it measures of a run that translates, and of one that makes pictures from noise, are numbers, and
    the engine is left as it was. That it finds what it is made for is the author's own to test.
    """
    chosen = part_of(factory, part)
    what = f"Diagnosis '{chosen.name}'"
    check_options(factory, what)
    _check_healthy(_made(chosen, what), what)
    _check_sick(chosen, what)
    for method in (Painter, Translator):
        with small_engine(method, Engine, kept=False) as engine:
            engine.fit()
            _check_measured(_made(chosen, what), what, engine)


def _made(chosen: Part, what: str) -> Diagnosis:
    with blamed(what, "it must be made by factory(), or by factory(options)"):
        return build_part(no_plugins().diagnoses, chosen, Diagnosis)


def _check_healthy(diagnosis: Diagnosis, what: str) -> None:
    history: list[Report] = []
    for report in _reports(HEALTHY):
        history.append(report)
        finding = _judged(diagnosis, what, history)
        if finding is not None:
            raise NonConforming(
                f"{what} finds something at report {len(history)} of a run whose losses and gradients only fluctuate by half: {finding}; "
                f"wait for more reports, or look for more."
            )


def _check_sick(chosen: Part, what: str) -> None:
    diagnosis, history = _made(chosen, what), []
    for report in _reports(HEALTHY + SICK):
        history.append(report)
        finding = _judged(diagnosis, what, history)
    if _judged(diagnosis, what, history) != finding:
        raise NonConforming(
            f"{what} finds something else in the same reports when it is asked again; keep nothing of earlier questions."
        )
    if _judged(_made(chosen, what), what, history) != finding:
        raise NonConforming(
            f"{what}, made anew, finds something else in the same reports, as when a run is resumed; judge by the history that it is "
            f"given, and keep nothing of earlier questions."
        )


def _judged(diagnosis: Diagnosis, what: str, history: Sequence[Report]) -> Finding | None:
    with blamed(f"{what}, at report {len(history)} of a run,", "it must return None where it cannot tell"):
        finding = diagnosis.judge(tuple(history))
    if finding is not None and not (isinstance(finding, Finding) and finding.evidence.strip() and finding.advice.strip()):
        raise NonConforming(
            f"{what} returns {finding!r}; it must be None, or translate.Finding(evidence, advice), a sentence each."
        )
    return finding


def _reports(count: int) -> list[Report]:
    """Of a run in which both sides take turns at first, and learn together later; after ``HEALTHY`` reports everything grows."""
    chance = uniform(0, "reports", 0, count, 6)
    return [_report(step, 0.5 + chance[step] / 2) for step in range(count)]


def _report(step: int, levels: Sequence[float]) -> Report:
    growth = math.exp(max(0, step + 1 - HEALTHY) / 5)
    turns = step < HEALTHY // 2
    sides = {"generators": ("fool",), "discriminators": ("real", "fake")}
    losses: dict[str, Tensor] = {}
    signals: dict[str, float] = {}
    for number, (group, names) in enumerate(sides.items()):
        if turns and step % 2 != number:
            continue
        losses |= {f"{group}/{name}": torch.tensor(growth * levels[2 * number + index]) for index, name in enumerate(names)}
        if step % 10:
            signals[f"gradient/{group}"] = growth * levels[4 + number]
    return Report(Clock(step, HEALTHY + SICK), losses, dict.fromkeys(sides, 2e-4), signals)


def _check_measured(diagnosis: Diagnosis, what: str, engine: Engine) -> None:
    before, modes = state_of(engine), _modes(engine)
    with seeded(CPU, 0), blamed(f"Method 'measure' of {what}", "it must return signals by name, and none where it cannot tell"):
        signals = diagnosis.measure(engine)
    if not isinstance(signals, Mapping) or not all(
        isinstance(name, str) and isinstance(value, int | float) for name, value in signals.items()
    ):
        raise NonConforming(
            f"Method 'measure' of {what} returns {signals!r}; it must return numbers by name, such as float(tensor)."
        )
    changed = first_difference(before, state_of(engine))
    if changed or modes != _modes(engine):
        found = f"'{changed}' of the engine" if changed else "the mode of its networks"
        raise NonConforming(
            f"Method 'measure' of {what} changes {found}; leave the engine as it was: look under torch.no_grad(), in evaluation mode, and "
            f"set back the mode that was."
        )


def _modes(engine: Engine) -> list[bool]:
    return [each.training for each in engine.recipe.modules()]
