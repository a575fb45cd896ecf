from __future__ import annotations

import numpy as np
import pytest
from data import odd
from data.odd import noise, png, saved, tiff
from PIL import Image, ImageFile

from translate.data import header
from translate.data.header import Facts, PictureFile, probe

COLOUR, DEEP = noise((5, 7, 3)), noise((5, 7, 3), "uint16")
FRAMES = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (png(COLOUR), Facts("PNG", 7, 5, 3, "uint8", False, False)),
        (png(DEEP, 16), Facts("PNG", 7, 5, 3, "uint16", False, False)),
        (png(DEEP[..., :2], 16), Facts("PNG", 7, 5, 1, "uint16", True, False)),
        (png(COLOUR[..., :1], before=[odd.chunk(b"tRNS", b"\0\0")]), Facts("PNG", 7, 5, 1, "uint8", True, False)),
        (saved(FRAMES[0].quantize(), "PNG"), Facts("PNG", 7, 5, 3, "uint8", False, False)),
        (saved(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), Facts("PNG", 7, 5, 3, "uint8", False, True)),
        (saved(FRAMES[0], "JPEG"), Facts("JPEG", 7, 5, 3, "uint8", False, False)),
        (saved(FRAMES[0].convert("L"), "JPEG"), Facts("JPEG", 7, 5, 1, "uint8", False, False)),
        (saved(FRAMES[0], "JPEG", exif=b"Exif\0\0" + odd.orientation(6)), Facts("JPEG", 7, 5, 3, "uint8", False, False)),
        (saved(Image.fromarray(noise((5, 7, 4))), "WEBP"), Facts("WebP", 7, 5, 3, "uint8", True, False)),
        (saved(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]), Facts("WebP", 7, 5, 3, "uint8", False, True)),
        (saved(FRAMES[0], "BMP"), Facts("BMP", 7, 5, 3, "uint8", False, False)),
        (b"P5 # a comment\n7\n5 4095\n" + bytes(70), Facts("PPM", 7, 5, 1, "uint16", False, False)),
        (b"P6 7 5 255\n" + bytes(105), Facts("PPM", 7, 5, 3, "uint8", False, False)),
        (saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]), Facts("GIF", 7, 5, 3, "uint8", False, True)),
        (tiff(DEEP, following=1), Facts("TIFF", 7, 5, 3, "uint16", False, True)),
        (tiff(np.dstack([DEEP, DEEP[..., :1]])), Facts("TIFF", 7, 5, 3, "uint16", True, False)),
        (tiff(noise((5, 7, 4)), photometric=5), Facts("TIFF", 7, 5, 3, "uint8", False, False)),
        (tiff(noise((5, 7, 6), "int16"), extra=[0] * 5), Facts("TIFF", 7, 5, 6, "float32", False, False)),
        (tiff(noise((5, 7, 1), "float64"), big=True), Facts("TIFF", 7, 5, 1, "float32", False, False)),
    ],
)
def test_probe_says_what_the_header_says(tmp_path, data, facts, monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    (tmp_path / "picture").write_bytes(data)
    assert probe(tmp_path / "picture") == facts


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n", b"II*\0", b"BM", b"P6 7"]
)
def test_what_is_no_picture_has_no_facts(tmp_path, data):
    (tmp_path / "a.png").write_bytes(data)
    assert probe(tmp_path / "a.png") is None
    assert probe(tmp_path / "missing.png") is None
    assert probe(tmp_path) is None


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        (Facts("PNG", 1 << 14, 1 << 13, 3, "uint16", False, False), None),
        (
            Facts("PNG", (1 << 14) + 1, 1 << 13, 3, "uint8", False, False),
            "it has 16385x8192 pixels, and at most 134217728 are read",
        ),
        (Facts("TIFF", 1 << 13, 1 << 13, 6, "uint16", False, False), None),
        (
            Facts("TIFF", 1 << 13, 1 << 13, 6, "uint16", True, False),
            "it has 8192x8192 pixels of 6 channels in uint16, and at most 768 MB",
        ),
    ],
)
def test_pictures_that_are_too_large_are_refused(facts, refusal):
    assert (facts.refusal is None) if refusal is None else facts.refusal.startswith(refusal)


def test_large_pictures_are_no_matter_of_pils_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    (tmp_path / "a.png").write_bytes(png(COLOUR))
    assert probe(tmp_path / "a.png").refusal is None  # without PIL's warning of a bomb
    monkeypatch.setattr(header, "MOST_PIXELS", 30)
    assert probe(tmp_path / "a.png").refusal == "it has 7x5 pixels, and at most 30 are read; make it smaller"


def test_reading_asks_for_no_more_than_there_is(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    with PictureFile(tmp_path / "a") as file:
        assert file.read(1 << 62) == b"0123456789"  # more memory than any machine has
        file.seek(3)
        assert (file.read(2), file.read(), file.read(4)) == (b"34", b"56789", b"")
        file.seek(8)
        assert file.read(None) == b"89"
