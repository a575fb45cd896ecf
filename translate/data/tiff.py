"""TIFF pictures that PIL has no mode for: any number of channels of 8 to 64 bits, integers or floats, packed not at all or by Deflate.

The format is that of Adobe's TIFF 6.0 with its technical note 3 (floating-point predictor), and of BigTIFF. Only the first picture of a
file is looked at.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from translate.data.domain import Array

#: Ways of packing that are read here; OpenCV knows the others for up to four channels.
UNPACKED, DEFLATE, OLD_DEFLATE = 1, 8, 32946

#: What the numbers of a pixel are, by the tag PhotometricInterpretation.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8

#: Samples of a pixel that its colour takes; those beyond it are extra.
_COLOUR_SAMPLES = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}

#: Integer types of the values of a tag, as `struct` writes them.
_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}

#: A damaged header may claim any number of values; a picture of one row a strip has as many as rows.
_MOST_VALUES = 1 << 20

#: Tiles reach over the edge of a picture; what they hold beyond it is bounded by this many bytes and three times the picture.
_MOST_PADDING = 1 << 26


@dataclass(frozen=True)
class Directory:
    """What a TIFF file says of its first picture, as far as reading it needs. ``kind`` is u, i or f: unsigned, signed, float."""

    order: str
    width: int
    height: int
    samples: int
    bits: int
    kind: str
    photometric: int
    compression: int
    predictor: int
    planar: bool
    extra: tuple[int, ...]
    orientation: int
    tiled: bool
    chunk: tuple[int, int]
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    several: bool

    @property
    def alpha(self) -> bool:
        """Whether the last sample of a pixel is how opaque it is: it is said to be, or a fourth one of RGB of which nothing is said."""
        colours = _COLOUR_SAMPLES.get(self.photometric, self.samples)
        return self.samples == colours + 1 and (self.extra in ((1,), (2,)) or (not self.extra and self.photometric == RGB))

    @property
    def channels(self) -> int:
        """Channels of the picture: 1 for grey, 3 for colour whatever it is written as, all samples where there are others."""
        colours = _COLOUR_SAMPLES.get(self.photometric, self.samples)
        if self.samples > colours and not self.alpha:
            return self.samples
        return 3 if self.photometric in (PALETTE, CMYK) else colours

    @property
    def is_plain(self) -> bool:
        """Whether ``decode`` knows how its samples are packed."""
        return self.compression in (UNPACKED, DEFLATE, OLD_DEFLATE) and self.bits in (8, 16, 32, 64)

    @property
    def dtype(self) -> str:
        """What its values fit in: uint8, uint16 or, for floats and signed or longer integers, float32."""
        return "float32" if self.kind != "u" or self.bits > 16 else "uint16" if self.bits > 8 else "uint8"


def directory(file: IO[bytes]) -> Directory:
    """The first directory of a TIFF file. Raises ValueError where it makes no sense."""
    tags, order, several = _tags(file)

    def one(tag: int, default: int = 0) -> int:
        return tags.get(tag, (default,))[0]

    width, height, samples, bits = one(256), one(257), one(277, 1), one(258, 1)
    if not (width and height and samples and bits):
        raise ValueError("its TIFF header gives no size")
    if len(set(tags.get(258, ()))) > 1 or len(set(tags.get(339, ()))) > 1:
        raise ValueError("its channels are of different depths")
    tiled = 322 in tags
    chunk = (one(323), one(322)) if tiled else (min(one(278, height), height), width)
    if not all(chunk):
        raise ValueError("its TIFF header gives parts without a size")
    return Directory(
        order=order,
        width=width,
        height=height,
        samples=samples,
        bits=bits,
        kind={2: "i", 3: "f"}.get(one(339, 1), "u"),
        photometric=one(262, BLACK_IS_ZERO),
        compression=one(259, UNPACKED),
        predictor=one(317, 1),
        planar=one(284, 1) == 2 and samples > 1,
        extra=tags.get(338, ()),
        orientation=one(274, 1),
        tiled=tiled,
        chunk=chunk,
        offsets=tags.get(324 if tiled else 273, ()),
        lengths=tags.get(325 if tiled else 279, ()),
        several=several,
    )


def _tags(file: IO[bytes]) -> tuple[Mapping[int, tuple[int, ...]], str, bool]:
    """The integer tags of the first directory, the byte order, and whether another directory follows."""
    file.seek(0)
    start = _exactly(file, 8)
    order = "<" if start[:2] == b"II" else ">"
    big = struct.unpack(f"{order}H", start[2:4])[0] == 43
    pointer, counter, room = ("Q", "Q", 8) if big else ("I", "H", 4)
    size = struct.calcsize(pointer)
    file.seek(struct.unpack(f"{order}{pointer}", _exactly(file, 8) if big else start[4:])[0])
    (count,) = struct.unpack(f"{order}{counter}", _exactly(file, struct.calcsize(counter)))
    if count > 4096:
        raise ValueError(f"its TIFF header claims {count} tags")
    entries = _exactly(file, count * (4 + size + room))
    (following,) = struct.unpack(f"{order}{pointer}", (file.read(size) + bytes(size))[:size])
    tags: dict[int, tuple[int, ...]] = {}
    for position in range(0, len(entries), 4 + size + room):
        tag, kind, values = struct.unpack_from(f"{order}HH{pointer}", entries, position)
        if kind not in _TYPES or not values:
            continue
        if values > _MOST_VALUES:
            raise ValueError(f"its TIFF header claims {values} values of tag {tag}")
        layout = f"{order}{values}{_TYPES[kind]}"
        data = entries[position + 4 + size :][:room]
        if struct.calcsize(layout) > room:
            file.seek(struct.unpack(f"{order}{pointer}", data)[0])
            data = _exactly(file, struct.calcsize(layout))
        tags[tag] = struct.unpack_from(layout, data)
    return tags, order, bool(following)


def _exactly(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise ValueError("the file ends too early")
    return data


def decode(file: IO[bytes], found: Directory) -> Array:
    """The samples of a picture that ``is_plain`` as they are stored, ``(H, W, samples)``, in the byte order of this machine.

    Raises ValueError where the file does not hold them.
    """
    dtype = np.dtype(f"{found.order}{found.kind}{found.bits // 8}")
    rows, columns = found.chunk
    planes, depth = (found.samples, 1) if found.planar else (1, found.samples)
    across, down = math.ceil(found.width / columns), math.ceil(found.height / rows)
    wanted = planes * across * down
    bytes_of_picture = found.width * found.height * found.samples * dtype.itemsize
    if wanted * rows * columns * depth * dtype.itemsize > 4 * bytes_of_picture + _MOST_PADDING:
        raise ValueError("its tiles are far larger than the picture")
    if min(len(found.offsets), len(found.lengths)) < wanted:
        raise ValueError(f"{wanted} parts are needed, and its header lists {min(len(found.offsets), len(found.lengths))}")
    result = np.empty((found.height, found.width, found.samples), dtype.newbyteorder("="))
    for number, (offset, length) in enumerate(zip(found.offsets[:wanted], found.lengths, strict=False)):
        plane, place = divmod(number, across * down)
        top, left = place // across * rows, place % across * columns
        tall = rows if found.tiled else min(rows, found.height - top)
        data = _unpacked(file, offset, length, tall * columns * depth * dtype.itemsize, found.compression)
        part = _undone(data, (tall, columns, depth), dtype, found.predictor)[: found.height - top, : found.width - left]
        result[top : top + part.shape[0], left : left + part.shape[1], plane : plane + depth] = part
    return result


def _unpacked(file: IO[bytes], offset: int, length: int, size: int, compression: int) -> bytes:
    file.seek(offset)
    data = file.read(size if compression == UNPACKED else length)
    if compression != UNPACKED:
        try:
            data = zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise ValueError(f"a part of it cannot be unpacked: {error}") from error
    if len(data) < size:
        raise ValueError("the file ends too early")
    return data


def _undone(data: bytes, shape: tuple[int, int, int], dtype: np.dtype[np.generic], predictor: int) -> Array:
    """The samples of one part, ``shape``, of which ``predictor`` says how they were written as differences."""
    rows, columns, depth = shape
    if predictor == 3 and dtype.kind == "f":
        # Differences of bytes, which stand with all first (highest) bytes of a row before all second ones.
        steps = np.frombuffer(data, np.uint8).reshape(rows, columns * dtype.itemsize, depth)
        sums = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(rows, dtype.itemsize, columns * depth)
        return np.ascontiguousarray(sums.swapaxes(1, 2)).view(dtype.newbyteorder(">")).reshape(shape)
    values = np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    if predictor == 2:
        whole: NDArray[np.unsignedinteger] = values.view(f"u{dtype.itemsize}")
        return np.cumsum(whole, axis=1, dtype=whole.dtype).view(values.dtype)
    if predictor != 1:
        raise ValueError(f"TIFF predictor {predictor} is not known")
    return values


def write(path: Path, array: Array) -> None:
    """Write ``(H, W, C)`` of uint8, uint16 or float32 to ``path``, uncompressed: RGB where C is 3, otherwise plain channels."""
    height, width, channels = array.shape
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    tags: list[tuple[int, str, list[int]]] = [
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [array.dtype.itemsize * 8] * channels),
        (259, "H", [UNPACKED]),
        (262, "H", [RGB if channels == 3 else BLACK_IS_ZERO]),
        (273, "I", [8]),
        (277, "H", [channels]),
        (278, "I", [height]),
        (279, "I", [len(data)]),
        *([] if channels in (1, 3) else [(338, "H", [0] * (channels - 1))]),
        (339, "H", [3 if array.dtype.kind == "f" else 1] * channels),
    ]
    # The pixels, the values that do not fit into their tag, the directory.
    position, longer, entries = 8 + len(data) + len(data) % 2, b"", b""
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values)}{kind}", *values)
        if len(packed) > 4:
            longer, packed = longer + packed, struct.pack("<I", position + len(longer))
        entries += struct.pack("<HHI4s", tag, {"H": 3, "I": 4}[kind], len(values), packed)
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, position + len(longer)))
        file.write(data + bytes(len(data) % 2) + longer)
        file.write(struct.pack("<H", len(tags)) + entries + bytes(4))
