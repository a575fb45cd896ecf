"""Algorithm 1, written out plainly, is what the engine does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn.functional import logsigmoid

from translate import Clock, Engine, UserError
from translate.recipe import Batch
from translate_vanilla import Vanilla

SMALL: dict[str, Any] = {
    "preset": "report",
    "size": 8,
    "batch": 4,
    "steps": 4,
    "z": 3,
    "generator": "mlp:widths=6-5",
    "discriminator": "mlp:widths=7",
    "workers": 0,
    "device": "cpu",
}


def make(**values: Any) -> Engine:
    return Engine("vanilla", ("digits",), **{**SMALL, **values})


def in_float64(batch: Batch) -> Batch:
    return Batch(tuple(images.double() for images in batch.images), batch.first, batch.seed)


def plain_algorithm_1(G, D, steps: list[list[Batch]], k: int, pack: int, lr: float, beta1: float, saturating: bool):
    """Goodfellow et al., 2014, Algorithm 1 with Adam; the losses of every step."""
    adam_d = torch.optim.Adam(D.parameters(), lr=lr, betas=(beta1, 0.999))
    adam_g = torch.optim.Adam(G.parameters(), lr=lr, betas=(beta1, 0.999))

    def normal(batch: Batch, purpose: str) -> torch.Tensor:
        return torch.special.ndtri(batch.uniform(purpose, 3))

    history = []
    for batches in steps:
        values = []
        for update in range(k):
            minibatches = batches[update * pack : (update + 1) * pack]
            x = torch.cat([each.images[0] for each in minibatches], dim=1)
            fake = torch.cat([G(normal(each, "z")) for each in minibatches], dim=1).detach()
            value = logsigmoid(D(x)).mean() + logsigmoid(-D(fake)).mean()
            values.append(-value.item())
            adam_d.zero_grad()
            (-value).backward()
            adam_d.step()
        score = D(torch.cat([G(normal(each, "z/generator")) for each in minibatches], dim=1))
        fool = logsigmoid(-score).mean() if saturating else -logsigmoid(score).mean()
        adam_g.zero_grad()
        fool.backward()
        adam_g.step()
        history.append((sum(values) / k, fool.item()))
    return history


@pytest.mark.parametrize(("k", "pack", "game"), [(1, 1, "non-saturating"), (3, 1, "minimax"), (2, 2, "non-saturating")])
def test_three_steps_equal_the_algorithm_written_out_plainly(k, pack, game):
    engine = make(k=k, pack=pack, adversarial=game, lr=2e-3)
    engine.recipe.double()
    stream = engine.loader.batches(0)
    steps = [[in_float64(next(stream)) for _ in range(k * pack)] for _ in range(3)]
    plain = copy.deepcopy(engine.recipe)
    history = plain_algorithm_1(plain.G, plain.D, steps, k, pack, 2e-3, 0.5, game == "minimax")
    for number, batches in enumerate(steps):
        losses = engine.trainer.step([batches], Clock(number, 3))
        value = losses["discriminator/real"] + losses["discriminator/fake"]
        assert (value.item(), losses["generator/fool"].item()) == pytest.approx(history[number], rel=1e-9)
    for mine, theirs in zip(engine.recipe.state_dict().values(), plain.state_dict().values(), strict=True):
        assert (mine - theirs).abs().max().item() <= 1e-9  # weights, and the norms' running statistics


def test_k_updates_see_k_batches_and_k_noises():
    engine = make(k=3)
    assert engine.recipe.batches(Clock(0, 1)) == 3
    shown, noises = [], []
    game = engine.recipe.game
    plain = game.discriminator
    game.discriminator = lambda judge, real, fake, clock: (shown.append(real), plain(judge, real, fake, clock))[1]
    engine.recipe.G.register_forward_pre_hook(lambda _, inputs: noises.append(inputs[0].clone()))
    next(engine.steps())
    assert len(shown) == 3
    assert len(noises) == 4  # and one for G, of its own
    for several in (shown, noises):
        for number, one in enumerate(several):
            assert not any(torch.equal(one, other) for other in several[:number])
    assert engine.consumed == 12


def test_updates_are_k_times_d_then_g():
    engine = make(k=2)
    stream = engine.loader.batches(0)
    groups = [update.group for update in engine.recipe.step([next(stream), next(stream)], Clock(0, 1))]
    assert groups == ["discriminator", "discriminator", "generator"]


def test_who_optimises_what():
    engine = make()
    assert {name.split(".")[0] for name in engine.trainer.parameters["discriminator"]} == {"D"}
    assert {name.split(".")[0] for name in engine.trainer.parameters["generator"]} == {"G"}


def test_the_report_preset():
    engine = Engine("vanilla", ("digits",), preset="report", device="cpu")
    assert engine.run_options.epochs == 200
    assert (engine.run_options.size, str(engine.run_options.augment)) == ((28, 28), "none")
    assert engine.trainer.rates(Clock(0, 1, 200, 200)) == {"discriminator": 1e-4, "generator": 1e-4}
    assert engine.recipe.latent.width == 100
    assert (Vanilla.Options().lr, Vanilla.Options().beta1) == (2e-4, 0.5)


def test_a_pack_is_judged_together():
    engine = make(pack=3)
    assert engine.recipe.D.hidden[0][0].in_features == 3 * 64
    assert engine.recipe.batches(Clock(0, 1)) == 3
    seen = []
    engine.recipe.D.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    next(engine.steps())
    assert set(seen) == {(4, 3, 8, 8)}


def test_points():
    engine = Engine("vanilla", ("points:ring8",), preset="points", steps=2, batch=10, device="cpu", workers=0).fit()
    assert engine.sample(5).shape == (5, 2)


def test_a_batch_of_one_has_nothing_to_be_normalised_by():
    with pytest.raises(UserError, match="raise --batch"):
        make(batch=1).fit()


def test_a_network_that_takes_pictures_is_refused_for_noise():
    with pytest.raises(
        UserError, match="Generator 'resnet' takes pictures, and this method makes samples from noise; choose another"
    ):
        make(generator="resnet")


@pytest.mark.parametrize(
    ("recipe", "values"),
    [
        ("cyclegan", {"cycle": "ssim"}),
        ("cyclegan", {"cycle": "perceptual:backbone=test_resnet"}),
        ("cyclegan", {"discriminator": "pixel"}),
        ("vanilla", {"generator": "dcgan"}),
    ],
)
def test_what_needs_pictures_refuses_points_before_training(recipe, values):
    domains = ("points:ring8", "points:grid25")[: 2 if recipe == "cyclegan" else 1]
    preset = "paper" if recipe == "cyclegan" else "points"
    options = {"generator": "mlp:widths=4", "discriminator": "mlp:widths=4"} | values
    with pytest.raises(
        UserError, match=r"^Domain 'points:[a-z0-9]+' holds points of 2 coordinates, where pictures are needed\.$"
    ):
        Engine(recipe, domains, preset=preset, device="cpu", workers=0, **options)


def test_lazy_penalties_count_the_updates_of_d():
    engine = make(k=3, adversarial="hinge:r1=1,lazy=4")
    due = []
    plain = engine.recipe.game.discriminator
    engine.recipe.game.discriminator = lambda *given: (due.append("r1" in plain(*given)), plain(*given))[1]
    for _, _report in zip(range(4), engine.steps(), strict=False):
        pass
    assert due == [update % 4 == 0 for update in range(12)]
    assert len({engine.recipe.phase(Clock(step, 8)) for step in range(4)}) == 4  # due at the first, second, third, or no update
