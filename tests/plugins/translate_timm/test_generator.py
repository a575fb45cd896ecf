"""The U-Net on a backbone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from translate import Part, Space, UserError
from translate.plugins import Plugins
from translate.recipe import Make
from translate_timm import TimmGenerator, pretrained


def space(channels: int = 3, height: int = 32, width: int = 64) -> Space:
    return Space("x", (channels, height, width))


def generator(source: Space | None = None, target: Space | None = None, **values) -> TimmGenerator:
    options = TimmGenerator.Options(**{"backbone": "test_resnet", "channels": 4, **values})
    return TimmGenerator(source or space(), target or space(), options)


def a_picture(channels: int = 3, height: int = 32, width: int = 64) -> torch.Tensor:
    return torch.rand(2, channels, height, width) * 2 - 1


def plugins() -> Plugins:
    import translate_timm

    result = Plugins(blocked=["timm"])
    result.add(translate_timm, "timm-here")
    return result


@pytest.mark.parametrize(
    "name", ["test_resnet", "test_efficientnet", "test_convnext", "test_mambaout", "mobilenetv3_small_050", "resnet10t"]
)
@pytest.mark.parametrize(("source", "target"), [(3, 3), (1, 3), (4, 1)])
def test_shapes_range_and_gradients(name, source, target):
    network = generator(space(source), space(target), backbone=name)
    picture = network(a_picture(source))
    assert picture.shape == (2, target, 32, 64)
    assert picture.dtype == torch.float32
    assert picture.abs().max() <= 1
    assert picture.std() > 0.01
    picture.square().mean().backward()
    for key, each in network.named_parameters():
        assert each.grad is not None, key
        assert torch.isfinite(each.grad).all(), key
    assert any(each.grad.abs().max() > 0 for each in network.backbone.parameters())


def test_as_it_comes_it_has_the_parameters_that_its_docstring_names():
    network = TimmGenerator(space(3, 256, 256), space(3, 256, 256), TimmGenerator.Options())
    assert sum(each.numel() for each in network.parameters()) == 5_689_563
    assert network.stride == 32
    # One sample at a time, so that it is the same in training and in use.
    assert not any(isinstance(each, torch.nn.modules.batchnorm._BatchNorm) for each in network.modules())
    image = a_picture(3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(image), network.eval()(image))


@pytest.mark.parametrize(("levels", "stride"), [(None, 32), (1, 2), (3, 8)])
def test_stride_is_the_largest_reduction(levels, stride):
    network = generator(levels=levels)
    assert network.stride == stride
    assert network(a_picture(3, 2 * stride, 3 * stride)).shape == (2, 3, 2 * stride, 3 * stride)


def test_by_default_it_goes_as_deep_as_the_size_allows():
    assert generator(space(3, 48, 16)).stride == 16
    assert generator(space(3, 48, 24)).stride == 8


def test_the_core_refuses_sizes_that_its_stride_does_not_divide():
    make = Make(plugins(), [space(), space()])
    with pytest.raises(UserError, match=r"Generator 'timm' takes .* multiples of 32, not 48; try --size 64"):
        make.generator(Part.parse("timm:backbone=test_resnet,levels=5"), space(3, 48, 48), space())
    with pytest.raises(UserError, match="takes pictures, and this method makes samples from noise"):
        make.generator(Part.parse("timm:backbone=test_resnet"), Space("ring", (2,)), space())


class FullSize(nn.Module):
    """Maps as large as the picture and half as large, as VGG has them."""

    feature_info = SimpleNamespace(out_indices=(0, 1), reduction=lambda: [1, 2])

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 6, 3, stride=2, padding=1)

    def forward(self, image):
        maps = self.first(image)
        return [maps, self.second(maps)]


def test_a_map_of_full_size_stands_for_the_picture(monkeypatch):
    monkeypatch.setattr(pretrained, "create", lambda *_, **__: FullSize())
    network = generator(backbone="vgg11")
    assert network.stride == 2
    assert [step.body[1].in_channels for step in network.steps] == [6 + 5]
    assert network(a_picture()).shape == (2, 3, 32, 64)


def test_backbones_that_are_no_pyramid_are_refused():
    with pytest.raises(UserError, match="those of 'test_vit' are smaller than the picture by 16, 16, 16; choose another"):
        generator(backbone="test_vit")


@pytest.mark.parametrize("upsample", ["nearest", "bilinear"])
def test_both_ways_of_resizing(upsample):
    assert generator(upsample=upsample)(a_picture()).shape == (2, 3, 32, 64)


def test_the_picture_is_computed_in_full_precision():
    network = generator(backbone="test_convnext")
    with torch.autocast("cpu", torch.bfloat16):
        assert network(a_picture()).dtype == torch.float32


def test_every_step_sees_the_level_of_its_size():
    network = generator().eval()
    image = a_picture()
    with torch.no_grad():
        whole = network(image)
        for level in range(5):
            hook = network.backbone.register_forward_hook(
                lambda _, __, maps, level=level: [each * (at != level) for at, each in enumerate(maps)]
            )
            assert not torch.allclose(network(image), whole), level
            hook.remove()


@pytest.mark.parametrize(("backbone", "fixed"), [("test_resnet", False), ("test_maxvit", True)])
def test_a_backbone_of_one_size_says_so(backbone, fixed):
    made = generator(space(3, 64, 64), space(3, 64, 64), backbone=backbone)
    assert made.fixed_size is fixed
    if not fixed:
        assert made(a_picture(3, 96, 64)).shape == (2, 3, 96, 64)
