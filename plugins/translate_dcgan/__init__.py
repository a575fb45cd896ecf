"""DCGAN: unsupervised representation learning with deep convolutional generative adversarial networks (Radford et al., 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import Recipe, hookimpl
from translate_dcgan.authors import AuthorsDiscriminator, AuthorsGenerator
from translate_dcgan.networks import DCDiscriminator, DCGenerator
from translate_dcgan.recipe import DCGAN


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("dcgan", DCGAN)


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the generators of PyTorch's form and of the authors' code."""
    register("dcgan", DCGenerator)
    register("dcgan-authors", AuthorsGenerator)


@hookimpl
def register_discriminators(register: Callable[[str, Any], None]) -> None:
    """Add the discriminators of PyTorch's form and of the authors' code."""
    register("dcgan", DCDiscriminator)
    register("dcgan-authors", AuthorsDiscriminator)
