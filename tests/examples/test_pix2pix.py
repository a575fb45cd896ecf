"""The example of pix2pix (Isola et al., 2017): its steps are the paper's, written out plainly."""

from __future__ import annotations

import copy

import pytest
import torch
from conftest import draw, opened
from PIL import ImageOps
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

from translate import Clock, Engine, UserError
from translate.testing import check_recipe

PIX = {**RUN, "size": 32, "generator": "unet:channels=2", "discriminator": JUDGE}


@pytest.fixture
def pix(tmp_path, use):
    """pix2pix on pictures and their negatives."""
    plugin = use("pix2pix")
    for index in range(5):
        picture = opened(draw(tmp_path / "pairs" / "photo" / f"{index}.png", index, (36, 40)))
        (tmp_path / "pairs" / "negative").mkdir(exist_ok=True)
        ImageOps.invert(picture).save(tmp_path / "pairs" / "negative" / f"{index}.png")

    def make(**values):
        return Engine("pix2pix", ("photo", "negative"), data=tmp_path / "pairs", **{**PIX, **values})

    make.plugin = plugin
    return make


def test_the_judge_sees_pairs_that_belong_together(pix):
    """Through shuffling, crops and flips."""
    engine = pix(augment="paper", steps=6)
    seen = []
    engine.recipe.D.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    list(engine.steps())
    real, fake = seen[::3], seen[1::3]
    assert len(real) == len(fake) == 6
    for pair, other in zip(real, fake, strict=True):
        assert pair.shape == (2, 6, 32, 32)
        assert pair[:, :3].std() > 0.1
        assert (pair[:, :3] + pair[:, 3:]).abs().max() <= 2.01 / 127.5  # pixels were rounded twice
        assert torch.equal(other[:, :3], pair[:, :3])
        assert not torch.equal(other[:, 3:], pair[:, 3:])
    assert len({tuple(each.flatten(1).sum(1).tolist()) for each in real}) == 6


def test_steps_of_pix2pix_equal_the_papers_update_written_out_plainly(pix):
    engine = pix(steps=3)
    batches = in_double(engine, 3)
    plain = copy.deepcopy(engine.recipe)
    for step, batch in enumerate(batches):
        losses = engine.trainer.step([[batch]], Clock(step, 3))
    assert set(losses) == {"discriminator/real", "discriminator/fake", "generator/fool", "generator/reconstruct"}

    G, D = plain.G, plain.D
    adam_g, adam_d = adam(G, 2e-4), adam(D, 2e-4)
    for step, batch in enumerate(batches):
        x, y = batch.images
        for each in (adam_g, adam_d):
            each.param_groups[0]["lr"] = 2e-4 * (1, 1, 1 / 2)[step]  # flat for round(3 / 2) = 2 steps, then 1 - 1 / 2
        fake = G(x)
        real_score, fake_score = D(torch.cat([x, y], 1)), D(torch.cat([x, fake.detach()], 1))
        adam_d.zero_grad()
        (-0.5 * (torch.log(torch.sigmoid(real_score)).mean() + torch.log(1 - torch.sigmoid(fake_score)).mean())).backward()
        adam_d.step()
        adam_g.zero_grad()
        (-torch.log(torch.sigmoid(D(torch.cat([x, fake], 1)))).mean() + 100 * (fake - y).abs().mean()).backward()
        adam_g.step()
    assert_same_weights(engine.recipe, plain)


def test_pix2pix_judges_domains_of_other_channels(pix, tmp_path):
    for index in range(2):
        draw(tmp_path / "mixed" / "labels" / f"{index}.png", index, mode="L")
        draw(tmp_path / "mixed" / "photo" / f"{index}.png", index)
    engine = Engine("pix2pix", ("labels", "photo"), data=tmp_path / "mixed", **PIX)
    next(engine.steps())
    assert engine.recipe.D.body[0].in_channels == 4


def test_pix2pix_goes_on_bit_for_bit_and_its_weights_serve(pix, tmp_path):
    resumed = assert_goes_on_bit_for_bit(pix, tmp_path / "run")
    assert_weights_serve(resumed, "negative", tmp_path / "w.safetensors")


def test_pix2pix_refuses_in_one_sentence(pix, tmp_path):
    image = torch.rand(1, 3, 32, 32)
    with pytest.raises(
        UserError, match="from 'photo' to 'negative'; for the other, train with --domains negative photo"
    ) as error:
        pix().recipe.translate(image, 1, 0)
    one_sentence(error)
    with pytest.raises(UserError, match="here it is given none") as error:
        pix(reconstruction="feature-matching")
    one_sentence(error)
    (tmp_path / "pairs" / "negative" / "3.png").unlink()
    with pytest.raises(UserError, match="'3' of 'photo' has no counterpart"):
        pix()


def test_a_run_of_pix2pix_shows_the_way_that_it_learns(pix, tmp_path):
    engine = pix(out=tmp_path / "run", steps=1).fit()
    assert_shows_one_way(engine, "negative", "photo", columns=3)  # the picture, its translation and the truth, and no way back


def test_pix2pix_conforms(pix, tmp_path):
    check_recipe("pix2pix", domains=("photo", "negative"), data=tmp_path / "pairs", **PIX)
