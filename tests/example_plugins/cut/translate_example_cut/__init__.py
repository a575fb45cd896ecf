"""CUT: contrastive learning for unpaired image-to-image translation (Park et al., ECCV 2020)."""

from __future__ import annotations

from collections.abc import Callable

from translate import Recipe, hookimpl
from translate_example_cut.patches import PatchHead, patch_nce
from translate_example_cut.recipe import CUT

__all__ = ["CUT", "PatchHead", "patch_nce"]


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("cut", CUT)
