from __future__ import annotations

import base64
import io
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from conftest import draw
from data.test_duplicates import scene
from PIL import Image

from translate.data import preflight_page
from translate.data.preflight import check
from translate.data.preflight_page import page
from translate.plugins import installed

EMPTY = {"meta", "img", "polyline", "li", "th", "td", "tr"}


class Reader(HTMLParser):
    """The tags, their attributes and the texts of a page; every tag that must be closed has to be, in the right order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)

    def pictures(self):
        sources = [value for tag, name, value in self.attributes if (tag, name) == ("img", "src")]
        data = [re.fullmatch(r"data:image/jpeg;base64,(.+)", source)[1] for source in sources]
        return [Image.open(io.BytesIO(base64.b64decode(each))) for each in data]


def read(root, *names):
    return Reader(page(check(installed(), names, root, (16, 16))))


def test_a_page_shows_each_portion_with_its_extremes(photos):
    Image.new("RGB", (400, 200), "black").save(photos / "train" / "cat" / "dark.png")
    Image.new("RGB", (8, 8), "white").save(photos / "train" / "cat" / "white.png")
    found = read(photos)
    captions = [text for text in found.texts if re.search(r", \d+x\d+$", text)]
    assert "smallest: train/cat/white.png, 8x8" in captions
    assert "largest: train/cat/dark.png, 400x200" in captions
    assert "darkest: train/cat/dark.png, 400x200" in captions
    assert "brightest: train/cat/white.png, 8x8" in captions
    pictures = found.pictures()
    # All of the 7, 5, 2 and 2, and four extremes each.
    assert len(pictures) == len(captions) == 7 + 5 + 2 + 2 + 16
    assert max(max(image.size) for image in pictures) == preflight_page.SIDE
    assert (144, 72) in [image.size for image in pictures]
    assert found.tags.count("svg") == 4
    assert found.tags.count("polyline") == 4 * 3


def test_a_page_needs_nothing_else(photos):
    text = page(check(installed(), (), photos, (16, 16)))
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)
    assert "viewport" in text
    assert "color-scheme: light dark" in text


def test_names_are_text_wherever_they_stand(tmp_path):
    evil = '<script>alert("1")&\'.png'
    for folder in ("<b>", "o'k"):
        draw(tmp_path / "d" / folder / evil, 1, (60, 60))
    (tmp_path / "d" / "<b>" / "<i>.txt").write_text("x")
    whole = draw(tmp_path / "d" / "<b>" / "<u>.png", 3, (60, 60))
    whole.write_bytes(whole.read_bytes()[:150])
    found = read(tmp_path / "d")
    assert {"script", "b", "i", "u"}.isdisjoint(found.tags)
    assert any(evil in text for text in found.texts)
    assert any("<i>.txt" in text for text in found.texts)
    assert ("img", "alt", f"<b>/{evil}") in found.attributes


def test_alike_pictures_stand_side_by_side(tmp_path):
    for name, seeds in (("a", (1, 2)), ("b", (3, 4))):
        (tmp_path / name).mkdir()
        for seed in seeds:
            Image.fromarray(scene(seed)).save(tmp_path / name / f"{seed}.png")
    before = len(read(tmp_path).pictures())
    shutil.copy(tmp_path / "a" / "1.png", tmp_path / "b" / "1.png")
    after = read(tmp_path)
    assert "2 pictures, the same bytes" in after.texts
    assert len(after.pictures()) == before + 1 + 2


def test_errors_are_shown_too(photos):
    found = read(photos, "cat", "bird")
    assert "Training cannot work." in found.texts
    assert any("has no pictures of bird" in text for text in found.texts)
    assert not any("Train on it" in text for text in found.texts)


def test_points_have_no_pictures():
    found = read(None, "points:ring8")
    assert found.pictures() == []
    assert "100000" in found.texts


def test_the_mean_is_shown_as_a_colour(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.full((20, 20, 3), (200, 100, 50), np.uint8)).save(tmp_path / "a" / "1.png")
    styles = [value for tag, name, value in read(tmp_path).attributes if (tag, name) == ("span", "style")]
    assert styles == [f"background:rgb({colour})" for colour in ("200 100 50", "200 0 0", "0 100 0", "0 0 50")]


@pytest.mark.parametrize(("counts", "highest"), [([[1] * 256], 70), ([[0] * 255 + [9]], 70)])
def test_levels_are_drawn_within_their_field(counts, highest):
    points = re.search(r'points="(.*?)"', preflight_page._drawing(np.array(counts)))[1].split()
    heights = [72 - float(point.split(",")[1]) for point in points]
    assert len(points) == 64
    assert max(heights) == pytest.approx(highest)
    assert min(heights) >= 0
