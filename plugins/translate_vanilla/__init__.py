"""The first generative adversarial network (Goodfellow et al., 2014): two multilayer perceptrons and Algorithm 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import Recipe, hookimpl
from translate_vanilla.networks import MLPDiscriminator, MLPGenerator
from translate_vanilla.recipe import Vanilla


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("vanilla", Vanilla)


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the perceptron that makes samples."""
    register("mlp", MLPGenerator)


@hookimpl
def register_discriminators(register: Callable[[str, Any], None]) -> None:
    """Add the perceptron that judges them."""
    register("mlp", MLPDiscriminator)
