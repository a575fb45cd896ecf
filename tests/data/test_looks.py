from __future__ import annotations

import hashlib

import numpy as np
import pytest
from conftest import draw, opened
from data.odd import noise, png
from PIL import Image

from translate.data import looks
from translate.data.folder import PictureFiles, files_in
from translate.data.looks import eight_bits, look_through
from translate.errors import DataWarning


def through(folder, root=None):
    return look_through(PictureFiles("cat", folder, files_in(folder)), "train", root or folder.parent, lambda: None)


def test_each_picture_is_looked_at_in_the_order_of_the_domain(tmp_path):
    folder = tmp_path / "cat"
    sizes = [(60, 50), (20, 24), (7, 90), (64, 64), (48, 48)] * 9
    for number, size in enumerate(sizes):
        draw(folder / f"{number:02d}.png", number, size)
    counted = []
    portion = look_through(PictureFiles("cat", folder, files_in(folder)), "train", tmp_path, lambda: counted.append(1))
    assert len(counted) == 45
    assert [(look.number, look.height, look.width) for look in portion.looks] == [(n, *size) for n, size in enumerate(sizes)]
    assert [look.name for look in portion.looks[:2]] == ["cat/00.png", "cat/01.png"]
    assert portion.looks[0].digest == hashlib.sha256((folder / "00.png").read_bytes()).digest()
    assert [look.sketch is None for look in portion.looks[:5]] == [False, True, True, False, False]
    assert portion.tally("format") == {"PNG": 45}
    assert portion.sizes() == {"smallest": "24x20", "median": "48x48", "largest": "64x64"}


def test_colours_are_those_of_all_values(tmp_path):
    arrays = [np.asarray(opened(draw(tmp_path / "cat" / f"{n}.png", n, (20 + n, 30))), float).reshape(-1, 3) for n in range(4)]
    portion = through(tmp_path / "cat")
    values = np.concatenate(arrays)
    assert np.allclose(portion.mean(), values.mean(axis=0))
    assert np.allclose(portion.std(), values.std(axis=0))
    assert np.allclose([look.brightness for look in portion.looks], [array.mean() for array in arrays])
    assert portion.histogram.sum() == values.size


def test_sixteen_bits_are_shown_by_the_window_of_the_domain(tmp_path):
    folder = tmp_path / "cat"
    folder.mkdir()
    deep = np.linspace(0, 4095, 50 * 60).astype(np.uint16).reshape(50, 60, 1)
    (folder / "a.png").write_bytes(png(deep, bits=16))
    domain = PictureFiles("cat", folder, files_in(folder))
    assert domain.window == (0, 4095)
    assert np.abs(eight_bits(domain, 0) - deep / 4095 * 255).max() <= 0.51
    (look,) = through(folder).looks
    assert (look.dtype, look.channels, look.colourless) == ("uint16", 1, True)


@pytest.mark.parametrize("channels", [2, 5])
def test_any_number_of_channels_is_counted(tmp_path, channels):
    from translate.data import tiff

    folder = tmp_path / "cat"
    folder.mkdir()
    array = noise((50, 60, channels))
    tiff.write(folder / "a.tif", array)
    portion = through(folder)
    assert portion.histogram.shape == (channels, 256)
    assert np.allclose(portion.mean(), array.reshape(-1, channels).mean(axis=0))


def test_pictures_without_colour_and_of_one_colour_are_told(tmp_path):
    folder = tmp_path / "cat"
    draw(folder / "colour.png", 0)
    draw(folder / "grey.png", 1, mode="L")
    Image.open(folder / "grey.png").convert("RGB").save(folder / "grey-as-rgb.png")
    Image.new("RGB", (30, 30), (200, 30, 40)).save(folder / "red.png")
    Image.new("RGB", (30, 30), "white").save(folder / "white.png")
    found = {look.name.removeprefix("cat/"): (look.colourless, look.flat) for look in through(folder).looks}
    assert found == {
        "colour.png": (False, False),
        "grey.png": (True, False),
        "grey-as-rgb.png": (True, False),
        "red.png": (False, True),
        "white.png": (True, True),
    }


def test_damage_and_files_that_are_no_pictures_are_named_with_the_reason(tmp_path):
    folder = tmp_path / "cat"
    for number in range(3):
        draw(folder / f"{number}.png", number, (60, 60))
    whole = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("x")
    with pytest.warns(DataWarning, match="skipped 1 file"):
        portion = through(folder)
    assert [look.name for look in portion.looks] == ["cat/0.png", "cat/2.png"]
    assert [each.name for each in portion.damaged] == ["cat/1.png"]
    assert portion.damaged[0].reason.startswith("cannot be read as a picture (")
    assert [(each.name, each.reason) for each in portion.left_out] == [
        ("cat/notes.txt", "cannot be read as a picture (its format is not known)")
    ]


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(looks, "LARGE", 1000)
    monkeypatch.setattr(looks, "_THREADS", 4)
    inside, most = [], []

    def slow(domain, number):
        inside.append(number)
        most.append(len(inside))
        result = eight_bits(domain, number)
        inside.remove(number)
        return result

    monkeypatch.setattr(looks, "eight_bits", slow)
    for number in range(12):
        draw(tmp_path / "cat" / f"{number}.png", number, (60, 60))
    assert len(through(tmp_path / "cat").looks) == 12
    assert max(most) == 1
