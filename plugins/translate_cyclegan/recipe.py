"""The method, in the paper's letters: G: X→Y, F: Y→X; D_X judges X, D_Y judges Y."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from torch import Tensor

from translate import (
    Adam,
    Batch,
    Clock,
    DataWarning,
    ImagePool,
    LinearDecay,
    Make,
    OptimiserPlan,
    Part,
    Preset,
    Recipe,
    Update,
    UserError,
    option,
    part,
)


class CycleGAN(Recipe):
    """Learn X→Y and Y→X together from unpaired pictures (Zhu et al., 2017).

    Each translator must fool the judge of the domain it leads to, and lead back to the picture that it came from: the cycle.
    """

    domains = 2
    exports = ("G", "F")
    presets: ClassVar[Mapping[str, Preset]] = {
        "quick": Preset(
            "small networks and pictures, minutes on a CPU",
            run={"size": 64, "batch": 2, "steps": 650, "ema": 0.99},
            options={
                "generator": "resnet:blocks=3,channels=16,attention=true,upsample=resize",
                "discriminator": "patch:channels=32",
                "cycle_weight": 3,
                "identity_weight": 0,
                "lr": 1e-3,
                "discriminator_lr": 3e-4,
            },
        ),
        "paper": Preset(
            "the published recipe, 256 px, 200 epochs",
            run={"size": 256, "batch": 1, "epochs": 200},
        ),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose; the defaults are the paper's."""

        generator: Part = part("resnet", "network of G and F")
        discriminator: Part = part("patch", "network of D_X and D_Y")
        adversarial: Part = part("least-squares", "the game between generators and discriminators")
        cycle: Part = part("l1", "distance between a picture and its round trip")
        identity: Part = part("l1", "distance between a picture and its translation to its own domain")
        cycle_weight: float = option(10.0, "weight of each cycle loss", least=0)
        identity_weight: float | None = option(
            None,
            "weight of each identity loss; by default half the cycle weight, as in the paper's code; 0 is off, as in its equations",
            least=0,
        )
        pool_size: int = option(50, "fakes of the past that each judge is shown from; 0 is off", least=0)
        lr: float = option(2e-4, "learning rate of G and F, and of D_X and D_Y unless --discriminator-lr is given", least=0)
        discriminator_lr: float | None = option(None, "learning rate of D_X and D_Y, where it is another", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)
        decay_from: float = option(
            0.5, "share of the run after which the learning rate falls towards 0 in a straight line", least=0, most=1
        )

    options: Options

    def build(self, make: Make) -> None:
        """Two translators and two judges."""
        chosen, (x, y) = self.options, self.spaces
        self.identity_weight = chosen.cycle_weight / 2 if chosen.identity_weight is None else chosen.identity_weight
        if self.identity_weight and x.channels != y.channels:
            why = (
                f"The identity loss shows each translator a picture of its target, and '{x.name}' has {x.channels} "
                f"channel{'s' * (x.channels > 1)} where '{y.name}' has {y.channels}"
            )
            if chosen.identity_weight is not None:
                raise UserError(f"{why}; leave --identity-weight away, or set it to 0.")
            if make.training:
                warnings.warn(f"{why}, so it is left out.", DataWarning, stacklevel=2)
            self.identity_weight = 0.0
        self.G, self.F = make.generator(chosen.generator, x, y), make.generator(chosen.generator, y, x)
        self.D_X, self.D_Y = make.discriminator(chosen.discriminator, x), make.discriminator(chosen.discriminator, y)
        pooled = chosen.pool_size if make.training else 0
        self.pool_x, self.pool_y = ImagePool(pooled, x.shape), ImagePool(pooled, y.shape)
        judges = [self.D_X, self.D_Y]
        self.game = make.adversarial_loss(chosen.adversarial, judges)
        self.cycle = make.cycle_loss(chosen.cycle, judges)
        if self.identity_weight:
            self.identity = make.reconstruction_loss(chosen.identity, judges)

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """One Adam over both translators, one over both judges."""
        chosen = self.options
        schedule = LinearDecay(chosen.decay_from)
        judging = chosen.lr if chosen.discriminator_lr is None else chosen.discriminator_lr
        return {
            "generators": Adam(over=("G", "F"), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
            "discriminators": Adam(over=("D_X", "D_Y"), lr=judging, betas=(chosen.beta1, 0.999), schedule=schedule),
        }

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """The translators first, then the judges, which see fakes of the past as well."""
        (batch,) = batches
        x, y = batch.images
        chosen = self.options
        fake_y, fake_x = self.G(x), self.F(y)
        losses = {
            **_named(self.game.generator(self.D_Y, y, fake_y, clock), "y"),
            **_named(self.game.generator(self.D_X, x, fake_x, clock), "x"),
            "cycle_x": chosen.cycle_weight * self.cycle(self.F(fake_y), x, self.D_X),
            "cycle_y": chosen.cycle_weight * self.cycle(self.G(fake_x), y, self.D_Y),
        }
        if self.identity_weight:
            losses["identity_x"] = self.identity_weight * self.identity(self.F(x), x, self.D_X)
            losses["identity_y"] = self.identity_weight * self.identity(self.G(y), y, self.D_Y)
        yield Update("generators", losses)

        seen_x = self.pool_x.exchange(fake_x, batch.uniform("pool_x", 2))
        seen_y = self.pool_y.exchange(fake_y, batch.uniform("pool_y", 2))
        # Halved, which slows the judges down beside the translators.
        yield Update(
            "discriminators",
            {
                **_named(self.game.discriminator(self.D_X, x, seen_x, clock), "x", 0.5),
                **_named(self.game.discriminator(self.D_Y, y, seen_y, clock), "y", 0.5),
            },
        )

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """G for X→Y, F for Y→X; a picture that is where it should be stays as it is."""
        if source == target:
            return image
        return cast(Tensor, self.G(image) if source == 0 else self.F(image))


def _named(losses: Mapping[str, Tensor], letter: str, weight: float = 1.0) -> dict[str, Tensor]:
    return {f"{name}_{letter}": weight * loss for name, loss in losses.items()}
