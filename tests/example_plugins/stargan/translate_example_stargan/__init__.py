"""StarGAN: unified generative adversarial networks for multi-domain image-to-image translation (Choi et al., CVPR 2018)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import Recipe, hookimpl
from translate_example_stargan.networks import StarGenerator, TwoHeads
from translate_example_stargan.recipe import StarGAN

__all__ = ["StarGAN", "StarGenerator", "TwoHeads"]


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method."""
    register("stargan", StarGAN)


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the published generator, which other methods may use as well."""
    register("stargan", StarGenerator)
