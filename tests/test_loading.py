from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from translate import Engine, Space, UserError, option, options
from translate.checkpoint import load_weights
from translate.loading import check_described
from translate.options import Part
from translate.plugins import installed
from translate.recipe import Make
from translate.weights import pack


@pytest.fixture
def saved(tiny, tmp_path):
    """Tensors and header of a small file."""
    tiny().save(tmp_path / "w.safetensors")
    return load_weights(tmp_path / "w.safetensors")


def checked(tensors, header, **changes):
    """What becomes of the file where its header says something else."""
    plugins = installed()
    method = plugins.recipes[header.recipe]
    own = options.build(method.Options, {**header.options, **changes}, "It")
    check_described(method, own, header, tensors, "w.safetensors", plugins)


def test_a_file_with_the_networks_that_it_describes(saved):
    checked(*saved)


def test_nothing_is_set_aside_for_what_does_not_fit(saved):
    """A convolution of these is 36 TB: no machine would get as far as comparing shapes."""
    tensors, header = saved
    with pytest.raises(
        UserError, match=r"^The weights w.safetensors do not fit these networks: '[\w.]+' is \(.*\) in the file and \("
    ):
        checked(tensors, header, generator="resnet:blocks=1,channels=1000000")


@pytest.mark.parametrize("channels", [2**62, 10**18])
def test_numbers_that_torch_does_not_take(saved, channels):
    tensors, header = saved
    with pytest.raises(
        UserError, match=r"^w\.safetensors describes networks that cannot be made: The generator 'resnet' .*\)\.$"
    ) as caught:
        checked(tensors, header, generator=f"resnet:channels={channels}")
    assert "\n" not in str(caught.value)


def test_as_many_domains_as_the_method_takes(saved):
    tensors, header = saved
    for spaces in ((), header.spaces[:1], header.spaces * 2):
        with pytest.raises(UserError, match=r"^(Recipe 'cyclegan' needs 2 domains|The domains must differ)"):
            checked(tensors, replace(header, spaces=spaces))


class Counted(nn.Module):
    """Looks at its own numbers when it is built, which a network of shapes alone has not."""

    @dataclass(frozen=True)
    class Options:
        bias: float = option(0.0)

    def __init__(self, source, target, options):
        super().__init__()
        self.stay = nn.Conv2d(source.channels, target.channels, 1)
        self.first = self.stay.weight.flatten()[0].item()

    def forward(self, image):
        return self.stay(image)


def test_a_network_that_cannot_be_built_without_numbers_is_loaded_all_the_same(tiny, tmp_path):
    tiny(generator=Counted).save(tmp_path / "w.safetensors")
    tensors, header = load_weights(tmp_path / "w.safetensors")
    checked(tensors, header, generator=Counted)
    engine = Engine.load(tmp_path / "w.safetensors", generator=Counted)
    assert torch.equal(engine.recipe.G.stay.weight, tensors["G.stay.weight"])


class Broken(nn.Module):
    """Cannot be built."""

    def __init__(self, source, target):
        raise KeyError("depth")


def test_a_network_of_ones_own_that_fails_says_why(tiny, tmp_path):
    tiny(generator=Counted).save(tmp_path / "w.safetensors")
    tensors, header = load_weights(tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=re.escape("KeyError: 'depth'")):
        checked(tensors, header, generator=Broken)


@pytest.mark.parametrize("name", list(installed().generators))
def test_every_generator_can_be_built_of_shapes_alone(name):
    """So that none of them escapes the check."""
    picture, noise = Space("cat", (3, 64, 64)), Space("noise", (100,), "float32")
    make, built = Make(installed(), (picture, picture), training=False), 0
    for source in (picture, noise):
        with torch.device("meta"), suppress(UserError):  # each takes one of the two
            network = make.generator(Part.parse(name), source, picture)
            assert {each.device.type for each in network.parameters()} == {"meta"}
            built += 1
    assert built


@pytest.mark.parametrize("changes", [{"generator": "resnet:blocks=0,channels=1000000"}, {"pool_size": 10**9}])
def test_the_engine_asks_before_it_builds(tiny, tmp_path, changes):
    tiny().save(tmp_path / "w.safetensors")
    tensors, header = load_weights(tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").write_bytes(pack(tensors, replace(header, options={**header.options, **changes}).dump()))
    if "generator" in changes:
        with pytest.raises(UserError, match="do not fit these networks"):
            Engine.load(tmp_path / "w.safetensors")
    else:  # pools are for training, and take no memory here
        Engine.load(tmp_path / "w.safetensors")
