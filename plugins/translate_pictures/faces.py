"""Young and old: a cartoon portrait, and the same person with grey hair, wrinkles and most often glasses.

Face coordinates: the middle of the face at 0, its sides at x = ±1, its crown and chin at y = -1 and 1, y down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Colour, Floats, Layer, View, compose, curve, finish, loop, mix, shade
from .chance import pick, side
from .hair import HAIR, STYLES_OF_HAIR, Hair
from .portraits import SEEN, UNSEEN, Backdrop, draw_backdrop, sample_backdrop
from .relief import relief

Fill = Callable[[Floats, Colour], None]
Same = Callable[[Colour], Colour]
Aged = Callable[[Colour, Colour], Colour]

STYLES = ("young", "old")
CHANNELS = 3

_SKINS: tuple[Colour, ...] = ((250, 218, 194), (240, 200, 168), (224, 176, 138), (198, 146, 108), (160, 110, 78), (122, 82, 60))
_HAIRS: tuple[Colour, ...] = (
    (44, 34, 34), (70, 46, 36), (104, 66, 42), (146, 92, 50), (186, 132, 70), (172, 78, 44), (58, 50, 62),
)  # fmt: skip
_GREYS: tuple[Colour, ...] = ((226, 226, 228), (208, 210, 216), (190, 192, 200), (236, 232, 224))
_CLOTHES: tuple[Colour, ...] = (
    (84, 122, 170), (196, 96, 88), (104, 150, 116), (226, 178, 92), (128, 104, 160), (74, 86, 108), (214, 138, 150), (92, 154, 164),
)  # fmt: skip
_IRISES: tuple[Colour, ...] = ((84, 58, 40), (70, 106, 140), (78, 118, 82), (110, 84, 48))
_FRAMES: tuple[Colour, ...] = ((58, 46, 50), (112, 62, 44), (54, 70, 110))

_ROUND = np.stack([np.cos(np.arange(18) * np.pi / 9), np.sin(np.arange(18) * np.pi / 9)], axis=1)


@dataclass(frozen=True)
class Face:
    """One person before one backdrop; everything but the signs of age."""

    backdrop: Backdrop
    x: float
    y: float
    size: float
    tilt: float
    turn: float
    width: float
    jaw: float
    chin: float
    skin: Colour
    hair: Colour
    grey: Colour
    iris: Colour
    cloth: Colour
    collar: int
    style: str
    side: float
    beard: int  # 0 none, 1 moustache, 2 full
    glasses: int  # 0 none, 1 round, 2 square; only when old
    frame: Colour
    eyes: tuple[float, float, float]  # distance, size, height
    gaze: float
    brows: tuple[float, float]  # height, slope
    nose: tuple[float, float]  # length, width
    mouth: tuple[float, float]  # width, smile
    lines: float

    def place(self, points: Floats) -> Floats:
        """Face coordinates (…, 2) -> unit coordinates (…, 2)."""
        c, s = np.cos(self.tilt), np.sin(self.tilt)
        scaled = points * np.array([0.80 * self.width * self.size, self.size])
        placed: Floats = scaled @ np.array([[c, s], [-s, c]]) + np.array([self.x, self.y])
        return placed


def sample(rng: np.random.Generator, unseen: bool) -> Face:
    """Make up a person and a backdrop."""

    def one(things: tuple[Colour, ...]) -> Colour:
        return things[int(rng.integers(len(things)))]

    def within(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    skin = int(rng.integers(len(_SKINS)))
    # Fair hair is rare above dark skin.
    hair = _HAIRS[int(rng.integers(len(_HAIRS) if skin < 3 else 3))]
    style = STYLES_OF_HAIR[int(rng.integers(len(STYLES_OF_HAIR)))]
    beard = pick(rng, (0.6, 0.15, 0.25)) if HAIR[style].bearded else 0
    return Face(
        backdrop=sample_backdrop(rng, UNSEEN if unseen else SEEN),
        x=within(0.46, 0.54), y=within(0.47, 0.52), size=within(0.27, 0.32), tilt=within(-0.11, 0.11), turn=within(-0.12, 0.12),
        width=within(0.93, 1.08), jaw=within(0.62, 0.86), chin=within(0.97, 1.08),
        skin=shade(_SKINS[skin], within(0.96, 1.03)), hair=shade(hair, within(0.9, 1.1)), grey=one(_GREYS), iris=one(_IRISES),
        cloth=shade(one(_CLOTHES), within(0.9, 1.1)), collar=int(rng.integers(3)), style=style, side=side(rng),
        beard=beard, glasses=pick(rng, (0.25, 0.45, 0.30)), frame=one(_FRAMES),
        eyes=(within(0.40, 0.47), within(0.9, 1.15), within(-0.06, 0.02)), gaze=within(-0.04, 0.04),
        brows=(within(-0.02, 0.04), within(-0.04, 0.06)), nose=(within(0.9, 1.15), within(0.85, 1.2)),
        mouth=(within(0.26, 0.36), within(0.02, 0.12)), lines=within(0.85, 1.15),
    )  # fmt: skip


def draw(scene: Face, style: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3): the person when ``style``."""
    view = View(*size)
    canvas = _paint(scene, view, style)
    person = canvas.layer()
    # From the canvas' coverage: the same for both ages.
    person[..., :3] *= relief(_silhouette(scene, view), view, scene.backdrop.sun, 0.75)[..., None]
    return finish(compose(draw_backdrop(scene.backdrop, view), person))


def mask(scene: Face, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W): true where hair, brows, a beard, wrinkles or glasses show, be it at the very edge of a pixel."""
    result: NDArray[np.bool_] = _paint(scene, View(*size), "mask").layer()[..., 0] > 0
    return result


def _silhouette(face: Face, view: View) -> Layer:
    canvas = Canvas(view)
    black: Colour = (0, 0, 0)
    canvas.polygon(face.place(_shoulders()), black)
    canvas.polygon(face.place(_skull(face)), black)
    for outline in (*HAIR[face.style].behind(face.side), *HAIR[face.style].before(face.side)):
        canvas.polygon(face.place(outline), black)
    return np.asarray(canvas.layer()[..., 3] / np.float32(255), dtype=np.float32)


def _disc(x: float, y: float, rx: float, ry: float) -> Floats:
    disc: Floats = np.array([x, y]) + _ROUND * np.array([rx, ry])
    return disc


def _skull(face: Face) -> Floats:
    jaw = face.jaw
    right = np.array([(0.60, -0.90), (0.93, -0.42), (0.97, 0.08), (jaw + 0.06, 0.55), (0.42, 0.90)])
    left = right[::-1] * np.array([-1.0, 1.0])
    return loop(np.concatenate([[(0.0, -1.04)], right, [(0.0, face.chin)], left]), 5)


def _shoulders() -> Floats:
    side = np.array([(0.42, 1.06), (1.05, 1.26), (1.55, 1.48), (1.75, 2.1), (1.8, 5.0)])
    return np.concatenate([curve(side, 4), curve(side[::-1] * np.array([-1.0, 1.0]), 4)])


def _paint(face: Face, view: View, style: str) -> Canvas:
    canvas = Canvas(view)
    masked = style == "mask"

    def same(colour: Colour) -> Colour:
        """What age leaves alone."""
        return (0, 0, 0) if masked else colour

    def aged(young: Colour, old: Colour) -> Colour:
        """What age changes."""
        return (255, 255, 255) if masked else old if style == "old" else young

    def fill(outline: Floats, colour: Colour) -> None:
        canvas.polygon(face.place(outline), colour)

    skin, dark = face.skin, shade(face.skin, 0.80)
    hair = aged(face.hair, face.grey)
    hair_dark = aged(shade(face.hair, 0.78), shade(face.grey, 0.84))
    hair_light = aged(mix(face.hair, (255, 226, 190), 0.22), mix(face.grey, (255, 255, 255), 0.55))
    cut: Hair = HAIR[face.style]

    for outline in cut.behind(face.side):
        fill(outline, hair_dark)
    _dress(face, fill, same)
    for x in (-1.0, 1.0):
        fill(_disc(0.99 * x - 0.3 * face.turn, 0.06, 0.15, 0.20), same(shade(skin, 0.92)))
        fill(_disc(0.99 * x - 0.3 * face.turn, 0.07, 0.08, 0.11), same(dark))
    fill(_skull(face), same(skin))
    for x in (-0.56, 0.56):
        fill(_disc(x + face.turn, 0.34, 0.22, 0.14), same(mix(skin, (236, 110, 100), 0.22)))
    if face.beard == 2:
        low = np.array([(0.97, 0.05), (0.90, 0.42), (0.62, 0.84), (0.0, face.chin + 0.12)])
        high = np.array([(0.0, 0.42), (0.40, 0.42), (0.66, 0.30), (0.90, 0.02)])
        both = np.concatenate([low, low[-2::-1] * np.array([-1.0, 1.0]), high[::-1] * np.array([-1.0, 1.0]), high[1:]])
        fill(loop(both, 4), hair)
    if face.beard:
        shift = face.turn
        fill(loop(np.array([(shift, 0.40), (0.24 + shift, 0.40), (0.42 + shift, 0.54), (0.16 + shift, 0.52), (shift, 0.50),
                            (-0.16 + shift, 0.52), (-0.42 + shift, 0.54), (-0.24 + shift, 0.40)]), 3), hair_dark)  # fmt: skip
    _features(face, canvas, fill, same, aged)
    if style != "young":
        _wrinkles(face, canvas, (255, 255, 255) if masked else shade(skin, 0.66))
    for outline in cut.before(face.side):
        fill(outline, hair)
    for line in cut.shine(face.side):
        canvas.line(face.place(curve(line, 5)), 0.05 * face.size, hair_light)
    if style != "young" and face.glasses:
        _glasses(face, canvas, (255, 255, 255) if masked else face.frame)
    return canvas


def _dress(face: Face, fill: Fill, same: Same) -> None:
    fill(np.array([(-0.42, 0.5), (0.42, 0.5), (0.46, 1.35), (-0.46, 1.35)]), same(shade(face.skin, 0.80)))
    fill(_shoulders(), same(face.cloth))
    if face.collar == 0:
        fill(np.array([(-0.44, 1.04), (0.44, 1.04), (0.0, 1.66)]), same(shade(face.skin, 0.84)))
        for x in (-1.0, 1.0):
            flap = np.array([(0.44 * x, 1.02), (0.60 * x, 1.22), (0.18 * x, 1.70), (0.0, 1.62)])
            fill(flap, same(mix(face.cloth, (255, 255, 255), 0.5)))
    elif face.collar == 1:
        fill(_disc(0.0, 1.10, 0.50, 0.22), same(shade(face.skin, 0.84)))
    else:
        fill(loop(np.array([(-0.5, 1.0), (0.5, 1.0), (0.58, 1.28), (0.0, 1.38), (-0.58, 1.28)]), 4), same(shade(face.cloth, 0.8)))


def _features(face: Face, canvas: Canvas, fill: Fill, same: Same, aged: Aged) -> None:
    gap, size, height = face.eyes
    turn = face.turn
    for way in (-1.0, 1.0):
        x = way * gap + turn
        fill(_disc(x, height, 0.19 * size, 0.115 * size), same((250, 248, 244)))
        fill(_disc(x + face.gaze, height, 0.095 * size, 0.105 * size), same(face.iris))
        fill(_disc(x + face.gaze, height, 0.05 * size, 0.06 * size), same((24, 20, 24)))
        fill(_disc(x + face.gaze + 0.03, height - 0.04, 0.028, 0.028), same((255, 255, 255)))
        lid = np.array([(x - 0.20 * size, height - 0.01), (x, height - 0.125 * size), (x + 0.20 * size, height - 0.01)])
        canvas.line(face.place(curve(lid, 4)), 0.035 * face.size, same((62, 44, 42)))
        lift, slope = face.brows
        y = height - 0.27 - lift
        brow = np.array([(x - 0.22, y + way * slope + 0.03), (x, y - 0.05), (x + 0.22, y - way * slope + 0.03)])
        canvas.line(face.place(curve(brow, 4)), 0.085 * face.size, aged(shade(face.hair, 0.85), shade(face.grey, 0.90)))
    length, width = face.nose
    tip = height + 0.36 * length
    nose = np.array([(0.04 + 1.2 * turn, height + 0.1), (0.11 * width + 1.5 * turn, tip - 0.03), (0.06 * width + 1.5 * turn, tip + 0.03),
                     (-0.10 * width + 1.4 * turn, tip + 0.02)])  # fmt: skip
    canvas.line(face.place(curve(nose, 4)), 0.04 * face.size, same(shade(face.skin, 0.74)))
    half, smile = face.mouth
    mouth = np.array([(-half + turn, 0.60 - smile * 0.5), (turn, 0.60 + smile), (half + turn, 0.60 - smile * 0.5)])
    upper = mouth + np.array([(0.0, 0.0), (0.0, -0.03), (0.0, 0.0)])
    fill(np.concatenate([curve(upper, 5), curve(mouth[::-1] + np.array([(0.0, 0.0), (0.0, 0.085), (0.0, 0.0)]), 5)]),
         same(mix(face.skin, (196, 62, 70), 0.62)))  # fmt: skip
    canvas.line(face.place(curve(upper, 5)), 0.028 * face.size, same(mix(face.skin, (120, 40, 46), 0.72)))


def _wrinkles(face: Face, canvas: Canvas, colour: Colour) -> None:
    turn, (gap, size, height) = face.turn, face.eyes
    lines: list[tuple[Floats, float]] = []
    for i in range(3):
        y, half = -0.44 - 0.115 * i, 0.40 - 0.03 * i
        points = np.array([(-half + turn, y + 0.03), (-0.2 + turn, y - 0.015), (turn, y + 0.01), (0.2 + turn, y - 0.015),
                           (half + turn, y + 0.03)])  # fmt: skip
        lines.append((points, 0.040))
    for way in (-1.0, 1.0):
        corner = way * (gap + 0.25 * size) + turn
        for slope in (-0.09, 0.0, 0.09):
            lines.append((np.array([(corner, height + 0.35 * slope), (corner + 0.16 * way, height + 1.4 * slope)]), 0.032))
        x = way * gap + turn
        lines.append((np.array([(x - 0.15, height + 0.165), (x, height + 0.205), (x + 0.15, height + 0.165)]), 0.034))
        if face.beard == 2:
            continue
        fold = np.array([(0.20 * way + 1.2 * turn, 0.36), (0.36 * way + turn, 0.46), (0.44 * way + turn, 0.64)])
        lines.append((fold, 0.042))
    for points, width in lines:
        canvas.line(face.place(curve(points, 4)), width * face.lines * face.size, colour)


def _glasses(face: Face, canvas: Canvas, colour: Colour) -> None:
    turn, (gap, _, height) = face.turn, face.eyes
    width = 0.052 * face.size
    for way in (-1.0, 1.0):
        x = way * gap + turn
        if face.glasses == 1:
            rim = _disc(x, height + 0.02, 0.29, 0.235)
        else:
            corners = np.array([(-0.3, -0.19), (0.0, -0.205), (0.3, -0.19), (0.29, 0.06), (0.24, 0.21), (0.0, 0.225), (-0.24, 0.21),
                                (-0.29, 0.06)])  # fmt: skip
            rim = loop(corners + np.array([x, height + 0.02]), 3)
        canvas.line(face.place(np.concatenate([rim, rim[:2]])), width, colour)
        canvas.line(face.place(np.array([(way * (gap + 0.29) + turn, height), (0.97 * way, height - 0.02)])), width, colour)
    bridge = np.array([(-gap + 0.29 + turn, height), (turn, height - 0.05), (gap - 0.29 + turn, height)])
    canvas.line(face.place(curve(bridge, 3)), width, colour)
