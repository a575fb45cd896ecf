"""Pictures as arrays: reading files, resizing, and the way to the range of the networks and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from translate.data.domain import WINDOWS, Array
from translate.errors import UserError

#: File name endings that are taken for pictures when a folder is searched.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})

#: What PIL calls pictures of 16 bits a channel; it has no mode for 16-bit colour.
DEEP_MODES = frozenset({"I;16", "I;16B", "I;16L", "I"})


def probe(path: Path) -> str | None:
    """PIL's mode of the picture in ``path``, from its header alone; None where the file is no picture."""
    try:
        with Image.open(path) as image:
            return str(image.mode)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError):
        return None


def read(path: Path, channels: int, dtype: str) -> Array:
    """The picture in ``path``, upright, as ``(H, W, C)`` of ``dtype``. Raises UserError where it cannot be read."""
    try:
        with Image.open(path) as image:
            return to_array(image, channels, dtype)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        raise UserError(f"{path} cannot be read as a picture ({str(error).rstrip('.')}).") from error


def to_array(image: Image.Image, channels: int, dtype: str) -> Array:
    """``image`` as ``(H, W, C)`` of ``dtype``: turned upright, composited on white, 16 bits scaled to 8 where 8 are wanted.

    Floats are in [-1, 1].
    """
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise UserError("A picture of 32-bit floats has no known range; save it with 16 bits.")
    if image.mode in DEEP_MODES:
        deep = np.asarray(image).astype(np.int64).clip(0, 65535)
        if dtype == "uint16":
            return np.repeat(deep.astype(np.uint16)[..., None], channels, axis=2)
        image = Image.fromarray(to_eight_bits(deep.astype(np.uint16)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    array = array[..., None] if array.ndim == 2 else array
    if dtype == "float32":
        return (array / np.float32(127.5) - 1).astype(np.float32)
    return (array.astype(np.uint16) * 257) if dtype == "uint16" else array


def to_eight_bits(array: Array, window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Values of any dtype as 8 bits, ``window`` (by default that of the dtype) becoming 0…255: scaled, and clipped only beyond it."""
    low, high = window or WINDOWS[str(array.dtype)]
    if array.dtype == np.uint8 and (low, high) == (0, 255):
        return cast(NDArray[np.uint8], array)
    values = (array.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    shown: NDArray[np.uint8] = np.rint(values.clip(0, 255)).astype(np.uint8)
    return shown


def resize(array: Array, size: tuple[int, int]) -> Array:
    """``(H, W, C)`` brought to ``size``, (height, width), by antialiased bicubic interpolation; the dtype stays."""
    if array.shape[:2] == size:
        return array
    height, width = size
    if array.dtype == np.uint8 and array.shape[2] in (1, 3):
        image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else cast(NDArray[np.uint8], array))
        result = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
        return result[..., None] if result.ndim == 2 else result
    # PIL resizes 32-bit floats one channel at a time; integers are exact in them up to 2**24.
    planes = [
        np.asarray(Image.fromarray(plane.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))
        for plane in np.moveaxis(array, 2, 0)
    ]
    return _rounded(np.stack(planes, axis=2), array.dtype)


def _rounded(values: NDArray[np.float32], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.rint(values).clip(limits.min, limits.max).astype(dtype)


def to_tensor(batch: Array, window: tuple[float, float], device: torch.device) -> Tensor:
    """``(B, H, W, C)`` stored values as ``(B, C, H, W)`` float32; the ends of ``window`` become -1 and 1. Points keep their shape.

    Integers travel to the device as they are: a quarter of the bytes.
    """
    low, high = window
    if batch.dtype == np.uint16:
        batch = batch.astype(np.int32)
    # torch wants memory that it may write to; a picture decoded elsewhere may not be.
    batch = np.require(batch, requirements=("C", "W"))
    tensor = torch.from_numpy(batch).to(device).float()
    if tensor.dim() == 4:
        tensor = tensor.permute(0, 3, 1, 2).contiguous()
    return (tensor - low) * (2 / (high - low)) - 1


def to_stored(tensor: Tensor, window: tuple[float, float], dtype: str) -> Array:
    """``(B, C, H, W)`` in [-1, 1] as ``(B, H, W, C)`` of ``dtype``: the way back of ``to_tensor``, rounded and clipped.

    Points, ``(B, D)``, may lie anywhere and are not clipped.
    """
    low, high = window
    values = tensor.detach().float().cpu()
    if values.dim() == 4:
        values = values.permute(0, 2, 3, 1).clamp(-1, 1)
    values = (values + 1) * ((high - low) / 2) + low
    return _rounded(values.contiguous().numpy(), np.dtype(dtype))


def to_image(array: Array, window: tuple[float, float] | None = None) -> Image.Image:
    """``(H, W, C)`` as a PIL picture: 8 bits grey or RGB, or 16 bits grey as they are."""
    if array.shape[2] == 1:
        return Image.fromarray(array[..., 0] if array.dtype == np.uint16 else to_eight_bits(array[..., 0], window))
    return Image.fromarray(to_eight_bits(array[..., :3], window))  # PIL has no 16-bit colour
