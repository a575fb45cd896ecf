"""Games and image losses that any recipe can use by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_losses.distances import L1, MSE, Huber
from translate_losses.features import FeatureMatching
from translate_losses.games import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    RelativisticAverage,
    RelativisticPaired,
    Wasserstein,
)
from translate_losses.ssim import SSIM

GAMES = (LeastSquares, NonSaturating, Minimax, Hinge, Wasserstein, RelativisticPaired, RelativisticAverage)
DISTANCES = {"l1": L1, "mse": MSE, "huber": Huber, "ssim": SSIM, "feature-matching": FeatureMatching}


@hookimpl
def register_adversarial_losses(register: Callable[[str, Any], None]) -> None:
    """Add the games."""
    for game in GAMES:
        register(game.name, game)


@hookimpl
def register_cycle_losses(register: Callable[[str, Any], None]) -> None:
    """Add the distances between a picture and its round trip."""
    for name, loss in DISTANCES.items():
        register(name, loss)


@hookimpl
def register_reconstruction_losses(register: Callable[[str, Any], None]) -> None:
    """Add the distances between what should be reproduced and what was."""
    for name, loss in DISTANCES.items():
        register(name, loss)
