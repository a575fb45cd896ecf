"""Games against numbers computed by hand, and against finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call

from translate import Clock
from translate.plugins import installed
from translate_losses import (
    GAMES,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    RelativisticAverage,
    RelativisticPaired,
    Wasserstein,
)

CLOCK = Clock(0, 1)


def itself(samples):
    """A judge whose scores are its samples."""
    return samples


def column(*values: float):
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1)


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def numbers(losses):
    return {name: pytest.approx(loss.item(), rel=1e-12) for name, loss in losses.items()}


def smooth_judge(dtype=torch.float32):
    """A judge of patches that can be differentiated twice everywhere."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Softplus(), nn.Conv2d(4, 1, 2)).to(dtype)


def test_least_squares():
    # (0.5 - 1)² and (2 - 1)² have the mean 0.625; 0.5² and 2² the mean 2.125.
    samples = column(0.5, 2.0)
    assert numbers(LeastSquares().discriminator(itself, samples, samples, CLOCK)) == {"real": 0.625, "fake": 2.125}
    assert numbers(LeastSquares().generator(itself, samples, samples, CLOCK)) == {"fool": 0.625}


@pytest.mark.parametrize("game", [NonSaturating(), Minimax()])
def test_a_judge_that_cannot_tell_pays_log_4(game):
    losses = game.discriminator(itself, column(0.0, 0.0), column(0.0, 0.0), CLOCK)
    assert sum(losses.values()).item() == pytest.approx(math.log(4))
    assert losses.keys() == {"real", "fake"}


@pytest.mark.parametrize("game", [NonSaturating(), Minimax()])
def test_cross_entropy_is_minus_log_of_the_sigmoid(game):
    losses = game.discriminator(itself, column(1.5, -0.5), column(1.0, -2.0), CLOCK)
    assert numbers(losses) == {
        "real": -(math.log(sigmoid(1.5)) + math.log(sigmoid(-0.5))) / 2,
        "fake": -(math.log(1 - sigmoid(1.0)) + math.log(1 - sigmoid(-2.0))) / 2,
    }


def test_the_two_generators_of_goodfellow():
    fake = column(1.0, -2.0)
    assert numbers(NonSaturating().generator(itself, fake, fake, CLOCK)) == {
        "fool": -(math.log(sigmoid(1.0)) + math.log(sigmoid(-2.0))) / 2
    }
    assert numbers(Minimax().generator(itself, fake, fake, CLOCK)) == {
        "fool": (math.log(1 - sigmoid(1.0)) + math.log(1 - sigmoid(-2.0))) / 2
    }


@pytest.mark.parametrize(("game", "slope"), [(NonSaturating(), -1.0), (Minimax(), 0.0)])
def test_only_minimax_saturates_where_the_judge_is_sure_of_a_fake(game, slope):
    score = torch.full((1, 1), -200.0, requires_grad=True)
    game.generator(itself, score, score, CLOCK)["fool"].backward()
    assert score.grad.item() == pytest.approx(slope)


def test_minimax_is_a_game_for_one_value():
    real, fake = column(0.3, -1.0), column(2.0, 0.1)
    generator = Minimax().generator(itself, real, fake, CLOCK)["fool"]
    assert generator.item() == pytest.approx(-Minimax().discriminator(itself, real, fake, CLOCK)["fake"].item())


def test_hinge():
    # Reals: 1 - 0.5 and 0, as 3 > 1; fakes: 1 + 0.5 and 0, as -3 < -1.
    losses = Hinge().discriminator(itself, column(0.5, 3.0), column(0.5, -3.0), CLOCK)
    assert numbers(losses) == {"real": 0.25, "fake": 0.75}
    assert numbers(Hinge().generator(itself, column(0.0, 0.0), column(0.5, -3.0), CLOCK)) == {"fool": 1.25}


def test_wasserstein():
    # The slope of a judge that gives its only input back is 1, and costs nothing.
    losses = Wasserstein().discriminator(itself, column(0.5, 2.5), column(1.0, 4.0), CLOCK)
    assert numbers(losses) == {"real": -1.5, "fake": 2.5, "gradient_penalty": 0.0}
    assert numbers(Wasserstein().generator(itself, column(0.0, 0.0), column(1.0, 4.0), CLOCK)) == {"fool": -2.5}


def test_relativistic_paired():
    real, fake = column(1.0, 0.0), column(-0.5, 2.0)
    assert numbers(RelativisticPaired().discriminator(itself, real, fake, CLOCK)) == {
        "pair": -(math.log(sigmoid(1.5)) + math.log(sigmoid(-2.0))) / 2
    }
    assert numbers(RelativisticPaired().generator(itself, real, fake, CLOCK)) == {
        "fool": -(math.log(sigmoid(-1.5)) + math.log(sigmoid(2.0))) / 2
    }


def test_relativistic_average():
    real, fake = column(1.0, 0.0), column(-0.5, 2.0)  # of the means 0.5 and 0.75
    assert numbers(RelativisticAverage().discriminator(itself, real, fake, CLOCK)) == {
        "real": -(math.log(sigmoid(0.25)) + math.log(sigmoid(-0.75))) / 2,
        "fake": -(math.log(1 - sigmoid(-1.0)) + math.log(1 - sigmoid(1.5))) / 2,
    }
    assert numbers(RelativisticAverage().generator(itself, real, fake, CLOCK)) == {
        "fool": -(math.log(sigmoid(-1.0)) + math.log(sigmoid(1.5))) / 2
        - (math.log(1 - sigmoid(0.25)) + math.log(1 - sigmoid(-0.75))) / 2
    }


@pytest.mark.parametrize("game", [RelativisticPaired(), RelativisticAverage()])
def test_relativistic_games_see_differences_only(game):
    real, fake = torch.randn(4, 1, 3, 3, dtype=torch.float64), torch.randn(4, 1, 3, 3, dtype=torch.float64)
    for side in (game.discriminator, game.generator):
        here, there = side(itself, real, fake, CLOCK), side(itself, real + 7, fake + 7, CLOCK)
        assert numbers(here) == {name: loss.item() for name, loss in there.items()}


@pytest.mark.parametrize("game", GAMES)
def test_a_game_is_registered_under_its_name(game):
    assert installed().adversarial_losses[game.name] is game


@pytest.mark.parametrize("game", GAMES)
def test_without_penalties_the_judge_is_asked_once_about_each_side(game):
    asked = []

    def judge(samples):
        asked.append(samples)
        return samples.mean(dim=(1, 2, 3), keepdim=True)

    real, fake = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    options = {"weight": 0} if game is Wasserstein else {}
    losses = game(game.Options(**options)).discriminator(judge, real, fake, CLOCK)
    assert len(asked) == 2
    assert {id(samples) for samples in asked} == {id(real), id(fake)}
    assert losses.keys() <= {"real", "fake", "pair"}


@pytest.mark.parametrize("name", list(installed().adversarial_losses))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_game_is_finite_differentiable_and_at_least_float32(name, dtype):
    factory = installed().adversarial_losses[name]
    game = factory(factory.Options()) if hasattr(factory, "Options") else factory()
    network = smooth_judge()

    def judge(samples):
        return network(samples).to(dtype)

    real, fake = torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8, requires_grad=True)
    sides = (
        (game.discriminator(judge, real, fake, CLOCK), network[0].weight),
        (game.generator(judge, real, fake, CLOCK), fake),
    )
    for losses, trained in sides:
        assert losses
        for loss in losses.values():
            assert loss.dim() == 0
            assert loss.dtype == torch.float32
            assert torch.isfinite(loss)
        assert torch.autograd.grad(sum(losses.values()), trained, retain_graph=True)[0].abs().sum() > 0


@pytest.mark.parametrize("name", list(installed().adversarial_losses))
def test_the_gradients_of_both_sides_of_every_game_are_those_of_finite_differences(name):
    factory = installed().adversarial_losses[name]
    game = factory(factory.Options()) if hasattr(factory, "Options") else factory()
    network = smooth_judge(torch.float64)
    keys = [key for key, _ in network.named_parameters()]
    torch.manual_seed(2)
    real, fake = torch.randn(2, 3, 5, 5, dtype=torch.float64), torch.randn(2, 3, 5, 5, dtype=torch.float64)

    def told(*parameters):
        torch.manual_seed(3)  # what a game draws must not differ from one side of a difference to the other
        values = dict(zip(keys, parameters, strict=True))
        return tuple(game.discriminator(lambda x: functional_call(network, values, (x,)), real, fake, CLOCK).values())

    def fooled(fake):
        return tuple(game.generator(network, real, fake, CLOCK).values())

    assert torch.autograd.gradcheck(told, tuple(each.detach().requires_grad_() for each in network.parameters()))
    assert torch.autograd.gradcheck(fooled, (fake.requires_grad_(),))
