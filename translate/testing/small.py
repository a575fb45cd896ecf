"""The smallest runs: what listeners and diagnoses are tried on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from translate.clock import Clock
from translate.data.augment import Augmentation
from translate.engine import Engine
from translate.latent import Latent
from translate.optimisers import SGD, OptimiserPlan
from translate.precision import upcast
from translate.randomness import uniform
from translate.recipe import Batch, Make, Recipe, Update
from translate.testing.common import no_plugins

#: Pictures in each domain that is drawn.
PICTURES = 4
#: Their side, in pixels.
SIZE = 8
#: The length of a run in steps.
STEPS = 2

E = TypeVar("E", bound=Engine)


class _OneLayer(Recipe):
    """Brings the mean colour of what is made to that of the last domain."""

    exports = ("G",)

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """Plain descent."""
        return {"generators": SGD(over=("G",), lr=0.1)}

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """One update."""
        (batch,) = batches
        yield Update("generators", {"colour": upcast(self.made(batch) - batch.images[-1]).mean().square()})

    def made(self, batch: Batch) -> Tensor:
        """What the network makes of a batch."""
        raise NotImplementedError


class Painter(_OneLayer):
    """Makes pictures from noise."""

    domains = 1

    def build(self, make: Make) -> None:
        """A layer for all pixels at once."""
        (space,) = self.spaces
        self.latent = Latent(4)
        self.G = nn.Sequential(nn.Linear(4, space.channels * SIZE * SIZE), nn.Tanh(), nn.Unflatten(1, space.shape))

    def made(self, batch: Batch) -> Tensor:
        """Pictures from the batch's noise."""
        assert self.latent is not None
        return self.sample(batch.noise(self.latent))

    def sample(self, noise: Tensor) -> Tensor:
        """Pictures."""
        pictures: Tensor = self.G(noise)
        return pictures


class Translator(_OneLayer):
    """Translates both ways by one network."""

    domains = 2

    def build(self, make: Make) -> None:
        """A layer for the colours of each pixel."""
        source, target = self.spaces
        self.G = nn.Sequential(nn.Conv2d(source.channels, target.channels, 1), nn.Tanh())

    def made(self, batch: Batch) -> Tensor:
        """Translations of the first domain."""
        return self.translate(batch.images[0], 0, 1)

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """The picture in other colours."""
        translated: Tensor = self.G(image)
        return translated


@contextmanager
def small_engine(method: type[Recipe], kind: type[E], *, kept: bool) -> Iterator[E]:
    """An engine of the class ``kind`` that is about to train ``method`` for two steps; a run folder is ``kept`` or not.

    Every step is reported; there is a grid and a checkpoint at the last.
    """
    names = tuple("xy"[: 1 if method.domains == 1 else 2])
    with TemporaryDirectory(prefix="translate-testing-") as folder:
        for name in names:
            draw_pictures(Path(folder) / "data" / name, SIZE)
        settings: dict[str, Any] = {
            "size": SIZE,
            "batch": 2,
            "steps": STEPS,
            "augment": Augmentation,
            "workers": 0,
            "device": "cpu",
            "log_every": 1,
            "sample_every": STEPS,
            "checkpoint_every": STEPS,
        }
        out = Path(folder) / "run" if kept else None
        yield kind(method, names, data=str(Path(folder) / "data"), out=out, plugins=no_plugins(), **settings)


def draw_pictures(folder: Path, size: int) -> None:
    """Smooth random colours, under the same names in every domain: a recipe may learn from pairs."""
    folder.mkdir(parents=True)
    for index in range(PICTURES):
        colours = (uniform(0, folder.name, 48 * index, 48) * 256).astype(np.uint8).reshape(4, 4, 3)
        Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC).save(folder / f"{index}.png")


def state_of(engine: Engine) -> dict[str, Tensor]:
    """All that training changes, copied."""
    return {name: each.detach().clone() for name, each in engine.trainer.state().items()}


def first_difference(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str:
    """The first name in which two states differ; empty where they are equal bit for bit."""
    if one.keys() != other.keys():
        return min(one.keys() ^ other.keys())
    return next((name for name in sorted(one) if not torch.equal(one[name], other[name])), "")
