"""Makes the engine of a weights file, once the file is known to hold the networks that it describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from translate import checkpoint, options
from translate.errors import RecipeError, UserError, brief
from translate.given import explained, given_again, recorded_method
from translate.plugins import Plugins
from translate.precision import choose_device
from translate.recipe import Make, Recipe
from translate.settings import RunOptions
from translate.transfer import check_exported, load_exported
from translate.weights import Header

if TYPE_CHECKING:
    from translate.engine import Engine


def load(
    engine: Engine,
    path: str | Path,
    device: str,
    plugins: Plugins,
    recipe: type[Recipe] | None,
    fast: Sequence[str],
    given: Mapping[str, object],
) -> None:
    """Make the bare ``engine`` what :meth:`translate.Engine.load` says."""
    file = checkpoint.locate(path)
    tensors, header = checkpoint.load_weights(file)
    engine.device = choose_device(device)
    engine.preset, engine.found, engine._trainer, engine._loader, engine.doctor = None, None, None, None, None
    engine.run_options = RunOptions(
        domains=tuple(space.name for space in header.spaces), device=device, fast=options.read(RunOptions, "fast", fast)
    )
    engine._ask(plugins)
    recorded = {name.removeprefix("plugin "): each for name, each in header.versions.items() if name.startswith("plugin ")}
    with explained(plugins, recorded):
        method = recorded_method(header.recipe, recipe, plugins)
        values = {**header.options, **given_again(header.options, given)}
        own = options.build(method.Options, values, f"Recipe '{header.recipe}'")
        check_described(method, own, header, tensors, str(file), plugins)
        engine._build(header.recipe, method, own, header.spaces, training=False)
    load_exported(engine.recipe, tensors, str(file))
    engine.step, engine._loaded_averages, engine.backbones = header.step, header.averaged, header.backbones
    engine.recipe.eval()


def check_described(
    method: type[Recipe], own: Recipe.Options, header: Header, tensors: Mapping[str, Tensor], origin: str, plugins: Plugins
) -> None:
    """Raise UserError unless the networks that ``method`` makes of these options have the ``tensors`` of the file ``origin``.

    They are built of shapes alone. A file may ask for networks that fill any memory; those that it holds fit.
    """
    method.check_domains(header.recipe, [space.name for space in header.spaces])
    try:
        with torch.device("meta"):
            recipe = method(own, Make(plugins, header.spaces, training=False))
    except UserError:
        raise
    except Exception as error:  # from a part, its options or torch
        if "meta" in str(error).lower():  # what looks at its own numbers when it is built cannot be built without any
            return
        why = str(error) if isinstance(error, RecipeError) else brief(error)
        raise UserError(f"{origin} describes networks that cannot be made: {why.rstrip('.')}.") from error
    check_exported(recipe, tensors, origin)
