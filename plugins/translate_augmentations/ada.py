"""Changes for every picture that a judge sees, as often as it knows its training pictures by heart (ADA)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from translate import JudgeAugmentation, full_precision, option, upcast
from translate_augmentations.places import interpolated

#: Up to this probability, the paper found, generators hardly learn to show the changes.
MOST = 0.8
#: The probability is adapted whenever so many reals were judged.
INTERVAL = 64
#: Standard deviations: of the shift, in sides; of the logarithms to base 2 of scales, of contrast and of saturation; of brightness.
SHIFT, SCALE, CONTRAST, SATURATION, BRIGHTNESS = 0.125, 0.2, 0.5, 1.0, 0.2
#: Whole pixels of up to this share of the sides.
WHOLE_SHIFT = 0.125


class Adaptive(JudgeAugmentation):
    """Every real and every fake that the judge sees changes in many ways, each with probability p (Karras et al., 2020, arXiv 2006.06676).

    Flips, quarter turns, shifts, scales and turns, as one bilinear sampling of the picture, mirrored at its edges; brightness, contrast,
    and for three channels the flip of luma, hue and saturation, as one matrix. The parameters are the paper's, except that it samples at
    twice the resolution.

    p begins at 0 and follows r, the mean sign of the judge's scores of reals: it rises where r is above ``target``, for then the judge
    knows the reals by heart, and falls where it is below. It stays within 0 and 0.8. Where a method has several judges, they share one p.
    """

    adapts = True

    #: The probability of each change; the sum of the mean signs of reals heard since it was last adapted, and their count.
    p: Tensor
    signs: Tensor
    count: Tensor

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        target: float = option(0.6, "the mean sign of scores of reals that is aimed at", least=-1, most=1)
        speed: int = option(
            8000,
            "reals judged, by all judges together, in which p goes from 0 to 1; the paper's runs, 60 times as long, have 500000",
            least=1,
        )

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        self.options = self.Options() if options is None else options
        for name in ("p", "signs", "count"):
            self.register_buffer(name, torch.zeros(()))

    @torch.no_grad()
    def heard(self, scores: Tensor) -> None:
        """Adapt p to ``scores`` of reals, where enough were heard. On the device throughout: nothing waits for a number."""
        self.signs += scores.float().sign().mean() * len(scores)
        self.count += len(scores)
        due = self.count >= INTERVAL
        way = (self.signs / self.count - self.options.target).sign()
        adapted = (self.p + way * self.count / self.options.speed).clamp(0, MOST)
        self.p.copy_(torch.where(due, adapted, self.p))
        self.signs *= ~due
        self.count *= ~due

    def forward(self, samples: Tensor) -> Tensor:
        """``samples``, each changed by draws of its own."""
        with full_precision(samples.device):
            images = upcast(samples)
            placed = looked_at(images, placement(images, self.p))
            return recoloured(placed, self.p).to(samples.dtype)


class Draws:
    """Draws for each picture of a batch, that have an effect with probability ``p`` only."""

    def __init__(self, images: Tensor, p: Tensor) -> None:
        self.p = p
        self._like = images.detach()[:, 0, 0, 0]

    def uniform(self, least: float, most: float, *more: int) -> Tensor:
        """``(*more, B)`` in [least, most) for pictures that are chosen, 0 for others."""
        return self._chosen(least + (most - least) * torch.rand_like(self._like.expand(*more, -1)))

    def normal(self, deviation: float, *more: int) -> Tensor:
        """``(*more, B)`` around 0 for pictures that are chosen, 0 for others."""
        return self._chosen(deviation * torch.randn_like(self._like.expand(*more, -1)))

    def _chosen(self, values: Tensor) -> Tensor:
        return torch.where(torch.rand_like(self._like) < self.p, values, 0)


def placement(images: Tensor, p: Tensor) -> Tensor:
    """``(B, 3, 3)``: from a place (x, y, 1) of the changed picture to the one it shows, both in pixels from the picture's centre."""
    sides = torch.tensor([[images.shape[3]], [images.shape[2]]], dtype=images.dtype, device=images.device)
    draws = Draws(images, p)
    # Each of two turns comes with this probability, so that with probability p there is a turn.
    turns = Draws(images, 1 - (1 - p).sqrt())
    flip = 1 - 2 * draws.uniform(0, 2).floor()
    scale, stretch = draws.normal(SCALE).exp2(), draws.normal(SCALE).exp2()
    steps = [
        scaled(flip, torch.ones_like(flip)),
        turned(draws.uniform(0, 4).floor() * (math.pi / 2)),
        shifted((draws.uniform(-WHOLE_SHIFT, WHOLE_SHIFT, 2) * sides).round()),
        scaled(scale, scale),
        turned(turns.uniform(-math.pi, math.pi)),
        scaled(stretch, 1 / stretch),
        turned(turns.uniform(-math.pi, math.pi)),
        shifted(draws.normal(SHIFT, 2) * sides),
    ]
    matrices: Tensor = reduce(torch.matmul, steps)
    return matrices


def scaled(across: Tensor, down: Tensor) -> Tensor:
    """``(B, 3, 3)`` that multiplies x and y by these, ``(B,)``."""
    return torch.diag_embed(torch.stack([across, down, torch.ones_like(across)], 1))


def turned(angle: Tensor) -> Tensor:
    """``(B, 3, 3)`` that turns by ``angle``, ``(B,)`` in radians."""
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).view(-1, 3, 3)


def shifted(by: Tensor) -> Tensor:
    """``(B, 3, 3)`` that adds ``by``, ``(2, B)``: x and y."""
    zero, one = torch.zeros_like(by[0]), torch.ones_like(by[0])
    return torch.stack([one, zero, by[0], zero, one, by[1], zero, zero, one], 1).view(-1, 3, 3)


def looked_at(images: Tensor, matrices: Tensor) -> Tensor:
    """``images`` through ``matrices``, as ``placement`` makes them."""
    height, width = images.shape[2:]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    y = torch.arange(height, dtype=images.dtype, device=images.device)[:, None] - middle_y
    x = torch.arange(width, dtype=images.dtype, device=images.device) - middle_x
    rows = matrices[:, :2, :, None, None]
    at_x, at_y = (rows[:, :, 0] * x + rows[:, :, 1] * y + rows[:, :, 2]).unbind(1)
    return interpolated(images, at_y + middle_y, at_x + middle_x)


def recoloured(images: Tensor, p: Tensor) -> Tensor:
    """Brightness, then contrast; for three channels, luma flipped, hue turned and saturation scaled, around the axis of greys."""
    draws = Draws(images, p)
    brightness, contrast = draws.normal(BRIGHTNESS), draws.normal(CONTRAST).exp2()
    images = (images + brightness[:, None, None, None]) * contrast[:, None, None, None]
    if images.shape[1] != 3:
        return images
    luma, hue, saturation = 1 - 2 * draws.uniform(0, 2).floor(), draws.uniform(-math.pi, math.pi), draws.normal(SATURATION).exp2()
    grey = torch.full((3, 3), 1 / 3, dtype=images.dtype, device=images.device)
    other = torch.eye(3, dtype=images.dtype, device=images.device) - grey
    # A quarter turn of what is not grey.
    quarter = (torch.roll(other, 1, 0) - torch.roll(other, -1, 0)) / math.sqrt(3)
    luma, hue, saturation = (each[:, None, None] for each in (luma, hue, saturation))
    matrices = luma * grey + saturation * (hue.cos() * other + hue.sin() * quarter)
    return (matrices @ images.flatten(2)).view_as(images)
