"""The method: G takes a picture and the domain it should go to; D says whether a picture is real, and of which domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from translate import Adam, Batch, Clock, LinearDecay, Make, OptimiserPlan, Part, Preset, Recipe, Update, UserError, option, part
from translate_example_stargan.networks import TwoHeads


class StarGAN(Recipe):
    """Translate between any two of many domains with one network (Choi et al., 2018).

    A translation must look real, be taken for its target, and lead back to the picture that it came from. In each step a picture of every
    domain goes to the domain of another one, by lot.
    """

    domains = (2, None)
    exports = ("G",)
    order = ("round",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "quick": Preset(
            "small networks and pictures, minutes on a CPU",
            run={"size": 32, "batch": 4, "steps": 2000},
            options={"generator": "stargan:channels=16,blocks=2", "judge_channels": 16, "judge_layers": 4},
        ),
        "paper": Preset("the published networks, 128 px, 200,000 steps", run={"size": 128, "batch": 4, "steps": 200_000}),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose; the defaults are the paper's."""

        generator: Part = part("stargan", "network of G, whose first layers must let constant channels through")
        adversarial: Part = part("wasserstein", "the game between G and D")
        reconstruction: Part = part("l1", "distance between a picture and its round trip")
        domain_weight: float = option(1.0, "weight of telling domains", least=0)
        reconstruction_weight: float = option(10.0, "weight of the round trip", least=0)
        n_critic: int = option(5, "updates of D for each of G", least=1)
        judge_channels: int = option(64, "channels of D's first layer; each further one has twice as many", least=1)
        judge_layers: int = option(6, "how often D halves its pictures", least=1)
        lr: float = option(1e-4, "learning rate of both networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)

    options: Options

    def build(self, make: Make) -> None:
        """One translator and one judge for all domains."""
        chosen, (first, *others) = self.options, self.spaces
        for other in others:
            if other.channels != first.channels:
                raise UserError(
                    f"StarGAN has one network for all domains, and '{other.name}' has {_channels(other.channels)} where '{first.name}' "
                    f"has {first.channels}; give it domains of the same number."
                )
        height, width = first.size
        labelled = replace(first, name="pictures with labels", shape=(first.channels + len(self.spaces), height, width))
        self.G = make.generator(chosen.generator, labelled, first)
        self.game = make.adversarial_loss(chosen.adversarial)
        self.reconstruction = make.reconstruction_loss(chosen.reconstruction)
        if make.training:
            self.D = TwoHeads(first, len(self.spaces), chosen.judge_channels, chosen.judge_layers)
            self._check_that_labels_count()

    def _check_that_labels_count(self) -> None:
        """Raise UserError where G gives the same picture whatever it is told: it would train on, and never learn to listen."""
        picture = torch.rand(1, *self.spaces[0].shape) * 2 - 1
        self.G.eval()
        with torch.no_grad():
            one, other = (self.towards(picture, torch.tensor([target])) for target in (0, 1))
        self.G.train()
        # Rounding leaves a hundred-thousandth of a channel that is taken away; one that gets through makes a difference of about 1.
        if (one - other).abs().max() <= 1e-4 * one.std():
            raise UserError(
                f"Generator '{self.options.generator.name}' makes the same picture whichever domain it is told, as its normalisation takes "
                f"constant channels away; choose another, such as --generator stargan."
            )

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """An Adam for each, whose rates fall to 0 in the second half."""
        chosen, schedule = self.options, LinearDecay(0.5)
        return {
            "generator": Adam(over=("G",), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
            "discriminator": Adam(over=("D",), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
        }

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """The judge in every step; the translator in every ``n_critic``-th, after it and on the same pictures."""
        chosen, (batch,) = self.options, batches
        x = torch.cat(batch.images)
        source = torch.arange(len(self.spaces), device=x.device).repeat_interleave(len(batch))
        # Drawn on the CPU, the targets are the same on every device.
        target = source[torch.randperm(len(source)).to(x.device)]
        with torch.no_grad():
            fake = self.towards(x, target)
        yield Update(
            "discriminator",
            {
                **self.game.discriminator(self.D, x, fake, clock),
                "domain": chosen.domain_weight * cross_entropy(self.D.classify(x), source),
            },
        )
        if (clock.step + 1) % chosen.n_critic:
            return
        turn = replace(clock, step=clock.step // chosen.n_critic, total=clock.total // chosen.n_critic)
        fake = self.towards(x, target)
        yield Update(
            "generator",
            {
                **self.game.generator(self.D, x, fake, turn),
                "domain": chosen.domain_weight * cross_entropy(self.D.classify(fake), target),
                "reconstruct": chosen.reconstruction_weight * self.reconstruction(self.towards(fake, source), x),
            },
        )

    def towards(self, image: Tensor, target: Tensor) -> Tensor:
        """G(x, c): ``image``, ``(B, C, H, W)``, as the domains ``target``, ``(B,)`` numbers from 0, would show it."""
        labels = one_hot(target, len(self.spaces)).to(image)[:, :, None, None]
        return self.G(torch.cat([image, labels.expand(-1, -1, *image.shape[2:])], dim=1))

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """G(x, target); a picture that is where it should be stays as it is."""
        if source == target:
            return image
        return self.towards(image, torch.full((len(image),), target, device=image.device))


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count > 1)}"
