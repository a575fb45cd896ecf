"""Augmentations: what happens to training pictures on their way to a batch, and to all pictures on their way to a judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_augmentations.ada import Adaptive
from translate_augmentations.crops import AsItIs, Flip, Paper
from translate_augmentations.diffaugment import DiffAugment
from translate_augmentations.pipelines import Pipeline
from translate_augmentations.small import Small


@hookimpl
def register_augmentations(register: Callable[[str, Any], None]) -> None:
    """Add the paper's crops and flips, flips alone, none, changes for few pictures, and pipelines of albumentations."""
    register("paper", Paper)
    register("flip", Flip)
    register("none", AsItIs)
    register("small", Small)
    register("albumentations", Pipeline)


@hookimpl
def register_judge_augmentations(register: Callable[[str, Any], None]) -> None:
    """Add fixed changes, and those that adapt."""
    register("diffaugment", DiffAugment)
    register("ada", Adaptive)
