"""The doctor: who is asked when, what becomes of those that fail, and that nobody's training changes."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

import translate
from translate import Clock, Diagnosis, Engine, Finding, PluginError, PluginWarning, UserError, hookimpl
from translate.cli import main
from translate.doctor.doctor import Doctor, look_back, read_log
from translate.options import Part
from translate.plugins import installed
from translate.report import Report


class Odd(Diagnosis):
    """Finds fault with the second half of a run, and draws like a careless stranger."""

    def measure(self, engine):
        torch.rand(3)
        return {"odd/step": float(engine.step), "odd/unknown": math.nan}

    def judge(self, history):
        torch.rand(3)
        return Finding(f"Step {history[-1].step} is late.", "Stop earlier.") if history[-1].step > 60 else None


class Fails(Diagnosis):
    def judge(self, history):
        raise KeyError("nothing there")


class Plugin:
    def __init__(self, name, diagnosis):
        self.name, self.diagnosis = name, diagnosis

    @hookimpl
    def register_diagnoses(self, register):
        register(self.name, self.diagnosis)


def digest(engine):
    return torch.cat([each.flatten() for each in engine.recipe.state_dict().values()])


def test_signals_and_findings_are_told_logged_and_found_again(tiny, tmp_path):
    class Listener:
        def __init__(self):
            self.reports = []

        @hookimpl
        def step_reported(self, report):
            self.reports.append(report)

    with translate.plugin(Plugin("odd", Odd), "mine"):
        engine = tiny(steps=110, log_every=10, out=tmp_path / "run", generator="resnet:blocks=0,channels=1", batch=1)
        listener = Listener()
        with engine.listening(listener, "listener"):
            engine.fit()
        reports = {report.step: report for report in listener.reports}
        # Measured at the first report after every 50 steps; the gradients at each.
        assert [step for step, each in reports.items() if "odd/step" in each.signals] == [50, 100]
        assert reports[100].signals["odd/step"] == 100
        assert all({"gradient/generators", "gradient/discriminators"} <= set(each.signals) for each in reports.values())
        assert [step for step, each in reports.items() if "odd" in each.findings] == [70, 80, 90, 100, 110]
        (spell,) = look_back(installed(), tmp_path / "run", [Part("odd")]).spells
        assert (spell.first, spell.last, spell.finding) == (70, 110, Finding("Step 70 is late.", "Stop earlier."))
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert lines[9]["signals"]["odd/unknown"] is None
    assert lines[9]["findings"]["odd"] == "Step 100 is late."
    again = list(read_log(tmp_path / "run"))
    assert [each.step for each in again] == list(reports)
    assert again[9].losses == pytest.approx(reports[100].losses)
    assert math.isnan(again[9].signals["odd/unknown"])


def test_diagnoses_leave_training_as_it_is(tiny, tmp_path):
    """Networks with dropout, which draw and which behave otherwise in evaluation mode."""
    values = {"generator": "unet:downs=5,channels=4", "steps": 52, "log_every": 5, "size": 32, "batch": 1}
    with translate.plugin(Plugin("odd", Odd), "mine"):
        with_all = tiny(**values).fit()
        assert {"odd", "constant-output"} <= set(with_all.doctor.diagnoses)
    without = tiny(**values, diagnoses="none").fit()
    assert without.doctor.diagnoses == {}
    assert torch.equal(digest(with_all), digest(without))


def test_one_that_fails_is_disabled_or_stops_the_run(tiny):
    with translate.plugin(Plugin("fails", Fails), "mine"):
        with pytest.warns(PluginWarning, match="Plugin 'mine' failed in the diagnosis 'fails' \\(KeyError: 'nothing there'\\)"):
            engine = tiny(log_every=1, on_plugin_error="disable").fit()
        assert engine.step == engine.total
    with translate.plugin(Plugin("fails", Fails), "mine"), pytest.raises(PluginError, match="--on-plugin-error disable"):
        tiny(log_every=1, on_plugin_error="fail").fit()
    with translate.plugin(Plugin("fails", Fails), "mine"), pytest.raises(PluginError, match="the run rests on it"):
        tiny(log_every=1, on_plugin_error="disable", diagnoses="fails").fit()


def test_what_the_callers_own_object_raises_is_the_callers_to_see(tiny):
    with pytest.raises(KeyError, match="nothing there"):
        tiny(log_every=1, diagnoses=[Fails]).fit()


def test_a_resumed_run_remembers_what_was_told(tiny, tmp_path):
    engine = tiny(steps=20, log_every=2, checkpoint_every=10, out=tmp_path / "run")
    for report in engine.steps():
        if report.step == 10:
            break
    engine = tiny(steps=20, log_every=2, checkpoint_every=10, out=tmp_path / "other").fit()
    resumed = Engine.resume(tmp_path / "other")
    assert [each.step for each in resumed.doctor.history] == [each.step for each in engine.doctor.history]


def test_there_is_one_sentence_for_a_log_that_is_none(tmp_path):
    with pytest.raises(UserError, match="no log of a run"):
        list(read_log(tmp_path))
    good = json.dumps({"step": 1, "losses": {"a/b": 1.0}})
    (tmp_path / "log.jsonl").write_text(f'{good}\n{{"step": 2}}\n{good}\n')
    with pytest.raises(UserError, match="Line 2 of"):
        list(read_log(tmp_path))
    (tmp_path / "log.jsonl").write_text(f"{good}\n{good[:10]}")  # as a crash leaves it
    assert [each.step for each in read_log(tmp_path)] == [1]


def test_memory_is_bounded():
    doctor = Doctor(installed(), [])
    report = Report(Clock(0, 1), {}, {})
    for step in range(1200):
        doctor.judge(replace(report, clock=Clock(step, 1200)))
    assert len(doctor.history) == 1000
    assert doctor.history[0].step == 201


class BadMaker(Diagnosis):
    def __init__(self):
        raise ValueError("cannot be made")

    def judge(self, history):
        return None


class Odds(Diagnosis):
    """Gives what no diagnosis may."""

    def judge(self, history):
        history.clear() if hasattr(history, "clear") else None
        torch.set_grad_enabled(False)
        return "all wrong"


class Leaves(Diagnosis):
    def judge(self, history):
        raise SystemExit(0)


@pytest.mark.parametrize(
    ("diagnosis", "sentence"),
    [
        (BadMaker, "to make the diagnosis 'bad' .*cannot be made"),
        (Odds, "must give a translate.Finding or None"),
        (Leaves, "SystemExit"),
    ],
)
def test_whatever_a_strangers_diagnosis_does_the_run_goes_on(tiny, diagnosis, sentence):
    whole = tiny(log_every=1, diagnoses="none").fit()
    with translate.plugin(Plugin("bad", diagnosis), "mine"):
        with pytest.warns(PluginWarning, match=sentence) as warned:
            engine = tiny(log_every=1).fit()
        assert len(warned) == 1  # it is asked once, and not again
        assert torch.is_grad_enabled()
        assert torch.equal(digest(engine), digest(whole))
        # The next run asks it anew, and by its own policy.
        with pytest.raises((PluginError, translate.RecipeError), match=sentence):
            tiny(log_every=1, on_plugin_error="fail").fit()


def test_a_diagnosis_is_asked_for_once(tiny):
    with pytest.raises(UserError, match="A diagnosis is asked for twice"):
        tiny(diagnoses=["divergence", "divergence"])


def test_gradients_are_told_of_the_step_that_was_watched(tiny, tmp_path):
    class Listener:
        signals = ()

        @hookimpl
        def step_reported(self, report):
            self.signals = (*self.signals, set(report.signals))

    engine = Engine(
        "discogan",
        ("bags", "shoes"),
        preset="quick",
        size=32,
        steps=3,
        log_every=1,
        batch=2,
        generator="discogan:channels=2",
        discriminator="discogan:channels=2",
        device="cpu",
    )
    listener = Listener()
    with engine.listening(listener, "ears"):
        engine.fit()
    assert [sorted(name.split("/")[1] for name in each) for each in listener.signals] == [
        ["discriminators"],
        ["generators"],
        ["generators"],
    ]


# Afterwards, from the log


def write_log(folder, *findings):
    """A log with one report for each of ``findings``, by diagnosis, one step apart."""
    folder.mkdir(exist_ok=True)
    lines = [{"step": step, "losses": {"a/b": 1.0}, "findings": each} for step, each in enumerate(findings, 1)]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


ALL = [Part("all")]


def test_findings_of_a_diagnosis_that_is_not_loaded_are_told_as_the_log_has_them(tmp_path):
    run = write_log(tmp_path / "run", {}, {"strange": "It began."}, {"strange": "It goes on."}, {})
    (spell,) = look_back(installed(), run, ALL).spells
    assert (spell.name, spell.first, spell.last, spell.finding.evidence) == ("strange", 2, 3, "It began.")
    assert spell.finding.advice == (
        "That is what the log says; the diagnosis 'strange' is not loaded here, and what it advises is not known."
    )
    assert not look_back(installed(), run, [Part("divergence")]).spells, "others were not asked for"


def test_findings_by_other_options_are_told_with_how_to_ask_again(tmp_path):
    run = write_log(tmp_path / "run", {"divergence:factor=2": "It grew."})
    (spell,) = look_back(installed(), run, ALL).spells
    assert spell.finding.advice == "That is what the log says; --diagnoses divergence:factor=2 asks again."


def test_what_a_loaded_diagnosis_found_then_is_asked_anew(tmp_path):
    """By its own word, not by the log's."""
    assert not look_back(installed(), write_log(tmp_path / "run", {"divergence": "It grew."}), ALL).spells


@pytest.mark.parametrize("diagnosis", [BadMaker, Fails])
def test_one_that_fails_was_not_looked_for(tmp_path, diagnosis):
    run = write_log(tmp_path / "run", {})
    with translate.plugin(Plugin("bad", diagnosis), "mine"), pytest.warns(PluginWarning):
        found = look_back(installed(), run, ALL)
    assert set(found.looked_for) == {"divergence", "vanishing-gradient", "constant-output"}


def test_a_constructor_that_fails_is_told_in_one_sentence(tmp_path):
    run = write_log(tmp_path / "run", {})
    with translate.plugin(Plugin("bad", BadMaker), "mine"), pytest.warns(PluginWarning) as warned:
        look_back(installed(), run, ALL)
    (said,) = (str(each.message) for each in warned)
    assert said.startswith("Plugin 'mine' failed to make the diagnosis 'bad' (ValueError: cannot be made); ")


def test_the_command_says_what_and_when(tmp_path, capsys):
    run = write_log(tmp_path / "run", {"strange": "It began."}, {}, {"odd": "It is odd."}, {"odd": "It still is."})
    assert main(["doctor", str(run)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("strange, step 1: It began. That is what the log says; ")
    assert second.startswith("odd, steps 3 to 4: It is odd. ")
    assert main(["doctor", str(run), "--diagnoses", "divergence"]) == 0
    assert capsys.readouterr().out == "Nothing was found; looked for divergence.\n"
