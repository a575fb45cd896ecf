"""The method: a convolutional D and G, and one Adam for each."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor

from translate import Adam, Batch, Clock, Latent, Make, OptimiserPlan, Part, Preset, Recipe, Update, option, part


class DCGAN(Recipe):
    """Make pictures like those of one domain from noise, with convolutions (Radford et al., 2016).

    Each step D learns from a batch and as many fakes, and then G learns from the same fakes; as the authors' own code has it
    (``alternate``), each batch serves one of the two, G first.
    """

    domains = 1
    exports = ("G",)
    order = ("round",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(
            "the authors' own form: 5×5 kernels, uniform noise, 64 px, batch 128, 25 epochs",
            run={"size": 64, "batch": 128, "epochs": 25, "augment": "none"},
            options={
                "generator": "dcgan-authors",
                "discriminator": "dcgan-authors",
                "noise": "uniform",
                "alternate": True,
                "weight_decay": 1e-5,
            },
        ),
        "pytorch": Preset(
            "PyTorch's form: 4×4 kernels, normal noise, 64 px, batch 64, 25 epochs",
            run={"size": 64, "batch": 64, "epochs": 25, "augment": "none"},
        ),
        "quick": Preset(
            "narrow networks, minutes on a CPU; --size 28, 32 or 64",
            run={"size": 28, "batch": 64, "steps": 3000, "augment": "none", "ema": 0.99},
            options={"generator": "dcgan:channels=32", "discriminator": "dcgan:channels=32"},
        ),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose."""

        generator: Part = part("dcgan", "network of G")
        discriminator: Part = part("dcgan", "network of D")
        adversarial: Part = part("non-saturating", "the game between D and G")
        z: int = option(100, "how many numbers a picture is made from", least=1)
        noise: Literal["normal", "uniform"] = option("normal", "their distribution: standard normal, or uniform in [-1, 1)")
        alternate: bool = option(False, "update G in the first step, D in the second, and so on, with a batch for each")
        lr: float = option(2e-4, "learning rate of both networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)
        weight_decay: float = option(0.0, "weight of the L2 penalty on all weights", least=0)

    options: Options

    def build(self, make: Make) -> None:
        """One network to make pictures, one to judge them."""
        chosen, (x,) = self.options, self.spaces
        self.latent = Latent(chosen.z, chosen.noise)
        self.G = make.generator(chosen.generator, self.latent.space, x)
        self.D = make.discriminator(chosen.discriminator, x)
        self.game = make.adversarial_loss(chosen.adversarial, [self.D])

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """An Adam for each."""
        chosen = self.options
        return {
            group: Adam(over=(network,), lr=chosen.lr, betas=(chosen.beta1, 0.999), weight_decay=chosen.weight_decay)
            for group, network in (("discriminator", "D"), ("generator", "G"))
        }

    def phase(self, clock: Clock) -> Hashable:
        """Which of the two is updated, where they alternate, and what the game does now and then."""
        turn, clock = self._turn(clock)
        return turn, self.game.phase(clock)

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """D, then G with the same fakes; or one of the two."""
        (batch,) = batches
        (x,) = batch.images
        assert self.latent is not None
        turn, clock = self._turn(clock)
        with torch.set_grad_enabled(turn != 1):  # D's turn needs no graph of G
            fake = self.G(batch.noise(self.latent))
        if turn != 0:
            yield Update("discriminator", self.game.discriminator(self.D, x, fake, clock))
        if turn != 1:
            yield Update("generator", self.game.generator(self.D, x, fake, clock))

    def _turn(self, clock: Clock) -> tuple[int | None, Clock]:
        """Where the two alternate, 0 for G's turn and 1 for D's, and the clock that counts such turns."""
        if not self.options.alternate:
            return None, clock
        return clock.step % 2, replace(clock, step=clock.step // 2, total=-(-clock.total // 2))

    def sample(self, noise: Tensor) -> Tensor:
        """G(z)."""
        return cast(Tensor, self.G(noise))
