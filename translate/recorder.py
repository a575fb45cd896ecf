"""Keeps a run in its folder: the log, the picture grids and the checkpoints."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from translate import checkpoint, weights
from translate.data import picture
from translate.data.domain import Array, Domain, Space, file_name
from translate.data.fit import fitted
from translate.data.picture import to_eight_bits
from translate.grid import Column, draw_grid, draw_points, in_columns
from translate.hookspecs import hookimpl
from translate.metrics.evaluation import check_scores
from translate.randomness import derive
from translate.recipe import Recipe
from translate.trainer import Losses

if TYPE_CHECKING:
    from translate.engine import Engine
    from translate.report import Report

#: Rows of a picture grid.
ROWS = 6
#: Rows and columns of a grid of samples made from noise, and how many points are shown.
MADE, POINTS = 8, 2500


class Means:
    """The mean of each loss over the steps that had it, summed on the device: nothing waits before it is read."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, losses: Losses) -> None:
        """Take a step's losses in."""
        for key, loss in losses.items():
            self._sums[key] = self._sums.get(key, torch.zeros_like(loss)) + loss
            self._counts[key] = self._counts.get(key, 0) + 1

    def take(self) -> Losses:
        """The means, and begin anew."""
        means = {key: total / self._counts[key] for key, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


class Recorder:
    """Writes what ``engine`` does to the run folder ``out``."""

    def __init__(self, engine: Engine, out: Path) -> None:
        self.engine, self.out = engine, out
        run, total = engine.run_options, engine.total
        self.sample_every = run.sample_every or max(1, min(total // 10, 1000))
        self.checkpoint_every = run.checkpoint_every or max(1, min(total // 5, 2000))
        self.evaluate_every = run.evaluate_every
        if self.evaluate_every is not None:
            check_scores(engine, run.scores, run.score_features)
        self._since, self._seconds = engine.step, time.monotonic()
        self._shown = [_shown_samples(engine, number) for number in range(len(engine.spaces))] if _translates(engine) else []
        self._save_inputs()

    @hookimpl
    def step_reported(self, report: Report) -> None:
        """Write a line: ``report`` has the means since the last one."""
        now, steps = time.monotonic(), report.step - self._since
        checkpoint.append_log(
            self.out,
            {
                "step": report.step,
                "epoch": report.clock.epoch,
                "losses": report.losses,
                "rates": dict(report.rates),
                **({"signals": {name: _json(each) for name, each in report.signals.items()}} if report.signals else {}),
                **({"findings": {name: each.evidence for name, each in report.findings.items()}} if report.findings else {}),
                "steps_per_second": round(steps / max(now - self._seconds, 1e-9), 4),
            },
        )
        self._since, self._seconds = report.step, now

    def keep(self, *, last: bool) -> None:
        """A step is done: draw the grid and write the checkpoint that are due. Where the run stops after it, there must be a checkpoint."""
        step, end = self.engine.step, self.engine.step == self.engine.total
        if end or step % self.sample_every == 0:
            self.engine.trainer.check_finite()
            self.save_samples()
        scored = self.evaluate_every is not None and (end or step % self.evaluate_every == 0)
        try:
            if scored:
                self.score()
        finally:  # a score that fails takes no training with it
            if end or last or scored or step % self.checkpoint_every == 0:
                self.engine.begin_checkpoint()

    def score(self) -> None:
        """Score this moment on held-out samples, and write the figures with their protocol."""
        run = self.engine.run_options
        evaluation = self.engine.evaluate(scores=run.scores, features=run.score_features)
        checkpoint.append_log(self.out, {"step": self.engine.step, **evaluation.plain()}, checkpoint.SCORES_NAME)

    def save_samples(self) -> None:
        """Draw the grid of this moment: translations for every pair of domains, or what is made from the same noise every time."""
        engine = self.engine
        if engine.recipe.latent is not None:
            grid = _made(engine)
        elif self._shown:
            grid = draw_grid(
                [
                    _block(engine, source, target, samples)
                    for source, samples in enumerate(self._shown)
                    for target in range(len(engine.spaces))
                    if engine.recipe.leads(source, target)
                ]
            )
        else:
            return
        path = self.out / "samples" / f"{engine.step:06d}.png"
        stored = io.BytesIO()
        grid.save(stored, "PNG")
        with checkpoint.writing(self.out, "The picture grid"):
            weights.write(path, stored.getvalue())
        engine.tell("samples_saved", path=path)

    def _save_inputs(self) -> None:
        """The grid's inputs as files, so that there is something at hand to apply the weights to."""
        for (domain, indices, arrays), space in zip(self._shown, self.engine.spaces, strict=False):
            for index, array in zip(indices, arrays, strict=True):
                # A label may lead out of its folder, where links do.
                below = [part for part in PurePosixPath(domain.label(index)).parts if part not in ("..", "/")]
                path = self.out.joinpath("samples", "inputs", file_name(space.name), *below)
                path = path.with_suffix(picture.holding(array, ".png"))
                # Written anew at each start: a kill or a full disk may have cut them short.
                with checkpoint.writing(self.out, "The grid's inputs"):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    picture.save(array, space.window, path)


def _eight_bits(arrays: Iterable[Array], space: Space) -> list[Array]:
    return [to_eight_bits(array, space.window) for array in arrays]


def _json(value: float) -> float | None:
    """What JSON has for a number: it knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


Shown = tuple[Domain, list[int], list[Array]]


def _translates(engine: Engine) -> bool:
    return type(engine.recipe).translate is not Recipe.translate


def _shown_samples(engine: Engine, number: int) -> Shown:
    """The samples of a domain that grids show: the first held-out ones, or training ones where none are held out."""
    assert engine.found is not None
    domain = engine.found.test[number] or engine.found.train[number]
    indices = list(range(min(ROWS, len(domain))))
    return domain, indices, [fitted(domain.read(index), engine.spaces[number].size, engine.run_options.fit) for index in indices]


def _made(engine: Engine) -> Image.Image:
    """What the method makes from noise, beside real samples."""
    assert engine.found is not None
    domain, space = engine.found.test[0] or engine.found.train[0], engine.spaces[0]
    seed = derive(engine.run_options.seed, "samples")
    if not space.is_picture:
        real = np.stack([domain.read(index) for index in range(min(POINTS, len(domain)))])
        return draw_points(np.asarray(engine.sample(POINTS, seed=seed)), real)
    noise = engine.recipe.latent.draw(MADE * MADE, seed) if engine.recipe.latent else torch.empty(0)
    made = picture.to_stored(engine.sample(noise), space.window, space.dtype)
    shown = min(MADE * MADE // 2, len(domain))
    real = np.stack(
        [fitted(domain.read(index * (len(domain) // shown)), space.size, engine.run_options.fit) for index in range(shown)]
    )
    return draw_grid(
        [
            in_columns("made from noise", _eight_bits(made, space), MADE),
            in_columns(f"real {space.name}", _eight_bits(real, space), MADE),
        ],
        least=64,
    )


@torch.no_grad()
def _block(engine: Engine, source: int, target: int, samples: Shown) -> list[Column]:
    """Input, translation, the round trip where there is a way back, and the truth where it is known."""
    domain, indices, arrays = samples
    here, there = engine.spaces[source], engine.spaces[target]
    with engine.averaged():
        engine.recipe.eval()
        images = picture.to_tensor(np.stack(arrays), here.window, engine.device)
        translated = engine.recipe.translate(images, source, target)
        columns: list[Column] = [
            (here.name, _eight_bits(arrays, here)),
            (f"as {there.name}", _eight_bits(picture.to_stored(translated, there.window, there.dtype), there)),
        ]
        if engine.recipe.leads(target, source):
            returned = engine.recipe.translate(translated, target, source)
            columns.append((f"back to {here.name}", _eight_bits(picture.to_stored(returned, here.window, here.dtype), here)))
    truths = [domain.counterpart(index, there.name) for index in indices]
    if any(truth is not None for truth in truths):
        fit = engine.run_options.fit
        shown = [None if truth is None else to_eight_bits(fitted(truth, there.size, fit), there.window) for truth in truths]
        columns.append((f"true {there.name}", shown))
    return columns
