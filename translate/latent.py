"""The noise that pictures are made from, and ways through its space."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import torch
from torch import Tensor

from translate.data.domain import Space
from translate.errors import UserError
from translate.randomness import uniform

Distribution = Literal["normal", "uniform"]


@dataclass(frozen=True)
class Latent:
    """``width`` independent numbers: standard ``normal``, or ``uniform`` in [-1, 1)."""

    width: int = 100
    distribution: Distribution = "normal"

    @property
    def space(self) -> Space:
        """What generators take in."""
        return Space("z", (self.width,), "float32", (-1.0, 1.0))

    def noise(self, draws: Tensor) -> Tensor:
        """Draws in [0, 1), of any shape, float64, as noise: the inverse of the distribution function."""
        if self.distribution == "uniform":
            return 2 * draws - 1
        normal: Tensor = torch.special.ndtri(draws.clamp(min=2**-54))
        return normal

    def draw(self, n: int, seed: int = 0) -> Tensor:
        """``(n, width)`` float32. Row i depends on ``seed`` and i alone: more rows leave the first ones as they are."""
        for what, value, least in (("number of samples", n, 1), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
                raise UserError(f"The {what} is {value!r}; it must be a whole number from {least} on.")
        return self.noise(torch.from_numpy(uniform(seed, "sample", 0, n, self.width))).float()

    def interpolate(self, first: Tensor, second: Tensor, steps: int) -> Tensor:
        """``(steps, width)`` from ``first`` to ``second``, ``(width,)`` each, both included.

        Uniform noise goes along the straight line. Normal noise lies near a sphere of radius √width, which the straight line leaves:
        there it goes along the great circle, and the norm changes evenly (Shoemake, 1985; White, 2016).
        """
        if steps < 2:
            raise UserError(f"A way of {steps} steps has no beginning and end; ask for at least 2.")
        if first.shape != (self.width,) or second.shape != (self.width,):
            raise UserError(
                f"A way leads from one sample's noise to another's, ({self.width},) each, not from {tuple(first.shape)} to "
                f"{tuple(second.shape)}."
            )
        share = torch.linspace(0, 1, steps, dtype=first.dtype, device=first.device)[:, None]
        if self.distribution == "uniform":
            return torch.lerp(first, second, share)
        lengths = first.norm(), second.norm()
        if not lengths[0] * lengths[1]:
            return torch.lerp(first, second, share)
        one, other = first / lengths[0], second / lengths[1]
        angle = torch.arccos((one @ other).clamp(-1, 1))
        if angle.sin().abs() < 1e-4:  # along one line there is no circle, or any
            return torch.lerp(first, second, share)
        direction = (torch.sin((1 - share) * angle) * one + torch.sin(share * angle) * other) / torch.sin(angle)
        on_circle: Tensor = direction * torch.lerp(lengths[0], lengths[1], share)
        return on_circle

    def walk(self, stops: Tensor, steps: int) -> Tensor:
        """``(n * steps, width)``: from each of the ``n`` stops, ``(n, width)``, to the next in ``steps`` steps, and back to the first."""
        legs = [self.interpolate(here, there, steps + 1)[:-1] for here, there in zip(stops, stops.roll(-1, 0), strict=True)]
        return torch.cat(legs)
