"""The method, in the paper's letters: G: X→Y; D judges Y; F projects patches, one head for each layer of G that is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from translate import Adam, Batch, Clock, LinearDecay, Make, OptimiserPlan, Part, Preset, Recipe, Update, UserError, option, part
from translate_example_cut.patches import PatchHead, patch_nce


class CUT(Recipe):
    """Learn X→Y alone from unpaired pictures (Park et al., 2020).

    A translation must fool the judge, and each patch of it resemble the patch that it came from more than any other of the picture.
    """

    domains = 2
    exports = ("G",)
    directions = ((0, 1),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "quick": Preset(
            "small networks and pictures, minutes on a CPU",
            run={"size": 64, "batch": 1, "steps": 1000},
            options={
                "generator": "resnet:blocks=3,channels=16,upsample=resize",
                "discriminator": "patch:channels=32",
                "layers": (0, 2, 3, 4, 5),
                "patches": 64,
            },
        ),
        "paper": Preset("the published CUT, 256 px, 400 epochs", run={"size": 256, "batch": 1, "epochs": 400}),
        "fastcut": Preset(
            "the published FastCUT, 256 px, 200 epochs",
            run={"size": 256, "batch": 1, "epochs": 200},
            options={"nce_weight": 10, "identity": False, "flip": True, "decay_from": 0.75},
        ),
    }

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """What a user may choose; the defaults are those of the authors' code."""

        generator: Part = part("resnet", "network of G, which must show what its encoder sees")
        discriminator: Part = part("patch", "network of D")
        adversarial: Part = part("least-squares", "the game between G and D")
        adversarial_weight: float = option(1.0, "weight of the game", least=0)
        nce_weight: float = option(1.0, "weight of the comparison of patches", least=0)
        identity: bool = option(True, "also compare pictures of Y with what G makes of them, each side with half the weight")
        flip: bool = option(False, "show G mirrored pictures in half of the steps, and compare as if they were not (FastCUT)")
        layers: tuple[int, ...] = option(
            (0, 2, 3, 4, 8), "which of the generator's features are compared, by number; 0 is the picture itself", least=0
        )
        patches: int = option(256, "places compared in each layer", least=2)
        width: int = option(256, "numbers that a patch is projected to", least=1)
        temperature: float = option(0.07, "of the comparison: the lower, the harder", least=0.001)
        lr: float = option(2e-4, "learning rate of all networks", least=0)
        beta1: float = option(0.5, "Adam's decay of the first moment", least=0, most=1)
        decay_from: float = option(
            0.5, "share of the run after which the learning rate falls towards 0 in a straight line", least=0, most=1
        )

    options: Options

    def build(self, make: Make) -> None:
        """A translator, a judge, and a head for each layer that is compared, as wide as that layer."""
        chosen, (x, y) = self.options, self.spaces
        self.G = make.generator(chosen.generator, x, y)
        self.D = make.discriminator(chosen.discriminator, y)
        self.game = make.adversarial_loss(chosen.adversarial, [self.D])
        if not make.training:
            return
        if not hasattr(self.G, "features"):
            raise UserError(
                f"CUT compares what the encoder of G sees, and generator '{chosen.generator.name}' does not show it (it has no method "
                f"'features'); choose another, such as --generator resnet."
            )
        if x.channels != y.channels:
            raise UserError(
                f"CUT shows G its own translations, and '{y.name}' has {_channels(y.channels)} where '{x.name}' has {x.channels}; "
                f"give it domains of the same number."
            )
        # In evaluation mode, a look that is no part of training leaves no trace in running statistics.
        self.G.eval()
        with torch.no_grad():
            seen = self.G.features(torch.zeros(1, *x.shape))
        self.G.train()
        if max(chosen.layers) >= len(seen):
            raise UserError(
                f"--layers names {max(chosen.layers)}, and the features of generator '{chosen.generator.name}' go to {len(seen) - 1}."
            )
        self.layers = chosen.layers
        self.F = nn.ModuleList(PatchHead(seen[layer].shape[1], chosen.width) for layer in self.layers)

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """The authors have an Adam for each of G, F and D; as G and F descend the same loss at the same rate, one over both is the same."""
        chosen = self.options
        schedule = LinearDecay(chosen.decay_from)
        return {
            "generator": Adam(over=("G", "F"), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
            "discriminator": Adam(over=("D",), lr=chosen.lr, betas=(chosen.beta1, 0.999), schedule=schedule),
        }

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """The judge first, then the translator, before the same fakes."""
        chosen, (batch,) = self.options, batches
        x, y = batch.images
        mirrored = chosen.flip and torch.rand(()).item() < 0.5
        fake_y = self.G(x.flip(3) if mirrored else x)
        judged = self.game.discriminator(self.D, y, fake_y, clock)
        yield Update("discriminator", {name: 0.5 * loss for name, loss in judged.items()})

        fooled = self.game.generator(self.D, y, fake_y, clock)
        losses = {name: chosen.adversarial_weight * loss for name, loss in fooled.items()}
        share = chosen.nce_weight / 2 if chosen.identity else chosen.nce_weight
        losses["nce_x"] = share * self.compared(x, fake_y, mirrored)
        if chosen.identity:
            losses["nce_y"] = share * self.compared(y, self.G(y.flip(3) if mirrored else y), mirrored)
        yield Update("generator", losses)

    def compared(self, source: Tensor, made: Tensor, mirrored: bool = False) -> Tensor:
        """How hard patches of ``made``, maybe ``mirrored``, find those of ``source`` that they are from: the mean over the layers."""
        # The source is the standard, and does not move towards what was made of it.
        with torch.no_grad():
            wanted = self._features(source)
        losses = []
        for head, key, query in zip(self.F, wanted, self._features(made), strict=True):
            # Drawn on the CPU, the places are the same on every device.
            places = torch.randperm(key[0, 0].numel())[: self.options.patches].to(key.device)
            with torch.no_grad():
                keys = head(key, places)
            queries = head(query.flip(3) if mirrored else query, places)
            losses.append(patch_nce(queries, keys, self.options.temperature))
        return torch.stack(losses).mean()

    def _features(self, image: Tensor) -> list[Tensor]:
        seen = self.G.features(image)
        return [seen[layer] for layer in self.layers]

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """G for X→Y; a picture that is where it should be stays as it is. Raises UserError for Y→X."""
        if source == target:
            return image
        if source == 1:
            x, y = (space.name for space in self.spaces)
            raise UserError(
                f"CUT learns one way, and this one is from '{x}' to '{y}'; for the other, train with --domains {y} {x}."
            )
        return self.G(image)


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count > 1)}"
