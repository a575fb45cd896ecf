"""Data sets by name: ``mnist`` and ``fashion-mnist``, whole or a class (``mnist:3``), and points (``points:ring8``, ``points:grid25``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate import hookimpl

if TYPE_CHECKING:
    from translate import Domain


@hookimpl
def open_domain(name: str, root: Path | None, split: str) -> Domain | None:
    """A data set whose files lie under ``root``; points need no folder."""
    if split not in ("train", "test"):
        return None
    family, colon, choice = name.partition(":")
    # Both bring numpy, and data sets torchvision; a run on other data shouldn't wait for them.
    if family in ("mnist", "fashion-mnist"):
        from .files import open_data_set

        return open_data_set(name, family, choice if colon else None, root, split)
    if family == "points" and colon:
        from .points import Points

        return Points(name, split)
    return None


@hookimpl
def register_scores(register: Callable[[str, Any], None]) -> None:
    """Add the coverage of known modes."""
    from .coverage import ModeCoverage

    register("modes", ModeCoverage)


@hookimpl
def register_data_sets(register: Callable[[str, Any], None]) -> None:
    """Add what can be fetched."""
    from .published import DATA_SETS

    for name, data_set in DATA_SETS.items():
        register(name, data_set)
