"""What goes wrong around a run while it trains: one sentence that says what to do, and the last good checkpoint intact."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
import torch

from translate import Engine, NotFinite, NotSaved, UserError, checkpoint, hookimpl, weights
from translate.stopping import stop_requests

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")


class At:
    """A listener that does something to the engine when a step has been reported."""

    def __init__(self, step, what):
        self.step, self.what = step, what

    @hookimpl
    def step_reported(self, engine, report):
        if report.step == self.step:
            self.what(engine)


def train(engine, step, what):
    with engine.listening(At(step, what), "fault"):
        engine.fit()


@pytest.fixture
def run(tiny, tmp_path):
    """Makes a run in the folder ``run`` that reports and saves at every step."""
    return lambda **values: tiny(out=tmp_path / "run", **{"steps": 6, "log_every": 1, "checkpoint_every": 1, "keep": 9, **values})


def saved(run):
    """The steps of all checkpoints; each is read, and none of its numbers may be NaN."""
    steps = []
    for folder in checkpoint.checkpoints(run):
        state, _ = checkpoint.load_training(folder)
        exported, _ = checkpoint.load_weights(folder / weights.WEIGHTS_NAME)
        assert not any(torch.isnan(each).any() for each in (*state.values(), *exported.values())), folder
        steps.append(int(folder.name))
    return steps


# No room


@needs_dev_full
def test_a_log_without_room_is_said(run, tmp_path):
    def fill(engine):
        log = engine.out / checkpoint.LOG_NAME
        log.unlink()
        log.symlink_to("/dev/full")

    with pytest.raises(NotSaved, match=r"^The log cannot be written to .*No space left on device.*make room.*'translate resume "):
        train(run(), 3, fill)
    assert saved(tmp_path / "run")[-1] >= 3


def test_a_grid_without_room_is_said(run, tmp_path, monkeypatch):
    write = weights.write

    def full(path, data):
        if path.suffix == ".png":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(weights, "write", full)
    with pytest.raises(NotSaved, match=r"^The picture grid cannot be written to .*No space left on device.*make room"):
        run(sample_every=3).fit()
    assert saved(tmp_path / "run") == [1, 2]


@needs_dev_full
def test_inputs_of_grids_without_room_are_said_and_mended_at_the_next_start(run, tmp_path):
    whole = run(steps=1).fit().out / "samples" / "inputs" / "cat" / "0.png"
    expected = whole.read_bytes()
    shutil.rmtree(tmp_path / "run")
    engine = run(steps=1)
    inputs = engine.out / "samples" / "inputs" / "cat" / "0.png"
    inputs.parent.mkdir(parents=True)
    inputs.symlink_to("/dev/full")
    with pytest.raises(NotSaved, match=r"^The grid's inputs cannot be written to .*No space left on device"):
        engine.fit()
    inputs.unlink()
    inputs.write_bytes(expected[:20])  # so does a kill leave it
    Engine.resume(engine.out).fit()
    assert inputs.read_bytes() == expected


# No memory, no threads


@pytest.mark.parametrize("workers", [0, 2])
def test_too_little_memory_to_load_pictures_is_said(run, tmp_path, workers):
    def fails(first):
        raise MemoryError

    with pytest.raises(UserError, match=r"not enough memory .*lower --batch"):
        train(run(workers=workers), 2, lambda engine: setattr(engine.loader, "load", fails))
    assert saved(tmp_path / "run")[-1] >= 2


def test_too_little_memory_to_copy_a_checkpoint_is_said(run, tmp_path):
    def fails():
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(UserError, match=r"not enough memory .*lower --batch"):
        train(run(), 3, lambda engine: setattr(engine.trainer, "state", fails))
    assert saved(tmp_path / "run") == [1, 2]


def test_loading_threads_that_cannot_be_started_are_said(run, monkeypatch):
    start = threading.Thread.start

    def fails(thread):
        if thread.name.startswith("translate-loader"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fails)
    with pytest.raises(UserError, match=r"^The threads that load pictures cannot be started .*lower --workers"):
        run(workers=2).fit()


# No pictures


@pytest.mark.parametrize(("workers", "gone"), [(0, "train/cat/3.png"), (2, "train/cat")])
def test_pictures_that_are_gone_are_said_and_not_replaced(run, tmp_path, photos, monkeypatch, workers, gone):
    """Others in their place would be another run. They are looked for where neither memory nor the cache on the disk holds them."""
    monkeypatch.setattr("translate.engine.CACHE_BYTES", 0)
    monkeypatch.setattr("translate.data.cache.open_cache", lambda *_: None)
    engine = run(workers=workers, steps=12, batch=2)
    with pytest.raises(
        UserError, match=r"[0-9]\.png cannot be read any more \(No such file or directory\); put it back, and go on"
    ):
        train(engine, 2, lambda _: (photos / gone).rename(tmp_path / "away"))
    assert saved(tmp_path / "run")[-1] >= 2
    (tmp_path / "away").rename(photos / gone)
    assert Engine.resume(tmp_path / "run").fit().step == 12


# No numbers


def nan_loss(engine):
    step = engine.recipe.step

    def poisoned(batches, clock):
        for update in step(batches, clock):
            yield type(update)(update.group, {name: loss * float("nan") for name, loss in update.losses.items()})

    engine.recipe.step = poisoned


def nan_pool(engine):
    engine.recipe.pool_x.images.fill_(float("nan"))


def nan_moment(engine):
    next(iter(engine.trainer.optimisers["generators"].state.values()))["exp_avg_sq"].fill_(float("nan"))


def nan_average(engine):
    next(engine.trainer.averages["G"].network.parameters()).data.fill_(float("nan"))


@pytest.mark.parametrize("poison", [nan_loss, nan_pool, nan_moment, nan_average])
def test_no_checkpoint_has_a_nan_in_it(run, tmp_path, poison):
    with pytest.raises(NotFinite, match=r" NaN.* [Bb]egin again with a lower --lr or in fp32, from the last checkpoint"):
        train(run(ema=0.9, log_every=3, sample_every=100), 3, poison)
    assert saved(tmp_path / "run")[-1] >= 2


# Killed, and stopped at once


def test_what_a_start_left_that_was_killed_does_not_stop_the_next(run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".run.toml.99.tmp").write_text("[ru")
    run().fit()
    assert not list((tmp_path / "run").rglob(".*"))


def asked_twice(number):
    with stop_requests() as request:
        os.kill(os.getpid(), number)
        assert request.signal == number
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_stops_at_once_and_says_which_it_was(number):
    with pytest.raises(KeyboardInterrupt) as stopped:
        asked_twice(number)
    assert stopped.value.args == (number,)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not say which file a descriptor is of")
def test_a_checkpoint_is_on_the_disk_before_and_after_it_gets_its_name(run, tmp_path, monkeypatch):
    """A crash of the machine loses what was not synced: the order of syncing and renaming is the promise."""
    events, sync, rename = [], os.fsync, Path.rename

    def note_sync(descriptor):
        events.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        sync(descriptor)

    def note_rename(path, target):
        events.append(("rename", Path(target).name))
        return rename(path, target)

    engine = run(steps=1)
    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    engine.fit()
    at, part = events.index(("rename", "000001")), f".000001.{os.getpid()}.tmp"
    names = [weights.WEIGHTS_NAME, checkpoint.TRAINING_NAME, checkpoint.MANIFEST_NAME]
    assert {*(f".{name}.{os.getpid()}.tmp" for name in names), part} <= {name for event, name in events[:at] if event == "sync"}
    assert events[at - 1] == ("sync", part)
    assert events[at + 1 : at + 3] == [("sync", "checkpoints"), ("sync", "run")]
