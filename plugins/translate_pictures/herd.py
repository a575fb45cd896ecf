"""Horses and zebras: one to three animals in a landscape, and the same picture with the other coat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .animals import POSES, Body, Build, build_body, vary
from .canvas import Canvas, Floats, Layer, View, compose, finish, mix
from .chance import pick, side
from .coats import PLAIN, Coat, CoverCoat, PlainCoat, StripedCoat
from .relief import relief
from .scenery import FAMILIES, SEEN, UNSEEN, Scenery, draw_scenery, sample_scenery, tufts

STYLES = ("horse", "zebra")
CHANNELS = 3

_POSES = tuple(POSES)
_CHANCES = (0.17, 0.13, 0.17, 0.13, 0.10, 0.10, 0.05, 0.09, 0.06)


@dataclass(frozen=True)
class Animal:
    """One animal in the picture: where its feet stand, how high its withers are, and which way it faces."""

    body: Body
    x: float
    y: float
    unit: float
    facing: float
    coat: PlainCoat

    def place(self, points: Floats) -> Floats:
        """Body coordinates (…, 2) -> unit coordinates (…, 2)."""
        placed: Floats = points * np.array([self.unit * self.facing, -self.unit]) + np.array([self.x, self.y])
        return placed


@dataclass(frozen=True)
class Herd:
    """One scene; animals from far to near."""

    scenery: Scenery
    animals: tuple[Animal, ...]
    #: (n, 3) grass before the hooves of the nearest: place along the animal, size, random number.
    tufts: Floats


def sample(rng: np.random.Generator, unseen: bool) -> Herd:
    """Make up a scene."""
    scenery = sample_scenery(rng, UNSEEN if unseen else SEEN)
    width = rng.uniform(0.64, 0.86)
    body = _body(rng)
    x0, _, x1, y1 = body.bounds()
    unit = min(width / (x1 - x0), 0.80 / y1)
    floor = rng.uniform(0.82, 0.93)
    # Keep the whole animal in the picture: from its own middle, shifted by what room there is.
    room = max(0.0, 0.97 - unit * (x1 - x0)) / 2
    centre = 0.5 + room * rng.uniform(-0.8, 0.8)
    facing = side(rng)
    main = Animal(body, centre - facing * unit * (x0 + x1) / 2, floor, unit, facing, _coat(rng))
    others = []
    for _ in range(pick(rng, (0.55, 0.30, 0.15))):
        # Seen from one eye level, size falls with the distance of the feet from the horizon.
        scale = rng.uniform(0.26, 0.46)
        y = scenery.horizon + (floor - scenery.horizon) * (0.55 * scale + 0.12)
        # Of a few places the one that the main animal hides least.
        places = rng.uniform(0.03, 0.97, 4)
        aside = float(places[np.argmax(np.abs(places - centre))])
        others.append(
            Animal(_body(rng), aside, float(y), unit * scale, side(rng), _coat(rng))
        )  # fmt: skip
    others.sort(key=lambda animal: animal.unit)
    return Herd(scenery, (*others, main), rng.random((7, 3)))


def _body(rng: np.random.Generator) -> Body:
    name = _POSES[pick(rng, _CHANCES)]
    numbers = rng.uniform(-1, 1, 6)
    build = Build(
        legs=1 + 0.07 * numbers[0], length=1 + 0.06 * numbers[1], depth=1 + 0.07 * numbers[2],
        neck=1 + 0.06 * numbers[3], head=1 + 0.06 * numbers[4], mane=1 + 0.15 * numbers[5],
    )  # fmt: skip
    return build_body(vary(POSES[name], rng.uniform(-3.5, 3.5, 15)), build)


def _coat(rng: np.random.Generator) -> PlainCoat:
    body, hair, legs = tuple(PLAIN.values())[int(rng.integers(len(PLAIN)))]
    light, warm = rng.uniform(0.95, 1.06), rng.uniform(-4, 4)

    def tinge(colour: tuple[int, int, int]) -> tuple[int, int, int]:
        return round(colour[0] * light + warm), round(colour[1] * light), round(colour[2] * light - warm)

    return PlainCoat(tinge(body), tinge(hair), tinge(legs))


def draw(scene: Herd, style: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3): the scene with every animal a ``style``."""
    view = View(*size)
    scenery = scene.scenery
    ground = draw_scenery(scenery, view)
    _cast_shadows(ground, scene, view)
    animals = _paint(scene, view, None if style == "horse" else StripedCoat()).layer()
    animals[..., :3] *= relief(animals[..., 3] / np.float32(255), view, scenery.sun, scenery.lighting.contrast)[..., None]
    return finish(compose(ground, animals) * scenery.tint())


def mask(scene: Herd, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W): true where any coat shows, be it at the very edge of a pixel; hooves, eyes and the grass before them don't count."""
    result: NDArray[np.bool_] = _paint(scene, View(*size), CoverCoat()).layer()[..., 0] > 0
    return result


def _paint(scene: Herd, view: View, coat: Coat | None) -> Canvas:
    """The animals, each in ``coat`` or its own, and grass before their feet."""
    canvas = Canvas(view)
    for animal in scene.animals:
        (coat or animal.coat).paint(canvas, animal.body.moved(animal.place), animal.unit)
    main, family = scene.animals[-1], FAMILIES[scene.scenery.family]
    x0, _, x1, _ = main.body.bounds()
    along, size, chance = scene.tufts.T
    feet = main.place(np.stack([x0 + (x1 - x0) * along, -0.02 - 0.05 * size], axis=1))
    colours = [(0, 0, 0) if isinstance(coat, CoverCoat) else mix(*family.tufts, share) for share in chance.tolist()]
    canvas.polygons(tufts(feet, 0.03 + 0.02 * size), colours)
    return canvas


def _cast_shadows(ground: Layer, scene: Herd, view: View) -> None:
    """Darken the ground below each animal."""
    rows, columns = view.rows(), view.columns()
    light = scene.scenery.lighting
    for animal in scene.animals:
        x0, _, x1, _ = animal.body.bounds()
        middle = animal.x - 0.10 * animal.unit * scene.scenery.sun
        across = np.exp(-(((columns - middle) / (0.36 * (x1 - x0) * animal.unit)) ** 4))
        along = np.exp(-(((rows - animal.y - 0.005) / (0.075 * animal.unit)) ** 2))
        ground *= (1 - (0.25 + 0.17 * light.contrast) * along[:, None] * across[None])[..., None]
