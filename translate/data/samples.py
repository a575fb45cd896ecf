"""Samples of a domain to look at, beside those of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from translate.data import picture
from translate.data.domain import Domain, Space
from translate.data.fit import Fit, fitted


def evenly(domain: Domain, count: int) -> list[int]:
    """The indices of up to ``count`` samples, spread evenly over the domain: of pictures in a folder, neighbours are often alike."""
    spread = np.linspace(0, len(domain) - 1, min(count, len(domain)))
    return [int(index) for index in spread.round()]


def as_networks_see(domain: Domain, space: Space, indices: Sequence[int], device: torch.device, fit: Fit) -> Tensor:
    """Those samples as float32 on ``device``: (N, C, H, W) in [-1, 1] at the size of ``space``, or (N, D)."""
    arrays = [domain.read(index) for index in indices]
    if space.is_picture:
        arrays = [fitted(array, space.size, fit) for array in arrays]
    return picture.to_tensor(np.stack(arrays), space.window, device)
