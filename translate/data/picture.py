"""Pictures as arrays: reading files, resizing, and the way to the range of the networks and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from translate.data import tiff, unread
from translate.data.decode import DEEP_MODES, decode, from_pil, opencv
from translate.data.domain import WINDOWS, Array
from translate.data.header import FORMATS, Facts, probe
from translate.errors import UserError

__all__ = [
    "DEEP_MODES",
    "FORMATS",
    "SUFFIXES",
    "Facts",
    "Window",
    "extremes",
    "holding",
    "probe",
    "read",
    "resize",
    "save",
    "to_array",
    "to_eight_bits",
    "to_image",
    "to_stored",
    "to_tensor",
    "window_of",
]

#: File name endings that are taken for pictures when a folder is searched.
SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"})

#: The stored values that become -1 and +1: black and white, where there is nothing beyond them.
Window = tuple[float, float]


def window_of(dtype: str, least: float, largest: float) -> Window:
    """The window of data of ``dtype`` whose values lie between ``least`` and ``largest``.

    12 bits in a file of 16 fill the range of the networks as 16 would: integers have the least ``(0, 2**k - 1)`` that holds them. Floats
    have (0, 1) or (-1, 1) where these do, and otherwise just what there is.

    >>> window_of("uint16", 7, 3000), window_of("float32", 0.1, 0.9), window_of("float32", -900, 2500)
    ((0.0, 4095.0), (0.0, 1.0), (-900, 2500))
    """
    if dtype == "uint8":
        return WINDOWS["uint8"]
    if dtype == "uint16":
        return 0.0, float((1 << max(1, int(largest).bit_length())) - 1)
    for low, high in ((0.0, 1.0), (-1.0, 1.0)):
        if low <= least and largest <= high:
            return low, high
    return least, largest if largest > least else least + 1


def read(
    path: Path, channels: int, dtype: str, window: Window | None = None, *, ranges: Mapping[str, Window] | None = None
) -> Array:
    """The picture in ``path``, upright and on white, as ``(H, W, C)`` of ``dtype``. Raises UserError where it cannot be read.

    A picture that is stored as ``dtype`` keeps its values. Of others, the darkest and the brightest become the ends of ``window``, by
    default all that the dtype holds, [-1, 1] for floats; ``ranges`` says what is darkest and brightest for each dtype of files, by
    default 0 and the largest integer, and for floats (0, 1) or (-1, 1), whichever holds them.
    """
    array = _decoded(path)
    try:
        return _fitted(array, channels, dtype, window, ranges or {})
    except UserError as error:
        raise UserError(f"{path} cannot be used: {error}") from None


def extremes(path: Path) -> Window:
    """The least and the largest value in the picture in ``path``, as stored. Raises UserError where it cannot be read."""
    array: NDArray[Any] = _decoded(path)
    return float(array.min()), float(array.max())


def _decoded(path: Path) -> Array:
    try:
        array = decode(path)
    except MemoryError:
        raise  # of this machine, not of the picture
    except Exception as error:  # PIL's decoders raise whatever damage makes them stumble over
        needed = unread.needs(path)
        said = f"it {needed}" if needed else " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UserError(f"{path} cannot be read as a picture ({said}).") from error
    if array.dtype.kind == "f" and not np.isfinite(cast(NDArray[np.float32], array)).all():
        raise UserError(f"{path} cannot be read as a picture (some of its values are infinite or no numbers).")
    return array


def to_array(image: Image.Image, channels: int, dtype: str, window: Window | None = None) -> Array:
    """A PIL picture as ``read`` gives one in a file. Raises UserError where its channels or its floats do not fit."""
    return _fitted(from_pil(image), channels, dtype, window, {})


def _fitted(array: Array, channels: int, dtype: str, window: Window | None, ranges: Mapping[str, Window]) -> Array:
    array = _with_channels(array, channels)
    stored = str(array.dtype)
    if stored == dtype:
        return array
    source = ranges.get(stored) or (_range_of_floats(array) if stored == "float32" else WINDOWS[stored])
    return _scaled(array, source, window or WINDOWS[dtype], dtype)


def _with_channels(array: Array, channels: int) -> Array:
    found = array.shape[2]
    if found == channels:
        return array
    if found == 1:
        return np.repeat(array, channels, axis=2)
    if (found, channels) != (3, 1):
        raise UserError(f"The picture has {found} channels, where {channels} are expected.")
    if array.dtype == np.uint8:
        return np.asarray(Image.fromarray(cast(NDArray[np.uint8], array)).convert("L"))[..., None]
    grey = array.astype(np.float64) @ np.array([0.299, 0.587, 0.114])  # ITU-R 601, as PIL has it
    return _rounded(grey[..., None], array.dtype)


def _range_of_floats(array: Array) -> Window:
    values = cast(NDArray[np.float32], array)
    least, largest = float(values.min()), float(values.max())
    if max(-least, largest) <= 1:
        return window_of("float32", least, largest)
    raise UserError(
        f"Its floats reach from {least:g} to {largest:g}, and what is to be black and white is not known; scale them to [0, 1] first."
    )


def _scaled(array: Array, source: Window, target: Window, dtype: str) -> Array:
    """Values of ``array`` as ``dtype``, the ends of ``source`` becoming those of ``target``."""
    values = (array.astype(np.float32) - np.float32(source[0])) / np.float32(source[1] - source[0])
    return _rounded(values * np.float32(target[1] - target[0]) + np.float32(target[0]), np.dtype(dtype))


def to_eight_bits(array: Array, window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Values of any dtype as 8 bits, ``window`` (by default that of the dtype) becoming 0…255: scaled, and clipped only beyond it."""
    low, high = window or WINDOWS[str(array.dtype)]
    if array.dtype == np.uint8 and (low, high) == (0, 255):
        return cast(NDArray[np.uint8], array)
    return cast(NDArray[np.uint8], _scaled(array, (low, high), WINDOWS["uint8"], "uint8"))


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


def _rounded(values: NDArray[np.floating[Any]], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    rounded: Array = np.rint(values).clip(limits.min, limits.max).astype(dtype)
    return rounded


def to_tensor(batch: Array, window: tuple[float, float], device: torch.device) -> Tensor:
    """``(B, H, W, C)`` stored values as ``(B, C, H, W)`` float32; the ends of ``window`` become -1 and 1. Points keep their shape.

    Integers travel to the device as they are: a quarter of the bytes.
    """
    low, high = window
    if batch.dtype == np.uint16:
        batch = batch.astype(np.int32)
    if batch.ndim == 4:
        batch = batch.transpose(0, 3, 1, 2)  # as the loader's batches lie already
    # torch wants memory that it may write to; a picture decoded elsewhere may not be.
    batch = np.require(batch, requirements=("C", "W"))
    tensor = torch.from_numpy(batch).to(device).float()
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


def to_image(array: Array, window: Window | None = None) -> Image.Image:
    """``(H, W, C)`` as a PIL picture: 8 bits grey or RGB, or 16 bits grey as they are. Of other numbers of channels it shows the first."""
    channels = array.shape[2]
    if channels == 1 and array.dtype == np.uint16:
        return Image.fromarray(array[..., 0])
    if channels < 3:
        return Image.fromarray(to_eight_bits(array[..., 0], window))
    return Image.fromarray(to_eight_bits(array[..., :3], window))  # PIL has no 16-bit colour


def holding(array: Array, suffix: str) -> str:
    """The ending of a format that holds ``(H, W, C)`` without loss: ``suffix`` where it does, such as ``.png``, or another."""
    channels, dtype = array.shape[2], array.dtype
    if suffix.lower() in (".tif", ".tiff") or (dtype == np.uint8 and channels in (1, 3)):
        return suffix
    return ".png" if dtype == np.uint16 and channels in (1, 3) else ".tif"


def save(array: Array, window: Window, path: Path) -> None:
    """Write ``(H, W, C)`` to ``path``, in the format that its ending names, with as much of it as that format holds.

    TIFF holds everything. PNG holds integers of 1 or 3 channels, and floats as 16 bits from black to white; all others hold 8 bits from
    black to white. ``window`` says which values are black and white. Raises UserError where the format cannot hold the channels, or is
    none.
    """
    suffix, channels = path.suffix.lower(), array.shape[2]
    if suffix in (".tif", ".tiff"):
        tiff.write(path, array)
        return
    if channels not in (1, 3):
        raise UserError(f"{path} cannot hold a picture of {channels} channels; save it as TIFF.")
    if suffix == ".png" and array.dtype != np.uint8:
        deep = array if array.dtype == np.uint16 else _scaled(array, window, WINDOWS["uint16"], "uint16")
        path.write_bytes(opencv().imencode(".png", deep[..., ::-1])[1].tobytes())
        return
    eight_bits = to_eight_bits(array, window)
    try:
        Image.fromarray(eight_bits[..., 0] if channels == 1 else eight_bits).save(path)
    except ValueError as error:  # PIL knows no such ending
        raise UserError(f"{path} names no format that pictures can be saved in ({error}); use .png or .tif.") from error
