from __future__ import annotations

import numpy as np
import pytest

from translate.grid import draw_grid

# By hand from grid.py's measures: 6 between cells and around them, 26 above for the titles, 24 between blocks.
GAP, HEADER, WHITE = 6, 26, (255, 255, 255)


def flat(colour, height=128, width=160):
    return np.full((height, width, 3), colour, np.uint8)


def is_filled(sheet, left, top, height, width, colour):
    """Whether exactly this rectangle has this colour: all of it, and nothing right around it."""
    array = np.asarray(sheet)
    ring = array[top - 1 : top + height + 1, left - 1 : left + width + 1].astype(int).copy()
    inside = ring[1:-1, 1:-1].copy()
    ring[1:-1, 1:-1] = 255
    return bool((inside == np.array(colour)).all() and (ring == 255).all())


def test_pictures_are_where_they_belong():
    sheet = draw_grid(
        [
            [("a", [flat((1, 2, 3)), flat((4, 5, 6))]), ("b", [flat((7, 8, 9)), flat((10, 11, 12))])],
            [("c", [flat((13, 14, 15)), flat((16, 17, 18))])],
        ]
    )
    assert sheet.mode == "RGB"
    # Three columns of 160 and the gap after each, one gap before the first, and three more between the blocks.
    assert sheet.size == (6 + 3 * 166 + 18, 26 + 2 * 134 + 6)
    lefts, tops = (6, 6 + 166, 6 + 2 * 166 + 18), (26, 26 + 134)
    colours = [[(1, 2, 3), (4, 5, 6)], [(7, 8, 9), (10, 11, 12)], [(13, 14, 15), (16, 17, 18)]]
    for left, column in zip(lefts, colours, strict=True):
        for top, colour in zip(tops, column, strict=True):
            assert is_filled(sheet, left, top, 128, 160, colour)


def test_none_leaves_the_cell_empty():
    sheet = draw_grid([[("a", [None, flat((9, 9, 9))]), ("b", [flat((8, 8, 8)), None])]])
    array = np.asarray(sheet)
    assert (array[26 : 26 + 128, 6 : 6 + 160] == 255).all()
    assert is_filled(sheet, 6, 26 + 134, 128, 160, (9, 9, 9))
    assert is_filled(sheet, 6 + 166, 26, 128, 160, (8, 8, 8))
    assert (array[26 + 134 : 26 + 134 + 128, 6 + 166 : 6 + 166 + 160] == 255).all()


def test_columns_may_be_of_different_lengths():
    sheet = draw_grid([[("a", [flat((9, 9, 9))]), ("b", [flat((8, 8, 8))] * 3)]])
    assert sheet.size == (6 + 2 * 166, 26 + 3 * 134 + 6)
    assert is_filled(sheet, 6 + 166, 26 + 2 * 134, 128, 160, (8, 8, 8))


def test_titles_stand_above_their_columns():
    array = np.asarray(draw_grid([[("", [flat(9)]), ("zebra", [flat(9)])]])).astype(int)
    assert (array[:26, : 6 + 166] == 255).all()
    assert (array[:26, 6 + 166 : 6 + 2 * 166] < 128).any()


@pytest.mark.parametrize(
    ("size", "shown"), [((16, 16), (128, 128)), ((100, 120), (200, 240)), ((128, 300), (128, 300)), ((60, 30), (300, 150))]
)
def test_small_pictures_are_shown_larger_by_a_whole_factor(size, shown):
    sheet = draw_grid([[("", [flat((50, 60, 70), *size)])]])
    assert sheet.size == (shown[1] + 12, 26 + shown[0] + 12)
    assert is_filled(sheet, 6, 26, *shown, (50, 60, 70))


def test_pictures_are_shown_upright():
    cell = flat((0, 0, 0))
    cell[:64, :80] = (255, 0, 0)
    cell[:64, 80:] = (0, 255, 0)
    cell[64:, :80] = (0, 0, 255)
    array = np.asarray(draw_grid([[("", [cell])]]))
    assert np.array_equal(array[26 : 26 + 128, 6 : 6 + 160], cell)


@pytest.mark.parametrize(
    ("value", "dtype", "channels", "colour"),
    [
        (200, "uint8", 1, (200, 200, 200)),
        (200, "uint8", 3, (200, 200, 200)),
        (65535, "uint16", 1, (255, 255, 255)),
        (257 * 100, "uint16", 3, (100, 100, 100)),
        (-1.0, "float32", 3, (0, 0, 0)),
        (0.6, "float32", 1, (204, 204, 204)),
        (5.0, "float32", 3, (255, 255, 255)),
        (-5.0, "float32", 1, (0, 0, 0)),
    ],
)
def test_every_kind_of_array_is_shown(value, dtype, channels, colour):
    array = np.asarray(draw_grid([[("", [np.full((128, 128, channels), value, dtype)])]]))
    assert (array[26 : 26 + 128, 6 : 6 + 128] == np.array(colour)).all()


def test_the_cells_are_not_changed():
    cell = np.full((128, 128, 1), 0.3, np.float32)
    draw_grid([[("", [cell])]])
    assert (cell == np.float32(0.3)).all()
