"""The options of a run that every recipe has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from translate import options
from translate.data.fit import Fit
from translate.errors import RecipeError, UserError, listed, near
from translate.options import Part, Size, option, part
from translate.plugins import OnError
from translate.precision import Precision

if TYPE_CHECKING:
    from translate.recipe import Recipe


@dataclass(frozen=True)
class RunOptions:
    """What a run trains on, for how long, and where."""

    domains: tuple[str, ...] = option((), "names of the domains, such as horse zebra")
    data: str | None = option(None, "folder with a folder of pictures for each domain", metavar="DIR")
    holdout: float = option(
        0.0, "pictures held out for testing of each domain that has none: a share such as 0.1, or how many; 0 is none", least=0
    )
    holdout_seed: int = option(0, "seed of that choice: leave it to runs that are to be compared", least=0)
    size: Size = option(Size(256, 256), "pixels: 128, or height x width: 128x96", least=1)
    fit: Fit = option(
        "squash",
        "how pictures of another shape become that: squash each side, crop to the middle, or fit whole into a mirrored border",
    )
    steps: int | None = option(None, "length of the run in steps", least=1)
    epochs: int | None = option(None, "length of the run in epochs", least=1)
    batch: int = option(1, "pictures of each domain in a batch", least=1)
    accumulate: int = option(1, "batches whose gradients are added up in a step", least=1)
    augment: Part = part(
        "paper", "what happens to training pictures: paper (286/256, crop, flip), flip, small, albumentations, none"
    )
    judge_augment: Part | None = option(
        None,
        "for few pictures, what reals and fakes go through on their way to the judge; see 'translate list judge-augmentations'",
    )
    seed: int = option(0, "seed of every random draw", least=0)
    device: str = option("auto", "auto, cpu, cuda, cuda:1 or mps", metavar="NAME")
    precision: Precision = option("fp32", "fp32, bf16, or fp16 (CUDA)")
    fast: tuple[str, ...] = option(
        ("all",),
        "ways to compute the same faster, up to rounding: all, none, or of norm, split, winograd, channels-last, adam",
        metavar="NAME",
    )
    ema: float = option(
        0.0, "decay of the moving average of the networks that are saved, such as 0.999; 0 is off", least=0, most=1
    )
    workers: int = option(1, "threads that load pictures ahead; no influence on results", least=0)
    init_from: str | None = option(None, "weights to start from: a run, a checkpoint or a weights file", metavar="WEIGHTS")
    freeze: tuple[str, ...] = option(
        (), "networks, modules or parameters that are not trained, such as G.down or D_X.*.bias", metavar="PATTERN"
    )
    log_every: int = option(10, "steps between two lines of log.jsonl", least=1)
    sample_every: int | None = option(
        None, "steps between two picture grids; by default ten a run, and one every 1,000 steps at least", least=1
    )
    checkpoint_every: int | None = option(
        None, "steps between two checkpoints; by default five a run, and one every 2,000 steps at least", least=1
    )
    evaluate_every: int | None = option(
        None, "steps between two scores on held-out samples, which go to scores.jsonl; no influence on results", least=1
    )
    scores: tuple[Part, ...] = option(
        (Part("all"),),
        "what is scored then: all that fit, or names, of which the first says which checkpoint is the best and kept for good",
        metavar="NAME[:KEY=VALUE,...]",
    )
    score_features: Part | None = option(None, "the network that those scores look through; see 'translate list features'")
    keep: int = option(2, "how many of the latest checkpoints are kept", least=1)
    keep_every: int | None = option(None, "checkpoints of every so many steps are kept for good", least=1)
    listeners: tuple[Part, ...] = option(
        (),
        "what else is told of the run's events; 'translate list listeners' shows what there is",
        metavar="NAME[:KEY=VALUE,...]",
    )
    diagnoses: tuple[Part, ...] = option(
        (Part("all"),),
        "what is looked for in the run's reports: all, none, or names; 'translate list diagnoses' shows what there is",
        metavar="NAME[:KEY=VALUE,...]",
    )
    on_plugin_error: OnError = option(
        "disable", "where a plugin fails that is no part of the run: fail stops, disable goes on without it"
    )


#: Options that may differ when a run goes on: they have no influence on what is learned.
HARMLESS = frozenset(
    {
        *("data", "device", "workers", "listeners", "diagnoses", "on_plugin_error"),
        *("log_every", "sample_every", "checkpoint_every", "keep", "keep_every"),
        *("evaluate_every", "scores", "score_features"),
    }
)


def split_options(recipe: type[Recipe], name: str, values: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Part ``values`` into those of the run and those of the recipe. Raises UserError for a name that neither has."""
    of_run = {each.name for each in fields(RunOptions)}
    of_recipe = {each.name for each in fields(recipe.Options)}
    if of_run & of_recipe:
        raise RecipeError(f"Recipe '{name}' has the option '{min(of_run & of_recipe)}', which every run has already; rename it.")
    for key in values:
        if key not in of_run | of_recipe:
            raise UserError(
                f"Recipe '{name}' has no option {options.flag(key)}.{near(key, of_run | of_recipe)} "
                f"Options: {listed(sorted(of_run | of_recipe))}."
            )
    return (
        {key: value for key, value in values.items() if key in of_run},
        {key: value for key, value in values.items() if key in of_recipe},
    )


def resolve(
    recipe: type[Recipe], name: str, preset: str | None, values: Mapping[str, object]
) -> tuple[RunOptions, Recipe.Options]:
    """The run's and the recipe's options: defaults, then the preset, then ``values``. Raises UserError."""
    run: dict[str, Any] = {}
    own: dict[str, Any] = {}
    if preset is not None:
        if preset not in recipe.presets:
            raise UserError(
                f"Recipe '{name}' has no preset '{preset}'.{near(preset, recipe.presets)} Presets: {listed(recipe.presets)}."
            )
        run.update(recipe.presets[preset].run)
        own.update(recipe.presets[preset].options)
    of_run, of_recipe = split_options(recipe, name, values)
    if one_length(of_run):
        # The user's measure replaces the preset's.
        run.pop("steps", None)
        run.pop("epochs", None)
    result = (
        options.build(RunOptions, run | of_run, "The run"),
        options.build(recipe.Options, own | of_recipe, f"Recipe '{name}'"),
    )
    if result[0].steps is None and result[0].epochs is None:
        raise UserError(f"Recipe '{name}' needs the length of the run; give --steps or --epochs.")
    return result


def one_length(values: Mapping[str, object]) -> dict[str, object]:
    """``steps`` and ``epochs`` of ``values``, one of them None, or nothing where neither is set. Raises UserError where both are."""
    given = {key: values.get(key) for key in ("steps", "epochs")}
    if all(value is not None for value in given.values()):
        raise UserError("Both --steps and --epochs were given; the length of a run is one of the two.")
    return given if any(value is not None for value in given.values()) else {}


def default_preset(recipe: type[Recipe], device_type: str) -> str | None:
    """The preset for this kind of device: ``quick`` on a CPU, ``paper`` elsewhere, or the recipe's first."""
    wanted = "quick" if device_type == "cpu" else "paper"
    return wanted if wanted in recipe.presets else next(iter(recipe.presets), None)
