"""What TensorBoard reads is what the run logged."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from conftest import opened

from translate import Engine, UserError


def events(run):
    """The scalars by tag, (step, value) each, and the steps of pictures."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(run / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    read.Reload()
    scalars = {tag: [(each.step, each.value) for each in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
    return scalars, [each for tag in read.Tags()["images"] for each in read.Images(tag)]


def test_losses_rates_and_grids_are_those_of_the_run(tiny, tmp_path):
    run = tmp_path / "run"
    tiny(out=run, steps=4, log_every=2, listeners="tensorboard").fit()
    scalars, images = events(run)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    for name in lines[0]["losses"]:
        logged = [(line["step"], pytest.approx(line["losses"][name], rel=1e-6)) for line in lines]
        assert scalars.pop(f"losses/{name}") == logged
    for group in lines[0]["rates"]:
        assert scalars.pop(f"rates/{group}") == [(line["step"], pytest.approx(line["rates"][group], rel=1e-6)) for line in lines]
    assert not scalars
    assert {each.step for each in images} == {int(path.stem) for path in (run / "samples").glob("*.png")}
    with opened(run / "samples" / "000004.png") as grid:
        assert (images[-1].width, images[-1].height) == grid.size


def test_a_run_that_goes_on_goes_on_there_too(tiny, tmp_path):
    whole, half = tmp_path / "whole", tmp_path / "half"
    settings = {"steps": 6, "log_every": 1, "checkpoint_every": 3, "listeners": ("tensorboard:pictures=false",)}
    tiny(out=whole, **settings).fit()
    engine = tiny(out=half, **settings)

    class Stop(Exception):
        pass

    class Stopper:
        from translate import hookimpl

        @hookimpl
        def step_reported(self, report):
            if report.step == 5:  # two steps beyond the checkpoint
                raise Stop

    with engine.listening(Stopper(), "stopper"), pytest.raises(Stop):
        engine.fit()
    Engine.resume(half).fit()
    one, other = events(whole), events(half)
    assert one[0].keys() == other[0].keys()
    for tag, values in one[0].items():
        assert np.allclose(values, other[0][tag]), tag
    assert not one[1]


def test_what_is_missing_gets_a_sentence(tiny, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="writes to the folder of a run; give the run one with --out DIR"):
        tiny(listeners="tensorboard").fit()
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        UserError, match=r"needs the package tensorboard; install it: pip install 'image-translate\[tensorboard\]'"
    ):
        tiny(listeners="tensorboard")
