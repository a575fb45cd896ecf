"""Digits as a pen would write them: strokes with varied shape, slant and thickness, bright on dark, one channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Floats, View, curve, finish

STYLES = ("digits",)
CHANNELS = 1

Stroke = tuple[tuple[float, float], ...]

#: Ways to write each digit: strokes through points, in a box from -1 to 1 down and about -0.6 to 0.6 across.
FORMS: tuple[tuple[tuple[Stroke, ...], ...], ...] = (
    ((((0.05, -1), (-0.45, -0.75), (-0.6, 0), (-0.42, 0.75), (0, 1), (0.42, 0.75), (0.6, 0), (0.45, -0.75), (0.05, -1)),),),
    ((((0.0, -1), (0.0, 0.0), (0.0, 1)),), (((-0.35, -0.65), (-0.1, -0.8), (0.05, -1)), ((0.05, -1), (0.05, 0), (0.05, 1)))),
    (
        (((-0.5, -0.62), (-0.2, -0.96), (0.3, -0.92), (0.5, -0.5), (0.2, 0.1), (-0.55, 0.95)), ((-0.55, 0.95), (0, 0.93), (0.6, 0.95))),
        (((-0.5, -0.7), (0, -1), (0.45, -0.7), (0.3, -0.05), (-0.3, 0.75), (-0.5, 0.8), (-0.4, 0.6), (0.05, 0.85), (0.6, 0.85)),),
    ),
    ((((-0.5, -0.75), (0, -1), (0.45, -0.7), (0.32, -0.2), (-0.1, -0.05)),
      ((-0.1, -0.05), (0.4, 0.1), (0.55, 0.5), (0.2, 0.92), (-0.3, 0.95), (-0.58, 0.7))),),
    (
        (((-0.1, -1), (-0.35, -0.3), (-0.6, 0.25)), ((-0.6, 0.25), (0, 0.22), (0.65, 0.25)), ((0.3, -0.45), (0.28, 0.3), (0.25, 1))),
        (((0.25, -1), (-0.2, -0.35), (-0.62, 0.3)), ((-0.62, 0.3), (0, 0.28), (0.6, 0.3)), ((0.25, -1), (0.25, 0), (0.25, 1))),
    ),
    (
        (((0.5, -0.95), (0, -0.95), (-0.42, -0.93)), ((-0.42, -0.93), (-0.45, -0.55), (-0.48, -0.15)),
         ((-0.48, -0.15), (0, -0.32), (0.48, 0.0), (0.5, 0.5), (0.15, 0.92), (-0.25, 0.96), (-0.55, 0.75))),
    ),
    ((((0.35, -0.95), (-0.15, -0.65), (-0.5, 0.0), (-0.5, 0.6), (-0.1, 0.97), (0.38, 0.8), (0.5, 0.4), (0.2, 0.05),
       (-0.2, 0.1), (-0.48, 0.42)),),),
    (
        (((-0.55, -0.92), (0, -0.93), (0.55, -0.95)), ((0.55, -0.95), (0.15, -0.1), (-0.15, 1))),
        (((-0.55, -0.9), (0, -0.92), (0.55, -0.95)), ((0.55, -0.95), (0.15, -0.1), (-0.15, 1)), ((-0.2, 0.05), (0.1, 0.05), (0.4, 0.02))),
    ),
    ((((0.35, -0.8), (0, -1), (-0.42, -0.75), (-0.3, -0.3), (0.15, 0.05), (0.5, 0.5), (0.3, 0.9), (-0.1, 1), (-0.48, 0.7), (-0.35, 0.25),
       (0.15, -0.1), (0.45, -0.55), (0.3, -0.85)),),),
    ((((0.45, -0.6), (0.1, -0.98), (-0.35, -0.85), (-0.5, -0.4), (-0.2, -0.05), (0.25, -0.15), (0.45, -0.6)),
      ((0.45, -0.6), (0.4, 0.2), (0.2, 1))),),
)  # fmt: skip


@dataclass(frozen=True)
class Digit:
    """One digit, its strokes already slanted and in their place (N, 2), in unit coordinates."""

    value: int
    strokes: tuple[Floats, ...]
    thickness: float
    ink: float
    #: Grey of the ground at the left and right border: 0 but in ``unseen``.
    ground: tuple[float, float]


def sample(rng: np.random.Generator, unseen: bool) -> Digit:
    """Make up a digit."""
    value = int(rng.integers(10))
    forms = FORMS[value]
    form = forms[int(rng.integers(len(forms)))]
    slant, turn = rng.uniform(-0.1, 0.35), rng.uniform(-0.15, 0.15)
    size = np.array([rng.uniform(0.27, 0.36), rng.uniform(0.28, 0.34)])
    shear = np.array([[1.0, 0.0], [-slant, 1.0]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = 0.5 + rng.uniform(-0.035, 0.035, 2)
    strokes = []
    for stroke in form:
        points = np.array(stroke, dtype=np.float64)
        wobble = rng.normal(0, 0.045, points.shape)
        if stroke is not form[0] and np.allclose(stroke[0], form[0][-1]):
            wobble[0] = 0
        strokes.append(curve(((points + wobble) @ shear @ rotation) * size + middle, 8))
    ground = (float(rng.uniform(0.12, 0.42)), float(rng.uniform(0.12, 0.42)))
    thickness, ink = float(rng.uniform(0.06, 0.12)), float(rng.uniform(0.88, 1.0))
    return Digit(value, tuple(strokes), thickness, ink, ground if unseen else (0.0, 0.0))


def draw(scene: Digit, style: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 1)."""
    view = View(*size)
    canvas = Canvas(view)
    for stroke in scene.strokes:
        canvas.line(stroke, scene.thickness, (255, 255, 255))
    ink = canvas.layer()[..., 3:] / 255
    ground = 255 * np.interp(view.columns(), (0, 1), scene.ground).astype(np.float32)[None, :, None]
    return finish(ground + ink * (255 * np.float32(scene.ink) - ground))
