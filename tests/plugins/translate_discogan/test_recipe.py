"""The update of the authors' code, written out plainly from its facts, is what the engine does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from translate import Clock, Engine, Plugins, UserError
from translate.recipe import Batch
from translate_discogan import DiscoGAN

SMALL: dict[str, Any] = {
    "preset": "handbags-shoes",
    "size": 16,
    "batch": 3,
    "steps": 6,
    "starting_rate": 0.01,
    "generator": "discogan:channels=3",
    "discriminator": "discogan:channels=3",
    "workers": 0,
    "device": "cpu",
}


def make(**values: Any) -> Engine:
    return Engine("discogan", ("horse", "zebra"), **{**SMALL, **values})


def in_float64(batch: Batch) -> Batch:
    return Batch(tuple(images.double() for images in batch.images), batch.first, batch.seed)


class Unit:
    """A network of the recipe on pixels in [0, 1], as the authors' code has it."""

    def __init__(self, network):
        self.network = network

    def translate(self, image):
        return torch.sigmoid(self.network.last(self.network.body(image)))

    def judge(self, image):
        seen = []
        for layer in self.network.body:
            image = layer(image)
            seen.append(image)
        return self.network.last(image), seen[1:]


def plain_discogan(recipe, batches: list[Batch], curriculum: int, variant: str) -> list[dict[str, float]]:
    """Losses of every step; one, two, two and so on: a step of the judges, then two of the translators."""
    networks = {name: Unit(getattr(recipe, name)) for name in ("G_AB", "G_BA", "D_A", "D_B")}

    def adam(*names):
        parameters = [each for name in names for each in networks[name].network.parameters()]
        return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999), weight_decay=1e-5)

    adam_g, adam_d = adam("G_AB", "G_BA"), adam("D_A", "D_B")
    one_way = variant != "discogan"
    history = []
    for step, batch in enumerate(batches):
        a, b = ((images + 1) / 2 for images in batch.images)
        ab, ba = networks["G_AB"].translate(a), networks["G_BA"].translate(b)
        if step % 3 == 0:
            losses = {}
            for letter, real, fake in (("b", b, ab), ("a", a, ba))[: 1 if one_way else 2]:
                judge = networks[f"D_{letter.upper()}"].judge
                score, forged = judge(real)[0], judge(fake.detach())[0]
                losses[f"discriminators/real_{letter}"] = 0.5 * bce(score, torch.ones_like(score))
                losses[f"discriminators/fake_{letter}"] = 0.5 * bce(forged, torch.zeros_like(forged))
            optimiser = adam_d
        else:
            rate = 0.01 if step < curriculum else 0.5
            share = 1.0 if variant == "gan" else 1 - rate
            losses = {}
            for letter, real, fake in (("b", b, ab), ("a", a, ba))[: 1 if one_way else 2]:
                judge = networks[f"D_{letter.upper()}"].judge
                score, seen = judge(fake)
                _, truth = judge(real)
                matching = sum(((t.mean(0) - s.mean(0)) ** 2).mean() for t, s in zip(truth, seen, strict=True))
                losses[f"generators/fool_{letter}"] = share * 0.1 * bce(score, torch.ones_like(score))
                losses[f"generators/match_{letter}"] = share * 0.9 * matching
            if variant != "gan":
                losses["generators/reconstruct_a"] = rate * ((networks["G_BA"].translate(ab) - a) ** 2).mean()
            if variant == "discogan":
                losses["generators/reconstruct_b"] = rate * ((networks["G_AB"].translate(ba) - b) ** 2).mean()
            optimiser = adam_g
        for each in (adam_g, adam_d):
            each.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        history.append({name: loss.item() for name, loss in losses.items()})
    return history


@pytest.mark.parametrize("variant", ["discogan", "reconstruction", "gan"])
def test_six_steps_equal_the_update_written_out_plainly(variant):
    engine = make(curriculum=5, variant=variant)  # the rate changes before the last of the six
    engine.recipe.double()
    batches = [in_float64(batch) for batch, _ in zip(engine.loader.batches(0), range(6), strict=False)]
    plain = copy.deepcopy(engine.recipe)
    history = plain_discogan(plain, batches, 5, variant)
    for step, batch in enumerate(batches):
        losses = engine.trainer.step([[batch]], Clock(step, 6))
        assert {key: loss.item() for key, loss in losses.items()} == pytest.approx(history[step], rel=1e-9)
    for (name, mine), theirs in zip(engine.recipe.named_parameters(), plain.parameters(), strict=True):
        assert (mine - theirs).abs().max().item() <= 1e-9, name


def test_the_rhythm_and_the_phases():
    engine = make(curriculum=4)
    stream = engine.loader.batches(0)
    groups = [[update.group for update in engine.recipe.step([next(stream)], Clock(step, 6))] for step in range(6)]
    assert groups == [["discriminators"], ["generators"], ["generators"]] * 2
    phases = [engine.recipe.phase(Clock(step, 6)) for step in range(6)]
    assert phases[1] == phases[2]
    assert phases[4] == phases[5]
    assert len(set(phases)) == 3  # the judges' turn, and the translators' before and after the change of rate at step 4
    assert len({make(curriculum=9).recipe.phase(Clock(step, 6)) for step in range(6)}) == 2
    lazy = make(curriculum=99, adversarial="non-saturating:lazy=2").recipe
    assert lazy.phase(Clock(0, 12)) != lazy.phase(Clock(3, 12))


def test_a_game_counts_the_turns_of_its_side():
    engine = make()
    clocks = []
    plain = engine.recipe.game.discriminator
    engine.recipe.game.discriminator = lambda *given: (clocks.append(given[3].step), plain(*given))[1]
    for _, _report in zip(range(9), engine.steps(), strict=False):
        pass
    assert clocks == [0, 0, 1, 1]


def test_the_published_numbers():
    chosen = DiscoGAN.Options()
    assert (chosen.adversarial_weight, chosen.feature_weight) == (0.1, 0.9)
    assert (chosen.starting_rate, chosen.rate, chosen.curriculum) == (0.01, 0.5, 10_000)
    assert (chosen.lr, chosen.beta1, chosen.weight_decay) == (2e-4, 0.5, 1e-5)
    assert str(chosen.reconstruction) == "mse:unit=true"
    assert DiscoGAN.presets["paper"].run["batch"] == 200
    assert DiscoGAN.presets["handbags-shoes"].run["batch"] == 64
    assert DiscoGAN.presets["handbags-shoes"].options == {"starting_rate": 0.5}
    assert DiscoGAN.presets["paper"].run["augment"] == "none"
    engine = make()
    assert engine.trainer.rates(Clock(5, 6, 1000, 1000)) == {"generators": 2e-4, "discriminators": 2e-4}
    for group in engine.trainer.optimisers.values():
        assert (group.param_groups[0]["betas"], group.param_groups[0]["weight_decay"]) == ((0.5, 0.999), 1e-5)
    assert not any("pool" in name or "identity" in name for name, _ in engine.recipe.named_children())


def test_an_epoch_is_the_shorter_domain_without_its_remainder():
    recipe = make().recipe
    assert recipe.epoch_length([100, 70], 32) == 64
    assert recipe.epoch_length([10, 70], 32) == 32  # a domain that fills no batch goes round


def test_one_pass_through_the_judge_serves_the_game_and_feature_matching():
    engine = make()
    passes = []
    engine.recipe.D_B.body[0].register_forward_hook(lambda *_: passes.append(1))
    next(iter(engine.recipe.step([next(engine.loader.batches(0))], Clock(1, 6))))
    assert len(passes) == 2  # the fakes and the reals, once each


def test_a_judge_that_shows_no_features_is_refused():
    class Blind(torch.nn.Module):
        def __init__(self, space):
            super().__init__()

    plugins = Plugins()
    plugins.discriminators.add("blind", Blind, "a test")
    with pytest.raises(UserError, match="discriminator 'blind' does not show it"):
        make(discriminator="blind", plugins=plugins)


def test_translate_is_g_ab_one_way_and_g_ba_the_other():
    recipe = make().recipe.eval()
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(recipe.translate(image, 0, 1), recipe.G_AB(image))
    assert torch.equal(recipe.translate(image, 1, 0), recipe.G_BA(image))
    assert recipe.translate(image, 1, 1) is image
