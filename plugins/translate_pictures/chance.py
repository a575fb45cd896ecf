"""Small draws of chance: numpy's ``choice`` takes longer than a shape takes to paint."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

import numpy as np


def pick(rng: np.random.Generator, weights: Sequence[float]) -> int:
    """A place in ``weights``, each as likely as its weight says."""
    steps = list(accumulate(weights))
    return min(bisect(steps, rng.random() * steps[-1]), len(steps) - 1)


def side(rng: np.random.Generator) -> float:
    """-1 or 1."""
    return 1.0 if rng.random() < 0.5 else -1.0
