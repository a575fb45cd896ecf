"""Every published number of the two perceptrons."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from translate import Space, UserError
from translate_vanilla import MLPDiscriminator, MLPGenerator
from translate_vanilla.networks import Maxout

Z = Space("z", (100,), "float32", (-1.0, 1.0))
DIGITS = Space("digits", (1, 28, 28))
POINTS = Space("points", (2,), "float32", (-1.0, 1.0))


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_parameter_counts():
    assert count(MLPGenerator(Z, DIGITS, MLPGenerator.Options())) == 1_489_936
    assert count(MLPDiscriminator(DIGITS, MLPDiscriminator.Options())) == 533_505


def test_the_generators_layers_are_the_reports():
    generator = MLPGenerator(Z, DIGITS, MLPGenerator.Options())
    kinds = [type(layer) for layer in generator.hidden]
    assert kinds == [nn.Linear, nn.LeakyReLU, nn.BatchNorm1d] * 3  # the activation before the norm
    assert [layer.out_features for layer in generator.hidden if isinstance(layer, nn.Linear)] == [256, 512, 1024]
    for norm in (layer for layer in generator.hidden if isinstance(layer, nn.BatchNorm1d)):
        assert (norm.eps, norm.momentum) == (1e-3, 0.2)  # Keras: eps 1e-3, momentum 0.8
    assert {layer.negative_slope for layer in generator.hidden if isinstance(layer, nn.LeakyReLU)} == {0.2}


def test_the_discriminators_layers_are_the_reports():
    judge = MLPDiscriminator(DIGITS, MLPDiscriminator.Options())
    assert [layer[0].out_features for layer in judge.hidden] == [512, 256]
    assert [type(layer[1]) for layer in judge.hidden] == [nn.LeakyReLU] * 2
    assert not [each for each in judge.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]


def test_initial_weights_are_glorot_uniform():
    torch.manual_seed(0)
    for network in (MLPGenerator(Z, DIGITS, MLPGenerator.Options()), MLPDiscriminator(DIGITS, MLPDiscriminator.Options())):
        for layer in (each for each in network.modules() if isinstance(each, nn.Linear)):
            bound = math.sqrt(6 / (layer.in_features + layer.out_features))
            assert layer.weight.abs().max().item() <= bound
            assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
            assert not layer.bias.any()


def test_outputs():
    generator, judge = MLPGenerator(Z, DIGITS, MLPGenerator.Options()), MLPDiscriminator(DIGITS, MLPDiscriminator.Options())
    made = generator(torch.randn(4, 100))
    assert made.shape == (4, 1, 28, 28)
    assert made.abs().max() < 1
    assert judge(made).shape == (4, 1)
    assert (judge(made * 0 + 1) != torch.sigmoid(judge(made * 0 + 1))).all()  # a raw score


@pytest.mark.parametrize("target", [Space("a", (3, 20, 12)), Space("b", (4, 7, 9)), POINTS])
@pytest.mark.parametrize("width", [1, 2, 100])
def test_any_shape_from_any_noise(target, width):
    generator = MLPGenerator(Space("z", (width,)), target, MLPGenerator.Options(widths="8-8"))
    assert generator(torch.randn(3, width)).shape == (3, *target.shape)
    assert MLPDiscriminator(target, MLPDiscriminator.Options(widths="8"))(torch.randn(3, *target.shape)).shape == (3, 1)


def test_points_are_not_bounded():
    generator = MLPGenerator(Space("z", (2,)), POINTS, MLPGenerator.Options(widths="4", norm="none"))
    generator.last.bias.data.fill_(7.0)
    assert generator(torch.zeros(1, 2)).tolist() == [[7.0, 7.0]]


def test_maxout_takes_the_greatest_of_its_pieces():
    assert Maxout(2)(torch.tensor([[1.0, 5.0, -3.0, -4.0]])).tolist() == [[5.0, -3.0]]
    judge = MLPDiscriminator(POINTS, MLPDiscriminator.Options(widths="200-200-200", maxout=5))
    assert [layer[0].out_features for layer in judge.hidden] == [1000] * 3
    assert judge.last.in_features == 200


@pytest.mark.parametrize("widths", ["", "256-", "256,512", "0", "a"])
def test_bad_widths_get_a_sentence(widths):
    with pytest.raises(UserError, match="whole numbers with hyphens"):
        MLPGenerator(Z, DIGITS, MLPGenerator.Options(widths=widths))
