"""Hues of pictures made by hand, and the agreement of series of hues, against numbers known beforehand."""

from __future__ import annotations

import colorsys
import doctest

import numpy as np
import pytest

from translate_pictures import colour
from translate_pictures.colour import hue, hue_association, hue_correlation, paint


def _apart(a, b):
    """Degrees between two hues, at most 180."""
    return np.abs((np.asarray(a) - b + 180) % 360 - 180)


def _pairs(a, b):
    """Fisher and Lee's definition, written out."""
    i, j = np.triu_indices(len(a), 1)
    x, y = (np.sin(np.deg2rad(angles[i] - angles[j])) for angles in (np.asarray(a), np.asarray(b)))
    return (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())


@pytest.mark.parametrize("degrees", [0, 1, 45, 60, 119, 180, 200, 240, 299, 300, 359])
def test_the_hue_of_one_colour_is_that_of_hsv(degrees):
    picture = np.full((8, 8, 3), 255, np.uint8)
    picture[2:6, 2:6] = paint(degrees, 0.8, 0.7)
    exact = 360 * colorsys.rgb_to_hsv(*(picture[3, 3] / 255))[0]
    assert _apart(hue(picture), exact) < 1e-3
    assert _apart(hue(picture), degrees) < 0.5
    assert 0 <= hue(picture) < 360


def test_a_hue_comes_as_a_float_and_a_stack_as_many():
    pictures = np.stack([np.full((4, 6, 3), paint(degrees, 0.9, 0.9), np.uint8) for degrees in (10, 130, 250)])
    found = hue(pictures)
    assert isinstance(hue(pictures[0]), float)
    assert found.shape == (3,)
    assert np.array_equal(found, [hue(picture) for picture in pictures])


def test_a_mean_across_red_is_red():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0], picture[1] = paint(350, 0.9, 0.8), paint(10, 0.9, 0.8)
    assert _apart(hue(picture), 0) < 0.5


def test_pixels_count_by_their_colourfulness():
    picture = np.zeros((1, 4, 3), np.uint8)
    # Brightness times the saturation above NEUTRAL: three of 0.8 * 0.75 for blue, one of 0.4 * 0.5 for yellow.
    picture[0, :3], picture[0, 3] = (0, 0, 204), (102, 102, 26)
    yellow = 102 - 26 - 0.25 * 102
    balance = 3 * 0.75 * 204 * np.exp(1j * np.deg2rad(240)) + yellow * np.exp(1j * np.deg2rad(60))
    assert _apart(hue(picture), np.rad2deg(np.angle(balance))) < 1e-3
    # Greys, and a ground of wood that fills most of the picture, don't count.
    large = np.full((32, 32, 3), (190, 174, 156), np.uint8)
    large[:4, :4], large[20:, 20:] = paint(280, 0.7, 0.6), (90, 90, 94)
    assert _apart(hue(large), 280) < 1


def test_without_colour_there_is_no_hue():
    grey = np.full((4, 4, 3), 128, np.uint8)
    balanced = np.array([[(255, 0, 0), (0, 255, 255)]], np.uint8)
    assert np.isnan(hue(grey))
    assert np.isnan(hue(balanced))
    assert np.isnan(hue(np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(ValueError, match="not \\(4, 4, 1\\)"):
        hue(np.zeros((4, 4, 1), np.uint8))


@pytest.mark.parametrize("measure", [hue_correlation, hue_association])
def test_equal_hues_agree_and_independent_ones_do_not(measure):
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 360, (2, 4000))
    assert measure(a, a) == pytest.approx(1)
    assert measure(a, a + 360) == pytest.approx(1)
    assert abs(measure(a, b)) < 0.04
    # Always the same answer tells nothing about the question, nor does one of a few favourites.
    assert abs(measure(a, np.full(4000, 30.0))) < 0.04
    assert abs(measure(a, rng.normal(30, 20, 4000))) < 0.04


def test_a_rotation_is_no_agreement_but_an_association():
    a = np.random.default_rng(2).uniform(0, 360, 4000)
    for angle in (40, 120, 180):
        assert hue_correlation(a, a + angle) == pytest.approx(np.cos(np.deg2rad(angle)))
        assert hue_association(a, (a + angle) % 360) == pytest.approx(1)
        assert hue_association(a, angle - a) == pytest.approx(-1)
    assert abs(hue_correlation(a, 75 - a)) < 0.04


def test_errors_lower_both_by_as_much_as_they_say():
    rng = np.random.default_rng(3)
    a = rng.uniform(0, 360, 20000)
    errors = rng.normal(0, 30, 20000)
    r = np.exp(-(np.deg2rad(30) ** 2) / 2)
    assert hue_correlation(a, a + errors) == pytest.approx(r, abs=0.01)
    assert hue_association(a, a + errors + 90) == pytest.approx(r**2, abs=0.01)


def test_the_association_is_the_sum_over_pairs():
    rng = np.random.default_rng(4)
    for a, b in (rng.uniform(0, 360, (2, 30)), rng.normal(200, 25, (2, 30))):
        assert hue_association(a, b) == pytest.approx(_pairs(a, b))
        assert hue_association(a, 0.7 * a + 0.1 * b) == pytest.approx(_pairs(a, 0.7 * a + 0.1 * b))


def test_no_hue_is_no_agreement():
    a = np.random.default_rng(5).uniform(0, 360, 4000)
    b = a.copy()
    b[::2] = np.nan
    assert hue_correlation(a, b) == pytest.approx(0.5)
    assert hue_association(a, b) == pytest.approx(0.5, abs=0.02)
    assert hue_correlation(a, np.full(4000, np.nan)) == hue_association(a, np.full(4000, np.nan)) == 0


@pytest.mark.parametrize("measure", [hue_correlation, hue_association])
def test_series_of_different_lengths_are_refused(measure):
    with pytest.raises(ValueError, match="same length"):
        measure([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="same length"):
        measure([], [])


def test_examples():
    assert doctest.testmod(colour).failed == 0
