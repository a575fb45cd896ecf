"""The fused Adam makes the updates of the plain one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate.fast.adam import fuse


@pytest.mark.parametrize("crossed", [False, True], ids=["as laid", "laid across"])
def test_updates_are_those_of_the_plain_one(crossed):
    torch.manual_seed(0)
    values = torch.randn(6, 4, 3, 3, dtype=torch.float64)
    ways = []
    for fused in (False, True):
        weight = nn.Parameter(values.clone())
        optimiser = torch.optim.Adam([weight], lr=0.1, betas=(0.5, 0.999), weight_decay=1e-2)
        if fused:
            fuse(optimiser)
        for step in range(5):
            gradient = torch.randn(6, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
            weight.grad = gradient.to(memory_format=torch.channels_last) if crossed else gradient
            optimiser.step()
        ways.append((weight.detach(), optimiser))
    assert ways[1][1].param_groups[0]["fused"]
    assert torch.allclose(ways[0][0], ways[1][0], rtol=1e-12, atol=1e-12)


def test_others_stay_what_they_are():
    weight = nn.Parameter(torch.zeros(3))
    for optimiser in (torch.optim.AdamW([weight]), torch.optim.SGD([weight], lr=1)):
        before = [dict(group) for group in optimiser.param_groups]
        fuse(optimiser)
        assert [dict(group) for group in optimiser.param_groups] == before
