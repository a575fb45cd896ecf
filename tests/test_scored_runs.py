"""A run that is scored as it goes learns the same, and keeps what was best."""

from __future__ import annotations

import json
import time

import pytest
import torch

import translate
from translate import Engine, Figure, Score, UserError, checkpoint, hookimpl
from translate.checkpoint import checkpoints

VALUES = {2: 3.0, 4: 1.0, 6: 2.0, 8: 1.0}


class Listed(Score):
    """Lower is better, and known beforehand: the same for both ways, but for half a point each way."""

    needs = frozenset({"pictures"})

    def __call__(self, evidence):
        torch.rand(3)  # draws of a score's own change nothing
        listed = VALUES[Listed.step] + (0.5 if evidence.target.name == "cat" else -0.5)
        return {"pictures": Figure(len(evidence.outputs)), "listed": Figure(listed, "lower")}


@pytest.fixture
def scored(tiny, tmp_path):
    class Plugin:
        @hookimpl
        def register_scores(self, register):
            register("listed", Listed)

    class Step:
        @hookimpl
        def step_reported(self, report):
            Listed.step = report.step

    def make(**values):
        common = {"steps": 8, "log_every": 1, "checkpoint_every": 100, "keep": 1, "out": tmp_path / "run", "listeners": [Step()]}
        return tiny(**{**common, "evaluate_every": 2, "scores": ["listed"], **values})

    with translate.plugin(Plugin(), "scoring"):
        yield make


def test_scores_leave_training_as_it_is(scored, tiny):
    plain, engine = tiny(steps=8).fit(), scored().fit()
    for key, tensor in plain.trainer.state().items():
        assert torch.equal(tensor, engine.trainer.state()[key]), key


def test_each_is_written_with_its_protocol_and_the_best_is_kept(scored, tmp_path):
    engine = scored().fit()
    lines = [json.loads(line) for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6, 8]
    assert lines[0]["protocol"]["split"] == {"cat": "test", "dog": "test"}
    # Of two that are as good, the earlier.
    assert engine.best_step == 4
    assert [folder.name for folder in checkpoints(tmp_path / "run")] == ["000004", "000008"]


def test_a_run_that_is_resumed_forgets_what_it_will_score_again(scored, tmp_path):
    class Stop(Exception):
        pass

    class Stops:
        @hookimpl
        def checkpoint_saved(self, folder):
            if folder.name == "000006":
                raise Stop

    engine = scored()
    with engine.listening(Stops(), "stops"), pytest.raises(Stop):
        engine.fit()
    scores = tmp_path / "run" / "scores.jsonl"
    scores.write_text(scores.read_text() + json.dumps({"step": 7, "figures": []}) + "\n")
    resumed = Engine.resume(tmp_path / "run", listeners=engine.run_options.listeners)
    assert [json.loads(line)["step"] for line in scores.read_text().splitlines()] == [2, 4, 6]
    resumed.fit()
    assert [folder.name for folder in checkpoints(tmp_path / "run")] == ["000004", "000008"]


def test_where_no_score_is_named_none_is_the_best(scored, tmp_path):
    engine = scored(scores=["all"]).fit()
    assert engine.best_step is None
    assert [folder.name for folder in checkpoints(tmp_path / "run")] == ["000008"]


def test_scores_are_looked_at_before_the_first_step(tiny, tmp_path):
    with pytest.raises(translate.UnknownName, match="no score named 'kidd'"):
        tiny(out=tmp_path / "a", evaluate_every=2, scores=["kidd"]).fit()
    with pytest.raises(UserError, match=r"The score 'kid' looks through a network; name one by --score-features NAME"):
        tiny(out=tmp_path / "b", evaluate_every=2, scores=["kid"]).fit()


def test_the_best_is_that_of_the_moment_that_a_checkpoint_is_of(scored, tmp_path, monkeypatch):
    """While step 4's checkpoint is written, step 6 is scored better: the best so far must not go before that one is there."""
    monkeypatch.setitem(VALUES, 2, 1.0)
    monkeypatch.setitem(VALUES, 4, 2.0)
    monkeypatch.setitem(VALUES, 6, 0.0)
    prune, told = checkpoint.prune, []
    monkeypatch.setattr(checkpoint, "prune", lambda *given: (told.append(given[3]), prune(*given))[1])
    slow = checkpoint.save_checkpoint

    def late(*given):
        time.sleep(0.3)
        return slow(*given)

    monkeypatch.setattr(checkpoint, "save_checkpoint", late)
    scored().fit()
    assert told == [2, 2, 6, 6]
