"""The country of summer and winter, from its mountains to the flowers at one's feet.

Whatever a season adds, leaves or snow, is painted over what both share, in the same order; so what neither covers is equal in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Colour, Floats, curve, loop, mix, normals, shade
from .landmarks import BLUE_SNOW, SNOW, conifers, fence, house, leafy_tree, rock
from .scenery import ridges, tufts


@dataclass(frozen=True)
class Country:
    """One kind of country: its rock, its summer meadows from far to near, and its mountains."""

    rock: Colour
    meadow: tuple[Colour, Colour, Colour]
    forest: tuple[Colour, Colour]
    #: Height of the mountains as a share of the short side, and how jagged they are in 0…1.
    relief: float
    jagged: float
    #: Down to which height there is snow in summer and in winter: about 0…1 from the foot of the mountains to their tops.
    snow: tuple[float, float]
    #: Whether the mountains are tables: flat, with steep sides and layers.
    table: bool = False


COUNTRIES = {
    "alps": Country((122, 130, 148), ((150, 190, 112), (122, 174, 86), (94, 150, 66)), ((96, 142, 102), (104, 156, 88)), 0.27, 0.85,
                    (0.78, 0.46)),
    "hills": Country((128, 146, 150), ((164, 196, 104), (136, 180, 80), (106, 156, 60)), ((112, 158, 104), (122, 170, 88)), 0.15, 0.15,
                     (9.0, 0.42)),
    "highland": Country((136, 126, 134), ((156, 186, 118), (132, 168, 96), (104, 142, 74)), ((120, 150, 116), (116, 154, 96)), 0.20, 0.5,
                        (9.0, 0.48)),
    "mesas": Country((182, 106, 78), ((190, 184, 100), (164, 170, 82), (132, 150, 66)), ((166, 140, 92), (160, 160, 88)), 0.30, 0.1,
                     (9.0, 0.62), table=True),
}  # fmt: skip
#: Mesas are drawn for ``unseen`` alone.
SEEN = ("alps", "hills", "highland")
UNSEEN = ("mesas",)


@dataclass(frozen=True)
class Landscape:
    """One scene; everything about it but the season. Arrays hold random numbers in 0…1 where nothing else is said."""

    family: str
    #: -1 where the sun is on the left, 1 on the right.
    sun: float
    horizon: float
    #: Factors of all greens.
    cast: tuple[float, float, float]
    #: Which of its skies each season shows.
    skies: tuple[int, int]
    water: str  # none, lake or river
    house: bool
    fence: bool
    waves: Floats  # (4 lines, 4 waves, 2): height and phase
    clouds: Floats  # (n, 3): x, y, size
    puffs: Floats  # (n, 6, 3)
    woods: Floats  # (26, 3) small conifers on the hills: x, size, random number
    trees: Floats  # (n, 4): x, depth, size, random number
    rocks: Floats  # (n, 4): x, depth, size, random number
    tufts: Floats  # (60, 4): x, depth, size, random number
    details: tuple[float, ...]  # (8,)
    grain: NDArray[np.float32]  # (n, n) about 0


#: Points of all lines of the land: the same whatever the picture's size, so that peaks stay peaks.
_X = np.linspace(-1, 2, 145)
_HAZE: Colour = (204, 214, 222)


def paint_land(canvas: Canvas, scene: Landscape, snow: bool) -> None:
    """Everything below the sky, from far to near."""
    country = COUNTRIES[scene.family]
    lines = ridges(_X, scene.waves, np.array([country.jagged, 0.1, 0.0, 0.0]))
    _mountains(canvas, scene, country, lines[0], snow)
    _hills(canvas, scene, country, lines, snow)
    meadow = (
        [BLUE_SNOW, mix(BLUE_SNOW, SNOW, 0.45), mix(BLUE_SNOW, SNOW, 0.8)] if snow else [_cast(c, scene) for c in country.meadow]
    )
    for k, (depth, wave) in enumerate(((0.010, 0.02), (0.155, 0.05), (0.34, 0.09))):
        y = scene.horizon + depth + wave * (lines[(1, 3, 2)[k]] - 0.5)
        # A brighter crest lets the rise be seen.
        _below(canvas, y, SNOW if snow else shade(meadow[k], 1.09), float(y.max()) + 0.06)
        _below(canvas, y + 0.012 + 0.02 * k, meadow[k], scene.horizon + 0.45 if k < 2 else 2 - canvas.view.top)
        if k == 0 and scene.water == "lake":
            _lake(canvas, scene, snow)
    if scene.water == "river":
        _river(canvas, scene, snow)
    _grass(canvas, scene, country, snow)
    _landmarks(canvas, scene, snow)
    if scene.fence:
        fence(canvas, 0.955 + 0.02 * scene.details[4], 0.105, snow)


def _cast(colour: Colour, scene: Landscape) -> Colour:
    r, g, b = (min(255, round(value * factor)) for value, factor in zip(colour, scene.cast, strict=True))
    return r, g, b


def _below(canvas: Canvas, y: Floats, colour: Colour, low: float) -> None:
    """Fill everything from the line ``y`` (145,) down to ``low``, where something else is to cover it."""
    left = canvas.view.left - 0.05
    first, last = np.searchsorted(_X, (left, 1 - left)).tolist()
    first, last = max(first - 1, 0), min(last + 1, len(_X))
    corners = [(2 - left, y[last - 1]), (2 - left, low), (left - 1, low), (left - 1, y[first])]
    canvas.polygon(np.concatenate([np.stack([_X[first:last], y[first:last]], axis=1), corners]), colour)


def _in_view(canvas: Canvas, x: Floats, margin: float) -> NDArray[np.bool_]:
    """Whether each place (n,) is in the picture, or so near that what stands there may be."""
    return np.abs(x - 0.5) < 0.5 - canvas.view.left + margin


def _mountains(canvas: Canvas, scene: Landscape, country: Country, height: Floats, snow: bool) -> None:
    base = scene.horizon + 0.012
    if country.table:
        height = 0.12 * height + 0.72 * np.clip((height - 0.46) * 7, 0, 1)
    else:
        height = 0.5 + (1 + 0.7 * country.jagged) * (height - 0.5)
    y = base - country.relief * (0.18 + np.clip(height, 0, 1.3))
    rock = mix(country.rock, _HAZE, 0.28)
    dark = shade(rock, 0.84)
    _below(canvas, y, rock, base + 0.04)
    if country.table:
        for level, tone in ((0.74, 0.88), (0.58, 1.05), (0.42, 0.86), (0.28, 0.96)):
            _below(canvas, np.maximum(y, base - country.relief * level), shade(rock, tone), base + 0.04)
    snowline = base - country.relief * (0.18 + country.snow[snow])
    teeth = np.abs((_X * 9.3 + scene.details[0]) % 1 - 0.5) + np.abs((_X * 14.9 + scene.details[1]) % 1 - 0.5)
    low = np.where(y < snowline, y + (snowline - y) * (0.45 + teeth) * 0.9 + 0.004, y)
    _snow_between(canvas, y, low, slice(None), SNOW)
    if country.jagged < 0.4:
        return
    # Each peak has a side in shadow, and there its snow is blue.
    inner = y[1:-1]
    peaks = 1 + np.flatnonzero((inner < y[:-2]) & (inner <= y[2:]))
    step = -int(scene.sun)
    for peak in peaks.tolist():
        end = peak
        while 0 < end < len(y) - 1 and y[end + step] > y[end]:
            end += step
        if abs(end - peak) < 3 or not _in_view(canvas, _X[[peak, end]], 0.05).any():
            continue
        width, drop = _X[end] - _X[peak], base - y[peak]
        ridge = np.stack([_X[peak:end:step], y[peak:end:step]], axis=1)
        edge = np.array([(0.55, 1.0), (0.22, 0.72), (0.26, 0.46), (0.05, 0.22)]) * np.array([width, drop]) + ridge[0]
        canvas.polygon(np.concatenate([ridge, edge]), dark)
        side = slice(min(peak, end), max(peak, end) + 1)
        _snow_between(canvas, y, low, side, BLUE_SNOW)


def _snow_between(canvas: Canvas, high: Floats, low: Floats, where: slice, colour: Colour) -> None:
    """Fill each stretch in which ``low`` lies below ``high``; y of both (145,)."""
    x, high, low = _X[where], high[where], low[where]
    covered = np.flatnonzero(low > high)
    for run in np.split(covered, np.flatnonzero(np.diff(covered) > 1) + 1):
        if len(run) > 1:
            upper, lower = np.stack([x[run], high[run]], axis=1), np.stack([x[run], low[run]], axis=1)
            canvas.polygon(np.concatenate([upper, lower[::-1]]), colour)


def _hills(canvas: Canvas, scene: Landscape, country: Country, lines: Floats, snow: bool) -> None:
    needles = mix(_cast((52, 88, 74), scene), _HAZE, 0.22)
    for k, (rise, haze) in enumerate(((0.085, 0.30), (0.045, 0.12))):
        y = scene.horizon + 0.014 - rise * (0.15 + np.clip(lines[k + 1], 0, 1.3))
        green = mix(_cast(country.forest[k], scene), _HAZE, haze)
        _below(canvas, y, mix(BLUE_SNOW, (176, 190, 212), 0.5 - 0.3 * k) if snow else green, scene.horizon + 0.08)
        x, size, chance = scene.woods[k::2].T * np.array([[2.0], [1.0], [1.0]]) - np.array([[0.5], [0.0], [0.0]])
        here = _in_view(canvas, x, 0.03)
        x, size, chance = x[here], size[here], chance[here]
        feet = np.stack([x, np.interp(x, _X, y) + 0.006 + 0.03 * chance], axis=1)
        near = np.argsort(feet[:, 1])
        conifers(canvas, feet[near], (0.035 + 0.03 * size)[near], needles, scene.sun, snow)


def _water(scene: Landscape) -> Colour:
    return mix((92, 134, 162), (112, 150, 158), scene.details[1])


def _lake(canvas: Canvas, scene: Landscape, snow: bool) -> None:
    turns = np.arange(14) / 14 * 2 * np.pi
    wobble = 1 + 0.12 * np.sin(3 * turns + 6 * scene.details[2]) + 0.05 * np.sin(5 * turns)
    shape = loop(np.stack([np.cos(turns) * wobble, np.sin(turns) * (0.6 + 0.4 * wobble)], axis=1), 3)
    middle = np.array([0.30 + 0.40 * scene.details[3], scene.horizon + 0.095])
    reach = np.array([0.36 + 0.16 * scene.details[2], 0.062])
    canvas.polygon(
        middle + shape * (reach + np.array([0.022, 0.009])), (226, 238, 246) if snow else _cast((190, 186, 132), scene)
    )
    water = _water(scene)
    canvas.polygon(middle + shape * reach, water)
    for x, y, half in ((-0.25, -0.45, 0.30), (0.20, -0.10, 0.42), (-0.10, 0.30, 0.34), (0.32, 0.55, 0.20)):
        streak = np.array([(x - half, y), (x, y - 0.07), (x + half, y), (x, y + 0.07)])
        canvas.polygon(middle + streak * reach, mix(water, (220, 234, 242), 0.38))


def _river(canvas: Canvas, scene: Landscape, snow: bool) -> None:
    side = _river_side(scene)
    h = scene.horizon
    a, b = 0.10 * scene.details[2], 0.12 * scene.details[3]
    way = curve(np.array([(0.5 + side * 0.04, h + 0.015), (0.5 + side * (0.12 + a), h + 0.06), (0.5 + side * (0.02 + b), h + 0.13),
                          (0.5 + side * (0.18 + a), h + 0.26), (0.5 + side * (0.14 + b), 0.86), (0.5 + side * (0.30 + a), 1.08),
                          (0.5 + side * 0.34, 2.4)]), 6)  # fmt: skip
    share = np.clip((way[:, 1] - h) / (1 - h), 0, 1.6)
    half = (0.006 + 0.085 * share**1.2)[:, None]
    # Seen flat, a river is wide across the picture wherever it goes across it.
    across = normals(way) * np.array([1.0, 0.45])
    bank = (230, 240, 248) if snow else _cast((192, 188, 136), scene)
    for wide, colour in ((1.22, bank), (1.0, _water(scene)), (0.16, mix(_water(scene), (220, 234, 242), 0.30))):
        canvas.polygon(np.concatenate([way + wide * half * across, (way - wide * half * across)[::-1]]), colour)


def _river_side(scene: Landscape) -> float:
    """The river goes to one side, and the house stands on the other."""
    return 1.0 if scene.details[5] < 0.5 else -1.0


def _grass(canvas: Canvas, scene: Landscape, country: Country, snow: bool) -> None:
    """Grass and flowers, or dry stalks that the snow has left."""
    growth = scene.tufts[np.argsort(scene.tufts[:, 1])]
    if scene.water == "river":
        growth = growth[np.abs(-1 + 3 * growth[:, 0] - 0.5 - 0.22 * _river_side(scene)) > 0.24]
    if snow:
        growth = growth[growth[:, 3] > 0.7]
    growth = growth[_in_view(canvas, -1 + 3 * growth[:, 0], 0.04)]
    x, depth, size, chance = growth.T
    feet = np.stack(
        [-1 + 3 * x, scene.horizon + (0.17 if scene.water == "lake" else 0.05) + (1.05 - scene.horizon) * depth**1.2], axis=1
    )
    sizes = (0.016 + 0.02 * size) * (0.4 + 0.9 * depth)
    low, high = ((168, 146, 112), (196, 178, 146)) if snow else (shade(country.meadow[2], 0.82), shade(country.meadow[0], 1.02))
    canvas.polygons(tufts(feet, sizes), [_cast(mix(low, high, share), scene) for share in chance.tolist()])
    if not snow:
        flowers: tuple[Colour, ...] = ((250, 236, 120), (236, 120, 130), (250, 248, 250), (168, 130, 214))
        for (fx, fy), s, luck in zip(feet.tolist(), sizes.tolist(), chance.tolist(), strict=True):
            if luck > 0.55:
                canvas.ellipse(fx + 0.3 * s, fy - s, 0.34 * s, 0.30 * s, flowers[int(luck * 97) % 4])


def _landmarks(canvas: Canvas, scene: Landscape, snow: bool) -> None:
    """Trees, rocks and the house, from far to near."""
    side, h = _river_side(scene), scene.horizon
    home = np.array([0.5 - side * (0.22 + 0.08 * scene.details[6]), h + 0.20])
    standing = [(float(home[1]), "house", home, scene.details[6], scene.details[7])] if scene.house else []
    for kind, things in (("tree", scene.trees), ("rock", scene.rocks)):
        for x, depth, size, chance in things.tolist():
            foot = np.array([-0.5 + 2 * x, h + 0.17 + (0.30 if kind == "tree" else 0.42) * depth**1.3])
            if scene.water == "river" and abs(foot[0] - 0.5 - side * 0.2) < 0.18:
                foot[0] -= side * 0.36
            if scene.house and abs(foot[0] - home[0]) < 0.2:
                foot[0] += 0.34 * side if scene.water != "river" else -0.25 * side
            if _in_view(canvas, foot[:1], 0.3)[0]:
                standing.append((float(foot[1]), kind, foot, size, chance))
    for y, kind, foot, size, chance in sorted(standing, key=lambda thing: thing[0]):
        near = 0.55 + 1.5 * (y - h - 0.17)
        if kind == "house":
            house(canvas, foot, 0.16, (size, chance), scene.sun, snow)
        elif kind == "rock":
            rock(canvas, foot, (0.035 + 0.03 * size) * (near + 0.3), chance, scene.sun, snow)
        elif chance < 0.42:
            conifers(canvas, foot[None], np.array([(0.30 + 0.14 * size) * near]), _cast((46, 84, 66), scene), scene.sun, snow)
        else:
            leaves = _cast(((84, 138, 62), (110, 156, 66), (70, 124, 72))[int(chance * 97) % 3], scene)
            leafy_tree(canvas, foot, (0.32 + 0.14 * size) * near, 0.85 + 0.4 * chance, leaves, scene.sun, snow)
