"""Scores of translations: kernel distance to the real pictures, error to the truth where it is known, round trip, and what changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_scores.kernel import KernelDistance
from translate_scores.pictures import Change, RoundTrip, TrueError


@hookimpl
def register_scores(register: Callable[[str, Any], None]) -> None:
    """Add the scores."""
    register("kid", KernelDistance)
    register("truth", TrueError)
    register("round-trip", RoundTrip)
    register("change", Change)
