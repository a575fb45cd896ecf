"""Styles of hair, as outlines in face coordinates; a style is part of who someone is, its colour of how old they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .canvas import Floats, loop

Points = tuple[tuple[float, float], ...]

#: From the right temple over the crown to the left one.
_CROWN: Points = (
    (1.03, -0.02), (1.12, -0.50), (0.86, -1.10), (0.30, -1.34), (-0.30, -1.34), (-0.86, -1.10), (-1.12, -0.50), (-1.03, -0.02),
)  # fmt: skip


@dataclass(frozen=True)
class Hair:
    """One style; ``side`` (-1 or 1) is where its parting is."""

    line: Points
    back: tuple[Points, ...] = ()
    crown: Points = _CROWN
    #: Discs (x, y, radius) added in front or behind.
    curls: tuple[tuple[float, float, float], ...] = ()
    bearded: bool = False

    def behind(self, side: float) -> list[Floats]:
        """Outlines below the face."""
        return [loop(np.array(points) * np.array([side, 1.0]), 4) for points in self.back]

    def before(self, side: float) -> list[Floats]:
        """Outlines above the face: the hairline is the edge towards it."""
        cap = loop(np.array(self.crown + self.line), 4) * np.array([side, 1.0])
        return [cap, *(_disc(*curl) for curl in self.curls)]

    def shine(self, side: float) -> list[Floats]:
        """Lines that catch the light."""
        return [np.array([(-0.62, -0.98), (-0.30, -1.16), (0.12, -1.20)]) * np.array([side, 1.0])]


def _disc(x: float, y: float, radius: float) -> Floats:
    angle = np.arange(14) * np.pi / 7
    return np.stack([x + radius * np.cos(angle), y + 0.85 * radius * np.sin(angle)], axis=1)


_SPIKES: Points = (
    (1.03, -0.02), (1.14, -0.50), (1.10, -0.98), (0.78, -1.04), (0.72, -1.36), (0.36, -1.26), (0.14, -1.52), (-0.14, -1.28),
    (-0.46, -1.46), (-0.62, -1.14), (-1.0, -1.12), (-1.12, -0.5), (-1.03, -0.02),
)  # fmt: skip
_CURLS: tuple[tuple[float, float, float], ...] = (
    *((1.06 * math.cos(a), -0.28 - 0.98 * math.sin(a), 0.30) for a in np.linspace(-0.25, math.pi + 0.25, 12).tolist()),
    (-0.55, -0.78, 0.24), (-0.2, -0.90, 0.24), (0.2, -0.90, 0.24), (0.55, -0.78, 0.24),
)  # fmt: skip

HAIR: dict[str, Hair] = {
    "short": Hair(((-0.90, -0.36), (-0.66, -0.66), (0.0, -0.76), (0.66, -0.66), (0.90, -0.36)), bearded=True),
    "parted": Hair(((-0.90, -0.30), (-0.62, -0.50), (-0.1, -0.68), (0.42, -0.88), (0.80, -0.62), (0.92, -0.30)), bearded=True),
    "spiky": Hair(((-0.90, -0.36), (-0.6, -0.72), (-0.3, -0.60), (0.0, -0.76), (0.3, -0.60), (0.62, -0.74), (0.90, -0.36)),
                  crown=_SPIKES, bearded=True),
    "curly": Hair(((-0.90, -0.36), (-0.66, -0.70), (0.0, -0.80), (0.66, -0.70), (0.90, -0.36)), curls=_CURLS),
    "bob": Hair(
        ((-0.94, 0.30), (-0.86, -0.30), (-0.50, -0.52), (0.0, -0.50), (0.50, -0.52), (0.86, -0.30), (0.94, 0.30)),
        back=(((-1.22, 0.62), (-1.26, -0.4), (-0.86, -1.18), (0.0, -1.36), (0.86, -1.18), (1.26, -0.4), (1.22, 0.62),
               (0.8, 0.84), (-0.8, 0.84)),),
        crown=((1.22, 0.58), (1.24, -0.45), (0.88, -1.12), (0.3, -1.36), (-0.3, -1.36), (-0.88, -1.12), (-1.24, -0.45), (-1.22, 0.58)),
    ),
    "long": Hair(
        ((-0.92, -0.1), (-0.78, -0.48), (-0.2, -0.78), (0.22, -0.94), (0.62, -0.66), (0.88, -0.30), (0.93, -0.05)),
        back=(((-1.22, 1.5), (-1.30, 0.3), (-1.16, -0.7), (-0.6, -1.28), (0.0, -1.38), (0.6, -1.28), (1.16, -0.7), (1.30, 0.3),
               (1.22, 1.5), (0.7, 1.72), (-0.7, 1.72)),),
        crown=((1.08, 0.34), (1.18, -0.45), (0.86, -1.12), (0.3, -1.36), (-0.3, -1.36), (-0.86, -1.12), (-1.18, -0.45), (-1.08, 0.34)),
    ),
    "bun": Hair(
        ((-0.90, -0.28), (-0.66, -0.62), (-0.2, -0.82), (0.2, -0.82), (0.66, -0.62), (0.90, -0.28)), curls=((0.0, -1.46, 0.40),),
    ),
}  # fmt: skip
STYLES_OF_HAIR = tuple(HAIR)
