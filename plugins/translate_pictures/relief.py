"""Soft light on flat shapes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .canvas import Layer, View, blur


def relief(cover: Layer, view: View, sun: float, strength: float) -> Layer:
    """(H, W) about 1: brighter where a silhouette (H, W, 0…1) faces the light, darker where it turns away.

    The slope of the blurred silhouette stands for the roundness of the body. It is found on a small map, at the same scale
    whatever the picture's size. The light comes from above and from the left (``sun`` -1) or right (1).
    """
    step = max(1, view.short // 64)
    small = (max(1, view.width // step), max(1, view.height // step))
    low = np.asarray(Image.fromarray(np.ascontiguousarray(cover)).resize(small, Image.Resampling.BOX)) if step > 1 else cover
    radius = 0.05 * min(small)
    soft = np.pad(blur(np.ascontiguousarray(low), radius), 1, mode="edge")
    down, right = soft[2:, 1:-1] - soft[:-2, 1:-1], soft[1:-1, 2:] - soft[1:-1, :-2]
    lit = np.asarray(1 + 0.31 * strength * radius * (down - 0.5 * sun * right), dtype=np.float32)
    if step > 1:
        lit = np.asarray(Image.fromarray(lit).resize((view.width, view.height), Image.Resampling.BICUBIC))
    return lit
