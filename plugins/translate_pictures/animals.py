"""The animal's anatomy: a pose becomes tubes (limbs, trunk, neck, head) that a coat is painted on.

Body coordinates: the animal faces right, x forward and y up, the ground at 0 and the withers at 1. Proportions follow a riding
horse (trunk about as long as it is high at the withers, head 0.4), a little stouter in the legs so that they survive 64 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import Floats, curve, linear, normals, spline

#: Angles in degrees from straight down, forwards positive, for each leg: fore near, fore far, hind near, hind far.
#: Forelegs bend at elbow, knee, fetlock; hind legs at hip, hock, fetlock.
Leg = tuple[float, float, float]


@dataclass(frozen=True)
class Pose:
    """How the animal stands; ``neck`` and ``head`` are degrees above the horizontal, ``lift`` the height of the feet."""

    legs: tuple[Leg, Leg, Leg, Leg]
    neck: float
    head: float
    tail: float = -78
    lift: float = 0.0
    pitch: float = 0.0


POSES = {
    "stand": Pose(((2, 0, 16), (-5, -3, 14), (-17, 3, 18), (-8, 11, 20)), neck=50, head=-46),
    "alert": Pose(((4, 2, 16), (0, -3, 14), (-20, 0, 18), (-13, 6, 20)), neck=60, head=-34, tail=-66),
    "walk": Pose(((22, 12, 26), (-18, -26, -20), (-34, -14, -6), (6, 12, 22)), neck=44, head=-48, tail=-72),
    "stroll": Pose(((-16, -22, -8), (17, 6, 20), (2, 10, 20), (-32, -16, -6)), neck=40, head=-52, tail=-74),
    "trot": Pose(((44, -26, -40), (-22, -24, -16), (-42, -20, -10), (16, -4, 18)), neck=52, head=-44, tail=-48, lift=0.02),
    "gallop": Pose(((62, 40, 34), (44, 12, 10), (-58, -46, -50), (-44, -30, -34)), neck=32, head=-30, tail=-16, lift=0.14),
    "canter": Pose(((54, -34, -52), (30, 20, 26), (-30, -12, 0), (-4, -2, 16)), neck=42, head=-40, tail=-34, lift=0.03, pitch=7),
    "graze": Pose(((16, 8, 20), (-12, -10, 4), (-19, 2, 16), (-7, 11, 20)), neck=-37, head=-66, tail=-82),
    "browse": Pose(((10, 4, 18), (-8, -6, 10), (-18, 2, 16), (-10, 9, 20)), neck=4, head=-58, tail=-80),
}


@dataclass(frozen=True)
class Build:
    """Proportions of one animal, each about 1."""

    legs: float = 1.0
    length: float = 1.0
    depth: float = 1.0
    neck: float = 1.0
    head: float = 1.0
    mane: float = 1.0


@dataclass(frozen=True)
class Tube:
    """A part of the body between two edges (N, 2) that run side by side; stripes cross from ``a`` to ``b``."""

    name: str
    a: Floats
    b: Floats

    @property
    def outline(self) -> Floats:
        """(2N, 2)."""
        return np.concatenate([self.a, self.b[::-1]])

    def after(self, start: float) -> Tube:
        """What remains from a share ``start`` of its length on."""
        first = int(start * len(self.a))
        return Tube(self.name, self.a[first:], self.b[first:])


@dataclass(frozen=True)
class Body:
    """Everything that is painted of one animal, in body coordinates."""

    tubes: dict[str, Tube]
    #: Outlines by name: hooves, ears.
    shapes: dict[str, Floats]
    eye: Floats
    nostril: Floats
    #: In body coordinates, wherever the rest is.
    head_length: float

    def moved(self, place: Callable[[Floats], Floats]) -> Body:
        """The same body with every point (…, 2) moved."""
        # All points at once: many small arrays cost more than one.
        edges = [edge for tube in self.tubes.values() for edge in (tube.a, tube.b)]
        parts = [*edges, *self.shapes.values(), self.eye[None], self.nostril[None]]
        ends = np.cumsum([len(part) for part in parts]).tolist()
        points = place(np.concatenate(parts))
        pieces = iter([points[start:end] for start, end in zip([0, *ends], ends, strict=False)])
        return Body(
            {name: Tube(name, next(pieces), next(pieces)) for name in self.tubes},
            {name: next(pieces) for name in self.shapes},
            next(pieces)[0], next(pieces)[0], self.head_length,
        )  # fmt: skip

    def bounds(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x, greatest y."""
        edges = [edge for tube in self.tubes.values() for edge in (tube.a, tube.b)]
        points = np.concatenate([*edges, *self.shapes.values()])
        x0, y0 = points.min(axis=0).tolist()
        x1, y1 = points.max(axis=0).tolist()
        return x0, y0, x1, y1


_BACK = np.array(
    [(0.53, 0.72), (0.49, 0.88), (0.38, 0.985), (0.26, 1.0), (0.08, 0.935), (-0.10, 0.935), (-0.27, 0.985), (-0.41, 0.945),
     (-0.50, 0.83), (-0.525, 0.69)]
)  # fmt: skip
_BELLY = np.array(
    [(0.50, 0.62), (0.44, 0.51), (0.32, 0.445), (0.16, 0.435), (0.0, 0.455), (-0.14, 0.50), (-0.24, 0.545), (-0.31, 0.55),
     (-0.40, 0.56), (-0.49, 0.60)]
)  # fmt: skip
#: Along the head from poll to lips: share of its length, then half-widths above and below its axis as shares of its length.
_HEAD = np.array(
    [(-0.04, 0.13, 0.20), (0.10, 0.21, 0.30), (0.28, 0.22, 0.33), (0.45, 0.19, 0.25), (0.62, 0.155, 0.17), (0.80, 0.14, 0.15),
     (0.93, 0.125, 0.145), (1.0, 0.06, 0.08)]
)  # fmt: skip


def _direction(degrees: float) -> Floats:
    """The unit vector so many degrees above forwards."""
    angle = math.radians(degrees)
    return np.array([math.cos(angle), math.sin(angle)])


def _tube(name: str, spine: Floats, widths: Floats, samples: int = 5) -> Tube:
    """A tube about a smooth line through ``spine`` (N, 2), with half-widths (N,) there."""
    line = curve(spine, samples)
    across = normals(line) * (linear(len(widths), samples) @ widths)[:, None]
    return Tube(name, line + across, line - across)


#: From above the hip: half-widths of forelegs and hind legs at each joint.
_FORE, _HIND = (0.085, 0.125, 0.058, 0.044, 0.046), (0.075, 0.170, 0.064, 0.047, 0.047)
_LEGS = ("fore_near", "fore_far", "hind_near", "hind_far")
_LEG_WIDTHS = np.array([_FORE, _FORE, _HIND, _HIND])[..., None]


def _legs(pose: Pose, build: Build) -> tuple[dict[str, Tube], dict[str, Floats]]:
    """The four legs, from above their joint in the trunk down to the hooves, and the hooves (4, 2)."""
    # All four at once: they are the same sum with other numbers.
    fore, hind = (0.345 * build.length, 0.60), (-0.355 * build.length, 0.69)
    hips = np.array([fore, fore, hind, hind]) + np.array([(-0.02, 0.0), (0.035, 0.012), (-0.02, 0.0), (0.035, 0.012)])
    long, short = np.array([0.30, 0.20, 0.11]), np.array([0.36, 0.25, 0.11])
    lengths = np.array([long, long, short, short]) * np.array([build.legs, build.legs, 1.0])
    angles = np.deg2rad(np.array(pose.legs) - 90)
    steps = lengths[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    # Start inside the trunk, so that the limb grows out of it.
    above = hips + np.array([(0.0, 0.10), (0.0, 0.10), (0.0, 0.12), (0.0, 0.12)])
    joints = np.concatenate([above[:, None], hips[:, None], hips[:, None] + np.cumsum(steps, axis=1)], axis=1)
    lines = spline(5, 5) @ joints
    across = normals(lines) * (linear(5, 5) @ _LEG_WIDTHS)
    tubes = {name: Tube(name, a, b) for name, a, b in zip(_LEGS, lines + across, lines - across, strict=True)}
    fetlock, toe, down = joints[:, 3], joints[:, 4], steps[:, 2] / lengths[:, 2:]
    forward = np.stack([-down[:, 1], down[:, 0]], axis=1)
    forward *= np.sign(-down[:, 1:] + 1e-9)
    crown = fetlock + 0.35 * (toe - fetlock)
    outlines = np.stack([crown - 0.042 * forward, crown + 0.042 * forward, toe + 0.066 * forward, toe - 0.046 * forward], axis=1)
    return tubes, {f"hoof_{name}": hoof for name, hoof in zip(_LEGS, outlines, strict=True)}


def build_body(pose: Pose, build: Build) -> Body:
    """Put an animal of this build into this pose, its feet on the ground (or ``pose.lift`` above it)."""
    stretch = np.array([build.length, 1.0])
    back, belly = _BACK * stretch, _BELLY * stretch
    belly = np.stack([belly[:, 0], 0.94 - (0.94 - belly[:, 1]) * build.depth], axis=1)
    tubes, shapes = _legs(pose, build)
    if pose.pitch:
        tilt = np.deg2rad(pose.pitch)
        back = back + np.stack([np.zeros(len(back)), back[:, 0] * np.tan(tilt)], axis=1)
        belly = belly + np.stack([np.zeros(len(belly)), belly[:, 0] * np.tan(tilt)], axis=1)
    tubes["trunk"] = Tube("trunk", curve(back, 4), curve(belly, 4))

    # The neck leaves the trunk at its own slope, so a lowered neck bends downwards and a raised one arches.
    base = np.array([0.37 * build.length, 0.78 + (0.37 * np.tan(np.deg2rad(pose.pitch)))])
    length = 0.56 * build.neck
    poll = base + length * _direction(pose.neck)
    lean = 0.5 * pose.neck + 20
    middle = base + 0.52 * length * _direction(0.8 * pose.neck + 0.2 * lean) + np.array([0.0, 0.035])
    start = base - 0.10 * _direction(lean)
    neck = _tube("neck", np.array([start, base, middle, poll]), np.array([0.20, 0.225, 0.155, 0.105]), 6)
    tubes["neck"] = neck

    size = 0.45 * build.head
    axis = _direction(pose.head)
    over = np.array([-axis[1], axis[0]])
    centre = poll + 0.02 * over - 0.04 * axis
    spine = centre + _HEAD[:, :1] * size * axis
    tubes["head"] = Tube(
        "head", curve(spine + _HEAD[:, 1:2] * size * over, 3), curve(spine - _HEAD[:, 2:3] * size * over, 3)
    )  # fmt: skip
    crest = neck.a
    for name, offset in (("ear_far", 0.05), ("ear_near", -0.03)):
        root = centre + 0.17 * size * over + offset * axis
        tip = root + 0.115 * (0.9 * over - 0.35 * axis + np.array([0.0, 0.35]))
        shapes[name] = np.array([root - 0.034 * axis, root + 0.5 * (tip - root) - 0.045 * axis, tip, root + 0.034 * axis])
    eye = centre + 0.27 * size * axis + 0.075 * size * over
    nostril = centre + 0.90 * size * axis + 0.03 * size * over

    # The mane stands on the crest and falls a little over it: the same outline for every coat.
    away = normals(crest)
    ends = np.sin(np.linspace(0.18, 1.0, len(crest)) * np.pi * 0.86)[:, None]
    tubes["mane"] = Tube("mane", crest + away * 0.055 * build.mane * ends, crest - away * 0.05 * build.mane * ends)
    shapes["forelock"] = np.array(
        [centre + 0.14 * size * over - 0.08 * axis, centre + 0.27 * size * over - 0.02 * axis,
         centre + 0.235 * size * over + 0.34 * size * axis, centre + 0.12 * size * over + 0.16 * size * axis]
    )  # fmt: skip

    dock = back[7] + np.array([0.015, -0.015])
    swing = _direction(180 - pose.tail)
    out = _direction(160)
    tail = np.array([dock, dock + 0.10 * out + 0.04 * swing, dock + 0.12 * out + 0.27 * swing, dock + 0.09 * out + 0.60 * swing])
    tubes["tail"] = _tube("tail", tail, np.array([0.036, 0.040, 0.068, 0.012]), 6)

    ground = min(float(hoof[:, 1].min()) for name, hoof in shapes.items() if name.startswith("hoof"))
    up = np.array([0.0, pose.lift - ground])
    return Body(tubes, shapes, eye, nostril, size).moved(lambda points: points + up)


def vary(pose: Pose, jitter: Floats) -> Pose:
    """The pose with each angle moved a little: ``jitter`` (15,) in degrees."""
    legs = tuple(
        (leg[0] + jitter[3 * i], leg[1] + jitter[3 * i + 1], leg[2] + jitter[3 * i + 2]) for i, leg in enumerate(pose.legs)
    )
    fore_near, fore_far, hind_near, hind_far = legs
    return Pose(
        (fore_near, fore_far, hind_near, hind_far),
        pose.neck + 1.6 * jitter[12], pose.head + 1.6 * jitter[13], pose.tail + 1.6 * jitter[14], pose.lift, pose.pitch,
    )  # fmt: skip
