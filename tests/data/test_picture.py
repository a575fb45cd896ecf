from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import draw
from data.odd import DAMAGED_FILES, READABLE, png, tiff
from PIL import Image

from translate.data import picture
from translate.data.domain import Space
from translate.data.folder import PictureFiles
from translate.errors import UserError
from translate.inference import PictureTranslator

CPU = torch.device("cpu")


def bicubic(array, size):
    """Antialiased bicubic interpolation (Keys, a = -1/2, widened when it shrinks), written out: one axis after the other."""

    def keys(x):
        x = abs(x)
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    def matrix(there, here):
        scale = here / there
        wide = max(scale, 1.0)
        result = np.zeros((there, here))
        for row in range(there):
            centre = (row + 0.5) * scale
            for column in range(max(0, int(centre - 2 * wide + 0.5)), min(here, int(centre + 2 * wide + 0.5))):
                result[row, column] = keys((column + 0.5 - centre) / wide)
        return result / result.sum(axis=1, keepdims=True)

    rows, columns = matrix(size[0], array.shape[0]), matrix(size[1], array.shape[1])
    return np.einsum("yh,xw,hwc->yxc", rows, columns, array.astype(np.float64))


def noise(shape, dtype="uint8", seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        return rng.uniform(-1, 1, shape).astype(np.float32)
    return rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


# Reading


UPRIGHT = {  # what each EXIF orientation asks for, by the standard: where the stored first row and column are to be seen
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pictures_are_turned_upright(tmp_path, orientation, dtype):
    stored = noise((3, 5, 3) if dtype == "uint8" else (3, 5), dtype)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    got = picture.read(tmp_path / "a.png", stored.ndim if dtype == "uint8" else 1, dtype)
    assert np.array_equal(got if dtype == "uint8" else got[..., 0], UPRIGHT[orientation](stored))


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm"])
def test_colour_is_read_as_it_is(tmp_path, name):
    stored = noise((4, 6, 3))
    Image.fromarray(stored).save(tmp_path / name)
    got = picture.read(tmp_path / name, 3, "uint8")
    assert got.dtype == np.uint8
    assert np.array_equal(got, stored)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_formats_are_read(tmp_path, name):
    Image.new("RGB", (16, 8), (200, 100, 50)).save(tmp_path / name, quality=100)
    got = picture.read(tmp_path / name, 3, "uint8")
    assert got.shape == (8, 16, 3)
    assert np.abs(got.astype(int) - (200, 100, 50)).max() <= 4


def test_transparency_is_composited_on_white(tmp_path):
    image = Image.new("RGBA", (3, 1))
    for x, pixel in enumerate([(10, 20, 30, 255), (10, 20, 30, 0), (255, 0, 100, 51)]):
        image.putpixel((x, 0), pixel)
    image.save(tmp_path / "a.png")
    # One fifth of (255, 0, 100) and four fifths of white.
    assert picture.read(tmp_path / "a.png", 3, "uint8").tolist() == [[[10, 20, 30], [255, 255, 255], [255, 204, 224]]]


def test_grey_with_alpha(tmp_path):
    image = Image.new("LA", (2, 1))
    image.putpixel((0, 0), (100, 51))
    image.putpixel((1, 0), (7, 255))
    image.save(tmp_path / "a.png")
    assert picture.read(tmp_path / "a.png", 1, "uint8").tolist() == [[[224], [7]]]
    assert picture.read(tmp_path / "a.png", 3, "uint8").tolist() == [[[224] * 3, [7] * 3]]


def palette():
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    for x in range(3):
        image.putpixel((x, 0), 2 - x)
    return image


def test_palettes(tmp_path):
    palette().save(tmp_path / "a.png")
    assert picture.read(tmp_path / "a.png", 3, "uint8").tolist() == [[[70, 80, 90], [40, 50, 60], [10, 20, 30]]]


def test_a_palettes_transparent_colour_becomes_white(tmp_path):
    palette().save(tmp_path / "a.png", transparency=1)
    assert picture.read(tmp_path / "a.png", 3, "uint8").tolist() == [[[70, 80, 90], [255, 255, 255], [10, 20, 30]]]


def test_a_transparent_colour_becomes_white(tmp_path):
    image = Image.new("RGB", (2, 1), (1, 2, 3))
    image.putpixel((0, 0), (9, 8, 7))
    image.save(tmp_path / "a.png", transparency=(1, 2, 3))
    assert picture.read(tmp_path / "a.png", 3, "uint8").tolist() == [[[9, 8, 7], [255, 255, 255]]]


def test_printers_colours(tmp_path):
    Image.new("CMYK", (2, 2), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    assert (picture.read(tmp_path / "a.tif", 3, "uint8") == (255, 0, 0)).all()


def test_grey_and_colour_become_each_other(tmp_path):
    grey = noise((4, 5))
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(picture.read(tmp_path / "grey.png", 1, "uint8"), grey[..., None])
    assert np.array_equal(picture.read(tmp_path / "grey.png", 3, "uint8"), np.stack([grey] * 3, axis=2))
    colour = noise((4, 5, 3))
    Image.fromarray(colour).save(tmp_path / "colour.png")
    got = picture.read(tmp_path / "colour.png", 1, "uint8")
    assert got.shape == (4, 5, 1)
    assert np.abs(got[..., 0] - colour @ (0.299, 0.587, 0.114)).max() <= 1  # ITU-R 601


def test_black_and_white(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1").save(tmp_path / "a.png")
    assert picture.read(tmp_path / "a.png", 1, "uint8").tolist() == [[[0], [255]]]


DEEP = np.array([[0, 1, 255, 256], [32768, 40000, 65280, 65535]], np.uint16)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bits_are_kept_where_16_are_wanted(tmp_path, name):
    Image.fromarray(DEEP).save(tmp_path / name)
    got = picture.read(tmp_path / name, 1, "uint16")
    assert got.dtype == np.uint16
    assert np.array_equal(got, DEEP[..., None])
    assert np.array_equal(picture.read(tmp_path / name, 3, "uint16"), np.stack([DEEP] * 3, axis=2))


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled_and_not_clipped_where_8_are_wanted(tmp_path, channels):
    Image.fromarray(DEEP).save(tmp_path / "a.png")
    got = picture.read(tmp_path / "a.png", channels, "uint8")
    assert got.dtype == np.uint8
    assert got.shape == (2, 4, channels)
    assert np.abs(got - DEEP[..., None] / 257).max() < 1
    assert (got[0, 0] == 0).all()
    assert (got[1, 3] == 255).all()


def test_8_bits_fill_the_range_of_16(tmp_path):
    draw(tmp_path / "a.png", 1, mode="L")
    shallow = picture.read(tmp_path / "a.png", 1, "uint8")
    deep = picture.read(tmp_path / "a.png", 1, "uint16")
    assert deep.dtype == np.uint16
    assert np.array_equal(deep, shallow.astype(np.uint16) * 257)


def test_to_array_gives_the_dtype_that_is_asked_for():
    for dtype in ("uint8", "uint16", "float32"):
        assert picture.to_array(Image.new("RGB", (2, 2)), 3, dtype).dtype == dtype


def complaint(path):
    """The sentence with which the file is refused, or None."""
    try:
        picture.read(path, 3, "uint8")
    except UserError as error:
        return str(error)
    return None


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # PIL has its own to say about some
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.ppm"])
def test_a_file_cut_short_gets_a_sentence_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(noise((24, 24, 3))).save(path)
    whole = path.read_bytes()
    complaints = []
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        picture.probe(path)
        complaints.append(complaint(path))
    said = [each for each in complaints if each is not None]
    assert len(said) > 30
    assert all(each.startswith(f"{path} cannot be read as a picture (") for each in said)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot be read as a picture"):
        picture.read(tmp_path / "missing.png", 3, "uint8")


# The table of odd pictures


@pytest.mark.parametrize("odd", READABLE, ids=repr)
def test_odd_pictures_are_read_for_what_is_in_them(tmp_path, odd):
    path = tmp_path / odd.name
    path.write_bytes(odd.data)
    facts = picture.probe(path)
    got = picture.read(path, facts.channels, facts.dtype)
    assert got.shape == odd.expected.shape
    assert got.shape[2] == facts.channels
    assert sorted(got.shape[:2]) == sorted((facts.height, facts.width))
    assert got.dtype == facts.dtype
    assert np.abs(got.astype(np.float64) - odd.expected).max() <= odd.off


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # PIL has its own to say about some
@pytest.mark.parametrize("odd", DAMAGED_FILES, ids=repr)
def test_damaged_pictures_are_refused_in_one_sentence(tmp_path, odd):
    path = tmp_path / odd.name
    path.write_bytes(odd.data)
    picture.probe(path)
    said = complaint(path)
    assert said.startswith(f"{path} cannot be read as a picture (")
    assert odd.expected in said
    assert said.endswith(").")
    assert "\n" not in said


def test_the_table_has_at_least_forty_rows():
    names = [odd.name for odd in (*READABLE, *DAMAGED_FILES)]
    assert len(set(names)) == len(names) >= 40


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_names_need_not_be_text(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"\xff\xfe.png")
    with open(path, "wb") as file:
        file.write(png(noise((2, 3, 3))))
    assert np.array_equal(picture.read(Path(os.fsdecode(path)), 3, "uint8"), noise((2, 3, 3)))


def test_a_folder_is_no_picture(tmp_path):
    (tmp_path / "a.png").mkdir()
    assert picture.probe(tmp_path / "a.png") is None
    assert complaint(tmp_path / "a.png").startswith(f"{tmp_path / 'a.png'} cannot be read as a picture (")


def test_what_lacks_memory_is_not_the_pictures_fault(tmp_path, monkeypatch):
    def full(path):
        raise MemoryError

    monkeypatch.setattr(picture, "decode", full)
    with pytest.raises(MemoryError):
        picture.read(draw(tmp_path / "a.png", 0), 3, "uint8")


# Depth and window


@pytest.mark.parametrize(
    ("dtype", "least", "largest", "window"),
    [
        ("uint8", 3, 7, (0, 255)),
        ("uint16", 0, 0, (0, 1)),
        ("uint16", 5, 255, (0, 255)),
        ("uint16", 5, 256, (0, 511)),
        ("uint16", 0, 4095, (0, 4095)),
        ("uint16", 0, 4096, (0, 8191)),
        ("uint16", 65535, 65535, (0, 65535)),
        ("float32", 0.25, 0.5, (0, 1)),
        ("float32", -0.25, 0.5, (-1, 1)),
        ("float32", -1000.5, 3000, (-1000.5, 3000)),
        ("float32", 0, 1.5, (0, 1.5)),
        ("float32", 7, 7, (7, 8)),
    ],
)
def test_the_window_is_that_of_the_data(dtype, least, largest, window):
    assert picture.window_of(dtype, least, largest) == window


def test_extremes_are_of_the_values_as_stored(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(np.array([[[5], [4000]], [[17], [9]]], np.uint16)))
    assert picture.extremes(tmp_path / "a.tif") == (5, 4000)


def test_pictures_of_another_depth_are_scaled_to_the_window(tmp_path):
    shallow, deep, floats = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.tif"
    shallow.write_bytes(png(np.array([[[0], [51], [255]]], np.uint8)))
    deep.write_bytes(png(np.array([[[0], [819], [4095]]], np.uint16), 16))
    floats.write_bytes(tiff(np.array([[[0], [0.2], [1]]], np.float32)))
    twelve = {"uint16": (0, 4095)}
    assert picture.read(shallow, 1, "uint16", (0, 4095)).ravel().tolist() == [0, 819, 4095]
    assert picture.read(deep, 1, "uint16", (0, 1023)).ravel().tolist() == [0, 819, 4095]  # its own depth: its own values
    assert picture.read(deep, 1, "uint8").ravel().tolist() == [0, 3, 16]
    assert picture.read(deep, 1, "uint8", ranges=twelve).ravel().tolist() == [0, 51, 255]
    assert np.allclose(picture.read(deep, 1, "float32", (10, 20), ranges=twelve).ravel(), [10, 12, 20])
    assert picture.read(floats, 1, "uint8").ravel().tolist() == [0, 51, 255]
    assert picture.read(floats, 1, "uint16", (0, 4095)).ravel().tolist() == [0, 819, 4095]
    assert picture.read(floats, 1, "uint8", ranges={"float32": (-1, 1)}).ravel().tolist() == [128, 153, 255]
    assert np.allclose(picture.read(shallow, 1, "float32").ravel(), [-1, -0.6, 1])


def test_floats_without_a_known_range_are_not_made_integers(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(np.array([[[0], [300.5]]], np.float32)))
    with pytest.raises(UserError) as caught:
        picture.read(tmp_path / "a.tif", 1, "uint8")
    assert str(caught.value) == (
        f"{tmp_path / 'a.tif'} cannot be used: Its floats reach from 0 to 300.5, and what is to be black and white is not known; scale "
        f"them to [0, 1] first."
    )


def test_channels_that_do_not_fit_are_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(noise((2, 3, 5)), extra=[0] * 4))
    for channels in (1, 3, 6):
        with pytest.raises(UserError, match=f"The picture has 5 channels, where {channels} are expected"):
            picture.read(tmp_path / "a.tif", channels, "uint8")


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_colour_becomes_grey_by_the_same_weights(tmp_path, dtype):
    values = noise((4, 5, 3), dtype)
    (tmp_path / "a.tif").write_bytes(tiff(values))
    expected = values.astype(np.float64) @ (0.299, 0.587, 0.114)
    got = picture.read(tmp_path / "a.tif", 1, dtype)
    assert got.dtype == dtype
    assert np.abs(got[..., 0] - expected).max() <= (0.5001 if dtype == "uint16" else 1e-6)


def test_a_pil_picture_is_taken_as_a_file_is():
    assert picture.to_array(Image.fromarray(np.array([[0, 51, 255]], np.uint8)), 1, "uint16", (0, 4095)).tolist() == [
        [[0], [819], [4095]]
    ]
    assert picture.to_array(Image.fromarray(DEEP), 1, "uint16", (0, 4095))[..., 0].tolist() == DEEP.tolist()
    assert picture.to_array(Image.fromarray(np.array([[0.5, 1]], np.float32)), 1, "uint8").tolist() == [[[128], [255]]]
    assert picture.to_array(Image.fromarray(np.array([[0.5, 9]], np.float32)), 1, "float32").tolist() == [[[0.5], [9]]]
    with pytest.raises(UserError, match=r"Its floats reach from 0\.5 to 9"):
        picture.to_array(Image.fromarray(np.array([[0.5, 9]], np.float32)), 1, "uint8")


# Files written


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiff_holds_everything(tmp_path, channels, dtype):
    values = noise((4, 5, channels), dtype)
    picture.save(values, (0, 1), tmp_path / "a.tif")
    assert np.array_equal(picture.read(tmp_path / "a.tif", channels, dtype), values)
    facts = picture.probe(tmp_path / "a.tif")
    assert (facts.channels, facts.dtype, facts.alpha, facts.several) == (channels, dtype, False, False)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_holds_integers(tmp_path, channels, dtype):
    values = noise((4, 5, channels), dtype)
    picture.save(values, (0, np.iinfo(dtype).max), tmp_path / "ü.png")
    assert np.array_equal(picture.read(tmp_path / "ü.png", channels, dtype), values)


def test_floats_in_a_png_are_16_bits_from_black_to_white(tmp_path):
    picture.save(np.array([[[10], [15], [20], [99]]], np.float32), (10, 20), tmp_path / "a.png")
    assert picture.read(tmp_path / "a.png", 1, "uint16").ravel().tolist() == [0, 32768, 65535, 65535]


@pytest.mark.parametrize("name", ["a.bmp", "a.webp", "a.jpg", "a.ppm"])
def test_other_formats_hold_8_bits_from_black_to_white(tmp_path, name):
    values = np.repeat(np.repeat(np.array([[0, 819, 4095]], np.uint16), 16, axis=1)[..., None], 3, axis=2).repeat(16, axis=0)
    picture.save(values, (0, 4095), tmp_path / name)
    got = picture.read(tmp_path / name, 3, "uint8")
    assert np.abs(got.astype(int) - np.rint(values / 4095 * 255)).max() <= 16
    assert picture.probe(tmp_path / name).dtype == "uint8"


def test_formats_that_cannot_hold_a_picture_are_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.png cannot hold a picture of 6 channels; save it as TIFF"):
        picture.save(noise((4, 5, 6)), (0, 255), tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.xyz names no format that pictures can be saved in"):
        picture.save(noise((4, 5, 3)), (0, 255), tmp_path / "a.xyz")


# A scanner's 12 bits through a network


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("scale", ["train", "native"])
def test_a_12_bit_ramp_goes_through_an_identity_without_loss(tmp_path, channels, name, scale):
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    ramp = np.concatenate([ramp, ramp[::-1], ramp[:, ::-1]][:channels], axis=2)
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    path.write_bytes(png(ramp, 16) if name == "a.png" else tiff(ramp))
    domain = PictureFiles("scan", path.parent, [path])
    assert (domain.dtype, domain.window, domain.channels) == ("uint16", (0, 4095), channels)
    space = Space("scan", (channels, 64, 64), domain.dtype, domain.window)
    seen = []

    def identity(batch):
        seen.extend((batch.min().item(), batch.max().item()))
        return batch

    translator = PictureTranslator(identity, space, space, 4, CPU, scale)
    array = picture.read(path, space.channels, space.dtype, space.window)
    picture.save(translator.array(array), space.window, tmp_path / name)
    assert seen == [-1, 1]  # 12 bits fill the range of the network
    back = picture.read(tmp_path / name, channels, "uint16")
    assert np.array_equal(back, ramp)
    assert np.array_equal(domain.read(0), ramp)


def test_floats_go_through_an_identity_without_loss(tmp_path):
    values = noise((16, 16, 3), "float32") * 900
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(values))
    domain = PictureFiles("scan", tmp_path, [path])
    space = Space("scan", (3, 16, 16), domain.dtype, domain.window)
    assert space.window == (values.min(), values.max())
    translator = PictureTranslator(lambda batch: batch, space, space, 4, CPU)
    picture.save(translator.array(domain.read(0)), space.window, tmp_path / "b.tif")
    assert np.abs(picture.read(tmp_path / "b.tif", 3, "float32") - values).max() <= 1800 * 2**-22


# Resizing


@pytest.mark.parametrize("size", [(8, 8), (13, 40), (30, 5), (60, 70)])
@pytest.mark.parametrize("channels", [1, 3])
def test_8_bits_are_resized_as_by_pil(size, channels):
    array = noise((24, 30, channels))
    image = Image.fromarray(array[..., 0] if channels == 1 else array)
    expected = np.asarray(image.resize((size[1], size[0]), Image.Resampling.BICUBIC)).reshape(*size, channels)
    got = picture.resize(array, size)
    assert got.dtype == np.uint8
    assert np.array_equal(got, expected)


@pytest.mark.parametrize(
    ("dtype", "channels", "tolerance"),
    [("uint8", 3, 1.3), ("uint8", 2, 0.6), ("uint8", 5, 0.6), ("uint16", 1, 0.6), ("uint16", 3, 0.6), ("float32", 2, 1e-5)],
)
@pytest.mark.parametrize("size", [(8, 8), (13, 40), (60, 70)])
def test_every_kind_is_resized_antialiased_as_written_out(dtype, channels, tolerance, size):
    array = noise((24, 30, channels), dtype)
    if dtype == "uint8":
        array = array // 2 + 64  # PIL clips 8 bits between the axes, too; these never come near the ends
    got = picture.resize(array, size)
    assert got.shape == (*size, channels)
    assert got.dtype == dtype
    expected = bicubic(array, size)
    if dtype != "float32":
        expected = expected.clip(0, np.iinfo(dtype).max)
    assert np.abs(got - expected).max() <= tolerance


def test_shrinking_looks_at_every_pixel():
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(picture.resize(stripes, (8, 8)).astype(int) - 127.5).max() < 20


def test_a_picture_that_fits_is_left_alone():
    array = noise((5, 6, 3), "uint16")
    assert np.array_equal(picture.resize(array, (5, 6)), array)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 201), ("uint16", 65535), ("uint16", 40001), ("float32", 0.25)])
def test_a_plain_picture_stays_plain(dtype, value):
    assert (picture.resize(np.full((7, 9, 1), value, dtype), (20, 4)) == np.array(value, dtype)).all()


# To the networks and back


def test_to_tensor_by_hand():
    array = np.array([[[[0, 51, 255]], [[102, 204, 127]]]], np.uint8)  # (1, 2, 1, 3)
    tensor = picture.to_tensor(array, (0, 255), CPU)
    assert tensor.shape == (1, 3, 2, 1)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    torch.testing.assert_close(tensor[0, :, :, 0], torch.tensor([[-1, -0.2], [-0.6, 0.6], [1, -1 / 255]]))


def test_a_window_of_ones_own():
    array = np.array([[[[100], [300], [200]]]], np.uint16)
    tensor = picture.to_tensor(array, (100, 300), CPU)
    assert tensor.flatten().tolist() == [-1, 1, 0]
    assert np.array_equal(picture.to_stored(tensor, (100, 300), "uint16"), array)


def test_points_keep_their_shape():
    points = noise((7, 2), "float32")
    tensor = picture.to_tensor(points, (-1, 1), CPU)
    assert tensor.shape == (7, 2)
    np.testing.assert_allclose(tensor.numpy(), points, atol=1e-6)
    np.testing.assert_allclose(picture.to_stored(tensor, (-1, 1), "float32"), points, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_back_is_exact_for_every_value(dtype):
    top = np.iinfo(dtype).max
    array = np.arange(top + 1).astype(dtype).reshape(1, 16, -1, 1)
    tensor = picture.to_tensor(array, (0, top), CPU)
    assert tensor.min() == -1
    assert tensor.max() == 1
    back = picture.to_stored(tensor, (0, top), dtype)
    assert back.dtype == dtype
    assert np.array_equal(back, array)


def test_back_is_close_for_floats():
    array = noise((2, 5, 6, 3), "float32") * 40 + 60
    back = picture.to_stored(picture.to_tensor(array, (20, 100), CPU), (20, 100), "float32")
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, array, atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_to_stored_rounds_and_clips(dtype):
    top = np.iinfo(dtype).max
    values = torch.tensor([-9.0, 9.0, 2 * 10.4 / top - 1, 2 * 10.6 / top - 1], requires_grad=True).reshape(1, 1, 1, 4)
    assert picture.to_stored(values, (0, top), dtype).flatten().tolist() == [0, top, 10, 11]


def test_to_stored_takes_half_precision_and_any_layout():
    tensor = torch.linspace(-1, 1, 24).reshape(1, 3, 2, 4)
    expected = picture.to_stored(tensor, (0, 255), "uint8")
    assert expected.shape == (1, 2, 4, 3)
    assert np.array_equal(expected, np.rint((tensor.permute(0, 2, 3, 1).numpy() + 1) * 127.5))
    assert np.array_equal(picture.to_stored(tensor.contiguous(memory_format=torch.channels_last), (0, 255), "uint8"), expected)
    half = picture.to_stored(tensor.bfloat16(), (0, 255), "uint8").astype(int)
    assert np.abs(half - expected).max() <= math.ceil(127.5 / 256)


@pytest.fixture
def _torch_warns_each_time():
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.usefixtures("_torch_warns_each_time")
def test_arrays_that_must_not_be_written_are_taken_without_a_warning():
    array = noise((1, 4, 4, 3))
    expected = picture.to_tensor(array.copy(), (0, 255), CPU)
    array.flags.writeable = False
    assert torch.equal(picture.to_tensor(array, (0, 255), CPU), expected)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_to_tensor_leaves_the_array_alone(dtype):
    array = noise((1, 4, 4, 3), dtype)
    kept = array.copy()
    tensor = picture.to_tensor(array, (-1, 1), CPU)
    tensor.zero_()
    assert np.array_equal(array, kept)


# To PIL


def test_to_image_of_8_and_16_bits():
    colour, grey, deep = noise((4, 5, 3)), noise((4, 5, 1)), noise((4, 5, 1), "uint16")
    assert np.array_equal(np.asarray(picture.to_image(colour)), colour)
    assert picture.to_image(colour).mode == "RGB"
    assert picture.to_image(grey).mode == "L"
    assert np.array_equal(np.asarray(picture.to_image(grey)), grey[..., 0])
    assert picture.to_image(deep).mode in picture.DEEP_MODES
    assert np.array_equal(np.asarray(picture.to_image(deep)), deep[..., 0])
    wide = noise((4, 5, 3), "uint16")
    assert np.abs(np.asarray(picture.to_image(wide)) - wide / 257).max() <= 1


def test_to_image_of_floats():
    values = np.array([[[-1.0], [1.0], [0.2], [-7.0], [7.0]]], np.float32)
    assert np.asarray(picture.to_image(values)).tolist() == [[0, 255, 153, 0, 255]]


def test_deep_pictures_go_through_a_file(tmp_path):
    deep = noise((4, 5, 1), "uint16")
    picture.to_image(deep).save(tmp_path / "a.png")
    assert np.array_equal(picture.read(tmp_path / "a.png", 1, "uint16"), deep)
