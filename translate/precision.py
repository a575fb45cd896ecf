"""Number formats: what runs in half precision, and what must not."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from translate.errors import UserError

Precision = Literal["fp32", "bf16", "fp16"]


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which a step computes its losses."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bf16" else torch.float16)


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Inside, nothing is cast: for normalisation statistics, a network's last layer and penalties. Convert the inputs yourself."""
    return torch.autocast(device.type, enabled=False) if torch.amp.is_autocast_available(device.type) else nullcontext()


def upcast(tensor: torch.Tensor) -> torch.Tensor:
    """``tensor`` in float32, or as it is where it has float64: how losses take scores and features of half precision."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def check_precision(device: torch.device, precision: str) -> None:
    """Raise UserError where ``device`` does not do ``precision`` usefully."""
    if precision == "fp16" and device.type == "cpu":
        raise UserError("fp16 is many times slower than fp32 on a CPU; use --precision bf16 or fp32.")


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then MPS, then the CPU. Raises UserError where it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"There is no device named '{name}'; use auto, cpu, cuda, cuda:1 or mps.") from None
    if device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"Device '{name}' is not supported; use auto, cpu, cuda, cuda:1 or mps.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"Device '{name}' is not there: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu or auto."
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("Device 'mps' is not there: torch sees no Metal device; use --device cpu or auto.")
    # With its index, "the current device" stays one device for good.
    return torch.device("cuda", torch.cuda.current_device()) if device == torch.device("cuda") else device
