"""A scanner's pictures through the whole library: no depth and no channel is lost between a folder and what apply writes."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import TINY

from translate import Engine
from translate.cli import main
from translate.data import picture


def scans(folder, channels, top, suffix):
    folder.mkdir(parents=True)
    ramp = np.linspace(0, top, 20 * 20).reshape(20, 20, 1) * np.ones(channels)
    for index in range(3):
        picture.save(np.roll(ramp, 100 * index, 0).astype(np.uint16), (0, 65535), folder / f"{index}{suffix}")


def test_depth_and_channels_survive_from_the_folder_to_the_result(tmp_path):
    scans(tmp_path / "data" / "a", 2, 4095, ".tif")
    scans(tmp_path / "data" / "b", 3, 60000, ".png")
    engine = Engine("cyclegan", ("a", "b"), data=tmp_path / "data", out=tmp_path / "run", **TINY, identity_weight=0).fit()
    assert [(space.dtype, space.window, space.channels) for space in engine.spaces] == [
        ("uint16", (0, 4095), 2),
        ("uint16", (0, 65535), 3),
    ]
    inputs = tmp_path / "run" / "samples" / "inputs"
    assert sorted(path.name for path in (inputs / "a").iterdir()) == ["0.tif", "1.tif", "2.tif"]
    assert sorted(path.name for path in (inputs / "b").iterdir()) == ["0.png", "1.png", "2.png"]
    for source, target, channels in (("a", "b", 3), ("b", "a", 2)):
        assert main(["apply", str(tmp_path / "run"), str(inputs / source), "--to", target, "-o", str(tmp_path / target)]) == 0
        paths = sorted((tmp_path / target).iterdir())
        assert [path.name for path in paths] == ["0.tif", "1.tif", "2.tif"]  # what cannot be held by .png is .tif
        result = picture.read(paths[0], channels, "uint16")
        expected = engine.translate(
            picture.read(inputs / source / f"0{'.tif' if source == 'a' else '.png'}", 5 - channels, "uint16"), to=target
        )
        assert np.array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_result_gets_an_ending_that_holds_it(dtype):
    deep, wide = np.zeros((2, 2, 3), dtype), np.zeros((2, 2, 5), np.uint8)
    assert picture.holding(deep, ".jpg") == {"uint16": ".png", "float32": ".tif"}[dtype]
    assert picture.holding(deep, ".TIFF") == ".TIFF"
    assert picture.holding(wide, ".png") == ".tif"
    assert picture.holding(wide[..., :3], ".jpg") == ".jpg"
