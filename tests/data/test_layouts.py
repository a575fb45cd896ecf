from __future__ import annotations

import os
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from conftest import draw
from PIL import Image

from translate.data import picture
from translate.data.folder import PictureFiles, files_in
from translate.data.layouts import find_folder, open_folder
from translate.errors import DataWarning, UserError

PAIR = ("horse", "zebra")


def labels(domain):
    return [domain.label(index) for index in range(len(domain))]


def cut(path, share=0.5):
    """Damage a picture so that its header can still be read."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert picture.probe(path) is not None
    return path


# Which folder


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("train/horse", "train/zebra"), ("test/horse", "test/zebra")),
        (("horse/train", "zebra/train"), ("horse/test", "zebra/test")),
        (("horse", "zebra"), (None, None)),
        (("trainA", "trainB"), ("testA", "testB")),
    ],
)
def test_each_layout(tmp_path, train, test):
    for folder in (*train, *test):
        if folder:
            draw(tmp_path / folder / f"{folder.replace('/', '-')}.png", 1)
    for name, of_train, of_test in zip(PAIR, train, test, strict=True):
        domain = open_folder(name, tmp_path, "train", PAIR)
        assert domain.folder == tmp_path / of_train
        assert domain.name == name
        assert labels(domain) == [f"{of_train.replace('/', '-')}.png"]
        found = open_folder(name, tmp_path, "test", PAIR)
        assert (found.folder if found else None) == (tmp_path / of_test if of_test else None)


def test_letters_follow_the_order_in_which_domains_were_given(tmp_path):
    for letter in "ABC":
        (tmp_path / f"train{letter}").mkdir()
    domains = ("z", "a", "m")
    assert [find_folder(name, tmp_path, "train", domains).name for name in domains] == ["trainA", "trainB", "trainC"]
    assert [find_folder(name, tmp_path, "train", domains[::-1]).name for name in domains] == ["trainC", "trainB", "trainA"]
    assert find_folder("z", tmp_path, "test", domains) is None


def test_the_first_layout_that_is_there_is_taken(tmp_path):
    order = ["trainA", "horse", "horse/train", "train/horse"]
    for folder in order:
        (tmp_path / folder).mkdir(parents=True)
        assert find_folder("horse", tmp_path, "train", PAIR) == tmp_path / folder
    for folder in ["testA", "horse/test", "test/horse"]:
        (tmp_path / folder).mkdir(parents=True)
        assert find_folder("horse", tmp_path, "test", PAIR) == tmp_path / folder


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "horse").touch()
    assert find_folder("horse", tmp_path, "train", PAIR) is None
    assert open_folder("horse", tmp_path, "train", PAIR) is None


def test_more_domains_than_letters(tmp_path):
    domains = [f"d{number}" for number in range(27)]
    (tmp_path / "trainA").mkdir()
    (tmp_path / "d26").mkdir()
    assert find_folder("d26", tmp_path, "train", domains) == tmp_path / "d26"
    assert find_folder("d0", tmp_path, "train", domains) is None


@pytest.mark.parametrize("name", ["..", ".", "", "../horse", "horse/..", "horse/../../x", "/etc"])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    root = tmp_path / "root"
    for folder in (root / "horse", root / "train", root / "train" / "horse", tmp_path / "horse", tmp_path / "x"):
        folder.mkdir(parents=True, exist_ok=True)
    assert find_folder(name, root, "train", [name]) is None


def test_pictures_held_out_are_never_trained_on(tmp_path):
    draw(tmp_path / "horse" / "a.png", 1)
    draw(tmp_path / "horse" / "test" / "b.png", 2)
    assert labels(open_folder("horse", tmp_path, "test", PAIR)) == ["b.png"]
    assert labels(open_folder("horse", tmp_path, "train", PAIR)) == ["a.png"]


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


def test_links_to_folders_are_not_followed(tmp_path):
    draw(tmp_path / "data" / "a.png", 1)
    draw(tmp_path / "elsewhere" / "b.png", 2)
    (tmp_path / "data" / "circle").symlink_to(tmp_path / "data", target_is_directory=True)
    (tmp_path / "data" / "out").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "data" / "c.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    assert labels(PictureFiles("horse", tmp_path / "data", files_in(tmp_path / "data"))) == ["a.png", "c.png"]


def test_a_link_may_be_the_data_folder_itself(tmp_path):
    draw(tmp_path / "elsewhere" / "horse" / "b.png", 2)
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert labels(open_folder("horse", tmp_path / "data", "train", PAIR)) == ["b.png"]


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


def test_of_many_skipped_files_three_are_named(tmp_path):
    draw(tmp_path / "a.png", 1)
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.warns(UserWarning, match=r"skipped 5 file\(s\) that are no pictures \(0\.txt, 1\.txt, 2\.txt, \.\.\.\)\.$"):
        PictureFiles("horse", tmp_path, files_in(tmp_path))


def test_a_folder_without_any_picture_is_an_error(tmp_path):
    with pytest.raises(UserError) as caught:
        PictureFiles("horse", tmp_path, files_in(tmp_path))
    assert str(caught.value) == f"{tmp_path} holds no picture that can be read; formats: JPEG, PNG, WebP, BMP and TIFF."
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"holds no picture that can be read \(notes\.txt\); formats"):
        PictureFiles("horse", tmp_path, files_in(tmp_path))


def test_an_empty_folder_of_a_layout_is_an_error(tmp_path):
    (tmp_path / "horse").mkdir()
    with pytest.raises(UserError, match="holds no picture that can be read"):
        open_folder("horse", tmp_path, "train", PAIR)


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
