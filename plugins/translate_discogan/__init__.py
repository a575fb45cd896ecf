"""DiscoGAN: learning to discover cross-domain relations with generative adversarial networks (Kim et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import Recipe, hookimpl
from translate_discogan.networks import DiscoDiscriminator, DiscoGenerator
from translate_discogan.recipe import DiscoGAN


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("discogan", DiscoGAN)


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the encoder and decoder of the paper."""
    register("discogan", DiscoGenerator)


@hookimpl
def register_discriminators(register: Callable[[str, Any], None]) -> None:
    """Add the judge that shows its features."""
    register("discogan", DiscoDiscriminator)
