"""Augmentations: what happens to training pictures on their way to a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import Augmentation, hookimpl
from translate_augmentations.crops import Flip, Paper


@hookimpl
def register_augmentations(register: Callable[[str, Any], None]) -> None:
    """Add the paper's crops and flips, flips alone, and none."""
    register("paper", Paper)
    register("flip", Flip)
    register("none", Augmentation)
