"""State dicts of other programs as they lie in files, whatever they are wrapped in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from translate import weights
from translate.errors import UserError, listed, near
from translate.foreign import pickles

#: What programs call the state dict of a generator among other things in a file.
WRAPPERS = ("state_dict", "model_state_dict", "model", "netG", "G", "generator", "params")
#: What stands before every name where a network was saved within something: on several devices, compiled, or both in either order.
PREFIXES = ("module.", "_orig_mod.", "module.")
#: A tensor's name may not be longer: the deepest public U-Net has names of 80 characters.
LONGEST = 200


def read(path: Path, entry: str | None = None) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of one network, real numbers as float32, and sentences on what was passed over.

    A ``.safetensors`` file is read as such, all others as ``torch.save`` writes them. Where a file holds several networks, ``entry`` says
    which. Raises UserError where there is no state dict, or a number in it is not finite.
    """
    if path.suffix.lower() == ".safetensors":
        found: Any = weights.unpack(weights.read(path), path)[0]
    else:
        try:
            found = pickles.load(path)
        except OSError as error:
            raise UserError(f"The weights {path} cannot be read ({error.strerror}).") from error
    state, notes = _unwrapped(found, path, entry)
    others = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if others:
        notes.append(f"Passed over what is no tensor: {listed(others[:5])}{' and more' if len(others) > 5 else ''}.")
    tensors = {key: value.detach() for key, value in state.items() if isinstance(value, Tensor)}
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): each for key, each in tensors.items()}
    return _checked(tensors, path), notes


def _unwrapped(found: Any, path: Path, entry: str | None) -> tuple[dict[str, Any], list[str]]:
    """The state dict in ``found``, and what was passed over for it."""
    if not isinstance(found, Mapping):
        raise UserError(f"{path} holds a {type(found).__name__} and no state dict; save network.state_dict().")
    found = {str(key): value for key, value in found.items()}
    inside = {key: value for key, value in found.items() if _is_state(value)}
    if entry is None and not inside:
        if not _is_state(found):
            raise UserError(f"{path} holds no tensors by name, and so no state dict; save network.state_dict().")
        return found, []
    if entry is not None and entry not in inside:
        raise UserError(f"{path} has no network '{entry}' in it.{near(entry, inside)} It has {listed(inside)}.")
    known = [entry] if entry else [name for name in WRAPPERS if name in inside] or list(inside)
    if len(known) > 1:
        raise UserError(f"{path} holds several networks, {listed(known)}; say which with --entry.")
    others = [] if entry else [key for key in found if key != known[0]]
    state = {str(key): value for key, value in inside[known[0]].items()}
    return state, [f"Took '{known[0]}' and passed over {listed(others[:5])}."] if others else []


def _is_state(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(each, Tensor) for each in value.values())


def _checked(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors, real numbers as float32."""
    room, total, result = path.stat().st_size, 0, {}
    for key, each in tensors.items():
        if len(key) > LONGEST or not key.isprintable():
            raise UserError(f"{path} has a tensor with the name {key!r:.80}, which no program gives; it is damaged.")
        if each.is_complex():
            raise UserError(f"{path}: '{key}' is no plain tensor of real numbers, and weights are.")
        # A tensor can repeat one number without end, and many can share theirs; torch would only notice when they are copied.
        size = each.numel() * each.element_size()
        total += size
        if size > room or total > pickles.MOST_BYTES:
            raise UserError(f"{path}: '{key}' claims {each.numel():,} numbers, and the file has {room:,} bytes; it is damaged.")
        result[key] = each.float() if each.is_floating_point() else each
        if not torch.isfinite(result[key]).all():
            raise UserError(
                f"{path}: '{key}' has numbers that are infinite or none at all (NaN); training had failed when it was saved."
            )
    return result
