"""The example of CUT (Park et al., 2020): its steps are the authors', written out plainly."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from conftest import draw
from third_party import (
    JUDGE,
    RUN,
    adam,
    assert_goes_on_bit_for_bit,
    assert_same_weights,
    assert_shows_one_way,
    assert_weights_serve,
    in_double,
    one_sentence,
)
from torch import nn

from translate import Clock, Engine, UserError
from translate.randomness import derive, seeded
from translate.testing import check_recipe

CUT = {**RUN, "generator": "resnet:blocks=1,channels=4", "discriminator": JUDGE, "layers": "0,2,3,4", "patches": 8, "width": 12}


@pytest.fixture
def cut(photos, use):
    plugin = use("cut")

    def make(**values):
        return Engine("cut", ("cat", "dog"), data=photos, **{**CUT, **values})

    make.plugin = plugin
    return make


def plain_nce(queries: torch.Tensor, keys: torch.Tensor, temperature: float) -> torch.Tensor:
    losses = []
    for query, key in zip(queries, keys, strict=True):
        for own in range(len(query)):
            likeness = [(query[own] * other).sum() / temperature for other in key]
            losses.append(-torch.log(likeness[own].exp() / sum(each.exp() for each in likeness)))
    return sum(losses) / len(losses)


def test_patch_nce_is_a_cross_entropy(use):
    generator = torch.Generator().manual_seed(0)
    queries, keys = (
        nn.functional.normalize(torch.randn(2, 5, 7, generator=generator, dtype=torch.float64), dim=2) for _ in range(2)
    )
    patch_nce = use("cut").patch_nce
    assert patch_nce(queries, keys, 0.07).item() == pytest.approx(plain_nce(queries, keys, 0.07).item(), rel=1e-9)
    # Where all keys are the same, a query can only guess.
    assert patch_nce(queries, keys[:, :1].expand(-1, 5, -1), 0.07).item() == pytest.approx(math.log(5), rel=1e-12)


def test_patch_nce_keeps_its_precision_under_autocast(use):
    patch_nce = use("cut").patch_nce
    queries, keys = (nn.functional.normalize(torch.randn(1, 9, 8), dim=2) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        assert patch_nce(queries, keys, 0.07) == patch_nce(queries, keys, 0.07).float()
        inside = patch_nce(queries, keys, 0.07)
    assert torch.equal(inside, patch_nce(queries, keys, 0.07))


def test_heads_are_as_wide_as_the_layers_they_see(cut, tmp_path):
    recipe = cut(layers="0,1,2,3,4").recipe
    assert [(head.body[0].in_features, head.body[2].out_features) for head in recipe.F] == [(c, 12) for c in (3, 4, 8, 16, 16)]
    assert "F.3.body.0.weight" in cut().trainer.parameters["generator"]
    for name in ("x", "y"):
        draw(tmp_path / "grey" / name / "0.png", 0, mode="L")
    grey = Engine("cut", ("x", "y"), data=tmp_path / "grey", **{**CUT, "batch": 1, "generator": "resnet:blocks=2,channels=3"})
    assert [head.body[0].in_features for head in grey.recipe.F] == [1, 6, 12, 12]


def plain_cut(recipe, batches, total: int, identity: bool, flip: bool, weight: float) -> None:
    """Park et al., 2020, and the authors' code: changes ``recipe``'s networks."""
    G, D, F = recipe.G, recipe.D, recipe.F
    adams = [adam(network, 2e-4) for network in (G, F, D)]

    def nce(source, made, mirrored):
        total_loss = 0
        seen, wanted = ([network[layer] for layer in (0, 2, 3, 4)] for network in (G.features(made), G.features(source)))
        for head, query, key in zip(F, seen, wanted, strict=True):
            query = query.flip(3) if mirrored else query
            height, width = key.shape[2:]
            places = torch.randperm(height * width)[:8]
            sides = []
            for features in (query, key):
                rows = torch.stack([features[:, :, at // width, at % width] for at in places.tolist()], dim=1)
                hidden = (rows @ head.body[0].weight.T + head.body[0].bias).clamp(min=0)
                out = hidden @ head.body[2].weight.T + head.body[2].bias
                sides.append(out / (out.square().sum(2, keepdim=True).sqrt() + 1e-7))
            total_loss = total_loss + weight * plain_nce(sides[0], sides[1].detach(), 0.07)
        return total_loss / len(F)

    for step, batch in enumerate(batches):
        x, y = batch.images
        for each in adams:
            each.param_groups[0]["lr"] = 2e-4 * (1 - max(0, step + 1 - round(total / 2)) / (total - round(total / 2) + 1))
        with seeded(torch.device("cpu"), derive(0, "step", step)):
            mirrored = flip and torch.rand(()).item() < 0.5
            fake = G(x.flip(3)) if mirrored else G(x)
            adams[2].zero_grad()
            (0.5 * (((D(y) - 1) ** 2).mean() + (D(fake.detach()) ** 2).mean())).backward()
            adams[2].step()
            adams[0].zero_grad()
            adams[1].zero_grad()
            loss = nce(x, fake, mirrored)
            if identity:
                loss = 0.5 * (loss + nce(y, G(y.flip(3) if mirrored else y), mirrored))
            (((D(fake) - 1) ** 2).mean() + loss).backward()
            adams[0].step()
            adams[1].step()


@pytest.mark.parametrize(("identity", "flip", "weight"), [(True, False, 1.0), (False, True, 10.0)], ids=["cut", "fastcut"])
def test_steps_of_cut_equal_the_authors_update_written_out_plainly(cut, identity, flip, weight):
    engine = cut(identity=identity, flip=flip, nce_weight=weight, steps=3)
    batches = in_double(engine, 3)
    plain = copy.deepcopy(engine.recipe)
    for step, batch in enumerate(batches):
        losses = engine.trainer.step([[batch]], Clock(step, 3))
    assert set(losses) >= {"discriminator/real", "discriminator/fake", "generator/fool", "generator/nce_x"}
    assert ("generator/nce_y" in losses) == identity
    plain_cut(plain, batches, 3, identity, flip, weight)
    assert_same_weights(engine.recipe, plain)


def test_a_mirrored_step_compares_as_if_it_were_not(cut):
    """A generator that leaves its picture alone is blamed for nothing more when it is shown the mirror image."""
    recipe = cut().recipe.double()
    x = torch.rand(2, 3, 16, 16, dtype=torch.float64) * 2 - 1
    losses = []
    for made, mirrored in ((x, False), (x.flip(3), True)):
        torch.manual_seed(0)
        recipe.layers = [0]
        recipe.F = recipe.F[:1]
        losses.append(recipe.compared(x, made, mirrored).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_the_encoder_learns_from_the_comparison_in_half_precision(cut):
    """Keys are computed without gradients, and autocast must not hand their weights to the queries."""
    recipe = cut(precision="bf16", layers="4").recipe
    x, y = torch.rand(2, 2, 3, 16, 16) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        recipe.compared(x, y).backward()
    assert recipe.G.down[1].weight.grad.abs().max() > 0


def test_cut_has_the_papers_defaults(cut):
    chosen = cut.plugin.CUT.Options()
    assert (chosen.adversarial_weight, chosen.nce_weight, chosen.identity, chosen.flip) == (1, 1, True, False)
    assert (chosen.temperature, chosen.patches, chosen.width, chosen.lr, chosen.beta1) == (0.07, 256, 256, 2e-4, 0.5)
    assert str(chosen.adversarial) == "least-squares"


def test_cut_goes_on_bit_for_bit_and_its_weights_serve(cut, tmp_path):
    resumed = assert_goes_on_bit_for_bit(cut, tmp_path / "run")
    assert_weights_serve(resumed, "dog", tmp_path / "w.safetensors")
    assert {key.split(".")[0] for key in resumed.recipe.exported()} == {"G"}


def test_cut_refuses_in_one_sentence(cut, tmp_path):
    with pytest.raises(UserError, match=r"generator 'unet' does not show it .*--generator resnet") as error:
        cut(generator="unet:channels=2", size=32)
    one_sentence(error)
    said = {"0+5": "the features of generator 'resnet' go to 4", "0+a": "whole numbers", "-1": "at least 0"}
    for layers, sentence in said.items():
        with pytest.raises(UserError, match=sentence) as error:
            cut(layers=layers)
        one_sentence(error)
    draw(tmp_path / "mixed" / "x" / "0.png", 0, mode="L")
    draw(tmp_path / "mixed" / "y" / "0.png", 0)
    with pytest.raises(UserError, match="'y' has 3 channels where 'x' has 1; give it domains") as error:
        Engine("cut", ("x", "y"), data=tmp_path / "mixed", **CUT)
    one_sentence(error)


def test_cut_translates_one_way(cut):
    recipe = cut().recipe
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(recipe.translate(image, 0, 1), recipe.G(image))
    assert recipe.translate(image, 1, 1) is image
    with pytest.raises(UserError, match="from 'cat' to 'dog'; for the other, train with --domains dog cat") as error:
        recipe.translate(image, 1, 0)
    one_sentence(error)


def test_a_run_of_cut_shows_the_way_that_it_learns(cut, tmp_path):
    engine = cut(out=tmp_path / "run", steps=1).fit()
    assert_shows_one_way(engine, "dog", "cat", columns=2)  # the picture and its translation, and no way back


def test_cut_conforms(cut, photos):
    check_recipe("cut", domains=("cat", "dog"), data=photos, **CUT)
