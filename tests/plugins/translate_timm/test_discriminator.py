"""The judge of a backbone's features."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from translate import Space, UserError
from translate.pretrained import Pretrained, backbones
from translate_timm import TimmDiscriminator
from translate_timm.backbone import levelled


def judge(channels: int = 3, size: tuple[int, int] = (32, 64), **values) -> TimmDiscriminator:
    options = TimmDiscriminator.Options(**{"backbone": "test_resnet", "channels": 8, **values})
    return TimmDiscriminator(Space("x", (channels, *size)), options)


def samples(channels: int = 3, height: int = 32, width: int = 64, count: int = 2) -> torch.Tensor:
    return torch.rand(count, channels, height, width) * 2 - 1


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext", "test_mambaout", "test_vit"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("trainable", [False, True])
def test_scores_and_gradients(name, channels, trainable):
    network = judge(channels, backbone=name, trainable=trainable)
    shown = samples(channels).requires_grad_()
    scores = network(shown)
    levels = len(network.heads)
    # Every level is brought to the size of the coarsest: 16 for the transformer, 32 for the others.
    assert scores.shape == (2, 1, levels * (8 if name == "test_vit" else 2), 1)
    scores.square().mean().backward()
    assert all(each.grad is not None and torch.isfinite(each.grad).all() for each in network.parameters() if each.requires_grad)
    assert all(each.requires_grad for each in network.parameters())
    assert shown.grad.abs().sum() > 0  # through the backbone, to whoever made the sample


def test_small_pictures_are_judged():
    assert judge(size=(16, 16))(samples(3, 16, 16)).shape == (2, 1, 4, 1)
    assert judge(size=(28, 28))(samples(3, 28, 28)).shape == (2, 1, 4 * 2 * 2, 1)


def test_a_frozen_backbone_is_neither_trained_nor_stored():
    network = judge()
    assert all(key.startswith("heads.") for key in network.state_dict())
    assert all(key.startswith("heads.") for key, _ in network.named_parameters())
    assert not any(isinstance(each, torch.nn.modules.batchnorm._BatchNorm) for each in network.train().modules())
    shown = samples()
    before = [each.clone() for each in network.backbone.network.state_dict().values()]
    network(shown).mean().backward()
    assert all(torch.equal(a, b) for a, b in zip(before, network.backbone.network.state_dict().values(), strict=True))


def test_a_frozen_backbone_couples_no_samples():
    network = judge().train()
    shown = samples(count=3)
    torch.testing.assert_close(network(shown)[:1], network(shown[:1]))


def test_a_trainable_backbone_is_trained_and_stored():
    network = judge(trainable=True)
    assert any(key.startswith("backbone.") for key in network.state_dict())
    assert any(key.startswith("backbone.") for key, _ in network.named_parameters())
    assert backbones(network) == {}


def test_features_are_the_levels_and_what_the_heads_make_of_them():
    network = judge()
    shown = samples()
    seen = network.features(shown)
    assert len(seen) == 10
    for level, features in zip(network.backbone(shown), seen, strict=False):
        assert torch.equal(levelled(level), features)
    rescored = [head.score(each).flatten(2) for head, each in zip(network.heads, seen[5:], strict=True)]
    torch.testing.assert_close(torch.cat(rescored, dim=2).unsqueeze(3), network(shown))


@pytest.mark.parametrize("trainable", [False, True])
def test_pretrained_weights_of_a_file(trainable, tmp_path):
    import timm

    torch.manual_seed(5)
    model = timm.create_model("test_resnet")
    path = tmp_path / "weights.safetensors"
    save_file(model.state_dict(), path)
    network = judge(pretrained=str(path), trainable=trainable)
    assert bool(backbones(network)) is not trainable  # a frozen one is there at once, a trainable one from the beginning on
    for each in list(network.modules()):
        if isinstance(each, Pretrained):
            each.begin()
    (label,) = backbones(network)
    assert label == "backbone: timm/test_resnet:pretrained=weights.safetensors"
    inner = network.backbone if trainable else network.backbone.network
    assert torch.equal(inner.network.state_dict()["conv1.0.weight"], model.state_dict()["conv1.0.weight"])


def test_a_frozen_backbone_moves_with_its_judge():
    assert judge().double()(samples().double()).dtype == torch.float64


def test_gradients_of_gradients():
    network = judge(backbone="test_convnext")
    shown = samples().requires_grad_()
    (slope,) = torch.autograd.grad(network(shown).sum(), shown, create_graph=True)
    slope.square().sum().backward()
    assert all(head.body[0].weight.grad.abs().max() > 0 for head in network.heads)


def test_points_are_refused():
    with pytest.raises(UserError, match="points of 2 coordinates"):
        TimmDiscriminator(Space("ring", (2,)), TimmDiscriminator.Options())


@pytest.mark.parametrize("backbone", ["test_vit", "test_maxvit"])
def test_attention_can_be_differentiated_twice_as_penalties_do(backbone):
    network = judge(backbone=backbone, levels=1)
    image = torch.rand(2, 3, 64, 64).requires_grad_()
    (gradient,) = torch.autograd.grad(network(image).sum(), image, create_graph=True)
    gradient.square().sum().backward()
    assert all(each.grad is not None for each in network.heads[0].body.parameters() if each.dim() > 1)
