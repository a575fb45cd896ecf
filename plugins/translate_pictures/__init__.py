"""Domains drawn by the program, of any size: horses and zebras, young and old faces, digits, bags and shoes, summer and winter.

No data is needed to try translate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from translate import hookimpl

if TYPE_CHECKING:
    from translate import Domain

#: The domains that are drawn.
NAMES = ("horse", "zebra", "young", "old", "digits", "bags", "shoes", "summer", "winter")


@hookimpl
def open_domain(name: str, root: Path | None, split: str, size: tuple[int, int] | None) -> Domain | None:
    """A drawn domain, where no data folder is named."""
    if root is not None or name not in NAMES:
        return None
    # Drawing brings Pillow and numpy; a run on other data shouldn't wait for them.
    from .domain import SPLITS, DrawnDomain

    return DrawnDomain(name, split, size) if split in SPLITS else None
