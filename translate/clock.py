"""Where a run stands, and the curves that follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Where a run stands before a step.

    ``step`` counts the finished steps, from 0, out of ``total``. ``epoch`` counts from 1, out of ``epochs``; ``epochs`` is 0 where
    the length of the run was given in steps. Where a run was made longer or shorter on its way, curves begin anew after ``anchor`` laps;
    or, with a clock ``before``, they fall from where they stood at that moment.
    """

    step: int
    total: int
    epoch: int = 1
    epochs: int = 0
    anchor: int = 0
    before: Clock | None = None

    @property
    def lap(self) -> tuple[int, int]:
        """``(e, n)``: this is the e-th of n laps, counted from 1. A lap is an epoch, or a step where the run is given in steps.

        Laps before the ``anchor`` are not counted.
        """
        lap, laps = (self.epoch, self.epochs) if self.epochs else (self.step + 1, self.total)
        return lap - self.anchor, laps - self.anchor


#: A learning-rate curve: the factor on the plan's rate at a moment of the run.
Schedule = Callable[[Clock], float]


def factor(schedule: Schedule, clock: Clock) -> float:
    """What ``schedule`` says at this moment; where the run is annealed, a straight line from what it said before to 0 after the end."""
    if clock.before is None:
        return schedule(clock)
    lap, laps = clock.lap
    return factor(schedule, clock.before) * (1 - lap / (laps + 1))


def constant(clock: Clock) -> float:
    """1 throughout."""
    return 1.0


@dataclass(frozen=True)
class LinearDecay:
    """1 for the first ``start`` of the laps, then a straight line that would reach 0 one lap after the end.

    With 200 epochs and ``start=0.5``: 1 - max(0, e - 100) / 101, so the last epoch trains at 1/101 of the rate. This is the curve of
    the public PyTorch code of CycleGAN, stepped at the end of each epoch.
    """

    start: float = 0.5

    def __call__(self, clock: Clock) -> float:
        """The factor for this moment, in (0, 1]."""
        lap, laps = clock.lap
        flat = round(laps * self.start)
        return 1 - max(0, lap - flat) / (laps - flat + 1)
