"""pix2pix: image-to-image translation with conditional adversarial networks (Isola et al., CVPR 2017).

In the paper's letters: G: X→Y, and D judges pairs (x, y).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from translate import (
    Adam,
    Batch,
    Clock,
    LinearDecay,
    Make,
    OptimiserPlan,
    Part,
    Preset,
    Recipe,
    Update,
    UserError,
    hookimpl,
    option,
    part,
)


class Pix2Pix(Recipe):
    """Learn X→Y from pairs of pictures (Isola et al., 2017).

    A translation must be close to the one that is known, and the judge, which sees it beside what it was made of, must take it for real.
    """

    domains = 2
    exports = ("G",)
    order = ("round", "paired")
    directions = ((0, 1),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "quick": Preset(
            "small networks and pictures, minutes on a CPU",
            run={"size": 64, "batch": 1, "steps": 2000},
            options={"generator": "unet:channels=16", "discriminator": "patch:channels=16"},
        ),
        "paper": Preset("the published recipe, 256 px, 200 epochs", run={"size": 256, "batch": 1, "epochs": 200}),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose; the defaults are the paper's, but for dropout, which its authors found to make little noise."""

        generator: Part = part("unet", "network of G")
        discriminator: Part = part("patch", "network of D, which sees the channels of both pictures")
        adversarial: Part = part("non-saturating", "the game between G and D")
        reconstruction: Part = part("l1", "distance between a translation and the one that is known")
        reconstruction_weight: float = option(100.0, "weight of that distance", least=0)
        lr: float = option(2e-4, "learning rate of both networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)
        decay_from: float = option(
            0.5, "share of the run after which the learning rate falls towards 0 in a straight line", least=0, most=1
        )

    options: Options

    def build(self, make: Make) -> None:
        """A translator, and a judge of pairs."""
        chosen, (x, y) = self.options, self.spaces
        height, width = x.size
        pair = replace(x, name=f"{x.name} with {y.name}", shape=(x.channels + y.channels, height, width))
        self.G = make.generator(chosen.generator, x, y)
        self.D = make.discriminator(chosen.discriminator, pair)
        self.game = make.adversarial_loss(chosen.adversarial, [self.D])
        # Not with D for a judge: a distance is of single pictures, and D sees pairs.
        self.reconstruction = make.reconstruction_loss(chosen.reconstruction)

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """An Adam for each, whose rates fall in the second half of the run, as in the authors' PyTorch code."""
        chosen, schedule = self.options, LinearDecay(self.options.decay_from)
        return {
            "generator": Adam(over=("G",), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
            "discriminator": Adam(over=("D",), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
        }

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """The judge first, then the translator, before the same fakes."""
        (batch,) = batches
        x, y = batch.images
        fake_y = self.G(x)
        real, fake = torch.cat([x, y], dim=1), torch.cat([x, fake_y], dim=1)
        # Halved, which slows the judge down beside the translator.
        judged = self.game.discriminator(self.D, real, fake, clock)
        yield Update("discriminator", {name: 0.5 * loss for name, loss in judged.items()})
        fooled = self.game.generator(self.D, real, fake, clock)
        distance = self.options.reconstruction_weight * self.reconstruction(fake_y, y)
        yield Update("generator", {**fooled, "reconstruct": distance})

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """G for X→Y; a picture that is where it should be stays as it is. Raises UserError for Y→X."""
        if source == target:
            return image
        if source == 1:
            x, y = (space.name for space in self.spaces)
            raise UserError(
                f"Pix2pix learns one way, and this one is from '{x}' to '{y}'; for the other, train with --domains {y} {x}."
            )
        return self.G(image)


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("pix2pix", Pix2Pix)
