from __future__ import annotations

import numpy as np
import pytest

from translate.data import picture
from translate.data.fit import fitted


def ramp(height, width, dtype=np.uint8):
    """Rows 0, 1, 2 ... in the first channel, columns in the second."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows * 0], axis=2).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("fit", ["squash", "crop", "fit"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (300, 7), (40, 40), (1, 90), (33, 20)])
def test_every_shape_becomes_the_size(fit, shape, channels, dtype):
    result = fitted(np.full((*shape, channels), 7, dtype), (20, 12), fit)
    assert (result.shape, result.dtype) == ((20, 12, channels), dtype)
    np.testing.assert_allclose(result, 7, rtol=1e-5)


def test_squash_resizes_each_side():
    array = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    assert np.array_equal(fitted(array, (20, 20)), picture.resize(array, (20, 20)))


@pytest.mark.parametrize("fit", ["squash", "crop", "fit"])
def test_a_picture_of_the_right_size_stays(fit):
    array = ramp(20, 12)
    assert np.array_equal(fitted(array, (20, 12), fit), array)


@pytest.mark.parametrize(
    ("shape", "size", "rows", "columns"),
    [
        ((20, 50), (20, 20), range(20), range(15, 35)),
        ((51, 20), (20, 20), range(15, 35), range(20)),
        ((20, 50), (20, 30), range(20), range(10, 40)),
        ((40, 20), (10, 20), range(15, 25), range(20)),
    ],
)
def test_crop_keeps_the_middle(shape, size, rows, columns):
    assert np.array_equal(fitted(ramp(*shape), size, "crop"), ramp(*shape)[np.ix_(rows, columns)])


def test_crop_resizes_what_it_keeps():
    array = np.random.default_rng(0).integers(0, 256, (40, 100, 3), dtype=np.uint8)
    assert np.array_equal(fitted(array, (20, 20), "crop"), picture.resize(array[:, 30:70], (20, 20)))


def test_a_line_of_pixels_is_cut_before_it_is_resized():
    # Resized first, it would be 256 pixels high and five million wide.
    assert fitted(np.full((1, 20_000, 3), 9, np.uint8), (256, 256), "crop").shape == (256, 256, 3)


def test_fit_continues_by_the_mirror_image():
    array = ramp(10, 4)
    result = fitted(array, (10, 10), "fit")
    # Three columns are missing on either side; the mirror stands at the edge.
    assert result[0, :, 1].tolist() == [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]
    assert np.array_equal(result[:, 3:7], array)
    assert fitted(ramp(3, 10), (10, 10), "fit")[:, 0, 0].tolist() == [2, 1, 0, 0, 1, 2, 2, 1, 0, 0]


def test_fit_resizes_to_what_fits_inside():
    array = np.random.default_rng(0).integers(0, 256, (40, 100, 3), dtype=np.uint8)
    assert np.array_equal(fitted(array, (20, 20), "fit")[6:14], picture.resize(array, (8, 20)))
