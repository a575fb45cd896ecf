"""The example of a loss: Pearson's χ² divergence, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate import Clock
from translate.testing import check_game


def test_pearson_by_hand(use):
    game = use("loss").Pearson()
    real, fake, clock = torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [-4.0]]), Clock(0, 1)
    assert game.discriminator(nn.Identity(), real, fake, clock) == {"real": -2.0, "fake": 1.5}  # (2 + 1 - 4 + 4) / 2
    assert game.generator(nn.Identity(), real, fake, clock) == {"fool": 1.0}
    assert game.generator(nn.Identity(), real.bfloat16(), fake.bfloat16(), clock)["fool"].dtype == torch.float32


def test_pearson_is_the_divergence_where_the_judge_is_best(use):
    """Of two samples, reals are the first in 3 of 4 cases and fakes in 2: χ² = Σ (p - q)² / q = 1/4, at scores of 2 (p / q - 1) = ±1."""
    scores = torch.tensor([[1.0], [-1.0]], dtype=torch.float64, requires_grad=True)
    real, fake = torch.eye(2, dtype=torch.float64)[[0, 0, 0, 1]], torch.eye(2, dtype=torch.float64)
    losses = use("loss").Pearson().discriminator(lambda samples: samples @ scores, real, fake, Clock(0, 1))
    total = losses["real"] + losses["fake"]
    total.backward()
    assert total.item() == pytest.approx(-1 / 4, abs=1e-15)
    assert scores.grad.abs().max() < 1e-15


def test_pearson_is_played_by_name(use, tiny):
    use("loss")
    report = next(tiny(adversarial="pearson").steps())
    assert {"generators/fool_x", "discriminators/real_y"} <= set(report.losses)


def test_pearson_conforms(use):
    check_game(use("loss").Pearson)
