"""Shoes from the side: sneakers, high-tops, pumps, flats, loafers, ankle boots, tall boots and sandals.

A shoe is three units long: its heel at x = 0, its toe at 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import products
from .products import Build, Piece, Points, Product, area, bend, disc, line, smooth
from .sneakers import hightop, sneaker

STYLES = ("shoes",)
CHANNELS = products.CHANNELS


def _pump(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    return _court(1.12 + 0.26 * p[0], p, d, slim=d[0] < 0.65)


def _flat(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    pieces = _court(0.16, p, d, slim=False)
    x, y = 2.28, 0.56
    bow = [[(x, y), (x - 0.26, y + 0.20), (x - 0.30, y - 0.06)], [(x, y), (x + 0.26, y + 0.10), (x + 0.22, y - 0.16)]]
    return [*pieces, *(area(smooth(wing, 3), "deep") for wing in bow), disc(x, y, 0.07, 0.07, "dark")]


def _court(heel: float, p: Sequence[float], d: Sequence[float], slim: bool) -> list[Piece]:
    """A low-cut shoe whose heel is so high."""
    tip = 3.02 + 0.10 * p[1]
    vamp = 1.92 + 0.14 * p[2]
    raised = heel > 0.4
    # The sole under the foot: down from the heel through the arch to the ball.
    under: Points = [(0.10, heel), (0.52, 0.92 * heel), (1.05, 0.58 * heel + 0.02), (1.60, 0.18 * heel + 0.02), (2.05, 0.05),
                     (2.7, 0.04), (tip, 0.12)]  # fmt: skip
    back, shift = heel + 0.60, 0.04 if raised else 0.0
    inside: Points = [(0.10, back), (0.5, back - 0.06), (1.2, 0.5 * heel + 0.52), (vamp, 0.68), (vamp, 0.3), (0.3, heel + 0.1)]
    pieces = [area(bend(inside), "deep")]
    if raised and slim:
        pieces.append(area(bend([(0.06, heel + 0.06), (0.72, 0.82 * heel), (0.38, 0.66 * heel), (0.26, 0.3 * heel), (0.24, 0.0),
                                  (0.13, 0.0), (0.10, 0.5 * heel)], 3), "dark"))  # fmt: skip
        pieces.append(area([(0.12, 0.0), (0.25, 0.0), (0.25, 0.06), (0.12, 0.06)], "ink"))
    elif raised:
        pieces.append(area([(0.06, heel + 0.04), (0.5, heel + 0.04), (0.76, 0.86 * heel), (0.62, 0.0), (0.12, 0.0)], "dark"))
        pieces.append(area([(0.115, 0.0), (0.62, 0.0), (0.625, 0.07), (0.11, 0.07)], "ink"))
    else:
        pieces.append(area([(0.06, heel), (0.80, heel), (0.76, 0.0), (0.08, 0.0)], "ink"))
    topline: Points = [(tip - 0.02, 0.22), (2.74, 0.40), (2.36, 0.54), (vamp + 0.08, 0.60), (vamp - 0.14, 0.50),
                       (1.25, 0.44 * heel + 0.29), (0.75, 0.78 * heel + 0.27), (0.36, heel + 0.40), (0.16, back)]  # fmt: skip
    heel_back: Points = [(0.05, back - 0.02), (shift, heel + 0.32), (0.05, heel)]
    pieces.append(area(np.concatenate([bend(under), bend(topline), bend(heel_back)])))
    pieces.append(line(bend(under), 0.055, "ink"))
    pieces.append(area(smooth([(2.28, 0.40), (2.62, 0.31), (2.84, 0.21), (2.5, 0.26)], 3), "shine"))
    if raised and d[1] < 0.3:
        ankle = bend([(0.10, back - 0.04), (0.30, back + 0.16), (0.80, back + 0.20), (1.02, back + 0.04)])
        pieces += [line(ankle, 0.09), line(bend([(0.12, back - 0.06), (0.55, back - 0.12), (1.02, back + 0.04)]), 0.09),
                   disc(0.86, back - 0.02, 0.06, 0.06)]  # fmt: skip
    elif raised and d[1] < 0.5:
        pieces += [disc(vamp + 0.24, 0.50, 0.10, 0.07), disc(vamp + 0.24, 0.50, 0.05, 0.03, "dark")]
    return pieces


def _loafer(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    back, tongue = 0.98 + 0.06 * p[0], 1.02 + 0.08 * p[1]
    block = 0.24 + 0.06 * p[2]
    pieces = [area(bend([(0.14, back), (0.7, 0.92), (1.3, tongue - 0.06), (1.3, 0.5), (0.3, 0.5)]), "deep")]
    pieces.append(area([(0.02, block), (0.84, block), (0.80, 0.0), (0.05, 0.0)], "ink"))
    heel: Points = [(0.06, block), (0.02, 0.6), (0.06, back), (0.18, back + 0.02)]
    top: Points = [(0.55, 0.82), (0.95, 0.76), (1.22, 0.86), (1.36, tongue), (1.62, tongue - 0.04)]
    front: Points = [
        (1.98, 0.84),
        (2.4, 0.70),
        (2.8, 0.54),
        (3.02, 0.32),
        (3.0, 0.12),
        (2.4, 0.04),
        (1.6, 0.07),
        (0.8, block - 0.03),
    ]
    pieces.append(area(np.concatenate([bend(heel, 3), bend(top, 3), bend(front, 3)])))
    pieces.append(line(bend([(1.52, 0.62), (2.0, 0.66), (2.46, 0.56), (2.76, 0.42)]), 0.06, "deep"))
    pieces.append(
        area(bend([(1.20, 0.88), (1.60, 0.98), (1.92, 0.86), (1.86, 0.52), (1.72, 0.16), (1.34, 0.16), (1.28, 0.5)]), "dark")
    )
    if d[0] < 0.4:
        pieces.append(area([(1.52, 0.62), (1.80, 0.56), (1.80, 0.66), (1.54, 0.73)], "deep"))
    elif d[0] < 0.75:
        pieces += [
            line([(1.40, 0.64), (1.78, 0.60)], 0.11, "metal"),
            disc(1.40, 0.64, 0.085, 0.085),
            disc(1.78, 0.60, 0.085, 0.085),
        ]
    else:
        pieces += [area([(1.62, 0.74), (1.72, 0.74), (1.86, 0.42), (1.68, 0.38)], "deep"),
                   area([(1.76, 0.74), (1.84, 0.72), (2.06, 0.44), (1.90, 0.38)], "deep")]  # fmt: skip
    pieces.append(area(smooth([(2.30, 0.48), (2.62, 0.40), (2.82, 0.28), (2.5, 0.32)], 3), "shine"))
    pieces.append(
        line(bend([(0.04, block), (0.8, block - 0.02), (1.6, 0.08), (2.4, 0.05), (2.84, 0.06), (3.02, 0.14)]), 0.10, "ink")
    )
    return pieces


def _boot(top: float, p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    """A boot whose shaft ends so high."""
    heel = 0.34 + 0.10 * p[1]
    flare = 0.08 * (top - 1.6) + 0.04 * p[2]
    pieces = [area(smooth([(0.10 - flare, top), (0.62, top + 0.09), (1.16 + flare, top + 0.02), (0.62, top - 0.1)], 3), "deep")]
    back: Points = [(0.08, heel), (0.0, 0.62), (0.10, 1.1), (0.12, 1.5), (0.10 - flare, top)]
    shaft: Points = [
        (1.16 + flare, top + 0.02),
        (1.16, 1.62),
        (1.24, 1.26),
        (1.56, 0.98),
        (2.1, 0.80),
        (2.6, 0.64),
        (2.92, 0.40),
        (3.0, 0.16),
    ]
    arch: Points = [(2.8, 0.05), (2.4, 0.04), (1.6, 0.08), (0.9, heel - 0.03)]
    pieces.append(area(np.concatenate([bend(back), bend(shaft), np.array(arch)])))
    pieces.append(area([(0.05, heel), (0.92, heel), (0.80, 0.0), (0.08, 0.0)], "ink"))
    pieces.append(
        line(bend([(0.06, heel + 0.02), (0.9, heel), (1.6, 0.10), (2.4, 0.06), (2.84, 0.06), (3.02, 0.14)]), 0.12, "ink")
    )
    pieces.append(area(smooth([(1.86, 0.74), (2.34, 0.60), (2.66, 0.42), (2.2, 0.52)], 3), "shine"))
    return pieces


def _ankle(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    top = 2.0 + 0.16 * p[0]
    pieces = _boot(top, p, d)
    if d[0] < 0.5:
        # An elastic side and a loop to pull it on by.
        pieces.append(
            area(bend([(0.44, top - 0.02), (0.94, top), (0.88, 1.3), (0.72, 1.02), (0.54, 1.3)]), "ink" if d[1] < 0.6 else "deep")
        )
        pieces.append(line([(0.12, top - 0.12), (0.10, top + 0.16)], 0.10, "dark"))
    else:
        pieces.append(line(bend([(1.0, top), (1.02, 1.6), (1.12, 1.14), (1.5, 0.78)]), 0.05, "deep"))
        for x, y in ((1.14, top - 0.16), (1.13, 1.60), (1.18, 1.36), (1.34, 1.12), (1.56, 0.96)):
            pieces.append(line([(x - 0.14, y - 0.10), (x + 0.08, y + 0.01)], 0.07, "lace"))
    return pieces


def _tall(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    top = 3.15 + 0.30 * p[0]
    pieces = _boot(top, p, d)
    edge = 0.08 * (top - 1.6) + 0.04 * p[2]
    if d[0] < 0.6:
        y = top - 0.34
        pieces.append(area([(0.10 - edge, y), (1.16 + edge, y + 0.02), (1.16 + edge, y + 0.20), (0.10 - edge, y + 0.18)], "deep"))
        pieces += [area([(0.76, y - 0.03), (1.02, y - 0.03), (1.02, y + 0.24), (0.76, y + 0.24)], "metal"),
                   area([(0.82, y + 0.03), (0.96, y + 0.03), (0.96, y + 0.18), (0.82, y + 0.18)], "deep")]  # fmt: skip
    if d[1] < 0.6:
        pieces.append(line(bend([(0.02, 1.20), (0.5, 1.05), (1.0, 1.08), (1.34, 1.14)]), 0.12, "dark"))
        pieces.append(disc(0.55, 1.05, 0.10, 0.10))
    pieces.append(area(smooth([(0.86, 1.5), (0.96, 2.1), (0.94, top - 0.5), (0.80, 2.1)], 3), "light"))
    return pieces


def _sandal(p: Sequence[float], d: Sequence[float]) -> list[Piece]:
    wedge = d[0] < 0.55
    heel, fore = (0.80 + 0.18 * p[0], 0.24) if wedge else (0.30, 0.27)
    bed: Points = [(0.0, heel), (0.5, 0.94 * heel + 0.02), (1.2, 0.55 * heel + 0.45 * fore), (1.9, fore), (2.6, fore - 0.01),
                   (3.02, fore + 0.05)]  # fmt: skip
    floor: Points = [(3.04, fore - 0.04), (2.84, 0.03), (2.4, 0.0), (1.9, 0.0), (0.1, 0.0), (0.0, 0.12)]
    instep = 0.55 * heel + 0.45 * fore
    pieces = []
    if wedge:
        pieces.append(line(bend([(0.10, heel + 0.62), (0.40, heel + 0.86), (0.92, heel + 0.80)]), 0.15, "deep"))
    # The far ends of the bands show through the openings.
    pieces.append(area([(2.2, fore), (2.30, 0.64), (2.66, 0.50), (2.82, fore)], "deep"))
    pieces.append(area([(1.3, instep), (1.3, instep + 0.54), (1.66, 0.5 * instep + 0.54), (1.84, fore)], "deep"))
    pieces.append(area(np.concatenate([bend(bed), np.array(floor)]), "dark" if wedge and d[1] < 0.6 else "sole"))
    pieces.append(line([(0.06, 0.035), (2.4, 0.035), (2.86, 0.07)], 0.08, "ink"))
    pieces.append(line(bend(bed), 0.09, "deep"))
    toes: Points = [(1.96, fore - 0.03), (2.06, 0.66), (2.12, 0.72), (2.48, 0.61), (2.54, 0.54), (2.64, fore - 0.03)]
    top = 0.45 * instep + 0.58
    upper: Points = [
        (1.02, instep - 0.04),
        (1.08, instep + 0.52),
        (1.14, instep + 0.58),
        (1.50, top),
        (1.56, top - 0.07),
        (1.68, fore),
    ]
    pieces += [area(toes), area(upper, "dark" if d[2] < 0.5 else "body")]
    for x, y in ((1.34, instep + 0.26), (2.28, 0.46)):
        pieces += [area([(x - 0.13, y - 0.10), (x + 0.13, y - 0.10), (x + 0.13, y + 0.12), (x - 0.13, y + 0.12)], "metal"),
                   area([(x - 0.06, y - 0.04), (x + 0.06, y - 0.04), (x + 0.06, y + 0.06), (x - 0.06, y + 0.06)], "deep")]  # fmt: skip
    if wedge:
        pieces.append(area(bend([(-0.02, heel - 0.02), (-0.06, heel + 0.40), (0.04, heel + 0.74), (0.26, heel + 0.60),
                                  (0.44, heel + 0.30), (0.70, 0.86 * heel + 0.04)])))  # fmt: skip
        pieces.append(line(bend([(0.08, heel + 0.64), (0.50, heel + 0.56), (0.92, heel + 0.78)]), 0.16, "body"))
        pieces.append(disc(0.62, heel + 0.60, 0.09, 0.09))
    elif d[3] < 0.6:
        pieces.append(
            line(bend([(1.10, 0.84), (0.5, 0.86), (0.06, 0.80), (-0.02, 0.66), (0.5, 0.70), (1.10, 0.66)]), 0.10, "dark")
        )
    return pieces


#: In this order, because a scene's kind is drawn by its place.
KINDS: dict[str, Build] = {
    "sneaker": sneaker, "hightop": hightop, "pump": _pump, "flat": _flat, "loafer": _loafer, "ankle": _ankle, "tall": _tall,
    "sandal": _sandal,
}  # fmt: skip


def sample(rng: np.random.Generator, unseen: bool) -> Product:
    """Make up a shoe and its photograph."""
    return products.sample(rng, unseen, KINDS, tilt=0.06)


def draw(scene: Product, style: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    return products.draw(scene, KINDS[scene.kind], size)
