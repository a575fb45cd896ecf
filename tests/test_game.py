"""Games whose judge sees everything through an augmentation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from translate import Clock, JudgeAugmentation, Space, UserError
from translate.game import AugmentedGame, Game
from translate.options import Part
from translate.parts import build_part
from translate.plugins import installed


class Double(JudgeAugmentation):
    """Twice what it is given, once per call a little more."""

    def __init__(self):
        super().__init__()
        self.scores: list[Tensor] = []

    def heard(self, scores):
        self.scores.append(scores)

    def forward(self, samples):
        return 2 * samples


def game(text, augmentation=None):
    inner = build_part(installed().adversarial_losses, Part.parse(text), Game)
    return AugmentedGame(inner, augmentation) if augmentation else inner


def samples(seed):
    return torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("text", ["least-squares", "non-saturating:r1=2", "relativistic-average", "wasserstein"])
def test_the_judge_sees_reals_and_fakes_through_the_augmentation(text):
    weight = torch.tensor([0.3, -0.2, 0.5, 0.1]).double().reshape(1, 1, 2, 2)

    def judge(x):
        return (weight * x).flatten(1).sum(1, keepdim=True).tanh()

    real, fake, clock = samples(0), samples(1), Clock(0, 1)
    through = Double()
    for side in ("discriminator", "generator"):
        torch.manual_seed(0)
        augmented = getattr(game(text, through), side)(judge, real, fake, clock)
        torch.manual_seed(0)
        plain = getattr(game(text), side)(lambda x: judge(2 * x), real, fake, clock)
        assert augmented.keys() == plain.keys()
        assert all(augmented[name].item() == pytest.approx(plain[name].item()) for name in plain)
    # It heard of reals at the discriminator's update, and of nothing else.
    assert [each.tolist() for each in through.scores] == [(judge(2 * real) - (game(text).middle or 0)).tolist()]
    assert not through.scores[0].requires_grad


def test_a_run_may_ask_for_one(tiny):
    plain, augmented = tiny(), tiny(judge_augment=Double)
    assert isinstance(augmented.recipe.game, AugmentedGame)
    assert not isinstance(plain.recipe.game, AugmentedGame)
    augmented.fit()


def test_points_are_refused():
    with pytest.raises(UserError, match="where pictures are needed"):
        Double().check(Space("points", (2,)))
