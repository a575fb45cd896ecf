"""Networks, losses and features of scores on timm's backbones (Wightman, 2019)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import hookimpl
from translate_timm.discriminator import TimmDiscriminator
from translate_timm.features import TimmFeatures
from translate_timm.generator import TimmGenerator
from translate_timm.perceptual import Perceptual


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the U-Net on a backbone."""
    register("timm", TimmGenerator)


@hookimpl
def register_discriminators(register: Callable[[str, Any], None]) -> None:
    """Add the judge of a backbone's features."""
    register("timm", TimmDiscriminator)


@hookimpl
def register_cycle_losses(register: Callable[[str, Any], None]) -> None:
    """Add the distance between a backbone's features of a picture and of its round trip."""
    register("perceptual", Perceptual)


@hookimpl
def register_reconstruction_losses(register: Callable[[str, Any], None]) -> None:
    """Add the distance between a backbone's features of what should be reproduced and of what was."""
    register("perceptual", Perceptual)


@hookimpl
def register_features(register: Callable[[str, Any], None]) -> None:
    """Add the eye on a backbone."""
    register("timm", TimmFeatures)
