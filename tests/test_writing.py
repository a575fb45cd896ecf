"""Checkpoints written while training goes on, and what a crash leaves of them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading

import pytest

from translate import Engine, NotSaved, UserError, checkpoint, hookimpl, weights
from translate.writing import Writer


def names(run):
    return sorted(path.name for path in (run / "checkpoints").iterdir())


def test_a_checkpoint_holds_the_moment_at_which_it_was_begun(tiny, tmp_path, monkeypatch):
    whole = tiny(out=tmp_path / "whole", steps=4, ema=0.5)
    for report in whole.steps():
        if report.step == 2:
            expected = whole.save_checkpoint()
    gate, write = threading.Event(), checkpoint.save_checkpoint

    def slowly(*arguments):
        assert gate.wait(20)
        return write(*arguments)

    monkeypatch.setattr(checkpoint, "save_checkpoint", slowly)
    ours = tiny(out=tmp_path / "ours", steps=4, ema=0.5)
    for report in ours.steps():
        if report.step == 2:
            ours.begin_checkpoint()
    assert not (tmp_path / "ours" / "checkpoints").exists()
    gate.set()
    assert ours._written(wait=True) == tmp_path / "ours" / "checkpoints" / "000002"
    for name in (weights.WEIGHTS_NAME, checkpoint.TRAINING_NAME):
        assert (tmp_path / "ours" / "checkpoints" / "000002" / name).read_bytes() == (expected / name).read_bytes()


def test_the_next_one_waits_for_the_one_before():
    order, gate = [], threading.Event()

    def first():
        gate.wait(20)
        order.append("first")
        return "first"

    writer = Writer()
    assert writer.done(wait=True) is None
    writer.begin(first)
    assert writer.done(wait=False) is None
    threading.Timer(0.05, gate.set).start()
    assert writer.done(wait=True) == "first"
    writer.begin(lambda: order.append("second") or "second")
    assert writer.done(wait=True) == "second"
    assert order == ["first", "second"]


@pytest.mark.parametrize("fails_at", range(5))
def test_a_full_disk_costs_no_checkpoint_but_the_one_at_hand(tiny, tmp_path, monkeypatch, fails_at):
    run = tmp_path / "run"
    write, count = weights.write, 0

    def full(path, data):
        nonlocal count
        if path.parent.parent.name == "checkpoints" and ".000004." in str(path):
            count += 1
            if count > fails_at:
                raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(weights, "write", full)
    engine = tiny(out=run, steps=6, checkpoint_every=2, keep=5)
    if fails_at >= 3:  # a checkpoint is three files
        engine.fit()
        assert names(run) == ["000002", "000004", "000006"]
        return
    with pytest.raises(NotSaved, match=r"The checkpoint of step 4 cannot be written .*OSError.*translate resume"):
        engine.fit()
    assert names(run) == ["000002"]
    monkeypatch.undo()
    assert Engine.resume(run).fit().step == 6


def test_what_a_crash_leaves_goes_at_the_next_start(tiny, tmp_path):
    run = tmp_path / "run"
    tiny(out=run, steps=4, checkpoint_every=2).fit()
    (run / "checkpoints" / ".000003.99.tmp").mkdir()
    (run / "checkpoints" / ".000003.99.tmp" / "weights.safetensors").touch()
    (run / "checkpoints" / ".000001.99.gone.tmp").mkdir()
    (run / "checkpoints" / "000004").rename(run / "checkpoints" / ".000004.99.replaced.tmp")
    (run / "checkpoints" / "000002").rename(run / "checkpoints" / "kept")
    for left in (run / ".run.toml.99.tmp", run / ".log.jsonl.99.tmp", run / "samples" / ".000003.png.99.tmp"):
        left.touch()
    resumed = Engine.resume(run)
    assert resumed.step == 4  # the one that was to be replaced stands again
    assert names(run) == ["000004", "kept"]
    assert not list(run.rglob(".*"))


def test_two_processes_do_not_train_in_one_folder(tiny, tmp_path):
    run = tmp_path / "run"
    begun = tiny(out=run, steps=4, checkpoint_every=1)
    code = f"""
import time
from pathlib import Path
from translate import checkpoint
with checkpoint.locked(Path({str(run)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as other:
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(UserError, match=r"Another process is training in .*; wait until it is done, or stop it first"):
                begun.fit()
            with pytest.raises(UserError, match="Another process is training"):
                Engine.resume(run)
        finally:
            other.kill()
    assert begun.fit().step == 4  # the lock went with its process


def test_the_last_and_every_nth_are_kept(tiny, tmp_path):
    tiny(out=tmp_path / "run", steps=9, checkpoint_every=1, keep=2, keep_every=3).fit()
    assert names(tmp_path / "run") == ["000003", "000006", "000008", "000009"]


def test_whoever_stops_a_run_finds_the_checkpoint_that_was_under_way(tiny, tmp_path, monkeypatch):
    write = checkpoint.save_checkpoint

    def slowly(*arguments):
        threading.Event().wait(0.3)
        return write(*arguments)

    monkeypatch.setattr(checkpoint, "save_checkpoint", slowly)

    class Stops:
        @hookimpl
        def step_reported(self, report):
            if report.step == 3:
                raise KeyboardInterrupt

    engine = tiny(out=tmp_path / "run", steps=9, checkpoint_every=2, log_every=1)
    with engine.listening(Stops(), "stops"), pytest.raises(KeyboardInterrupt):
        engine.fit()
    assert names(tmp_path / "run") == ["000002"]
    assert Engine.resume(tmp_path / "run").step == 2


def test_what_another_writes_to_is_not_touched(tiny, tmp_path):
    run = tmp_path / "run"
    engine = tiny(out=run)
    before = sorted(run.rglob("*"))
    with checkpoint.locked(run), pytest.raises(UserError, match="Another process is training"):
        engine.fit()
    assert sorted(run.rglob("*")) == before
    assert engine.fit().step == 4
