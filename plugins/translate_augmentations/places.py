"""Pictures read at other places than their own. Written out with torch's indexing, whose derivatives of every order exist."""

from __future__ import annotations

import torch
from torch import Tensor


def taken(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """``images``, ``(B, C, h, w)``, at whole ``rows`` and ``columns``, which broadcast to ``(B, H, W)``: ``(B, C, H, W)``."""
    places = rows * images.shape[3] + columns
    flat = places.flatten(1)[:, None].expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, flat).view(*images.shape[:2], *places.shape[1:])


def interpolated(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """``images`` between their pixels, at ``y`` and ``x``, ``(B, H, W)``, counted from the centre of the first pixel.

    Bilinear; beyond the edges, pictures are mirrored in them. ``functional.grid_sample`` does the same, but older releases of torch cannot
    differentiate it twice, which penalties on a judge's gradient do.
    """
    top, left = y.floor(), x.floor()
    down, right = (y - top)[:, None], (x - left)[:, None]
    rows = [_mirrored(top.long() + step, images.shape[2]) for step in (0, 1)]
    columns = [_mirrored(left.long() + step, images.shape[3]) for step in (0, 1)]
    above, below = (torch.lerp(taken(images, row, columns[0]), taken(images, row, columns[1]), right) for row in rows)
    return torch.lerp(above, below, down)


def _mirrored(place: Tensor, side: int) -> Tensor:
    """Place -1 is place 0, place ``side`` is place ``side - 1``, and so on to and fro."""
    place = place.remainder(2 * side)
    return torch.minimum(place, 2 * side - 1 - place)
