"""Every published number of the networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate import Space, UserError
from translate_discogan import DiscoDiscriminator, DiscoGenerator

RGB = Space("a", (3, 64, 64))


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_parameter_counts():
    assert count(DiscoGenerator(RGB, RGB, DiscoGenerator.Options())) == 5_513_856
    assert count(DiscoGenerator(RGB, RGB, DiscoGenerator.Options(bottleneck=100))) == 7_153_480
    assert count(DiscoDiscriminator(RGB, DiscoDiscriminator.Options())) == 2_765_568


def test_features_are_those_after_the_second_third_and_fourth_activation():
    judge = DiscoDiscriminator(RGB, DiscoDiscriminator.Options())
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    seen = judge.features(image)
    assert [tuple(each.shape[1:]) for each in seen] == [(128, 16, 16), (256, 8, 8), (512, 4, 4)]
    assert torch.equal(judge.score(seen), judge(image))
    assert judge(image).shape == (2, 1)
    leaks = [each for each in judge.modules() if isinstance(each, nn.LeakyReLU)]
    assert {each.negative_slope for each in leaks} == {0.2}
    for each in seen:  # what comes out of a LeakyReLU: its negative part is small
        assert each.min().abs() < 0.5 * each.max()


@pytest.mark.parametrize("bottleneck", [0, 100])
def test_layers(bottleneck):
    generator = DiscoGenerator(RGB, RGB, DiscoGenerator.Options(bottleneck=bottleneck))
    down = [each.out_channels for each in generator.modules() if isinstance(each, nn.Conv2d)]
    up = [each.out_channels for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)]
    assert down == [64, 128, 256, 512] + [100] * bool(bottleneck)
    assert up == [512] * bool(bottleneck) + [256, 128, 64, 3]
    convolutions = [each for each in generator.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
    assert {each.bias for each in convolutions} == {None}
    kinds = [type(each) for each in generator.body]
    assert kinds[:2] == [nn.Conv2d, nn.LeakyReLU]  # no norm after the first
    assert kinds.count(nn.BatchNorm2d) == 6 + 2 * bool(bottleneck)


def test_inside_pixels_are_in_0_to_1():
    generator = DiscoGenerator(RGB, RGB, DiscoGenerator.Options())
    entering, leaving = [], []
    generator.body[0].register_forward_pre_hook(lambda _, inputs: entering.append(inputs[0]))
    generator.last.register_forward_hook(lambda _, __, output: leaving.append(output))
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    made = generator(image)
    assert torch.allclose(entering[0], (image + 1) / 2)
    assert torch.allclose((made + 1) / 2, torch.sigmoid(leaving[0]), atol=1e-6)


def test_initial_weights_are_torchs_default():
    torch.manual_seed(3)
    mine = DiscoGenerator(RGB, RGB, DiscoGenerator.Options()).body[0].weight
    torch.manual_seed(3)
    assert torch.equal(mine, nn.Conv2d(3, 64, 4, bias=False).weight)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 128, 128), (4, 32, 64)])
def test_sizes_and_channels(shape):
    space, other = Space("a", shape), Space("b", (2, *shape[1:]))
    made = DiscoGenerator(space, other, DiscoGenerator.Options(channels=2))(torch.zeros(2, *shape))
    assert made.shape == (2, *other.shape)
    assert DiscoDiscriminator(other, DiscoDiscriminator.Options(channels=2))(made).shape == (2, 1)


@pytest.mark.parametrize("size", [(48, 48), (28, 28), (4, 4)])
def test_other_sizes_get_a_sentence(size):
    with pytest.raises(UserError, match="try --size 32, 64 or 128"):
        DiscoGenerator(Space("a", (3, *size)), RGB, DiscoGenerator.Options())
