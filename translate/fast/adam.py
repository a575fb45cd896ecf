"""Adam with all its arithmetic in one kernel."""

from __future__ import annotations

from typing import Any

import torch


def fuse(optimiser: torch.optim.Optimizer) -> None:
    """Let torch's own Adam do its update in one kernel, on devices that have one; any other optimiser stays what it is."""
    devices = {each.device.type for group in optimiser.param_groups for each in group["params"]}
    if type(optimiser) is not torch.optim.Adam or not devices <= {"cpu", "cuda"}:
        return
    for group in optimiser.param_groups:
        group.update(fused=True, foreach=False)
    optimiser.register_step_pre_hook(_align)


def _align(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    """Lay gradients as their parameters lie: the kernel for CPUs takes both for one memory layout, without a word (torch 2.13)."""
    for group in optimiser.param_groups:
        for each in group["params"]:
            if each.grad is not None and each.grad.stride() != each.stride():
                each.grad = torch.empty_like(each).copy_(each.grad)
