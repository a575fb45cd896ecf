"""Every published number of the networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate import Space, UserError
from translate_dcgan import AuthorsDiscriminator, AuthorsGenerator, DCDiscriminator, DCGenerator

Z = Space("z", (100,), "float32", (-1.0, 1.0))


def picture(size: int | tuple[int, int], channels: int = 3) -> Space:
    height, width = (size, size) if isinstance(size, int) else size
    return Space("x", (channels, height, width))


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


@pytest.mark.parametrize(("channels", "g", "d"), [(3, 3_576_704, 2_765_568), (1, 3_574_656, 2_763_520)])
def test_parameter_counts_of_the_form_with_4x4_kernels(channels, g, d):
    space = picture(64, channels)
    assert count(DCGenerator(Z, space, DCGenerator.Options())) == g
    assert count(DCDiscriminator(space, DCDiscriminator.Options())) == d


def test_parameter_counts_of_the_authors_form():
    assert count(AuthorsGenerator(Z, picture(64), AuthorsGenerator.Options())) == 18_885_760
    assert count(AuthorsDiscriminator(picture(64), AuthorsDiscriminator.Options())) == 17_232_768


@pytest.mark.parametrize("size", [28, 32, 64, 128, (32, 64)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("generator", "discriminator"), [(DCGenerator, DCDiscriminator), (AuthorsGenerator, AuthorsDiscriminator)]
)
def test_every_size_and_number_of_channels(generator, discriminator, size, channels):
    space = picture(size, channels)
    made = generator(Z, space, generator.Options(channels=2))(torch.randn(2, 100))
    assert made.shape == (2, *space.shape)
    assert made.abs().max() <= 1
    assert discriminator(space, discriminator.Options(channels=2))(made).shape == (2, 1)


def test_map_shapes_and_layers_at_64():
    generator, judge = DCGenerator(Z, picture(64), DCGenerator.Options()), DCDiscriminator(picture(64), DCDiscriminator.Options())
    shapes = []
    for layer in generator.body:
        if isinstance(layer, nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
    made = generator(torch.randn(2, 100))
    assert shapes == [(512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32)]
    assert [tuple(each.shape[1:]) for each in judge.features(made)] == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]
    norms = [[isinstance(each, nn.BatchNorm2d) for each in layer] for layer in judge.body]
    assert [any(each) for each in norms] == [False, True, True, True]
    convolutions = [each for each in [*generator.modules(), *judge.modules()] if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
    assert {each.kernel_size for each in convolutions} == {(4, 4)}
    assert {each.bias for each in convolutions} == {None}
    assert {each.negative_slope for each in judge.modules() if isinstance(each, nn.LeakyReLU)} == {0.2}


def test_the_authors_kernels_and_projection():
    generator = AuthorsGenerator(Z, picture(64), AuthorsGenerator.Options())
    assert generator.project[0].out_features == 4 * 4 * 1024
    assert generator.project[1].num_features == 4 * 4 * 1024  # the norm of a flat layer: each of its numbers alone
    assert [each.in_channels for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)] == [1024, 512, 256, 128]
    assert {each.kernel_size for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)} == {(5, 5)}


@pytest.mark.parametrize("factory", [DCGenerator, DCDiscriminator, AuthorsGenerator, AuthorsDiscriminator])
def test_initial_weights(factory):
    torch.manual_seed(0)
    spaces = (Z, picture(64)) if "Generator" in factory.__name__ else (picture(64),)
    network = factory(*spaces, factory.Options())
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            weights, n = module.weight.detach(), module.weight.numel()
            assert weights.std().item() == pytest.approx(0.02, rel=5 / n**0.5)
            assert weights.mean().item() == pytest.approx(0, abs=5 * 0.02 / n**0.5)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            n = module.num_features
            assert module.weight.mean().item() == pytest.approx(1, abs=5 * 0.02 / n**0.5)
            assert module.weight.std().item() == pytest.approx(0.02, rel=5 / n**0.5)
            assert not module.bias.any()
            assert (module.eps, module.momentum) == (1e-5, 0.1)  # not eps = 0.8


@pytest.mark.parametrize("size", [30, 8, 6, (28, 64)])
def test_a_size_that_is_not_doubled_from_a_small_one_gets_a_sentence(size):
    if size == 8:  # 4, doubled once
        DCGenerator(Z, picture(size), DCGenerator.Options(channels=2))
        return
    if size == (28, 64):  # 7x16
        assert DCGenerator(Z, picture(size), DCGenerator.Options(channels=2))(torch.randn(2, 100)).shape == (2, 3, 28, 64)
        return
    with pytest.raises(UserError, match="try --size 28, 32, 64 or 128"):
        DCGenerator(Z, picture(size), DCGenerator.Options())


@pytest.mark.parametrize("factory", [DCGenerator, AuthorsGenerator])
def test_a_generator_from_noise_refuses_pictures(factory):
    with pytest.raises(UserError, match="from noise"):
        factory(picture(64), picture(64), factory.Options())


@pytest.mark.parametrize(("norm", "kind"), [("instance", nn.InstanceNorm2d), ("none", type(None))])
def test_a_judge_without_batch_norm(norm, kind):
    judge = DCDiscriminator(picture(32), DCDiscriminator.Options(channels=4, norm=norm))
    assert not any(isinstance(each, nn.BatchNorm2d) for each in judge.modules())
    assert any(isinstance(each, kind) for each in judge.modules()) == (norm == "instance")
