"""Steps of every method are those of the plain way, in float64, with all levers pulled."""

from __future__ import annotations

import pytest
import torch
from conftest import TINY

from translate import Engine
from translate.clock import Clock
from translate.fast import winograd
from translate.fast.norms import GroupedInstanceNorm2d
from translate.fast.split import SplitConv2d
from translate.fast.winograd import WinogradConv2d
from translate.recipe import Batch

COMMON = {"augment": "none", "workers": 0, "device": "cpu", "steps": 4}
METHODS = {
    "cyclegan": (("cat", "dog"), {**TINY, "size": 32, "generator": "resnet:blocks=1,channels=16", "steps": 4}),
    "dcgan": (("cat",), {"preset": "pytorch", "size": 32, "batch": 8, "generator": "dcgan:channels=4"}),
    "discogan": (("cat", "dog"), {"preset": "paper", "size": 32, "batch": 8, "generator": "discogan:channels=4"}),
    "vanilla": (("cat",), {"preset": "report", "size": 16, "batch": 4, "generator": "mlp:widths=8"}),
}  # fmt: skip


def steps(name, photos, fast, count=3):
    domains, values = METHODS[name]
    engine = Engine(name, domains, data=str(photos), **{**COMMON, **values, "epochs": None}, fast=[fast])
    engine.recipe.double()
    losses = []
    for step in range(count):
        batch = next(engine.loader.batches(step * engine.run_options.batch))
        batch = Batch(tuple(image.double() for image in batch.images), batch.first, batch.seed)
        losses.append({key: each.item() for key, each in engine.trainer.step([[batch]], Clock(step, 4)).items()})
    return engine, losses


@pytest.mark.parametrize("name", METHODS)
def test_steps_are_the_same(name, photos, monkeypatch):
    monkeypatch.setattr(winograd, "LEAST_TILES", 1)
    (plain, expected), (fast, losses) = (steps(name, photos, way) for way in ("none", "all"))
    for mine, theirs in zip(losses, expected, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-9)
    state = fast.trainer.state()
    for key, tensor in plain.trainer.state().items():
        assert torch.allclose(state[key].double(), tensor.double(), rtol=1e-7, atol=1e-9), key
    kinds = {type(module) for module in fast.recipe.modules()}
    if name == "cyclegan":
        assert kinds >= {GroupedInstanceNorm2d, SplitConv2d, WinogradConv2d}
    assert not kinds & {type(module) for module in plain.recipe.modules()} & {GroupedInstanceNorm2d, SplitConv2d, WinogradConv2d}
    laid = {each.is_contiguous() for each in fast.recipe.parameters() if each.dim() == 4 and min(each.shape[1:]) > 1}
    assert laid == {"cyclegan": {True}, "dcgan": {False}, "discogan": {False}, "vanilla": set()}[name]


def test_a_run_in_another_layout_goes_on_bit_for_bit(photos, tmp_path):
    domains, values = METHODS["dcgan"]
    given = {**COMMON, **values, "epochs": None, "data": str(photos), "ema": 0.9}
    whole = Engine("dcgan", domains, **given, out=tmp_path / "whole").fit()
    half = Engine("dcgan", domains, **given, out=tmp_path / "run")
    for report in half.steps():
        if report.step == 2:
            break
    half.save_checkpoint()
    resumed = Engine.resume(tmp_path / "run").fit()
    for key, tensor in whole.trainer.state().items():
        assert torch.equal(tensor, resumed.trainer.state()[key]), key
    strides = [[each.stride() for each in engine.recipe.parameters()] for engine in (whole, resumed)]
    assert strides[0] == strides[1]
