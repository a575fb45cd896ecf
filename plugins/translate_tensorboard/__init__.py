"""The losses, learning rates and picture grids of a run for TensorBoard: ``--listeners tensorboard``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_tensorboard.listener import TensorBoard


@hookimpl
def register_listeners(register: Callable[[str, Any], None]) -> None:
    """Add the listener."""
    register("tensorboard", TensorBoard)
