"""CycleGAN: unpaired image-to-image translation using cycle-consistent adversarial networks (Zhu et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import Recipe, hookimpl
from translate_cyclegan.discriminators import PatchDiscriminator, PixelDiscriminator
from translate_cyclegan.recipe import CycleGAN
from translate_cyclegan.resnet import ResNetGenerator
from translate_cyclegan.unet import UNetGenerator


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("cyclegan", CycleGAN)


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the generators of the paper and of its code."""
    register("resnet", ResNetGenerator)
    register("unet", UNetGenerator)


@hookimpl
def register_discriminators(register: Callable[[str, Any], None]) -> None:
    """Add the PatchGAN judges."""
    register("patch", PatchDiscriminator)
    register("pixel", PixelDiscriminator)
