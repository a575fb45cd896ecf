"""Runs that become longer, or shorter, on their way: which moment of which curve each step is."""

from __future__ import annotations

import pytest
import torch
from conftest import TINY

from translate import Engine, LinearDecay, UserError
from translate.cli import main
from translate.clock import factor
from translate.length import Length, Measure


def curve(measure, lengths, steps, consumed=1):
    return [round(factor(LinearDecay(), measure.clock(lengths, step, step * consumed)), 6) for step in steps]


def test_a_curve_begins_anew_over_what_is_left():
    """10 steps, and at step 6 it becomes 14: the last 8 go as a run of 8 does."""
    measure = Measure(epoch=5, step=1)
    whole = curve(measure, [Length(10, None)], range(10))
    fresh = curve(measure, [Length(8, None)], range(8))
    assert curve(measure, [Length(10, None), Length(14, None, step=6, consumed=6)], range(6)) == whole[:6]
    assert curve(measure, [Length(10, None), Length(14, None, step=6, consumed=6)], range(6, 14)) == fresh


def test_rates_are_annealed_from_where_they_stand():
    """At step 7 of 10 the factor is 1 - 3/6; three steps later it would be 0."""
    measure = Measure(epoch=5, step=1)
    assert curve(measure, [Length(10, None)], [7]) == [0.5]
    lengths = [Length(10, None), Length(9, None, step=7, consumed=7, anneal=True)]
    assert curve(measure, lengths, [7, 8]) == [round(0.5 * 2 / 3, 6), round(0.5 * 1 / 3, 6)]
    again = [*lengths, Length(12, None, step=8, consumed=8, anneal=True)]  # from where the first one stood
    assert curve(measure, again, [8])[0] == round(0.5 * 1 / 3 * (1 - 1 / 5), 6)


def test_epochs_are_counted_from_the_one_at_hand():
    """Epochs of 5 samples, batches of 2: at step 5 ten samples are consumed, two epochs."""
    measure = Measure(epoch=5, step=2)
    assert measure.total(Length(None, 4)) == 10
    assert measure.total(Length(None, 3)) == 8
    lengths = [Length(None, 2), Length(None, 6, step=5, consumed=10)]
    fresh = curve(measure, [Length(None, 4)], range(10), consumed=2)
    assert curve(measure, lengths, range(5, 15), consumed=2) == fresh
    assert measure.clock(lengths, 5, 10).epoch == 3
    assert measure.total(lengths[-1]) == 15


def test_before_it_was_changed_a_run_has_the_length_that_it_had():
    """As after a return to an earlier checkpoint."""
    measure = Measure(epoch=5, step=1)
    lengths = [Length(10, None), Length(20, None, step=6, consumed=6)]
    clock = measure.clock(lengths, 3, 3)
    assert (clock.anchor, clock.before) == (0, None)


def state(engine):
    return {**engine.trainer.state()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("anneal", [False, True])
def test_an_extended_run_that_is_stopped_goes_on_bit_for_bit(tiny, tmp_path, anneal):
    def begun(name):
        engine = tiny(out=tmp_path / name, steps=6)
        for report in engine.steps():
            if report.step == 4:
                engine.save_checkpoint()
                return engine
        raise AssertionError

    whole = begun("whole")
    whole.extend(steps=9, anneal=anneal)
    rates = [report.rates["generators"] for report in whole.steps()]
    # After 4 of 6 steps the factor would be 1 - 2/4; five steps are left.
    expected = [0.5 * (1 - lap / 6) for lap in range(1, 6)] if anneal else [1, 1, 3 / 4, 2 / 4, 1 / 4]
    assert rates == pytest.approx([2e-4 * each for each in expected])
    half = begun("half")
    half.extend(steps=9, anneal=anneal)
    for report in half.steps():
        if report.step == 7:
            half.save_checkpoint()
            break
    resumed = Engine.resume(tmp_path / "half")
    assert (resumed.step, resumed.total, resumed.lengths) == (7, 9, half.lengths)
    assert_equal(state(whole), state(resumed.fit()))


def test_what_cannot_be_extended_is_said(tiny):
    engine = tiny(steps=4)
    engine.extend(steps=3)
    assert (engine.total, len(engine.lengths)) == (3, 1)  # nothing was trained yet
    engine.fit()
    for values, sentence in (
        ({"steps": 3}, "cannot be that short: 3 of 3 steps are done"),
        ({"steps": 5, "anneal": True}, "The run is finished, 3 of 3 steps are done, and its rates with it"),
        ({}, "How long is the run to be"),
        ({"steps": 5, "epochs": 5}, "one of the two"),
        ({"steps": 0}, "at least 1"),
    ):
        with pytest.raises(UserError, match=sentence):
            engine.extend(**values)
    assert engine.total == 3


# The command


@pytest.fixture
def run(photos, tmp_path):
    """A finished run of four steps, and the command that made it."""
    words = [each for key, value in TINY.items() if key != "steps" for each in (f"--{key.replace('_', '-')}", str(value))]
    command = ["run", "cyclegan", "--domains", "cat", "dog", "--data", str(photos), "--out", str(tmp_path / "run"), *words]
    assert main([*command, "--steps", "4"]) == 0
    return tmp_path / "run", command


def test_a_finished_run_becomes_longer(run, capsys):
    folder, _ = run
    assert main(["resume", str(folder)]) == 0
    assert "--steps N' makes it longer" in capsys.readouterr().out
    assert main(["resume", str(folder), "--steps", "6"]) == 0
    assert Engine.resume(folder).step == 6
    assert main(["resume", str(folder), "--epochs", "5"]) == 0  # five pictures in batches of two: 13 steps
    engine = Engine.resume(folder)
    assert (engine.step, engine.run_options.steps, engine.run_options.epochs) == (13, None, 5)
    assert main(["resume", str(folder), "--anneal"]) == 2
    assert "say when, too" in capsys.readouterr().err


def test_the_same_command_goes_on(run, capsys):
    folder, command = run
    assert main([*command, "--steps", "4"]) == 0
    assert "is finished: 4 of 4 steps are done" in capsys.readouterr().out
    (folder / "checkpoints" / "000004").rename(folder / "gone")
    assert main([*command, "--steps", "4", "--workers", "1"]) == 0
    old, new = ((each / "training.safetensors").read_bytes() for each in (folder / "gone", folder / "checkpoints" / "000004"))
    assert old == new


def test_another_command_is_refused_by_name_and_may_be_meant(run, capsys):
    folder, command = run
    (folder / "checkpoints" / "000004").rename(folder / "gone")
    other = [*command, "--steps", "4", "--lr", "0.01"]
    assert main(other) == 2
    error = capsys.readouterr().err
    assert "began with --lr 0.0002 and not 0.01; give the same options" in error
    assert main([*command, "--steps", "5"]) == 2
    assert "another length" in capsys.readouterr().err
    assert main([*other, "--override"]) == 0
    engine = Engine.resume(folder)
    assert engine.overridden == ("lr",)
    assert engine.recipe.options.lr == 0.01


def test_resume_overrides_by_name(run, capsys):
    folder, _ = run
    assert main(["resume", str(folder), "--steps", "6", "--override", "lr=0.01"]) == 0
    assert Engine.resume(folder).overridden == ("lr",)
    for wrong, sentence in (("lr", "takes NAME=VALUE"), ("steps=9", "--steps N makes a run longer"), ("lrr=1", "Did you mean")):
        assert main(["resume", str(folder), "--steps", "8", "--override", wrong]) == 2
        assert sentence in capsys.readouterr().err
