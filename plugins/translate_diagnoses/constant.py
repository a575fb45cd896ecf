"""Whether the networks still answer to what they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

import torch
from torch import Tensor

from translate import Diagnosis, Engine, Finding, Recipe, Report, option
from translate_diagnoses.losses import Patience

#: Samples that are looked at, from each domain.
SAMPLES = 4


class ConstantOutput(Diagnosis):
    """Whatever goes in, the same comes out: mode collapse at its end.

    The signal "diversity/..." is the mean absolute difference between outputs over that between real samples of their domain.
    """

    @dataclass(frozen=True)
    class Options(Patience):
        """What a user may choose."""

        share: float = option(0.02, "diversity below which outputs count as constant", least=0, most=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    @torch.no_grad()
    def measure(self, engine: Engine) -> Mapping[str, float]:
        """The diversity of each direction, or of what is made from noise; nothing where there are too few samples to compare."""
        training = engine.recipe.training
        engine.recipe.eval()
        try:
            return {f"diversity/{way}": _spread(made) / real for way, made, real in _made(engine) if real}
        finally:
            engine.recipe.train(training)

    def judge(self, history: Sequence[Report]) -> Finding | None:
        """The direction whose outputs have been the same in each of the last reports that measured it."""
        for name in (name for name in history[-1].signals if name.startswith("diversity/")):
            values = [each.signals[name] for each in history if isfinite(each.signals.get(name, nan))][-self.options.reports :]
            if len(values) == self.options.reports and max(values) < self.options.share:
                return Finding(
                    f"Outputs {name.removeprefix('diversity/')} differ by {values[-1]:.1%} of what real samples do.",
                    "The generator has collapsed: go back to an earlier checkpoint with a lower learning rate, or play another game, as by "
                    "--adversarial relativistic-paired:r1=1,r2=1.",
                )
        return None


def _made(engine: Engine) -> Iterator[tuple[str, Tensor, float]]:
    """For each direction its name, what the networks make, and how much real samples of the target differ."""
    recipe: Recipe = engine.recipe
    real = [engine.real(number, SAMPLES) for number in range(len(engine.spaces))]
    spreads = [_spread(each) for each in real]
    if recipe.latent is not None:
        yield engine.spaces[0].name, recipe.sample(recipe.latent.draw(SAMPLES).to(engine.device)), spreads[0]
        return
    numbers = range(len(real))
    for i, j in ((i, j) for i in numbers for j in numbers if recipe.leads(i, j)):
        yield f"{engine.spaces[i].name}→{engine.spaces[j].name}", recipe.translate(real[i], i, j), spreads[j]


def _spread(samples: Tensor) -> float:
    """The mean absolute difference between a sample and its neighbour in the list."""
    return float((samples - samples.roll(1, 0)).abs().mean())
