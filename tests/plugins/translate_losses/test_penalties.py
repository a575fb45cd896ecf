"""Penalties on gradients: closed forms, finite differences, and that they are applied."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.func import functional_call

from translate import Clock, Part, Space, UserError
from translate.plugins import installed
from translate.recipe import Make
from translate_losses import GAMES, Hinge, LeastSquares, Wasserstein
from translate_losses.penalties import gradients, one_centred, zero_centred

WEIGHT = torch.tensor([3.0, 0.0, -4.0], dtype=torch.float64)  # of the norm 5


class Linear(nn.Module):
    """D(x) = w·x, ``copies`` times over: a map of patches that all see the same."""

    def __init__(self, weight=WEIGHT, copies: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())
        self.copies = copies

    def forward(self, samples):
        return (samples @ self.weight)[:, None, None, None].expand(-1, 1, 1, self.copies)


def smooth_judge(dtype=torch.float64):
    torch.manual_seed(1)
    layers = nn.Conv2d(2, 4, 3), nn.Softplus(), nn.Conv2d(4, 2, 2), nn.Tanh(), nn.Conv2d(2, 1, 1)
    return nn.Sequential(*layers).to(dtype)


def pictures(count: int = 3, dtype=torch.float64):
    torch.manual_seed(2)
    return torch.randn(count, 2, 5, 5, dtype=dtype), torch.randn(count, 2, 5, 5, dtype=dtype)


def play(game, judge, real, fake, step: int = 0):
    return game.discriminator(judge, real, fake, Clock(step, 100))


# Closed forms


@pytest.mark.parametrize(("copies", "norm"), [(1, 5.0), (4, 20.0)])
def test_penalties_of_a_linear_judge_and_maps_are_summed_for_each_sample(copies, norm):
    real, fake = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    game = Wasserstein(Wasserstein.Options(r1=3, r2=8))
    losses = play(game, Linear(copies=copies), real, fake)
    assert losses["gradient_penalty"].item() == pytest.approx(10 * (norm - 1) ** 2)
    assert losses["r1"].item() == pytest.approx(3 / 2 * norm**2)
    assert losses["r2"].item() == pytest.approx(8 / 2 * norm**2)


def test_what_they_ask_of_a_linear_judge():
    real, fake = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    judge = Linear()
    losses = play(Wasserstein(Wasserstein.Options(r1=3)), judge, real, fake)
    (slope,) = torch.autograd.grad(losses["gradient_penalty"], judge.weight, retain_graph=True)
    torch.testing.assert_close(slope, 10 * 2 * (5 - 1) * WEIGHT / 5)
    (slope,) = torch.autograd.grad(losses["r1"], judge.weight)
    torch.testing.assert_close(slope, 3 * WEIGHT)


def test_the_mean_is_over_samples_not_over_pixels():
    """D(x) = |x|²/2 has the gradient x."""
    real = torch.tensor([[3.0, 4.0], [0.0, 1.0]])

    def judge(samples):
        return samples.square().sum(1, keepdim=True) / 2

    assert zero_centred(judge, real).item() == pytest.approx((25 + 1) / 2 / 2)
    assert one_centred(judge, real, real).item() == pytest.approx(((5 - 1) ** 2 + 0) / 2)


def test_one_draw_a_sample_between_its_real_and_its_fake():
    shown = []

    def judge(samples):
        shown.append(samples.detach())
        return samples.mean(dim=(1, 2, 3), keepdim=True)

    one_centred(judge, torch.zeros(64, 3, 4, 4), torch.ones(64, 3, 4, 4))
    ((points),) = shown
    share = points[:, 0, 0, 0]
    torch.testing.assert_close(points, share.view(-1, 1, 1, 1).expand(-1, 3, 4, 4))
    assert 0 <= share.min() < 0.2
    assert 0.8 < share.max() <= 1
    assert len(share.unique()) == 64


def test_penalties_of_a_network_sample_by_sample():
    """Against each sample alone, with its own call of the judge, pixel by pixel."""
    judge, (real, fake) = smooth_judge(), pictures()
    game = Wasserstein(Wasserstein.Options(weight=7, r1=2, r2=4))
    torch.manual_seed(5)
    losses = play(game, judge, real, fake)
    torch.manual_seed(5)
    share = torch.rand(3, 1, 1, 1, dtype=torch.float64)

    def squared_norm(sample):
        sample = sample.detach().requires_grad_()
        judge(sample[None]).sum().backward(inputs=[sample])
        return sum(value**2 for value in sample.grad.flatten().tolist())

    points = real + share * (fake - real)
    assert losses["gradient_penalty"].item() == pytest.approx(
        7 * sum((math.sqrt(squared_norm(each)) - 1) ** 2 for each in points) / 3
    )
    assert losses["r1"].item() == pytest.approx(2 / 2 * sum(map(squared_norm, real)) / 3)
    assert losses["r2"].item() == pytest.approx(4 / 2 * sum(map(squared_norm, fake)) / 3)


# Second derivatives


@pytest.mark.parametrize("penalty", ["gradient_penalty", "r1", "r2"])
def test_how_penalties_change_with_the_judge_is_what_finite_differences_say(penalty):
    judge, (real, fake) = smooth_judge(), pictures()
    game = Wasserstein(Wasserstein.Options(r1=2, r2=4))
    keys = [key for key, _ in judge.named_parameters()]

    def value(*parameters):
        torch.manual_seed(3)
        values = dict(zip(keys, parameters, strict=True))
        return play(game, lambda x: functional_call(judge, values, (x,)), real, fake)[penalty]

    assert torch.autograd.gradcheck(value, tuple(each.detach().requires_grad_() for each in judge.parameters()))


def test_a_judge_without_slope_has_a_finite_gradient():
    judge = Linear(torch.zeros(3))
    losses = play(Wasserstein(Wasserstein.Options(r1=1, r2=1)), judge, torch.randn(4, 3), torch.randn(4, 3))
    assert losses["gradient_penalty"].item() == 10
    sum(losses.values()).backward()
    assert torch.isfinite(judge.weight.grad).all()


# They are applied


@pytest.mark.parametrize("game", GAMES)
def test_every_game_takes_both_penalties_and_applies_them(game):
    judge, (real, fake) = smooth_judge(), pictures()
    torch.manual_seed(4)
    plain = play(game(), judge, real, fake)
    torch.manual_seed(4)
    losses = play(game(game.Options(r1=10, r2=0.5)), judge, real, fake)
    assert set(losses) == {*plain, "r1", "r2"}
    for name, loss in plain.items():
        assert torch.equal(losses[name], loss)
    assert losses["r1"].item() == pytest.approx(10 * zero_centred(judge, real).item())
    assert losses["r2"].item() == pytest.approx(0.5 * zero_centred(judge, fake).item())
    for name in ("r1", "r2"):
        assert torch.autograd.grad(losses[name], judge[0].weight, retain_graph=True)[0].abs().sum() > 0


@pytest.mark.parametrize("game", GAMES)
def test_the_generator_pays_no_penalty(game):
    judge, (real, fake) = smooth_judge(), pictures()
    options = game.Options(r1=10, r2=10)
    assert game(options).generator(judge, real, fake, Clock(0, 1)) == game().generator(judge, real, fake, Clock(0, 1))
    assert game().generator(judge, real, fake, Clock(0, 1)).keys() == {"fool"}


def test_wasserstein_penalises_every_update_however_lazy():
    judge, (real, fake) = smooth_judge(), pictures()
    game = Wasserstein(Wasserstein.Options(lazy=4))
    for step in range(9):
        assert play(game, judge, real, fake, step).keys() == {"real", "fake", "gradient_penalty"}


@pytest.mark.parametrize("start", [0.1, 5.0])
def test_the_penalty_brings_the_slope_to_1(start):
    """Equal reals and fakes: the game itself asks nothing of the judge, so what moves it is the penalty."""
    judge = Linear(torch.tensor([0.6, 0.0, 0.8]) * start)
    optimiser = torch.optim.SGD(judge.parameters(), lr=0.01)
    samples = torch.randn(4, 3)
    for step in range(100):
        optimiser.zero_grad()
        sum(play(Wasserstein(), judge, samples, samples, step).values()).backward()
        optimiser.step()
    assert judge.weight.detach().norm().item() == pytest.approx(1, abs=1e-3)


def test_lazy_penalties_come_at_every_nth_update_n_times_as_strong():
    judge, (real, fake) = smooth_judge(), pictures()
    every = play(Hinge(Hinge.Options(r1=2, r2=3)), judge, real, fake)
    lazy = Hinge(Hinge.Options(r1=2, r2=3, lazy=4))
    for step in range(9):
        losses = play(lazy, judge, real, fake, step)
        assert ("r1" in losses) == ("r2" in losses) == (step % 4 == 0)
        if step % 4 == 0:
            assert losses["r1"].item() == pytest.approx(4 * every["r1"].item())
            assert losses["r2"].item() == pytest.approx(4 * every["r2"].item())


def test_a_lazy_update_that_is_not_due_asks_no_more_of_the_judge():
    asked = []
    real, fake = pictures()
    judge = smooth_judge()
    judge.register_forward_hook(lambda *_: asked.append(1))
    game = Hinge(Hinge.Options(r1=2, r2=3, lazy=4))
    play(game, judge, real, fake, step=1)
    assert len(asked) == 2
    play(game, judge, real, fake, step=4)
    assert len(asked) == 2 + 4


def test_samples_get_no_gradient_and_no_flag():
    judge, (real, fake) = smooth_judge(), pictures()
    fake.requires_grad_()
    (2 * zero_centred(judge, fake) + one_centred(judge, real, fake)).backward()
    assert fake.grad is None
    assert not real.requires_grad


# Number formats


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_under_autocast_penalties_are_those_of_full_precision(dtype):
    judge = smooth_judge(torch.float32)
    real, fake = (each.to(dtype) for each in pictures(dtype=torch.float32))
    game = Wasserstein(Wasserstein.Options(r1=2, r2=4))
    names = ("gradient_penalty", "r1", "r2")
    torch.manual_seed(5)
    expected = play(game, judge, real.float(), fake.float())
    torch.manual_seed(5)
    with torch.autocast("cpu", torch.bfloat16):
        losses = play(game, judge, real, fake)
        assert torch.is_autocast_enabled("cpu")
    for name in names:
        assert losses[name].dtype == torch.float32
        torch.testing.assert_close(losses[name], expected[name], rtol=1e-6, atol=0)
    slopes = torch.autograd.grad(sum(losses[name] for name in names), list(judge.parameters()), allow_unused=True)
    assert all(slope is None or (slope.dtype == torch.float32 and torch.isfinite(slope).all()) for slope in slopes)
    assert slopes[0].abs().sum() > 0


def test_float64_stays():
    judge, (real, fake) = smooth_judge(), pictures()
    assert gradients(judge, real).dtype == torch.float64
    losses = play(Wasserstein(Wasserstein.Options(r1=1, r2=1)), judge, real, fake)
    assert {loss.dtype for loss in losses.values()} == {torch.float64}


# What they cannot be played with


SENTENCE = (
    "Game '{}' penalises the gradient of each sample alone, and discriminator 'dcgan' normalises over the batch; "
    "use --discriminator dcgan:norm=instance, or norm=none."
)
BATCH_NORMS = [nn.BatchNorm1d(4), nn.BatchNorm2d(4), nn.BatchNorm3d(4), nn.SyncBatchNorm(4)]
OTHER_NORMS = [
    nn.InstanceNorm2d(4),
    nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
    nn.GroupNorm(1, 4),
    nn.LayerNorm(4),
    nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 4, 1)),
]


def with_norm(norm):
    judge = Judge(nn.Conv2d(3, 4, 1), nn.Sequential(norm, nn.LeakyReLU()), nn.Conv2d(4, 1, 1))
    judge.train(norm.training)
    return judge


class Judge(nn.Sequential):
    @dataclass(frozen=True)
    class Options:
        norm: str = "batch"


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("penalty", ["r1", "r2"])
def test_penalties_and_batch_norm_do_not_go_together(game, penalty):
    own = {"weight": 0} if game is Wasserstein else {}
    with pytest.raises(UserError) as caught:
        game(game.Options(**{penalty: 0.1}, **own)).check(with_norm(nn.BatchNorm2d(4)), Part("dcgan"))
    assert str(caught.value) == SENTENCE.format(game.name)


@pytest.mark.parametrize("norm", BATCH_NORMS, ids=lambda norm: type(norm).__name__)
def test_wasserstein_does_not_take_batch_norm(norm):
    with pytest.raises(UserError) as caught:
        Wasserstein().check(with_norm(norm), Part("dcgan"))
    assert str(caught.value) == SENTENCE.format("wasserstein")


def test_batch_norm_without_running_statistics_looks_at_the_batch_even_in_evaluation():
    with pytest.raises(UserError):
        Wasserstein().check(with_norm(nn.BatchNorm2d(4, track_running_stats=False)).eval(), Part("dcgan"))


@pytest.mark.parametrize("norm", OTHER_NORMS, ids=lambda norm: type(norm).__name__)
def test_other_norms_keep_samples_apart(norm):
    Wasserstein(Wasserstein.Options(r1=1, r2=1)).check(with_norm(norm), Part("dcgan"))


def test_the_advice_keeps_what_was_chosen_and_offers_only_what_there_is():
    with pytest.raises(UserError, match=r"use --discriminator dcgan:channels=32,norm=instance, or norm=none\.$"):
        Wasserstein().check(with_norm(nn.BatchNorm2d(4)), Part.parse("dcgan:norm=batch,channels=32"))
    with pytest.raises(UserError, match=r"use another discriminator, or a game without such a penalty\.$"):
        Wasserstein().check(nn.Sequential(nn.BatchNorm2d(4)), Part.parse("other:channels=32"))


def test_batch_norm_of_fixed_statistics_keeps_samples_apart():
    Wasserstein().check(with_norm(nn.BatchNorm2d(4)).eval(), Part("dcgan"))


def test_without_penalties_batch_norm_is_welcome():
    for game in GAMES:
        if game is not Wasserstein:
            game(game.Options()).check(with_norm(nn.BatchNorm2d(4)), Part("dcgan"))
    Wasserstein(Wasserstein.Options(weight=0)).check(with_norm(nn.BatchNorm2d(4)), Part("dcgan"))


# By name


def test_options_by_name_with_a_judge_of_instance_norm():
    make = Make(installed(), [Space("cat", (3, 16, 16), "uint8")])
    judge = make.discriminator(Part.parse("patch:channels=4,layers=1"), make.spaces[0])
    assert any(isinstance(module, nn.InstanceNorm2d) for module in judge.modules())
    game = make.adversarial_loss(Part.parse("hinge:r1=10,lazy=16"), [judge])
    assert (game.options.r1, game.options.r2, game.options.lazy) == (10, 0, 16)
    assert make.adversarial_loss(Part.parse("wasserstein:weight=5"), [judge]).options.weight == 5
    assert make.adversarial_loss(Part.parse("least-squares")).options == LeastSquares.Options()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_is_penalised(tiny, precision):
    first, second = list(tiny(adversarial="wasserstein:r1=1,r2=2,lazy=2", steps=2, precision=precision).steps())
    for letter in "xy":
        assert f"discriminators/gradient_penalty_{letter}" in first.losses
        assert f"discriminators/gradient_penalty_{letter}" in second.losses
        assert f"discriminators/r1_{letter}" in first.losses
        assert f"discriminators/r2_{letter}" not in second.losses
    assert all(math.isfinite(loss) for report in (first, second) for loss in report.losses.values())
