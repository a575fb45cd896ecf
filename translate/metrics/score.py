"""What a score is, and what it is computed of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from torch import Tensor

from translate.data.domain import Domain, Space
from translate.errors import RecipeError, UserError
from translate.metrics.features import FeatureExtractor, Seen, see

#: What a score may need of its evidence.
Need = Literal["pictures", "points", "inputs", "returned", "truth", "mask", "features", "logits"]

#: Why evidence may be without it.
REASONS: Mapping[str, str] = {
    "pictures": "it scores pictures, and these are points",
    "points": "it scores points, and these are pictures",
    "inputs": "the method makes samples from noise",
    "returned": "there is no way back",
    "truth": "nobody knows the true translations",
    "mask": "nobody knows which part must change",
    "features": "no feature extractor was named: --features NAME",
    "logits": "the feature extractor knows no classes",
}


@dataclass(frozen=True)
class Figure:
    """A score's value, with its interval and which way is better where these are known; ``note`` says what to beware of.

    Whatever ``float`` takes is a number here, such as a tensor of one value; RecipeError is raised for anything else.
    """

    value: float
    better: Literal["higher", "lower", ""] = ""
    low: float | None = None
    high: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            given: object = getattr(self, name)
            if not isinstance(given, int | float) and (given is not None or name == "value"):
                object.__setattr__(self, name, _number(name, given))


def _number(name: str, given: Any) -> float:
    try:
        return float(given)
    except (TypeError, ValueError, RuntimeError):
        raise RecipeError(f"A figure has the {name} {given!r:.80}, and must have one number") from None


@dataclass(frozen=True)
class Evidence:
    """What a method made, with what it is to be held against. Samples are float32 on the CPU: (N, C, H, W) in [-1, 1], or (N, D).

    For a translation, ``inputs`` are the N samples of the source that ``outputs`` were made of, ``returned`` what comes of taking them
    back, ``truth`` what they truly look like in the target, and ``mask``, (N, 1, H, W), is 1 where that differs. ``real`` are samples of
    the target domain, as many as there are and not those of the inputs.
    """

    target: Space
    domain: Domain
    outputs: Tensor
    real: Tensor
    source: Space | None = None
    inputs: Tensor | None = None
    returned: Tensor | None = None
    truth: Tensor | None = None
    mask: Tensor | None = None
    extractor: FeatureExtractor | None = None
    seed: int = 0
    _seen: dict[str, Seen] = field(default_factory=dict, repr=False, compare=False)

    @property
    def way(self) -> str:
        """``horse→zebra``, or the domain's name where samples are made from noise."""
        return self.target.name if self.source is None else f"{self.source.name}→{self.target.name}"

    def lacks(self, needs: Collection[Need]) -> list[Need]:
        """What of ``needs`` is not there, in the order of names. The extractor is asked only where logits are needed."""
        there = {"pictures" if self.target.is_picture else "points"}
        there |= {name for name in ("inputs", "returned", "truth", "mask") if getattr(self, name) is not None}
        if self.extractor is not None:
            there |= {"features"}
            if "logits" in needs and self.seen("real").logits is not None:
                there |= {"logits"}
        return sorted(set(needs) - there)

    def seen(self, which: Literal["outputs", "real", "inputs"]) -> Seen:
        """What the extractor sees in those samples; asked once. Raises UserError where there is no extractor or no such samples."""
        samples = getattr(self, which)
        if self.extractor is None or samples is None:
            raise UserError(f"There are no features of the {which}; name a feature extractor, and samples.")
        if which not in self._seen:
            self._seen[which] = see(self.extractor, samples)
        return self._seen[which]


class Score(ABC):
    """Figures of one kind, computed of :class:`Evidence`. Subclass it; it is a function of the evidence and of its seed alone."""

    #: What the evidence must have; where it lacks something, the score is left out, and the evaluation says why.
    needs: ClassVar[frozenset[Need]] = frozenset()

    def unfit(self, evidence: Evidence) -> str:
        """Why this score cannot be computed of ``evidence``, as part of a sentence; empty where it can. Asked after ``needs``."""
        return ""

    @abstractmethod
    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        """The figures by name: "KID", "round-trip error". The extractor's name is added to those that need features."""
