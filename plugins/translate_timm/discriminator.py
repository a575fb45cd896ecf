"""A judge that sees pictures as a timm backbone sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from translate import Space, option
from translate_timm.backbone import Backbone, Choice, frozen, levelled


class Head(nn.Module):
    """Scores of one level: a 1×1 convolution, ``halvings`` 3×3 convolutions of stride 2, and a 3×3 convolution to scores."""

    def __init__(self, entering: int, width: int, halvings: int) -> None:
        super().__init__()
        body: list[nn.Module] = [nn.Conv2d(entering, width, 1), nn.LeakyReLU(0.2, inplace=True)]
        for _ in range(halvings):
            body += [nn.Conv2d(width, width, 3, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*body)
        self.score = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """The activations ``(B, width, h, w)`` that ``score`` judges."""
        return cast(Tensor, self.body(features))


class TimmDiscriminator(nn.Module):
    """A small trained head on each feature map of a backbone (after Sauer et al., 2021, without their random projections).

    The backbone is frozen, and then neither stored nor in batches coupled; with ``trainable`` it is part of the judge. Every head brings
    its level down to the size of the coarsest, so that levels have the same say. ``(B, C, H, W)`` in [-1, 1] → raw scores
    ``(B, 1, N, 1)``, those of all levels and positions one after the other.
    """

    @dataclass(frozen=True)
    class Options(Choice):
        """What a user may choose."""

        # The paper found it to be among the best of those that it tried, and the smallest.
        backbone: str = option("efficientnet_lite0", "name of a timm model")
        channels: int = option(64, "channels of the heads", least=1)
        trainable: bool = option(False, "train the backbone as well")

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        self.backbone: nn.Module
        if options.trainable:
            self.backbone = backbone = Backbone(options, space.channels, space.size)
        else:
            held = frozen(options, space.channels, space.size)
            self.backbone, backbone = held, cast(Backbone, held.network)
        coarsest = max(backbone.reductions)
        self.heads = nn.ModuleList(
            Head(entering, options.channels, round(math.log2(coarsest / reduction)))
            for entering, reduction in zip(backbone.channels, backbone.reductions, strict=True)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Raw scores of all levels."""
        scores = [head.score(seen) for head, (_, seen) in zip(self.heads, self._look(image), strict=True)]  # type: ignore[operator]  # torch types submodules loosely
        return torch.cat([each.flatten(2) for each in scores], dim=2).unsqueeze(3)

    def features(self, samples: Tensor) -> list[Tensor]:
        """What each level of the backbone sees, then what each head makes of it."""
        looks = self._look(samples)
        return [level for level, _ in looks] + [seen for _, seen in looks]

    def _look(self, image: Tensor) -> list[tuple[Tensor, Tensor]]:
        levels = [levelled(each) for each in self.backbone(image)]
        return [(level, head(level)) for level, head in zip(levels, self.heads, strict=True)]
