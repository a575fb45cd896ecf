"""The example of a logger: its table has what was reported, also of runs that were stopped."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import pytest

from translate import Engine, Game, hookimpl
from translate.testing import check_events


class Late(Game):
    """A game with a loss that is there from the fifth step on."""

    def discriminator(self, judge, real, fake, clock):
        return {"gap": (judge(fake).mean() - judge(real).mean()).square()}

    def generator(self, judge, real, fake, clock):
        gap = {"gap": -judge(fake).mean()}
        return gap if clock.step < 4 else {**gap, "late": judge(fake).square().mean()}


def table(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_rows_are_reports(rows, reports):
    assert [int(row["step"]) for row in rows] == [report.step for report in reports]
    for row, report in zip(rows, reports, strict=True):
        assert {name: float(cell) for name, cell in row.items() if name not in ("step", "epoch") and cell} == report.losses
        assert int(row["epoch"]) == report.clock.epoch


class Reports:
    def __init__(self):
        self.seen = []

    @hookimpl
    def step_reported(self, report):
        self.seen.append(report)


class Crash(BaseException):
    """Ends the process, as far as the engine can tell: nobody is told, and nothing is saved."""


class Death:
    """Ends the run at a step, as a crash would."""

    def __init__(self, step):
        self.step = step

    @hookimpl
    def step_reported(self, report):
        if report.step == self.step:
            raise Crash


LOGGED = {"steps": 8, "log_every": 1, "checkpoint_every": 3, "sample_every": 8}


def test_the_table_has_the_reported_losses(use, tiny, tmp_path):
    use("logger")
    engine, reports = tiny(out=tmp_path / "run", **LOGGED, adversarial="least-squares:r1=1,lazy=2"), Reports()
    with engine.listening(reports, "reports"):
        engine.fit()
    rows = table(tmp_path / "run")
    assert_rows_are_reports(rows, reports.seen)
    assert [bool(row["discriminators/r1_x"]) for row in rows] == [True, False] * 4
    assert list(rows[0])[:3] == ["step", "epoch", "generators/fool_y"]


def test_the_table_of_a_resumed_run_is_that_of_one_that_was_not_stopped(use, tiny, tmp_path):
    use("logger")
    whole, half = (tiny(out=tmp_path / name, **LOGGED, adversarial=Late()) for name in ("whole", "half"))
    reports = Reports()
    with whole.listening(reports, "reports"):
        whole.fit()
    assert_rows_are_reports(table(tmp_path / "whole"), reports.seen)
    assert [bool(row["generators/late_x"]) for row in table(tmp_path / "whole")] == [False] * 4 + [True] * 4
    with half.listening(Death(6), "death"), pytest.raises(Crash):
        half.fit()
    assert len(table(tmp_path / "half")) == 5
    with (tmp_path / "half" / "metrics.csv").open("a") as file:
        file.write("6,1,0.12")  # a crash in the middle of a row
    Engine.resume(tmp_path / "half", adversarial=Late()).fit()
    assert (tmp_path / "half" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()
    assert not list((tmp_path / "half").glob(".metrics*"))


def test_the_logger_says_what_else_happens(use, tiny, tmp_path, caplog):
    use("logger")
    with caplog.at_level(logging.INFO, "translate_example_logger"):
        tiny(out=tmp_path / "run", steps=1).fit()
    said = [record.getMessage() for record in caplog.records if record.name == "translate_example_logger"]
    starts = ["run begins after step 0 of 1", "Step 1: samples in", "Step 1: checkpoint in", "run is finished"]
    assert [start in line for start, line in zip(starts, said, strict=True)] == [True] * 4


def test_without_a_folder_the_logger_writes_nothing(use, tiny, tmp_path, monkeypatch):
    use("logger")
    monkeypatch.chdir(tmp_path)
    tiny(steps=1).fit()
    assert [each.name for each in tmp_path.iterdir()] == ["photos"]


def test_the_logger_bears_any_run(use):
    check_events(use("logger"), "logger")
