"""The scores of coverage against figures worked out by hand, and against what a perfect sampler is known to get."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import torch

from translate import UserError
from translate_datasets import scores
from translate_datasets.points import Points, grid, ring
from translate_datasets.scores import high_quality, modes_found, reverse_kl

CROSS = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], float)


def test_examples():
    assert doctest.testmod(scores).failed == 0


@pytest.mark.parametrize("name", ["points:ring8", "points:grid25"])
def test_a_perfect_sampler(name):
    domain = Points(name, "test")
    # In the plane the distance is Rayleigh's: P(distance < 3 std) = 1 - exp(-9/2). The bound is 5 standard errors.
    share = 1 - math.exp(-4.5)
    assert share == pytest.approx(0.98889, abs=1e-5)
    error = math.sqrt(share * (1 - share) / len(domain))
    assert high_quality(domain.points, domain.modes, domain.std) == pytest.approx(share, abs=5 * error)
    assert modes_found(domain.points, domain.modes, domain.std) == len(domain.modes)
    # 2 N KL is distributed as chi squared with M - 1 degrees of freedom.
    free = len(domain.modes) - 1
    assert 0 < reverse_kl(domain.points, domain.modes) < (free + 5 * math.sqrt(2 * free)) / (2 * len(domain))


def test_every_mode_the_same_number_of_times_is_no_divergence():
    for modes in (ring(8), grid(25)):
        samples = np.repeat(modes, 3, axis=0)
        assert reverse_kl(samples, modes) == pytest.approx(0, abs=1e-12)
        assert high_quality(samples, modes, 0.01) == 1
        assert modes_found(samples, modes, 0.01) == len(modes)


@pytest.mark.parametrize("modes", [ring(8), grid(25)])
def test_a_collapsed_generator(modes):
    samples = np.tile(modes[3], (50, 1))
    assert modes_found(samples, modes, 0.01) == 1
    assert high_quality(samples, modes, 0.01) == 1
    assert reverse_kl(samples, modes) == pytest.approx(math.log(len(modes)))


def test_a_mode_counts_with_one_good_point_and_not_with_bad_ones():
    samples = [(1.29, 0), (0, 1.31), (0, 1.4), (-1, 0), (-1, 0.02), (-1, 0.03), (-0.9, 0), (-1.1, 0)]
    assert modes_found(samples, CROSS, 0.1) == 2
    assert high_quality(samples, CROSS, 0.1) == 6 / 8
    # One, two, five and none of eight: bad points count for their nearest modes.
    expected = 1 / 8 * math.log(4 / 8) + 2 / 8 * math.log(8 / 8) + 5 / 8 * math.log(20 / 8)
    assert reverse_kl(samples, CROSS) == pytest.approx(expected)


def test_goodness_is_of_the_distance_not_of_each_coordinate():
    # Both coordinates are off by 2.5 standard deviations, the point by 3.5.
    assert high_quality([(1.25, 0.25)], CROSS, 0.1) == 0
    assert modes_found([(1.25, 0.25)], CROSS, 0.1) == 0


def test_without_any_good_point():
    samples = np.full((10, 2), 9.0)
    assert modes_found(samples, CROSS, 0.1) == 0
    assert high_quality(samples, CROSS, 0.1) == 0


def test_the_order_of_points_and_modes_does_not_matter():
    samples = np.random.default_rng(0).normal(0, 2, (200, 2))
    shuffled = np.random.default_rng(1).permutation(samples)
    turned = CROSS[[2, 0, 3, 1]]
    assert modes_found(samples, CROSS, 0.3) == modes_found(shuffled, turned, 0.3)
    assert high_quality(samples, CROSS, 0.3) == high_quality(shuffled, turned, 0.3)
    assert reverse_kl(samples, CROSS) == pytest.approx(reverse_kl(shuffled, turned))


def test_tensors_are_points_too():
    samples = torch.from_numpy(CROSS).float()
    assert modes_found(samples, torch.from_numpy(CROSS), 0.1) == 4


@pytest.mark.parametrize(
    ("samples", "modes"),
    [(np.zeros((0, 2)), CROSS), (np.zeros(2), CROSS), (np.zeros((4, 3)), CROSS), (CROSS, np.zeros((0, 2))), (CROSS, CROSS[0])],
)
def test_shapes_that_cannot_be_scored(samples, modes):
    for score in (
        lambda: modes_found(samples, modes, 0.1),
        lambda: high_quality(samples, modes, 0.1),
        lambda: reverse_kl(samples, modes),
    ):
        with pytest.raises(UserError, match=r"cannot be scored on modes of shape .*; give \(N, D\) and \(M, D\)"):
            score()


def test_points_that_are_not_finite():
    with pytest.raises(UserError, match="2 of 3 points"):
        reverse_kl([(0, 0), (np.nan, np.nan), (0, np.inf)], CROSS)
