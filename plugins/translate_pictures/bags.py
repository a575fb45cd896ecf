"""Bags from the front: totes, satchels, clutches, buckets, hobos, bowling bags and crossbodies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import products
from .canvas import Floats
from .products import Build, Piece, Points, Product, area, bend, disc, line, smooth

STYLES = ("bags",)
CHANNELS = products.CHANNELS

_MIRROR = np.array([-1.0, 1.0])


def _both(points: Points) -> Floats:
    """An outline (2N, 2) from its right half, from the floor up."""
    right = np.array(points)
    return np.concatenate([right, right[::-1] * _MIRROR])


def _rounded(x0: float, y0: float, x1: float, y1: float, r: float) -> Floats:
    """A box (16, 2) with round corners."""
    turn = np.linspace(0, np.pi / 2, 4)
    corner = np.stack([np.cos(turn), np.sin(turn)], axis=1) * r
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    parts = []
    for x, y in ((x1 - r, y1 - r), (x0 + r, y1 - r), (x0 + r, y0 + r), (x1 - r, y0 + r)):
        parts.append(corner + np.array([x, y]))
        corner = corner @ quarter
    return np.concatenate(parts)


def _arch(half: float, foot: float, top: float, square: float = 0.75) -> Floats:
    """A handle (M, 2) that rises from (±half, foot) to ``top``; the nearer ``square`` is to 1, the more it is a box."""
    rise = top - foot
    right = [(half, foot), (half * 0.98, foot + 0.5 * rise), (half * square, foot + 0.88 * rise)]
    return bend([*right, (0.0, top), *((-x, y) for x, y in reversed(right))], 5)


def _sheen(x: float, low: float, high: float) -> Piece:
    """A soft upright reflection."""
    return area(smooth([(x, low), (x + 0.07, (low + high) / 2), (x + 0.02, high), (x - 0.06, (low + high) / 2)], 3), "light")


def _buckle(x: float, y: float, size: float) -> list[Piece]:
    """A metal frame with a strap through it."""
    outer, inner = _rounded(x - size, y - size, x + size, y + size, 0.3 * size), 0.55 * size
    return [area(outer, "metal"), area(_rounded(x - inner, y - inner, x + inner, y + inner, 0.1), "deep"),
            line([(x, y - size), (x, y + 0.3 * size)], 0.25 * size, "glint")]  # fmt: skip


def _tote(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    high, foot, mouth = 1.45 + 0.22 * p[0], 0.78 + 0.08 * p[1], 0.95 + 0.08 * p[2]
    half, reach, width = 0.40 + 0.06 * p[3], high + 0.62 + 0.2 * p[4], 0.085 + 0.015 * p[5]
    pieces = [line(_arch(half - 0.03, high - 0.05, reach + 0.07), width, "deep")]
    pieces.append(area(_both([(foot - 0.05, 0.0), (foot, 0.05), (mouth, high)])))
    if d[0] < 0.35:
        pieces.append(area(_both([(foot - 0.05, 0.0), (foot, 0.05), (foot + 0.30 * (mouth - foot), 0.30 * high)]), "dark"))
    elif d[0] < 0.6:
        pieces.append(area(_rounded(-0.5, 0.22, 0.5, 0.85, 0.08), "dark"))
        pieces.append(line([(-0.44, 0.78), (0.44, 0.78)], 0.03, "deep"))
    pieces.append(_sheen(-0.62, 0.35, high - 0.3))
    pieces.append(area([(mouth - 0.02, high - 0.12), (mouth, high), (-mouth, high), (-mouth + 0.02, high - 0.12)], "dark"))
    pieces.append(line(_arch(half, high - 0.30, reach), width))
    for x in (-half, half):
        pieces.append(area(_rounded(x - 0.085, high - 0.36, x + 0.085, high - 0.12, 0.04), "deep"))
        pieces.append(disc(x, high - 0.25, 0.042, 0.042))
    if d[1] < 0.4:
        pieces.append(area(_rounded(-0.13, high - 0.62, 0.13, high - 0.44, 0.04), "metal"))
    return pieces


def _satchel(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    high, half = 1.28 + 0.14 * p[0], 1.0
    flap, strap = high * (0.40 + 0.07 * p[1]), 0.46 + 0.07 * p[2]
    pieces = [line(_arch(0.34, high - 0.03, high + 0.32 + 0.1 * p[3], 0.9), 0.10, "deep")]
    pieces.append(area(_rounded(-half, 0.0, half, high, 0.16), "dark"))
    pieces.append(area(_rounded(-0.82, 0.13, 0.82, 0.55, 0.09), "body"))
    pieces.append(line([(-0.82, 0.30), (0.82, 0.30)], 0.03, "deep"))
    bow = 0.10 + 0.08 * d[0]
    edge = bend([(1.03, high - 0.14), (1.0, flap + bow), (0.80, flap), (0.0, flap - bow), (-0.80, flap), (-1.0, flap + bow),
                           (-1.03, high - 0.14)], 4)  # fmt: skip
    top: Points = [(-0.98, high - 0.05), (-0.90, high + 0.02), (0.90, high + 0.02), (0.98, high - 0.05)]
    pieces.append(area(np.concatenate([edge + np.array([0.0, -0.05]), top]), "deep"))
    pieces.append(area(np.concatenate([edge, top])))
    pieces.append(area(smooth([(-0.85, high - 0.12), (-0.1, high - 0.08), (0.1, high - 0.13), (-0.85, high - 0.22)], 3), "light"))
    if d[1] < 0.7:
        for x in (-strap, strap):
            pieces.append(area(_rounded(x - 0.10, 0.20, x + 0.10, high + 0.02, 0.05), "deep"))
            pieces.extend(_buckle(x, flap - 0.10, 0.135))
    else:
        pieces.append(area(_rounded(-0.13, flap - 0.30, 0.13, flap + 0.16, 0.05), "deep"))
        pieces.append(disc(0.0, flap - 0.14, 0.085, 0.085))
    return pieces


def _clutch(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    high, point = 1.12 + 0.14 * p[0], 0.36 + 0.12 * p[1]
    pieces = []
    if d[0] < 0.45:
        wrist: Points = [(0.93, high - 0.2), (1.18, high - 0.05), (1.32, 0.62), (1.20, 0.32), (1.08, 0.55), (1.0, high - 0.28)]
        pieces.append(line(bend(wrist, 5), 0.06))
        pieces.append(disc(0.97, high - 0.2, 0.06, 0.06))
    pieces.append(area(_rounded(-1.0, 0.0, 1.0, high, 0.10), "dark"))
    pieces.append(line([(-0.93, 0.07), (0.93, 0.07)], 0.025, "deep"))
    if d[1] < 0.6:
        corner = 0.10 + 0.06 * d[2]
        flap: Points = [(1.0, high - 0.08), (corner, point + 0.05), (0.0, point), (-corner, point + 0.05), (-1.0, high - 0.08),
                        (-0.93, high), (0.93, high)]  # fmt: skip
        catch = point + 0.13
    else:
        flap = [(1.0, 0.55 * high), (-1.0, 0.55 * high), (-1.0, high - 0.08), (-0.93, high), (0.93, high), (1.0, high - 0.08)]
        catch = 0.55 * high
    under = np.array(flap) + np.array([0.0, -0.05])
    pieces += [area(under, "deep"), area(flap)]
    pieces.append(area([(-0.86, high - 0.05), (0.20, high - 0.05), (0.02, high - 0.15), (-0.72, high - 0.15)], "light"))
    if d[3] < 0.6:
        pieces += [disc(0.0, catch, 0.105, 0.105), disc(-0.02, catch + 0.025, 0.045, 0.045, "glint")]
    else:
        pieces += [area(_rounded(-0.17, catch - 0.07, 0.17, catch + 0.07, 0.05), "metal")]
    return pieces


def _bucket(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    high, foot, mouth = 1.42 + 0.15 * p[0], 0.66 + 0.07 * p[1], 0.80 + 0.07 * p[2]
    cord = high - 0.30
    top = high + 0.95 + 0.2 * p[3]
    right = [(mouth - 0.07, high - 0.2), (0.66 * mouth, high + 0.42), (0.26, top - 0.12)]
    pieces = [line(bend([*right, (0.0, top), *((-x, y) for x, y in reversed(right))], 5), 0.07, "deep")]
    # The far rim, then the near one in folds.
    pieces.append(area(bend(_both([(mouth, high - 0.2), (mouth, high - 0.04), (0.5 * mouth, high + 0.07)]), 4), "deep"))
    waves = np.linspace(-1, 1, 25)
    rim = np.stack([waves * mouth, high - 0.06 + 0.045 * np.cos(waves * 5 * np.pi)], axis=1)
    base = np.array([(-foot, 0.10), (-0.55 * foot, 0.0), (0.55 * foot, 0.0), (foot, 0.10)])
    pieces.append(area(np.concatenate([rim[::-1], base])))
    for k in range(5):
        x = (-0.8 + 0.4 * k) * mouth
        pieces.append(area([(x - 0.05, high - 0.05), (x + 0.05, high - 0.05), (0.93 * x, cord - 0.42)], "dark"))
    pieces.append(_sheen(-0.5 * foot, 0.30, 0.95))
    pieces.append(area([(-foot, 0.10), (-foot - 0.03, 0.32), (foot + 0.03, 0.32), (foot, 0.10), (0.55 * foot, 0.0), (-0.55 * foot, 0.0)],
                       "dark"))  # fmt: skip
    side = mouth - 0.035
    pieces.append(line(bend([(-side, cord + 0.05), (0.0, cord - 0.02), (side, cord + 0.05)], 5), 0.05, "ink"))
    for x, low in ((-0.14, 0.30), (0.12, 0.42)):
        pieces.append(line([(0.0, cord), (x, cord - low)], 0.045, "ink"))
        pieces.append(area([(x - 0.03, cord - low), (x + 0.03, cord - low), (x + 0.06, cord - low - 0.16), (x - 0.06, cord - low - 0.16)],
                           "ink" if d[0] < 0.5 else "deep"))  # fmt: skip
    for x in (-mouth + 0.07, mouth - 0.07):
        pieces.append(disc(x, high - 0.17, 0.055, 0.055))
    return pieces


def _hobo(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    horn, sag, dip = 1.12 + 0.12 * p[0], 0.10 * p[1], 0.78 + 0.10 * p[2]
    top = horn + 0.75 + 0.22 * p[3]
    pieces = [line(_arch(0.90, horn - 0.02, top, 0.70), 0.13 + 0.02 * p[4], "dark")]
    outer = [(0.40, 0.0), (0.82, 0.16 + sag), (1.0, 0.60), (0.99, horn)]
    inner = [(0.80, horn - 0.05), (0.48, dip + 0.06)]
    outline = np.array(
        [*outer, *inner, (0.0, dip), *((-x, y) for x, y in reversed(inner)), *((-x, y) for x, y in reversed(outer))]
    )
    pieces.append(area(smooth(outline, 4)))
    fold = bend([(-0.86, horn - 0.28), (-0.50, dip - 0.22), (0.0, dip - 0.28), (0.50, dip - 0.22), (0.86, horn - 0.28)], 4)
    pieces.append(area(smooth([(-0.78, 0.62), (-0.60, 0.42), (-0.30, 0.34), (-0.52, 0.56)], 4), "light"))
    if d[0] < 0.6:
        pieces.append(line(fold + np.array([0.0, 0.10]), 0.04, "metal" if d[1] < 0.5 else "ink"))
        pieces.append(area(_rounded(0.42, dip - 0.34, 0.50, dip - 0.12, 0.03), "metal"))
    else:
        pieces.append(line(fold, 0.05, "deep"))
        pieces.append(area(_rounded(-0.11, dip - 0.42, 0.11, dip + 0.02, 0.06), "dark"))
        pieces.append(disc(0.0, dip - 0.32, 0.055, 0.055))
    for x in (-0.90, 0.90):
        pieces.append(disc(x, horn - 0.03, 0.11, 0.11))
        pieces.append(disc(x, horn - 0.03, 0.055, 0.055, "dark"))
    return pieces


def _bowling(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    high, shoulder = 1.18 + 0.12 * p[0], 0.78 + 0.08 * p[1]
    half, reach = 0.42 + 0.05 * p[2], high + 0.42 + 0.14 * p[3]
    right: Points = [(0.90, 0.0), (0.98, 0.05), (1.0, 0.18), (0.99, 0.55), (0.92, shoulder), (0.66, high - 0.08), (0.30, high)]
    outline = bend(_both(right), 4)
    pieces = [line(_arch(half - 0.04, high - 0.15, reach + 0.06), 0.08, "deep"), area(outline)]
    zipper = bend([(0.88, shoulder - 0.10), (0.62, high - 0.20), (0.28, high - 0.12), (-0.28, high - 0.12),
                             (-0.62, high - 0.20), (-0.88, shoulder - 0.10)], 4)  # fmt: skip
    pieces.append(line(zipper, 0.035, "ink" if d[0] < 0.5 else "metal"))
    pieces.append(area(smooth([(-0.86, 0.30), (-0.78, 0.72), (-0.70, 0.74), (-0.76, 0.30)], 3), "light"))
    if d[1] < 0.5:
        corner: Points = [(1.0, 0.42), (0.80, 0.36), (0.66, 0.18), (0.64, 0.0), (0.90, 0.0), (0.98, 0.05), (1.0, 0.18)]
        pieces += [area(corner, "deep"), area(np.array(corner) * _MIRROR, "deep")]
    else:
        pieces.append(area(_both([(0.90, 0.0), (0.98, 0.05), (1.0, 0.18), (1.0, 0.28)]), "dark"))
    for x in (-half, half):
        pieces.append(
            area([(x - 0.09, high - 0.36), (x + 0.09, high - 0.36), (x + 0.09, 0.34), (x, 0.24), (x - 0.09, 0.34)], "dark")
        )
        pieces.append(disc(x, high - 0.36, 0.075, 0.075))
    pieces.append(line(_arch(half, high - 0.36, reach), 0.085, "dark"))
    return pieces


def _crossbody(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    high, half = 0.98 + 0.12 * p[0], 0.74 + 0.06 * p[1]
    top = high + 1.10 + 0.22 * p[2]
    strap = bend([(half - 0.06, high - 0.16), (half + 0.02, high + 0.40), (0.45 + 0.1 * p[3], top - 0.12), (0.0, top),
                            (-0.55, top - 0.18), (-half - 0.02, high + 0.40), (-half + 0.06, high - 0.16)], 5)  # fmt: skip
    pieces = [line(strap, 0.055, "dark" if d[0] < 0.6 else "metal")]
    pieces.append(area(_rounded(-half, 0.0, half, high, 0.18 + 0.08 * d[1])))
    pieces.append(line([(-half + 0.16, high - 0.13), (half - 0.16, high - 0.13)], 0.035, "ink"))
    pieces.append(area(_rounded(-half + 0.10, 0.10, half - 0.10, high - 0.30, 0.14), "dark"))
    pieces.append(area(_rounded(-half + 0.13, 0.13, half - 0.13, high - 0.34, 0.12), "body"))
    pieces.append(
        area([(-half + 0.22, high - 0.42), (-0.05, high - 0.42), (-0.20, high - 0.50), (-half + 0.22, high - 0.50)], "light")
    )
    for x in (-half + 0.06, half - 0.06):
        pieces.append(disc(x, high - 0.14, 0.06, 0.06))
    if d[2] < 0.5:
        x, y = half - 0.16, high - 0.14
        pieces += [line([(x, y), (x + 0.02, y - 0.22)], 0.03, "deep"),
                   area([(x - 0.02, y - 0.20), (x + 0.06, y - 0.20), (x + 0.12, y - 0.56), (x - 0.08, y - 0.56)], "deep")]  # fmt: skip
    else:
        pieces += [area(_rounded(-0.13, 0.30, 0.13, 0.44, 0.05), "metal")]
    return pieces


#: In this order, because a scene's kind is drawn by its place.
KINDS: dict[str, Build] = {
    "tote": _tote, "satchel": _satchel, "clutch": _clutch, "bucket": _bucket, "hobo": _hobo, "bowling": _bowling,
    "crossbody": _crossbody,
}  # fmt: skip


def sample(rng: np.random.Generator, unseen: bool) -> Product:
    """Make up a bag and its photograph."""
    return products.sample(rng, unseen, KINDS, tilt=0.09)


def draw(scene: Product, style: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    return products.draw(scene, KINDS[scene.kind], size)
