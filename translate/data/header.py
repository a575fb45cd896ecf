"""What a picture's header says of it: read in microseconds, before anything is decoded."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from translate.data import tiff

#: No picture of more pixels is decoded, nor one that would take more bytes than colour of 16 bits does: a header of a hundred bytes may
#: claim any size. Cameras have 100 million pixels.
MOST_PIXELS = 1 << 27
MOST_BYTES = 6 * MOST_PIXELS

#: How files of each format begin, and PIL's reader of it. Others are not tried: some of PIL's run programs.
_FORMATS: dict[str, tuple[bytes, Callable[[IO[bytes]], ImageFile]]] = {
    "JPEG": (rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    "PNG": (rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    "WebP": (rb"RIFF....WEBP", WebPImagePlugin.WebPImageFile),
    "BMP": (rb"BM", BmpImagePlugin.BmpImageFile),
    "TIFF": (rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile),
    "PPM": (rb"P[1-6]\s", PpmImagePlugin.PpmImageFile),
    "GIF": (rb"GIF8[79]a", GifImagePlugin.GifImageFile),
}

#: What the formats that are read are called.
FORMATS = tuple(_FORMATS)

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B"})

#: The start of a PPM or PGM file up to its largest value; blanks and comments stand between the numbers.
_PPM = re.compile(rb"P[2356](?:(?:\s|#[^\r\n]*[\r\n])+\d+){2}(?:\s|#[^\r\n]*[\r\n])+(\d+)")


@dataclass(frozen=True)
class Facts:
    """What a picture's header says of it.

    ``width`` and ``height`` are pixels as stored, before it is turned upright. ``channels`` are 1 for grey, 3 for colour, or as many as
    there are, without ``alpha``. ``dtype`` is what holds its values: uint8, uint16, or float32 for floats and signed or longer integers.
    ``several`` says that the file holds more pictures than the one that is read, the first.
    """

    format: str
    width: int
    height: int
    channels: int
    dtype: str
    alpha: bool
    several: bool

    @property
    def is_plain(self) -> bool:
        """Whether it is grey or colour of 8 bits, which PIL holds without loss."""
        return self.dtype == "uint8" and self.channels in (1, 3)

    @property
    def refusal(self) -> str | None:
        """Why a picture of this size is not decoded, as part of a sentence; None where it is."""
        size = f"it has {self.width}x{self.height} pixels"
        if self.width * self.height > MOST_PIXELS:
            return f"{size}, and at most {MOST_PIXELS} are read; make it smaller"
        if self.width * self.height * (self.channels + self.alpha) * np.dtype(self.dtype).itemsize > MOST_BYTES:
            return (
                f"{size} of {self.channels} channels in {self.dtype}, and at most {MOST_BYTES >> 20} MB are read; make it smaller"
            )
        return None


class PictureFile(io.BufferedReader):
    """A file open for reading, which sets aside no more memory than it is long, however much a damaged header wants to be read."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._length = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """At most ``size`` bytes, or all that are left."""
        return super().read(-1 if size is None else min(size, self._length))


def probe(path: Path) -> Facts | None:
    """What the header of the picture in ``path`` says; None where the file is no picture. Nothing is decoded."""
    try:
        with PictureFile(path) as file:
            return examine(file)[0]
    except MemoryError:
        raise
    except Exception:  # PIL's readers raise whatever damage makes them stumble over
        return None


def examine(file: IO[bytes]) -> tuple[Facts, ImageFile | tiff.Directory]:
    """The facts of the picture in ``file``, and how to go on: PIL's picture, or the directory of a TIFF that is not for PIL.

    Raises ValueError where it is of no known format, and whatever PIL raises where it is damaged.
    """
    start = file.read(1024)
    name = next((name for name, (magic, _) in _FORMATS.items() if re.match(magic, start, re.DOTALL)), None)
    if name is None:
        raise ValueError("the file is empty" if not start else "its format is not known")
    if name == "TIFF":
        found = tiff.directory(file)
        facts = Facts(name, found.width, found.height, found.channels, found.dtype, found.alpha, found.several)
        if found.dtype != "uint8" or found.channels not in (1, 3):
            return facts, found
        image = _opened(name, file)
        if image.width * image.height != found.width * found.height:
            raise ValueError("its header gives two sizes")
        return facts, image
    image = _opened(name, file)
    deep, grey = False, image.mode in _GREY_MODES
    if name == "PNG":  # PIL's mode does not tell 16 bits of colour from 8
        deep, grey = start[24] == 16, start[25] in (0, 4)
    elif name == "PPM" and (found_maximum := _PPM.match(start)):
        deep = int(found_maximum[1]) > 255
    several = getattr(image, "n_frames", 1) > 1
    width, height = image.size
    dtype = "uint16" if deep else "uint8"
    return Facts(name, width, height, 1 if grey else 3, dtype, image.has_transparency_data, several), image


def _opened(name: str, file: IO[bytes]) -> ImageFile:
    # Not by Image.open, which warns of large pictures and knows formats that are not to be tried. Without a file name PIL maps nothing
    # into memory, and a file cut short while it is read is no bus error.
    file.seek(0)
    try:
        return _FORMATS[name][1](file)
    except SyntaxError as error:
        raise ValueError(f"its {name} header is damaged: {error}") from error
