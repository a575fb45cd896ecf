"""Shoes with laces and a sole of rubber."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .products import Piece, Points, area, bend, disc, line, smooth


def _laces(start: tuple[float, float], end: tuple[float, float], count: int, half: float) -> list[Piece]:
    """Short laces across the throat between two points."""
    pieces = []
    way = np.array(end) - np.array(start)
    across = np.array([-way[1], way[0]]) / np.hypot(*way) * half
    for k in range(count):
        middle = np.array(start) + way * (k + 0.5) / count
        slant = 0.25 * way / count
        pieces.append(line(np.stack([middle - across - slant, middle + 0.9 * across + slant]), 0.07, "lace"))
    return pieces


def _rubber(thick: float, toe: float = 0.12) -> list[Piece]:
    """The sole of a sports shoe with a line along it."""
    top = 0.12 + thick
    outline: Points = [(0.02, 0.06), (0.30, 0.0), (1.4, 0.02), (2.4, 0.0), (2.86, 0.05), (3.06, toe + 0.08), (3.05, top + 0.04), (2.7, top),
                       (1.4, top), (0.3, top + 0.02), (-0.02, top + 0.06), (-0.05, 0.5 * top)]  # fmt: skip
    groove = bend([(-0.02, 0.42 * top), (0.3, 0.36 * top), (1.5, 0.36 * top), (2.6, 0.36 * top), (3.02, 0.52 * top)])
    return [area(smooth(outline, 3), "sole"), line(groove, 0.05, "welt")]


def sneaker(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    """A running shoe."""
    collar, throat = 1.16 + 0.10 * p[0], 0.74 + 0.06 * p[1]
    thick = 0.19 + 0.06 * p[2]
    base = 0.14  # well inside of the sole, which is painted later
    pieces = [area(bend([(0.14, collar), (0.55, collar + 0.12), (1.0, collar + 0.1), (1.0, 0.7), (0.2, 0.7)]), "deep")]
    # The tongue stands up behind the laces.
    pieces.append(
        area(smooth([(0.88, collar - 0.1), (1.08, collar + 0.24), (1.28, collar + 0.20), (1.5, 0.95), (1.1, 0.7)], 3), "light")
    )
    heel: Points = [(0.06, base), (0.0, 0.55), (0.03, 0.9), (0.06, collar + 0.04), (0.16, collar + 0.06)]
    mouth: Points = [(0.32, collar - 0.10), (0.62, collar - 0.22), (0.90, collar - 0.14), (1.06, collar + 0.06)]
    front: Points = [(1.50, 0.92 + 0.5 * (throat - 0.74)), (1.98, throat), (2.45, 0.62), (2.82, 0.50), (3.0, 0.32), (3.0, base)]
    pieces.append(area(np.concatenate([bend([*heel, *mouth], 3), bend(front, 3)])))
    if d[0] < 0.5:
        toe = bend([(2.28, base), (2.32, 0.50), (2.50, 0.60)])
        pieces.append(area(np.concatenate([toe, bend([(2.62, 0.57), (2.84, 0.48), (3.0, 0.32), (3.0, base)])]), "dark"))
    counter = bend([(0.16, collar - 0.22), (0.42, 0.72), (0.62, 0.52), (0.72, base)])
    pieces.append(area(np.concatenate([bend([(0.06, base), (0.0, 0.55), (0.03, 0.9)]), counter]), "dark"))
    pieces.append(area(bend([(1.02, collar), (1.46, 0.88), (1.96, throat - 0.06), (1.98, throat - 0.20), (1.52, 0.60), (1.22, 0.62),
                              (0.98, collar - 0.22)]), "dark"))  # fmt: skip
    if d[1] < 0.4:
        for x in (0.92, 1.12, 1.32):
            pieces.append(area([(x, 0.62), (x + 0.1, 0.62), (x + 0.36, 0.2), (x + 0.24, 0.2)], "lace"))
    elif d[1] < 0.75:
        swing: Points = [(0.62, 0.60), (0.95, 0.36), (1.35, 0.36), (1.90, 0.56), (1.35, 0.50), (0.98, 0.50)]
        pieces.append(area(smooth(swing, 3), "lace"))
    pieces += _laces((1.10, collar - 0.05), (1.92, throat - 0.02), 4, 0.13)
    return pieces + _rubber(thick)


def hightop(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    """A canvas shoe that covers the ankle."""
    collar, base = 1.95 + 0.16 * p[0], 0.14
    pieces = [area([(0.16, collar), (1.04, collar + 0.06), (1.0, 1.4), (0.2, 1.4)], "deep")]
    pieces.append(
        area(smooth([(0.90, collar - 0.2), (1.02, collar + 0.20), (1.24, collar + 0.14), (1.42, 1.2), (1.1, 1.0)], 3), "light")
    )
    back: Points = [(0.06, base), (0.04, 0.7), (0.10, 1.2), (0.08, collar), (0.18, collar + 0.03)]
    front: Points = [
        (1.02, collar),
        (1.16, 1.50),
        (1.36, 1.08),
        (1.66, 0.82),
        (2.1, 0.66),
        (2.6, 0.60),
        (2.9, 0.46),
        (2.98, base),
    ]
    pieces.append(area(np.concatenate([bend(back, 3), bend(front, 3)])))
    toe = np.concatenate([bend([(2.22, base), (2.24, 0.52), (2.36, 0.64)]), bend([(2.6, 0.61), (2.9, 0.47), (3.0, base)])])
    pieces.append(area(toe, "sole"))
    pieces.append(
        area(bend([(0.06, base), (0.04, 0.7), (0.10, 1.2), (0.08, collar), (0.20, collar), (0.28, 1.2), (0.34, base)]), "dark")
    )
    pieces.append(line(bend([(0.93, collar - 0.05), (1.04, 1.46), (1.22, 0.98), (1.52, 0.68), (1.9, 0.54)]), 0.05, "deep"))
    if d[0] < 0.55:
        pieces += [disc(0.62, 1.32, 0.19, 0.19, "lace"), disc(0.62, 1.32, 0.10, 0.10, "dark")]
    for k, (x, y) in enumerate(((1.06, collar - 0.18), (1.10, 1.55), (1.20, 1.34), (1.34, 1.12), (1.52, 0.93), (1.76, 0.79))):
        pieces.append(line([(x - 0.10, y - 0.10), (x + 0.12, y + 0.02 + 0.01 * k)], 0.07, "lace"))
    return pieces + _rubber(0.17 + 0.03 * p[1], 0.08)
