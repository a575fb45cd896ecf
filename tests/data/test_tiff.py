from __future__ import annotations

import io

import numpy as np
import pytest
from data import odd
from data.odd import noise
from PIL import Image

from translate.data import tiff
from translate.data.decode import opencv_values


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8)])
def test_what_is_written_others_can_read(tmp_path, channels, dtype, size):
    values = noise((*size, channels), dtype)
    tiff.write(tmp_path / "a.tif", values)
    assert np.array_equal(opencv_values((tmp_path / "a.tif").read_bytes()), values)
    if dtype == "uint8" or channels == 1:  # for the others PIL has no mode
        with Image.open(tmp_path / "a.tif") as image:
            assert np.array_equal(np.asarray(image).reshape(values.shape), values)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16), (4, 2)])
@pytest.mark.parametrize("predictor", [1, 2, 3])
def test_every_way_of_laying_out_a_picture(order, big, planar, tile, predictor):
    values = noise((9, 11, 5), "float32" if predictor == 3 else "uint16")
    data = odd.tiff(
        values,
        order=order,
        big=big,
        planar=planar,
        tile=tile,
        predictor=predictor,
        deflate=predictor > 1,
        extra=[0] * 4,
        photometric=1,
    )
    path = io.BytesIO(data)
    found = tiff.directory(path)
    assert (found.width, found.height, found.samples, found.channels, found.is_plain) == (11, 9, 5, 5, True)
    got = tiff.decode(path, found)
    assert got.dtype == values.dtype
    assert np.array_equal(got, values)


def test_differences_run_over_the_end_and_start_again():
    values = np.array([[[65535], [0], [1], [65535]]], np.uint16)
    file = io.BytesIO(odd.tiff(values, predictor=2, deflate=True))
    assert np.array_equal(tiff.decode(file, tiff.directory(file)), values)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ([(273, 4, [16])], "3 parts are needed, and its header lists 1"),
        ([(317, 3, [9])], "TIFF predictor 9 is not known"),
        ([(278, 4, [0])], "its TIFF header gives parts without a size"),
        ([(258, 3, [0])], "its TIFF header gives no size"),
        ([(273, 4, [1 << 31] * 3)], "the file ends too early"),
        ([(322, 4, [1 << 31]), (323, 4, [1 << 31])], "its tiles are far larger than the picture"),
    ],
)
def test_headers_that_make_no_sense(more, says):
    file = io.BytesIO(odd.tiff(noise((5, 7, 1), "uint16"), more=more))
    with pytest.raises(ValueError, match=says):
        tiff.decode(file, tiff.directory(file))


@pytest.mark.parametrize(("count", "says"), [(65535, "claims 65535 tags"), (9, "the file ends too early")])
def test_directories_that_are_not_there(count, says):
    with pytest.raises(ValueError, match=says):
        tiff.directory(io.BytesIO(b"II*\0\x08\0\0\0" + count.to_bytes(2, "little")))


def test_a_tag_of_too_many_values_is_not_read():
    data = bytearray(odd.tiff(noise((5, 7, 1), "uint16")))
    at = data.rindex((273).to_bytes(2, "little") + (4).to_bytes(2, "little"))
    data[at + 4 : at + 8] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(ValueError, match="claims 1073741824 values of tag 273"):
        tiff.directory(io.BytesIO(bytes(data)))
