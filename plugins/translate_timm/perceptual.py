"""Distances between pictures as a network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from translate import ImageLoss, Space, UserError, option, upcast
from translate_timm.backbone import Backbone, Choice, frozen, levelled


class Perceptual(ImageLoss):
    """The mean absolute difference of a frozen backbone's features, and of pixels (after Johnson et al., 2016).

    Features are brought to a mean square of 1 over the channels of each position, as in LPIPS (Zhang et al., 2018) without its learned
    weights; positions, channels and levels are averaged. Pictures of three channels are seen in colour; of any other number, every
    channel is seen by itself, as a grey picture.
    """

    @dataclass(frozen=True)
    class Options(Choice):
        """What a user may choose."""

        levels: int | None = option(4, "feature maps to compare, from the finest; none takes all", least=1)
        pixel: float = option(
            1.0, "weight of the L1 distance of pixels beside that of features, which leaves colours loose", least=0
        )

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.backbone = frozen(options, 3)
        self._least = max(cast(Backbone, self.backbone.network).reductions)

    def check(self, space: Space) -> None:
        """Refuse points, and pictures that are smaller than what one feature sees."""
        self._require(space.size)

    def _require(self, size: Sequence[int]) -> None:
        if min(size) < self._least:
            raise UserError(
                f"The loss 'perceptual' with {self.options.backbone} compares pictures of at least {self._least} pixels a side, not "
                f"{size[0]}x{size[1]}; use fewer levels, or raise --size."
            )

    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """The mean over levels of mean |features of output - features of target|, and ``pixel`` times mean |output - target|."""
        self._require(output.shape[2:])
        levels = [
            functional.l1_loss(levelled(given), levelled(wanted))
            for given, wanted in zip(self.backbone(_colour(output)), self.backbone(_colour(target)), strict=True)
        ]
        distance = torch.stack(levels).mean()
        if self.options.pixel:
            distance = distance + self.options.pixel * functional.l1_loss(upcast(output), upcast(target))
        return distance


def _colour(image: Tensor) -> Tensor:
    """``(B, 3, H, W)`` as it is; ``(B, C, H, W)`` as ``(B·C, 3, H, W)``, every channel a grey picture."""
    if image.shape[1] == 3:
        return image
    return image.flatten(0, 1).unsqueeze(1).expand(-1, 3, -1, -1)
