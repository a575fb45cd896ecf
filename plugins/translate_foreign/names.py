"""What the formats have in common: layers of two programs side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

Shapes = Mapping[str, tuple[int, ...]]
#: A layer by its name there and its name here, and which of its tensors it has.
Layer = tuple[str, str, Sequence[str]]
CONVOLUTION = ("weight", "bias")
BARE = ("weight",)
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
BATCH_NORM = ("weight", "bias", *STATISTICS)
#: What is said of the statistics that old versions of PyTorch kept with instance norm.
UNUSED = "running statistics of instance norm, which old versions saved and the networks do not use"


def paired(layers: Iterable[Layer]) -> dict[str, str]:
    """Each tensor's name there and here."""
    return {f"{theirs}.{each}": f"{ours}.{each}" for theirs, ours, tensors in layers for each in tensors}


def explained(layers: Sequence[Layer], shapes: Shapes, spare: Iterable[str]) -> dict[str, str] | None:
    """Each tensor's name there and here; None unless ``shapes`` has those of ``layers``, and no others but for ``spare``.

    Counters of batches may lack: they came with PyTorch 0.4.1.
    """
    names = paired(layers)
    here = {theirs: ours for theirs, ours in names.items() if theirs in shapes}
    complete = all(each.endswith(".num_batches_tracked") for each in names.keys() - here.keys())
    if not complete or not shapes.keys() <= here.keys() | set(spare):
        return None
    if any(len(shapes[f"{theirs}.weight"]) != 4 for theirs, _, tensors in layers if tensors is not BATCH_NORM):
        return None
    return here


def count(pattern: str, shapes: Iterable[str]) -> int:
    """How many different numbers stand in the group of ``pattern`` among the names."""
    return len({found[1] for name in shapes if (found := re.fullmatch(pattern, name))})


def colours(channels: int) -> str:
    """Channels as people call them."""
    return {1: "grey", 3: "RGB"}.get(channels, f"{channels} channels")
