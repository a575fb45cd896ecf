from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from translate import Engine, UserError
from translate.options import Part
from translate.parts import build_part
from translate.plugins import installed
from translate_augmentations.ada import INTERVAL, MOST, Adaptive, Draws, looked_at, placement, recoloured, scaled, shifted, turned
from translate_augmentations.places import interpolated


def images(batch=2, channels=3, height=8, width=12):
    torch.manual_seed(3)
    return torch.rand(batch, channels, height, width, dtype=torch.float64) * 2 - 1


def at(p, **values):
    result = Adaptive(Adaptive.Options(**values))
    result.p.fill_(p)
    return result


# What pictures go through


def test_at_probability_0_nothing_changes():
    assert torch.allclose(at(0.0)(images()), images(), atol=1e-12)


def test_sampling_is_torchs_own():
    x = images(2, 3, 7, 10)
    y, across = (torch.rand(2, 5, 6, dtype=torch.float64) * 40 - 15 for _ in range(2))
    grid = torch.stack([(2 * across + 1) / 10 - 1, (2 * y + 1) / 7 - 1], -1)
    expected = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(interpolated(x, y, across), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (scaled(torch.tensor([-1.0]), torch.tensor([1.0])), lambda x: x.flip(3)),
        (turned(torch.tensor([math.pi / 2])), lambda x: x.rot90(1, (2, 3))),
        (turned(torch.tensor([math.pi])), lambda x: x.rot90(2, (2, 3))),
        (shifted(torch.tensor([[2.0], [0.0]])), lambda x: torch.cat([x[..., 2:], x[..., -1:], x[..., -2:-1]], 3)),
        (shifted(torch.tensor([[0.0], [-1.0]])), lambda x: torch.cat([x[:, :, :1], x[:, :, :-1]], 2)),
        (scaled(torch.tensor([0.5]), torch.tensor([0.5])) @ shifted(torch.tensor([[1.0], [1.0]])), None),
    ],
    ids=["flip", "quarter", "half", "left", "down", "zoom"],
)
def test_single_changes_by_hand(matrix, expected):
    x = images(1, 2, 8, 8)
    got = looked_at(x, matrix.double())
    if (
        expected is None
    ):  # the middle of the picture, pixels 2 to 5, twice as large, a pixel aside: place 0 lies at 3.5 + (0 + 1 - 3.5) / 2
        at_2_25 = functional.grid_sample(x, torch.full((1, 1, 1, 2), (2 * 2.25 + 1) / 8 - 1).double(), align_corners=False)
        assert torch.allclose(got[..., 0, 0], at_2_25[..., 0, 0], atol=1e-12)
    else:
        assert torch.allclose(got, expected(x), atol=1e-6)


def test_colours_are_those_of_matrices_multiplied_out():
    x = images(50)
    torch.manual_seed(5)
    got = recoloured(x, torch.tensor(1.0))
    torch.manual_seed(5)
    draws = Draws(x, torch.tensor(1.0))
    brightness, contrast = draws.normal(0.2), draws.normal(0.5)
    luma, hue, saturation = draws.uniform(0, 2), draws.uniform(-math.pi, math.pi), draws.normal(1.0)
    axis = torch.ones(3, dtype=torch.float64) / math.sqrt(3)
    outer, cross = torch.outer(axis, axis), torch.linalg.cross(torch.eye(3, dtype=torch.float64), axis.expand(3, 3))
    eye = torch.eye(3, dtype=torch.float64)
    for number in range(50):
        flip = eye - 2 * outer * float(luma[number] >= 1)
        turn = hue[number].cos() * eye + (1 - hue[number].cos()) * outer + hue[number].sin() * cross  # Rodrigues
        fade = outer + (eye - outer) * 2 ** saturation[number]
        expected = (fade @ turn @ flip) @ (2 ** contrast[number] * (x[number] + brightness[number])).flatten(1)
        assert torch.allclose(got[number].flatten(1), expected)


def test_one_channel_changes_in_brightness_and_contrast_alone():
    x = images(4, 1)
    got = recoloured(x, torch.tensor(1.0))
    for before, after in zip(x, got, strict=True):
        slope = (after.max() - after.min()) / (before.max() - before.min())
        assert torch.allclose(after - after.mean(), slope * (before - before.mean()))
        assert slope > 0


def test_draws_have_an_effect_with_probability_p():
    x = torch.zeros(20000, 1, 1, 1)
    for values in (Draws(x, torch.tensor(0.3)).uniform(1, 2, 2), Draws(x, torch.tensor(0.3)).normal(1, 2)):
        assert torch.equal(values[0] != 0, values[1] != 0)  # one decision, two draws
        assert not torch.equal(values[0], values[1])
        assert (values[0] != 0).double().mean() == pytest.approx(0.3, abs=5 * 0.0033)
    assert (Draws(x, torch.tensor(1.0)).uniform(1, 2) >= 1).all()


def test_the_parameters_are_the_papers():
    x = torch.zeros(20000, 1, 1, 1).expand(-1, 3, 100, 200)
    torch.manual_seed(0)
    matrices = placement(x, torch.tensor(1.0)).double()
    # Turns and stretches keep areas: the determinant is the square of the scale, and negative where flipped.
    areas = torch.linalg.det(matrices[:, :2, :2])
    assert (areas < 0).double().mean() == pytest.approx(0.5, abs=5 * 0.0036)
    assert (areas.abs().log2() / 2).std() == pytest.approx(0.2, rel=0.03)
    # Singular values are the scale times the stretch, and over it.
    values = torch.linalg.svdvals(matrices[:, :2, :2])
    assert ((values[:, 0] / values[:, 1]).log2() / 2).square().mean().sqrt() == pytest.approx(0.2, rel=0.03)


def test_turns_come_with_probability_p():
    x = torch.zeros(20000, 1, 1, 1).expand(-1, 3, 100, 200)
    torch.manual_seed(0)
    # All else but a turn leaves axes on axes.
    turned_ones = placement(x, torch.tensor(0.36))[:, 0, :2].abs().min(1).values > 1e-5
    assert turned_ones.double().mean() == pytest.approx(0.36, abs=5 * 0.0034)


def test_shifts_are_shares_of_the_sides():
    x = torch.zeros(20000, 1, 1, 1).expand(-1, 3, 100, 200)
    torch.manual_seed(0)
    upright = placement(x, torch.tensor(0.05))
    upright = upright[(upright[:, :2, :2] == torch.eye(2)).all(2).all(1)]
    moves = upright[:, :2, 2]
    whole = moves[(moves == moves.round()).all(1) & (moves != 0).any(1)]
    # Evenly distributed up to an eighth of the width, and of the height; 5 % of 20000 less those that other changes met.
    assert 600 < len(whole) < 1000
    assert whole.abs().amax(0).tolist() in ([25, 12], [25, 13])
    assert whole.std(0).tolist() == pytest.approx([25 / math.sqrt(3), 12.5 / math.sqrt(3)], rel=0.1)
    part = moves[(moves != moves.round()).any(1)]
    assert part.std(0).tolist() == pytest.approx([25, 12.5], rel=0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_change_can_be_differentiated_twice(channels):
    augmentation = at(MOST)

    def repeatable(x):
        torch.manual_seed(7)
        return augmentation(x) ** 2

    x = images(2, channels, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(repeatable, x)
    assert torch.autograd.gradgradcheck(repeatable, x)


def test_half_precision_comes_and_goes_and_is_computed_in_full():
    x = images(4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(0)
        got = at(0.8)(x)
    torch.manual_seed(0)
    assert got.dtype == torch.bfloat16
    assert torch.equal(got, at(0.8)(x.float()).bfloat16())


# How often


def test_p_rises_where_reals_are_known_by_heart_and_falls_again():
    augmentation = at(0.0, speed=1000)
    for _ in range(INTERVAL // 4 - 1):
        augmentation.heard(torch.ones(4, 1, 3, 3))
    assert augmentation.p == 0  # 60 of 64 reals were heard
    augmentation.heard(torch.ones(4, 1, 3, 3))
    assert augmentation.p == pytest.approx(64 / 1000)
    assert augmentation.count == augmentation.signs == 0
    augmentation.heard(torch.zeros(100, 1))
    assert augmentation.p == 0  # 0.064 - 0.1, and not below 0


@pytest.mark.parametrize(("above", "p"), [(81, 0.164), (79, 0.036)])
def test_the_statistic_is_the_mean_sign_of_all_scores(above, p):
    """Of 100 scores, n above the middle and the others below have the mean sign (2 n - 100) / 100: 0.6 at 80."""
    augmentation = at(0.1, speed=1000)
    scores = torch.full((64, 100), -1e-3)
    scores[:, :above] = 1e-3
    augmentation.heard(scores.view(64, 1, 10, 10))
    assert augmentation.p == pytest.approx(p)


def test_scores_are_heard_from_where_the_game_is_undecided():
    """Least squares draws reals to 1 and fakes to 0, so that 0.4 is a fake's score there, and a real's where the middle is 0."""
    from translate import Clock
    from translate.game import AugmentedGame, Game

    for text, p in (("least-squares", 0.0), ("non-saturating", 0.064)):
        augmentation = at(0.0, speed=1000)
        game = AugmentedGame(build_part(installed().adversarial_losses, Part.parse(text), Game), augmentation)
        real = torch.zeros(64, 1, 4, 4)
        game.discriminator(lambda images: images.new_full((len(images), 1), 0.4), real, real + 0, Clock(0, 1))
        assert augmentation.p == pytest.approx(p)


@pytest.mark.parametrize("game", ["wasserstein", "relativistic-paired"])
def test_games_in_which_a_score_says_nothing_are_refused(tiny, game):
    with pytest.raises(UserError, match=f"in game '{game}' a single score says nothing; use --judge-augment diffaugment"):
        tiny(judge_augment="ada", adversarial=game)


def test_p_never_reaches_where_changes_leak():
    augmentation = at(0.0, speed=10)
    for _ in range(10):
        augmentation.heard(torch.ones(64, 1))
    assert augmentation.p == pytest.approx(0.8)


# In a run


def test_a_resumed_run_equals_the_uninterrupted_one(tiny, tmp_path):
    # With that target p rises as long as any real is called one: 8 reals are heard at a step.
    ada = "ada:speed=200,target=-1"
    values = {"judge_augment": ada, "adversarial": "hinge:r1=1", "batch": 4, "steps": 16, "checkpoint_every": 12}
    whole = tiny(**values, out=tmp_path / "whole").fit()
    p = whole.recipe.state_dict()["game.augmentation.p"]
    assert p == pytest.approx(2 * 64 / 200)
    folders = sorted((tmp_path / "whole" / "checkpoints").iterdir())
    assert [each.name for each in folders] == ["000012", "000016"]
    for each in folders[1].iterdir():
        each.unlink()
    folders[1].rmdir()
    resumed = Engine.resume(tmp_path / "whole")
    assert resumed.step == 12
    assert resumed.recipe.state_dict()["game.augmentation.count"] == 32  # in the middle of an interval
    resumed.fit()
    expected = whole.trainer.state()
    assert expected.keys() == resumed.trainer.state().keys()
    for name, tensor in resumed.trainer.state().items():
        assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize(
    ("name", "game"),
    [
        *((name, "least-squares:r1=1,r2=1") for name in ("diffaugment", "ada")),
        *(("diffaugment", game) for game in ("relativistic-paired", "wasserstein")),
    ],
)
def test_games_go_through_it_with_their_penalties(tiny, name, game):
    engine = tiny(judge_augment=name, adversarial=game, steps=2)
    engine.fit()
    assert type(engine.recipe.game).__name__ == "AugmentedGame"


@pytest.mark.parametrize("name", ["diffaugment", "ada"])
def test_a_penalty_feels_the_augmentation(name):
    """R1 is half the squared gradient of scores with respect to pictures before they are changed."""
    from translate.plugins import installed
    from translate_losses.penalties import zero_centred

    augmentation = installed().judge_augmentations[name](None)
    if name == "ada":
        augmentation.p.fill_(0.8)
    torch.manual_seed(0)
    weights = torch.randn(1, 3, 8, 12, dtype=torch.float64)
    x = images(3)

    def score(samples):
        torch.manual_seed(11)
        return (augmentation(samples) * weights).sum((1, 2, 3)) ** 2

    # The same by single differences: the score of each picture is quadratic, so that central differences are exact.
    step, found = 0.5, 0.0
    for place in range(x[0].numel()):
        offset = torch.zeros(x[0].numel(), dtype=torch.float64)
        offset[place] = step
        offset = offset.view_as(x[0])
        found += (((score(x + offset) - score(x - offset)) / (2 * step)) ** 2).mean()
    assert float(zero_centred(score, x).detach()) == pytest.approx(float(found) / 2, rel=1e-6)


def test_points_are_refused():
    from translate import Space, UserError

    with pytest.raises(UserError, match="holds points of 2 coordinates"):
        Adaptive().check(Space("ring", (2,), "float32", (-1.0, 1.0)))
