"""The drawn domains keep what they promise: the same bytes always, true counterparts, masks that tell where they differ."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import translate_pictures
from translate import UserError
from translate_pictures import scenery
from translate_pictures.domain import NAMES, SPLITS, DrawnDomain

#: And the greatest share of a picture that one style may paint otherwise than the other.
_SHARES = {("horse", "zebra"): 0.6, ("young", "old"): 0.6, ("summer", "winter"): 0.98}
PAIRS = [pair for a, b in _SHARES for pair in ((a, b), (b, a))]


def test_hook_open_domain_answers_for_its_names_without_a_folder(tmp_path):
    assert translate_pictures.NAMES == NAMES
    for name in NAMES:
        domain = translate_pictures.open_domain(name, None, "test", (32, 48))
        assert isinstance(domain, DrawnDomain)
        assert domain.read(0).shape == (32, 48, domain.channels)
        assert translate_pictures.open_domain(name, tmp_path, "train", None) is None
    assert translate_pictures.open_domain("apple", None, "train", None) is None
    assert translate_pictures.open_domain("horse", None, "train", None).read(0).shape == (256, 256, 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_index_is_the_same_bytes_in_any_thread(name):
    expected = [DrawnDomain(name, size=(48, 48)).read(i) for i in range(8)]
    domain = DrawnDomain(name, size=(48, 48))
    with ThreadPoolExecutor(4) as pool:
        for got in (list(pool.map(domain.read, range(8))) for _ in range(3)):
            assert all(np.array_equal(a, b) for a, b in zip(got, expected, strict=True))
    assert all(picture.dtype == np.uint8 and picture.shape == (48, 48, domain.channels) for picture in expected)
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations(expected, 2))


@pytest.mark.parametrize("name", NAMES)
def test_the_composition_does_not_depend_on_the_size(name):
    small, large = DrawnDomain(name, size=(64, 64)), DrawnDomain(name, size=(256, 256))
    for index in range(4):
        picture = small.read(index).astype(float)
        shrunk = large.read(index).reshape(64, 4, 64, 4, -1).mean(axis=(1, 3))
        other = large.read(index + 4).reshape(64, 4, 64, 4, -1).mean(axis=(1, 3))
        assert np.abs(picture - shrunk).mean() < 4
        assert np.abs(picture - shrunk).mean() < 0.25 * np.abs(picture - other).mean()


@pytest.mark.parametrize("name", NAMES)
def test_the_middle_of_an_oblong_drawing_is_the_square_one(name):
    square = DrawnDomain(name, size=(64, 64)).read(3).astype(float)
    wide = DrawnDomain(name, size=(64, 112)).read(3)
    tall = DrawnDomain(name, size=(96, 64)).read(3)
    assert wide.shape[:2] == (64, 112)
    assert tall.shape[:2] == (96, 64)
    assert np.abs(wide[:, 24:88] - square).mean() < 6
    assert np.abs(tall[16:80] - square).mean() < 8


def test_no_two_drawings_share_a_seed():
    seeds = [d.seed(i) for name in NAMES for split in SPLITS for d in [DrawnDomain(name, split)] for i in range(len(d))]
    assert len(set(seeds)) == len(seeds) == len(NAMES) * (1000 + 200 + 200)
    # Nor does any scene of one side return on the other: the data is unpaired.
    states = {np.random.default_rng(seed).bytes(16) for seed in seeds}
    assert len(states) == len(seeds)


@pytest.mark.parametrize(("name", "other"), PAIRS)
@pytest.mark.parametrize("size", [(64, 64), (90, 120)])
def test_outside_of_the_mask_picture_and_counterpart_are_equal(name, other, size):
    domain = DrawnDomain(name, "test", size)
    for index in range(5):
        picture, truth, mask = domain.read(index), domain.counterpart(index, other), domain.mask(index)
        assert mask.shape == size
        assert mask.dtype == np.bool_
        assert 0.02 < mask.mean() < (_SHARES.get((name, other)) or _SHARES[other, name])
        assert np.array_equal(picture[~mask], truth[~mask])
        assert np.abs(picture[mask].astype(float) - truth[mask]).mean() > 25


@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_the_counterpart_is_the_same_scene_drawn_in_the_other_style(name, other):
    domain = DrawnDomain(name, "test", (48, 48))
    scene = domain.scene(2)
    assert np.array_equal(domain.counterpart(2, other), domain._subject.draw(scene, other, (48, 48)))
    assert np.array_equal(domain.counterpart(2, name), domain.read(2))
    assert domain.counterpart(2, "digits") is None
    assert domain.counterparts == (other,)


def test_a_zebra_has_contrast_where_a_horse_has_none():
    for name, index in itertools.product(("horse", "zebra"), range(10)):
        domain = DrawnDomain(name, "test", (64, 64))
        mask = domain.mask(index)
        horse, zebra = (domain.counterpart(index, style)[mask].mean(axis=1).std() for style in ("horse", "zebra"))
        assert zebra > 1.8 * horse
        assert zebra > 50


def test_the_plain_coat_can_be_guessed_well_enough_to_beat_the_stripes():
    domain = DrawnDomain("zebra", "test", (64, 64))
    coats, changes = [], []
    for index in range(30):
        mask = domain.mask(index)
        horse, zebra = (domain.counterpart(index, style)[mask].astype(float) for style in ("horse", "zebra"))
        coats.append(horse)
        changes.append(np.abs(horse - zebra).mean())
    mean = np.concatenate(coats).mean(axis=0)
    assert np.mean([np.abs(coat - mean).mean() for coat in coats]) < 0.5 * np.mean(changes)


def test_unseen_surroundings_are_in_no_other_split():
    families = {
        "horse": lambda scene: scene.scenery.family,
        "young": lambda scene: scene.backdrop.family,
        "summer": lambda scene: scene.family,
    }
    for name, family in families.items():
        seen = {family(DrawnDomain(name, split).scene(i)) for split in ("train", "test") for i in range(60)}
        unseen = {family(DrawnDomain(name, "unseen").scene(i)) for i in range(60)}
        assert len(seen) >= 3
        assert len(unseen) == 1
        assert not seen & unseen
    assert set(scenery.SEEN) | set(scenery.UNSEEN) == set(scenery.FAMILIES)


@pytest.mark.parametrize("name", ["bags", "shoes", "digits"])
def test_what_has_no_counterpart_says_so(name):
    domain = DrawnDomain(name, "test", (32, 32))
    assert domain.counterparts == ()
    assert domain.mask(0) is None
    assert all(domain.counterpart(0, other) is None for other in NAMES if other != name)


def test_digits_have_one_channel_and_no_counterpart():
    domain = DrawnDomain("digits", "train", (28, 28))
    assert domain.channels == 1
    pictures = np.stack([domain.read(i) for i in range(40)])
    assert pictures.shape == (40, 28, 28, 1)
    assert {domain.scene(i).value for i in range(200)} == set(range(10))
    assert 0.04 < (pictures > 127).mean() < 0.35
    assert pictures[:, 0].mean() < 5


def test_labels_and_origin():
    domain = DrawnDomain("horse", "test")
    assert domain.label(17) == "horse-00017.png"
    assert domain.origin == "drawn by the program (200 pictures)"
    with pytest.raises(IndexError, match="200"):
        domain.read(200)


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(UserError, match="Did you mean 'zebra'"):
        DrawnDomain("zebras")
    with pytest.raises(UserError, match="train, test, unseen"):
        DrawnDomain("zebra", "validation")
    with pytest.raises(UserError, match="too small"):
        DrawnDomain("zebra", size=(4, 64))


def test_curves_go_through_their_points():
    from translate_pictures.canvas import curve, loop

    points = np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, 4.0)])
    assert np.allclose(curve(points, 5)[::5], points)
    assert np.allclose(loop(points, 5)[::5], points)


def test_a_layer_is_premultiplied_and_composes_exactly():
    from translate_pictures.canvas import Canvas, View, compose

    view = View(16, 16)
    canvas = Canvas(view)
    # The left half and a half of column 8: 8.5 of 16 pixels.
    canvas.polygon(np.array([(-0.5, -0.5), (8.5 / 16 - 1e-6, -0.5), (8.5 / 16 - 1e-6, 1.5), (-0.5, 1.5)]), (200, 100, 0))
    layer = canvas.layer()
    assert np.array_equal(layer[0, 0], (200, 100, 0, 255))
    assert np.array_equal(layer[0, 12], (0, 0, 0, 0))
    below = np.full((16, 16, 3), 40, np.float32)
    result = compose(below, layer)
    assert np.array_equal(result[0, 12], (40, 40, 40))
    share = layer[0, 8, 3] / 255
    assert 0.2 < share < 0.8
    assert np.allclose(result[0, 8], 40 * (1 - share) + share * np.array([200, 100, 0]), atol=1)


def test_reading_is_light_at_import():
    import subprocess
    import sys

    code = "import sys, translate_pictures; sys.exit('PIL' in sys.modules or 'translate_pictures.domain' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False).returncode == 0


def test_drawings_are_bytes_that_pillow_writes(tmp_path):
    picture = DrawnDomain("zebra", "unseen", (64, 64)).read(5)
    Image.fromarray(picture).save(tmp_path / "zebra.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "zebra.png")), picture)
