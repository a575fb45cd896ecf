"""Whole runs with these parts: training, resuming, loading."""

from __future__ import annotations

import pytest
import timm
import torch
from conftest import TINY
from safetensors.torch import save_file

import translate_timm
from translate import Engine, UserError
from translate.plugins import Plugins
from translate.pretrained import backbones


@pytest.fixture
def plugins() -> Plugins:
    result = Plugins(blocked=["timm"])
    result.add(translate_timm, "timm-here")
    return result


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(9)
    path = tmp_path / "weights.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), path)
    return path


def engine(photos, plugins, weights="false", **values) -> Engine:
    chosen = {
        "data": str(photos),
        "generator": f"timm:backbone=test_resnet,channels=2,pretrained={weights}",
        "discriminator": f"timm:backbone=test_resnet,channels=4,pretrained={weights}",
        "cycle": f"perceptual:backbone=test_resnet,levels=2,pretrained={weights}",
        "steps": 2,
    }
    return Engine("cyclegan", ("cat", "dog"), plugins=plugins, **{**TINY, **chosen, **values})


@pytest.mark.parametrize("discriminator", ["timm:backbone=test_resnet,channels=4", "timm:backbone=test_convnext,trainable=true"])
def test_train_save_load_translate(discriminator, photos, plugins, tmp_path):
    trained = engine(photos, plugins, discriminator=discriminator)
    before = {key: each.clone() for key, each in trained.recipe.named_parameters()}
    trained.fit()
    assert all(
        not torch.equal(each, before[key]) for key, each in trained.recipe.named_parameters() if key.endswith(".last.1.bias")
    )
    assert any(not torch.equal(each, before[key]) for key, each in trained.recipe.named_parameters() if ".backbone." in key)
    path = tmp_path / "weights.safetensors"
    trained.save(path)
    loaded = Engine.load(path, device="cpu", plugins=plugins)
    image = torch.rand(1, 3, 16, 32) * 2 - 1
    assert torch.equal(loaded.translate(image, to="dog"), trained.translate(image, to="dog"))


def test_pretrained_weights_are_needed_once(photos, plugins, weights, tmp_path):
    begun = engine(photos, plugins, weights, out=tmp_path / "run", discriminator="patch:channels=4,layers=1", cycle="l1", steps=4)
    # At 16 px the generator has four of the five levels.
    label = "backbone: timm/test_resnet:levels=4,pretrained=weights.safetensors"
    assert set(begun.backbones) == {f"G.{label}", f"F.{label}"}
    begun.steps().__next__()
    begun.save_checkpoint()
    weights.unlink()
    resumed = Engine.resume(tmp_path / "run", plugins=plugins)
    assert resumed.backbones == begun.backbones
    loaded = Engine.load(tmp_path / "run", device="cpu", plugins=plugins)
    assert loaded.backbones == begun.backbones
    assert all(torch.equal(a, b) for a, b in zip(begun.recipe.G.parameters(), loaded.recipe.G.parameters(), strict=True))
    list(begun.steps())  # which writes nothing
    for a, b in zip(begun.recipe.parameters(), resumed.fit().recipe.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("pretrained", [False, True])
def test_a_resumed_run_sees_with_the_same_eyes(pretrained, photos, plugins, weights, tmp_path):
    begun = engine(photos, plugins, weights if pretrained else "false", out=tmp_path / "run", steps=4)
    next(begun.steps())
    begun.save_checkpoint()
    resumed = Engine.resume(tmp_path / "run", plugins=plugins)
    assert backbones(resumed.recipe).items() <= dict(begun.backbones).items()
    list(begun.steps())  # which writes nothing
    for a, b in zip(begun.recipe.parameters(), resumed.fit().recipe.parameters(), strict=True):
        assert torch.equal(a, b)
    if pretrained:
        torch.manual_seed(10)
        save_file(timm.create_model("test_resnet").state_dict(), weights)
        with pytest.raises(UserError, match=r"weights of 'D_X.backbone: timm/test_resnet:.*' are not those that the run in"):
            Engine.resume(tmp_path / "run", plugins=plugins)


def test_mixed_precision(photos, plugins):
    trained = engine(photos, plugins, precision="bf16").fit()
    assert trained.step == 2
