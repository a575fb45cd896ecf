"""Noise by position, and ways through its space."""

from __future__ import annotations

import math
import statistics

import pytest
import torch

from translate import Batch, Latent, UserError
from translate.randomness import uniform


def test_normal_noise_is_the_inverse_of_the_distribution_function():
    draws = torch.tensor([0.5, 0.025, 0.975, 0.0, 1 - 2**-53], dtype=torch.float64)
    noise = Latent().noise(draws)
    assert noise[:3].tolist() == pytest.approx([0.0, *(statistics.NormalDist().inv_cdf(p) for p in (0.025, 0.975))], abs=1e-12)
    assert torch.isfinite(noise).all()
    assert noise[3] < -8


def test_the_moments_of_both_distributions():
    normal, even = Latent(50).draw(2000, 1), Latent(50, "uniform").draw(2000, 1)
    assert (normal.mean().item(), normal.std().item()) == pytest.approx((0, 1), abs=0.02)
    assert normal.pow(4).mean().item() == pytest.approx(3, abs=0.15)
    assert (even.mean().item(), even.std().item()) == pytest.approx((0, 1 / math.sqrt(3)), abs=0.01)
    assert -1 <= even.min() < -0.99 < 0.99 < even.max() < 1


def test_more_samples_begin_with_the_same_ones():
    latent = Latent(7)
    assert torch.equal(latent.draw(5, 3), latent.draw(9, 3)[:5])
    assert not torch.equal(latent.draw(5, 3), latent.draw(5, 4))
    assert latent.draw(5).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_noise_of_a_batch_belongs_to_the_positions_of_its_samples(dtype):
    latent = Latent(5)

    def batch(first: int, count: int) -> Batch:
        return Batch((torch.zeros(count, 1, dtype=dtype),), first, seed=4)

    whole = batch(0, 6).noise(latent)
    assert whole.dtype == dtype
    assert torch.equal(torch.cat([batch(0, 2).noise(latent), batch(2, 4).noise(latent)]), whole)
    assert not torch.equal(batch(0, 6).noise(latent, "z/generator"), whole)
    plain = [statistics.NormalDist().inv_cdf(each) for each in uniform(4, "z", 0, 6, 5).ravel()]
    assert whole.double().ravel().tolist() == pytest.approx(plain, abs=1e-6)


def test_normal_noise_goes_along_the_great_circle():
    latent, (first, second) = Latent(100), Latent(100).draw(2, 0)
    way = latent.interpolate(first, second, 9)
    assert torch.allclose(way[0], first, atol=1e-5)
    assert torch.allclose(way[-1], second, atol=1e-5)
    norms = way.norm(dim=1)
    assert norms.tolist() == pytest.approx(torch.linspace(norms[0].item(), norms[-1].item(), 9).tolist(), rel=1e-5)
    directions = way / norms[:, None]
    angles = torch.arccos((directions[1:] * directions[:-1]).sum(1))
    assert angles.tolist() == pytest.approx([angles.mean().item()] * 8, rel=1e-3)  # even steps


def test_a_quarter_circle_by_hand():
    way = Latent(2).interpolate(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 3)
    assert way[1].tolist() == pytest.approx([math.sqrt(2), math.sqrt(2)])


@pytest.mark.parametrize("second", [[3.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
def test_along_one_line_there_is_no_circle(second):
    way = Latent(2).interpolate(torch.tensor([1.0, 0.0]), torch.tensor(second), 3)
    assert way[1].tolist() == pytest.approx([(1 + second[0]) / 2, 0.0])


def test_uniform_noise_goes_along_the_straight_line():
    way = Latent(2, "uniform").interpolate(torch.tensor([0.0, 1.0]), torch.tensor([1.0, -1.0]), 5)
    assert way.tolist() == [[0.0, 1.0], [0.25, 0.5], [0.5, 0.0], [0.75, -0.5], [1.0, -1.0]]


def test_a_walk_passes_every_stop_and_comes_back():
    latent = Latent(10)
    stops = latent.draw(3, 2)
    walk = latent.walk(stops, 4)
    assert walk.shape == (12, 10)
    assert torch.allclose(walk[::4], stops, atol=1e-5)
    steps = (walk.roll(-1, 0) - walk).norm(dim=1)
    assert steps.max() < 3 * steps.min()  # the last step leads to the first picture, no further than the others


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Latent().draw(0), "The number of samples is 0; it must be a whole number from 1 on"),
        (lambda: Latent().draw(2.5), "The number of samples is 2.5"),
        (lambda: Latent().draw(2, seed=-1), "The seed is -1; it must be a whole number from 0 on"),
        (lambda: Latent().draw(2, seed="a"), "The seed is 'a'"),
        (lambda: Latent(2).interpolate(torch.ones(2), torch.ones(2), 1), "at least 2"),
        (lambda: Latent(2).interpolate(torch.ones(3, 2), torch.ones(3, 2), 3), r"\(2,\) each, not from \(3, 2\) to \(3, 2\)"),
    ],
)
def test_what_is_no_noise_gets_a_sentence(call, said):
    with pytest.raises(UserError, match=said):
        call()
