"""Coats: what a body is painted with. A coat decides colours only; outlines are the body's, so they agree between coats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np

from .animals import Body, Tube
from .canvas import Canvas, Colour, Floats, mix, shade

#: Plain coats: body, mane and tail, lower legs. Of middle brightness and never far from their mean: nothing in a zebra tells
#: which of them its counterpart wears, and that uncertainty must stay well below the contrast of the stripes.
PLAIN: dict[str, tuple[Colour, Colour, Colour]] = {
    "bay": ((142, 88, 54), (52, 38, 34), (84, 58, 44)),
    "chestnut": ((158, 94, 56), (136, 76, 44), (146, 86, 52)),
    "dun": ((164, 128, 88), (86, 64, 50), (110, 84, 62)),
    "palomino": ((172, 130, 82), (198, 166, 122), (166, 126, 82)),
    "brown": ((118, 80, 56), (62, 48, 42), (88, 62, 50)),
    "liver": ((128, 82, 64), (96, 62, 50), (112, 74, 58)),
    "grullo": ((138, 116, 98), (74, 62, 56), (100, 84, 74)),
}
BLACK: Colour = (30, 27, 30)
WHITE: Colour = (240, 236, 228)
_HOOF: Colour = (62, 54, 50)
_EYE: Colour = (26, 20, 20)


@dataclass(frozen=True)
class Stripes:
    """``count`` bands across one part, evenly from ``first`` to ``last`` along it, black for ``share`` of the way."""

    first: float
    last: float
    count: int
    share: float
    #: How far the middle of a band runs ahead of its ends.
    bow: float = 0.0
    #: How far across the part a band goes.
    reach: float = 1.0
    #: Thickness at both ends of a band, as a share of that in its middle.
    ends: tuple[float, float] = (1.0, 1.0)

    @cache  # noqa: B019 - only the few patterns below are ever asked, and each stays for as long as the program
    def weights(self, points: int) -> Floats:
        """(count * 14, 2 * points): the matrix that takes both edges of a part to the outlines of its bands."""
        t = np.linspace(0, 1, 7)
        centres = np.linspace(self.first, self.last, self.count)
        widest = (self.last - self.first) / (self.count - 1) * self.share / 2
        half = widest * np.interp(t, (0, 0.5, 1), (self.ends[0], 1, self.ends[1]))
        middle = centres[:, None] + self.bow * 4 * t * (1 - t)
        along = np.clip(np.concatenate([middle - half, (middle + half)[:, ::-1]], axis=1), 0, 1).ravel()
        across = np.tile(self.reach * np.concatenate([t, t[::-1]]), self.count)[:, None]
        at = np.linspace(0, 1, points)
        edge = np.stack([np.interp(along, at, row) for row in np.eye(points)], axis=1)
        return np.hstack([edge * (1 - across), edge * across])

    def outlines(self, tube: Tube) -> Floats:
        """(count, 14, 2)."""
        result: Floats = self.weights(len(tube.a)) @ np.concatenate([tube.a, tube.b])
        return result.reshape(self.count, 14, 2)


#: The pattern is the same on every zebra up to its pose and build: it belongs to the body, so it can be learned.
STRIPES: dict[str, Stripes] = {
    "trunk": Stripes(0.26, 0.93, 6, 0.50, bow=0.012, reach=0.95, ends=(1.1, 0.5)),
    "neck": Stripes(0.14, 0.97, 5, 0.52, bow=-0.02, ends=(1.05, 0.75)),
    "head": Stripes(0.12, 0.66, 3, 0.52, bow=0.05, ends=(1.0, 0.7)),
    "mane": Stripes(0.14, 0.97, 5, 0.56),
    "tail": Stripes(0.12, 0.42, 3, 0.5),
    "fore_near": Stripes(0.064, 0.80, 4, 0.52),
    "fore_far": Stripes(0.064, 0.80, 4, 0.52),
    "hind_near": Stripes(0.049, 0.80, 5, 0.52),
    "hind_far": Stripes(0.049, 0.80, 5, 0.52),
}


class Coat(ABC):
    """Paints one animal, whose body has been moved to its place in the picture."""

    def paint(self, canvas: Canvas, body: Body, unit: float) -> None:
        """Paint all of ``body``, back to front; ``unit`` is the height of its withers in the picture."""
        self.part(canvas, body.tubes["tail"], 1.0)
        for name in ("fore_far", "hind_far"):
            self.limb(canvas, body, name, 0.74)
        self.shape(canvas, body.shapes["ear_far"], 0.8)
        self.part(canvas, body.tubes["trunk"], 1.0)
        for name in ("hind_near", "fore_near"):
            self.limb(canvas, body, name, 1.0)
        self.part(canvas, body.tubes["neck"], 1.0)
        self.part(canvas, body.tubes["head"], 1.0)
        self.part(canvas, body.tubes["mane"], 1.0)
        self.shape(canvas, body.shapes["ear_near"], 1.0)
        self.shape(canvas, body.shapes["forelock"], 0.0)
        size = body.head_length * unit
        for (x, y), radius in ((body.eye.tolist(), 0.05 * size), (body.nostril.tolist(), 0.03 * size)):
            canvas.ellipse(x, y, radius, radius, self.fixed(_EYE))

    def limb(self, canvas: Canvas, body: Body, name: str, light: float) -> None:
        """Paint a leg, then its hoof, which no coat changes."""
        # The skin of a leg begins at its first band, so that the bands of the trunk run down to it.
        self.part(canvas, body.tubes[name].after(0.2), light)
        canvas.polygon(body.shapes[f"hoof_{name}"], self.fixed(shade(_HOOF, light)))

    def bands(self, canvas: Canvas, tube: Tube, base: Colour, band: Colour) -> None:
        """Paint one tube, and its bands on it."""
        canvas.polygon(tube.outline, base)
        stripes = STRIPES[tube.name]
        canvas.polygons(stripes.outlines(tube), [band] * stripes.count)

    def fixed(self, colour: Colour) -> Colour:
        """The colour of what is the same in every coat."""
        return colour

    @abstractmethod
    def part(self, canvas: Canvas, tube: Tube, light: float) -> None:
        """Paint one tube, ``light`` times as bright as in full light."""

    @abstractmethod
    def shape(self, canvas: Canvas, outline: Floats, light: float) -> None:
        """Paint an ear, or with ``light`` 0 the forelock."""


@dataclass(frozen=True)
class PlainCoat(Coat):
    """A horse's: one colour, darker towards the hooves, with mane and tail of another."""

    body: Colour
    hair: Colour
    legs: Colour

    def part(self, canvas: Canvas, tube: Tube, light: float) -> None:
        """See :class:`Coat`."""
        base = shade(self.hair if tube.name in ("mane", "tail") else self.body, light)
        # The bands are painted here too, if unseen: rounding may put them a canvas pixel beyond the outline, and both coats must
        # cover exactly the same.
        self.bands(canvas, tube, base, base)
        if tube.name.startswith(("fore", "hind")):
            for start, share in ((0.375, 0.35), (0.475, 0.7), (0.575, 1.0)):
                canvas.polygon(tube.after(start).outline, shade(mix(self.body, self.legs, share), light))
        elif tube.name == "head":
            for start, share in ((0.66, 0.3), (0.78, 0.6)):
                canvas.polygon(tube.after(start).outline, shade(mix(self.body, (60, 46, 42), share), light))

    def shape(self, canvas: Canvas, outline: Floats, light: float) -> None:
        """See :class:`Coat`."""
        canvas.polygon(outline, shade(self.body, light) if light else self.hair)


@dataclass(frozen=True)
class StripedCoat(Coat):
    """A zebra's: black bands on white across every part, a dark muzzle and tuft."""

    black: Colour = BLACK
    white: Colour = WHITE

    def part(self, canvas: Canvas, tube: Tube, light: float) -> None:
        """See :class:`Coat`."""
        self.bands(canvas, tube, shade(self.white, light), shade(self.black, light))
        if tube.name == "head":
            for start, colour in ((0.70, mix(self.white, self.black, 0.55)), (0.78, mix(self.white, self.black, 0.85))):
                canvas.polygon(tube.after(start).outline, shade(colour, light))
        elif tube.name == "tail":
            canvas.polygon(tube.after(0.5).outline, shade(self.black, light))

    def shape(self, canvas: Canvas, outline: Floats, light: float) -> None:
        """See :class:`Coat`."""
        canvas.polygon(outline, shade(self.white, 0.94 * light) if light else self.black)


class CoverCoat(Coat):
    """White where any coat shows and black elsewhere: painted to know the mask."""

    def fixed(self, colour: Colour) -> Colour:
        """See :class:`Coat`."""
        return (0, 0, 0)

    def part(self, canvas: Canvas, tube: Tube, light: float) -> None:
        """See :class:`Coat`."""
        self.bands(canvas, tube, (255, 255, 255), (255, 255, 255))

    def shape(self, canvas: Canvas, outline: Floats, light: float) -> None:
        """See :class:`Coat`."""
        canvas.polygon(outline, (255, 255, 255))
