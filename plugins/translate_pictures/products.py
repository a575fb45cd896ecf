"""Products: one coloured object before a light ground, as in a shop's photographs. What is drawn of it is a list of pieces.

Object coordinates: x to the right and y up from the floor at 0, in any unit; the object is fitted into the picture as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Colour, Floats, Layer, View, compose, curve, finish, gradient, loop, mix, noise, normals, shade
from .chance import side
from .colour import paint
from .relief import relief

CHANNELS = 3

#: Grounds of near-white paper, and those that are kept for ``unseen``. None is saturated enough to count as coloured.
SEEN = ("white", "paper", "sweep")
UNSEEN = ("wood", "grey", "spot")

Points = Sequence[tuple[float, float]]


class Piece(NamedTuple):
    """A part of the object: an outline (N, 2) filled with one of the tones of :meth:`Product.tones`."""

    points: Floats
    tone: str


def area(points: Points | Floats, tone: str = "body") -> Piece:
    """A filled outline."""
    return Piece(np.asarray(points, dtype=np.float64), tone)


def line(points: Points | Floats, width: float, tone: str = "dark") -> Piece:
    """A strap along a line (N, 2), with round ends."""
    middle = np.asarray(points, dtype=np.float64)
    across = normals(middle) * (width / 2)
    # From one side round the end to the other: right angles to ``across``, there and back.
    along = np.stack([across[:, 1], -across[:, 0]], axis=1)
    first, last = (middle[i] + _END @ np.stack([way * across[i], way * along[i]]) for i, way in ((0, -1.0), (-1, 1.0)))
    return Piece(np.concatenate([middle + across, last, (middle - across)[::-1], first]), tone)


#: Points of a half circle in (across, along), from one side of a line's end to the other.
_END = np.array([(0.71, 0.71), (0.0, 1.0), (-0.71, 0.71)])


def disc(x: float, y: float, rx: float, ry: float, tone: str = "metal") -> Piece:
    """A filled ellipse."""
    return Piece(np.array([x, y]) + _ROUND * np.array([rx, ry]), tone)


_ROUND = np.stack([np.cos(np.arange(16) * np.pi / 8), np.sin(np.arange(16) * np.pi / 8)], axis=1)


def bend(points: Points | Floats, samples: int = 4) -> Floats:
    """A smooth open curve through the points."""
    return curve(np.array(points), samples)


def smooth(points: Points | Floats, samples: int = 4) -> Floats:
    """A smooth closed outline through the points."""
    return loop(np.array(points), samples)


@dataclass(frozen=True)
class Ground:
    """What is behind and below the object."""

    family: str
    tone: Colour
    #: -1 where the light comes from the left, 1 from the right.
    sun: float
    grain: NDArray[np.float32]  # (n, n) about 0


@dataclass(frozen=True)
class Product:
    """One scene. Hue, saturation and value are the object's own dye; everything else is independent of them."""

    kind: str
    hue: float  # degrees in [0, 360)
    saturation: float
    value: float
    ground: Ground
    #: Where its middle is, its greater side as a share of the short side, its tilt in radians, and the way it faces (-1 or 1).
    x: float
    y: float
    size: float
    tilt: float
    facing: float
    #: (8,) proportions in -1…1 and (8,) random numbers in 0…1 that choose among details.
    proportions: tuple[float, ...]
    details: tuple[float, ...]

    def tones(self) -> dict[str, Colour]:
        """The paints: shades of the own hue, and neutral ones."""
        body = paint(self.hue, self.saturation, self.value)
        metal = ((212, 212, 214), (150, 150, 154), (92, 92, 96))[int(self.details[7] * 2.99)]
        sole: Colour = ((226, 226, 226), (168, 168, 170), (62, 62, 64), shade(body, 0.55))[int(self.details[6] * 3.99)]
        white: Colour = (255, 255, 255)
        return {
            "body": body, "dark": shade(body, 0.76), "deep": shade(body, 0.52), "light": mix(body, white, 0.16),
            "shine": mix(body, white, 0.34), "metal": metal, "glint": (240, 240, 242), "ink": (46, 46, 48),
            "sole": sole, "welt": shade(sole, 0.78), "lace": (236, 236, 236) if self.details[5] < 0.6 else (58, 58, 60),
        }  # fmt: skip


#: Makes the pieces of one kind from a scene's ``proportions`` and ``details``, from back to front.
Build = Callable[[Sequence[float], Sequence[float]], list[Piece]]


def sample(rng: np.random.Generator, unseen: bool, kinds: dict[str, Build], tilt: float) -> Product:
    """Make up an object of one of these kinds, tilted by up to ``tilt`` radians."""
    families = UNSEEN if unseen else SEEN
    family = families[int(rng.integers(len(families)))]
    warm = float(rng.uniform(-1, 1))
    level = rng.uniform(0, 1)
    return Product(
        kind=tuple(kinds)[int(rng.integers(len(kinds)))],
        **_dye(_hue(float(rng.random())), float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))),
        ground=Ground(family, _tone(family, warm, level), side(rng), rng.normal(0, 1, (48, 48)).astype(np.float32)),
        x=0.5 + float(rng.uniform(-0.035, 0.035)), y=0.5 + float(rng.uniform(-0.03, 0.03)), size=float(rng.uniform(0.68, 0.88)),
        tilt=float(rng.uniform(-tilt, tilt)), facing=side(rng),
        proportions=tuple(rng.uniform(-1, 1, 8).tolist()), details=tuple(rng.random(8).tolist()),
    )  # fmt: skip


#: So much of all wares has a leather's hue: this mean and standard deviation, in degrees.
LEATHER, TAN = 0.4, NormalDist(30, 25)
#: The rest is dyed as before there were synthetic dyes, evenly from coral to navy; nobody could pay for purple.
CORAL, NAVY = 0.0, 250.0


def _hue(quantile: float) -> float:
    """The hue that a share ``quantile`` of wares comes before, leathers first.

    Were every hue of the circle as frequent, as light and as strong as the others, any turn of it would take one domain to the other
    as well as no turn does: nothing in the pictures could tell. A stretch of the circle has two ends, which are unlike each other here.
    """
    if quantile >= LEATHER:
        return CORAL + (NAVY - CORAL) * (quantile - LEATHER) / (1 - LEATHER)
    return TAN.inv_cdf(max(quantile / LEATHER, 1e-12)) % 360


def _dye(hue: float, strength: float, light: float) -> dict[str, float]:
    """The colour of a dye of that hue, more or less (-1…1) strong and light than the hue's usual: corals are pale, and navy is deep."""
    # What lies beyond coral is a leather's red.
    depth = min(max(0.0, (hue - CORAL) / (NAVY - CORAL)), 1.0) if hue < (NAVY + CORAL + 360) / 2 else 0.0
    return {"hue": hue, "saturation": 0.45 + 0.45 * depth + 0.04 * strength, "value": 0.93 - 0.35 * depth + 0.04 * light}


def _tone(family: str, warm: float, level: float) -> Colour:
    """The ground's own colour: from cold to warm (-1…1), from dark to light (0…1)."""
    if family == "wood":
        base, spread = 158 + 34 * level, (12.0, 0.0, -14.0 - 4 * warm)
    elif family in UNSEEN:
        base, spread = 118 + 52 * level, (5 * warm, 0.0, -5 * warm)
    else:
        base, spread = 252 if family == "white" else 240 + 8 * level, (2.5 * warm, 0.0, -2.5 * warm)
    r, g, b = (min(255, round(base + part)) for part in spread)
    return r, g, b


def draw(scene: Product, build: Build, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3): the object before its ground."""
    view = View(*size)
    pieces, feet, floor = _placed(scene, build(scene.proportions, scene.details))
    canvas, tones = Canvas(view), scene.tones()
    for points, tone in pieces:
        canvas.polygon(points, tones[tone])
    thing = canvas.layer()
    lit = relief(thing[..., 3] / np.float32(255), view, scene.ground.sun, 0.9)[..., None]
    # Darker by a factor, lighter by white: neither moves the hue.
    thing[..., :3] *= np.minimum(lit, 1)
    thing[..., :3] += (thing[..., 3:] - thing[..., :3]) * np.clip(0.55 * (lit - 1), 0, 0.4)
    ground = _ground(scene.ground, floor, view)
    _cast_shadow(ground, scene.ground, feet, floor, view)
    return finish(compose(ground, thing))


def _placed(scene: Product, pieces: list[Piece]) -> tuple[list[Piece], tuple[float, float], float]:
    """The pieces in unit coordinates, the stretch of the floor that they stand on (left and right x), and its y."""
    # All points at once: many small arrays cost more than one.
    c, s = math.cos(scene.tilt), math.sin(scene.tilt)
    turn = np.array([[c * scene.facing, -s * scene.facing], [-s, -c]])
    points = np.concatenate([piece.points for piece in pieces]) @ turn
    low, high = points.min(axis=0), points.max(axis=0)
    placed = (points - (low + high) / 2) * (scene.size / float((high - low).max())) + np.array([scene.x, scene.y])
    floor = float(placed[:, 1].max())
    # What stands on a tilted edge stands on all of it.
    near = placed[placed[:, 1] > floor - 0.05 - 0.8 * abs(scene.tilt), 0]
    ends = np.cumsum([len(piece.points) for piece in pieces])[:-1]
    moved = [Piece(part, piece.tone) for part, piece in zip(np.split(placed, ends), pieces, strict=True)]
    return moved, (float(near.min()), float(near.max())), floor


def _ground(ground: Ground, floor: float, view: View) -> Layer:
    """(H, W, 3) in 0…255."""
    rows, columns = view.rows(), view.columns()
    tone, horizon = ground.tone, floor - 0.16
    if ground.family in ("white", "paper"):
        picture = np.broadcast_to(np.array(tone, dtype=np.float32), (view.height, view.width, 3)).copy()
    elif ground.family == "sweep":
        # Paper that bends from the table up the wall.
        colours = gradient(
            (0.0, horizon, horizon + 0.12, 1.0), (tone, shade(tone, 0.985), shade(tone, 0.945), shade(tone, 0.975)), rows
        )
        picture = np.repeat(colours[:, None], view.width, axis=1)
    elif ground.family == "wood":
        picture = np.broadcast_to(np.array(tone, dtype=np.float32), (view.height, view.width, 3)).copy()
        # Boards, each with its own shade, and a grain that is drawn out along them.
        at = (rows + 2) / 0.19
        board = ground.grain[0, np.floor(at).astype(int) % 48] * 0.045
        gap = np.clip(1 - np.abs(at % 1 - 0.5 - 0.5) * 0.19 * 90, 0, 1) * 0.22
        picture *= (1 + board - gap)[:, None, None]
        fibre = noise(np.repeat(ground.grain[:, ::8], 8, axis=1), view)
        picture *= (1 + 0.035 * fibre)[..., None]
    elif ground.family == "grey":
        colours = gradient(
            (0.0, horizon, horizon + 0.03, 1.0), (shade(tone, 1.18), shade(tone, 1.32), shade(tone, 0.90), tone), rows
        )
        picture = np.repeat(colours[:, None], view.width, axis=1)
    else:
        away = ((rows - 0.46)[:, None] ** 2 + (columns - 0.5)[None] ** 2) / 0.38
        glow = (0.42 + 1.05 * np.exp(-2.2 * away))[..., None]
        picture = np.clip(np.array(tone, dtype=np.float32) * glow, 0, 246).astype(np.float32)
    return picture


def _cast_shadow(picture: Layer, ground: Ground, feet: tuple[float, float], floor: float, view: View) -> None:
    """Darken the ground below the object: a wide soft shadow away from the light, and a narrow one where it stands."""
    rows, columns = view.rows(), view.columns()
    middle, half = (feet[0] + feet[1]) / 2, (feet[1] - feet[0]) / 2
    for strength, wide, deep, shift in ((0.20, 1.22, 0.040, -0.05), (0.34, 1.02, 0.014, 0.0)):
        across = np.exp(-(((columns - middle - shift * ground.sun) / (wide * half + 0.02)) ** 4))
        along = np.exp(-(((rows - floor + 0.004) / deep) ** 2))
        picture *= (1 - strength * along[:, None] * across[None])[..., None]
