"""Weights that were trained with the public code of CycleGAN, pix2pix, DCGAN and DiscoGAN, and a method for those of one direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translate import ForeignFormat, Recipe, hookimpl
from translate_foreign.cyclegan import PyTorchCycleGAN
from translate_foreign.dcgan import PyTorchDCGAN
from translate_foreign.discogan import DiscoGANCode
from translate_foreign.one_sided import OneSided
from translate_foreign.pix2pix import BatchUNet


@hookimpl
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add the method for one direction."""
    register("one-sided", OneSided)


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the network of pix2pix."""
    register("unet-batch", BatchUNet)


@hookimpl
def register_foreign_formats(register: Callable[[str, Callable[[], ForeignFormat]], None]) -> None:
    """Add the formats."""
    register("pytorch-cyclegan", PyTorchCycleGAN)
    register("dcgan", PyTorchDCGAN)
    register("discogan", DiscoGANCode)
