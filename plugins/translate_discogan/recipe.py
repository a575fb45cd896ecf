"""The method, in the paper's letters: G_AB: A→B, G_BA: B→A; D_A judges A, D_B judges B."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from translate import Adam, Batch, Clock, Make, OptimiserPlan, Part, Preset, Recipe, Update, option, part

#: Of so many steps, the first is the discriminators' and the others are the generators'.
RHYTHM = 3


class DiscoGAN(Recipe):
    """Discover what two domains have in common, such as a colour or a pose (Kim et al., 2017).

    Two translators must fool the judge of their target, look like it to the judge's layers, and lead back to where they came from.
    """

    domains = 2
    exports = ("G_AB", "G_BA")
    order = ("round", "round")
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(
            "the published recipe, 64 px, batch 200, 1000 epochs at most",
            run={"size": 64, "batch": 200, "epochs": 1000, "augment": "none"},
        ),
        "handbags-shoes": Preset(
            "the published recipe for two kinds of things that share a colour: reconstruction weighs half from the start",
            run={"size": 64, "batch": 64, "epochs": 1000, "augment": "none"},
            options={"starting_rate": 0.5},
        ),
        "quick": Preset(
            "narrow networks, 32 px, mostly reconstruction in the beginning, minutes on a CPU",
            run={"size": 32, "batch": 32, "steps": 2500, "augment": "none", "ema": 0.998},
            options={
                "generator": "discogan:channels=32",
                "discriminator": "discogan:channels=32",
                "starting_rate": 0.8,
                "curriculum": 700,
                "lr": 5e-4,
            },
        ),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose; the defaults are those of the authors' code."""

        generator: Part = part("discogan", "network of G_AB and G_BA")
        discriminator: Part = part("discogan", "network of D_A and D_B")
        adversarial: Part = part("non-saturating", "the game between generators and discriminators")
        reconstruction: Part = part(
            "mse:unit=true", "distance between a picture and its round trip; published on pixels in [0, 1]"
        )
        features: Part = part(
            "feature-matching:paired=false", "distance between what the judge's layers see of fakes and of reals"
        )
        adversarial_weight: float = option(0.1, "weight of the game", least=0)
        feature_weight: float = option(0.9, "weight of feature matching; 0 is off", least=0)
        starting_rate: float = option(0.01, "share of reconstruction in the beginning", least=0, most=1)
        rate: float = option(0.5, "share of reconstruction later", least=0, most=1)
        curriculum: int = option(10_000, "step from which it is the later one", least=0)
        variant: Literal["discogan", "reconstruction", "gan"] = option(
            "discogan", "discogan, or the paper's comparisons: A→B alone, with reconstruction or without"
        )
        lr: float = option(2e-4, "learning rate of all networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)
        weight_decay: float = option(1e-5, "weight of the L2 penalty on all weights", least=0)

    options: Options

    def build(self, make: Make) -> None:
        """Two translators and two judges."""
        chosen, (a, b) = self.options, self.spaces
        self.G_AB, self.G_BA = make.generator(chosen.generator, a, b), make.generator(chosen.generator, b, a)
        self.D_A, self.D_B = make.discriminator(chosen.discriminator, a), make.discriminator(chosen.discriminator, b)
        judges = [self.D_A, self.D_B]
        self.game = make.adversarial_loss(chosen.adversarial, judges)
        self.reconstruction = make.reconstruction_loss(chosen.reconstruction, judges)
        if chosen.feature_weight:
            self.matching = make.reconstruction_loss(chosen.features, judges)

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """One Adam over both translators, one over both judges, neither with a schedule."""
        chosen = self.options

        def adam(*over: str) -> Adam:
            return Adam(over=over, lr=chosen.lr, betas=(chosen.beta1, 0.999), weight_decay=chosen.weight_decay)

        return {"generators": adam("G_AB", "G_BA"), "discriminators": adam("D_A", "D_B")}

    def epoch_length(self, sizes: Sequence[int], batch: int) -> int:
        """The shorter domain, without the remainder that fills no batch."""
        return max(batch, min(sizes) // batch * batch)

    def phase(self, clock: Clock) -> Hashable:
        """Whose turn it is, which rate holds, and what the game does now and then."""
        return clock.step % RHYTHM == 0, clock.step < self.options.curriculum, self.game.phase(_turns(clock))

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """The judges in every third step, the translators in the two between."""
        (batch,) = batches
        a, b = batch.images
        turn = _turns(clock)
        if clock.step % RHYTHM == 0:
            yield Update("discriminators", self._judged(a, b, turn))
        else:
            rate = self.options.starting_rate if clock.step < self.options.curriculum else self.options.rate
            yield Update("generators", self._translated(a, b, rate, turn))

    def _judged(self, a: Tensor, b: Tensor, clock: Clock) -> dict[str, Tensor]:
        with torch.no_grad():
            ab, ba = self.G_AB(a), self.G_BA(b)
        losses = _named(self.game.discriminator(self.D_B, b, ab, clock), "b", 0.5)
        if self.options.variant == "discogan":
            losses |= _named(self.game.discriminator(self.D_A, a, ba, clock), "a", 0.5)
        return losses

    def _translated(self, a: Tensor, b: Tensor, rate: float, clock: Clock) -> dict[str, Tensor]:
        chosen = self.options
        if chosen.variant == "gan":
            return self._fooled(self.D_B, b, self.G_AB(a), "b", 1.0, clock)
        ab = self.G_AB(a)
        losses = self._fooled(self.D_B, b, ab, "b", 1 - rate, clock)
        losses["reconstruct_a"] = rate * self.reconstruction(self.G_BA(ab), a, self.D_A)
        if chosen.variant == "discogan":
            ba = self.G_BA(b)
            losses |= self._fooled(self.D_A, a, ba, "a", 1 - rate, clock)
            losses["reconstruct_b"] = rate * self.reconstruction(self.G_AB(ba), b, self.D_B)
        return losses

    def _fooled(self, judge: nn.Module, real: Tensor, fake: Tensor, letter: str, share: float, clock: Clock) -> dict[str, Tensor]:
        """What a translator minimises before a judge: the game and feature matching."""
        chosen, watched = self.options, Watched(judge)
        losses = _named(self.game.generator(watched, real, fake, clock), letter, share * chosen.adversarial_weight)
        if chosen.feature_weight:
            losses[f"match_{letter}"] = share * chosen.feature_weight * self.matching(fake, real, watched)
        return losses

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """G_AB for A→B, G_BA for B→A; a picture that is where it should be stays as it is."""
        if source == target:
            return image
        return cast(Tensor, self.G_AB(image) if source == 0 else self.G_BA(image))


class Watched:
    """A judge that remembers what its layers saw, so that one pass serves both the game and feature matching."""

    def __init__(self, judge: Any) -> None:
        self.judge = judge
        self._seen: list[tuple[Tensor, list[Tensor]]] = []

    def features(self, samples: Tensor) -> list[Tensor]:
        """The judge's features of ``samples``."""
        for known, features in self._seen:
            if known is samples:
                return features
        self._seen.append((samples, self.judge.features(samples)))
        return self._seen[-1][1]

    def __call__(self, samples: Tensor) -> Tensor:
        """The judge's scores of ``samples``."""
        if hasattr(self.judge, "score"):
            return cast(Tensor, self.judge.score(self.features(samples)))
        return cast(Tensor, self.judge(samples))


def _turns(clock: Clock) -> Clock:
    """The clock that counts the judges' updates."""
    return replace(clock, step=clock.step // RHYTHM, total=-(-clock.total // RHYTHM))


def _named(losses: Mapping[str, Tensor], letter: str, weight: float) -> dict[str, Tensor]:
    return {f"{name}_{letter}": weight * loss for name, loss in losses.items()}
