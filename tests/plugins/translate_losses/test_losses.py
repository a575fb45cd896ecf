"""Games and distances against numbers computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from translate import Clock
from translate.plugins import installed
from translate_losses import L1, LeastSquares, NonSaturating

CLOCK = Clock(0, 1)


def scores(*values: float):
    """A judge that gives these scores, whatever it is shown."""
    return lambda samples: torch.tensor(values).reshape(-1, 1)


def test_least_squares():
    game = LeastSquares()
    nothing = torch.zeros(2, 1)
    # (0.5 - 1)² and (2 - 1)² have the mean 0.625; 0.5² and 2² the mean 2.125.
    assert game.discriminator(scores(0.5, 2.0), nothing, nothing, CLOCK) == {
        "real": torch.tensor(0.625),
        "fake": torch.tensor(2.125),
    }
    assert game.generator(scores(0.5, 2.0), nothing, nothing, CLOCK) == {"fool": torch.tensor(0.625)}


def test_non_saturating_at_indifference_is_log_4():
    game = NonSaturating()
    losses = game.discriminator(scores(0.0, 0.0), torch.zeros(2, 1), torch.zeros(2, 1), CLOCK)
    assert sum(losses.values()).item() == pytest.approx(math.log(4))
    assert game.generator(scores(0.0), torch.zeros(1, 1), torch.zeros(1, 1), CLOCK)["fool"].item() == pytest.approx(math.log(2))


def test_non_saturating_is_minus_log_of_the_sigmoid():
    game = NonSaturating()
    sigmoid = 1 / (1 + math.exp(-1.5))
    losses = game.discriminator(scores(1.5), torch.zeros(1, 1), torch.zeros(1, 1), CLOCK)
    assert losses["real"].item() == pytest.approx(-math.log(sigmoid), rel=1e-6)
    assert losses["fake"].item() == pytest.approx(-math.log(1 - sigmoid), rel=1e-6)
    assert game.generator(scores(1.5), torch.zeros(1, 1), torch.zeros(1, 1), CLOCK)["fool"].item() == pytest.approx(
        -math.log(sigmoid)
    )


def test_non_saturating_keeps_a_gradient_where_the_judge_is_sure():
    weight = torch.tensor(-200.0, requires_grad=True)
    NonSaturating().generator(lambda fake: weight * fake, torch.ones(1, 1), torch.ones(1, 1), CLOCK)["fool"].backward()
    assert weight.grad.item() == pytest.approx(-1.0)


def test_l1():
    assert L1()(torch.tensor([1.0, -1.0]), torch.tensor([0.0, 2.0])).item() == 2.0


@pytest.mark.parametrize("name", list(installed().adversarial_losses))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_game_is_finite_differentiable_and_at_least_float32(name, dtype):
    factory = installed().adversarial_losses[name]
    game = factory(factory.Options()) if hasattr(factory, "Options") else factory()
    weight = torch.full((1,), 0.5, requires_grad=True)

    def judge(samples):
        return (samples * weight).mean(dim=(1, 2, 3), keepdim=True).to(dtype)

    real, fake = torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8, requires_grad=True)
    for losses in (game.discriminator(judge, real, fake, CLOCK), game.generator(judge, real, fake, CLOCK)):
        assert losses
        for loss in losses.values():
            assert loss.dim() == 0
            assert loss.dtype == torch.float32
            assert torch.isfinite(loss)
        assert torch.autograd.grad(sum(losses.values()), weight, retain_graph=True)[0].abs() > 0


@pytest.mark.parametrize("kind", ["cycle_losses", "reconstruction_losses"])
def test_every_distance_is_0_at_equality_and_positive_elsewhere(kind):
    for factory in getattr(installed(), kind).values():
        loss = factory(factory.Options()) if hasattr(factory, "Options") else factory()
        image = torch.rand(2, 3, 16, 16)
        assert loss(image, image).item() == pytest.approx(0, abs=1e-6)
        assert loss(image, -image).item() > 0
