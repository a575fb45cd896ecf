from __future__ import annotations

import json
import os
import shlex
import sys

import pytest
from conftest import draw

from translate.cli import main


def check(*arguments):
    return main(["data", "check", *map(str, arguments)])


def test_the_report_is_short_and_aligned(photos, capsys):
    assert check(photos, "--size", "16") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cat: 5 pictures in train")
    assert lines[3].split() == ["pictures", "5", "5", "2", "2"]
    assert lines[7].split() == ["format", "PNG", "PNG", "PNG", "PNG"]
    starts = {line.index(cell) for line, cell in zip(lines[2:6], ("cat", "5", "0", "0"), strict=True)}
    assert len(starts) == 1
    assert lines[-2].startswith("warning: Few pictures: cat has 5 pictures and dog has 5 pictures.")
    assert lines[-1] == f"Train on it: translate run cyclegan --domains cat dog --data {photos} --size 16"


def test_the_exit_code_says_whether_training_can_work(photos, capsys):
    assert check(photos, "--domains", "cat", "bird") == 2
    out = capsys.readouterr().out
    assert "error: " in out
    assert out.splitlines()[-1] == "Training cannot work: 1 error."
    assert check(photos, "--domains", "cat", "bird", "--json") == 2
    assert json.loads(capsys.readouterr().out)["works"] is False


def test_json_is_all_there_is_on_standard_output(photos, capsys):
    (photos / "train" / "cat" / "notes.txt").write_text("x")
    assert check(photos, "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["domains"] == ["cat", "dog"]
    assert captured.err == ""


def test_the_page_is_written_where_it_is_asked_for(photos, tmp_path, capsys):
    assert check(photos, "--html", tmp_path / "report.html") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"With pictures: {tmp_path / 'report.html'}"
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert check(photos, "--html", tmp_path / "nowhere" / "report.html") == 2
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Nothing was said to check; give a folder of pictures"),
        (("nowhere",), "The data folder nowhere does not exist"),
        ((".", "--size", "0"), "--size is '0'; give pixels such as 256"),
        ((".", "--size", "large"), "--size is 'large'; give pixels such as 256"),
        ((".", "--jsn"), "There is no option --jsn. Did you mean '--json'?"),
        ((".",), "holds no pictures; give a folder"),
    ],
)
def test_what_is_wrong_with_the_command_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert check(*arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.splitlines()) == 1


def test_more_domains_than_a_recipe_takes(tmp_path, capsys):
    for name in ("a", "b", "c"):
        draw(tmp_path / name / "1.png", ord(name))
    assert check(tmp_path, "--size", "16") == 0
    assert "Train on it, two of 3 domains: translate run cyclegan --domains a b" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text on other systems")
def test_names_that_are_no_text_are_printed(photos, tmp_path, capsys):
    draw(photos / "train" / "cat" / "x.png", 1, (8, 8))
    os.rename(photos / "train" / "cat" / "x.png", os.fsencode(photos / "train" / "cat") + b"/\xff.png")
    assert check(photos, "--size", "16", "--html", tmp_path / "report.html") == 0
    assert "train/cat/\N{REPLACEMENT CHARACTER}.png" in capsys.readouterr().out


def test_domains_that_plugins_draw_need_no_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert check("--domains", "points:ring8") == 0
    assert "100000" in capsys.readouterr().out


def test_names_that_begin_with_a_dash_can_be_copied(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("-a/train/-cat", "-a/train/my dog"):
        draw(tmp_path / name / "1.png", len(name))
    assert check("--size", "16", "--", "-a") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "Train on it: translate run cyclegan --domains ./-cat 'my dog' --data ./-a --size 16"
    domains = shlex.split(line)[7:9]
    assert check("./-a", "--domains", *domains, "--size", "16") == 0
    assert capsys.readouterr().out.startswith("-cat: 1 pictures in train/-cat; my dog: 1 in train/my dog;")
