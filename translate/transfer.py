"""Trained networks that are taken over by others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from translate import checkpoint, options
from translate.errors import UserError, listed
from translate.given import same_class
from translate.options import Part
from translate.recipe import Recipe

if TYPE_CHECKING:
    from translate.engine import Engine


def start_from(engine: Engine, name: str) -> None:
    """Take over trained networks: the exported ones, and the judges that fit, where the weights come with a checkpoint."""
    file = checkpoint.locate(name)
    tensors, header = checkpoint.load_weights(file)
    mine, theirs = ([space.name for space in spaces] for spaces in (engine.spaces, header.spaces))
    if mine != theirs and sorted(mine) == sorted(theirs):
        raise UserError(f"{file} was trained with --domains {' '.join(theirs)}; name the domains in that order.")
    if Part(header.recipe).is_object and Part(engine.recipe_name).is_object:
        same_class("recipe", header.recipe, engine.recipe_name)
    elif header.recipe != engine.recipe_name:
        raise UserError(f"{file} was trained by recipe '{header.recipe}', and cannot start a run of '{engine.recipe_name}'.")
    load_exported(engine.recipe, tensors, str(file), header.options)
    taken = {place: each for place, each in header.backbones.items() if re.split("[.:]", place)[0] in engine.recipe.exports}
    engine.backbones = {**engine.backbones, **taken}
    if (file.parent / checkpoint.TRAINING_NAME).is_file():
        state, _ = checkpoint.load_training(file.parent)
        networks = {child for plan in engine.trainer.plans.values() for child in plan.over} - set(engine.recipe.exports)
        rest = {key.removeprefix("recipe/"): each for key, each in state.items() if key.startswith("recipe/")}
        for network in networks:
            _load_if_it_fits(engine.recipe.get_submodule(network), rest, f"{network}.")
    for child, average in engine.trainer.averages.items():
        average.network.load_state_dict(engine.recipe.get_submodule(child).state_dict())


def load_exported(recipe: Recipe, tensors: Mapping[str, Tensor], origin: str, recorded: Mapping[str, Any] | None = None) -> None:
    """Load exported networks. Raises UserError, naming the tensor and what differs from the ``recorded`` options, where they do not fit."""
    check_exported(recipe, tensors, origin, recorded)
    recipe.load_state_dict(tensors, strict=False)


def check_exported(recipe: Recipe, tensors: Mapping[str, Tensor], origin: str, recorded: Mapping[str, Any] | None = None) -> None:
    """Raise UserError where ``tensors`` are not those of the exported networks, by name and shape."""
    wanted = recipe.exported()
    mine = options.plain(recipe.options)
    others = [
        f"{options.flag(name)} {value}"
        for name, value in (recorded or {}).items()
        if name in mine and value != mine[name] and options.kind(type(recipe.options), name) is Part
    ]
    advice = f"it was trained with {listed(others)}" if others else "use the options that it was trained with"
    for key in wanted.keys() ^ tensors.keys():
        which = "lacks" if key in wanted else "has the unknown tensor"
        raise UserError(f"The weights {origin} do not fit these networks: the file {which} '{key}'; {advice}.")
    for key, tensor in tensors.items():
        if wanted[key].shape != tensor.shape:
            raise UserError(
                f"The weights {origin} do not fit these networks: '{key}' is {tuple(tensor.shape)} in the file and "
                f"{tuple(wanted[key].shape)} here; {advice}."
            )


def _load_if_it_fits(network: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    state = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
    wanted = network.state_dict()
    if state.keys() == wanted.keys() and all(state[key].shape == wanted[key].shape for key in wanted):
        network.load_state_dict(state)
