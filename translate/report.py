"""What is told of a finished step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch

from translate.clock import Clock
from translate.doctor.diagnosis import Finding
from translate.trainer import Losses


@dataclass(frozen=True)
class Report:
    """A finished step: ``clock`` is the moment it was made at, ``rates`` the learning rate of each group.

    Where the report was due, ``signals`` tell how training goes, by name: "gradient/generators" is the norm of that group's gradient at
    this step, and the rest is what diagnoses measure; ``findings`` are what is wrong, by the diagnosis's name.
    """

    clock: Clock
    raw: Losses
    rates: Mapping[str, float]
    signals: Mapping[str, float] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """How many steps are finished."""
        return self.clock.step + 1

    @cached_property
    def losses(self) -> dict[str, float]:
        """The losses by "group/name". Reading them waits for the device."""
        values = torch.stack([loss.float() for loss in self.raw.values()]).tolist() if self.raw else []
        return dict(zip(self.raw, values, strict=True))
