"""The benchmarks run, in their shortest form, and give the figures that they say; how fast anything is, is not tested."""

from __future__ import annotations

import json

import pytest

import translate
from translate.cli import main


@pytest.mark.parametrize("way", [["training", "vanilla@28"], ["inference", "32"]])
def test_a_benchmark_gives_ratios(way, capsys):
    assert main(["bench", *way, "--rounds", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["ways"].keys() >= {"reference", "translate"}
    assert figures["ways"]["reference"]["times by clock"] == 1
    assert all(each["seconds"] > 0 for each in figures["ways"].values())
    if way[0] == "inference":  # both are the same function
        assert figures["ways"]["reference"]["largest error"] < 1e-4
        assert figures["ways"]["translate"]["largest error"] < 1e-4


def test_an_unknown_one_is_told_of(capsys):
    assert main(["bench", "trainin"]) == 2
    assert "Which benchmark? There are inference, loading and training. Did you mean 'training'?" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["bench", "--help"])
    assert "usage: translate bench inference|loading|training" in capsys.readouterr().out


def test_an_installation_without_them_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(translate, "__file__", str(tmp_path / "translate" / "__init__.py"))
    assert main(["bench", "training"]) == 2
    assert "install from a clone" in capsys.readouterr().err
