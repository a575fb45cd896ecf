"""What a judge sees in two pictures, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from torch import Tensor
from torch.nn import functional

from translate import FeatureJudge, ImageLoss, UserError, option, upcast


class FeatureMatching(ImageLoss):
    """The activations of a discriminator's layers on the output should be those on the target; the sum over the layers.

    Paired: of mean |f(output) - f(target)|, picture by picture (pix2pixHD: Wang et al., 2018, equation 4). With ``paired=false``: of
    mean (mean over the batch of f(output) - mean over the batch of f(target))², for pictures that do not belong together (Salimans et al.,
    2016; in this form DiscoGAN: Kim et al., 2017). The target's side gives no gradient.
    """

    needs_judge: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        paired: bool = option(True, "compare picture by picture, instead of the means over a batch")
        skip: int = option(0, "how many of the judge's first layers are left out", least=0)

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        self.options = self.Options() if options is None else options

    def forward(self, output: Tensor, target: Tensor, *judge: Any) -> Tensor:
        """The sum over the layers that the judge shows."""
        seen_in = cast(FeatureJudge, judge[0]).features
        given, wanted = (seen_in(images)[self.options.skip :] for images in (output, target))
        if not given:
            raise UserError(
                f"feature-matching:skip={self.options.skip} leaves out every layer that the discriminator shows; use a smaller number."
            )
        losses = [self._distance(upcast(f), upcast(g.detach())) for f, g in zip(given, wanted, strict=True)]
        return sum(losses[1:], losses[0])

    def _distance(self, given: Tensor, wanted: Tensor) -> Tensor:
        if self.options.paired:
            return functional.l1_loss(given, wanted)
        return functional.mse_loss(given.mean(0), wanted.mean(0))
