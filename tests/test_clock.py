from __future__ import annotations

import pytest

from translate.clock import Clock, LinearDecay, constant


def rate(epoch, epochs=200, start=0.5):
    return LinearDecay(start)(Clock(step=12345, total=10**6, epoch=epoch, epochs=epochs))


def test_a_lap_is_an_epoch_or_else_a_step():
    assert Clock(step=70, total=100, epoch=3, epochs=9).lap == (3, 9)
    assert Clock(step=0, total=100).lap == (1, 100)
    assert Clock(step=99, total=100, epoch=4).lap == (100, 100)


def test_constant():
    assert {constant(Clock(step, 5)) for step in range(5)} == {1.0}


def test_the_papers_decay_by_hand():
    assert [rate(epoch) for epoch in (1, 2, 50, 99, 100)] == [1, 1, 1, 1, 1]
    assert rate(101) == pytest.approx(1 - 1 / 101, abs=1e-12)
    assert rate(102) == pytest.approx(0.9801980198, abs=1e-9)
    assert rate(150) == pytest.approx(51 / 101, abs=1e-12)
    assert rate(199) == pytest.approx(2 / 101, abs=1e-12)
    assert rate(200) == pytest.approx(0.0099009901, abs=1e-9)


def test_the_decay_of_the_public_code():
    # networks.py, lambda_rule: n_epochs = n_epochs_decay = 100, epoch_count = 1; the scheduler counts from 0.
    for index in range(200):
        assert rate(index + 1) == pytest.approx(1.0 - max(0, index + 1 - 100) / float(100 + 1), abs=1e-12)


def test_decay_over_steps():
    factors = [LinearDecay()(Clock(step, 10)) for step in range(10)]
    assert factors == pytest.approx([1, 1, 1, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_other_starts():
    assert [rate(epoch, 4, start=0.0) for epoch in (1, 2, 3, 4)] == pytest.approx([4 / 5, 3 / 5, 2 / 5, 1 / 5])
    assert [rate(epoch, 4, start=1.0) for epoch in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert [rate(epoch, 4, start=0.75) for epoch in (1, 2, 3, 4)] == [1, 1, 1, 0.5]


@pytest.mark.parametrize("total", [1, 2, 3, 7])
def test_the_factor_stays_above_0_and_never_rises(total):
    factors = [LinearDecay()(Clock(step, total)) for step in range(total)]
    assert all(0 < factor <= 1 for factor in factors)
    assert factors == sorted(factors, reverse=True)
