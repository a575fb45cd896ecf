"""Bags and shoes: their hue is the only thing they have in common, and it can be found again in the picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from translate_pictures import bags, products, shoes
from translate_pictures.colour import hue, hue_association, hue_correlation
from translate_pictures.domain import DrawnDomain
from translate_pictures.products import CORAL, LEATHER, NAVY, TAN

KINDS = {"bags": bags.KINDS, "shoes": shoes.KINDS}
#: The mean of exp(i·hue): that of a wrapped normal distribution for leathers, and of a stretch of the circle for dyes.
_ARC = np.deg2rad([CORAL, NAVY])
MEAN = LEATHER * np.exp(1j * np.deg2rad(TAN.mean) - np.deg2rad(TAN.stdev) ** 2 / 2) + (1 - LEATHER) * (
    (np.exp(1j * _ARC[1]) - np.exp(1j * _ARC[0])) / (1j * (_ARC[1] - _ARC[0]))
)


def _true(domain, count):
    return np.array([domain.scene(i).hue for i in range(count)])


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("split", ["train", "test", "unseen"])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_hue_of_a_drawing_is_that_of_its_scene(name, split, size):
    domain = DrawnDomain(name, split, (size, size))
    found = hue(np.stack([domain.read(i) for i in range(40)]))
    apart = np.abs((found - _true(domain, 40) + 180) % 360 - 180)
    assert apart.max() < 3
    assert hue_correlation(found, _true(domain, 40)) > 0.999


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_keeps_its_hue_with_all_its_details(name):
    scene = DrawnDomain(name, "unseen").scene(0)
    rng = np.random.default_rng(0)
    for kind, build in KINDS[name].items():
        for _ in range(8):
            changes = {"proportions": tuple(rng.uniform(-1, 1, 8)), "details": tuple(rng.random(8)), "hue": rng.uniform(0, 360)}
            one = dataclasses.replace(scene, kind=kind, saturation=0.55, value=0.45, **changes)
            assert abs((hue(products.draw(one, build, (32, 32))) - one.hue + 180) % 360 - 180) < 4


@pytest.mark.parametrize("name", KINDS)
def test_hues_are_those_of_leathers_and_dyes_and_independent_of_everything_else(name):
    domain = DrawnDomain(name)
    scenes = [domain.scene(i) for i in range(len(domain))]
    hues = np.array([scene.hue for scene in scenes])
    counts = np.histogram(hues, 12, (0, 360))[0]
    # Chi-squared with 11 degrees of freedom: above 31 once in a thousand.
    leather = [sum(TAN.cdf(edge + turn + 30) - TAN.cdf(edge + turn) for turn in (-360, 0, 360)) for edge in range(0, 360, 30)]
    dyed = [max(0.0, min(edge + 30, NAVY) - max(edge, CORAL)) / (NAVY - CORAL) for edge in range(0, 360, 30)]
    expected = len(hues) * (LEATHER * np.array(leather) + (1 - LEATHER) * np.array(dyed))
    some = expected > 5  # where fewer are expected, the statistic is no chi-squared
    assert ((counts - expected) ** 2 / expected)[some].sum() < 31
    assert counts[~some].sum() < 5 + 3 * expected[~some].sum()
    assert {scene.kind for scene in scenes} == set(KINDS[name])
    for kind in KINDS[name]:
        of_kind = np.array([scene.kind == kind for scene in scenes])
        assert of_kind.mean() > 0.5 / len(KINDS[name])
        assert abs(np.exp(1j * np.deg2rad(hues[of_kind])).mean() - MEAN) < 0.25
    assert all(0.4 <= scene.saturation <= 0.95 and 0.53 <= scene.value <= 0.98 for scene in scenes)
    # From pale corals to deep navy, whatever leads round the circle the other way.
    depth = [(scene.saturation - scene.value, scene.hue) for scene in scenes if scene.hue < 300]
    assert np.corrcoef(np.array(depth).T)[0, 1] > 0.95


def test_bags_and_shoes_of_one_index_do_not_agree():
    a, b = (_true(DrawnDomain(name), 1000) for name in KINDS)
    assert abs(hue_correlation(a, b) - abs(MEAN) ** 2) < 0.08  # both are leathers now and then
    assert abs(hue_association(a, b)) < 0.08


@pytest.mark.parametrize("name", KINDS)
def test_grounds_are_near_white_but_for_unseen_ones(name):
    corners = {
        split: [DrawnDomain(name, split, (64, 64)).read(i)[:3, :3].mean() for i in range(40)]
        for split in ("train", "test", "unseen")
    }
    assert min(corners["train"] + corners["test"]) > 225
    assert max(corners["unseen"]) < 222
    families = {split: {DrawnDomain(name, split).scene(i).ground.family for i in range(60)} for split in corners}
    assert families["train"] == families["test"] == set(products.SEEN)
    assert families["unseen"] == set(products.UNSEEN)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("split", ["train", "unseen"])
def test_the_whole_object_is_in_the_picture(name, split):
    domain = DrawnDomain(name, split, (64, 64))
    for index in range(60):
        picture = domain.read(index).astype(int)
        coloured = np.ptp(picture, axis=2) > 0.4 * picture.max(axis=2).clip(20)
        border = np.concatenate([coloured[0], coloured[-1], coloured[:, 0], coloured[:, -1]])
        assert not border.any()
        assert 0.03 < coloured.mean() < 0.7


def test_a_picture_shows_no_more_hues_than_one():
    for name in KINDS:
        domain = DrawnDomain(name, "test", (64, 64))
        for index in range(20):
            picture = domain.read(index)
            values = picture.astype(int)
            coloured = (np.ptp(values, axis=2) > 0.4 * values.max(axis=2)) & (values.max(axis=2) > 60)
            each = hue(picture[coloured][:, None, None])
            assert np.quantile(np.abs((each - domain.scene(index).hue + 180) % 360 - 180), 0.98) < 8
