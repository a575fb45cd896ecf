"""Summer and winter: one landscape with meadows, leaves and a blue sky, or with snow, bare trees and a pale one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Layer, View, compose, finish, noise
from .chance import pick, side
from .country import SEEN, UNSEEN, Landscape, paint_land
from .scenery import Light, sky

STYLES = ("summer", "winter")
CHANNELS = 3

_PLAIN = (1.0, 1.0, 1.0)
#: Each season's skies; the last one is kept for ``unseen``. Their tint isn't used: what no season changes must look the same.
SKIES = {
    "summer": (
        Light(_PLAIN, ((52, 126, 212), (112, 180, 236), (206, 232, 242)), (206, 232, 242), (255, 255, 255), 1.0),
        Light(_PLAIN, ((70, 142, 214), (150, 200, 230), (254, 236, 196)), (254, 236, 196), (255, 248, 232), 1.0),
        Light(_PLAIN, ((84, 160, 208), (140, 200, 220), (224, 240, 224)), (224, 240, 224), (255, 255, 250), 0.8),
        Light(_PLAIN, ((86, 84, 160), (212, 128, 150), (255, 196, 128)), (255, 196, 128), (255, 214, 186), 1.0),
    ),
    "winter": (
        Light(_PLAIN, ((160, 168, 182), (192, 198, 208), (222, 226, 230)), (222, 226, 230), (232, 234, 238), 0.4),
        Light(_PLAIN, ((146, 176, 204), (188, 208, 222), (234, 238, 240)), (234, 238, 240), (240, 242, 246), 0.5),
        Light(_PLAIN, ((134, 142, 158), (168, 176, 188), (206, 210, 218)), (206, 210, 218), (214, 218, 224), 0.3),
        Light(_PLAIN, ((128, 134, 172), (186, 186, 210), (232, 220, 230)), (232, 220, 230), (226, 222, 236), 0.4),
    ),
}  # fmt: skip


def sample(rng: np.random.Generator, unseen: bool) -> Landscape:
    """Make up a landscape."""
    families = UNSEEN if unseen else SEEN
    clouds, trees, rocks = (int(rng.integers(low, high)) for low, high in ((1, 6), (4, 9), (2, 6)))
    red, green, blue = rng.uniform(0.94, 1.06, 3).tolist()
    return Landscape(
        family=families[int(rng.integers(len(families)))],
        sun=side(rng), horizon=float(rng.uniform(0.36, 0.48)), cast=(red, green, blue),
        skies=(3, 3) if unseen else (int(rng.integers(3)), int(rng.integers(3))),
        water=("none", "lake", "river")[pick(rng, (0.12, 0.53, 0.35))], house=bool(rng.random() < 0.45), fence=bool(rng.random() < 0.3),
        waves=rng.random((4, 4, 2)), clouds=rng.random((clouds, 3)), puffs=rng.random((clouds, 6, 3)),
        woods=rng.random((26, 3)), trees=rng.random((trees, 4)), rocks=rng.random((rocks, 4)), tufts=rng.random((60, 4)),
        details=tuple(rng.random(8).tolist()), grain=rng.normal(0, 1, (48, 48)).astype(np.float32),
    )  # fmt: skip


def draw(scene: Landscape, style: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3): the landscape in the season ``style``."""
    view = View(*size)
    light = SKIES[style][scene.skies[STYLES.index(style)]]
    heaven = sky(light, view, scene.horizon, scene.sun, scene.clouds, scene.puffs)
    land = _land(scene, style, view)
    # The same grain in both seasons: it grows towards the viewer, and so does a slight darkening.
    near = np.clip((view.rows() - scene.horizon) / 0.5, 0, 1.4)[:, None]
    land[..., :3] *= (1 + 0.024 * near * noise(scene.grain, view) - 0.05 * near**2)[..., None]
    return finish(compose(heaven, land))


def mask(scene: Landscape, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W): true for the sky and wherever the seasons paint the land differently, be it at the very edge of a pixel."""
    summer, winter = (_land(scene, style, View(*size)) for style in STYLES)
    result: NDArray[np.bool_] = (summer != winter).any(axis=2) | (summer[..., 3] < 255)
    return result


def _land(scene: Landscape, style: str, view: View) -> Layer:
    canvas = Canvas(view)
    paint_land(canvas, scene, style == "winter")
    return canvas.layer()
