"""What generators and discriminators play for."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from translate import Clock, Game, Judge, upcast


class LeastSquares(Game):
    """Scores are drawn to 1 for real and 0 for fake (LSGAN: Mao et al., 2017).

    At the optimum of the discriminator, the generator minimises a Pearson χ² divergence; its gradient does not vanish where the judge
    is sure.
    """

    def discriminator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of (D(real) - 1)² and mean of D(fake)²."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": (on_real - 1).square().mean(), "fake": on_fake.square().mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of (D(fake) - 1)²."""
        return {"fool": (upcast(judge(fake)) - 1).square().mean()}


class NonSaturating(Game):
    """The discriminator maximises log D(real) + log(1 - D(fake)), the generator log D(fake) (Goodfellow et al., 2014, section 3).

    D is the sigmoid of the judge's score. At the optimum both terms of the discriminator are log 2: its value is -log 4.
    """

    def discriminator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of -log D(real) and mean of -log(1 - D(fake))."""
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": functional.softplus(-on_real).mean(), "fake": functional.softplus(on_fake).mean()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """Mean of -log D(fake)."""
        return {"fool": functional.softplus(-upcast(judge(fake))).mean()}
