"""Plugins that fail take nothing else with them, or stop the run at once, as the user says."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import TINY

import translate
from translate import Engine, Game, PluginError, PluginWarning, UnknownName, UserError, hookimpl
from translate import plugins as module
from translate.checkpoint import read_record
from translate.plugins import Plugins, installed


class Good:
    """Listens to everything."""

    def __init__(self):
        self.heard = []

    @hookimpl
    def run_started(self, engine):
        self.heard.append("started")

    @hookimpl
    def step_reported(self, report):
        self.heard.append(report.step)

    @hookimpl
    def run_finished(self, engine):
        self.heard.append("finished")


class FailsAtReports(Good):
    @hookimpl
    def step_reported(self, report):
        super().step_reported(report)
        torch.rand(1)  # draws of a plugin's own change nothing
        raise ValueError("no room\nleft")


class FailsAtStart(Good):
    @hookimpl
    def run_started(self, engine):
        super().run_started(engine)
        raise KeyError("wandb")


class FailsToRegister(Good):
    @hookimpl
    def register_generators(self, register):
        register("half-way", torch.nn.Identity)
        raise RuntimeError("half way")


def no_import():
    raise ImportError("no module named 'nothing'")


def exits():
    raise SystemExit(3)


FAILING = {
    "bad-import": no_import,
    "bad-exit": exits,
    "bad-register": FailsToRegister,
    "bad-start": FailsAtStart,
    "bad-report": FailsAtReports,
}


def twenty(monkeypatch, failing=FAILING, extra=()):
    """Plugins: the built-in ones, fifteen good listeners, and those that fail, in between them by name."""
    good = {f"{letter}-good": Good() for letter in "abcdefghijklmno"}
    entries = [*module.entry_points(group="translate")]
    for name, load in {**{name: (lambda each=each: each) for name, each in good.items()}, **failing, **dict(extra)}.items():
        loaded = load if load in (no_import, exits) or name in good else (lambda load=load: load())
        entries.append(
            SimpleNamespace(
                name=name, load=loaded, value="test_plugin", dist=SimpleNamespace(name=f"translate-{name}", version="1.2")
            )
        )
    monkeypatch.setattr(module, "entry_points", lambda group: entries if group == "translate" else ())
    return Plugins(), good


def fit(plugins, photos, **values):
    return Engine("cyclegan", ("cat", "dog"), plugins=plugins, **{**TINY, "data": str(photos), "log_every": 2, **values}).fit()


def test_of_twenty_plugins_the_five_that_fail_are_reported_and_the_rest_go_on(monkeypatch, photos):
    with monkeypatch.context() as context:
        plugins, good = twenty(context)
    states = {plugin.name: plugin.state for plugin in plugins.found}
    assert {name for name, state in states.items() if state == "broken"} == {"bad-import", "bad-exit", "bad-register"}
    assert "half-way" not in plugins.generators
    with pytest.warns(PluginWarning) as caught:
        engine = fit(plugins, photos)
    said = sorted(str(each.message) for each in caught)
    assert said == [
        "Plugin 'bad-report' (translate-bad-report 1.2) failed at step_reported (ValueError: no room left); the run goes on without it.",
        "Plugin 'bad-start' (translate-bad-start 1.2) failed at run_started (KeyError: 'wandb'); the run goes on without it.",
    ]
    assert all(each.heard == ["started", 2, 4, "finished"] for each in good.values())
    assert {plugin.name for plugin in plugins.found if plugin.state == "disabled"} == {"bad-report", "bad-start"}
    with monkeypatch.context() as context:
        alone, _ = twenty(context, failing={})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reference = fit(alone, photos)
    for key, tensor in reference.trainer.state().items():
        assert torch.equal(tensor, engine.trainer.state()[key]), key


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("bad-import", r"Plugin 'bad-import' \(translate-bad-import 1.2\) is broken: ImportError: no module named 'nothing'"),
        ("bad-exit", r"Plugin 'bad-exit' \(translate-bad-exit 1.2\) is broken: SystemExit: 3"),
        ("bad-register", r"Plugin 'bad-register' .* is broken: RuntimeError: half way"),
        ("bad-start", r"Plugin 'bad-start' .* failed at run_started \(KeyError: 'wandb'\)"),
        ("bad-report", r"Plugin 'bad-report' .* failed at step_reported \(ValueError: no room left\)"),
    ],
)
def test_under_fail_the_run_stops_at_once_with_one_sentence(monkeypatch, photos, tmp_path, failing, said):
    with monkeypatch.context() as context:
        plugins, _ = twenty(context, failing={failing: FAILING[failing]})
    with pytest.raises(PluginError, match=said) as error:
        fit(plugins, photos, on_plugin_error="fail", out=tmp_path / "run")
    assert str(error.value).endswith("; --on-plugin-error disable goes on without it.")
    assert "\n" not in str(error.value)
    if failing not in ("bad-start", "bad-report"):
        assert not (tmp_path / "run").exists()


def test_a_plugin_that_the_run_rests_on_stops_it_either_way(monkeypatch, photos):
    class Gap(Game):
        def discriminator(self, judge, real, fake, clock):
            return {"gap": judge(fake).mean() - judge(real).mean()}

        def generator(self, judge, real, fake, clock):
            return {"gap": -judge(fake).mean()}

    class FailsWithALoss(FailsAtReports):
        @hookimpl
        def register_adversarial_losses(self, register):
            register("gap", Gap)

    with monkeypatch.context() as context:
        plugins, _ = twenty(context, failing={}, extra={"lossy": FailsWithALoss}.items())
    with pytest.raises(PluginError, match=r"Plugin 'lossy' .* failed at step_reported .*, and the run rests on it"):
        fit(plugins, photos, adversarial="gap")
    with pytest.warns(PluginWarning, match="the run goes on without it"):
        fit(plugins, photos)


def test_a_plugin_that_fails_to_open_data_is_named(monkeypatch):
    class Data:
        @hookimpl
        def open_domain(self, name):
            raise OSError("disk on fire")

    with monkeypatch.context() as context:
        plugins, _ = twenty(context, failing={}, extra={"a-data": Data}.items())
    said = r"Plugin 'a-data' \(.* 1.2\) failed to open the domain '{}' \(OSError: disk on fire\)"
    with pytest.warns(PluginWarning, match=said.format("horse")) as caught:
        engine = Engine("cyclegan", ("horse", "zebra"), plugins=plugins, **TINY)  # somebody else has them
    assert len(caught) == 1
    assert engine.found.owners == {"horse": "pictures", "zebra": "pictures"}
    with (
        pytest.warns(PluginWarning, match=said.format("moon")),
        pytest.raises(UserError, match="no pictures for the domains moon"),
    ):
        Engine("cyclegan", ("moon", "sun"), plugins=plugins, **TINY)
    with pytest.raises(PluginError, match=said.format("horse") + "; --on-plugin-error disable goes on without it"):
        Engine("cyclegan", ("horse", "zebra"), plugins=plugins, on_plugin_error="fail", **TINY)


def test_what_a_plugin_refuses_on_purpose_is_heard_from_it(monkeypatch):
    class Data:
        @hookimpl
        def open_domain(self, name):
            raise UserError("The moon has no pictures of the sun.")

    with monkeypatch.context() as context:
        plugins, _ = twenty(context, failing={}, extra={"a-data": Data}.items())
    with pytest.raises(UserError, match="The moon has no pictures of the sun"):
        Engine("cyclegan", ("moon", "sun"), plugins=plugins, **TINY)


def test_an_engines_own_listener_stops_it_with_its_own_error(tiny):
    engine = tiny()
    with engine.listening(FailsAtStart(), "mine"), pytest.raises(KeyError):
        engine.fit()
    assert engine.fit().step == 4  # and is heard no more


def test_a_plugin_in_this_process_is_there_inside_the_block_only():
    class Mine:
        @hookimpl
        def register_generators(self, register):
            register("mine-alone", torch.nn.Identity)

    with translate.plugin(Mine()) as plugins:
        assert plugins.generators.owner("mine-alone") == "Mine"
    assert "mine-alone" not in installed().generators
    with pytest.raises(ZeroDivisionError), translate.plugin(Mine(), "other"):
        raise ZeroDivisionError
    assert "mine-alone" not in installed().generators


def test_weights_of_a_plugin_that_is_not_there_say_how_to_get_it(tiny, tmp_path):
    class Mine:
        @hookimpl
        def register_generators(self, register):
            register("mine-alone", Net)

    class Net(torch.nn.Module):
        def __init__(self, source, target):
            super().__init__()
            self.convolve = torch.nn.Conv2d(source.channels, target.channels, 1)

        def forward(self, image):
            return self.convolve(image).tanh()

    with translate.plugin(Mine(), "mine") as plugins:
        plugins.found[-1] = module.Plugin("mine", "translate-mine", "2.1", "loaded")
        try:
            tiny(generator="mine-alone", out=tmp_path / "run").fit()
            tiny(out=tmp_path / "without").fit()
        finally:
            plugins.found.pop()
    how = r"made with plugin 'mine' \(translate-mine 2.1\), not loaded here: pip install translate-mine\."
    for use in (Engine.load, Engine.resume):
        with pytest.raises(UnknownName, match=rf"no generator named 'mine-alone'.*{how}"):
            use(tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Engine.resume(tmp_path / "without")  # which does not rest on it


def test_listeners_of_one_name_and_of_no_hook_get_a_sentence(tiny):
    @dataclass
    class Ear:  # which cannot be hashed
        heard: int = 0

        @hookimpl
        def step_reported(self):
            self.heard += 1

    class Old:
        @hookimpl
        def step_finished(self):
            pass

    class Deaf:
        def step_reported(self):
            pass

    ear = Ear()
    tiny(listeners=[ear]).fit()
    assert ear.heard == 1
    with pytest.raises(PluginError, match=r"There is a plugin or a listener named .* already"):
        tiny(listeners=[ear, ear])
    with pytest.raises(PluginError, match=r"cannot take part .*unknown hook 'step_finished'"):
        tiny(listeners=[Old()])
    with pytest.raises(PluginError, match=r"'<.*Deaf>' implements no hook; mark its functions with @translate.hookimpl"):
        tiny(listeners=[Deaf()])


def test_a_plugin_of_this_process_is_recorded_and_missed(tiny, tmp_path):
    class Mine:
        @hookimpl
        def register_generators(self, register):
            register("mine-alone", lambda source, target: torch.nn.Conv2d(source.channels, target.channels, 1))

    with translate.plugin(Mine(), "mine"):
        engine = tiny(generator="mine-alone", out=tmp_path / "run").fit()
        assert {"mine": "registered by translate.plugin"}.items() <= read_record(tmp_path / "run")["plugins"].items()
        assert engine.header().versions["plugin mine"] == "registered by translate.plugin"
    for use in (Engine.load, Engine.resume):
        with pytest.raises(
            UnknownName, match=r"made with plugin 'mine' \(registered by translate.plugin\), not loaded here: register it"
        ):
            use(tmp_path / "run")
    assert "mine" not in {plugin.name for plugin in installed().found}


def test_a_plugins_domain_that_is_empty_or_says_not_where_it_is_from(photos):
    class Dream(translate.Domain):
        channels = 3

        def __init__(self, name, count):
            self.name, self.count = name, count

        def __len__(self):
            return self.count

        def read(self, index):
            return np.zeros((16, 16, 3), np.uint8)

        def fingerprint(self):
            return "0"

    class Dreams:
        @hookimpl
        def open_domain(self, name, split):
            return (
                Dream(name, {"moon": 3, "sun": 4}.get(name, 0) if split == "train" else 0)
                if name in ("moon", "sun", "none")
                else None
            )

    with translate.plugin(Dreams(), "dreams"):
        found = Engine("cyclegan", ("moon", "sun"), **TINY).found
        assert found.summary().startswith("moon: 3 samples from plugin 'dreams'; sun: 4 from plugin 'dreams'; no test")
        with pytest.raises(UserError, match=r"The domain 'none' of plugin 'dreams' is empty"):
            Engine("cyclegan", ("moon", "none"), **TINY)


def test_an_allow_list_blocks_all_others(monkeypatch):
    monkeypatch.setenv(module.ALLOW, "losses, cyclegan")
    installed.cache_clear()
    try:
        assert {plugin.name for plugin in installed().found if plugin.state == "loaded"} == {"losses", "cyclegan"}
        monkeypatch.setenv(module.BLOCK, "losses")
        installed.cache_clear()
        assert {plugin.name for plugin in installed().found if plugin.state == "loaded"} == {"cyclegan"}
    finally:
        installed.cache_clear()


def test_a_checkpoint_is_written_where_a_listener_ends_the_run(tiny, tmp_path):
    """At the latest report, whether one was due or not: whoever fails to listen takes no training with it."""
    engine = tiny(out=tmp_path / "run", steps=6, log_every=1, checkpoint_every=6)

    class Fails:
        @hookimpl
        def step_reported(self, report):
            if report.step == 3:
                raise OSError("disk")

    with engine.listening(Fails(), "mine"), pytest.raises(OSError, match="disk"):
        engine.fit()
    resumed = Engine.resume(tmp_path / "run")
    assert resumed.step == 3
    whole = tiny(steps=6).fit().trainer.state()
    assert all(torch.equal(tensor, whole[key]) for key, tensor in resumed.fit().trainer.state().items())


def test_a_listener_by_name_that_fails_is_named(tiny):
    class Fails:
        @hookimpl
        def step_reported(self):
            raise OSError("disk")

    class Brings:
        @hookimpl
        def register_listeners(self, register):
            register("failing", Fails)

    with translate.plugin(Brings(), "brings"):
        engine = tiny(listeners="failing")
        with pytest.raises(PluginError, match=r"Listener 'failing' of plugin 'brings' failed at step_reported \(OSError: disk\)"):
            engine.fit()


def test_a_plugins_own_mistake_is_its_own_whatever_it_raises(tiny):
    class Careless:
        @hookimpl
        def step_reported(self, engine):
            engine.translate("nowhere.png")

    with (
        translate.plugin(Careless()),
        pytest.warns(PluginWarning, match=r"'Careless' failed at step_reported \(UserError: There is"),
    ):
        tiny().fit()


def test_a_run_rests_on_the_plugin_that_brings_its_data(tmp_path):
    engine = Engine("cyclegan", ("horse", "zebra"), **TINY, out=tmp_path / "run").fit(steps=1)
    assert "pictures" in engine.used
    with pytest.raises(
        translate.UserError, match=r"no pictures for the domains .* made with plugin 'pictures' .*, though installed"
    ):
        Engine.resume(tmp_path / "run", plugins=Plugins(blocked=["pictures"]))


def test_hooks_are_asked_at_reports_and_not_at_steps(tiny, monkeypatch):
    """So that any number of plugins costs nothing in between."""
    asked, implementations = [], module.Hooks.implementations

    def counted(hooks, hook):
        asked.append(hook)
        return implementations(hooks, hook)

    def of_a_run(steps):
        engine = tiny(steps=steps, log_every=3)
        asked.clear()
        engine.fit()
        return sorted({*asked}), asked.count("step_reported")

    monkeypatch.setattr(module.Hooks, "implementations", counted)
    events = ["run_finished", "run_started", "step_reported"]
    # Twice a report: the engine's own listeners are asked, and the plugins.
    assert (of_a_run(3), of_a_run(9)) == ((events, 2), (events, 6))
