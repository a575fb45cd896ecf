"""The example of a generator: what it makes, and what it refuses."""

from __future__ import annotations

import math

import pytest
import torch
from third_party import one_sentence, spaces
from torch import nn

from translate import Part, UserError
from translate.plugins import installed
from translate.recipe import Make
from translate.testing import check_generator


@pytest.mark.parametrize(("before", "after"), [(1, 3), (5, 2), (3, 3)])
def test_shuffle_maps_any_channels_and_trains_every_weight(before, after, use):
    use("generator")
    x, y = spaces(before, after, size=(16, 24))
    network = Make(installed(), []).generator(Part.parse("shuffle:channels=6,blocks=1"), x, y)
    made = network(torch.rand(2, before, 16, 24) * 2 - 1)
    assert made.shape == (2, after, 16, 24)
    assert made.abs().max() <= 1
    made.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0 or name.endswith("0.bias"), name  # before a norm, biases make no difference


def test_shuffle_keeps_detail_that_a_quarter_of_the_size_cannot_hold(use):
    """The way across at half the size: without it, a checkerboard of single pixels would be a matter of the lower level alone."""
    plugin = use("generator")
    network = plugin.ShuffleGenerator(*spaces(3, 3), plugin.ShuffleGenerator.Options(channels=6, blocks=0))
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    whole = network(image)
    for layer in (network.lower, network.rise):
        nn.init.zeros_(layer[0].weight)
    assert (network(image) - whole).abs().max() > 0.01
    assert network(image).std() > 0.01


def test_shuffle_says_what_it_cannot_take(use):
    use("generator")
    make = Make(installed(), [])
    with pytest.raises(UserError, match="multiples of 4, not 18; try --size 16") as error:
        make.generator(Part.parse("shuffle"), *spaces(3, 3, size=(18, 18)))
    one_sentence(error)
    with pytest.raises(UserError, match="at least 8 pixels a side, not 4x8; raise --size") as error:
        make.generator(Part.parse("shuffle"), *spaces(3, 3, size=(4, 8)))
    one_sentence(error)
    with pytest.raises(UserError, match=r"'channels' .* must be at least 1") as error:
        make.generator(Part.parse("shuffle:channels=0"), *spaces(3, 3))
    one_sentence(error)


def test_shuffle_trains_in_half_precision(use, tiny):
    use("generator")
    engine = tiny(generator="shuffle:channels=4,blocks=1", precision="bf16")
    report = next(engine.steps())
    assert all(map(math.isfinite, report.losses.values()))
    with torch.autocast("cpu", torch.bfloat16):
        assert engine.recipe.G(torch.zeros(1, 3, 16, 16)).dtype == torch.float32


def test_shuffle_conforms(use):
    check_generator(use("generator").ShuffleGenerator, part="shuffle:channels=6,blocks=1")
