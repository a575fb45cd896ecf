"""The example of a foreign architecture: the network of GAN Compression, and its published weights where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from third_party import one_sentence, spaces
from torch import nn
from torch.nn import functional

from translate import Engine, Part, UserError
from translate.foreign.exporting import export_weights
from translate.foreign.importing import Choice, import_weights
from translate.options import Size
from translate.plugins import installed
from translate.recipe import Make
from translate.testing import check_generator
from translate.testing.foreign_formats import check_foreign_format

#: A folder with the file horse2zebra_compressed_netG.pth.
REFERENCE = "TRANSLATE_REFERENCE_WEIGHTS"
SMALL = "compressed:widths=2+2+1+1+2+1+3+4"


def by_hand(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The published network as a list of operations on its public names, without any module."""

    def norm(y):
        mean, var = y.mean((2, 3), keepdim=True), y.var((2, 3), keepdim=True, unbiased=False)
        return (y - mean) / (var + 1e-5).sqrt()

    def convolve(y, name, pad=0, **more):
        y = functional.pad(y, (pad,) * 4, mode="reflect") if pad else y
        return functional.conv2d(y, state[f"{name}.weight"], state[f"{name}.bias"], **more)

    def separable(y, name):
        y = norm(convolve(y, f"{name}.0", 1, groups=y.shape[1]))
        return convolve(y, f"{name}.2")

    y = norm(convolve(x, "model.1", 3)).relu()
    for name in ("model.4", "model.7"):
        y = norm(convolve(y, name, padding=1, stride=2)).relu()
    for number in range(10, 19):
        place = f"model.{number}.conv_block"
        middle = norm(separable(y, f"{place}.1.conv")).relu()
        y = y + norm(separable(middle, f"{place}.6.conv"))
    for name in ("model.19", "model.22"):
        y = functional.conv_transpose2d(y, state[f"{name}.weight"], state[f"{name}.bias"], 2, 1, 1)
        y = norm(y).relu()
    return convolve(y, "model.26", 3).tanh()


def assert_same_pictures(weights: Path, theirs: dict[str, torch.Tensor], side: int) -> None:
    """In double, because the norm by hand rounds otherwise than torch's."""
    x = torch.rand(2, 3, side, side + 4, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        ours = Engine.load(weights, device="cpu").recipe.double().translate(x, 0, 1)
        assert (ours - by_hand({name: each.double() for name, each in theirs.items()}, x)).abs().max() <= 1e-6
    assert ours.std() > 0.01


def test_the_published_widths_have_the_published_number_of_parameters(use):
    plugin = use("compressed")
    network = plugin.CompressedGenerator(*spaces(3, 3), plugin.CompressedGenerator.Options())
    assert sum(each.numel() for each in network.parameters()) == 356_867


def test_a_file_of_that_program_makes_the_same_pictures_and_goes_back(use, tmp_path):
    plugin = use("compressed")
    network = Make(installed(), []).generator(Part.parse(SMALL), *spaces(3, 3))
    for each in network.parameters():
        nn.init.normal_(each, 0.0, 0.3)
    mine = network.state_dict()
    theirs = {name: mine[ours] for name, ours in plugin.NAMES.items()}
    torch.save(theirs, tmp_path / "latest_net_G.pth")
    made = import_weights([tmp_path / "latest_net_G.pth"], Choice(domains=("a", "b"), size=Size(16, 16)), installed())
    assert made.format == "gan-compression"
    assert made.header.options["generator"] == SMALL
    made.write(tmp_path / "w.safetensors")
    assert_same_pictures(tmp_path / "w.safetensors", theirs, 16)
    (file,) = export_weights(str(tmp_path / "w.safetensors"), "gan-compression", tmp_path / "out", installed())
    back = torch.load(file, weights_only=True)
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], each) for name, each in theirs.items())


def test_compressed_says_what_it_cannot_take(use):
    use("compressed")
    make = Make(installed(), [])
    with pytest.raises(UserError, match=r"eight widths, such as .*, not 2") as error:
        make.generator(Part.parse("compressed:widths=2+3"), *spaces(3, 3))
    one_sentence(error)
    with pytest.raises(UserError, match="at least 8 pixels a side, not 4x8; raise --size") as error:
        make.generator(Part.parse("compressed"), *spaces(3, 3, size=(4, 8)))
    one_sentence(error)


def test_compressed_conforms(use):
    plugin = use("compressed")
    check_generator(plugin.CompressedGenerator, part=SMALL)
    check_foreign_format(plugin.GANCompression, name="gan-compression")
    assert plugin.GANCompression().recognise(dict.fromkeys(plugin.NAMES, ())) is None


@pytest.mark.skipif(REFERENCE not in os.environ, reason=f"{REFERENCE} names no folder with the published weights")
def test_the_published_weights_are_imported_whole(use, tmp_path):
    use("compressed")
    file = Path(os.environ[REFERENCE]) / "horse2zebra_compressed_netG.pth"
    made = import_weights([file], Choice(domains=("horse", "zebra")), installed())
    assert sum(each.numel() for each in made.tensors.values()) == 356_867
    assert not made.notes
    assert made.header.options["generator"] == "compressed:widths=16+16+32+16+32+32+16+16"
    made.write(tmp_path / "small.safetensors")
    theirs = torch.load(file, weights_only=True)
    assert len(made.tensors) == len(theirs) == 84
    assert_same_pictures(tmp_path / "small.safetensors", theirs, 128)
