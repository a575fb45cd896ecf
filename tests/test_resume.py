"""Runs that are stopped go on bit for bit: short forms of ``proofs/resume.py``, and the digest that it compares by."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import torch
from proofs.resume import compare
from proofs.small_run import METHODS, digest, draw_pictures

from translate import DataWarning, Engine, UserError
from translate.checkpoint import checkpoints, latest_checkpoint


@pytest.mark.parametrize("name", METHODS)
def test_each_method_goes_on_where_it_was_stopped(tmp_path, name):
    assert compare(name, draw_pictures(tmp_path / "data"), tmp_path, [2], "0, then 2 workers") == []


def test_augmentations_that_adapt_go_on_where_they_were(tmp_path):
    assert compare("cyclegan", draw_pictures(tmp_path / "data"), tmp_path, [3], "adaptive augmentation") == []


def test_the_digest_is_of_every_name_number_and_count():
    tensors, progress = {"a": torch.zeros(2, 3), "b": torch.zeros(2)}, {"step": 1}
    ours = digest(tensors, progress)
    assert ours == digest({"b": torch.zeros(2), "a": torch.zeros(2, 3)}, progress)
    smallest = torch.nextafter(torch.zeros(2), torch.ones(2))
    others = [
        ({**tensors, "b": smallest}, progress),
        ({**tensors, "b": torch.zeros(2, dtype=torch.int32)}, progress),
        ({**tensors, "a": torch.zeros(3, 2)}, progress),
        ({**tensors, "c": torch.zeros(0)}, progress),
        ({"a": tensors["a"], "c": tensors["b"]}, progress),
        (tensors, {"step": 2}),
    ]
    assert len({ours, *(digest(*each) for each in others)}) == 1 + len(others)


def test_a_run_from_other_weights_that_was_killed_before_its_first_checkpoint_begins_from_them_again(tiny, tmp_path):
    tiny(out=tmp_path / "first").fit()
    whole = tiny(out=tmp_path / "whole", init_from=str(tmp_path / "first"), seed=1)
    begun = {key: tensor.clone() for key, tensor in whole.trainer.state().items()}
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    shutil.rmtree(tmp_path / "killed" / "checkpoints")
    resumed = Engine.resume(tmp_path / "killed")
    assert [each.name for each in checkpoints(tmp_path / "killed")] == ["000000"]
    state = resumed.trainer.state()
    assert state.keys() == begun.keys()
    assert all(torch.equal(state[key], begun[key]) for key in begun)
    ends = [latest_checkpoint(engine.fit().out) / "training.safetensors" for engine in (whole, resumed)]
    assert ends[0].read_bytes() == ends[1].read_bytes()


def test_a_pipeline_whose_file_changed_is_refused(tiny, tmp_path):
    file = tmp_path / "pipeline.json"
    for name in ("HorizontalFlip", "VerticalFlip"):
        file.write_text(json.dumps({"transform": {"__class_fullname__": name, "p": 1.0}}))
        if name == "HorizontalFlip":
            tiny(out=tmp_path / "run", augment=f"albumentations:file={file}").fit()
            assert Engine.resume(tmp_path / "run").step == 4
    with pytest.raises(
        UserError, match=r"The file of --augment albumentations:file=.* is not what it was when the run in .* began"
    ):
        Engine.resume(tmp_path / "run")
    assert Engine.resume(tmp_path / "run", override={"augment": "paper"}).step == 4


def test_another_version_is_told_of(tiny, tmp_path):
    tiny(out=tmp_path / "run").fit()
    record = tmp_path / "run" / "run.toml"
    record.write_text(re.sub(r'^torch = ".*"', 'torch = "1.0"', record.read_text(), flags=re.M))
    said = rf"was begun with torch 1\.0 \({re.escape(torch.__version__)} here\); it goes on, and may not end bit for bit"
    with pytest.warns(DataWarning, match=said):
        Engine.resume(tmp_path / "run")


def test_an_engine_that_another_has_overtaken_does_not_train(tiny, tmp_path):
    half = tiny(out=tmp_path / "run")
    next(half.steps())
    half.save_checkpoint()
    late = Engine.resume(tmp_path / "run")
    Engine.resume(tmp_path / "run").fit()
    with pytest.raises(UserError, match=r"went on to step 4 meanwhile, and this engine is at step 1; resume anew"):
        late.fit()
