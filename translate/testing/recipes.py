"""Whether recipes keep their contract."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from translate.engine import Engine
from translate.errors import UserError
from translate.options import Part
from translate.plugins import Plugins, installed
from translate.randomness import seeded
from translate.recipe import Make, Recipe
from translate.settings import RunOptions, resolve
from translate.testing.common import CPU, NonConforming, blamed, caller_untouched, check_options, draw, shown
from translate.testing.pretrained import begin, check_fetched, check_frozen, look_ups
from translate.testing.small import first_difference, state_of

#: What a trial runs with, where its author does not say otherwise.
RUN: Mapping[str, object] = {"size": 32, "batch": 2, "augment": "none", "ema": 0, "workers": 0, "device": "cpu"}
#: How far beyond ±1 rounding may take a pixel.
ROUNDING = 1e-5

State = dict[str, Tensor]


@dataclass(frozen=True)
class Trial:
    """A recipe under test, what it runs on, and a folder for runs."""

    recipe: str | type[Recipe]
    domains: tuple[str, ...]
    values: Mapping[str, object]
    plugins: Plugins
    steps: int
    folder: Path

    @property
    def name(self) -> str:
        """Its name, or what stands for it where it is a class."""
        return self.recipe if isinstance(self.recipe, str) else Part.of(self.recipe).name

    @property
    def what(self) -> str:
        """What sentences call it."""
        return f"Recipe '{self.name}'"

    @property
    def method(self) -> type[Recipe]:
        """Its class."""
        return self.plugins.recipes[self.recipe] if isinstance(self.recipe, str) else self.recipe

    @property
    def given(self) -> dict[str, Any]:
        """What no file can hold, and is given again: parts that are objects, and the recipe where it is a class."""
        objects = {name: each for name, each in self.values.items() if callable(each)}
        return objects if isinstance(self.recipe, str) else {**objects, "recipe": self.recipe}

    def engine(self, **more: Any) -> Engine:
        """An engine that trains it from the beginning."""
        return Engine(self.recipe, self.domains, plugins=self.plugins, **{**self.values, "steps": 2 * self.steps, **more})


def check_recipe(
    recipe: str | type[Recipe],
    *,
    domains: Sequence[str],
    data: str | Path | None = None,
    steps: int = 2,
    plugins: Plugins | None = None,
    **values: object,
) -> None:
    """Raise NonConforming unless ``recipe``, a class or a registered name, keeps the contract when it trains on ``domains``.

    It trains for twice so many ``steps``: each trainable network is in one group, every group is updated with finite losses in float32,
    under bf16 autocast too; every exported network changes, and no generator of random numbers of the caller's; a run that stops half way
    goes on bit for bit; a weights file gives the same outputs; batches accumulate; outputs have the shape and range of their domain;
    presets can be resolved. It names the weights of others that it rests on, and fetches none where its own are loaded.
    ``values`` are further options of the run and of the recipe: narrow networks make it quick. ``steps`` has to be as long as the rhythm of
    the recipe's groups. UserError comes through.
    """
    with TemporaryDirectory(prefix="translate-testing-") as folder:
        run = {**RUN, **values, **({"data": str(data)} if data is not None else {})}
        trial = Trial(recipe, tuple(domains), run, plugins or installed(), steps, Path(folder))
        with blamed(trial.what, "it must train, translate and sample on these domains"):
            _check_class(trial)
            with caller_untouched(trial.what, "being built"):
                whole = trial.engine()
            _check_beginning(whole, trial)
            _check_groups(whole, trial)
            middle, end = _check_training(whole, trial)
            outputs = _check_outputs(whole, trial)
            _check_weights(whole, outputs, trial)
            _check_resuming(middle, end, trial)
            _check_accumulating(trial)
            _check_half_precision(trial)


def _check_class(trial: Trial) -> None:
    method, what = trial.method, trial.what
    check_options(method, what)
    if not vars(method).get("__doc__"):
        raise NonConforming(
            f"{what} has no docstring, which 'translate list' and 'translate show' print; say in it what the method does."
        )
    if not method.exports:
        raise NonConforming(f"{what} exports no network, so that its weights files would be empty; name them in 'exports'.")
    for name in method.presets:
        try:
            resolve(method, trial.name, name, {"domains": trial.domains, "steps": 1})
        except UserError as error:
            raise NonConforming(f"Preset '{name}' of {what} cannot be used: {error}") from error


def _check_beginning(engine: Engine, trial: Trial) -> None:
    """What it rests on is named, where its parts begin from other weights and where they hold frozen ones."""
    with seeded(CPU, 0):
        fresh = trial.method(engine.recipe.options, Make(trial.plugins, engine.spaces))
    begin(trial.what, fresh)
    check_frozen(trial.what, engine.recipe)


def _check_groups(engine: Engine, trial: Trial) -> None:
    """Every trainable parameter is in exactly one group."""
    owners: dict[int, tuple[str, str]] = {}
    for group, parameters in engine.trainer.parameters.items():
        for name, parameter in parameters.items():
            other, theirs = owners.setdefault(id(parameter), (group, name))
            if other != group:
                raise NonConforming(
                    f"{trial.what}: '{name}' of group '{group}' is '{theirs}' of group '{other}' as well; a parameter belongs to "
                    "one group."
                )
    left = [name for name, each in engine.recipe.named_parameters() if each.requires_grad and id(each) not in owners]
    if left:
        networks = list(dict.fromkeys(name.split(".")[0] for name in left))
        raise NonConforming(
            f"{trial.what}: {', '.join(repr(each) for each in networks)} could be trained and "
            f"{'is' if len(networks) == 1 else 'are'} in no group; add to a plan's 'over' in optimisers(), or freeze with "
            "requires_grad_(False)."
        )


def _train(engine: Engine, steps: int, what: str) -> set[str]:
    """Train on for so many steps, and check each; the groups that were updated."""
    updated: set[str] = set()
    reports = engine.steps()
    for _ in range(steps):
        with caller_untouched(what, "in a step"):
            report = next(reports)
        for name, raw in report.raw.items():
            if raw.dtype.itemsize < torch.float32.itemsize:
                raise NonConforming(
                    f"Loss '{name}' of {what} is {str(raw.dtype).removeprefix('torch.')}, where float32 is expected; compute it of "
                    f"translate.upcast(scores) and the like."
                )
        for name, loss in report.losses.items():
            if not math.isfinite(loss):
                raise NonConforming(f"Loss '{name}' of {what} is {loss} at step {report.step}; it must be finite.")
        updated |= {name.split("/")[0] for name in report.losses}
    reports.close()  # type: ignore[attr-defined]  # a generator, declared as an iterator
    return updated


def _check_training(engine: Engine, trial: Trial) -> tuple[State, State]:
    """Train to the end; the states half way and there."""
    before = {name: each.clone() for name, each in engine.recipe.exported().items()}
    updated = _train(engine, trial.steps, trial.what)
    middle = state_of(engine)
    updated |= _train(engine, trial.steps, trial.what)
    engine.trainer.check_finite()
    for group in engine.trainer.plans.keys() - updated:
        raise NonConforming(
            f"{trial.what} yields no update for group '{group}' in {2 * trial.steps} steps; yield one, or check with more steps: "
            f"check_recipe(..., steps=N)."
        )
    after = engine.recipe.exported()
    for network in engine.recipe.exports:
        parameters = [f"{network}.{name}" for name, _ in engine.recipe.get_submodule(network).named_parameters()]
        if not any(not torch.equal(before[name], after[name]) for name in parameters):
            raise NonConforming(
                f"{trial.what} exports '{network}', which {2 * trial.steps} steps have not changed; train it, or let it out of "
                "'exports'."
            )
    return middle, state_of(engine)


@torch.no_grad()
def _outputs(engine: Engine) -> dict[str, Tensor]:
    """Translations all the ways that it leads, and samples, of the same inputs whichever engine it is."""
    made: dict[str, Tensor] = {}
    with engine.averaged():
        recipe = engine.recipe.eval()
        if type(recipe).translate is not Recipe.translate:
            for source, space in enumerate(engine.spaces):
                for target, other in enumerate(engine.spaces):
                    if recipe.leads(source, target):
                        made[f"{space.name} to {other.name}"] = recipe.translate(draw(2, *space.shape), source, target)
        if recipe.latent is not None:
            made["samples"] = recipe.sample(recipe.latent.draw(2))
    return made


def _check_outputs(engine: Engine, trial: Trial) -> dict[str, Tensor]:
    made = _outputs(engine)
    if not made:
        raise NonConforming(
            f"{trial.what} neither translates nor samples, so that nothing can be done with it; implement translate(), or "
            f"sample() and 'latent'."
        )
    by_name = {space.name: space for space in engine.spaces}
    for name, output in made.items():
        space = by_name.get(name.partition(" to ")[2], engine.spaces[0])
        wanted = (2, *space.shape)
        if output.shape != wanted:
            raise NonConforming(f"{trial.what} makes {name} of the shape {shown(output)}, where {wanted} is expected.")
        if not output.isfinite().all():
            raise NonConforming(f"{trial.what} makes {name} that are infinite or NaN.")
        if space.is_picture and output.abs().max() > 1 + ROUNDING:
            raise NonConforming(
                f"{trial.what} makes {name} with pixels from {output.min():.3g} to {output.max():.3g}, where [-1, 1] is expected."
            )
    return made


def _check_weights(engine: Engine, outputs: Mapping[str, Tensor], trial: Trial) -> None:
    file = trial.folder / "weights.safetensors"
    engine.save(file)
    of_run = {each.name for each in fields(RunOptions)}
    given = {name: each for name, each in trial.given.items() if name not in of_run}
    with look_ups() as asked:
        other = Engine.load(file, device="cpu", plugins=trial.plugins, **given)
    check_fetched(trial.what, asked, other.recipe)
    loaded = _outputs(other)
    for name, output in outputs.items():
        if name not in loaded or not torch.equal(output, loaded[name]):
            raise NonConforming(
                f"{trial.what} makes other {name} when its weights are loaded from a file; keep all that translate() and "
                f"sample() need in the networks that 'exports' names, as parameters or buffers."
            )


def _check_resuming(middle: State, end: State, trial: Trial) -> None:
    """A run that stops half way and goes on is the run that did not stop."""
    run = trial.folder / "run"
    half = trial.engine(out=run)
    _train(half, trial.steps, trial.what)
    if name := first_difference(state_of(half), middle):
        raise NonConforming(
            f"{trial.what} trains differently when it is run again under the same seed: '{name}' differs after {trial.steps} "
            f"steps; draw by torch functions, which the engine seeds, or from the batch, and keep nothing in globals or on the "
            "class."
        )
    half.save_checkpoint()
    resumed = Engine.resume(run, plugins=trial.plugins, **trial.given)
    _train(resumed, trial.steps, trial.what)
    if name := first_difference(state_of(resumed), end):
        raise NonConforming(
            f"{trial.what} does not go on from a checkpoint as it would have without a stop: '{name}' differs after "
            f"{trial.steps} steps and as many more; keep what must survive in buffers, by register_buffer, or derive it from the "
            "clock or the batch."
        )


def _check_half_precision(trial: Trial) -> None:
    """Networks run in bf16, and what they minimise stays in float32."""
    engine = trial.engine(precision="bf16")
    _train(engine, trial.steps, f"{trial.what} under bf16 autocast")
    engine.trainer.check_finite()


def _check_accumulating(trial: Trial) -> None:
    _train(trial.engine(accumulate=2), trial.steps, f"{trial.what}, accumulating the gradients of two batches")
