"""Points around modes on a ring or a grid, as papers on mode collapse take them: whether a generator finds every mode can be counted.

The sizes are those of PacGAN (Lin et al. 2018, section 4.1): 8 modes on the unit circle with a standard deviation of 0.01, or
25 on a grid, 2 apart, with one of 0.05; 100,000 points for training.
"""

from __future__ import annotations

import hashlib
import math
import re
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from translate import Domain, UserError

#: First word of every seed; changing it changes every point.
SEED = 20171212

#: Points a split.
SPLITS = {"train": 100_000, "test": 10_000}

#: The standard deviation of each coordinate around its mode.
STDS = {"ring": 0.01, "grid": 0.05}

#: The most modes. On a ring of many more, a point could lie within 3 standard deviations of two; a grid of more is a slip of the key.
MOST = {"ring": 100, "grid": 10_000}


class Points(Domain):
    """Points from equally likely Gaussians: ``points:ring8``, ``points:grid25``, or any other number of modes; float32 (2,).

    ``points`` is (N, 2), ``modes`` (M, 2), both float32 and read-only; ``std`` is the standard deviation of each coordinate. The
    networks see the coordinates as they are: the window is that of values that need no scaling.
    """

    is_picture = False
    channels = 2
    dtype = "float32"
    window = (-1.0, 1.0)

    def __init__(self, name: str, split: str = "train") -> None:
        if split not in SPLITS:
            raise UserError(f"Points have no split '{split}'; they have {' and '.join(SPLITS)}.")
        shape, count = _parsed(name)
        self.name = name
        self.std = STDS[shape]
        self.modes = ring(count) if shape == "ring" else grid(count)
        generator = np.random.default_rng((SEED, list(STDS).index(shape), count, list(SPLITS).index(split)))
        nearby = self.modes[generator.integers(count, size=SPLITS[split])]
        self.points = (nearby + self.std * generator.standard_normal(nearby.shape)).astype(np.float32)
        # What is read is a view, and whoever changed it would change the data of everybody else.
        self.points.flags.writeable = self.modes.flags.writeable = False
        self.origin = f"{len(self)} points around {count} mode{'s' if count > 1 else ''}, drawn by the program"

    def __len__(self) -> int:
        return len(self.points)

    def read(self, index: int) -> NDArray[np.float32]:
        """(2,): x and y."""
        point: NDArray[np.float32] = self.points[index]
        return point

    def label(self, index: int) -> str:
        """Such as ``ring8-00017``."""
        return f"{self.name.partition(':')[2]}-{index:05d}"

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of all points."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.points.tobytes()).hexdigest()


def ring(count: int) -> NDArray[np.float32]:
    """(count, 2): equally far apart on the unit circle, the first at (1, 0)."""
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def grid(count: int) -> NDArray[np.float32]:
    """(count, 2): a square grid around the origin, 2 apart; ``grid(25)`` is {-4, -2, 0, 2, 4}²."""
    side = math.isqrt(count)
    steps = np.arange(1 - side, side, 2)
    return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)


def _parsed(name: str) -> tuple[str, int]:
    choice = name.partition(":")[2]
    match = re.fullmatch(r"(ring|grid)([1-9][0-9]{0,8})", choice)
    if match is None:
        nearest = get_close_matches(choice, ["ring8", "grid25"], n=1, cutoff=0.5)
        hint = f" Did you mean 'points:{nearest[0]}'?" if nearest else ""
        raise UserError(
            f"There are no points named '{name}'.{hint} There are points:ringN and, for square numbers, points:gridN, such as "
            f"points:ring8 and points:grid25."
        )
    shape, count = match[1], int(match[2])
    if count > MOST[shape]:
        raise UserError(f"'{name}' has too many modes; the most are {MOST[shape]}: 'points:{shape}{MOST[shape]}'.")
    if shape == "grid" and math.isqrt(count) ** 2 != count:
        raise UserError(
            f"'{name}' is no square grid, for {count} is no square number. Did you mean 'points:grid{_square(count)}'?"
        )
    return shape, count


def _square(count: int) -> int:
    """The square number nearest to ``count``."""
    return round(math.sqrt(count)) ** 2
