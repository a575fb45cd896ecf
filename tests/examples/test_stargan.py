"""The example of a StarGAN (Choi et al., 2018): its losses are the paper's, by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from conftest import draw, opened
from third_party import RUN, assert_goes_on_bit_for_bit, assert_weights_serve, one_sentence, spaces

from translate import Clock, Engine, UserError
from translate.recipe import Batch
from translate.testing import check_generator, check_recipe

STAR = {**RUN, "generator": "stargan:channels=4,blocks=1", "judge_channels": 4, "judge_layers": 2, "n_critic": 2}


@pytest.fixture
def star(tmp_path, use):
    plugin = use("stargan")
    for number, name in enumerate(("spring", "summer", "winter")):
        for index in range(4):
            draw(tmp_path / "photos" / name / f"{index}.png", 10 * number + index, (16, 16))

    def make(**values):
        return Engine("stargan", ("spring", "summer", "winter"), data=tmp_path / "photos", **{**STAR, **values})

    make.plugin = plugin
    return make


def test_stargan_trains_on_three_domains_and_shows_every_pair(star, tmp_path):
    engine = star(out=tmp_path / "run").fit()
    shown = opened(tmp_path / "run" / "samples" / "000004.png")
    two = opened(star_of_two(tmp_path).out / "samples" / "000004.png")
    assert shown.width > 2 * two.width or shown.height > 2 * two.height  # six pairs instead of two
    assert_weights_serve(engine, "winter", tmp_path / "w.safetensors")


def star_of_two(tmp_path) -> Engine:
    return Engine("stargan", ("spring", "summer"), data=tmp_path / "photos", out=tmp_path / "two", **STAR).fit()


def test_labels_reach_the_generator(star):
    engine = star()
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        made = [
            engine.translate(image, to=name, source="winter" if name != "winter" else "spring")
            for name in ("spring", "summer", "winter")
        ]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert (made[one] - made[other]).abs().max() > 0.01
        labels = torch.eye(3)[:, :, None, None].expand(-1, -1, 16, 16)
        direct = engine.recipe.G(torch.cat([image.expand(3, -1, -1, -1), labels], dim=1))
    assert torch.allclose(torch.cat(made), direct, atol=1e-6)
    assert engine.recipe.translate(image, 1, 1) is image


def test_a_generator_that_hears_no_label_is_refused(star):
    """Where padding reflects and the first layer is normalised, a constant channel leaves no trace at all."""
    with pytest.raises(
        UserError, match=r"'resnet' makes the same picture whichever domain it is told, .* --generator stargan"
    ) as error:
        star(generator="resnet:blocks=1,channels=4")
    one_sentence(error)
    star(generator="unet:channels=2", size=32)


def test_what_the_judge_of_stargan_minimises(star):
    recipe = star().recipe.double()
    batch = Batch(tuple(torch.rand(3, 2, 3, 16, 16, dtype=torch.float64) * 2 - 1), 0, 0)
    torch.manual_seed(7)
    losses = next(recipe.step([batch], Clock(0, 4))).losses
    torch.manual_seed(7)
    x, source = torch.cat(batch.images), torch.tensor([0, 0, 1, 1, 2, 2])
    target = source[torch.randperm(6)]
    assert not torch.equal(target, source)
    fake = torch.cat([recipe.translate(one[None], -1, number) for one, number in zip(x, target.tolist(), strict=True)]).detach()
    between = (x + torch.rand(6, 1, 1, 1, dtype=torch.float64) * (fake - x)).requires_grad_()
    (slope,) = torch.autograd.grad(recipe.D(between).sum(), between)
    scores = recipe.D.classify(x).detach()
    expected = {
        "real": -recipe.D(x).mean().item(),
        "fake": recipe.D(fake).mean().item(),
        "gradient_penalty": 10 * (slope.flatten(1).square().sum(1).sqrt() - 1).square().mean().item(),
        "domain": -sum(math.log(row[own].exp() / row.exp().sum()) for row, own in zip(scores, source, strict=True)) / 6,
    }
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(expected, rel=1e-9)


def test_what_the_translator_of_stargan_minimises(star):
    recipe = star(n_critic=1).recipe.double()
    batch = Batch(tuple(torch.rand(3, 2, 3, 16, 16, dtype=torch.float64) * 2 - 1), 0, 0)
    torch.manual_seed(7)
    _, update = recipe.step([batch], Clock(0, 4))
    torch.manual_seed(7)
    x, source = torch.cat(batch.images), torch.tensor([0, 0, 1, 1, 2, 2])
    target = source[torch.randperm(6)]
    fake = recipe.towards(x, target)
    scores = recipe.D.classify(fake).detach()
    expected = {
        "fool": -recipe.D(fake).mean().item(),
        "domain": -sum(math.log(row[own].exp() / row.exp().sum()) for row, own in zip(scores, target, strict=True)) / 6,
        "reconstruct": 10 * (recipe.towards(fake, source) - x).abs().mean().item(),
    }
    assert (update.group, {name: loss.item() for name, loss in update.losses.items()}) == (
        "generator",
        pytest.approx(expected, rel=1e-9),
    )


def test_the_judge_of_stargan_learns_five_times_as_often(star):
    recipe = star(n_critic=5).recipe
    batch = Batch(tuple(torch.rand(3, 1, 3, 16, 16)), 0, 0)
    groups = [[update.group for update in recipe.step([batch], Clock(step, 10))] for step in range(10)]
    assert [len(each) for each in groups] == [1, 1, 1, 1, 2] * 2
    assert groups[4] == ["discriminator", "generator"]
    chosen = star.plugin.StarGAN.Options()
    assert (chosen.n_critic, chosen.domain_weight, chosen.reconstruction_weight, chosen.lr, chosen.beta1) == (5, 1, 10, 1e-4, 0.5)


def test_published_networks_of_stargan_are_as_large_as_the_authors(star):
    with torch.device("meta"):
        generator = star.plugin.StarGenerator(*spaces(8, 3, size=(128, 128)), star.plugin.StarGenerator.Options())
        judge = star.plugin.TwoHeads(*spaces(3, size=(128, 128)), 5, 64, 6)
    convolutions = sum(16 * before * after + after for before, after in pairwise((3, 64, 128, 256, 512, 1024, 2048)))
    assert [sum(each.numel() for each in network.parameters()) for network in (generator, judge)] == [
        8_430_528,
        convolutions + 9 * 2048 + 4 * 2048 * 5,
    ]
    assert judge(torch.empty(1, 3, 128, 128, device="meta")).shape == (1, 1, 2, 2)
    assert judge.classify(torch.empty(1, 3, 128, 128, device="meta")).shape == (1, 5)


def test_stargan_goes_on_bit_for_bit(star, tmp_path):
    assert_goes_on_bit_for_bit(star, tmp_path / "run")


def test_stargan_refuses_in_one_sentence(star, tmp_path):
    with pytest.raises(UserError, match="16x16 is too small for that; raise --size, or lower --judge-layers") as error:
        star(judge_layers=5)
    one_sentence(error)
    draw(tmp_path / "photos" / "grey" / "0.png", 0, mode="L")
    with pytest.raises(UserError, match="'grey' has 1 channel where 'spring' has 3") as error:
        Engine("stargan", ("spring", "grey"), data=tmp_path / "photos", **STAR)
    one_sentence(error)
    with pytest.raises(UserError, match="needs 2 or more domains"):
        Engine("stargan", ("spring",), data=tmp_path / "photos", **STAR)


def test_stargan_conforms(star, tmp_path):
    check_recipe("stargan", domains=("spring", "summer", "winter"), data=tmp_path / "photos", **STAR)
    check_generator(star.plugin.StarGenerator, part="stargan:channels=4,blocks=1")
