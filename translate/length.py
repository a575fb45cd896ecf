"""How long a run is, and what happens to its curves where that changes after its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translate.clock import Clock


@dataclass(frozen=True)
class Length:
    """``steps``, or ``epochs``: the length that holds from ``step`` on, at which ``consumed`` samples of each domain had been used.

    From there, learning-rate curves begin anew over what is left; or, with ``anneal``, they fall from where they stood to the end.
    """

    steps: int | None
    epochs: int | None
    step: int = 0
    consumed: int = 0
    anneal: bool = False

    def plain(self) -> dict[str, Any]:
        """For TOML."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Length:
        """Read what ``plain`` wrote. Raises TypeError."""
        return cls(**{"steps": None, "epochs": None, **values})


@dataclass(frozen=True)
class Measure:
    """What an epoch and a step are, in samples of each domain."""

    epoch: int
    step: int

    def total(self, length: Length) -> int:
        """The number of steps of a run of that length."""
        if length.steps is not None:
            return length.steps
        return max(1, -(-(length.epochs or 1) * self.epoch // self.step))

    def clock(self, lengths: Sequence[Length], step: int, consumed: int) -> Clock:
        """Where a run of these ``lengths``, in the order in which they came to hold, stands after ``step`` steps."""
        holding = [length for length in lengths if length.step <= step] or lengths[:1]
        length = holding[-1]
        before = self.clock(holding[:-1], length.step, length.consumed) if length.anneal else None
        epochs = length.epochs or 0
        epoch = consumed // self.epoch + 1
        anchor = length.consumed // self.epoch if epochs else length.step
        return Clock(step, self.total(length), min(epoch, epochs or epoch), epochs, anchor, before)
