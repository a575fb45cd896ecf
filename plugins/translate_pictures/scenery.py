"""Landscapes: sky, clouds, hills, trees, water and ground, in one of several families and lights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Colour, Floats, Layer, View, compose, gradient, mix, noise, shade
from .chance import pick, side


@dataclass(frozen=True)
class Light:
    """A time of day: what colours are multiplied with, and the sky from its top to the horizon."""

    tint: tuple[float, float, float]
    sky: tuple[Colour, Colour, Colour]
    #: The colour that distance fades to.
    haze: Colour
    cloud: Colour
    #: How strong shadows and shading are.
    contrast: float


LIGHTS = {
    "noon": Light((1.02, 1.01, 0.99), ((74, 144, 212), (132, 188, 232), (206, 230, 240)), (196, 220, 234), (255, 255, 255), 1.0),
    "morning": Light(
        (1.03, 0.98, 0.90), ((112, 168, 214), (178, 208, 222), (252, 230, 198)), (232, 222, 208), (255, 248, 238), 0.9
    ),
    "golden": Light(
        (1.06, 0.93, 0.79), ((98, 138, 190), (206, 188, 178), (254, 204, 142)), (244, 206, 164), (255, 226, 196), 1.15
    ),
    "overcast": Light(
        (0.90, 0.93, 0.96), ((142, 158, 174), (176, 188, 198), (212, 218, 222)), (200, 208, 214), (232, 236, 240), 0.55
    ),
    "dusk": Light((0.76, 0.73, 0.84), ((66, 80, 136), (140, 126, 168), (240, 176, 156)), (190, 156, 172), (222, 178, 188), 0.7),
}


@dataclass(frozen=True)
class Family:
    """One kind of country: colours from far to near, and what grows there."""

    hills: tuple[Colour, Colour, Colour]
    ground: tuple[Colour, Colour]
    tufts: tuple[Colour, Colour]
    flowers: tuple[Colour, ...]
    leaves: tuple[Colour, ...]
    tree: str
    #: Height of the hills as a share of the short side, and how jagged they are in 0…1.
    relief: float
    jagged: float = 0.0
    water: bool = False


FAMILIES = {
    "meadow": Family(
        ((146, 180, 178), (122, 168, 128), (104, 156, 94)), ((146, 190, 98), (84, 142, 62)), ((72, 128, 54), (122, 172, 78)),
        ((250, 240, 150), (240, 150, 170), (240, 240, 250)), ((70, 126, 66), (92, 146, 74), (116, 156, 72)), "round", 0.09,
    ),
    "savanna": Family(
        ((168, 174, 160), (178, 178, 126), (186, 184, 108)), ((212, 204, 120), (166, 166, 76)), ((140, 142, 62), (200, 188, 104)),
        ((226, 196, 110),), ((110, 132, 66), (94, 122, 62), (128, 142, 72)), "acacia", 0.05,
    ),
    "mountains": Family(
        ((132, 150, 184), (104, 130, 150), (86, 130, 108)), ((128, 170, 112), (74, 124, 76)), ((62, 110, 64), (108, 152, 90)),
        ((190, 160, 220), (250, 236, 160)), ((48, 98, 76), (58, 110, 80), (40, 88, 72)), "pine", 0.22, 0.8,
    ),
    "lake": Family(
        ((140, 164, 184), (116, 152, 150), (98, 146, 112)), ((124, 178, 118), (78, 138, 84)), ((62, 120, 74), (112, 166, 98)),
        ((244, 200, 210), (250, 244, 190)), ((64, 122, 82), (84, 140, 88), (52, 106, 76)), "round", 0.10, 0.2, True,
    ),
    "heath": Family(
        ((160, 152, 184), (150, 128, 164), (138, 122, 140)), ((168, 142, 166), (112, 122, 88)), ((146, 98, 142), (104, 120, 76)),
        ((190, 120, 180), (214, 150, 204)), ((88, 116, 86), (104, 124, 84), (76, 104, 84)), "bush", 0.08,
    ),
    "winter": Family(
        ((164, 180, 210), (176, 194, 218), (190, 206, 228)), ((222, 230, 242), (178, 194, 222)), ((148, 160, 170), (168, 182, 204)),
        (), ((62, 96, 104), (52, 84, 96), (74, 106, 112)), "snowy", 0.13, 0.35,
    ),
}  # fmt: skip
#: Winter is drawn for ``unseen`` alone.
SEEN = ("meadow", "savanna", "mountains", "lake", "heath")
UNSEEN = ("winter",)

_TUFTS = 60
_TREES = 9


@dataclass(frozen=True)
class Scenery:
    """One landscape: everything random about it, drawn before any size is known."""

    family: str
    light: str
    #: -1 where the sun is on the left, 1 on the right.
    sun: float
    horizon: float
    #: Share of the palette's variation, (3,) colour factors of the land.
    cast: tuple[float, float, float]
    waves: Floats  # (3 hills, 4 waves, 2): height and phase
    clouds: Floats  # (n, 3): x, y, size
    puffs: Floats  # (n, 6, 3) of random numbers in 0…1
    trees: Floats  # (n, 4): x, depth in 0…1, size, random number
    tufts: Floats  # (n, 4): x, depth in 0…1, size, random number
    grain: NDArray[np.float32]  # (n, n) about 0

    @property
    def lighting(self) -> Light:
        """The time of day."""
        return LIGHTS[self.light]

    def tint(self) -> NDArray[np.float32]:
        """(3,) what colours are multiplied with."""
        return np.array(self.lighting.tint, dtype=np.float32)


def sample_scenery(rng: np.random.Generator, families: tuple[str, ...]) -> Scenery:
    """Make up a landscape of one of these families."""
    clouds = int(rng.integers(0, 6))
    trees = int(rng.integers(2, _TREES))
    red, green, blue = rng.uniform(0.94, 1.06, 3).tolist()
    return Scenery(
        family=families[int(rng.integers(len(families)))],
        light=tuple(LIGHTS)[int(pick(rng, (0.30, 0.20, 0.19, 0.17, 0.14)))],
        sun=side(rng),
        horizon=float(rng.uniform(0.40, 0.58)),
        cast=(red, green, blue),
        waves=rng.random((3, 4, 2)),
        clouds=rng.random((clouds, 3)),
        puffs=rng.random((clouds, 6, 3)),
        trees=rng.random((trees, 4)),
        tufts=rng.random((_TUFTS, 4)),
        grain=rng.normal(0, 1, (48, 48)).astype(np.float32),
    )


def draw_scenery(scenery: Scenery, view: View) -> Layer:
    """(H, W, 3) in 0…255, before the light's tint."""
    family, light = FAMILIES[scenery.family], scenery.lighting
    canvas = Canvas(view)
    fall = _land(canvas, scenery, family, light)
    land = canvas.layer()
    rows, grain = view.rows(), noise(scenery.grain, view)
    # Grain on the ground grows towards the viewer, and so does a slight darkening at the lower border.
    near = np.clip((rows - scenery.horizon) / 0.5, 0, 1.4)[:, None]
    land[..., :3] *= (1 + 0.045 * near * grain - 0.05 * near**2)[..., None] * fall[:, None]
    return compose(sky(light, view, scenery.horizon, scenery.sun, scenery.clouds, scenery.puffs), land)


def sky(light: Light, view: View, horizon: float, sun: float, clouds: Floats, puffs: Floats) -> Layer:
    """(H, W, 3) in 0…255: a sky down to the horizon and beyond, with clouds (n, 3) of puffs (n, m, 3), random numbers in 0…1."""
    rows, columns = view.rows(), view.columns()
    high, middle, low = light.sky
    top = min(0.0, view.top * 0.5)
    colours = gradient((top, 0.55 * horizon, horizon), (high, middle, low), rows)
    picture = np.repeat(colours[:, None], view.width, axis=1)
    # A glow where the sun stands, low on its side.
    x, y = 0.5 + 0.38 * sun, horizon - 0.22
    glow = np.exp(-(((rows - y) / 0.22) ** 2))[:, None] * np.exp(-(((columns - x) / 0.30) ** 2))[None]
    picture += (0.35 * light.contrast * glow)[..., None] * (np.array(light.cloud, dtype=np.float32) - picture)
    if not len(clouds):
        return picture
    # A cloud is a heap of soft puffs, each a product of a column and a row: one matrix product adds all of them up.
    width = 0.05 + 0.06 * clouds[:, 2:]
    place, lift, extent = np.moveaxis(puffs, 2, 0)
    radius = (width * (0.45 + 0.5 * extent)).ravel()[:, None]
    x = (-0.4 + 1.8 * clouds[:, :1] + (place - 0.5) * 3.2 * width).ravel()[:, None]
    y = (horizon * (0.12 + 0.62 * clouds[:, 1:2]) - lift * 0.55 * width).ravel()[:, None]
    down, across = np.exp(-(((rows - y) / (0.55 * radius)) ** 2)), np.exp(-(((columns - x) / radius) ** 2))
    cover = (down.T @ across).astype(np.float32)
    cover = np.clip((cover - 0.25) * 1.3, 0, 1)
    cover = 0.85 * cover * cover * (3 - 2 * cover)
    white = np.array(light.cloud, dtype=np.float32)
    picture += cover[..., None] * (white - picture)
    return picture


def ridges(x: Floats, waves: Floats, jagged: Floats) -> Floats:
    """Heights (M, N) in about 0…1 at ``x`` (N,), each from four waves (M, 4, 2) and as jagged (M,) as asked."""
    frequencies = np.array([0.7, 1.3, 2.3, 4.1])
    turns = frequencies[:, None] * x + 7 * waves[:, :, 1:]
    weights = (0.5 + waves[:, None, :, 0]) / frequencies
    rolling = weights @ np.sin(2 * np.pi * turns)
    sharp = weights @ (2 * np.abs(2 * (turns % 1) - 1) - 1)
    share = jagged[:, None, None]
    result: Floats = 0.5 + ((1 - share) * rolling + share * sharp)[:, 0] / 4.4
    return result


def _land(canvas: Canvas, scenery: Scenery, family: Family, light: Light) -> Layer:
    """Paint hills, trees and ground; returns what the rows' colours are to be multiplied with (H, 3)."""
    view, horizon = canvas.view, scenery.horizon
    left, right, bottom = view.left - 0.02, 1 - view.left + 0.02, 1 - view.top + 0.02

    def cast(colour: Colour) -> Colour:
        a, b, c = (min(255, round(value * factor)) for value, factor in zip(colour, scenery.cast, strict=True))
        return a, b, c

    x = np.linspace(left, right, 48)
    corners = np.array([(right + 0.1, bottom + 0.1), (left - 0.1, bottom + 0.1)])
    heights = ridges(x, scenery.waves, family.jagged * np.array([1.0, 1.0, 0.0]))
    for depth, height in enumerate(heights):
        y = horizon + 0.012 - family.relief * (1.0, 0.62, 0.34)[depth] * (0.18 + np.clip(height, 0, 1.3))
        colour = mix(cast(family.hills[depth]), light.haze, (0.55, 0.34, 0.14)[depth])
        canvas.polygon(np.concatenate([np.stack([x, y], axis=1), corners]), colour)
    shore = horizon
    if family.water:
        _water(canvas, scenery, light, left, right)
        shore += 0.085
    far, near = cast(mix(family.ground[0], light.haze, 0.10)), cast(family.ground[1])
    y = shore + (0.024 if family.water else 0.012) * (heights[1] - 0.5)
    canvas.polygon(np.concatenate([np.stack([x, y], axis=1), corners]), far)
    for tx, depth, size, chance in scenery.trees[np.argsort(scenery.trees[:, 1])].tolist():
        leaves = cast(mix(family.leaves[int(chance * 2.99)], light.haze, 0.30 * (1 - depth)))
        height = (0.07 + 0.06 * size) * (0.6 + 0.9 * depth)
        tree(canvas, family.tree, -0.5 + 2.0 * tx, shore + 0.004 + 0.085 * depth * depth, height, leaves, scenery.sun, chance)

    # The ground's gradient is multiplied in afterwards, so what grows on it is painted that much brighter.
    def fall(y: Layer) -> Layer:
        share = np.clip((y - shore) / (1.05 - shore), 0, 1.2) ** 1.2
        return np.asarray(1 + share[:, None] * (np.array(near) / np.array(far) - 1), dtype=np.float32)

    growth = scenery.tufts[np.argsort(scenery.tufts[:, 1])]
    px = -1 + 3 * growth[:, 0]
    growth, px = growth[(px > left) & (px < right)], px[(px > left) & (px < right)]
    _, depth, size, chance = growth.T
    feet = np.stack([px, shore + 0.03 + (bottom - shore) * depth**1.3], axis=1)
    sizes = (0.018 + 0.02 * size) * (0.4 + 0.9 * depth)
    low, high = (np.array(cast(colour)) for colour in family.tufts)
    paint = (low + chance[:, None] * (high - low)) / fall(feet[:, 1].astype(np.float32))
    colours = [(r, g, b) for r, g, b in np.clip(paint, 0, 255).astype(int).tolist()]
    canvas.polygons(tufts(feet, sizes), colours)
    if family.flowers:
        for (fx, fy), s, luck in zip(feet.tolist(), sizes.tolist(), chance.tolist(), strict=True):
            if luck > 0.62:
                flower = family.flowers[int(luck * 97) % len(family.flowers)]
                flower = shade(flower, 1 + 0.5 * (fy - shore))
                canvas.ellipse(fx + 0.3 * s, fy - s, 0.30 * s, 0.26 * s, flower)
    return fall(view.rows())


_BLADES = np.array([(-0.55, 0), (-0.75, -0.75), (-0.28, -0.30), (-0.05, -1.15), (0.2, -0.32), (0.72, -0.85), (0.5, 0)])


def tufts(feet: Floats, sizes: Floats) -> Floats:
    """(n, 7, 2): outlines of tufts of grass that grow at ``feet`` (n, 2), ``sizes`` (n,) high."""
    result: Floats = feet[:, None] + sizes[:, None, None] * _BLADES
    return result


def _water(canvas: Canvas, scenery: Scenery, light: Light, left: float, right: float) -> None:
    y, high, low = scenery.horizon, light.sky[0], light.sky[2]
    for i in range(5):
        t = i / 4
        box = np.array([(left, y + 0.02 * i), (right, y + 0.02 * i), (right, y + 0.14), (left, y + 0.14)])
        canvas.polygon(box, mix(mix(low, (120, 170, 196), 0.45), mix(high, (84, 140, 170), 0.5), 0.6 * t))


def tree(canvas: Canvas, kind: str, x: float, y: float, size: float, leaves: Colour, sun: float, chance: float) -> None:
    """A tree ``size`` high with its foot at (x, y)."""
    trunk = mix((104, 78, 58), leaves, 0.25)
    lit, dark = mix(shade(leaves, 1.18), (236, 226, 150), 0.10), shade(leaves, 0.82)
    if kind in ("pine", "snowy"):
        canvas.polygon(np.array([(x - 0.05 * size, y), (x + 0.05 * size, y), (x, y - 0.5 * size)]), trunk)
        for i in range(4):
            top, half = y - size * (0.45 + 0.25 * i), size * (0.34 - 0.065 * i)
            foot = y - size * (0.12 + 0.24 * i)
            canvas.polygon(np.array([(x - half, foot), (x + half, foot), (x, top)]), dark)
            lit_side = np.array([(x + 0.1 * half * sun, foot), (x + half * sun, foot), (x, top)])
            canvas.polygon(lit_side, leaves if kind == "pine" else mix(leaves, (232, 240, 250), 0.55))
            if kind == "snowy":
                cap = np.array([(x - 0.45 * half, foot - 0.55 * (foot - top)), (x, foot - 0.42 * (foot - top)),
                                (x + 0.45 * half, foot - 0.55 * (foot - top)), (x, top)])  # fmt: skip
                canvas.polygon(cap, (226, 234, 246))
    elif kind == "acacia":
        lean = (chance - 0.5) * 0.3 * size
        fork = np.array([(x - 0.035 * size, y), (x + 0.035 * size, y), (x + lean + 0.3 * size, y - 0.72 * size),
                         (x + lean, y - 0.5 * size), (x + lean - 0.3 * size, y - 0.72 * size)])  # fmt: skip
        canvas.polygon(fork, trunk)
        for dx, dy, rx, colour in ((-0.22, 0.70, 0.42, dark), (0.24, 0.72, 0.44, dark), (0.0, 0.82, 0.50, leaves),
                                   (0.14 * sun, 0.87, 0.34, lit)):  # fmt: skip
            canvas.ellipse(x + lean + dx * size, y - dy * size, rx * size, 0.13 * size, colour)
    else:
        low = 0.25 if kind == "bush" else 0.55
        if kind == "round":
            low_end, high_end = np.array([(x, y)]), np.array([(x, y - 0.5 * size)])
            half_widths = np.array([(0.05 * size, 0.0)]), np.array([(0.035 * size, 0.0)])
            canvas.polygon(np.concatenate([low_end - half_widths[0], low_end + half_widths[0], high_end + half_widths[1],
                                           high_end - half_widths[1]]), trunk)  # fmt: skip
        wide = 1.35 if kind == "bush" else 1.0
        for dx, dy, r, colour in ((-0.22, 0.0, 0.26, dark), (0.22, -0.02, 0.26, dark), (0.0, 0.14, 0.32, leaves),
                                  (-0.14 * sun, 0.02, 0.24, dark), (0.12 * sun, 0.20, 0.21, lit),
                                  (0.22 * sun, 0.06, 0.14, lit)):  # fmt: skip
            canvas.ellipse(x + dx * size * wide, y - (low + dy) * size, r * size * wide, r * size * 0.92, colour)
