"""One translator and one judge: the losses by hand, one direction, and weights that go on."""

from __future__ import annotations

import pytest
import torch
from conftest import TINY
from third_party import assert_goes_on_bit_for_bit, assert_shows_one_way, assert_weights_serve, one_sentence

from translate import Clock, Engine, UserError
from translate.recipe import Batch

RUN = dict(TINY) | {"augment": "none", "log_every": 1}


@pytest.fixture
def one_sided(photos):
    return lambda **values: Engine("one-sided", ("cat", "dog"), **{"data": str(photos), **RUN, **values})


def test_the_losses_are_those_of_the_game_and_the_likeness(one_sided):
    recipe = one_sided(likeness_weight=3, pool_size=0).recipe.double()
    x, y = torch.rand(2, 2, 3, 16, 16, dtype=torch.float64) * 2 - 1
    first, second = recipe.step([Batch((x, y), 0, 0)], Clock(0, 4))
    fake = recipe.G(x)
    expected = {"fool": ((recipe.D(fake) - 1) ** 2).mean(), "likeness": 3 * (fake - x).abs().mean()}
    assert first.group == "generator"
    assert [each.item() for each in first.losses.values()] == pytest.approx([each.item() for each in expected.values()])
    judged = {"real": ((recipe.D(y) - 1) ** 2).mean(), "fake": (recipe.D(fake) ** 2).mean()}
    assert second.group == "discriminator"
    assert sum(each.item() for each in second.losses.values()) == pytest.approx(sum(each.item() for each in judged.values()))
    off = one_sided(likeness_weight=0).recipe
    assert "likeness" not in next(off.step([Batch((x.float(), y.float()), 0, 0)], Clock(0, 4))).losses


def test_it_leads_one_way_and_goes_on(one_sided, tmp_path):
    def make(**values):
        return one_sided(**values)

    engine = assert_goes_on_bit_for_bit(make, tmp_path / "run")
    assert_weights_serve(engine, "dog", tmp_path / "w.safetensors")
    assert_shows_one_way(one_sided(out=tmp_path / "shown").fit(steps=1), "dog", "cat", columns=2)


def test_imported_weights_can_be_trained_further(one_sided, tmp_path):
    one_sided().save(tmp_path / "w.safetensors")
    engine = one_sided(init_from=str(tmp_path / "w.safetensors"), out=tmp_path / "run")
    loaded = Engine.load(tmp_path / "w.safetensors", device="cpu")
    assert all(torch.equal(each, engine.recipe.state_dict()[key]) for key, each in loaded.recipe.exported().items())


def test_pictures_of_other_shapes_have_no_likeness(one_sided, photos):
    from conftest import draw

    for split in ("train", "test"):
        for path in (photos / split / "dog").iterdir():
            draw(path, 3, mode="L")
    with pytest.raises(
        UserError, match=r"'cat' is \(3, 16, 16\) where 'dog' is \(1, 16, 16\); set --likeness-weight to 0"
    ) as error:
        one_sided()
    one_sentence(error)
    one_sided(likeness_weight=0)
