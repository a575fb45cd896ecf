"""Every normalisation that a built-in network has: its first and second derivatives, in both memory layouts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate import Space
from translate.plugins import installed

Z = Space("z", (5,), "float32", (-1.0, 1.0))
PICTURE = Space("x", (3, 32, 32))
NARROW = {
    "resnet": {"blocks": "1", "channels": "2"},
    "unet": {"channels": "2"},
    "mlp": {"widths": "4"},
    "patch": {"channels": "2"},
    "pixel": {"channels": "2"},
}


def norms() -> dict[str, nn.Module]:
    """Each kind of norm in a built-in network, once, by its description without the number of channels."""
    found: dict[str, nn.Module] = {}
    plugins = installed()
    for registry in (plugins.generators, plugins.discriminators):
        for name in registry:
            if name == "timm":
                continue  # the norms of a backbone are timm's
            factory = registry[name]
            values = NARROW.get(name, {"channels": "2"})
            kinds = ("batch", "instance", "none") if "norm" in factory.Options.__dataclass_fields__ else (None,)
            for kind in kinds:
                chosen = values | ({"norm": kind} if kind and not (name == "mlp" and kind == "instance") else {})
                options = factory.Options(
                    **{key: int(each) if each.isdigit() and key != "widths" else each for key, each in chosen.items()}
                )
                noise = name in ("mlp", "dcgan", "dcgan-authors")
                spaces = (Z if noise else PICTURE, PICTURE) if registry is plugins.generators else (PICTURE,)
                for module in factory(*spaces, options).modules():
                    if isinstance(module, nn.modules.batchnorm._NormBase):
                        key = f"{type(module).__name__} eps={module.eps} affine={module.affine} running={module.track_running_stats}"
                        found.setdefault(key, module)
    return found


NORMS = norms()


def test_these_are_all():
    kinds = {key.split(" ")[0] for key in NORMS}
    assert kinds == {"BatchNorm1d", "BatchNorm2d", "InstanceNorm2d"}
    assert len(NORMS) == 5  # the report's and torch's BatchNorm1d, BatchNorm2d, InstanceNorm2d with and without scale


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["NCHW", "NHWC"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("key", NORMS)
def test_derivatives(key, batch, layout):
    norm = NORMS[key]
    flat = "1d" in key
    if flat and (batch == 1 or layout == torch.channels_last):
        pytest.skip("a flat norm compares samples, and has one layout")
    torch.manual_seed(0)
    norm = type(norm)(norm.num_features, eps=norm.eps, affine=norm.affine, track_running_stats=norm.track_running_stats).double()
    values = torch.randn(batch, norm.num_features, *(() if flat else (3, 3)), dtype=torch.float64)
    if not flat:
        values = values.contiguous(memory_format=layout)
    values.requires_grad_()
    weights = [each.requires_grad_() for each in norm.parameters()]
    # The statistics that run along are no part of the function.
    assert torch.autograd.gradcheck(lambda x, *_: norm(x), (values, *weights))
    assert torch.autograd.gradgradcheck(lambda x, *_: norm(x), (values, *weights))
