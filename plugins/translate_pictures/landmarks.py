"""What stands in a landscape in every season: conifers, trees that lose their leaves, houses, rocks and fences.

Each is painted with ``snow`` or with what summer puts in its place; whatever shows of it in both is the same in both.
"""

from __future__ import annotations

import math

import numpy as np

from .canvas import Canvas, Colour, Floats, mix, shade

SNOW: Colour = (246, 248, 252)
#: Snow that turns away from the light.
BLUE_SNOW: Colour = (204, 217, 236)

_BARK: Colour = (96, 74, 60)


def _filled(points: list[tuple[float, float]]) -> Floats:
    """An outline (16, 2): its last point stands as often as it takes, so that many outlines fit into one array."""
    return np.array(points + points[-1:] * (16 - len(points)))


_SIDE = [(0.0, 1.0), (0.18, 0.56), (0.09, 0.59), (0.26, 0.33), (0.13, 0.36), (0.34, 0.10), (0.04, 0.10), (0.04, 0.0)]
#: A conifer one high, the sun on its right: its outline, its sunny side, and the snow on its tiers.
_FIR = np.stack([_filled([*_SIDE, *((-x, y) for x, y in reversed(_SIDE))]), _filled([*_SIDE[:6], (0.03, 0.10)])])
_CAPS = np.stack([
    _filled([(0.0, top), (0.62 * half, low + 0.38 * (top - low)), (0.34 * half, low + 0.44 * (top - low)),
             (0.10 * half, low + 0.24 * (top - low)), (-0.22 * half, low + 0.44 * (top - low)), (-0.70 * half, low + 0.30 * (top - low))])
    for low, top, half in ((0.10, 0.50, 0.34), (0.33, 0.72, 0.26), (0.56, 1.0, 0.18))
])  # fmt: skip
_SNOWY_FIR = np.concatenate([_FIR, _CAPS])


def conifers(canvas: Canvas, feet: Floats, sizes: Floats, needles: Colour, sun: float, snow: bool) -> None:
    """Conifers that stand at ``feet`` (n, 2), ``sizes`` (n,) high, one behind the other."""
    outlines = _SNOWY_FIR if snow else _FIR
    placed = feet[:, None, None] + sizes[:, None, None, None] * outlines * np.array([sun, -1.0])
    colours = [needles, mix(needles, (190, 206, 130), 0.22), SNOW, SNOW, SNOW][: len(outlines)]
    canvas.polygons(placed.reshape(-1, 16, 2), colours * len(feet))


#: Trunk and branches: from, to, and how thick at either end, in a tree one high.
_LIMBS = np.array([
    (0.0, 0.0, 0.0, 0.52, 0.085, 0.05), (0.0, 0.36, -0.24, 0.66, 0.045, 0.022), (0.0, 0.42, 0.26, 0.68, 0.045, 0.022),
    (0.0, 0.50, -0.07, 0.86, 0.042, 0.014), (0.0, 0.50, 0.11, 0.90, 0.040, 0.014), (-0.12, 0.51, -0.37, 0.58, 0.026, 0.012),
    (-0.15, 0.55, -0.17, 0.79, 0.024, 0.010), (0.14, 0.56, 0.39, 0.61, 0.026, 0.012), (0.17, 0.60, 0.19, 0.82, 0.024, 0.010),
    (-0.04, 0.70, -0.18, 0.92, 0.022, 0.010), (0.06, 0.74, 0.22, 0.96, 0.022, 0.010), (-0.24, 0.66, -0.34, 0.78, 0.022, 0.010),
    (0.26, 0.68, 0.37, 0.80, 0.022, 0.010),
])  # fmt: skip
#: Puffs of leaves: place, radius, and 0 for shaded, 1 for plain, 2 for sunlit ones; sun on the right.
_LEAVES = ((-0.24, 0.58, 0.21, 0), (0.24, 0.58, 0.21, 0), (0.0, 0.56, 0.20, 0), (-0.18, 0.76, 0.20, 1), (0.17, 0.76, 0.21, 1),
           (0.0, 0.86, 0.17, 1), (0.02, 0.70, 0.20, 1), (0.12, 0.84, 0.12, 2), (0.25, 0.68, 0.12, 2))  # fmt: skip


def _limbs() -> tuple[Floats, Floats]:
    """(M, 4, 2): the outlines of trunk and branches, and of the snow on those that are not too steep."""
    start, end, thick = _LIMBS[:, :2], _LIMBS[:, 2:4], _LIMBS[:, 4:, None] / 2
    way = end - start
    across = np.stack([-way[:, 1], way[:, 0]], axis=1) / np.hypot(*way.T)[:, None]
    across *= np.sign(across[:, 1:] + 1e-9)
    wood = np.stack(
        [start + across * thick[:, 0], end + across * thick[:, 1], end - across * thick[:, 1], start - across * thick[:, 0]],
        axis=1,
    )
    lying = np.abs(way[:, 0]) > 0.3 * np.abs(way[:, 1])
    above = wood[:, :2] + 0.6 * across[:, None] * thick + np.array([0.0, 0.006])
    return wood, np.concatenate([above, wood[:, 1::-1]], axis=1)[lying]


_WOOD, _SNOW_ON_WOOD = _limbs()


def leafy_tree(canvas: Canvas, foot: Floats, size: float, wide: float, leaves: Colour, sun: float, snow: bool) -> None:
    """A tree ``size`` high with its foot at (2,), green in summer and bare in winter."""
    scale = np.array([size * wide * sun, -size])
    canvas.polygons(foot + _WOOD * scale, [_BARK] * len(_WOOD))
    if snow:
        canvas.polygons(foot + _SNOW_ON_WOOD * scale, [SNOW] * len(_SNOW_ON_WOOD))
        return
    tones = (shade(leaves, 0.80), leaves, mix(shade(leaves, 1.16), (240, 230, 150), 0.14))
    for x, y, r, tone in _LEAVES:
        cx, cy = (foot + np.array([x, y]) * scale).tolist()
        canvas.ellipse(cx, cy, r * size * wide, 0.9 * r * size, tones[tone])


def rock(canvas: Canvas, foot: Floats, size: float, chance: float, sun: float, snow: bool) -> None:
    """A boulder twice as wide as it is high."""
    scale = np.array([size * sun, -size])
    tall = 0.8 + 0.5 * chance
    outline = np.array(
        [(-1.0, 0.0), (-0.92, 0.45 * tall), (-0.4, 0.86 * tall), (0.25, 0.95 * tall), (0.8, 0.55 * tall), (1.05, 0.0)]
    )
    grey = mix((116, 116, 122), (150, 138, 124), chance)
    canvas.polygon(foot + outline * scale, shade(grey, 0.78))
    light = np.array([(-0.1, 0.0), (-0.25, 0.5 * tall), (0.25, 0.95 * tall), (0.8, 0.55 * tall), (1.05, 0.0)])
    canvas.polygon(foot + light * scale, grey)
    if snow:
        cap = np.array([(-0.95, 0.40 * tall), (-0.4, 0.92 * tall), (0.25, 1.06 * tall), (0.86, 0.58 * tall), (0.5, 0.62 * tall),
                        (0.2, 0.52 * tall), (-0.2, 0.66 * tall), (-0.6, 0.44 * tall)])  # fmt: skip
        canvas.polygon(foot + cap * scale, SNOW)


_WALLS: tuple[Colour, ...] = ((214, 192, 158), (176, 84, 68), (150, 116, 84), (196, 196, 192))
_ROOFS: tuple[Colour, ...] = ((150, 74, 56), (96, 84, 88), (122, 92, 66))


def house(canvas: Canvas, foot: Floats, size: float, chance: tuple[float, float], sun: float, snow: bool) -> None:
    """A house ``size`` high, its gable turned to the light; ``chance`` picks walls and roof."""
    wall, roof = _WALLS[int(chance[0] * 3.99)], _ROOFS[int(chance[1] * 2.99)]
    scale = np.array([size * sun, -size])

    def fill(points: list[tuple[float, float]], colour: Colour) -> None:
        canvas.polygon(foot + np.array(points) * scale, colour)

    def box(x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        fill([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    box(-0.46, 0.72, -0.30, 1.10, (132, 96, 84))
    box(-0.85, 0.0, 0.25, 0.55, shade(wall, 0.80))
    fill([(0.20, 0.0), (0.85, 0.0), (0.85, 0.52), (0.52, 0.96), (0.20, 0.52)], wall)
    fill([(-0.95, 0.48), (0.16, 0.48), (0.53, 1.02), (-0.62, 1.02)], roof if not snow else BLUE_SNOW)
    if snow:
        fill([(-0.90, 0.56), (0.22, 0.56), (0.53, 1.05), (-0.62, 1.05)], SNOW)
        box(-0.49, 1.10, -0.27, 1.17, SNOW)
    # The near edge of the roof, with its own snow.
    fill([(0.12, 0.45), (0.20, 0.44), (0.53, 0.94), (0.88, 0.44), (0.96, 0.48), (0.53, 1.06)], shade(roof, 0.8))
    if snow:
        fill([(0.12, 0.50), (0.53, 1.01), (0.96, 0.50), (0.53, 1.13)], SNOW)
    box(0.44, 0.0, 0.62, 0.34, (92, 66, 52))
    for x in (-0.68, -0.22):
        box(x - 0.02, 0.16, x + 0.24, 0.40, (236, 232, 222))
        box(x, 0.18, x + 0.22, 0.38, (250, 218, 140))
    if snow:
        fill([(-1.05, -0.03), (1.0, -0.03), (0.88, 0.05), (0.30, 0.02), (-0.3, 0.06), (-0.9, 0.07)], SNOW)


def fence(canvas: Canvas, y: float, size: float, snow: bool) -> None:
    """A fence of wood right across the picture, ``size`` high."""
    wood: Colour = (134, 104, 78)
    left = canvas.view.left - 0.02

    def rail(low: float, high: float, colour: Colour) -> None:
        low, high = y - low * size, y - high * size
        canvas.polygon(np.array([(left, low), (1 - left, low), (1 - left, high), (left, high)]), colour)

    for low in (0.30, 0.66):
        rail(low, low + 0.12, shade(wood, 0.86))
        if snow:
            rail(low + 0.12, low + 0.20, SNOW)
    x = np.arange(math.ceil((left - 0.5) / 0.105), math.floor((0.5 - left) / 0.105) + 1) * 0.105 + 0.5
    posts = np.stack([x, np.full(len(x), y)], axis=1)[:, None]
    half = 0.09 * size
    shape = np.array([(-half, 0.0), (half, 0.0), (half, -0.94 * size), (0.0, -1.05 * size), (-half, -0.94 * size)])
    canvas.polygons(posts + shape, [wood] * len(posts))
    if snow:
        cap = np.array(
            [(-1.3 * half, -0.92 * size), (1.3 * half, -0.92 * size), (0.6 * half, -1.14 * size), (-0.6 * half, -1.14 * size)]
        )
        canvas.polygons(posts + cap, [SNOW] * len(posts))
