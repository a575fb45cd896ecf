"""Odd pictures, and what is in them: files put together byte by byte or by PIL, beside the arrays that they were made of."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Odd:
    """A file, and the array that is to be read from it, or the reason why none is. ``off`` is by how much lossy formats may differ."""

    name: str
    data: bytes
    expected: np.ndarray | str
    off: float = 0

    def __repr__(self) -> str:
        return self.name


def noise(shape, dtype="uint8", top=None, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.uniform(-3, 5, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, (top or limits.max) + 1, shape).astype(dtype)


# PNG


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, bits):
    """``(H, W)`` or ``(H, W, C)`` as rows of bytes, the first value in the highest bits."""
    if bits in (8, 16):
        return [row.astype(f">u{bits // 8}").tobytes() for row in rows]
    planes = (rows[..., None] >> np.arange(bits)[::-1]) & 1
    return [np.packbits(row.astype(np.uint8)).tobytes() for row in planes]


def png(array, bits=8, colour=None, before=(), after=(), interlaced=False):
    """``(H, W, C)`` as PNG; ``before`` and ``after`` the pixels stand further chunks."""
    height, width, channels = array.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour is None else colour
    steps = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]  # Adam7
    parts = [array[y::dy, x::dx] for y, x, dy, dx in steps] if interlaced else [array]
    rows = [b"\0" + row for part in parts if part.size for row in packed(part, bits)]
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    middle = [chunk(b"IHDR", header), *before, chunk(b"IDAT", zlib.compress(b"".join(rows))), *after, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(middle)


def orientation(turn):
    """EXIF that says how the picture is to be turned."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, turn, 0, 0)


# TIFF


def tiff(
    array,
    *,
    photometric=None,
    extra=(),
    order="<",
    deflate=False,
    predictor=1,
    planar=False,
    tile=None,
    bits=None,
    big=False,
    more=(),
    following=0,
):
    """``(H, W, C)`` as TIFF of strips of two rows or of tiles, ``tile`` = (height, width)."""
    height, width, samples = array.shape
    photometric = (2 if samples in (3, 4) else 1) if photometric is None else photometric
    rows, columns = tile or (2, width)
    planes = [array[..., [index]] for index in range(samples)] if planar else [array]
    parts = []
    for plane, top, left in itertools.product(planes, range(0, height, rows), range(0, width, columns)):
        part = plane[top : top + rows, left : left + columns]
        if tile:
            part = np.pad(part, ((0, rows - part.shape[0]), (0, columns - part.shape[1]), (0, 0)))
        if predictor == 2:
            whole = part.view(f"u{part.itemsize}")
            part = np.concatenate([whole[:, :1], whole[:, 1:] - whole[:, :-1]], axis=1)
        data = b"".join(packed(part, bits)) if bits else part.astype(part.dtype.newbyteorder(order)).tobytes()
        if predictor == 3:
            shuffled = part.astype(part.dtype.newbyteorder(">")).view(np.uint8).reshape(part.shape[0], -1, part.itemsize)
            flat = shuffled.swapaxes(1, 2).reshape(part.shape[0], -1, part.shape[2])
            data = np.concatenate([flat[:, :1], flat[:, 1:] - flat[:, :-1]], axis=1).tobytes()
        parts.append(zlib.compress(data) if deflate else data)
    kind = {"u": 1, "i": 2, "f": 3}[array.dtype.kind]
    offsets = list(itertools.accumulate((len(part) for part in parts), initial=16))
    where = [(322, 4, [columns]), (323, 4, [rows])] if tile else [(278, 4, [rows])]
    tags = {
        tag: (type_, values)
        for tag, type_, values in [
            (256, 4, [width]),
            (257, 4, [height]),
            (258, 3, [bits or array.itemsize * 8] * samples),
            (259, 3, [8 if deflate else 1]),
            (262, 3, [photometric]),
            (324 if tile else 273, 4, offsets[:-1]),
            (277, 3, [samples]),
            (325 if tile else 279, 4, [len(part) for part in parts]),
            (284, 3, [2 if planar else 1]),
            (317, 3, [predictor]),
            (339, 3, [kind] * samples),
            *where,
            *([(338, 3, list(extra))] if extra else []),
            *more,
        ]
    }
    pointer, room, entry = ("Q", 8, f"{order}HHQ") if big else ("I", 4, f"{order}HHI")
    position, longer, entries = offsets[-1], b"", b""
    for tag, (type_, values) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(values)}{'H' if type_ == 3 else 'I'}", *values)
        if len(data) > room:
            longer, data = longer + data, struct.pack(f"{order}{pointer}", position + len(longer))
        entries += struct.pack(entry, tag, type_, len(values)) + data.ljust(room, b"\0")
    first = position + len(longer)
    mark = b"II" if order == "<" else b"MM"
    start = struct.pack(f"{order}HHHQ", 43, 8, 0, first) if big else struct.pack(f"{order}HI", 42, first)
    counted = struct.pack(f"{order}{'Q' if big else 'H'}", len(tags))
    end = struct.pack(f"{order}{pointer}", following and first)
    return (mark + start).ljust(16, b"\0") + b"".join(parts) + longer + counted + entries + end


# Others


def saved(image, kind, **options):
    """What PIL writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bmp(array, top_down=False):
    """``(H, W, 3)`` as a BMP of 24 bits: blue, green, red, from below."""
    height, width, _ = array.shape
    rows = [row[:, ::-1].tobytes().ljust(-(-width * 3 // 4) * 4, b"\0") for row in (array if top_down else array[::-1])]
    size = struct.pack("<IiiHHIIiiII", 40, width, -height if top_down else height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(b"".join(rows)), 0, 0, 54) + size + b"".join(rows)


def linear_profile():
    """An ICC profile of sRGB's primaries (adapted to D50) in which values are proportional to light."""
    fixed = lambda *values: b"".join(struct.pack(">i", round(value * 65536)) for value in values)  # noqa: E731
    xyz = lambda *values: b"XYZ \0\0\0\0" + fixed(*values)  # noqa: E731
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)  # no entries: the identity
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"linear\0" + bytes(79),
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"rXYZ": xyz(0.4360, 0.2225, 0.0139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7139),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    rest = struct.pack(">I", len(tags)) + table + body
    head = struct.pack(">I4sI4s4s4s", 128 + len(rest), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp"
    return head.ljust(68, b"\0") + fixed(0.9642, 1, 0.8249).ljust(60, b"\0") + rest


def to_srgb(linear):
    """Values proportional to light as sRGB has them (IEC 61966-2-1), of 0 to 255 both."""
    light = linear / 255
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def on_white(colour, alpha, top):
    """The colours where ``alpha`` is ``top``, white where it is 0."""
    return np.rint(colour * (alpha / top) + (top - alpha)).astype(colour.dtype)


def rgb_of_cmyk(array, top):
    return np.rint((top - array[..., :3].astype(float)) * (top - array[..., 3:].astype(float)) / top).astype(array.dtype)


def repeated(values):
    return np.array(values)[..., None]


GREY, COLOUR = noise((5, 7, 1)), noise((5, 7, 3))
DEEP, DEEP_COLOUR = noise((5, 7, 1), "uint16"), noise((5, 7, 3), "uint16")
TWELVE = noise((5, 7, 3), "uint16", top=4095)
SIX = noise((5, 7, 6), "uint16")
FLOATS = noise((5, 7, 3), "float32")
SMALL = noise((5, 7, 1), top=3)
ALPHA = noise((5, 7, 1), seed=1)
DEEP_ALPHA = noise((5, 7, 1), "uint16", seed=1)
PALETTE = noise((4, 3), seed=2)
EXIF = chunk(b"eXIf", orientation(6))
TURNED = np.rot90  # orientation 6 asks for a quarter to the right
GREY_L, COLOUR_RGB = Image.fromarray(GREY[..., 0]), Image.fromarray(COLOUR)
CMYK = noise((5, 7, 4))
BAND = np.concatenate([np.full((8, 8, 3), value, np.uint8) for value in (10, 90, 200)])
LINEAR = noise((5, 7, 3))
CLEAR = struct.pack(">H", DEEP[0, 0, 0])
CLEAR_COLOUR = struct.pack(">3H", *DEEP_COLOUR[0, 0])
WITHOUT_FIRST = [np.where((each == each[0, 0]).all(axis=2, keepdims=True), 65535, each) for each in (DEEP, DEEP_COLOUR)]
LZW = saved(Image.fromarray(DEEP[..., 0]), "TIFF", compression="tiff_lzw")
FRAMES = [Image.fromarray(each) for each in (COLOUR, 255 - COLOUR)]

PNG_FILES = [
    Odd("grey-1-bit.png", png(SMALL & 1, 1), (SMALL & 1) * 255),
    Odd("grey-2-bits.png", png(SMALL, 2), SMALL * 85),
    Odd("grey-4-bits.png", png(SMALL, 4), SMALL * 17),
    Odd("grey.png", png(GREY), GREY),
    Odd("grey-16-bits.png", png(DEEP, 16), DEEP),
    Odd("colour.png", png(COLOUR), COLOUR),
    Odd("colour-16-bits.png", png(DEEP_COLOUR, 16), DEEP_COLOUR),
    Odd("colour-12-bits-in-16.png", png(TWELVE, 16), TWELVE),
    Odd("palette-2-bits.png", png(SMALL, 2, 3, [chunk(b"PLTE", PALETTE.tobytes())]), PALETTE[SMALL[..., 0]]),
    Odd(
        "palette-with-a-clear-colour.png",
        png(SMALL, 8, 3, [chunk(b"PLTE", PALETTE.tobytes()), chunk(b"tRNS", b"\xff\0")]),
        np.where(SMALL == 1, 255, PALETTE[SMALL[..., 0]]).astype(np.uint8),
    ),
    Odd("grey-alpha.png", png(np.dstack([GREY, ALPHA])), on_white(GREY, ALPHA, 255)),
    Odd("grey-alpha-16-bits.png", png(np.dstack([DEEP, DEEP_ALPHA]), 16), on_white(DEEP, DEEP_ALPHA, 65535)),
    Odd("colour-alpha.png", png(np.dstack([COLOUR, ALPHA])), on_white(COLOUR, ALPHA, 255)),
    Odd("colour-alpha-16-bits.png", png(np.dstack([DEEP_COLOUR, DEEP_ALPHA]), 16), on_white(DEEP_COLOUR, DEEP_ALPHA, 65535)),
    Odd("grey-16-bits-with-a-clear-grey.png", png(DEEP, 16, None, [chunk(b"tRNS", CLEAR)]), WITHOUT_FIRST[0]),
    Odd("colour-16-bits-with-a-clear-colour.png", png(DEEP_COLOUR, 16, None, [chunk(b"tRNS", CLEAR_COLOUR)]), WITHOUT_FIRST[1]),
    Odd("interlaced.png", png(COLOUR, interlaced=True), COLOUR),
    Odd("interlaced-16-bits.png", png(DEEP_COLOUR, 16, interlaced=True), DEEP_COLOUR),
    Odd("turned.png", png(COLOUR, before=[EXIF]), TURNED(COLOUR, -1)),
    Odd("turned-16-bits.png", png(DEEP_COLOUR, 16, before=[EXIF]), TURNED(DEEP_COLOUR, -1)),
    Odd("turned-as-it-says-at-the-end.png", png(DEEP_COLOUR, 16, after=[EXIF]), TURNED(DEEP_COLOUR, -1)),
    Odd("broken-exif.png", png(COLOUR, before=[chunk(b"eXIf", b"MM\0*\xff\xff")]), COLOUR),
    Odd(
        "linear-light.png",
        png(LINEAR, before=[chunk(b"iCCP", b"x\0\0" + zlib.compress(linear_profile()))]),
        np.rint(to_srgb(LINEAR)).astype(np.uint8),
        off=1,
    ),
    Odd("broken-profile.png", png(COLOUR, before=[chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile"))]), COLOUR),
    Odd("animated.png", saved(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), COLOUR),
]

TIFF_FILES = [
    Odd("grey.tif", tiff(GREY), GREY),
    Odd("bilevel.tif", tiff(SMALL & 1, bits=1), (SMALL & 1) * 255),
    Odd("grey-from-white.tif", tiff(GREY, photometric=0), 255 - GREY),
    Odd("grey-16-bits-from-white.tif", tiff(DEEP, photometric=0), 65535 - DEEP),
    Odd("grey-16-bits-big-endian.tif", tiff(DEEP, order=">"), DEEP),
    Odd("grey-16-bits-lzw.tif", LZW, DEEP),
    Odd("colour-16-bits-deflate-differences.tif", tiff(DEEP_COLOUR, deflate=True, predictor=2), DEEP_COLOUR),
    Odd("colour-16-bits-in-tiles.tif", tiff(DEEP_COLOUR, tile=(16, 16)), DEEP_COLOUR),
    Odd("colour-16-bits-in-planes.tif", tiff(DEEP_COLOUR, planar=True, order=">", deflate=True), DEEP_COLOUR),
    Odd("big-tiff.tif", tiff(DEEP_COLOUR, big=True), DEEP_COLOUR),
    Odd("floats.tif", tiff(FLOATS), FLOATS),
    Odd("grey-floats.tif", tiff(FLOATS[..., :1], order=">"), FLOATS[..., :1]),
    Odd("floats-differences-of-bytes.tif", tiff(FLOATS, deflate=True, predictor=3), FLOATS),
    Odd("half-floats.tif", tiff(FLOATS.astype(np.float16)), FLOATS.astype(np.float16).astype(np.float32)),
    Odd("doubles.tif", tiff(FLOATS.astype(np.float64) / 3), (FLOATS.astype(np.float64) / 3).astype(np.float32)),
    Odd("signed.tif", tiff(noise((5, 7, 1), "int16")), noise((5, 7, 1), "int16").astype(np.float32)),
    Odd("32-bits.tif", tiff(noise((5, 7, 1), "uint32", top=1 << 24)), noise((5, 7, 1), "uint32", top=1 << 24).astype(np.float32)),
    Odd("6-channels.tif", tiff(SIX, extra=[0] * 5, photometric=1), SIX),
    Odd("6-channels-in-planes.tif", tiff(SIX, extra=[0] * 5, planar=True, tile=(16, 16), deflate=True), SIX),
    Odd("5-channels-8-bits.tif", tiff(noise((5, 7, 5)), extra=[0] * 4), noise((5, 7, 5))),
    Odd("2-channels.tif", tiff(noise((5, 7, 2)), extra=[0]), noise((5, 7, 2))),
    Odd("colour-and-infrared.tif", tiff(noise((5, 7, 4), "uint16"), extra=[0]), noise((5, 7, 4), "uint16")),
    Odd("alpha.tif", tiff(np.dstack([DEEP_COLOUR, DEEP_ALPHA]), extra=[2]), on_white(DEEP_COLOUR, DEEP_ALPHA, 65535)),
    Odd(
        "alpha-multiplied-in.tif",
        tiff(np.dstack([DEEP_COLOUR // 2, np.full_like(DEEP, 32768)]), extra=[1]),
        (DEEP_COLOUR // 2 + 32767).astype(np.uint16),
    ),
    Odd(
        "float-alpha.tif",
        tiff(np.dstack([FLOATS, np.full_like(FLOATS[..., :1], 0.25)]), extra=[2]),
        FLOATS / 4 + np.float32(0.75),
    ),
    Odd("cmyk.tif", tiff(CMYK, photometric=5), rgb_of_cmyk(CMYK, 255), off=1),
    Odd("cmyk-16-bits.tif", tiff(CMYK.astype(np.uint16) * 257, photometric=5), rgb_of_cmyk(CMYK.astype(np.uint16) * 257, 65535)),
    Odd("two-pages.tif", saved(FRAMES[0], "TIFF", save_all=True, append_images=FRAMES[1:]), COLOUR),
    Odd("turned.tif", tiff(COLOUR, more=[(274, 3, [6])]), TURNED(COLOUR, -1)),
    Odd("turned-16-bits.tif", tiff(DEEP_COLOUR, more=[(274, 3, [8])]), TURNED(DEEP_COLOUR, 1)),
]

OTHER_FILES = [
    Odd("grey.pgm", b"P5 7 5 255\n" + GREY.tobytes(), GREY),
    Odd("colour.ppm", b"P6\n# a comment\n7 5\n255\n" + COLOUR.tobytes(), COLOUR),
    Odd("grey-12-bits.pgm", b"P5 7 5 4095\n" + TWELVE[..., :1].astype(">u2").tobytes(), TWELVE[..., :1]),
    Odd("colour-16-bits.ppm", b"P6\n7 5 # big\n65535\n" + DEEP_COLOUR.astype(">u2").tobytes(), DEEP_COLOUR),
    Odd("written-out.ppm", b"P3 7 5 255\n" + " ".join(map(str, COLOUR.ravel())).encode() + b"\n", COLOUR),
    Odd("written-out-16-bits.pgm", b"P2 7 5 65535\n" + " ".join(map(str, DEEP.ravel())).encode() + b"\n", DEEP),
    Odd("4-levels.pgm", b"P5 7 5 3\n" + SMALL.tobytes(), SMALL * 85),
    Odd("bits.pbm", b"P4 7 5\n" + b"".join(packed(SMALL & 1, 1)), 255 - (SMALL & 1) * 255),
    Odd("colour.bmp", bmp(COLOUR), COLOUR),
    Odd("from-above.bmp", bmp(COLOUR, top_down=True), COLOUR),
    Odd("grey.bmp", saved(GREY_L, "BMP"), GREY),
    Odd("lossless.webp", saved(COLOUR_RGB, "WEBP", lossless=True), COLOUR),
    Odd("turned.webp", saved(COLOUR_RGB, "WEBP", lossless=True, exif=b"Exif\0\0" + orientation(6)), TURNED(COLOUR, -1)),
    Odd("lossy.webp", saved(Image.fromarray(BAND), "WEBP", quality=100), BAND, off=4),
    Odd("grey.jpg", saved(Image.fromarray(BAND[..., 0]), "JPEG", quality=100), BAND[..., :1], off=1),
    Odd("colour.jpg", saved(Image.fromarray(BAND), "JPEG", quality=100), BAND, off=1),
    Odd("progressive.jpg", saved(Image.fromarray(BAND), "JPEG", quality=100, progressive=True), BAND, off=1),
    Odd(
        "turned.jpg",
        saved(Image.fromarray(BAND), "JPEG", quality=100, exif=b"Exif\0\0" + orientation(6)),
        TURNED(BAND, -1),
        off=1,
    ),
    Odd(
        "cmyk.jpg",
        saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100),
        np.full((8, 8, 3), (255, 0, 0)),
        off=2,
    ),
    Odd(
        "linear-light.jpg",
        saved(Image.fromarray(BAND), "JPEG", quality=100, icc_profile=linear_profile()),
        np.rint(to_srgb(BAND)).astype(np.uint8),
        off=5,  # where it is dark, sRGB stretches the loss
    ),
    Odd("animated.gif", saved(FRAMES[0].quantize(256, 2), "GIF", save_all=True, append_images=FRAMES[1:]), COLOUR, off=90),
    Odd("a-png-by-another-name.jpg", png(COLOUR), COLOUR),
    Odd("without an ending", png(COLOUR), COLOUR),
    Odd("日本 über 🐎.tif", tiff(DEEP_COLOUR), DEEP_COLOUR),
    Odd("two\nlines.png", png(DEEP_COLOUR, 16), DEEP_COLOUR),
    Odd("x" * 251 + ".png", png(COLOUR), COLOUR),
]

HUGE = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"")
NOT_FINITE = np.where(FLOATS > 4, np.nan, FLOATS)

DAMAGED_FILES = [
    Odd("empty.png", b"", "the file is empty"),
    Odd("no-pixels.ppm", b"P6 0 5 255\n", "its PPM header is damaged"),
    Odd("no-pixels.png", png(COLOUR[:, :0]), "its PNG header is damaged"),
    Odd("no-pixels.bmp", bmp(COLOUR[:, :0]), "its BMP header is damaged"),
    Odd("text.png", b"no picture", "its format is not known"),
    Odd("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "its format is not known"),
    Odd("huge.png", HUGE, "it has 30000x30000 pixels, and at most 134217728 are read; make it smaller"),
    Odd("cut.png", png(COLOUR)[:-60], "image file is truncated"),
    Odd("cut-16-bits.png", png(noise((40, 40, 3), "uint16"), 16)[:-9000], "the file ends too early"),
    Odd("without-an-end-16-bits.png", png(DEEP_COLOUR, 16)[:-12], "the file ends too early"),
    Odd("one-bit-off-16-bits.png", png(DEEP_COLOUR, 16).replace(b"IDATx", b"IDATy"), "the checksum of a part of it is wrong"),
    Odd("not-deflated-16-bits.png", png(DEEP_COLOUR, 16, before=[chunk(b"IDAT", b"x")]), "OpenCV cannot decode it"),
    Odd("cut.jpg", saved(Image.fromarray(noise((40, 40, 3))), "JPEG")[:-200], "image file is truncated"),
    Odd("cut.tif", tiff(DEEP_COLOUR)[:-10], "the file ends too early"),
    Odd("not-deflated.tif", tiff(DEEP_COLOUR, more=[(259, 3, [8])]), "a part of it cannot be unpacked"),
    Odd("not-numbers.tif", tiff(NOT_FINITE), "some of its values are infinite or no numbers"),
    Odd("too-large-doubles.tif", tiff(np.full((2, 2, 1), 1e300)), "some of its values are infinite or no numbers"),
    Odd("lab-16-bits.tif", tiff(DEEP_COLOUR, photometric=8), "its colours (TIFF photometric 8) are known with 8 bits only"),
    Odd("6-channels-lzw.tif", tiff(SIX, more=[(259, 3, [5])]), "TIFF compression 5 is not known for 6 channels of 16 bits"),
    Odd("two-depths.tif", tiff(COLOUR, more=[(258, 3, [8, 16, 8])]), "its channels are of different depths"),
    Odd("no-size.tif", tiff(DEEP, more=[(256, 4, [0])]), "its TIFF header gives no size"),
    Odd(
        "huge-tiles.tif", tiff(DEEP, more=[(322, 4, [1 << 30]), (323, 4, [1 << 30])]), "its tiles are far larger than the picture"
    ),
    Odd("more-bytes-than-fit.tif", tiff(SIX, more=[(256, 4, [16384]), (257, 4, [8192])]), "of 6 channels in uint16"),
    Odd("pointing-nowhere.tif", b"II*\0\xff\xff\xff\x7f" + bytes(20), "the file ends too early"),
]

READABLE = [*PNG_FILES, *TIFF_FILES, *OTHER_FILES]
