"""The published networks: their sizes, the shapes they give, what they refuse."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from translate import Part, Space, UserError
from translate.plugins import installed
from translate.recipe import Make
from translate_cyclegan.discriminators import PatchDiscriminator, PixelDiscriminator
from translate_cyclegan.resnet import ResNetGenerator
from translate_cyclegan.unet import UNetGenerator


def space(size: int, channels: int = 3, name: str = "x") -> Space:
    return Space(name, (channels, size, size))


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (lambda: ResNetGenerator(space(256), space(256), ResNetGenerator.Options()), 11_378_179),
        (lambda: ResNetGenerator(space(128), space(128), ResNetGenerator.Options()), 7_837_699),
        (lambda: ResNetGenerator(space(128), space(128), ResNetGenerator.Options(blocks=9)), 11_378_179),
        (lambda: UNetGenerator(space(256), space(256), UNetGenerator.Options()), 54_409_603),
        (lambda: PatchDiscriminator(space(256), PatchDiscriminator.Options()), 2_764_737),
        (lambda: PixelDiscriminator(space(256), PixelDiscriminator.Options()), 8_705),
    ],
)
def test_parameters_are_as_many_as_published(network, parameters):
    with torch.device("meta"):
        assert count(network()) == parameters


def test_patch_discriminator_gives_30_by_30_scores_at_256():
    with torch.device("meta"):
        judge = PatchDiscriminator(space(256), PatchDiscriminator.Options())
        assert judge(torch.empty(2, 3, 256, 256)).shape == (2, 1, 30, 30)


def test_patch_discriminator_sees_70_pixels():
    torch.manual_seed(0)
    judge = PatchDiscriminator(space(256), PatchDiscriminator.Options(channels=2))
    # Instance norm looks at the whole picture; without it the field of view is what the convolutions see.
    body = nn.Sequential(*(layer for layer in judge.body if not isinstance(layer, nn.InstanceNorm2d)))
    for layer in body:
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1.0)
    image = torch.zeros(1, 3, 256, 256, requires_grad=True)
    body(image)[0, 0, 15, 15].backward()
    seen = image.grad[0].abs().sum(0)
    assert int((seen.sum(0) > 0).sum()) == 70
    assert int((seen.sum(1) > 0).sum()) == 70


@pytest.mark.parametrize("name", ["resnet", "unet"])
@pytest.mark.parametrize(("height", "width", "before", "after"), [(256, 256, 3, 3), (128, 96, 1, 3), (64, 64, 4, 1)])
def test_generators_keep_the_size_and_give_the_channels_of_the_target(name, height, width, before, after):
    with torch.device("meta"):
        make = Make(installed(), [])
        network = make.generator(
            Part(name, (("channels", "8"),)), Space("x", (before, height, width)), Space("y", (after, height, width))
        )
        assert network(torch.empty(2, before, height, width)).shape == (2, after, height, width)


def test_resnet_has_reflection_padding_around_7x7_and_residual_convolutions_only():
    network = ResNetGenerator(space(64), space(64), ResNetGenerator.Options(blocks=2, channels=4))
    assert sum(isinstance(module, nn.ReflectionPad2d) for module in network.modules()) == 2 + 2 * 2
    padded = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d) and m.padding != (0, 0)]
    assert [(m.stride, m.padding) for m in padded] == [((2, 2), (1, 1))] * 4


def test_initial_weights_are_from_a_normal_of_002_and_biases_are_0():
    torch.manual_seed(0)
    network = ResNetGenerator(space(64), space(64), ResNetGenerator.Options(blocks=2))
    weights = torch.cat([p.flatten() for name, p in network.named_parameters() if name.endswith("weight")])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)
    assert weights.mean().item() == pytest.approx(0, abs=1e-4)
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_instance_norm_has_neither_scale_nor_running_statistics():
    for network in (
        ResNetGenerator(space(64), space(64), ResNetGenerator.Options(blocks=1, channels=4)),
        PatchDiscriminator(space(64), PatchDiscriminator.Options(channels=4)),
    ):
        norms = [module for module in network.modules() if isinstance(module, nn.InstanceNorm2d)]
        assert norms
        assert all(norm.weight is None and norm.running_mean is None for norm in norms)


def test_resize_upsampling_treats_all_pixels_alike_and_transposed_does_not():
    """A checkerboard: what one constant input becomes, away from the edge."""

    def unevenness(upsample: str) -> float:
        torch.manual_seed(0)
        network = ResNetGenerator(space(64), space(64), ResNetGenerator.Options(blocks=0, channels=4, upsample=upsample))
        layers = nn.Sequential(*(m for m in network.up if not isinstance(m, nn.InstanceNorm2d | nn.ReLU)))
        out = layers(torch.ones(1, 16, 16, 16)).detach()[..., 8:-8, 8:-8]
        return float((out - out.mean(dim=(2, 3), keepdim=True)).abs().max() / out.abs().max())

    assert unevenness("resize") < 1e-5
    assert unevenness("transposed") > 0.05


def test_attention_lays_the_new_picture_over_the_old_one():
    torch.manual_seed(0)
    network = ResNetGenerator(space(16), space(16), ResNetGenerator.Options(blocks=1, channels=4, attention=True))
    image = torch.rand(2, 3, 16, 16) * 2 - 1
    last = network.output.layer(network.up(network.blocks(network.down(image))))
    share = 0.1 + 0.9 / (1 + torch.exp(-last[:, 3:]))
    assert torch.allclose(network(image), share * torch.tanh(last[:, :3]) + (1 - share) * image, atol=1e-6)


def test_attention_never_closes():
    """The exact identity has no cycle loss at all, and training was seen to end there."""
    network = ResNetGenerator(space(16), space(16), ResNetGenerator.Options(blocks=1, channels=4, attention=True))
    torch.nn.init.constant_(network.output.layer[1].bias[-1:], -100.0)
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    difference = network(image) - 0.9 * image
    assert torch.allclose(difference, 0.1 * torch.tanh(difference.mul(10).clamp(-0.999, 0.999).atanh()), atol=1e-4)
    network(image).sum().backward()
    assert network.output.layer[1].weight.grad[:3].abs().max() > 0


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (4, 1)])
def test_attention_keeps_grey_in_every_channel_and_the_mean_of_colours(before, after):
    network = ResNetGenerator(space(16, before), space(16, after, "y"), ResNetGenerator.Options(channels=4, attention=True))
    torch.nn.init.constant_(network.output.layer[1].bias[-1:], -100.0)  # all but a tenth is kept
    torch.nn.init.zeros_(network.output.layer[1].weight)
    image = torch.rand(1, before, 16, 16) * 2 - 1
    kept = torch.stack([image.mean(1)] * after, dim=1)
    made = torch.tanh(network.output.layer[1].bias[:-1])[:, None, None]
    assert torch.allclose(network(image), 0.9 * kept + 0.1 * made, atol=1e-6)


def test_attention_between_other_channels_is_refused_with_all_that_was_chosen():
    wanted = r"'x' has 4 channels where 'y' has 3; leave it away: --generator resnet:channels=8,upsample=resize,blocks=2\.$"
    with pytest.raises(UserError, match=wanted):
        ResNetGenerator(
            space(16, 4), space(16, 3, "y"), ResNetGenerator.Options(blocks=2, channels=8, upsample="resize", attention=True)
        )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "name", ["resnet:blocks=1,channels=8", "resnet:blocks=1,channels=8,upsample=resize", "unet:channels=8", "patch:channels=8"]
)
def test_gradients_equal_those_of_float64_in_every_layout(name, channels, layout):
    """Instance norm's backward was seen to be wrong for single pictures in channels-last layout."""
    make = Make(installed(), [])
    x = space(64, channels)
    torch.manual_seed(0)
    network = make.discriminator(Part.parse(name), x) if name.startswith("patch") else make.generator(Part.parse(name), x, x)
    exact = copy.deepcopy(network).double()
    image = (torch.rand(1, channels, 64, 64) * 2 - 1).to(memory_format=layout)
    weights = torch.randn_like(network(image))
    (network(image) * weights).sum().backward()
    (exact(image.double()) * weights.double()).sum().backward()
    for (key, mine), theirs in zip(network.named_parameters(), exact.parameters(), strict=True):
        if key.endswith("weight"):  # biases before a norm have gradients of pure rounding
            assert (mine.grad - theirs.grad).abs().max() <= 1e-4 * theirs.grad.abs().max(), key


@pytest.mark.parametrize(("part", "size", "stride"), [("resnet", 30, 4), ("unet:downs=6", 96, 64), ("unet", 48, 32)])
def test_a_size_that_is_no_multiple_of_the_stride_is_refused(part, size, stride):
    with pytest.raises(UserError, match=f"multiples of {stride}, not {size}; try --size"):
        Make(installed(), []).generator(Part.parse(part), space(size), space(size))


@pytest.mark.parametrize("name", ["patch", "pixel"])
def test_discriminators_work_at_their_smallest_size(name):
    judge = Make(installed(), []).discriminator(Part.parse(name), space(24))
    assert judge(torch.zeros(1, 3, 24, 24)).dim() == 4


def test_a_picture_too_small_for_the_judge_is_refused():
    with pytest.raises(UserError, match="at least 24 pixels"):
        Make(installed(), []).discriminator(Part.parse("patch"), space(16))


def test_the_last_layer_is_computed_in_full_precision_under_autocast():
    network = ResNetGenerator(space(16), space(16), ResNetGenerator.Options(blocks=1, channels=4))
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(1, 3, 16, 16)).dtype == torch.float32


def test_every_parameter_gets_a_gradient():
    x = space(64)
    for network in (
        ResNetGenerator(x, x, ResNetGenerator.Options(blocks=1, channels=4)),
        UNetGenerator(x, x, UNetGenerator.Options(channels=4)),
        PatchDiscriminator(x, PatchDiscriminator.Options(channels=4)),
        PixelDiscriminator(x, PixelDiscriminator.Options(channels=4)),
    ):
        network(torch.randn(1, 3, 64, 64)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("blocks", [0, 2])
def test_the_last_features_of_a_generator_lead_to_its_picture(blocks):
    network = ResNetGenerator(space(16, 4), space(16, 3, "y"), ResNetGenerator.Options(blocks=blocks, channels=4))
    image = torch.rand(2, 4, 16, 16) * 2 - 1
    features = network.features(image)
    assert [each.shape[1:] for each in features] == [(4, 16, 16), (4, 16, 16), (8, 8, 8), *[(16, 4, 4)] * (1 + blocks)]
    assert torch.equal(features[0], image)
    assert torch.equal(network.output(network.up(features[-1]), image), network(image))
