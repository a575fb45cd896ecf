"""The update of the paper, written out plainly, is what the engine does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import TINY, draw

from translate import Clock, DataWarning, Domain, Engine, Plugins, UserError, hookimpl
from translate.recipe import Batch
from translate_cyclegan import CycleGAN


def plain_pool(pool: list, fakes: torch.Tensor, draws: torch.Tensor, size: int) -> torch.Tensor:
    out = []
    for fake, (swap, slot) in zip(fakes, draws.tolist(), strict=True):
        if len(pool) < size:
            pool.append(fake)
            out.append(fake)
        elif swap < 0.5:
            at = int(slot * size)
            out.append(pool[at])
            pool[at] = fake
        else:
            out.append(fake)
    return torch.stack(out)


def plain_cyclegan(recipe: CycleGAN, batches: list[Batch], total: int, pool_size: int):
    """Zhu et al., 2017, and the public PyTorch code: returns losses and gradients of every step, and changes ``recipe``'s networks."""
    G, F, D_X, D_Y = recipe.G, recipe.F, recipe.D_X, recipe.D_Y
    adam_g = torch.optim.Adam([*G.parameters(), *F.parameters()], lr=2e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam([*D_X.parameters(), *D_Y.parameters()], lr=2e-4, betas=(0.5, 0.999))
    pool_x: list[torch.Tensor] = []
    pool_y: list[torch.Tensor] = []
    losses, gradients = [], []

    def mse(score, label):
        return ((score - label) ** 2).mean()

    def l1(a, b):
        return (a - b).abs().mean()

    for number, batch in enumerate(batches):
        x, y = batch.images
        lap, flat = number + 1, round(total / 2)
        for optimiser in (adam_g, adam_d):
            optimiser.param_groups[0]["lr"] = 2e-4 * (1 - max(0, lap - flat) / (total - flat + 1))
        for network in (D_X, D_Y):
            network.requires_grad_(False)
        fake_y, fake_x = G(x), F(y)
        parts = {
            "generators/fool_y": mse(D_Y(fake_y), 1),
            "generators/fool_x": mse(D_X(fake_x), 1),
            "generators/cycle_x": 10 * l1(F(fake_y), x),
            "generators/cycle_y": 10 * l1(G(fake_x), y),
            "generators/identity_x": 10 * 0.5 * l1(F(x), x),
            "generators/identity_y": 10 * 0.5 * l1(G(y), y),
        }
        adam_g.zero_grad()
        sum(parts.values()).backward()
        grads = [p.grad.clone() for p in [*G.parameters(), *F.parameters()]]
        adam_g.step()
        for network in (D_X, D_Y):
            network.requires_grad_(True)
        old_x = plain_pool(pool_x, fake_x.detach(), batch.uniform("pool_x", 2), pool_size)
        old_y = plain_pool(pool_y, fake_y.detach(), batch.uniform("pool_y", 2), pool_size)
        judged = {
            "discriminators/real_x": 0.5 * mse(D_X(x), 1),
            "discriminators/fake_x": 0.5 * mse(D_X(old_x), 0),
            "discriminators/real_y": 0.5 * mse(D_Y(y), 1),
            "discriminators/fake_y": 0.5 * mse(D_Y(old_y), 0),
        }
        adam_d.zero_grad()
        sum(judged.values()).backward()
        grads += [p.grad.clone() for p in [*D_X.parameters(), *D_Y.parameters()]]
        adam_d.step()
        losses.append({key: loss.item() for key, loss in (parts | judged).items()})
        gradients.append(grads)
    return losses, gradients


NETWORKS = ("G", "F", "D_X", "D_Y")


# In single precision another order of sums moves these gradients by 1e-3, whichever way they are computed.
@pytest.mark.parametrize(("dtype", "fast"), [(torch.float64, "none"), (torch.float64, "all"), (torch.float32, "none")])
def test_three_steps_equal_the_papers_update_written_out_plainly(tiny, dtype, fast):
    # A pool of 3 with batches of 2 is full, and swaps, from the second step on; total 4 has a falling rate at the third.
    chosen = {"generator": "resnet:blocks=2,channels=16", "size": 32, "discriminator": "patch:channels=8,layers=2", "lr": 2e-4}
    engine = tiny(**chosen, fast=[fast])
    engine.recipe.to(dtype)
    batches = [next(engine.loader.batches(first)) for first in (0, 2, 4)]
    batches = [Batch(tuple(image.to(dtype) for image in batch.images), batch.first, batch.seed) for batch in batches]
    plain = tiny(**chosen, fast=["none"]).recipe.to(dtype)
    losses, gradients = plain_cyclegan(plain, batches, total=4, pool_size=3)

    seen: list[torch.Tensor] = []
    for optimiser in engine.trainer.optimisers.values():
        optimiser.register_step_pre_hook(lambda o, *_: seen.extend(p.grad.clone() for p in o.param_groups[0]["params"]))
    for step, batch in enumerate(batches):
        if dtype == torch.float32:
            # Biases before an instance norm have gradients of pure rounding, which Adam turns into steps of full size: in single
            # precision losses and gradients are compared, and weights in double precision only.
            seen.clear()
        ours = engine.trainer.step([[batch]], Clock(step, 4))
        assert {key: loss.item() for key, loss in ours.items()} == pytest.approx(
            losses[step], rel=1e-9 if dtype == torch.float64 else 1e-5
        )
        if dtype == torch.float32:
            for mine, theirs in zip(seen, gradients[step], strict=True):
                scale = max(theirs.abs().max().item(), 1e-4)
                assert (mine - theirs).abs().max().item() <= 1e-5 * scale
    if dtype == torch.float64:
        for network in NETWORKS:
            for mine, theirs in zip(
                getattr(engine.recipe, network).parameters(), getattr(plain, network).parameters(), strict=True
            ):
                assert (mine - theirs).abs().max().item() <= 1e-9


def test_the_defaults_are_the_papers():
    chosen = CycleGAN.Options()
    assert (chosen.cycle_weight, chosen.pool_size, chosen.lr, chosen.beta1) == (10, 50, 2e-4, 0.5)
    assert (str(chosen.adversarial), str(chosen.cycle), str(chosen.identity)) == ("least-squares", "l1", "l1")
    assert (str(chosen.generator), str(chosen.discriminator)) == ("resnet", "patch")
    paper = CycleGAN.presets["paper"]
    assert paper.run == {"size": 256, "batch": 1, "epochs": 200}
    assert not paper.options
    assert CycleGAN.order == ("round", "draw")


def test_learning_rates_follow_the_public_code(tiny):
    engine = tiny(lr=2e-4)
    for epoch in range(1, 201):
        factor = 1 - max(0, epoch - 100) / 101  # 1 up to epoch 100, 1/101 = .0099 in the last
        assert engine.trainer.rates(Clock(0, 1, epoch, 200)) == pytest.approx(
            dict.fromkeys(("generators", "discriminators"), 0.0002 * factor)
        )


def test_updates_come_in_the_order_of_the_paper(tiny):
    engine = tiny()
    groups = [update.group for update in engine.recipe.step([next(engine.loader.batches(0))], Clock(0, 1))]
    assert groups == ["generators", "discriminators"]


def test_without_identity_weight_there_is_no_identity_loss(tiny):
    engine = tiny(identity_weight=0)
    update = next(iter(engine.recipe.step([next(engine.loader.batches(0))], Clock(0, 1))))
    assert set(update.losses) == {"fool_x", "fool_y", "cycle_x", "cycle_y"}


def test_the_identity_weight_is_half_the_cycle_weight_unless_given(tiny):
    assert tiny().recipe.identity_weight == 5
    assert tiny(cycle_weight=4).recipe.identity_weight == 2
    assert tiny(cycle_weight=4, identity_weight=3).recipe.identity_weight == 3


def test_domains_of_different_channels_go_without_identity_loss(tmp_path):
    for index in range(2):
        draw(tmp_path / "grey" / f"{index}.png", index, mode="L")
        draw(tmp_path / "colour" / f"{index}.png", index)
    values = {**TINY, "data": str(tmp_path)}
    with pytest.raises(UserError, match="leave --identity-weight away"):
        Engine("cyclegan", ("grey", "colour"), identity_weight=1, **values)
    with pytest.warns(DataWarning, match="'grey' has 1 channel where 'colour' has 3, so it is left out"):
        engine = Engine("cyclegan", ("grey", "colour"), **values)
    assert engine.fit(steps=2).recipe.identity_weight == 0
    engine.save(tmp_path / "weights.safetensors")
    engine = Engine.load(tmp_path / "weights.safetensors")  # says nothing: it is only used
    assert engine.translate(torch.zeros(1, 1, 16, 16), to="colour").shape == (1, 3, 16, 16)
    assert engine.translate(torch.zeros(1, 3, 16, 16), to="grey").shape == (1, 1, 16, 16)


def test_translate_is_g_one_way_and_f_the_other(tiny):
    recipe = tiny().recipe
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(recipe.translate(image, 0, 1), recipe.G(image))
    assert torch.equal(recipe.translate(image, 1, 0), recipe.F(image))
    assert recipe.translate(image, 1, 1) is image


def test_from_four_channels_to_one(tmp_path):
    """Scans of four channels and maps of one, as floats: what a plugin may bring, through training, grids and use."""

    class Scans(Domain):
        dtype = "float32"

        def __init__(self, name, channels):
            self.name, self.channels = name, channels

        def __len__(self):
            return 4

        def read(self, index):
            return np.random.default_rng(index).uniform(-1, 1, (16, 24, self.channels)).astype(np.float32)

    class Scanner:
        @hookimpl
        def open_domain(self, name):
            return Scans(name, {"scans": 4, "maps": 1, "pairs": 2}[name]) if name in ("scans", "maps", "pairs") else None

    plugins = Plugins()
    plugins.add(Scanner(), "scanner")
    values = TINY | {"size": "16x24", "augment": "none", "plugins": plugins}
    for source, channels in (("scans", 4), ("pairs", 2)):
        with pytest.warns(DataWarning, match=f"'{source}' has {channels} channels where 'maps' has 1"):
            engine = Engine("cyclegan", (source, "maps"), out=tmp_path / source, **values).fit(steps=1)
        array = np.zeros((16, 24, channels), np.float32)
        assert engine.translate(array, to="maps").shape == (16, 24, 1)
        assert engine.translate(array[..., :1], to=source).shape == (16, 24, channels)
        assert (tmp_path / source / "samples" / "000001.png").exists()
