"""Scores of single pictures: against the truth, against themselves after the round trip, against what they were made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import ClassVar

import torch
from torch import Tensor

from translate import Evidence, Figure, Score
from translate_scores.kernel import UNTRANSLATED


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
        figures = {"error to the truth": Figure(_apart(outputs, truth), "lower"), "PSNR": Figure(_psnr(outputs, truth), "higher")}
        if inputs.shape == truth.shape:
            figures["error of the inputs"] = Figure(_apart(inputs, truth), note=UNTRANSLATED)
            if evidence.mask is not None:
                changed = _apart_outside(outputs, inputs, evidence.mask)
                figures["change outside the object"] = Figure(changed, "lower")
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
        figures = {"diversity": _ratio(_spread(outputs), _spread(real), "all real pictures are the same")}
        if inputs is not None and inputs.shape == outputs.shape:
            figures["change"] = _ratio(_apart(outputs, inputs), _spread(inputs), "all inputs are the same")
        return figures


# Picture by picture: what is computed of all at once is as large as all of them, several times over.


def _apart(some: Tensor, others: Tensor) -> float:
    """The mean absolute difference."""
    return fmean(float((one - other).abs().mean(dtype=torch.float64)) for one, other in zip(some, others, strict=True))


def _spread(samples: Tensor) -> float:
    """The mean absolute difference between each sample and the one before it in the list, which for the first is the last."""
    return fmean([_apart(samples[1:], samples[:-1])] * (len(samples) - 1) + [_apart(samples[:1], samples[-1:])])


def _psnr(outputs: Tensor, truth: Tensor) -> float:
    squares = [float((one - other).square().mean(dtype=torch.float64)) for one, other in zip(outputs, truth, strict=True)]
    return fmean(10 * math.log10(4 / max(square, 1e-10)) for square in squares)


def _apart_outside(some: Tensor, others: Tensor, mask: Tensor) -> float:
    """The mean absolute difference where ``mask`` is 0; 0 where it is nowhere."""
    total = weight = 0.0
    for one, other, inside in zip(some, others, mask, strict=True):
        outside = (1 - inside).expand_as(one)
        total += float(((one - other).abs() * outside).sum(dtype=torch.float64))
        weight += float(outside.sum(dtype=torch.float64))
    return total / max(weight, 1.0)


def _ratio(one: float, other: float, nothing: str) -> Figure:
    """``one`` over ``other``; where that is 0, none, for the reason ``nothing``."""
    return Figure(one / other) if other else Figure(math.nan, note=nothing)
