"""Penalties on the gradient of a judge with respect to what it sees, and the options by which every game takes them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from translate import Clock, Game, Judge, Part, UserError, full_precision, option, upcast


def gradients(judge: Judge, samples: Tensor) -> Tensor:
    """The gradient of each sample's score with respect to that sample, ``(B, D)`` in float32 or float64, ready to be differentiated again.

    A map of scores is summed for each sample first. The judge is asked anew, in full precision: half precision has neither the digits
    nor the range for second derivatives.
    """
    with full_precision(samples.device):
        samples = upcast(samples.detach()).requires_grad_()
        scores = upcast(judge(samples))
        # The sum over the batch keeps samples apart as long as the judge does: hence the check for batch normalisation below.
        (gradient,) = torch.autograd.grad(scores.sum(), samples, create_graph=True)
        return gradient.flatten(1)


def zero_centred(judge: Judge, samples: Tensor) -> Tensor:
    """Half the mean of ||∇D(x)||² over ``samples``: R1 on reals, R2 on fakes (Mescheder et al., 2018)."""
    return gradients(judge, samples).square().sum(1).mean() / 2


def one_centred(judge: Judge, real: Tensor, fake: Tensor) -> Tensor:
    """The mean of (||∇D(x̂)|| - 1)², where each x̂ is a random point between a real and a fake (Gulrajani et al., 2017)."""
    real, fake = upcast(real.detach()), upcast(fake.detach())
    share = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype, device=real.device)  # one draw a sample
    # vector_norm, unlike a square root, has a finite derivative where the gradient is 0.
    norms: Tensor = torch.linalg.vector_norm(gradients(judge, torch.lerp(real, fake, share)), dim=1)
    return (norms - 1).square().mean()


class PenalisedGame(Game):
    """A game that also takes R1 and R2, each with a weight γ: γ/2 · mean ||∇D(x)||², on reals and on fakes (Mescheder et al., 2018).

    They are part of what the discriminator minimises, as ``r1`` and ``r2``. ``lazy=n`` adds them at every n-th update only, n times as
    strong (Karras et al., 2020). Without a weight, nothing is computed.
    """

    #: The name that the game is registered under.
    name: ClassVar[str]

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        r1: float = option(0.0, "weight of the penalty on the judge's gradient at reals; 0 is off", least=0)
        r2: float = option(0.0, "weight of the penalty on the judge's gradient at fakes; 0 is off", least=0)
        lazy: int = option(1, "r1 and r2 are added at every n-th update only, times n", least=1)

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        self.options = self.Options() if options is None else options

    @abstractmethod
    def tell(self, judge: Judge, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """What the discriminator minimises, but for R1 and R2."""

    def discriminator(self, judge: Judge, real: Tensor, fake: Tensor, clock: Clock) -> dict[str, Tensor]:
        """What the discriminator minimises: the game itself, and R1 and R2 where they have a weight and are due."""
        losses = self.tell(judge, real, fake)
        chosen = self.options
        if clock.step % chosen.lazy == 0:
            if chosen.r1:
                losses["r1"] = chosen.lazy * chosen.r1 * zero_centred(judge, real)
            if chosen.r2:
                losses["r2"] = chosen.lazy * chosen.r2 * zero_centred(judge, fake)
        return losses

    def phase(self, clock: Clock) -> bool:
        """Whether lazy penalties are due."""
        return clock.step % self.options.lazy == 0

    @property
    def penalises(self) -> bool:
        """Whether any penalty on gradients has a weight."""
        return bool(self.options.r1 or self.options.r2)

    def check(self, judge: nn.Module, part: Part) -> None:
        """Raise UserError where gradients are penalised and the judge's normalisation makes each depend on the whole batch."""
        if self.penalises and any(_uses_the_batch(module) for module in judge.modules()):
            others = tuple((key, value) for key, value in part.options if key != "norm")
            advice = (
                f"use --discriminator {Part(part.name, (*others, ('norm', 'instance')))}, or norm=none"
                if "norm" in getattr(getattr(type(judge), "Options", None), "__dataclass_fields__", ())
                else "use another discriminator, or a game without such a penalty"
            )
            raise UserError(
                f"Game '{self.name}' penalises the gradient of each sample alone, and discriminator '{part.name}' normalises over the "
                f"batch; {advice}."
            )


def _uses_the_batch(module: nn.Module) -> bool:
    # Without running statistics, batch normalisation looks at the batch even in evaluation mode.
    return isinstance(module, _BatchNorm) and (module.training or module.running_mean is None)
