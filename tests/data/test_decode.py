"""That decoders agree, that orientation and profiles are those of the standards, and that mutants do no harm."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from data import odd
from data.odd import noise
from PIL import Image

from translate.data import decode

LOSSLESS = [
    "grey.png",
    "colour.png",
    "interlaced.png",
    "grey-16-bits.png",
    "grey.tif",
    "grey-16-bits-lzw.tif",
    "colour.ppm",
    "colour.bmp",
]
DEEP_TIFF = [
    "grey-16-bits-big-endian.tif",
    "colour-16-bits-deflate-differences.tif",
    "colour-16-bits-in-tiles.tif",
    "floats.tif",
    "doubles.tif",
]
BY_NAME = {each.name: each for each in odd.READABLE}


@pytest.mark.parametrize("name", [*LOSSLESS, *DEEP_TIFF])
def test_decoders_agree_where_several_can_read(tmp_path, name):
    (tmp_path / name).write_bytes(BY_NAME[name].data)
    ours = decode.decode(tmp_path / name)
    theirs = decode.opencv_values(BY_NAME[name].data)
    theirs = theirs.astype(ours.dtype) if theirs.dtype == np.float64 else theirs
    theirs = theirs[..., :1] if ours.shape[2] == 1 else theirs
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiffs_of_10_to_14_bits_keep_their_values(tmp_path, bits, channels):
    values = noise((6, 8, channels), "uint16", top=(1 << bits) - 1)
    (tmp_path / "a.tif").write_bytes(odd.tiff(values, bits=bits))
    assert np.array_equal(decode.decode(tmp_path / "a.tif"), values)


@pytest.mark.parametrize("turn", range(1, 9))
def test_upright_is_what_pil_makes_of_each_orientation(turn):
    stored = noise((3, 5, 3))
    names = (
        None,
        *(
            Image.Transpose[name]
            for name in ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
        ),
    )
    way = names[turn - 1]
    expected = np.asarray(Image.fromarray(stored) if way is None else Image.fromarray(stored).transpose(way))
    assert np.array_equal(decode.upright(stored, turn), expected)


@pytest.mark.parametrize("turn", [0, 9, -1])
def test_there_are_no_other_orientations(turn):
    assert np.array_equal(decode.upright(noise((3, 5, 3)), turn), noise((3, 5, 3)))


def test_a_profile_that_is_srgb_changes_nothing():
    from PIL import ImageCms

    image = Image.fromarray(noise((9, 9, 3)))
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decode.in_srgb(image) is image
    image.info["icc_profile"] = odd.linear_profile()
    assert decode.in_srgb(image) is not image


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_profiles_hold_for_palettes_and_beside_transparency(mode):
    image = Image.fromarray(np.full((4, 4, 3), (10, 100, 200), np.uint8)).convert(mode)
    image.info["icc_profile"] = odd.linear_profile()
    expected = odd.to_srgb(np.asarray(image.convert("RGB")).astype(float))
    assert np.abs(decode.from_pil(image) - expected).max() <= 1


def test_on_white_is_exact_for_16_bits(monkeypatch):
    monkeypatch.setattr(decode, "_AT_A_TIME", 1000)  # several times, the last of them shorter
    colour, alpha = noise((40, 40, 3), "uint16", seed=3), noise((40, 40, 1), "uint16", seed=4)
    expected = (
        colour.astype(object) * alpha + (65535 - alpha.astype(object)) * 65535 + 32767
    ) // 65535  # whole numbers of any size
    assert np.array_equal(decode.on_white(np.dstack([colour, alpha])), expected.astype(np.uint16))


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of memory are those of Linux")
def test_mutants_are_read_or_refused():
    path = Path(__file__).parents[1] / "proofs" / "mutated_pictures.py"
    spec = importlib.util.spec_from_file_location("mutated_pictures", path)
    proof = importlib.util.module_from_spec(spec)
    sys.modules["mutated_pictures"] = proof
    spec.loader.exec_module(proof)
    figures, failures = proof.prove(200)
    assert failures == []
    assert figures["mutants"] == 200
    assert figures["read"] > 10
    assert figures["refused"] > 100
