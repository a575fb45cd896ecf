"""A timm model as the eye of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor

from translate import FeatureExtractor, Seen, Space, option
from translate_timm.backbone import Backbone, Choice, frozen


class TimmFeatures(FeatureExtractor):
    """The mean over positions of a backbone's coarsest feature map: ``timm:backbone=resnet18,pretrained=true``.

    Figures name the model and where its weights are from; random weights, the default, tell little.
    """

    @dataclass(frozen=True)
    class Options(Choice):
        """What a user may choose."""

        resize: int | None = option(None, "pixels a side that pictures are brought to; by default they stay as they are", least=1)

    def __init__(self, space: Space, options: Options) -> None:
        super().__init__()
        self.size = (options.resize, options.resize) if options.resize else None
        self.backbone = frozen(options, space.channels, self.size or space.size)
        self.label = cast(Backbone, self.backbone.network).label + (f"@{options.resize}" if options.resize else "")

    def forward(self, images: Tensor) -> Seen:
        """The means, (B, channels)."""
        coarsest: Tensor = self.backbone(images)[-1]
        return Seen(coarsest.mean(dim=(2, 3)))
