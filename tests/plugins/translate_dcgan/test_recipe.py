"""The update of PyTorch's form, and the authors' own, written out plainly, are what the engine does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from translate import Clock, Engine
from translate.recipe import Batch
from translate_dcgan import DCGAN

SMALL: dict[str, Any] = {
    "preset": "pytorch",
    "size": 16,
    "batch": 4,
    "steps": 4,
    "generator": "dcgan:channels=3",
    "discriminator": "dcgan:channels=3",
    "workers": 0,
    "device": "cpu",
}


def make(**values: Any) -> Engine:
    return Engine("dcgan", ("digits",), **{**SMALL, **values})


def in_float64(batch: Batch) -> Batch:
    return Batch(tuple(images.double() for images in batch.images), batch.first, batch.seed)


def plain_dcgan(G, D, batches: list[Batch], decay: float, alternate: bool, uniform: bool) -> list[dict[str, float]]:
    adam_d, adam_g = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), weight_decay=decay) for network in (D, G)
    )
    history = []
    for number, batch in enumerate(batches):
        (x,), losses = batch.images, {}
        draws = batch.uniform("z", 100)
        fake = G(2 * draws - 1 if uniform else torch.special.ndtri(draws))
        if not alternate or number % 2:
            real, forged = D(x), D(fake.detach())
            parts = bce(real, torch.ones_like(real)), bce(forged, torch.zeros_like(forged))
            adam_d.zero_grad()
            sum(parts).backward()
            adam_d.step()
            losses = {"discriminator/real": parts[0].item(), "discriminator/fake": parts[1].item()}
        if not alternate or not number % 2:
            score = D(fake)
            fool = bce(score, torch.ones_like(score))
            adam_g.zero_grad()
            fool.backward()
            adam_g.step()
            losses["generator/fool"] = fool.item()
        history.append(losses)
    return history


@pytest.mark.parametrize("form", ["pytorch", "authors"])
def test_three_steps_equal_the_update_written_out_plainly(form):
    authors = form == "authors"
    own = {"alternate": True, "weight_decay": 1e-5, "noise": "uniform"} if authors else {}
    kind = "dcgan-authors" if authors else "dcgan"
    engine = make(generator=f"{kind}:channels=3", discriminator=f"{kind}:channels=3", **own)
    engine.recipe.double()
    batches = [in_float64(batch) for batch, _ in zip(engine.loader.batches(0), range(3), strict=False)]
    plain = copy.deepcopy(engine.recipe)
    history = plain_dcgan(plain.G, plain.D, batches, 1e-5 if authors else 0.0, authors, authors)
    for number, batch in enumerate(batches):
        losses = engine.trainer.step([[batch]], Clock(number, 3))
        assert {key: loss.item() for key, loss in losses.items()} == pytest.approx(history[number], rel=1e-9)
    for (name, mine), theirs in zip(engine.recipe.state_dict().items(), plain.state_dict().values(), strict=True):
        if (authors and "running" in name) or "num_batches" in name:
            continue  # the plain form shows D more batches than it learns from; no output in training depends on it
        assert (mine - theirs).abs().max().item() <= 1e-9, name


def test_d_comes_first_and_g_learns_from_the_same_fakes():
    engine = make()
    batch = next(engine.loader.batches(0))
    judged = []
    engine.recipe.D.register_forward_pre_hook(lambda _, inputs: judged.append(inputs[0]))
    groups = [update.group for update in engine.recipe.step([batch], Clock(0, 1))]
    assert groups == ["discriminator", "generator"]
    assert judged[1] is judged[2]


def test_the_authors_minibatches_serve_one_of_the_two_g_first():
    engine = make(alternate=True)
    stream = engine.loader.batches(0)
    groups = [[update.group for update in engine.recipe.step([next(stream)], Clock(step, 4))] for step in range(4)]
    assert groups == [["generator"], ["discriminator"]] * 2
    phases = [engine.recipe.phase(Clock(step, 4)) for step in range(4)]
    assert phases[0] == phases[2] != phases[1] == phases[3]


def test_the_published_numbers():
    chosen = DCGAN.Options()
    assert (chosen.z, chosen.noise, chosen.lr, chosen.beta1, chosen.weight_decay) == (100, "normal", 2e-4, 0.5, 0)
    paper = DCGAN.presets["paper"]
    assert (paper.run["batch"], paper.options["weight_decay"], paper.options["noise"]) == (128, 1e-5, "uniform")
    assert paper.options["alternate"]
    engine = make()
    assert engine.trainer.optimisers["generator"].param_groups[0]["betas"] == (0.5, 0.999)
    assert engine.trainer.rates(Clock(3, 4, 25, 25)) == {"discriminator": 2e-4, "generator": 2e-4}


def test_pictures_look_the_same_in_evaluation_as_in_training():
    """Batch norm's running statistics must follow the batches', or samples of a trained network differ from those that D saw."""
    engine = make(steps=150, batch=32, generator="dcgan:channels=8", discriminator="dcgan:channels=8").fit()
    noise = engine.recipe.latent.draw(256, 1)
    with torch.no_grad():
        in_training = engine.recipe.train().G(noise)
    in_evaluation = engine.sample(noise)
    assert in_evaluation.std().item() == pytest.approx(in_training.std().item(), rel=0.1)
    assert (in_evaluation - in_training).abs().mean() < 0.1 * in_training.abs().mean()


def test_averages_go_with_penalties():
    """Samples are made without gradients, and the averages' statistics are measured then: the penalty needs gradients all the same."""
    engine = make(ema=0.9, adversarial="non-saturating:r1=1", discriminator="dcgan:channels=3,norm=instance")
    next(engine.steps())
    assert len(engine.sample(2)) == 2
