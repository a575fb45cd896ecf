"""Games and image losses that any recipe can use by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_losses.distances import L1
from translate_losses.games import LeastSquares, NonSaturating


@hookimpl
def register_adversarial_losses(register: Callable[[str, Any], None]) -> None:
    """Add the games."""
    register("least-squares", LeastSquares)
    register("non-saturating", NonSaturating)


@hookimpl
def register_cycle_losses(register: Callable[[str, Any], None]) -> None:
    """Add the distances between a picture and its round trip."""
    register("l1", L1)


@hookimpl
def register_reconstruction_losses(register: Callable[[str, Any], None]) -> None:
    """Add the distances between what should be reproduced and what was."""
    register("l1", L1)
