"""The kernel distance between two sets of features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from translate import Evidence, Figure, Score, option

#: A bootstrap of fewer samples is none.
FEW = 5
#: The interval holds this share of the bootstrap's figures.
SHARE = 0.95
#: Beside a figure of the inputs as they are.
UNTRANSLATED = "of the pictures as they are: a translation should be below"


class KernelDistance(Score):
    """KID: the squared maximum mean discrepancy of features under the kernel (x·y/D + 1)³ (Bińkowski et al., 2018).

    The unbiased estimate over the full sets, which may be below 0, with a bootstrap interval over the made samples and the real ones.
    Beside it, for translations, that of the inputs as they are: a translation that does not come closer than they do has failed.
    """

    needs: ClassVar = frozenset({"features"})

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        rounds: int = option(200, "rounds of the bootstrap", least=2)

    def __init__(self, options: Options) -> None:
        self.options = options

    def unfit(self, evidence: Evidence) -> str:
        """Two samples a side are the least that an unbiased estimate takes."""
        return "it takes at least two samples a side" if min(len(evidence.outputs), len(evidence.real)) < 2 else ""

    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        """KID of the outputs, and of the inputs where they can be seen by the same extractor."""
        real = evidence.seen("real").features
        figures = {"KID": self._figure(evidence.seen("outputs").features, real, evidence.seed)}
        comparable = evidence.source is not None and evidence.source.channels == evidence.target.channels
        if comparable and evidence.inputs is not None and len(evidence.inputs) > 1:
            untranslated = self._figure(evidence.seen("inputs").features, real, evidence.seed)
            note = f"{UNTRANSLATED}; {untranslated.note}" if untranslated.note else UNTRANSLATED
            figures["KID of the inputs"] = replace(untranslated, better="", note=note)
        return figures

    def _figure(self, made: Tensor, real: Tensor, seed: int) -> Figure:
        made, real = made.double(), real.double()
        within, others, between = (_kernel(*pair) for pair in ((made, made), (real, real), (made, real)))
        value = _distance(within, others, between, torch.ones(len(made)).double(), torch.ones(len(real)).double())
        if min(len(made), len(real)) < FEW:
            return Figure(value, "lower", note=f"of fewer than {FEW} samples a side, too few for an interval")
        draws = np.random.default_rng(seed)
        rounds = []
        for _ in range(self.options.rounds):
            rows = _counts(draws, len(made))
            columns = _counts(draws, len(real))
            rounds.append(_distance(within, others, between, rows, columns))
        low, high = np.quantile(rounds, [(1 - SHARE) / 2, (1 + SHARE) / 2])
        return Figure(value, "lower", float(low), float(high))


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _counts(draws: np.random.Generator, number: int) -> Tensor:
    """How often each of ``number`` samples is drawn, with replacement, in as many draws; at least two of them are."""
    while True:
        counts = np.bincount(draws.integers(number, size=number), minlength=number)
        if counts.max() < number:  # copies of one sample are no pair
            return torch.from_numpy(counts).double()


def _distance(within: Tensor, others: Tensor, between: Tensor, rows: Tensor, columns: Tensor) -> float:
    """The unbiased estimate where each sample counts so often; a sample is never paired with itself, nor with its copies."""

    def mean(kernel: Tensor, counts: Tensor) -> Tensor:
        pairs = counts.sum() ** 2 - counts.square().sum()
        return (counts @ kernel @ counts - counts.square() @ kernel.diagonal()) / pairs

    crossed = rows @ between @ columns / (rows.sum() * columns.sum())
    return float(mean(within, rows) + mean(others, columns) - 2 * crossed)
