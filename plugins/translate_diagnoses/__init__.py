"""Diagnoses of adversarial training: divergence, vanishing gradients, constant output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_diagnoses.constant import ConstantOutput
from translate_diagnoses.losses import Divergence, VanishingGradient


@hookimpl
def register_diagnoses(register: Callable[[str, Any], None]) -> None:
    """Add the diagnoses."""
    register("divergence", Divergence)
    register("vanishing-gradient", VanishingGradient)
    register("constant-output", ConstantOutput)
