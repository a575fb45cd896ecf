"""Small pictures, small networks: what many tests begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

#: The published recipe with networks that build and step in milliseconds; as keyword arguments of Engine, with the recipe "cyclegan".
TINY: dict[str, Any] = {
    "preset": "paper",
    "size": 16,
    "batch": 2,
    "steps": 4,
    "generator": "resnet:blocks=1,channels=4",
    "discriminator": "patch:channels=4,layers=1",
    "pool_size": 3,
    "workers": 0,
    "device": "cpu",
}


def draw(path: Path, seed: int, size: tuple[int, int] = (20, 24), mode: str = "RGB") -> Path:
    """A picture of smooth random colours at ``path``; ``size`` is (height, width)."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(seed).integers(0, 256, (4, 4, channels), dtype=np.uint8)
    image = Image.fromarray(values[..., 0] if channels == 1 else values, mode=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.resize((size[1], size[0]), Image.Resampling.BICUBIC).save(path)
    return path


def opened(path: Path) -> Image.Image:
    """The picture in ``path``, loaded, its file closed again."""
    with Image.open(path) as image:
        image.load()
        return image


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is decoded in a test is not kept among the user's own."""
    monkeypatch.setenv("TRANSLATE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A data folder with five pictures each of ``cat`` and ``dog`` for training, two each for testing."""
    for number, name in enumerate(("cat", "dog")):
        for split, count in (("train", 5), ("test", 2)):
            for index in range(count):
                draw(tmp_path / "photos" / split / name / f"{index}.png", 100 * number + 10 * (split == "test") + index)
    return tmp_path / "photos"


@pytest.fixture
def tiny(photos: Path) -> Callable[..., Any]:
    """Makes a small CycleGAN engine on ``photos``; keyword arguments are those of Engine."""
    from translate import Engine

    def make(**values: Any) -> Any:
        return Engine("cyclegan", ("cat", "dog"), **{"data": str(photos), **TINY, **values})

    return make
