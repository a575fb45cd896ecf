"""Distances as a network sees them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from translate import UserError
from translate_timm import Perceptual


def perceptual(**values) -> Perceptual:
    torch.manual_seed(0)
    return Perceptual(Perceptual.Options(**{"backbone": "test_resnet", **values}))


def a_picture(channels: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, channels, 32, 48, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_0_at_equality_and_positive_elsewhere(name, channels):
    loss = perceptual(backbone=name, pixel=0)
    image, other = a_picture(channels), a_picture(channels, 1)
    assert loss(image, image).item() == 0
    distance = loss(image, other)
    assert distance.dim() == 0
    assert distance.item() > 0.05
    assert loss(image, torch.lerp(image, other, 0.1)) < distance


def test_it_is_the_mean_over_levels_of_levelled_features_and_the_pixels():
    loss = perceptual(levels=2, pixel=0.5)
    output, target = a_picture(), a_picture(seed=1)
    expected = 0.5 * (output - target).abs().mean()
    for given, wanted in zip(loss.backbone(output), loss.backbone(target), strict=True):
        given, wanted = (each / each.square().mean(dim=1, keepdim=True).sqrt() for each in (given, wanted))
        expected = expected + (given - wanted).abs().mean() / 2
    torch.testing.assert_close(loss(output, target), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        loss(output, target) - perceptual(levels=2, pixel=0)(output, target), 0.5 * functional.l1_loss(output, target)
    )


def test_a_grey_picture_is_three_equal_channels_and_every_channel_of_others_counts():
    loss = perceptual()
    grey, other = a_picture(1), a_picture(1, 1)
    torch.testing.assert_close(loss(grey, other), loss(grey.expand(-1, 3, -1, -1), other.expand(-1, 3, -1, -1)))
    four = a_picture(4)
    for channel in range(4):
        changed = four.clone()
        changed[:, channel] *= -1
        assert loss(changed, four) > 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_gradient_in_float64(channels):
    # GELU and layer norms: smooth but for the absolute value.
    loss = perceptual(backbone="test_convnext").double()
    output, target = (a_picture(channels, seed)[:1].double() for seed in (0, 1))
    assert torch.autograd.gradcheck(lambda each: loss(each, target), output.requires_grad_(), fast_mode=True)


def test_nothing_is_trained_or_stored():
    loss = perceptual()
    assert list(loss.parameters()) == []
    assert loss.state_dict() == {}
    (label,) = loss.backbone.backbones
    assert label == "timm/test_resnet:levels=4,pretrained=false"


def test_half_precision_gives_a_full_loss():
    loss = perceptual()
    output = a_picture().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        distance = loss(output, a_picture(seed=1))
    assert distance.dtype == torch.float32
    distance.backward()
    assert torch.isfinite(output.grad).all()
    assert output.grad.abs().max() > 0


def test_pictures_that_are_too_small_are_refused():
    small = torch.zeros(1, 3, 8, 32)
    with pytest.raises(UserError, match="'perceptual' with test_resnet compares pictures of at least 16 pixels a side, not 8x32"):
        perceptual()(small, small)
    assert perceptual(levels=3)(small, small).item() == 0


def test_as_it_comes():
    loss = Perceptual(Perceptual.Options())
    assert loss(a_picture(), a_picture()).item() == 0
    assert loss(a_picture(), a_picture(seed=1)).item() > 0
