"""What generators and discriminators play for.

D(x) is the judge's raw score, a number or a map of numbers for each sample, and σ the sigmoid; means are over all scores of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import relu, softplus

from translate import Clock, Judge, option, upcast
from translate_losses.penalties import PenalisedGame, one_centred


class LeastSquares(PenalisedGame):
    """Scores are drawn to 1 for real and 0 for fake (LSGAN: Mao et al., 2017).

    At the optimum of the discriminator, the generator minimises a Pearson χ² divergence; its gradient does not vanish where the judge
    is sure.
    """

    name: ClassVar[str] = "least-squares"
    middle: ClassVar[float | None] = 0.5

    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Mean of (D(real) - 1)² and mean of D(fake)²."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": (on_real - 1).square().mean(), "fake": on_fake.square().mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of (D(fake) - 1)²."""
        return {"fool": (upcast(judge(fake)) - 1).square().mean()}


class NonSaturating(PenalisedGame):
    """The discriminator maximises log σ(D(real)) + log(1 - σ(D(fake))), the generator log σ(D(fake)) (Goodfellow et al., 2014, section 3).

    At the optimum both terms of the discriminator are log 2: its value is -log 4.
    """

    name: ClassVar[str] = "non-saturating"

    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Mean of -log σ(D(real)) and mean of -log(1 - σ(D(fake)))."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": softplus(-on_real).mean(), "fake": softplus(on_fake).mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of -log σ(D(fake))."""
        return {"fool": softplus(-upcast(judge(fake))).mean()}


class Minimax(NonSaturating):
    """The two sides play for one value, log σ(D(real)) + log(1 - σ(D(fake))) (Goodfellow et al., 2014, equation 1).

    The generator minimises what the discriminator maximises. Its gradient vanishes where the judge is sure of a fake: it saturates.
    """

    name: ClassVar[str] = "minimax"

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of log(1 - σ(D(fake))): at most 0, and lower the better."""
        return {"fool": -softplus(upcast(judge(fake))).mean()}


class Hinge(PenalisedGame):
    """Scores above 1 for real and below -1 for fake are good enough; the generator raises D(fake) (geometric GAN: Lim and Ye, 2017)."""

    name: ClassVar[str] = "hinge"

    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Mean of max(0, 1 - D(real)) and mean of max(0, 1 + D(fake))."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": relu(1 - on_real).mean(), "fake": relu(1 + on_fake).mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of -D(fake)."""
        return {"fool": -upcast(judge(fake)).mean()}


class Wasserstein(PenalisedGame):
    """The discriminator maximises D(real) - D(fake) with a slope of 1, the generator D(fake) (WGAN-GP: Gulrajani et al., 2017).

    With such a slope the greatest difference is the Wasserstein distance between reals and fakes. The penalty, w · (||∇D(x̂)|| - 1)² at
    a random point x̂ between each real and a fake, is part of every update of the discriminator. The slope of a judge of patches is
    that of the sum of its map.
    """

    name: ClassVar[str] = "wasserstein"
    middle: ClassVar[float | None] = None

    @dataclass(frozen=True)
    class Options(PenalisedGame.Options):
        """What a user may choose; the default weight is the paper's."""

        weight: float = option(10.0, "weight of the gradient penalty; 0 is for judges that keep their slope themselves", least=0)

    options: Options

    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Mean of -D(real), mean of D(fake), and w times the mean of (||∇D(x̂)|| - 1)²."""
        losses = {"real": -upcast(judge(real)).mean(), "fake": upcast(judge(fake)).mean()}
        if self.options.weight:
            losses["gradient_penalty"] = self.options.weight * one_centred(judge, real, fake)
        return losses

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of -D(fake)."""
        return {"fool": -upcast(judge(fake)).mean()}

    @property
    def penalises(self) -> bool:
        """Always, unless the weight was taken away."""
        return bool(self.options.weight) or super().penalises


class RelativisticPaired(PenalisedGame):
    """Each real should score higher than the fake that it is paired with (RpGAN: Jolicoeur-Martineau, 2018).

    With R1 and R2 of equal weight it is the game of R3GAN (Huang et al., 2024): ``relativistic-paired:r1=1,r2=1``. Scores of patches are
    paired place by place.
    """

    name: ClassVar[str] = "relativistic-paired"
    middle: ClassVar[float | None] = None

    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Mean of -log σ(D(real) - D(fake)): one loss, as neither side counts by itself."""
        return {"pair": softplus(upcast(judge(fake)) - upcast(judge(real))).mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of -log σ(D(fake) - D(real))."""
        return {"fool": softplus(upcast(judge(real)) - upcast(judge(fake))).mean()}


class RelativisticAverage(PenalisedGame):
    """Reals should score higher than the average fake, and fakes lower than the average real (RaGAN: Jolicoeur-Martineau, 2018).

    Averages are over all scores of the batch at hand, and gradients flow through them.
    """

    name: ClassVar[str] = "relativistic-average"
    middle: ClassVar[float | None] = None

    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Mean of -log σ(D(real) - mean D(fake)) and mean of -log(1 - σ(D(fake) - mean D(real)))."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": softplus(on_fake.mean() - on_real).mean(), "fake": softplus(on_fake - on_real.mean()).mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """The mirror image: means of -log σ(D(fake) - mean D(real)) and -log(1 - σ(D(real) - mean D(fake))), added."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"fool": softplus(on_real.mean() - on_fake).mean() + softplus(on_real - on_fake.mean()).mean()}
