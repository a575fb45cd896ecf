"""What a diagnosis is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from translate.engine import Engine
    from translate.report import Report


@dataclass(frozen=True)
class Finding:
    """That something goes wrong: what was seen, and what to do, a sentence each."""

    evidence: str
    advice: str


class Diagnosis(ABC):
    """One way for training to fail, told from the reports of a run. Subclass it.

    ``measure`` may look at the engine when a report is due; what it gives is logged, so that ``judge`` comes to the same findings when a
    run is looked at afterwards. It must leave the engine as it was: networks, modes and random state.
    """

    def measure(self, engine: Engine) -> Mapping[str, float]:
        """Signals of this moment by name, "identity/horse"; a NaN stands for what cannot be told. Cheap: it is a part of training."""
        return {}

    @abstractmethod
    def judge(self, history: Sequence[Report]) -> Finding | None:
        """What is wrong at the last report of ``history``, which holds those of the run so far, or None."""
