"""Weights of a backbone: from timm's publications, from a file, and their digest.

timm is imported where it is used: it takes seconds, and most runs do without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from translate import UserError

#: How long the hub may take for its first answer, in seconds.
PATIENCE = 10
#: The files that published weights are in, the preferred one first.
PUBLISHED = ("model.safetensors", "pytorch_model.bin")


def check_model(name: str) -> None:
    """Raise UserError, with the nearest name, unless timm has a model ``name``, such as ``resnet18`` or ``resnet18.a1_in1k``."""
    import timm

    known = timm.list_pretrained() if "." in name else timm.list_models()
    if name not in known:
        matches = get_close_matches(name, known, n=1, cutoff=0.5)
        nearest = f"Did you mean '{matches[0]}'?" if matches else "timm.list_models() lists them all."
        raise UserError(f"timm {timm.__version__} has no model '{name}'. {nearest}")


def create(name: str, channels: int, **more: Any) -> nn.Module:
    """timm's model as a network that gives a list of feature maps. Raises UserError where there is no such form of it."""
    import timm

    try:
        network: nn.Module = timm.create_model(name, features_only=True, in_chans=channels, **more)
    except Exception as error:  # each family of models refuses in its own way
        raise UserError(f"timm cannot make a backbone for these pictures of its model '{name}' ({brief(error)}).") from error
    return network


def fetch(name: str, channels: int, **more: Any) -> nn.Module:
    """The same with the weights that timm publishes, from this machine where they are here. Raises UserError."""
    import timm
    from timm.models import get_pretrained_cfg

    if not timm.is_model_pretrained(name):
        raise UserError(
            f"timm publishes no weights of its model '{name}'; use pretrained=false, or pretrained=FILE with weights that you have."
        )
    config: Any = get_pretrained_cfg(name)
    here: str | None = None
    try:
        if config.hf_hub_id and not config.custom_load:
            here = _cached(config.hf_hub_id, config.hf_hub_filename)
            if here is None:
                _knock(config.hf_hub_id)
            else:
                more["pretrained_cfg_overlay"] = {"file": here}
        network: nn.Module = timm.create_model(name, features_only=True, in_chans=channels, pretrained=True, **more)
    except Exception as error:  # from the network, the hub's library or timm: some forty classes
        problem = "are not on this machine and could not be fetched" if here is None else f"in {here} cannot be used"
        raise UserError(
            f"The pretrained weights of timm model '{name}' {problem} ({brief(error)}); "
            f"use pretrained=false, or pretrained=FILE with weights that you have."
        ) from error
    return network


def _cached(hub_id: str, filename: str | None) -> str | None:
    """The published file where it was fetched before: then nobody needs to be asked."""
    from huggingface_hub import try_to_load_from_cache

    repository, _, revision = hub_id.partition("@")
    for name in (filename,) if filename else PUBLISHED:
        found = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(found, str):
            return found
    return None


def _knock(hub_id: str) -> None:
    """Ask the hub for something small, once: where there is no connection, a download would try again for most of a minute."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError

    repository, _, revision = hub_id.partition("@")
    try:
        get_hf_file_metadata(hf_hub_url(repository, "config.json", revision=revision or None), timeout=PATIENCE)
    except HfHubHTTPError:
        return  # an answer, whatever it says


def load_file(network: nn.Module, path: Path, name: str, first_convs: Iterable[str]) -> None:
    """Load the weights of timm model ``name`` into ``network``, its form as a backbone, from a file of that or of the whole model.

    ``first_convs`` are the convolutions that see the picture: they are fitted to its number of channels, as timm does it. What the file
    has beyond the backbone, such as a classifier, is left out. Raises UserError where something lacks or does not fit.
    """
    from timm.models import adapt_input_conv

    held = {_canonical(key): tensor for key, tensor in read_tensors(path).items()}
    adaptable = {_canonical(f"{each}.weight") for each in first_convs}
    state: dict[str, Tensor] = {}
    for key, mine in network.state_dict().items():
        tensor = held.get(_canonical(key))
        if tensor is None:
            if key.endswith("num_batches_tracked"):  # older files are without it, and only counting needs it
                state[key] = mine
                continue
            raise UserError(f"The file {path} does not hold the weights of timm model '{name}': it lacks '{key}'.")
        if tensor.shape != mine.shape and _canonical(key) in adaptable and tensor.dim() == 4:
            with suppress(NotImplementedError, RuntimeError):  # then the shapes go on to differ
                tensor = adapt_input_conv(mine.shape[1], tensor)
        if tensor.shape != mine.shape:
            raise UserError(
                f"The file {path} does not hold the weights of timm model '{name}': '{key}' is {tuple(tensor.shape)} in the file and "
                f"{tuple(mine.shape)} in the model."
            )
        state[key] = tensor
    network.load_state_dict(state)


def read_tensors(path: Path) -> Mapping[str, Tensor]:
    """The tensors in a ``.safetensors`` file, by name. Raises UserError for any other: it might run code when it is opened."""
    if not path.is_file():
        raise UserError(
            f"There is no file {path} with pretrained weights; pretrained is true, false, or the path of a .safetensors file."
        )
    if path.suffix.lower() != ".safetensors":
        raise UserError(
            f"Pretrained weights are read from .safetensors files alone, and {path} is none: others may run code when they are opened. If "
            f"you trust it, make one of it in Python, with torch.load(FILE, weights_only=True) and safetensors.torch.save_file."
        )
    from safetensors.torch import load

    try:
        return load(path.read_bytes())
    except Exception as error:  # whatever a damaged file makes of a parser
        raise UserError(f"The file {path} cannot be read as weights ({brief(error)}).") from error


def _canonical(key: str) -> str:
    """One name for a tensor in both forms: as a backbone, ``stages.0.norm`` becomes ``stages_0.norm`` or ``model.stages.0.norm``."""
    return key.removeprefix("model.").replace(".", "_")


def digest(network: nn.Module) -> str:
    """``sha256:`` and the digest over names, types, shapes and bytes of all that ``network`` stores, in the order of names."""
    result = hashlib.sha256()
    for key, tensor in sorted(network.state_dict().items()):
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        result.update(f"{key} {flat.dtype} {tuple(tensor.shape)}\n".encode())
        result.update(flat.view(torch.uint8).numpy())
    return f"sha256:{result.hexdigest()}"


def brief(error: BaseException) -> str:
    """An error of somebody else's as part of a sentence: its class and the beginning of what it says."""
    first = (str(error).strip().splitlines() or [""])[0].partition(". ")[0].rstrip(".")
    return f"{type(error).__name__}: {first[:160]}" if first else type(error).__name__
