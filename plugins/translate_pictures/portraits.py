"""Backdrops of portraits: a plain wall, blurred lights, a room; and a night sky that is kept for ``unseen``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Colour, Floats, Layer, View, compose, gradient, mix, shade

SEEN = ("plain", "lights", "room")
UNSEEN = ("night",)

_PASTELS: tuple[Colour, ...] = (
    (178, 206, 222), (238, 208, 186), (196, 218, 190), (222, 204, 226), (240, 224, 178), (170, 196, 196), (230, 190, 190), (150, 170, 196),
)  # fmt: skip


@dataclass(frozen=True)
class Backdrop:
    """What is behind a person."""

    family: str
    sun: float
    wall: Colour
    accent: Colour
    spots: Floats  # (14, 4) of random numbers in 0…1


def sample_backdrop(rng: np.random.Generator, families: tuple[str, ...]) -> Backdrop:
    """Make up a backdrop of one of these families."""
    wall, accent = rng.choice(len(_PASTELS), 2, replace=False).tolist()
    family = families[int(rng.integers(len(families)))]
    return Backdrop(family, float(rng.choice((-1.0, 1.0))), _PASTELS[wall], _PASTELS[accent], rng.random((14, 4)))


def draw_backdrop(backdrop: Backdrop, view: View) -> Layer:
    """(H, W, 3) in 0…255."""
    rows, columns = view.rows(), view.columns()
    high, low = shade(backdrop.wall, 1.06), shade(backdrop.wall, 0.84)
    if backdrop.family == "night":
        high, low = (22, 28, 66), mix((70, 60, 116), backdrop.wall, 0.15)
    picture = np.repeat(gradient((0.0, 1.0), (high, low), rows)[:, None], view.width, axis=1)
    glow = np.exp(-(((rows - 0.3) / 0.5) ** 2))[:, None] * np.exp(-(((columns - 0.5 - 0.35 * backdrop.sun) / 0.45) ** 2))[None]
    strength, colour = (0.40, (255, 250, 236)) if backdrop.family != "night" else (0.25, (120, 120, 190))
    picture += (strength * glow)[..., None] * (np.array(colour, dtype=np.float32) - picture)
    if backdrop.family == "lights":
        for x, y, size, chance in backdrop.spots.tolist():
            r = 0.05 + 0.09 * size
            away = (((columns - (1.4 * x - 0.2)) / r) ** 2)[None] + (((rows - (1.1 * y - 0.05)) / r) ** 2)[:, None]
            spot = np.clip((1 - away) * 4, 0, 1) * (0.22 + 0.25 * chance)
            tone = mix(backdrop.accent, (255, 246, 214), chance)
            picture += spot[..., None] * (np.array(tone, dtype=np.float32) - picture)
        return picture
    if backdrop.family == "plain":
        return picture
    canvas = Canvas(view)
    (_room if backdrop.family == "room" else _night)(canvas, backdrop)
    return compose(picture, canvas.layer())


def _box(x0: float, y0: float, x1: float, y1: float) -> Floats:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _room(canvas: Canvas, backdrop: Backdrop) -> None:
    """A window on the side of the light, a picture and a shelf on the other."""
    left, right = canvas.view.left - 0.1, 1.1 - canvas.view.left
    side, wall, accent = backdrop.sun, backdrop.wall, backdrop.accent
    a, b, c, d = backdrop.spots[0].tolist()
    frame = mix(wall, (255, 252, 246), 0.75)
    x, y = 0.5 + side * (0.36 + 0.06 * a), 0.10 + 0.08 * b
    canvas.polygon(_box(x - 0.17, y - 0.02, x + 0.17, y + 0.44), frame)
    canvas.polygon(_box(x - 0.145, y, x + 0.145, y + 0.42), (186, 218, 236))
    canvas.polygon(_box(x - 0.145, y + 0.28, x + 0.145, y + 0.42), (150, 190, 150))
    canvas.polygon(_box(x - 0.012, y, x + 0.012, y + 0.42), frame)
    canvas.polygon(_box(x - 0.145, y + 0.20, x + 0.145, y + 0.22), frame)
    x, y = 0.5 - side * (0.38 + 0.05 * c), 0.14 + 0.1 * d
    canvas.polygon(_box(x - 0.13, y, x + 0.13, y + 0.22), shade(accent, 0.62))
    canvas.polygon(_box(x - 0.105, y + 0.025, x + 0.105, y + 0.195), accent)
    canvas.ellipse(x + 0.03, y + 0.09, 0.035, 0.035, mix(accent, (250, 220, 120), 0.8))
    canvas.polygon(np.array([(x - 0.105, y + 0.195), (x - 0.02, y + 0.10), (x + 0.105, y + 0.195)]), shade(accent, 0.78))
    canvas.polygon(_box(left, 0.80, right, 5.0), shade(mix(wall, accent, 0.4), 0.80))
    canvas.polygon(_box(left, 0.785, right, 0.805), frame)


def _night(canvas: Canvas, backdrop: Backdrop) -> None:
    """A moon, stars, and far houses with lit windows."""
    for x, y, size, _ in backdrop.spots.tolist():
        r = 0.004 + 0.006 * size
        canvas.ellipse(1.4 * x - 0.2, 0.75 * y, r, r, (236, 232, 210))
    canvas.ellipse(0.5 + 0.37 * backdrop.sun, 0.15, 0.075, 0.075, (246, 238, 206))
    for i, (a, b, _, d) in enumerate(backdrop.spots.tolist()):
        x, top = -0.5 + 0.155 * i, 0.56 + 0.2 * b
        canvas.polygon(_box(x, top, x + 0.13 + 0.04 * a, 5.0), (38 + round(10 * d), 38, 72))
        canvas.polygon(_box(x + 0.03, top + 0.05, x + 0.06, top + 0.09), (246, 206, 120))
        canvas.polygon(_box(x + 0.08, top + 0.13, x + 0.11, top + 0.17), (246, 206, 120))
