"""Algorithm 1 of the paper, in its letters: D judges, G makes samples from z."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor

from translate import Adam, Batch, Clock, Latent, Make, OptimiserPlan, Part, Preset, Recipe, Space, Update, option, part


class Vanilla(Recipe):
    """Make samples like those of one domain from noise (Goodfellow et al., 2014).

    D learns to tell samples from fakes, k times; then G learns to fool it, once. Everything is drawn afresh each time.
    """

    domains = 1
    exports = ("G",)
    order = ("round",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "report": Preset(
            "the course report's training, 28 px, 200 epochs; its batch and betas are not stated: 64 and (0.5, 0.999)",
            run={"size": 28, "batch": 64, "epochs": 200, "augment": "none"},
            options={"lr": 1e-4},
        ),
        "quick": Preset(
            "28 px, minutes on a CPU",
            run={"size": 28, "batch": 64, "steps": 8_000, "augment": "none", "ema": 0.999},
        ),
        "points": Preset(
            "points in the plane, by PacGAN's protocol, 400 epochs",
            points=True,
            run={"batch": 100, "epochs": 400, "augment": "none"},
            options={
                "generator": "mlp:widths=400-400-400-400,activation=relu,init=normal",
                "discriminator": "mlp:widths=200-200-200,maxout=5,init=normal",
                "z": 2,
                "lr": 1e-4,
                "beta1": 0.8,
            },
        ),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose."""

        generator: Part = part("mlp", "network of G")
        discriminator: Part = part("mlp", "network of D")
        adversarial: Part = part(
            "non-saturating", "the game: minimax as in the paper's equation 1, or non-saturating as it advises"
        )
        z: int = option(100, "how many numbers a sample is made from", least=1)
        noise: Literal["normal", "uniform"] = option("normal", "their distribution: standard normal, or uniform in [-1, 1)")
        k: int = option(1, "updates of D for each of G, each with samples and noise of its own", least=1)
        pack: int = option(1, "samples that D sees at a time, against mode collapse (PacGAN: Lin et al., 2018)", least=1)
        lr: float = option(2e-4, "learning rate of both networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)

    options: Options

    def build(self, make: Make) -> None:
        """One network to make samples, one to judge them."""
        chosen, (x,) = self.options, self.spaces
        self.latent = Latent(chosen.z, chosen.noise)
        self.G = make.generator(chosen.generator, self.latent.space, x)
        packed = Space(x.name, (x.channels * chosen.pack, *x.shape[1:]), x.dtype, x.window)
        self.D = make.discriminator(chosen.discriminator, packed)
        self.game = make.adversarial_loss(chosen.adversarial, [self.D])

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """An Adam for each."""
        chosen = self.options
        return {
            "discriminator": Adam(over=("D",), lr=chosen.lr, betas=(chosen.beta1, 0.999)),
            "generator": Adam(over=("G",), lr=chosen.lr, betas=(chosen.beta1, 0.999)),
        }

    def batches(self, clock: Clock) -> int:
        """A batch for each sample of a pack, for each update of D."""
        return self.options.k * self.options.pack

    def phase(self, clock: Clock) -> Hashable:
        """Every step is like the others, but for what the game does now and then."""
        return tuple(self.game.phase(self._turn(clock, update)) for update in range(self.options.k))

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """D, k times; then G."""
        pack = self.options.pack
        for update in range(self.options.k):
            group = batches[update * pack : (update + 1) * pack]
            x = torch.cat([batch.images[0] for batch in group], dim=1)
            with torch.no_grad():
                fake = self._fakes(group, "z")
            yield Update("discriminator", self.game.discriminator(self.D, x, fake, self._turn(clock, update)))
        yield Update("generator", self.game.generator(self.D, x, self._fakes(group, "z/generator"), clock))

    def _turn(self, clock: Clock, update: int) -> Clock:
        """The clock that counts D's updates, at one of the step's."""
        k = self.options.k
        return replace(clock, step=clock.step * k + update, total=clock.total * k)

    def sample(self, noise: Tensor) -> Tensor:
        """G(z)."""
        return cast(Tensor, self.G(noise))

    def _fakes(self, group: Sequence[Batch], purpose: str) -> Tensor:
        """``(B, pack * C, ...)``: a fake for each sample of a pack, from noise of its own."""
        assert self.latent is not None
        return torch.cat([self.G(batch.noise(self.latent, purpose)) for batch in group], dim=1)
