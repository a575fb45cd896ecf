"""A U-Net whose way down is a timm backbone (after Ronneberger et al., 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from translate import Space, UserError, full_precision, option, upcast
from translate_timm.backbone import Backbone, Choice

#: The widest step of the way up, in widths of the last.
WIDEST = 8


class Step(nn.Module):
    """Twice the size, beside what the way down has of that size; 3×3 convolution, instance norm, ReLU."""

    def __init__(self, below: int, beside: int, leaving: int, upsample: str) -> None:
        super().__init__()
        self.upsample = nn.Upsample(scale_factor=2, mode=upsample)
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(below + beside, leaving, 3),
            nn.InstanceNorm2d(leaving, affine=False, track_running_stats=False),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Tensor, beside: Tensor | None) -> Tensor:
        """``(B, C, h, w)`` → ``(B, C', 2h, 2w)``."""
        features = self.upsample(features)
        return cast(Tensor, self.body(features if beside is None else torch.cat([features, beside], dim=1)))


class TimmGenerator(nn.Module):
    """Down through a timm model, up by resizing and 3×3 convolutions, each step beside the features of its size; tanh.

    5,689,563 parameters as it comes, at 256 px in RGB. ``(B, C, H, W)`` in [-1, 1] → ``(B, C', H, W)`` in [-1, 1], with H and W multiples
    of ``stride``, the largest reduction in use; some models take the training size only (``fixed_size``). A backbone's batch
    normalisation, where it has any, sees batches in training and running averages in use.
    """

    @dataclass(frozen=True)
    class Options(Choice):
        """What a user may choose."""

        # It has layer norms, which see one sample at a time, and so is the same in training and in use; 3.4 million parameters.
        backbone: str = option("convnext_atto", "name of a timm model whose feature maps halve from level to level")
        levels: int | None = option(
            None, "feature maps to use, from the finest; by default all whose reduction divides the size", least=1
        )
        channels: int = option(32, "channels of the last step up; they double with every step before it, up to 8 times", least=1)
        upsample: Literal["nearest", "bilinear"] = option("nearest", "how a step doubles the size")

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        self.backbone = Backbone(options, source.channels, source.size, fit=True)
        reductions = self.backbone.reductions
        # The picture itself is the level of full size, unless the backbone has one.
        self._picture_beside = reductions[0] != 1
        halving = all(2 ** (each.bit_length() - 1) == each for each in reductions) and reductions == sorted(set(reductions))
        if not halving or not self.backbone.exact:
            raise UserError(
                f"Generator 'timm' needs a backbone whose feature maps halve from level to level, and those of '{options.backbone}' are "
                f"smaller than the picture by {', '.join(map(str, reductions))}; choose another, such as convnext_atto or resnet18."
            )
        self.stride = reductions[-1]
        self.fixed_size = self.backbone.fixed_size
        widths = dict(zip(reductions, self.backbone.channels, strict=True))
        if self._picture_beside:
            widths[1] = source.channels
        self.steps = nn.ModuleList()
        width, reduction = self.backbone.channels[-1], self.stride
        while reduction > 1:
            reduction //= 2
            leaving = options.channels * min(reduction, WIDEST)
            self.steps.append(Step(width, widths.get(reduction, 0), leaving, options.upsample))
            width = leaving
        self.last = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(width, target.channels, 3))
        for module in (*self.steps.modules(), *self.last.modules()):
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # these have one

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        maps: list[Tensor] = self.backbone(image)
        beside = dict(zip(self.backbone.reductions, maps, strict=True))
        if self._picture_beside:
            beside[1] = image
        features, reduction = maps[-1], self.stride
        for step in self.steps:
            reduction //= 2
            features = step(features, beside.get(reduction))
        # Half precision leaves 8 bits, of which most are spent near ±1.
        with full_precision(features.device):
            return torch.tanh(self.last(upcast(features)))
