"""Each diagnosis: by hand on made-up reports, and in runs whose failure was caused."""

from __future__ import annotations

import pytest
import torch

from translate import Clock, Game
from translate.options import Part
from translate.parts import build_part
from translate.plugins import installed
from translate.report import Report


def made(text):
    return build_part(installed().diagnoses, Part.parse(text), None)


def reports(losses=(), **signals):
    count = len(losses) or len(next(iter(signals.values())))
    result = []
    for step in range(count):
        measured = {name.replace("_", "/"): values[step] for name, values in signals.items() if values[step] is not None}
        result.append(Report(Clock(step, count), {"d/real": torch.tensor(losses[step])} if losses else {}, {}, measured))
    return result


def first_finding(diagnosis, history):
    """How many reports it took."""
    return next((end for end in range(1, len(history) + 1) if diagnosis.judge(history[:end])), None)


def test_divergence_takes_three_reports_beyond_a_hundred_times_the_first():
    steady = [2.0] * 9
    assert first_finding(made("divergence"), reports([*steady, 201.0, 201.0, 201.0])) == 12
    assert first_finding(made("divergence"), reports([*steady, 199.0, 201.0, 201.0])) is None
    assert first_finding(made("divergence:reports=1"), reports([*steady, 201.0])) == 10
    assert first_finding(made("divergence"), reports([*[0.001] * 9, 50.0, 50.0, 50.0])) is None  # small beside 1
    assert first_finding(made("divergence"), reports([*[-2.0] * 9, -300.0, -300.0, -300.0])) == 12
    growing = [2.0 * 1.2**step for step in range(40)]  # beyond 240 from index 27 on
    assert first_finding(made("divergence"), reports(growing)) == 30
    finding = made("divergence").judge(reports([*steady, 400.0, 400.0, 400.0]))
    assert finding.evidence == "The loss 'd/real' is 200 times what it was."


def test_a_gradient_vanishes_beside_what_was_usual():
    usual = [1.0, 3.0, 2.0]
    assert first_finding(made("vanishing-gradient"), reports(gradient_g=[*usual, 1e-5, 1e-5, 1e-5])) == 6
    assert first_finding(made("vanishing-gradient"), reports(gradient_g=[*usual, 1e-5, 1e-3, 1e-5])) is None
    assert first_finding(made("vanishing-gradient:share=0.01"), reports(gradient_g=[*usual, 1e-2, 1e-2, 1e-2])) == 6
    assert made("vanishing-gradient").judge(reports(gradient_g=[0.0] * 6)) is None  # there never was one
    nan = float("nan")  # what cannot be told says nothing
    assert first_finding(made("vanishing-gradient"), reports(gradient_g=[*usual, 1e-5, nan, 1e-5, 1e-5])) == 7
    assert first_finding(made("vanishing-gradient"), reports(gradient_g=[nan, nan, nan, 1e-5, 1e-5, 1e-5])) is None


def test_constant_output_looks_at_the_reports_that_measured():
    assert first_finding(made("constant-output"), reports(diversity_x=[0.01, None, 0.01, None, 0.01])) == 5
    assert first_finding(made("constant-output"), reports(diversity_x=[0.01, None, 0.03, None, 0.01])) is None


class Saturated(Game):
    """A judge that is sure: from the 31st step on, the generator's loss is flat."""

    def discriminator(self, judge, real, fake, clock):
        return {"real": -judge(real).mean(), "fake": judge(fake).mean()}

    def generator(self, judge, real, fake, clock):
        return {"fool": (1.0 if clock.step < 30 else 1e-9) * -judge(fake).mean()}


def test_a_saturated_game_is_found(tiny):
    engine = tiny(steps=40, log_every=2, adversarial=Saturated(), cycle_weight=0, identity_weight=0, batch=1)
    found = {}
    with engine.listening(heard(found), "ears"):
        engine.fit()
    assert found == {36: {"vanishing-gradient"}, 38: {"vanishing-gradient"}, 40: {"vanishing-gradient"}}


def test_a_generator_that_answers_to_nothing_is_found(tiny):
    class Blind(torch.nn.Module):
        def __init__(self, source, target):
            super().__init__()
            self.picture = torch.nn.Parameter(torch.zeros(1, target.channels, *target.size))

        def forward(self, image):
            return torch.tanh(self.picture).expand_as(image)

    engine = tiny(steps=160, log_every=10, generator=Blind, batch=1)
    found = {}
    with engine.listening(heard(found), "ears"):
        engine.fit()
    assert {step: names for step, names in found.items() if step <= 150} == {150: {"constant-output"}}


def test_learning_rates_that_blow_up_a_run_are_found(tiny):
    # The wasserstein game without its penalty has no bound: the judge's scores grow as fast as they can.
    engine = tiny(steps=120, log_every=2, batch=1, adversarial="wasserstein:weight=0", lr=0.2)
    found = {}
    with engine.listening(heard(found), "ears"):
        engine.fit()
    assert any("divergence" in names for names in found.values())


@pytest.mark.parametrize("seed", [1, 2])
def test_a_healthy_run_is_let_be(tiny, seed):
    engine = tiny(steps=120, log_every=2, batch=1, seed=seed)
    found = {}
    with engine.listening(heard(found), "ears"):
        engine.fit()
    assert found == {}


def heard(found):
    from translate import hookimpl

    class Ears:
        @hookimpl
        def step_reported(self, report):
            if report.findings:
                found[report.step] = set(report.findings)

    return Ears()
