"""The colour circle: paint of a hue, the hue of a picture, and how far two series of hues agree."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canvas import Colour

#: Pixels up to this saturation have no say in a picture's hue: grounds, metal, soles and shadows stay below it.
NEUTRAL = 0.25


def paint(hue: float, saturation: float, value: float) -> Colour:
    """The colour of this hue in degrees, saturation and value in 0…1.

    >>> paint(120, 1.0, 0.6)
    (0, 153, 0)
    """
    r, g, b = colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value)
    return round(255 * r), round(255 * g), round(255 * b)


def hue(pictures: NDArray[np.uint8]) -> Any:
    """The hue in [0, 360) degrees of what is coloured in a picture: a float for (H, W, 3), (N,) of them for (N, H, W, 3).

    The circular mean of the pixels' hues, each weighed by its brightness times the saturation that it has above NEUTRAL. A
    picture where nothing is that saturated, or whose hues are in balance all round the circle, has no hue: NaN.

    >>> round(hue(np.full((8, 8, 3), (0, 153, 0), np.uint8)))
    120
    """
    if pictures.ndim < 3 or pictures.shape[-1] != 3:
        raise ValueError(f"A hue is found in pictures of the shape (H, W, 3) or (N, H, W, 3), not {pictures.shape}.")
    values = pictures.astype(np.float32)
    r, g, b = np.moveaxis(values, -1, 0)
    top, chroma = values.max(axis=-1), np.ptp(values, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        sixths = np.where(top == r, (g - b) / chroma, np.where(top == g, 2 + (b - r) / chroma, 4 + (r - g) / chroma))
    turns = np.exp(1j * np.deg2rad(60.0 * np.nan_to_num(sixths)))
    weights = np.maximum(chroma - NEUTRAL * top, 0).astype(np.float64)
    total = np.sum(weights * turns, axis=(-2, -1))
    # The last % turns a tiny negative angle's 360 into 0.
    degrees = np.rad2deg(np.angle(total)) % 360 % 360
    return np.where(np.abs(total) > 1e-6 * np.sum(weights, axis=(-2, -1)), degrees, np.nan)[()]


def _on_the_circle(a: ArrayLike, b: ArrayLike) -> list[NDArray[np.complex128]]:
    """Both series of degrees (N,) as points of the unit circle, 0 for NaN."""
    series = [np.deg2rad(np.asarray(degrees, dtype=np.float64)) for degrees in (a, b)]
    if series[0].shape != series[1].shape or series[0].ndim != 1 or not series[0].size:
        raise ValueError(f"Hues are compared as two series of the same length (N,), not {series[0].shape} and {series[1].shape}.")
    return [np.where(np.isnan(angles), 0, np.exp(1j * np.nan_to_num(angles))) for angles in series]


def hue_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """The mean of cos(a - b) of two series (N,) of hues in degrees: 1 for equal hues, -1 for opposite ones.

    It is about 0 where one series is uniform round the circle and the other doesn't depend on it, even if the other is always the
    same colour. (The coefficient of Jammalamadaka and SenGupta is measured from the series' mean directions, which uniform series
    don't have.) A pair of which one is NaN counts as no agreement: 0.

    >>> round(hue_correlation([10, 130, 250], [10, 130, 250]), 9)
    1.0
    >>> round(hue_correlation([10, 130, 250], [190, 310, 70]), 9)
    -1.0
    """
    x, y = _on_the_circle(a, b)
    return float(np.mean((x * y.conj()).real))


def hue_association(a: ArrayLike, b: ArrayLike) -> float:
    """How far one series (N,) of hues in degrees follows the other: 1 where b = a + any angle, -1 where b = any angle - a.

    The T-linear circular correlation of Fisher and Lee (Biometrika 70, 1983): the sum of sin(a_i - a_j) sin(b_i - b_j) over all
    pairs i, j, divided by the root of (the sum of sin²(a_i - a_j) times that of sin²(b_i - b_j)). Mean directions don't come
    into it, so it is about 0 for independent series, uniform or not. Where ``a`` is uniform and ``b`` is ``a`` with errors whose
    mean resultant length is r, it is about r². A series of one hue alone follows nothing: 0. NaNs bring it nearer to 0.

    >>> round(hue_association([10, 130, 260], [50, 170, 300]), 9)
    1.0
    >>> round(hue_association([10, 130, 260], [-10, -130, -260]), 9)
    -1.0
    """
    # Sums over pairs are squares of sums, because 2 sin u sin v = cos(u - v) - cos(u + v); the factors cancel.
    x, y = _on_the_circle(a, b)
    common = abs(np.sum(x * y.conj())) ** 2 - abs(np.sum(x * y)) ** 2
    own = [np.sum(abs(points)) ** 2 - abs(np.sum(points**2)) ** 2 for points in (x, y)]
    return float(common / np.sqrt(own[0] * own[1])) if min(own) > 1e-9 * x.size**2 else 0.0
