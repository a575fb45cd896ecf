"""What a person sees of a run: where it stands, how long it takes, how the main losses are."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn

from translate.data.domain import file_name
from translate.engine import Engine
from translate.errors import listed
from translate.hookspecs import hookimpl
from translate.report import Report

#: The estimate of the time is made after so many seconds or steps of this session, whichever is later.
ESTIMATE_SECONDS, ESTIMATE_STEPS = 5.0, 10
#: Without a terminal, a line is printed about this often, in seconds.
LINE_SECONDS = 15.0


class Bar(Progress):
    """A bar that moves with the engine's steps, which may be slow beside its reports."""

    def __init__(self, engine: Engine, *columns: str | ProgressColumn, **settings: Any) -> None:
        self.engine = engine
        super().__init__(*columns, **settings)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar as it is now."""
        for task in self.tasks:
            task.completed = self.engine.step
        return super().get_renderables()


class Display:
    """Shows the progress of ``engine``: a bar on a terminal, lines elsewhere. It takes part in events as a plugin does."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.console = Console(soft_wrap=True, highlight=False, markup=False)
        self.progress = Bar(
            engine,
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[losses]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.progress.add_task("training", total=engine.total, completed=engine.step, speed="", losses="")
        self.began, self.first_step = time.monotonic(), engine.step
        self.estimated = False
        self.shown = 0.0
        self.wrong: set[str] = set()

    def introduce(self, chosen_preset: str | None) -> None:
        """Say what will be trained on what, with which preset and why."""
        engine, say = self.engine, self.console.print
        assert engine.found is not None
        run = engine.run_options
        for plugin in engine.plugins.found:
            if plugin.state == "broken":
                say(f"Note: {plugin} is broken and left out: {plugin.problem}")
        say(engine.found.summary())
        if engine.found.owners and engine.found.root is None and run.data is None and engine.spaces[0].is_picture:
            say(
                f"No --data was given and ./data does not hold these domains, so the drawn ones are used; for pictures of your own: "
                f"--data DIR, with DIR/{run.domains[0]}/ and so on."
            )
        device = {"cpu": "a CPU", "cuda": "a GPU", "mps": "a GPU (MPS)"}[engine.device.type]
        if engine.preset is not None:
            preset = type(engine.recipe).presets[engine.preset]
            others = [name for name in type(engine.recipe).presets if name != engine.preset]
            why = (
                "as the run began"
                if engine.step
                else "as chosen"
                if chosen_preset
                else f"the default on {device}; there is also {listed(others)}"
                if others
                else f"the default on {device}"
            )
            say(f"Preset {engine.preset} ({why}): {preset.summary}.")
            fit = [name for name, each in type(engine.recipe).presets.items() if each.points]
            if not engine.spaces[0].is_picture and fit and engine.preset not in fit:
                say(f"These are points, and --preset {fit[0]} is made for them.")
        length = f"{engine.total} steps" + (f" ({run.epochs} epochs)" if run.epochs else "")
        what = f"{run.size} px" if any(space.is_picture for space in engine.spaces) else "points"
        say(f"Training {engine.recipe_name}, {length}, {what}, batch {run.batch}, {run.precision}; kept in {engine.out}.")
        if engine.step:
            say(f"Going on after step {engine.step}.")

    def __enter__(self) -> Display:
        self.began = time.monotonic()
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    @hookimpl
    def step_reported(self, report: Report) -> None:
        """Show speed and losses, and what went wrong when it begins to; once, estimate the time."""
        now = time.monotonic()
        for name in report.findings.keys() - self.wrong:
            self.console.print(f"Step {report.step}, {name}: {report.findings[name].evidence} {report.findings[name].advice}")
        self.wrong = set(report.findings)
        done, seconds = report.step - self.first_step, now - self.began
        left = self.engine.total - report.step
        if not self.estimated and done >= ESTIMATE_STEPS and seconds >= ESTIMATE_SECONDS and left:
            self.estimated = True
            whole = _duration(seconds + left * seconds / done)
            self.console.print(f"About {whole} in all, measured over the first {done} steps ({done / seconds:.1f} steps/s).")
        if now - self.shown < (0.5 if self.console.is_terminal else LINE_SECONDS) and left:
            return
        self.shown = now
        # The first steps are slower than those to come.
        speed = (
            f"{done / seconds:.2f} steps/s, {_duration(left * seconds / done)} left" if done >= ESTIMATE_STEPS or not left else ""
        )
        losses = _losses(report)
        self.progress.update(self.task, speed=speed, losses=losses)
        if not self.console.is_terminal:
            self.console.print(f"step {report.step}/{self.engine.total}  {speed}  {losses}")
            sys.stdout.flush()

    @hookimpl
    def samples_saved(self, path: Path) -> None:
        """Name the first grid, which is the first thing worth looking at."""
        if self.console.is_terminal:
            self.progress.update(self.task, description=f"training (see {path})")

    def conclude(self) -> None:
        """Say where everything is, and how to use it."""
        engine, say = self.engine, self.console.print
        assert engine.out is not None
        say(f"Done: {engine.step} steps in {_duration(time.monotonic() - self.began)}.")
        if (best := engine.best_step) is not None:
            say(f"Best by {engine.run_options.scores[0]}: step {best}, kept in {engine.out / 'checkpoints' / f'{best:06d}'}.")
        grid = engine.out / "samples" / f"{engine.step:06d}.png"
        if not grid.exists():
            return
        say(f"Pictures: {grid}")
        if engine.recipe.latent is not None:
            say(f"Make more with it: {shlex.join(['translate', 'sample', str(engine.out), '-n', '64'])}")
            return
        last = len(engine.spaces) - 1
        way = (0, last) if engine.recipe.leads(0, last) else (engine.recipe.directions or ((0, last),))[0]
        source, target = (engine.spaces[number].name for number in way)
        inputs = engine.out / "samples" / "inputs" / file_name(source)
        command = [
            "translate",
            "apply",
            str(engine.out),
            str(inputs),
            "--to",
            target,
            "-o",
            str(engine.out / f"{file_name(source)}-to-{file_name(target)}"),
        ]
        say(f"Translate pictures with it: {shlex.join(command)}")


def _losses(report: Report) -> str:
    """Every loss, those of the domains added up: short enough for a line."""
    sums: dict[str, float] = {}
    for key, value in report.losses.items():
        name = re.sub(r"_[a-z]$", "", key.split("/")[1])  # a domain's letter
        sums[name] = sums.get(name, 0.0) + value
    return "  ".join(f"{name} {value:.3f}" for name, value in sums.items())


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def emit(value: Any) -> None:
    """Print a value as JSON, for scripts."""
    import json

    print(json.dumps(value, indent=2))
