"""A method for a translator of one direction, in the letters of the others: G: X→Y; D judges Y."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from torch import Tensor

from translate import (
    Adam,
    Batch,
    Clock,
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


class OneSided(Recipe):
    """Learn X→Y alone from unpaired pictures, staying near what came in (after Shrivastava et al., 2017).

    A translation must fool the judge of Y, which also sees those of the past, and differ little from its picture: a weak hold on what it
    shows, and enough for small changes. Weights of one direction that come from elsewhere are of this method, and it trains them further.
    """

    domains = 2
    exports = ("G",)
    directions = ((0, 1),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "quick": Preset(
            "small networks and pictures, minutes on a CPU",
            run={"size": 64, "batch": 2, "steps": 650, "ema": 0.99},
            options={"generator": "resnet:blocks=3,channels=16,upsample=resize", "discriminator": "patch:channels=32"},
        ),
        "paper": Preset("the networks of CycleGAN, 256 px, 200 epochs", run={"size": 256, "batch": 1, "epochs": 200}),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose."""

        generator: Part = part("resnet", "network of G")
        discriminator: Part = part("patch", "network of D")
        adversarial: Part = part("least-squares", "the game between G and D")
        likeness: Part = part("l1", "distance between a picture and its translation")
        likeness_weight: float = option(2.0, "weight of that distance; 0 is off", least=0)
        pool_size: int = option(50, "fakes of the past that the judge is shown from; 0 is off", least=0)
        lr: float = option(2e-4, "learning rate of both networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)
        decay_from: float = option(
            0.5, "share of the run after which the learning rate falls towards 0 in a straight line", least=0, most=1
        )

    options: Options

    def build(self, make: Make) -> None:
        """A translator and a judge."""
        chosen, (x, y) = self.options, self.spaces
        if make.training and chosen.likeness_weight and x.shape != y.shape:
            raise UserError(
                f"The likeness compares a picture with its translation, and '{x.name}' is {x.shape} where '{y.name}' is {y.shape}; set "
                f"--likeness-weight to 0."
            )
        self.G = make.generator(chosen.generator, x, y)
        self.D = make.discriminator(chosen.discriminator, y)
        self.pool = ImagePool(chosen.pool_size if make.training else 0, y.shape)
        self.game = make.adversarial_loss(chosen.adversarial, [self.D])
        self.likeness = make.reconstruction_loss(chosen.likeness, [self.D])

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """An Adam for each."""
        chosen, schedule = self.options, LinearDecay(self.options.decay_from)
        return {
            group: Adam(over=(network,), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule)
            for group, network in (("generator", "G"), ("discriminator", "D"))
        }

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """The translator first, then the judge."""
        (batch,) = batches
        x, y = batch.images
        fake = self.G(x)
        losses = dict(self.game.generator(self.D, y, fake, clock))
        if self.options.likeness_weight:
            losses["likeness"] = self.options.likeness_weight * self.likeness(fake, x, self.D)
        yield Update("generator", losses)
        yield Update(
            "discriminator", self.game.discriminator(self.D, y, self.pool.exchange(fake, batch.uniform("pool", 2)), clock)
        )

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """G(x); a picture that is where it should be stays as it is."""
        return image if source == target else cast(Tensor, self.G(image))
