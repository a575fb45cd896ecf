"""Every lever computes the same function as the layer whose place it takes: values, and derivatives of two orders, in every layout."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from translate import UserError
from translate.fast import LEVERS, hasten, levers
from translate.fast import winograd as module
from translate.fast.winograd import WinogradConv2d

CPU = torch.device("cpu")
LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}
#: A layer that a lever takes the place of, and the shape of what goes in.
LAYERS = {
    "norm": (lambda: nn.InstanceNorm2d(5), (5, 6, 7)),
    "norm, affine": (lambda: nn.InstanceNorm2d(5, affine=True), (5, 6, 7)),
    "split": (lambda: nn.Conv2d(8, 3, 7), (8, 12, 15)),
    "split, without bias": (lambda: nn.Conv2d(5, 1, 5, bias=False), (5, 9, 8)),
    "winograd": (lambda: nn.Conv2d(64, 80, 3), (64, 34, 34)),
    "winograd, without bias": (lambda: nn.Conv2d(64, 64, 3, bias=False), (64, 18, 66)),
}


def pair(key, dtype=torch.float64):
    """The layer and its double, hastened."""
    torch.manual_seed(0)
    make, shape = LAYERS[key]
    plain = make().to(dtype)
    for each in plain.parameters():
        nn.init.normal_(each, 0, 0.3)
    fast = nn.Sequential(copy.deepcopy(plain))
    hasten(fast, CPU, list(LEVERS))
    assert type(fast[0]) is LEVERS[key.partition(",")[0]]
    return plain, fast[0], shape


def samples(shape, batch, layout, dtype=torch.float64):
    image = torch.rand(batch, *shape, dtype=dtype, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return image.to(memory_format=LAYOUTS[layout])


def gradients(layer, image, push):
    image = image.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    found = torch.autograd.grad((layer(image) * push).sum(), [image, *layer.parameters()])
    assert all(map(torch.is_tensor, found))
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("key", LAYERS)
def test_values_and_gradients(key, batch, layout):
    plain, fast, shape = pair(key)
    image = samples(shape, batch, layout)
    expected = plain(image)
    assert torch.allclose(fast(image), expected, rtol=1e-11, atol=1e-11)
    push = torch.rand(expected.shape, dtype=torch.float64).to(memory_format=LAYOUTS[layout]) - 0.5
    # The plain layer's gradients from a contiguous image: InstanceNorm2d's own are wrong in the other layout (torch 2.13).
    for mine, theirs in zip(gradients(fast, image, push), gradients(plain, image.contiguous(), push.contiguous()), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-9, atol=1e-9 * theirs.abs().max())


@pytest.mark.parametrize("key", LAYERS)
def test_in_single_precision_they_are_as_close_as_is_said(key):
    plain, fast, shape = pair(key, torch.float32)
    image = samples(shape, 2, "NCHW", torch.float32)
    exact = copy.deepcopy(plain).double()(image.double())
    error = ((fast(image) - exact).norm() / exact.norm()).item()
    assert error < (5e-6 if key.startswith("winograd") else 5e-7)


@pytest.mark.parametrize("key", ["norm, affine", "split", "winograd"])
def test_second_derivatives(key, monkeypatch):
    monkeypatch.setattr(module, "LEAST_TILES", 1)
    plain, fast, shape = pair(key)
    if key == "winograd":  # small, for finite differences
        plain = nn.Conv2d(2, 3, 3).double()
        fast, shape = copy.deepcopy(plain), (2, 6, 10)
        fast.__class__ = WinogradConv2d
    small = samples(shape, 1, "NCHW").requires_grad_()
    weights = list(fast.parameters())
    if key == "winograd":
        apply = lambda image, weight, bias: module._Winograd.apply(image, weight, bias)  # noqa: E731
        assert torch.autograd.gradcheck(apply, (small, *weights))
        assert torch.autograd.gradgradcheck(apply, (small, *weights))
        return

    def penalty(layer):
        (first,) = torch.autograd.grad(layer(small).pow(3).sum(), small, create_graph=True)
        return torch.autograd.grad(first.pow(2).sum(), [small, *layer.parameters()])

    for mine, theirs in zip(penalty(fast), penalty(plain), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-8, atol=1e-8 * theirs.abs().max())


def test_what_does_not_fit_stays_what_it_is():
    layers = [
        nn.InstanceNorm2d(4, track_running_stats=True),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.Conv2d(64, 64, 3, stride=2),
        nn.Conv2d(64, 64, 3, groups=2),
        nn.Conv2d(32, 64, 3),
        nn.Conv2d(64, 3, 3),
        nn.Conv2d(64, 8, 7),
        nn.Conv2d(64, 3, 7, dilation=2),
        nn.Conv2d(64, 3, (7, 5)),
    ]
    network = nn.Sequential(*layers)
    hasten(network, CPU, list(LEVERS))
    assert [type(each) for each in network] == [nn.InstanceNorm2d] + [nn.Conv2d] * 8
    hasten(nn.Sequential(layers := nn.InstanceNorm2d(4)), torch.device("cuda"), list(LEVERS))
    assert type(layers) is nn.InstanceNorm2d


def test_a_single_pixel_is_refused_as_before():
    """A group norm would make zeros of it without a word."""
    _, fast, _ = pair("norm")
    with pytest.raises(ValueError, match="Expected more than 1 spatial element"):
        fast(torch.rand(2, 5, 1, 1, dtype=torch.float64))


@pytest.mark.parametrize("size", [(33, 34), (34, 35), (10, 10)])
def test_where_tiles_do_not_fit_or_are_few_it_is_the_usual_way(size, monkeypatch):
    plain, fast, _ = pair("winograd")
    monkeypatch.setattr(module._Winograd, "apply", None)
    image = samples((64, *size), 1, "NCHW")
    assert torch.equal(fast(image), plain(image))


def test_half_precision_is_the_usual_way():
    plain, fast, shape = pair("winograd", torch.float32)
    image = samples(shape, 1, "NCHW", torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(fast(image), plain(image))


@pytest.mark.parametrize("key", ["split", "winograd"])
def test_what_nobody_waits_for_is_not_computed(key):
    """The floating-point operations of a backward pass to the image alone are those of a layer whose weights are frozen."""
    _, fast, shape = pair(key)
    image = samples(shape, 1, "NCHW").requires_grad_()

    def flops(inputs):
        result = fast(image).sum()
        with FlopCounterMode(display=False) as counter:
            result.backward(inputs=inputs)
        return counter.get_total_flops()

    both, to_image, to_weight = flops([image, *fast.parameters()]), flops([image]), flops(list(fast.parameters()))
    assert to_image < 0.65 * both
    assert to_weight < 0.65 * both
    fast.requires_grad_(False)
    assert flops([image]) == to_image


def test_levers_are_chosen_by_name():
    assert levers(["all"]) == ("norm", "split", "winograd", "channels-last", "adam")
    assert levers(["none"]) == ()
    assert levers(["winograd", "norm"]) == ("norm", "winograd")
    with pytest.raises(UserError, match=r"no lever 'winogard' for --fast\. Did you mean 'winograd'\?"):
        levers(["winogard"])
