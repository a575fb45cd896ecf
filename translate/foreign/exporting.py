"""From our weights to the files of another program."""

from __future__ import annotations

from collections import OrderedDict
from io import BytesIO
from pathlib import Path

import torch

from translate import checkpoint, weights
from translate.errors import UserError, listed
from translate.foreign.adjust import adjusted
from translate.foreign.formats import ForeignFormat
from translate.foreign.importing import shapes_of
from translate.options import Part
from translate.parts import build_part
from translate.plugins import Plugins


def export_weights(name: str, format_name: str, folder: Path, plugins: Plugins) -> list[Path]:
    """Write the networks of the weights ``name`` as files of a foreign format into ``folder``; the files.

    They are state dicts in float32, as ``torch.save`` writes them. Raises UserError where the format has no such networks.
    """
    format_ = build_part(plugins.foreign_formats, Part(format_name), ForeignFormat)
    file = checkpoint.locate(name)
    tensors, header = checkpoint.load_weights(file)
    if header.recipe not in format_.files:
        raise UserError(
            f"{file} is of recipe '{header.recipe}', and format '{format_name}' has files for {listed(format_.files)} alone."
        )
    states = {}
    for child, file_name in format_.files[header.recipe].items():
        mine = {key.removeprefix(f"{child}."): each for key, each in tensors.items() if key.startswith(f"{child}.")}
        network = format_.published(shapes_of(mine))
        if network is None:
            raise UserError(
                f"Format '{format_name}' has no such network as '{child}' of {file}, --generator {header.options.get('generator')}: the "
                f"other program could not build it."
            )
        mine = adjusted(mine, network, format_.order, network.pixels)
        states[file_name] = OrderedDict((theirs, mine[ours]) for theirs, ours in network.names.items())
    for target in (folder / file_name for file_name in states):
        if target.exists():
            raise UserError(f"{target} exists already; give another folder with -o.")
    for file_name, state in states.items():
        buffer = BytesIO()
        torch.save(OrderedDict((key, each.float() if each.is_floating_point() else each) for key, each in state.items()), buffer)
        try:
            weights.write(folder / file_name, buffer.getvalue())
        except OSError as error:
            raise UserError(f"{folder / file_name} cannot be written ({error.strerror}); give another folder with -o.") from None
    return [folder / file_name for file_name in states]
