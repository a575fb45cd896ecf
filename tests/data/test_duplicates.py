from __future__ import annotations

import io
import time

import numpy as np
from PIL import Image

from translate.data.duplicates import KEPT, LEAST_SIDE, Group, Sketch, alike, sketch


def scene(seed, size=96):
    """Smooth colours with some detail, as in a photograph."""
    rng = np.random.default_rng(seed)
    layers = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (3, 6, 12)]
    whole = [np.asarray(Image.fromarray(each).resize((size, size), Image.Resampling.BICUBIC), float) for each in layers]
    return np.average(whole, axis=0, weights=(4, 2, 1)).round().astype(np.uint8)


def changed(array, way):
    image = Image.fromarray(array)
    if way == "saved":
        file = io.BytesIO()
        image.save(file, "JPEG", quality=50)
        return np.asarray(Image.open(file))
    if way == "resized":
        return np.asarray(image.resize((150, 70), Image.Resampling.LANCZOS))
    if way == "brighter":
        return (array.astype(int) + 6).clip(0, 255).astype(np.uint8)
    if way == "mirrored":
        return changed(array[:, ::-1], "saved")
    assert way == "grain"
    return (array + np.random.default_rng(9).normal(0, 8, array.shape)).clip(0, 255).astype(np.uint8)


def groups(arrays, digests=None):
    digests = digests or [bytes([number]) for number in range(len(arrays))]
    return [group.members for group in alike(digests, [sketch(array) for array in arrays])]


def test_changed_copies_are_found_among_other_pictures():
    originals = [scene(seed) for seed in range(40)]
    ways = {3: "saved", 5: "resized", 8: "brighter", 11: "grain", 13: "mirrored"}
    copies = [changed(originals[number], way) for number, way in ways.items()]
    assert groups(originals + copies) == [(3, 40), (5, 41), (8, 42), (11, 43), (13, 44)]


def test_the_bits_of_the_mirror_image_are_those_of_the_picture_mirrored():
    one, other = sketch(scene(1)), sketch(scene(1)[:, ::-1])
    assert (one.mirrored, one.bits) == (other.bits, other.mirrored)
    assert one.bits != one.mirrored
    assert groups([scene(1), scene(1)[::-1]]) == [], "upside down is another picture"


def test_other_colours_are_another_picture():
    one = scene(1)
    assert groups([one, one[..., ::-1]]) == []
    assert groups([one, 255 - one]) == []


def test_plain_pictures_are_alike_only_in_one_colour():
    plain = [np.full((64, 64, 3), level, np.uint8) for level in (10, 12, 200, 10)]
    assert groups(plain) == [(0, 3)]


def test_what_is_too_small_has_no_sketch_and_is_alike_by_its_bytes_only():
    small = scene(1)[: LEAST_SIDE - 1]
    assert sketch(small) is None
    assert sketch(scene(1)[:LEAST_SIDE]) is not None
    assert groups([small, small]) == []
    assert alike([b"a", b"b", b"a"], [None, None, None]) == [Group((0, 2), exact=True)]


def test_any_number_of_channels_has_a_sketch():
    colour = scene(1)
    assert sketch(colour[..., :1]).thumbnail.shape == (KEPT, KEPT, 3)
    assert sketch(np.concatenate([colour, colour], axis=2)).bits == sketch(colour).bits
    assert sketch(colour[..., :2]).bits == sketch(colour[..., :1]).bits


def handmade(bits, level, mirrored=(1 << 64) - 1):
    """A sketch of high contrast, brighter by ``level``, whose mirror image is far from the others."""
    thumbnail = np.zeros((KEPT, KEPT, 3), np.uint8)
    thumbnail[::2] = 200
    return Sketch(bits, mirrored, thumbnail + np.uint8(level))


def test_both_hash_and_thumbnail_must_be_near():
    assert alike([b"a", b"b"], [handmade(0, 0), handmade((1 << 10) - 1, 8)]) == [Group((0, 1), exact=False)]
    assert alike([b"a", b"b"], [handmade(0, 0), handmade((1 << 11) - 1, 8)]) == []
    assert alike([b"a", b"b"], [handmade(0, 0), handmade((1 << 10) - 1, 9)]) == []


def test_equal_bytes_and_near_pictures_join_in_one_group():
    sketches = [handmade(0, 0), handmade(1 << 63, 50), handmade(3, 5), handmade(0, 0), handmade(0, 12)]
    # 0 and 3 are the same bytes; 2 is near 0; 4 is near 2 alone.
    assert alike([b"a", b"b", b"c", b"a", b"d"], sketches) == [Group((0, 2, 3, 4), exact=False)]
    assert alike([], []) == []
    assert alike([b"a"], [handmade(0, 0)]) == []


def test_the_groups_are_those_of_comparing_all_pairs():
    rng = np.random.default_rng(0)
    drawn = zip(rng.integers(0, 1 << 30, 200), 9 * rng.integers(0, 5, 200), strict=True)
    sketches = [handmade(int(bits), int(level)) for bits, level in drawn]
    owner = list(range(200))
    for one in range(200):
        for other in range(one):
            a, b = sketches[one], sketches[other]
            if (a.bits ^ b.bits).bit_count() <= 10 and np.abs(a.thumbnail.astype(float) - b.thumbnail).mean() <= 8:
                keep, drop = sorted((owner[one], owner[other]))
                owner = [keep if each == drop else each for each in owner]
    expected = [tuple(n for n in range(200) if owner[n] == first) for first in sorted(set(owner))]
    assert len(set(owner)) > 20
    found = alike([bytes([number]) for number in range(200)], sketches)
    assert [group.members for group in found] == [members for members in expected if len(members) > 1]


def test_many_pictures_of_one_kind_take_little_time():
    many = [handmade(0, 0)] * 5000
    began = time.process_time()
    (group,) = alike([number.to_bytes(4, "big") for number in range(5000)], many)
    assert len(group.members) == 5000
    assert time.process_time() - began < 5
