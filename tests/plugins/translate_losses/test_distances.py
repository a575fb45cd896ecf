"""Distances against numbers computed by hand, and what holds for every one of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate import UserError
from translate.options import Part, build
from translate.plugins import installed
from translate_losses import L1, MSE, Huber

REGISTERED = [
    pytest.param(factory, id=f"{kind}-{name}")
    for kind in ("cycle_losses", "reconstruction_losses")
    for name, factory in getattr(installed(), kind).items()
    if getattr(installed(), kind).owner(name) == "losses"
]


class SmoothJudge(nn.Module):
    """Shows what its two layers see."""

    def __init__(self, dtype=torch.float32) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second = nn.Conv2d(2, 3, 3, stride=2).to(dtype), nn.Conv2d(3, 2, 2).to(dtype)

    def features(self, samples):
        first = torch.tanh(self.first(samples))
        return [first, torch.tanh(self.second(first))]


def made(factory):
    return factory(factory.Options()) if hasattr(factory, "Options") else factory()


def test_l1():
    output, target = torch.tensor([1.0, -1.0]), torch.tensor([0.0, 2.0])
    assert L1()(output, target).item() == 2.0
    assert L1(L1.Options(unit=True))(output, target).item() == 1.0


def test_mse():
    output, target = torch.tensor([1.0, -1.0]), torch.tensor([0.0, 2.0])
    assert MSE()(output, target).item() == 5.0
    assert MSE(MSE.Options(unit=True))(output, target).item() == 1.25


def test_huber():
    output, target = torch.tensor([0.5, -1.0]), torch.tensor([0.0, 1.0])
    # 0.5²/2, and 1·(2 - 1/2) on the line.
    assert Huber()(output, target).item() == pytest.approx((0.125 + 1.5) / 2)
    # 0.2·(0.5 - 0.1) and 0.2·(2 - 0.1).
    assert Huber(Huber.Options(delta=0.2))(output, target).item() == pytest.approx((0.08 + 0.38) / 2)
    # Halved: 0.25²/2, and 1²/2 where parabola and line meet.
    assert Huber(Huber.Options(unit=True))(output, target).item() == pytest.approx((0.03125 + 0.5) / 2)


def test_huber_lies_below_l1_and_below_half_of_mse():
    output, target = torch.randn(100), torch.randn(100)
    assert Huber()(output, target) < L1()(output, target)
    assert Huber()(output, target) < MSE()(output, target) / 2


@pytest.mark.parametrize("loss", [L1, MSE, Huber])
def test_unit_is_the_distance_of_pixels_from_0_to_1(loss):
    output, target = torch.rand(2, 3, 4, 4) * 2 - 1, torch.rand(2, 3, 4, 4) * 2 - 1
    torch.testing.assert_close(loss(loss.Options(unit=True))(output, target), loss()((output + 1) / 2, (target + 1) / 2))


def test_options_by_name():
    part = Part.parse("huber:delta=0.5,unit=true")
    assert build(Huber.Options, dict(part.options), "cycle loss 'huber'") == Huber.Options(delta=0.5, unit=True)
    with pytest.raises(UserError, match="--delta is 0; it must be at least"):
        build(Huber.Options, {"delta": "0"}, "cycle loss 'huber'")


@pytest.mark.parametrize("factory", REGISTERED)
def test_every_distance_is_0_at_equality_and_positive_elsewhere(factory):
    loss, judge = made(factory), SmoothJudge()
    image = torch.rand(2, 2, 16, 16)
    assert loss(image, image, judge).item() == pytest.approx(0, abs=1e-6)
    assert loss(image, -image, judge).item() > 0


@pytest.mark.parametrize("factory", REGISTERED)
def test_every_distance_is_a_scalar_of_at_least_float32(factory):
    for dtype, wanted in ((torch.bfloat16, torch.float32), (torch.float16, torch.float32), (torch.float64, torch.float64)):
        judge = SmoothJudge(dtype)
        output, target = torch.rand(2, 2, 12, 12).to(dtype), torch.rand(2, 2, 12, 12).to(dtype)
        loss = made(factory)(output, target, judge)
        assert loss.dim() == 0
        assert loss.dtype == wanted


@pytest.mark.parametrize("factory", REGISTERED)
def test_autocast_changes_no_distance_but_by_what_the_judge_sees(factory):
    loss, judge = made(factory), SmoothJudge()
    output, target = torch.rand(2, 2, 12, 12), torch.rand(2, 2, 12, 12)
    with torch.autocast("cpu", torch.bfloat16):
        cast = loss(output, target, judge)
    assert cast.dtype == torch.float32
    if not loss.needs_judge:
        assert torch.equal(cast, loss(output, target))


@pytest.mark.parametrize("factory", REGISTERED)
def test_the_gradient_of_every_distance_is_that_of_finite_differences(factory):
    loss, judge = made(factory), SmoothJudge(torch.float64)
    torch.manual_seed(2)
    output, target = torch.rand(2, 2, 2, 7, 8, dtype=torch.float64) * 2 - 1
    assert torch.autograd.gradcheck(lambda output: loss(output, target, judge), (output.requires_grad_(),))
