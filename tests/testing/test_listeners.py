"""Listeners: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from kit import faults

from translate import UserError, hookimpl
from translate.plugins import installed
from translate.testing import NonConforming, check_events, check_listener


@pytest.mark.parametrize("name", installed().listeners)
def test_built_in_listeners_conform(name):
    pytest.importorskip(name)  # the package that each is for
    check_listener(installed().listeners[name], part=name)


class Hears:
    @hookimpl
    def step_reported(self, report):
        pass


class HearsNothing:
    def step_reported(self, report):
        pass


class HearsWrong:
    @hookimpl
    def step_reported(self, step):
        pass


class HearsOfNothing:
    @hookimpl
    def step_rported(self, report):
        pass


class HearsAll:
    """Notes what it is told, of whichever run."""

    told: list[str]

    @hookimpl
    def run_started(self, engine):
        self.told.append(f"started at {engine.step}{', kept' if engine.out else ''}")

    @hookimpl
    def step_reported(self, engine, report):
        self.told.append(f"step {report.step}: {', '.join(report.losses)}")
        torch.rand(())  # as it may: the caller's generator is left alone all the same

    @hookimpl
    def samples_saved(self, engine, path):
        assert path.is_file()
        self.told.append("samples")

    @hookimpl
    def checkpoint_saved(self, engine, folder):
        assert folder.is_dir()
        self.told.append(f"checkpoint {engine.step}")

    @hookimpl
    def run_finished(self, engine):
        self.told.append("finished")


STEPS = ["step 1: generators/colour", "step 2: generators/colour"]
TOLD = ["checkpoint 0", "started at 0, kept", *STEPS, "samples", "checkpoint 2", "finished", "started at 0", *STEPS, "finished"]


def test_a_listener_is_told_of_every_event():
    """Of a run that is kept, which is saved before it starts, and of one that is not, each time another object."""
    made = []

    def factory():
        made.append(HearsAll())
        made[-1].told = []
        return made[-1]

    check_listener(factory)
    assert [line for each in made for line in each.told] == TOLD
    assert len(made) >= 2


def test_a_plugin_with_event_hooks_is_told_of_every_event():
    plugin = HearsAll()
    plugin.told = []
    check_events(plugin, "mine")
    assert plugin.told == TOLD


class KeptOnly(Hears):
    @hookimpl
    def run_started(self, engine):
        if engine.out is None:
            raise UserError("It writes to the folder of a run; give one.")


@pytest.mark.parametrize("good", [Hears, KeptOnly])
def test_a_listener_conforms(good):
    check_listener(good)


class Unset(Hears):
    @hookimpl
    def run_started(self, engine):
        raise UserError("It needs an address; give listener:url=ADDRESS.")


def test_what_a_listener_needs_comes_through():
    with pytest.raises(UserError, match="needs an address"):
        check_listener(Unset)


class Stumbles(Hears):
    @hookimpl
    def samples_saved(self, path):
        raise KeyError("oh")


class BeginsAtTheStart(Hears):
    @hookimpl
    def run_started(self):
        self.count = 0

    @hookimpl
    def checkpoint_saved(self):
        self.count += 1


class WritesAnyway(Hears):
    @hookimpl
    def run_finished(self, engine):
        (engine.out / "done.txt").write_text("done")


class SecondRun:
    """A plugin is one object, and is told of all runs of its process."""

    def __init__(self):
        self.runs = 0

    @hookimpl
    def run_started(self):
        if self.runs:
            raise RuntimeError("it has started already")
        self.runs += 1


@faults(
    (HearsNothing, r"'<.*HearsNothing>' implements no hook; mark its functions with @translate.hookimpl"),
    (HearsWrong, r"cannot take part .*hook 'step_reported'.*'step'"),
    (HearsOfNothing, r"cannot take part .*step_rported"),
    (Stumbles, r"Listener '<.*Stumbles>', told of samples_saved, raises KeyError \('oh'\); it must bear what happens in any run"),
    (BeginsAtTheStart, r"told of checkpoint_saved, raises AttributeError .* a checkpoint before run_started"),
    (WritesAnyway, r"told of run_finished, raises TypeError .* where engine.out is None, write nothing, or raise UserError"),
    (lambda: SimpleNamespace(), r"implements no hook"),
)
def test_a_faulty_listener_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_listener(faulty)


@faults(
    (Stumbles, r"Plugin 'mine', told of samples_saved, raises KeyError"),
    (SecondRun, r"Plugin 'mine', told of run_started, raises RuntimeError \(it has started already\)"),
)
def test_a_plugin_with_faulty_event_hooks_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_events(faulty(), "mine")
