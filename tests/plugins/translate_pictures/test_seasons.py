"""Summer and winter: one landscape, green or white."""

from __future__ import annotations

import numpy as np
import pytest

from translate_pictures import country
from translate_pictures.domain import DrawnDomain


def _both(domain, index):
    return (domain.counterpart(index, season).astype(float) for season in ("summer", "winter"))


@pytest.mark.parametrize("split", ["test", "unseen"])
def test_the_meadow_is_green_in_summer_and_white_in_winter(split):
    domain = DrawnDomain("summer", split, (64, 64))
    for index in range(20):
        summer, winter = (np.median(picture[48:].reshape(-1, 3), axis=0) for picture in _both(domain, index))
        assert summer[1] > summer[0]
        assert summer[1] > summer[2] + 25
        assert winter.min() > 170
        assert np.ptp(winter) < 40


def test_the_sky_is_less_colourful_in_winter():
    domain = DrawnDomain("winter", "test", (64, 64))
    for index in range(20):
        summer, winter = (np.ptp(picture[:8].mean(axis=(0, 1))) for picture in _both(domain, index))
        assert winter < 0.75 * summer


@pytest.mark.parametrize("split", ["train", "unseen"])
def test_something_stays_the_same(split):
    domain = DrawnDomain("summer", split, (64, 64))
    same = [1 - domain.mask(i).mean() for i in range(40)]
    assert np.mean(same) > 0.08
    assert min(same) > 0.005


def test_the_mask_holds_the_difference_and_hardly_more():
    domain = DrawnDomain("summer", "test", (64, 64))
    for index in range(20):
        summer, winter = _both(domain, index)
        mask = domain.mask(index)
        assert ((summer == winter).all(axis=2) & mask).sum() < 0.03 * mask.sum()


def test_every_family_water_house_and_fence_is_drawn():
    scenes = [DrawnDomain("winter").scene(i) for i in range(60)]
    assert {scene.family for scene in scenes} == set(country.SEEN)
    assert {scene.water for scene in scenes} == {"none", "lake", "river"}
    assert {(scene.house, scene.fence) for scene in scenes} == {(a, b) for a in (True, False) for b in (True, False)}
    assert set(country.SEEN) | set(country.UNSEEN) == set(country.COUNTRIES)
    assert {skies for scene in scenes for skies in scene.skies} == {0, 1, 2}
    assert {DrawnDomain("winter", "unseen").scene(i).skies for i in range(20)} == {(3, 3)}
