from __future__ import annotations

import numpy as np
import pytest
import torch

from translate.randomness import derive, seeded, uniform


def test_derive_is_the_same_for_ever():
    # blake2b with 8 bytes of "(0, 'order', 1)", little-endian, halved: worked out without the library.
    assert derive(0, "order", 1) == 2002067703672271585
    assert derive(7, "epoch", 3) == 978687755993954585


def test_derive_tells_seeds_and_labels_apart():
    asked = [
        (0,),
        (1,),
        (0, "a"),
        (0, "b"),
        (0, "a", "b"),
        (0, "ab"),
        (0, "b", "a"),
        (0, 1),
        (0, "1"),
        (0, "a", 1),
        (0, ("a", 1)),
    ]
    assert len({derive(*each) for each in asked}) == len(asked)
    assert all(0 <= derive(seed, "x") < 2**63 for seed in range(500))


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 9])
def test_a_position_has_the_same_draws_in_any_batch(width):
    whole = uniform(3, "crop", 0, 40, width)
    assert whole.shape == (40, width)
    for first, count in [(0, 1), (0, 7), (1, 1), (5, 12), (13, 27), (39, 1)]:
        assert np.array_equal(uniform(3, "crop", first, count, width), whole[first : first + count])
    assert len(np.unique(whole)) == whole.size  # no draw is used twice


def test_far_positions():
    far = 10**12
    assert np.array_equal(uniform(0, "x", far, 3, 5)[2], uniform(0, "x", far + 2, 1, 5)[0])


def test_seeds_and_purposes_have_draws_of_their_own():
    asked = [uniform(0, "a", 0, 50), uniform(1, "a", 0, 50), uniform(0, "b", 0, 50)]
    assert len(np.unique(np.concatenate(asked))) == 150
    assert np.array_equal(uniform(0, "a", 0, 50), asked[0])


def test_no_draws():
    assert uniform(0, "a", 5, 0, 3).shape == (0, 3)


@pytest.mark.parametrize("width", [1, 5])
def test_draws_are_uniform_and_uncorrelated(width):
    count = 20_000
    draws = uniform(0, "x", 0, count, width)
    assert draws.min() >= 0
    assert draws.max() < 1
    # Bins of a column have the mean 1000 and a standard deviation of 30.8; neighbours correlate by 1 / sqrt(count) = 0.007.
    for column in draws.T:
        assert np.abs(np.histogram(column, 20, (0, 1))[0] - 1000).max() < 5 * 31
        assert abs(np.corrcoef(column[:-1], column[1:])[0, 1]) < 0.03
    if width > 1:
        assert np.abs(np.corrcoef(draws.T) - np.eye(width)).max() < 0.03


# seeded


def test_seeded_gives_the_draws_of_the_seed():
    with seeded(torch.device("cpu"), 5):
        got = torch.rand(4)
    assert torch.equal(got, torch.rand(4, generator=torch.Generator().manual_seed(5)))


def test_seeded_leaves_the_callers_state_alone():
    torch.manual_seed(11)
    expected = torch.rand(6)
    torch.manual_seed(11)
    first = torch.rand(3)
    with seeded(torch.device("cpu"), 5):
        torch.rand(100)
    assert torch.equal(torch.cat([first, torch.rand(3)]), expected)


def test_seeded_leaves_the_callers_state_alone_when_its_body_raises():
    def body():
        with seeded(torch.device("cpu"), 5):
            torch.rand(100)
            raise KeyError("body")

    state = torch.get_rng_state()
    with pytest.raises(KeyError, match="body"):
        body()
    assert torch.equal(torch.get_rng_state(), state)


def test_seeded_may_be_nested():
    device = torch.device("cpu")
    with seeded(device, 5):
        plain = torch.rand(2)
    with seeded(device, 5):
        first = torch.rand(1)
        with seeded(device, 6):
            torch.rand(9)
        second = torch.rand(1)
    assert torch.equal(torch.cat([first, second]), plain)
