from __future__ import annotations

import colorsys

import numpy as np
import pytest

from translate.randomness import uniform
from translate.testing.augmentations import check_augmentation
from translate_augmentations.small import Small, coloured, placed, turned_hue

#: Draws that move nothing: not flipped, all of the picture, in the middle, neither turned nor leaning.
STILL = [0.9, np.nextafter(1, 0), 0.5, 0.5, 0.5, 0.5]


def plainly(image, matrix, size):
    """Bilinear sampling, mirrored at the edges, pixel by pixel."""
    height, width, _ = image.shape
    result = np.zeros((*size, image.shape[2]))
    for row in range(size[0]):
        for column in range(size[1]):
            x, y = matrix @ [column, row, 1]
            left, top = int(np.floor(x)), int(np.floor(y))
            for dy, share in ((0, 1 - (y - top)), (1, y - top)):
                for dx, part in ((0, 1 - (x - left)), (1, x - left)):
                    result[row, column] += share * part * image[mirrored(top + dy, height), mirrored(left + dx, width)]
    return result


def mirrored(place, side):
    while not 0 <= place < side:
        place = -place if place < 0 else 2 * (side - 1) - place
    return place


@pytest.mark.parametrize("part", ["small", "small:colour=0.3", "small:colour=1"])
def test_keeps_the_contract(part):
    check_augmentation(Small, part=part, channels=(3, 1, 2, 5))


@pytest.mark.parametrize(("size", "loading"), [((64, 64), (80, 80)), ((128, 96), (160, 120)), ((30, 30), (38, 38))])
def test_the_size_to_load(size, loading):
    assert Small(size).loading_size == loading


@pytest.mark.parametrize("number", range(4))
def test_pixels_are_those_of_a_plain_version(number):
    (draw,) = uniform(number, "draws", 0, 1, Small.draws)
    image = uniform(number, "picture", 0, 20, 30 * 2).reshape(20, 30, 2).astype(np.float32)
    augmentation = Small((16, 24))
    expected = plainly(image, placed(draw[:6], (16, 24), (20, 30)), (16, 24))
    # OpenCV places samples to 1/32 of a pixel, and neighbours differ by up to 1.
    assert np.abs(augmentation(image, draw) - expected).max() < 2 / 32


@pytest.mark.parametrize(
    ("change", "x", "y"),
    [
        ({}, 0, 0),  # a picture of 11x11 in a batch of 11x11: every pixel is its own
        ({0: 0.4}, 10, 0),  # flipped
        ({1: 0.0}, 1, 1),  # 0.8 of the sides: from pixel 1 to pixel 9
        ({1: 0.0, 2: 0.0}, 1, -0.1),  # 0.2 * 11 = 2.2 are free; half of them above
        ({1: 0.0, 3: 0.0}, -0.1, 1),
        ({1: 0.0, 3: np.nextafter(1, 0)}, 2.1, 1),
        ({4: np.nextafter(1, 0)}, 0.94423, -0.79228),  # 5 - 5 cos 10° + 5 sin 10°, 5 - 5 cos 10° - 5 sin 10°
        ({5: np.nextafter(1, 0)}, -0.5, 0),  # the top, 5 above the middle, leans by a tenth of that
    ],
)
def test_where_the_first_pixel_looks_by_hand(change, x, y):
    draw = np.array([change.get(number, each) for number, each in enumerate(STILL)])
    found = placed(draw, (11, 11), (11, 11)) @ [0, 0, 1]
    assert found == pytest.approx([x, y], abs=1e-4)


def test_colours_stay_unless_asked_for():
    image = uniform(0, "picture", 0, 20, 60).reshape(20, 20, 3).astype(np.float32)
    draw = np.array([*STILL, 0.1, 0.9, 0.2])
    assert np.array_equal(Small((16, 16))(image, draw), Small((16, 16))(image, np.array([*STILL, 0.5, 0.5, 0.5])))
    changed = Small((16, 16), Small.Options(colour=0.3))(image, draw)
    seen = Small((16, 16))(image, draw)
    assert np.allclose(changed, coloured(seen, np.array([-0.8, 0.8, -0.6]), 0.3))
    assert np.abs(changed - seen).mean() > 0.04


def test_brightness_and_contrast_by_hand():
    image = np.array([0, 100, 200], np.uint8).reshape(1, 3, 1)
    # The mean is 100, the standard deviation 81.65.
    assert coloured(image, np.array([0.5, 0, 0]), 1.0).ravel().tolist() == [41, 141, 200]
    assert coloured(image, np.array([0, -1, 0]), 0.5).ravel().tolist() == [50, 100, 150]
    assert coloured(image, np.array([1, 1, 0]), 0.0).ravel().tolist() == [0, 100, 200]


@pytest.mark.parametrize("colour", [(0.8, 0.3, 0.3), (0.3, 0.8, 0.3), (0.2, 0.3, 0.7)])
def test_a_third_of_a_turn_of_hue_is_the_next_primary(colour):
    # Independent of the formula: at 120° red is green, green is blue and blue is red.
    turned = turned_hue(2 * np.pi / 3) @ colour
    assert turned == pytest.approx(np.roll(colour, 1))
    hues = [colorsys.rgb_to_hsv(*each)[0] for each in (colour, turned)]
    assert (hues[1] - hues[0]) % 1 == pytest.approx(1 / 3)


def test_hues_turn_and_greys_stay():
    assert turned_hue(0.3) @ [0.5, 0.5, 0.5] == pytest.approx([0.5, 0.5, 0.5])
    image = np.array([[[0.4, 0.5, 0.6], [0.5, 0.5, 0.5], [0.0, 1.0, 0.5]]], np.float32)
    got = coloured(image, np.array([0, 0, 1.0]), 0.5)
    assert got[0, 0] == pytest.approx(turned_hue(0.25) @ image[0, 0], abs=1e-6)
    assert got[0, 1] == pytest.approx(image[0, 1], abs=1e-6)


def test_no_value_leaves_the_range_of_a_12_bit_picture():
    image = (uniform(0, "scan", 0, 20, 20).reshape(20, 20, 1) * 4095).astype(np.uint16)
    augmentation = Small((16, 16), Small.Options(colour=1.0))
    every = [augmentation(image, draw) for draw in uniform(0, "draws", 0, 50, 9)]
    assert max(each.max() for each in every) <= image.max()
    assert min(each.min() for each in every) >= image.min()
    assert len({int(each.mean()) for each in every}) > 25
