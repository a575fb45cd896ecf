"""Painting in unit coordinates: hard-edged shapes on a large canvas, averaged down to the size asked for.

The short side of a picture spans 0…1 in both axes, x to the right and y down; a longer side goes on below 0 and above 1.
Nothing here knows the size of the picture except :class:`View`, so a drawing is the same composition at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float64]
Layer = NDArray[np.float32]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class View:
    """Where unit coordinates fall on a picture of ``height`` × ``width`` pixels."""

    height: int
    width: int

    @property
    def short(self) -> int:
        """Pixels per unit."""
        return min(self.height, self.width)

    @property
    def oversampling(self) -> int:
        """Canvas pixels per picture pixel: small pictures need smooth edges most, and can afford them."""
        return 4 if self.short <= 128 else 3 if self.short <= 384 else 2

    @property
    def left(self) -> float:
        """The x of the left border; the right one is at 1 - left."""
        return 0.5 - self.width / self.short / 2

    @property
    def top(self) -> float:
        """The y of the upper border; the lower one is at 1 - top."""
        return 0.5 - self.height / self.short / 2

    def rows(self) -> Layer:
        """(H,) the y of the pixel centres."""
        return ((np.arange(self.height) + 0.5) / self.short + self.top).astype(np.float32)

    def columns(self) -> Layer:
        """(W,) the x of the pixel centres."""
        return ((np.arange(self.width) + 0.5) / self.short + self.left).astype(np.float32)


class Canvas:
    """A transparent sheet to paint opaque shapes on."""

    def __init__(self, view: View) -> None:
        self.view = view
        k = view.oversampling
        self._scale = view.short * k
        # Half a canvas pixel: PIL's coordinates name pixel centres.
        self._left, self._top = -view.left * self._scale - 0.5, -view.top * self._scale - 0.5
        self._shift = np.array([self._left, self._top])
        # Four plain bytes a pixel: colour and coverage. (Pillow's RGBA would divide colours by coverage in reduce().)
        self.image = Image.new("RGBX", (view.width * k, view.height * k), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def pixels(self, points: Floats) -> Floats:
        """Unit coordinates (…, 2) -> canvas pixels (…, 2)."""
        placed: Floats = points * self._scale + self._shift
        return placed

    def polygon(self, points: Floats, colour: Colour) -> None:
        """Fill the outline (N, 2)."""
        self._draw.polygon(self.pixels(points).ravel().tolist(), fill=(*colour, 255))

    def polygons(self, outlines: Floats, colours: Sequence[Colour]) -> None:
        """Fill every outline of (M, N, 2), one after the other."""
        flat = self.pixels(outlines).reshape(len(outlines), 2 * outlines.shape[1]).tolist()
        for outline, colour in zip(flat, colours, strict=True):
            self._draw.polygon(outline, fill=(*colour, 255))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill the ellipse about (x, y)."""
        # Plain numbers: for two corners an array costs more than it saves.
        x, y, rx, ry = x * self._scale + self._left, y * self._scale + self._top, rx * self._scale, ry * self._scale
        self._draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=(*colour, 255))

    def line(self, points: Floats, width: float, colour: Colour) -> None:
        """A line through (N, 2), ``width`` thick, with round ends and joints."""
        pixels = self.pixels(points)
        radius = max(width * self._scale / 2, 0.5)
        fill = (*colour, 255)
        self._draw.line(pixels.ravel().tolist(), fill=fill, width=max(1, round(2 * radius)))
        # A disc at every point closes the joints of a thick line; on a thin one only its ends would show.
        for x, y in pixels.tolist() if radius > 2 else (pixels[0].tolist(), pixels[-1].tolist()):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def layer(self) -> Layer:
        """(H, W, 4) averaged to the picture's size, in 0…255: colour already multiplied by coverage, then coverage."""
        # The plain average is premultiplied, because empty pixels are all zeros and painted ones opaque; so layers compose
        # exactly, and pixels that no shape touches stay bit for bit what they were.
        return np.asarray(self.image.reduce(self.view.oversampling), dtype=np.float32)


def compose(below: Layer, above: Layer) -> Layer:
    """Lay a layer (H, W, 4) over an opaque picture (H, W, 3)."""
    result: Layer = below * (1 - above[..., 3:] / np.float32(255)) + above[..., :3]
    return result


def finish(picture: Layer) -> NDArray[np.uint8]:
    """(H, W, C) in 0…255 as bytes."""
    return np.asarray(np.clip(picture + 0.5, 0, 255), dtype=np.uint8)


def blur(values: Layer, radius: float) -> Layer:
    """Blur a map (H, W) in 0…1 by ``radius`` pixels."""
    image = Image.fromarray(np.asarray(values * 255 + 0.5, dtype=np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / np.float32(255)


def noise(lattice: NDArray[np.float32], view: View) -> Layer:
    """(H, W) smooth noise from a lattice (n, n) that is spread over the square x, y in [-1, 2]; beyond it, its border goes on."""
    n = len(lattice)
    x = (view.columns() + 1) / 3 * n
    y = (view.rows() + 1) / 3 * n
    step = 1 / view.short / 3 * n / 2
    box = (float(x[0] - step), float(y[0] - step), float(x[-1] + step), float(y[-1] + step))
    box = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(n)), min(box[3], float(n)))
    image = Image.fromarray(lattice).resize((view.width, view.height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image, dtype=np.float32)


def curve(points: Floats, samples: int = 6) -> Floats:
    """A smooth open curve (M, 2) through the points (N, 2): Catmull-Rom, ``samples`` points between neighbours."""
    result: Floats = spline(len(points), samples) @ points
    return result


def loop(points: Floats, samples: int = 6) -> Floats:
    """A smooth closed curve (M, 2) through the points (N, 2)."""
    result: Floats = spline(len(points), samples, closed=True) @ points
    return result


# Curves are linear in their points and there are few kinds, so each kind is one small matrix that is made once.
@cache
def spline(count: int, samples: int, closed: bool = False) -> Floats:
    """(M, N): the matrix that takes N points to a smooth curve through them."""
    eye = np.eye(count)
    if closed:
        padded, pieces, end = np.concatenate([eye[-1:], eye, eye[:2]]), count, eye[:0]
    else:
        padded, pieces, end = np.concatenate([2 * eye[:1] - eye[1:2], eye, 2 * eye[-1:] - eye[-2:-1]]), count - 1, eye[-1:]
    t = np.arange(samples)[:, None] / samples
    basis = np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]) / 2
    windows = np.stack([padded[i : i + pieces] for i in range(4)], axis=1)
    return np.concatenate([np.einsum("sk,pkc->psc", basis, windows).reshape(-1, count), end])


@cache
def linear(count: int, samples: int) -> Floats:
    """(M, N): the matrix that takes N values to straight lines between them, as many as :func:`spline` has points."""
    at = np.arange((count - 1) * samples + 1) / samples
    return np.stack([np.interp(at, np.arange(count), row) for row in np.eye(count)], axis=1)


def normals(line: Floats) -> Floats:
    """(…, M, 2) unit vectors to the left of the way along curves (…, M, 2), where y points up."""
    left = np.empty_like(line)
    left[..., 1:-1, :] = line[..., 2:, ::-1] - line[..., :-2, ::-1]
    left[..., 0, :] = line[..., 1, ::-1] - line[..., 0, ::-1]
    left[..., -1, :] = line[..., -1, ::-1] - line[..., -2, ::-1]
    left /= np.sqrt(left[..., :1] ** 2 + left[..., 1:] ** 2) + 1e-9
    left[..., 0] *= -1
    return left


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """The colour a share ``t`` of the way from ``a`` to ``b``."""
    return (round(a[0] + (b[0] - a[0]) * t), round(a[1] + (b[1] - a[1]) * t), round(a[2] + (b[2] - a[2]) * t))


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (below 1) or lighter (above 1)."""
    r, g, b = (min(255, max(0, round(value * factor))) for value in colour)
    return r, g, b


def gradient(positions: Sequence[float], colours: Sequence[Colour], at: Layer) -> Layer:
    """(N, 3) colours at ``at`` (N,), interpolated between ``colours`` at ``positions``."""
    table = np.array(colours, dtype=np.float64)
    return np.stack([np.interp(at, positions, table[:, c]) for c in range(3)], axis=1).astype(np.float32)
