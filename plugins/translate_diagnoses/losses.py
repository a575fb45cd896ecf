"""What losses and gradients tell by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import median

from translate import Diagnosis, Finding, Report, option


@dataclass(frozen=True)
class Patience:
    """How soon a diagnosis speaks."""

    reports: int = option(3, "reports in a row that must agree", least=1)


class Divergence(Diagnosis):
    """A loss grows beyond all that it was: the sides do not approach an equilibrium, and the run will end in infinities."""

    @dataclass(frozen=True)
    class Options(Patience):
        """What a user may choose."""

        factor: float = option(100.0, "how many times its median in the first reports, and 1, a loss must exceed", least=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def judge(self, history: Sequence[Report]) -> Finding | None:
        """The loss that has grown most, where one has grown beyond the bound in each of the last reports."""
        reports = self.options.reports
        if len(history) < 3 * reports:
            return None
        grown = {}
        for name in history[-1].losses:
            values = [abs(each.losses[name]) for each in history if isfinite(each.losses.get(name, nan))]
            usual = max(1.0, median(values[:reports]))
            if len(values) >= 3 * reports and min(values[-reports:]) > self.options.factor * usual:
                grown[name] = values[-1] / usual
        if not grown:
            return None
        worst = max(grown, key=lambda name: grown[name])
        return Finding(
            f"The loss '{worst}' is {grown[worst]:.0f} times what it was.",
            "The two sides diverge: lower the learning rates, or penalise the judge's gradient, as by --adversarial NAME:r1=1.",
        )


class VanishingGradient(Diagnosis):
    """The gradient of a group is nothing beside what it was: a sure discriminator leaves a saturated generator nothing to follow."""

    @dataclass(frozen=True)
    class Options(Patience):
        """What a user may choose."""

        share: float = option(1e-4, "share of its median so far that a gradient's norm must fall below", least=0, most=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def judge(self, history: Sequence[Report]) -> Finding | None:
        """The group whose gradient has vanished, where one has in each of the last reports."""
        reports = self.options.reports
        for name in (name for name in history[-1].signals if name.startswith("gradient/")):
            norms = [each.signals[name] for each in history if isfinite(each.signals.get(name, nan))]
            if len(norms) < 2 * reports:
                continue
            usual = median(norms[:-reports])
            if not usual:
                continue  # there never was one, and so none has vanished
            if max(norms[-reports:]) <= self.options.share * usual:
                return Finding(
                    f"The gradient of '{name.removeprefix('gradient/')}' has the norm {norms[-1]:.2g}, and {usual:.2g} was usual.",
                    "Its opponent is too sure: lower the other side's learning rate, or play a game that does not saturate, as by "
                    "--adversarial least-squares.",
                )
        return None
