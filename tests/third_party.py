"""What tests of the example packages have in common: where the packages are, small runs, and what holds for every method."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from conftest import opened
from torch import nn

from translate import Engine, Space, UserError
from translate.recipe import Batch

ROOT = Path(__file__).parent / "example_plugins"
EXAMPLES = sorted(each.name for each in ROOT.iterdir() if (each / "pyproject.toml").exists())

#: Small enough to build and step in milliseconds.
RUN = {"preset": None, "size": 16, "batch": 2, "steps": 4, "augment": "none", "workers": 0, "device": "cpu", "log_every": 1}
JUDGE = "patch:channels=4,layers=1"


def project(example: str) -> dict:
    return tomllib.loads((ROOT / example / "pyproject.toml").read_text(encoding="utf-8"))


def spaces(*channels: int, size: tuple[int, int] = (16, 16)) -> list[Space]:
    return [Space(f"{number}", (each, *size)) for number, each in enumerate(channels)]


def one_sentence(error: pytest.ExceptionInfo) -> str:
    said = str(error.value)
    assert re.fullmatch(r"[A-Z'/-][^\n]*\.", said), said
    assert not re.search(r"[.?!] +[A-Z]|Traceback", said), said
    return said


def in_double(engine: Engine, steps: int) -> list[Batch]:
    """The engine's first batches, in float64 as its recipe is from here on."""
    engine.recipe.double()
    batches = [
        next(engine.loader.batches(first)) for first in range(0, steps * engine.run_options.batch, engine.run_options.batch)
    ]
    return [Batch(tuple(image.double() for image in batch.images), batch.first, batch.seed) for batch in batches]


def adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=lr, betas=(0.5, 0.999))


def assert_same_weights(mine: nn.Module, theirs: nn.Module) -> None:
    """To 1e-9. A bias before a norm has a gradient of pure rounding, of which Adam, that divides by its size, makes up to 1e-7."""
    before_norms = {
        id(layer.bias)
        for body in mine.modules()
        if isinstance(body, nn.Sequential)
        for layer, after in pairwise(body)
        if isinstance(after, nn.InstanceNorm2d)
    }
    for (name, one), other in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        assert (one - other).abs().max().item() <= (1e-7 if id(one) in before_norms else 1e-9), name


def assert_goes_on_bit_for_bit(make, run: Path) -> Engine:
    """Train whole, and in two halves with a checkpoint between; returns the latter, at its end."""
    whole, half = make(), make(out=run)
    list(whole.steps())
    for report in half.steps():
        if report.step == 2:
            break
    half.save_checkpoint()
    resumed = Engine.resume(run)
    assert resumed.step == 2
    list(resumed.steps())
    state = resumed.trainer.state()
    for key, tensor in whole.trainer.state().items():
        assert torch.equal(tensor, state[key]), key
    return resumed


def assert_weights_serve(engine: Engine, to: str, path: Path) -> None:
    """What is saved can be loaded without losses and judges, and translates as it did."""
    engine.save(path)
    loaded = Engine.load(path, device="cpu")
    image = torch.rand(1, *engine.spaces[0].shape) * 2 - 1
    with torch.no_grad():
        assert torch.equal(loaded.translate(image, to=to), engine.translate(image, to=to))


def assert_shows_one_way(engine: Engine, to: str, back: str, *, columns: int) -> None:
    """Grids show it in so many ``columns`` and nothing else, it is the default, and the other is refused."""
    grid = opened(engine.out / "samples" / "000001.png")
    assert columns * 128 <= grid.width < (columns + 1) * 128
    image = torch.zeros(1, *engine.spaces[0].shape)
    with torch.no_grad():
        assert torch.equal(engine.translate(image), engine.translate(image, to=to))
    with pytest.raises(UserError, match=f"'{to}'.*'{back}'") as error:
        engine.translate(image, to=back)
    one_sentence(error)
