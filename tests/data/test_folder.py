from __future__ import annotations

import os
import sys
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from conftest import draw
from data.odd import HUGE, noise, png, tiff
from PIL import Image

from translate.data import picture
from translate.data.folder import PictureFiles, files_in
from translate.errors import DataWarning, UserError


def labels(domain):
    return [domain.label(index) for index in range(len(domain))]


def cut(path, share=0.5):
    """Damage a picture so that its header can still be read."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert picture.probe(path) is not None
    return path


# What is in it


def test_pictures_are_found_below_in_the_order_of_their_paths(tmp_path):
    for name in ("b.png", "a.png", "sub/c.png", "sub/deep/d.png", "Z.JPG", "über/日本.png", "with space.png"):
        draw(tmp_path / name, 1)
    domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    assert labels(domain) == ["Z.JPG", "a.png", "b.png", "with space.png", "sub/c.png", "sub/deep/d.png", "über/日本.png"]
    assert len(domain) == 7
    assert domain.origin == f"7 pictures in {tmp_path}"
    assert len(set(labels(domain))) == 7
    assert labels(PictureFiles("horse", tmp_path, files_in(tmp_path))) == labels(domain)


def test_reading_gives_the_picture_of_that_label(tmp_path):
    expected = {}
    for index, size in enumerate([(20, 24), (7, 9), (30, 10)]):
        path = draw(tmp_path / f"{index}.png", index, size)
        expected[path.name] = np.asarray(Image.open(path))
    domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    for index in range(3):
        assert np.array_equal(domain.read(index), expected[domain.label(index)])
        assert np.array_equal(domain.read(index), domain.read(index))


def test_hidden_files_and_folders_are_passed_over_in_silence(tmp_path):
    draw(tmp_path / "a.png", 1)
    draw(tmp_path / ".thumbnails" / "a.png", 1)
    draw(tmp_path / "._a.png", 1)
    (tmp_path / ".DS_Store").write_text("x")
    assert labels(PictureFiles("horse", tmp_path, files_in(tmp_path))) == ["a.png"]


def test_a_link_may_be_the_data_folder_itself(tmp_path):
    draw(tmp_path / "elsewhere" / "b.png", 2)
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert labels(PictureFiles("horse", tmp_path / "data", files_in(tmp_path / "data"))) == ["b.png"]


def test_files_that_are_no_pictures_are_skipped_and_named(tmp_path):
    draw(tmp_path / "a.png", 1)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8")
    with pytest.warns(UserWarning, match="skipped") as caught:
        domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    assert [str(each.message) for each in caught] == [
        f"{tmp_path}: skipped 2 file(s) that are no pictures (broken.jpg, notes.txt)."
    ]
    assert labels(domain) == ["a.png"]
    assert domain.read(0).shape == (20, 24, 3)


def test_pictures_of_formats_that_are_not_read_are_not_called_none(tmp_path):
    draw(tmp_path / "a.png", 1)
    for name in ("IMG_1.HEIC", "b.avif", "notes.txt"):
        (tmp_path / name).write_bytes(b"something")
    with pytest.warns(UserWarning, match="skipped") as caught:
        domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    assert [str(each.message) for each in caught] == [
        f"{tmp_path}: skipped 2 file(s) that must be exported as JPEG or PNG to be read (IMG_1.HEIC, b.avif).",
        f"{tmp_path}: skipped 1 file(s) that are no pictures (notes.txt).",
    ]
    assert labels(domain) == ["a.png"]


def test_of_many_skipped_files_three_are_named(tmp_path):
    draw(tmp_path / "a.png", 1)
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.warns(UserWarning, match=r"skipped 5 file\(s\) that are no pictures \(0\.txt, 1\.txt, 2\.txt, \.\.\.\)\.$"):
        PictureFiles("horse", tmp_path, files_in(tmp_path))


def test_a_folder_without_any_picture_is_an_error(tmp_path):
    with pytest.raises(UserError) as caught:
        PictureFiles("horse", tmp_path, files_in(tmp_path))
    assert str(caught.value) == f"{tmp_path} holds no picture that can be read; formats: JPEG, PNG, WebP, BMP, TIFF, PPM and GIF."
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"holds no picture that can be read \(notes\.txt\); formats"):
        PictureFiles("horse", tmp_path, files_in(tmp_path))
    (tmp_path / "scan.dcm").write_bytes(b"x")
    with pytest.raises(
        UserError, match=r"that can be read \(scan\.dcm\); they must be exported to be read, each slice as 16-bit PNG"
    ):
        PictureFiles("horse", tmp_path, files_in(tmp_path))


# Damaged pictures


def test_a_damaged_picture_is_replaced_by_the_next_and_named_once(tmp_path):
    for index in range(3):
        draw(tmp_path / f"{index}.png", index, (64, 64))
    domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    good = [domain.read(index) for index in range(3)]
    cut(tmp_path / "1.png")
    with pytest.warns(UserWarning, match="Skipped") as caught:
        assert np.array_equal(domain.read(1), good[2])
    assert len(caught) == 1
    assert str(caught[0].message).startswith(f"Skipped: {tmp_path / '1.png'} cannot be read as a picture (")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(domain.read(1), good[2])
        assert np.array_equal(domain.read(0), good[0])
    assert len(domain) == 3


def test_after_the_last_picture_comes_the_first(tmp_path):
    for index in range(4):
        draw(tmp_path / f"{index}.png", index, (64, 64))
    cut(tmp_path / "2.png")
    cut(tmp_path / "3.png")
    domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    with pytest.warns(UserWarning, match=r"^Skipped: ") as caught:
        assert np.array_equal(domain.read(2), np.asarray(Image.open(tmp_path / "0.png")))
    assert len(caught) == 2


def test_it_is_an_error_when_nothing_is_left(tmp_path):
    cut(draw(tmp_path / "0.png", 0, (64, 64)))
    domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    with (
        pytest.warns(UserWarning, match="Skipped"),
        pytest.raises(UserError, match="no picture that can be read any more; was the folder moved or emptied"),
    ):
        domain.read(0)


# What the domain is


def deep(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 65536, (8, 8)).astype(np.uint16)).save(path)


@pytest.mark.parametrize(
    ("files", "channels", "dtype"),
    [
        ({"a.png": "RGB", "b.png": "RGB"}, 3, "uint8"),
        ({"a.png": "L", "b.png": "L"}, 1, "uint8"),
        ({"a.png": "L", "b.png": "RGB"}, 3, "uint8"),
        ({"a.png": "RGBA"}, 3, "uint8"),
        ({"a.png": "1", "b.png": "L"}, 1, "uint8"),
        ({"a.png": "deep", "b.png": "deep"}, 1, "uint16"),
        ({"a.png": "deep", "b.png": "L"}, 1, "uint8"),
        ({"a.png": "deep", "b.png": "RGB"}, 3, "uint8"),
    ],
)
def test_channels_and_dtype_are_those_of_all_pictures(tmp_path, files, channels, dtype):
    for name, mode in files.items():
        if mode == "deep":
            deep(tmp_path / name)
        else:
            Image.new(mode, (8, 8)).save(tmp_path / name)
    mixed = "deep" in files.values() and dtype == "uint8"
    with pytest.warns(DataWarning, match="of 16 and of 8 bits are mixed") if mixed else nullcontext():
        domain = PictureFiles("horse", tmp_path, files_in(tmp_path))
    assert (domain.channels, domain.dtype) == (channels, dtype)
    assert domain.window == ((0, 255) if dtype == "uint8" else (0, 65535))
    for index in range(len(files)):
        assert domain.read(index).shape == (8, 8, channels)
        assert domain.read(index).dtype == dtype


def test_16_bits_stay_16(tmp_path):
    deep(tmp_path / "a.png", 5)
    expected = np.random.default_rng(5).integers(0, 65536, (8, 8))
    assert np.array_equal(PictureFiles("scan", tmp_path, files_in(tmp_path)).read(0)[..., 0], expected)


# The fingerprint


def test_the_fingerprint_is_of_names_and_bytes(tmp_path):
    first, second = tmp_path / "one", tmp_path / "two"
    for root in (first, second):
        for index in range(2):
            draw(root / f"{index}.png", index)
    expected = PictureFiles("horse", first, files_in(first)).fingerprint()
    assert len(expected) == 64
    assert PictureFiles("horse", second, files_in(second)).fingerprint() == expected  # wherever it lies
    os.utime(second / "0.png", (1, 1))
    assert PictureFiles("horse", second, files_in(second)).fingerprint() == expected  # whenever it was written


@pytest.mark.parametrize("change", ["byte", "name", "more", "less", "swap", "end"])
def test_the_fingerprint_changes_with_the_data(tmp_path, change):
    for index in range(3):
        draw(tmp_path / f"{index}.png", index)
    before = PictureFiles("horse", tmp_path, files_in(tmp_path)).fingerprint()
    one, two = tmp_path / "1.png", tmp_path / "2.png"
    if change == "byte":
        data = bytearray(one.read_bytes())
        data[-20] ^= 1
        one.write_bytes(data)
    elif change == "name":
        one.rename(tmp_path / "1b.png")
    elif change == "more":
        draw(tmp_path / "3.png", 3)
    elif change == "less":
        two.unlink()
    elif change == "swap":
        one.rename(tmp_path / "x")
        two.rename(one)
        (tmp_path / "x").rename(two)
    else:
        one.write_bytes(one.read_bytes() + b"\0")
    assert PictureFiles("horse", tmp_path, files_in(tmp_path)).fingerprint() != before


# Deep domains


def write(folder, **pictures):
    """Pictures by the stems of their names; floats and odd numbers of channels as TIFF, integers as PNG."""
    folder.mkdir(exist_ok=True)
    for stem, array in pictures.items():
        if array.dtype.kind == "f" or array.shape[2] not in (1, 3):
            (folder / f"{stem}.tif").write_bytes(tiff(array, extra=[0] * (array.shape[2] - 1) if array.shape[2] != 3 else ()))
        else:
            (folder / f"{stem}.png").write_bytes(png(array, array.itemsize * 8))
    return folder


def opened(folder):
    return PictureFiles("scan", folder, files_in(folder))


def floats(low, high, shape=(4, 4, 1)):
    return np.linspace(low, high, int(np.prod(shape)), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("pictures", "channels", "dtype", "window", "depth"),
    [
        (
            {"a": noise((4, 4, 1), "uint16", 900), "b": noise((4, 4, 3), "uint16", 4095) | 2048},
            3,
            "uint16",
            (0, 4095),
            "16 bits, window 0…4095",
        ),
        ({"a": floats(0, 1)}, 1, "float32", (0, 1), "floats, window 0…1"),
        ({"a": floats(0, 1), "b": floats(-0.5, 0.5)}, 1, "float32", (-1, 1), "floats, window -1…1"),
        ({"a": floats(-1000, 10), "b": floats(0, 2500, (4, 4, 3))}, 3, "float32", (-1000, 2500), "floats, window -1000…2500"),
        ({"a": floats(0, 1), "b": noise((4, 4, 1), "uint16", 4095) | 2048}, 1, "float32", (0, 1), "floats, window 0…1"),
        ({"a": noise((4, 4, 6), "uint16", 4095) | 2048}, 6, "uint16", (0, 4095), "16 bits, window 0…4095"),
        ({"a": noise((4, 4, 2))}, 2, "uint8", (0, 255), ""),
    ],
)
def test_deep_domains_have_the_window_of_their_values(tmp_path, pictures, channels, dtype, window, depth):
    domain = opened(write(tmp_path / "scans", **pictures))
    assert (domain.channels, domain.dtype, domain.window) == (channels, dtype, window)
    assert domain.origin == f"{len(pictures)} pictures in {tmp_path / 'scans'}{depth and f', {depth}'}"
    for index, array in enumerate(pictures.values()):
        got = domain.read(index)
        assert (got.shape[2], got.dtype) == (channels, dtype)
        expected = array if array.dtype == dtype else array / np.float32(4095)  # 12 bits among floats in [0, 1]
        assert np.allclose(got, expected, rtol=1e-6, atol=0)


def test_among_8_bits_12_bits_are_scaled_by_their_own_window(tmp_path):
    deep, shallow = np.array([[[0], [819], [4095]]], np.uint16), np.array([[[0], [51], [255]]], np.uint8)
    write(tmp_path / "scans", a=deep, b=shallow, c=floats(0, 1))
    with pytest.warns(DataWarning, match="mixed") as caught:
        domain = opened(tmp_path / "scans")
    assert [str(each.message) for each in caught] == [
        f"{tmp_path / 'scans'}: pictures of floats, of 16 and of 8 bits are mixed, so all are read with 8 bits; "
        "keep each depth in a folder of its own to lose nothing."
    ]
    assert (domain.dtype, domain.window) == ("uint8", (0, 255))
    assert [domain.read(index).ravel().tolist() for index in range(2)] == [[0, 51, 255]] * 2
    assert (domain.read(2).min(), domain.read(2).max()) == (0, 255)


def test_numbers_of_channels_must_agree(tmp_path):
    write(tmp_path / "scans", a=noise((4, 4, 3)), b=noise((4, 4, 6)), c=noise((4, 4, 5)), d=noise((4, 4, 6)))
    with pytest.raises(UserError) as caught:
        opened(tmp_path / "scans")
    assert str(caught.value) == (
        f"The pictures in {tmp_path / 'scans'} have 3 (a.png), 5 (c.tif) and 6 (b.tif) channels; all pictures of a domain must have as "
        f"many, so keep each kind in a folder of its own."
    )


def test_a_damaged_scan_has_no_part_in_the_window(tmp_path):
    write(tmp_path / "scans", a=noise((40, 40, 1), "uint16"), b=noise((4, 4, 1), "uint16", 4095) | 2048)
    cut(tmp_path / "scans" / "a.png")
    domain = opened(tmp_path / "scans")
    assert domain.window == (0, 4095)
    with pytest.warns(DataWarning, match=r"^Skipped: .*a\.png cannot be read"):
        assert np.array_equal(domain.read(0), domain.read(1))


def test_pictures_that_are_too_large_or_several_are_named(tmp_path):
    frames = [Image.fromarray(noise((4, 4, 3), seed=seed)) for seed in range(2)]
    frames[0].save(tmp_path / "pages.tif", save_all=True, append_images=frames[1:])
    (tmp_path / "huge.png").write_bytes(HUGE)
    with pytest.warns(DataWarning) as caught:
        domain = opened(tmp_path)
    assert [str(each.message) for each in caught] == [
        f"{tmp_path}: skipped 1 file(s) that are too large to decode (huge.png).",
        f"{tmp_path}: read only the first picture of 1 file(s) that hold several pictures (pages.tif).",
    ]
    assert labels(domain) == ["pages.tif"]
    assert np.array_equal(domain.read(0), np.asarray(frames[0]))


def test_files_elsewhere_are_named_by_the_way_to_them(tmp_path):
    draw(tmp_path / "one" / "a.png", 1)
    draw(tmp_path / "two" / "b.png", 2)
    domain = PictureFiles("horse", tmp_path / "one", [tmp_path / "one" / "a.png", tmp_path / "two" / "b.png"])
    assert labels(domain) == ["a.png", "../two/b.png"]
    assert len(domain.fingerprint()) == 64


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_names_that_are_no_text_are_no_hindrance(tmp_path):
    os.rename(draw(tmp_path / "a.png", 1), os.fsencode(tmp_path) + b"/\xff.png")
    first = opened(tmp_path)
    assert first.read(0).shape == (20, 24, 3)
    assert opened(tmp_path).fingerprint() == first.fingerprint()


# Links


def linked(root, way, target, folder=False):
    (root / way).symlink_to(target, target_is_directory=folder)


@pytest.fixture
def links(tmp_path):
    """A folder of a picture with links of all kinds, beside a folder with two."""
    data, other = tmp_path / "data", tmp_path / "other"
    draw(data / "a.png", 1)
    draw(data / "sub" / "s.png", 2)
    draw(other / "b.png", 3)
    draw(other / "deep" / "c.png", 4)
    draw(tmp_path / "data-too" / "d.png", 5)  # its path begins with that of data
    linked(data, "circle", data, True)
    linked(data / "sub", "up", "..", True)
    linked(data, "again", data / "sub", True)
    linked(data, "file-inside.png", "sub/s.png")
    linked(data, "file-outside.png", other / "b.png")
    linked(data, "near.png", tmp_path / "data-too" / "d.png")
    linked(data, "folder-outside", other, True)
    linked(data, "nowhere.png", tmp_path / "missing.png")
    linked(data, "itself.png", data / "itself.png")
    linked(data, ".hidden", other, True)
    linked(other, "back", data, True)  # in circles through the outside
    linked(other / "deep", "loop", other, True)  # in circles outside
    return data


def below(root, files):
    return [path.relative_to(root).as_posix() for path in files]


def test_nothing_outside_is_read_through_a_link(links):
    with pytest.warns(DataWarning) as caught:
        found = files_in(links)
    assert below(links, found) == ["a.png", "file-inside.png", "sub/s.png"]
    assert [str(each.message) for each in caught] == [
        f"{links}: skipped 3 link(s) that lead out of the data (file-outside.png, folder-outside, near.png); set TRANSLATE_FOLLOW_LINKS=1 "
        f"to follow them."
    ]


@pytest.mark.parametrize("asked", ["by the environment", "by a root that holds both"])
def test_links_are_followed_where_that_is_asked_for(links, monkeypatch, asked):
    if asked == "by the environment":
        monkeypatch.setenv("TRANSLATE_FOLLOW_LINKS", "1")
    assert below(links, files_in(links, root=None if asked == "by the environment" else links.parent)) == [
        "a.png",
        "file-inside.png",
        "file-outside.png",
        "near.png",
        "folder-outside/b.png",
        "folder-outside/deep/c.png",
        "sub/s.png",
    ]


@pytest.mark.skipif(getattr(os, "getuid", lambda: 0)() == 0, reason="the superuser may look into everything")
def test_a_folder_that_is_locked_is_named(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.warns(DataWarning, match=r"locked cannot be looked into \(Permission denied\), and is left out"):
        assert files_in(tmp_path) == []


def test_what_is_to_be_left_out_is_left_out(links):
    with pytest.warns(DataWarning, match="lead out"):
        assert below(links, files_in(links, without=links / "sub")) == ["a.png", "file-inside.png"]


def test_a_missing_folder_holds_nothing(tmp_path):
    assert files_in(tmp_path / "missing") == []


# The index


def test_a_folder_seen_before_is_opened_without_opening_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr("translate.data.index.FRESH", -(10**12))  # as if the files had been written long before
    write(tmp_path / "scans", a=noise((4, 4, 1), "uint16", 4095) | 2048, b=noise((4, 4, 1), "uint16", 1023))
    first = opened(tmp_path / "scans")
    digest = first.fingerprint()

    def must_not(*_):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(picture, "probe", must_not)
    monkeypatch.setattr(picture, "extremes", must_not)
    monkeypatch.setattr("hashlib.file_digest", must_not)
    again = opened(tmp_path / "scans")
    assert (again.window, again.origin, labels(again)) == (first.window, first.origin, labels(first))
    assert again.fingerprint() == digest
