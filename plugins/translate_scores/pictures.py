"""Scores of single pictures: against the truth, against themselves after the round trip, against what they were made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from translate import Evidence, Figure, Score


class TrueError(Score):
    """How far translations are from what is truly there, where that is known; pictures are in [-1, 1].

    The mean absolute error, beside that of the input left as it is, and the mean over pictures of the peak signal-to-noise ratio in
    decibels. Where it is known which part must change, what changed outside of it as well.
    """

    needs: ClassVar = frozenset({"pictures", "inputs", "truth"})

    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        """The errors."""
        outputs, truth, inputs = evidence.outputs, evidence.truth, evidence.inputs
        assert truth is not None
        assert inputs is not None
        squares = (outputs - truth).square().flatten(1).mean(1)
        figures = {
            "error to the truth": Figure(_apart(outputs, truth), "lower"),
            "PSNR": Figure(float((10 * (4 / squares.clamp(min=1e-10)).log10()).mean()), "higher"),
        }
        if inputs.shape == truth.shape:
            figures["error of the inputs"] = Figure(_apart(inputs, truth))
            if evidence.mask is not None:
                outside = (1 - evidence.mask).expand_as(outputs)
                changed = ((outputs - inputs).abs() * outside).sum() / outside.sum().clamp(min=1)
                figures["change outside the object"] = Figure(float(changed), "lower")
        return figures


class RoundTrip(Score):
    """The mean absolute difference between inputs and what comes of translating them there and back; pictures are in [-1, 1]."""

    needs: ClassVar = frozenset({"inputs", "returned"})

    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        """The difference."""
        assert evidence.inputs is not None
        assert evidence.returned is not None
        return {"round-trip error": Figure(_apart(evidence.returned, evidence.inputs), "lower")}


class Change(Score):
    """Whether translations differ from their inputs, and from each other, at all.

    The change is the mean absolute difference between input and output over that between different inputs: at 0 the method has learned
    the identity. The diversity is the mean absolute difference between outputs over that between real pictures: at 0 it always gives the
    same one. Pairs are of neighbours in the list.
    """

    needs: ClassVar = frozenset({"pictures"})

    def unfit(self, evidence: Evidence) -> str:
        """Two samples a side make a pair."""
        return "it takes at least two samples a side" if min(len(evidence.outputs), len(evidence.real)) < 2 else ""

    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        """Change and diversity."""
        outputs, real, inputs = evidence.outputs, evidence.real, evidence.inputs
        figures = {"diversity": Figure(_ratio(_apart(outputs, outputs.roll(1, 0)), _apart(real, real.roll(1, 0))))}
        if inputs is not None and inputs.shape == outputs.shape:
            figures["change"] = Figure(_ratio(_apart(outputs, inputs), _apart(inputs, inputs.roll(1, 0))))
        return figures


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().mean(dtype=torch.float64))


def _ratio(one: float, other: float) -> float:
    return one / other if other else math.nan
