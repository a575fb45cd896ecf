"""From a file to the values in it: nothing lost, upright, on white, in sRGB."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from translate.data import header, tiff
from translate.data.domain import Array

#: What PIL calls pictures of 16 bits a channel; it has no mode for 16-bit colour.
DEEP_MODES = frozenset({"I;16", "I;16B", "I;16L", "I"})

#: Values that are computed with at a time.
_AT_A_TIME = 1 << 22

#: The tag of EXIF and TIFF that says how a picture is to be turned.
_ORIENTATION = 0x0112


def decode(path: Path) -> Array:
    """The picture in ``path`` as ``(H, W, C)`` of uint8, uint16 or float32, the values as stored.

    It is turned upright by its EXIF orientation and composited on white; 8 bits of another colour space are brought to sRGB, CMYK to RGB.
    Raises ValueError, OSError or whatever a decoder stumbles over.
    """
    with header.PictureFile(path) as file:
        facts, opened = header.examine(file)
        if facts.refusal:
            raise ValueError(facts.refusal)
        if isinstance(opened, tiff.Directory):
            return upright(_deep_tiff(file, opened), opened.orientation)
        if facts.dtype == "uint16" and not (facts.format == "PNG" and opened.mode in DEEP_MODES):
            file.seek(0)
            data = file.read()
            if facts.format == "PNG":
                _check_chunks(data)
            # PIL looks for EXIF behind the pixels, and decodes them for that, so it is only asked where there is some.
            return upright(_by_opencv(data, facts), orientation(opened) if b"eXIf" in data else 1)
        opened.load()
        return from_pil(opened)


def from_pil(image: Image.Image) -> Array:
    """A PIL picture as ``(H, W, C)``, as ``decode`` gives it: C is 1 or 3."""
    return upright(_values(image), orientation(image))


def _values(image: Image.Image) -> Array:
    if image.mode in DEEP_MODES:
        deep = np.asarray(image)
        deep = (deep.clip(0, 65535) if image.mode == "I" else deep).astype(np.uint16)[..., None]
        clear = image.info.get("transparency")
        return np.where(deep == clear, np.uint16(65535), deep) if isinstance(clear, int) else deep
    if image.mode == "F":
        return np.asarray(image)[..., None]
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        image = _pasted_on_white(image, mode)
    elif image.mode == "CMYK":
        image = in_srgb(image)
    else:
        image = in_srgb(image if image.mode == mode else _renamed(image.convert(mode), image))
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[..., None] if mode == "L" else array


def _pasted_on_white(image: Image.Image, mode: str) -> Image.Image:
    whole = image.convert("RGBA")
    alpha, colour = whole.getchannel("A"), _renamed(whole.convert(mode), image)
    del whole  # as large as all the others
    colour = in_srgb(colour)
    result = Image.new(colour.mode, colour.size, "white")
    result.paste(colour, mask=alpha)
    return result


def _renamed(image: Image.Image, original: Image.Image) -> Image.Image:
    """``image`` with the colour profile of the one it was converted from, where that still speaks of it."""
    image.info = {"icc_profile": original.info.get("icc_profile")}
    return image


def in_srgb(image: Image.Image) -> Image.Image:
    """A picture in L, RGB or CMYK brought to sRGB by the profile that it carries; as it is where there is none, or a broken one."""
    profile = image.info.get("icc_profile")
    transform = _to_srgb(profile, image.mode) if isinstance(profile, bytes) and profile else None
    if transform is None:
        return image
    return cast(Image.Image, transform.apply(image))


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> Any:
    """The way from ``profile`` to sRGB, made once for all pictures that carry it; None where it changes nothing or is broken."""
    from PIL import ImageCms

    try:
        way = ImageCms.buildTransform(io.BytesIO(profile), ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "CMYK":
            return way
        # Most profiles are sRGB's own, under many names; rounding would change their pictures for nothing.
        steps = np.arange(0, 256, 15, dtype=np.uint8)
        colours = steps if mode == "L" else np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
        sample = Image.fromarray(np.atleast_2d(colours))
        before, after = (np.asarray(each.convert("RGB")).astype(int) for each in (sample, way.apply(sample)))
        return None if np.abs(before - after).max() <= 1 else way
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of a PIL picture, 1 to 8: 1 is upright. Broken EXIF says nothing."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # whatever damage makes PIL stumble over: the pixels may still be good
        return 1


def upright(array: Array, turn: int) -> Array:
    """``(H, W, C)`` turned as EXIF orientation ``turn`` asks for."""
    if turn not in range(2, 9):
        return array
    if turn >= 5:  # rows are columns
        array = array.swapaxes(0, 1)
    rows = -1 if turn in (3, 4, 7, 8) else 1
    columns = -1 if turn in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(array[::rows, ::columns])


def _deep_tiff(file: IO[bytes], found: tiff.Directory) -> Array:
    if found.is_plain:
        array = tiff.decode(file, found)
    elif found.samples in (1, 3, 4) and not found.planar:
        file.seek(0)
        array = opencv_values(file.read())
        if found.dtype == "uint16":  # OpenCV stretches 10 to 14 bits to 16
            array = cast(NDArray[np.uint16], array) >> np.uint16(16 - found.bits)
    else:
        raise ValueError(
            f"TIFF compression {found.compression} is not known for {found.samples} channels of {found.bits} bits; save it uncompressed"
        )
    if array.shape != (found.height, found.width, found.samples):
        raise ValueError("its pixels are not those that its header speaks of")
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
            array = array.astype(np.float32)
    top = (1 << found.bits) - 1
    if found.photometric == tiff.WHITE_IS_ZERO and array.dtype.kind == "u":
        array = (top - array).astype(array.dtype)
    if found.alpha:
        array = on_white(array, associated=found.extra == (1,))
    if found.photometric in (tiff.YCBCR, tiff.LAB) or (found.photometric == tiff.CMYK and array.dtype.kind == "f"):
        raise ValueError(f"its colours (TIFF photometric {found.photometric}) are known with 8 bits only; save it as RGB")
    if found.photometric == tiff.CMYK and array.shape[2] == 4:
        array = _by_rows(array, lambda part: _rgb_of_cmyk(part, top))
    return array


def _rgb_of_cmyk(array: Array, top: int) -> Array:
    light = top - array.astype(np.uint64)
    return ((light[..., :3] * light[..., 3:] + top // 2) // top).astype(array.dtype)


def on_white(array: Array, associated: bool = False) -> Array:
    """``(H, W, C + 1)``, the last channel how opaque it is, as ``(H, W, C)`` on white.

    ``associated`` colours have been multiplied by it already. White is the largest integer of the dtype, 1 for floats.
    """
    return _by_rows(array, lambda part: _on_white(part, associated))


def _on_white(array: Array, associated: bool) -> Array:
    if array.dtype.kind == "f":
        floats = cast(NDArray[np.float32], array)
        clear = 1 - floats[..., -1:]
        return (floats[..., :-1] if associated else floats[..., :-1] * floats[..., -1:]) + clear
    top = (1 << 8 * array.dtype.itemsize) - 1
    wide = array.astype(np.uint32)
    colour, alpha = wide[..., :-1], wide[..., -1:]
    shown = colour + (top - alpha) if associated else (colour * alpha + (top - alpha) * top + top // 2) // top
    return shown.clip(0, top).astype(array.dtype)


def _by_rows(array: Array, change: Callable[[Array], Array]) -> Array:
    """``change`` of ``(H, W, C)``, some rows at a time: wider numbers of all of a large scan would take gigabytes."""
    step = max(1, _AT_A_TIME // (array.shape[1] * array.shape[2]))
    return np.concatenate([change(array[top : top + step]) for top in range(0, len(array), step)])


def _check_chunks(data: bytes) -> None:
    """Raise ValueError unless the parts of a PNG are whole: OpenCV sets aside whatever length a damaged one claims."""
    at, whole = 8, memoryview(data)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(whole[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError("the checksum of a part of it is wrong")
        if kind == b"IEND":
            return
        at = end + 4
    raise ValueError("the file ends too early")


def _by_opencv(data: bytes, facts: header.Facts) -> Array:
    array = opencv_values(data)
    if array.shape[:2] != (facts.height, facts.width) or array.dtype != facts.dtype:
        raise ValueError("its pixels are not those that its header speaks of")
    array = on_white(array) if array.shape[2] == 4 else array
    return array[..., : facts.channels]  # grey with alpha comes as three equal colours


def opencv_values(data: bytes) -> Array:
    """What OpenCV reads in ``data``, ``(H, W, C)``, in the order red, green, blue, alpha. Raises ValueError where it reads nothing."""
    cv2 = opencv()
    try:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError("OpenCV cannot decode it") from error
    if array is None:
        raise ValueError("OpenCV cannot decode it")
    array = array[..., None] if array.ndim == 2 else array
    return cast(Array, array[..., [2, 1, 0, *range(3, array.shape[2])]] if array.shape[2] >= 3 else array)


@lru_cache(maxsize=1)
def opencv() -> ModuleType:
    """The module cv2, which writes nothing about damaged files to the terminal."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
