"""The command, as a person uses it: what it prints, what it leaves, what it says about mistakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import draw, opened
from PIL import Image

from translate.cli import VERBS, main

SMALL = [
    *("--size", "16", "--batch", "2", "--steps", "3", "--pool-size", "3", "--workers", "0", "--device", "cpu"),
    *("--generator", "resnet:blocks=1,channels=4", "--discriminator", "patch:channels=4,layers=1"),
]


@pytest.fixture
def run(photos, tmp_path, monkeypatch, capsys):
    """Runs the command in a folder of its own, and gives (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object):
        code = main([str(each) for each in arguments])
        return code, *capsys.readouterr()

    return call


def train(run, *more: object):
    return run("run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", *SMALL, *more)


def test_help_lists_the_verbs_and_loads_nothing_heavy():
    code = (
        "import sys; from translate.cli import main; main(['--help']); "
        "heavy = {'torch', 'numpy', 'PIL', 'rich', 'pluggy', 'torchvision', 'timm', 'albumentations'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb, line in VERBS.items():
        assert verb in result.stdout
        assert line in result.stdout
    assert "draw" in result.stdout  # a plugin's verb


def test_import_translate_loads_nothing_heavy():
    code = (
        "import sys, translate; from translate import hookimpl; "
        "assert not {'torch', 'torchvision', 'timm', 'albumentations'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_main_job_from_end_to_end(run, tmp_path):
    code, out, err = train(run)
    assert (code, err) == (0, "")
    folder = tmp_path / "runs" / "cyclegan-cat-dog"
    assert "cat: 5 pictures in train/cat; dog: 5 in train/dog; test: 2 + 2." in out
    assert "step 3/3" in out
    assert (folder / "samples" / "000003.png").is_file()
    (command,) = [line for line in out.splitlines() if "translate apply" in line]
    arguments = command.split("translate apply ")[1].split()
    assert run("apply", *arguments)[0] == 0
    assert sorted(path.name for path in (folder / "cat-to-dog").iterdir()) == ["0.png", "1.png"]


def test_a_second_run_gets_a_folder_of_its_own(run, tmp_path):
    train(run)
    train(run)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["cyclegan-cat-dog", "cyclegan-cat-dog-2"]


def test_without_data_the_drawn_domains_are_used_and_said_so(run):
    code, out, _ = run("run", "cyclegan", "--domains", "horse", "zebra", *SMALL)
    assert code == 0
    assert "the drawn ones are used" in out
    assert "--data DIR" in out


def test_apply_keeps_names_sizes_and_formats(run, tmp_path):
    train(run)
    draw(tmp_path / "in" / "a.jpg", 1, (31, 47))
    draw(tmp_path / "in" / "deep" / "b.png", 2, (64, 20))
    code, out, _ = run("apply", "runs/cyclegan-cat-dog", "in", "--to", "cat", "-o", "out")
    assert code == 0
    assert "2 pictures translated from dog to cat" in out
    assert opened(tmp_path / "out" / "a.jpg").size == (47, 31)
    assert opened(tmp_path / "out" / "deep" / "b.png").size == (20, 64)


def test_apply_skips_and_names_what_is_no_picture(run, tmp_path):
    train(run)
    draw(tmp_path / "in" / "a.png", 1)
    (tmp_path / "in" / "b.png").write_text("not a picture")
    code, out, err = run("apply", "runs/cyclegan-cat-dog", "in", "-o", "out")
    assert code == 0
    assert "1 picture " in out
    assert "skipped: in/b.png" in err
    (tmp_path / "in" / "a.png").unlink()
    code, _, err = run("apply", "runs/cyclegan-cat-dog", "in", "-o", "out")
    assert code == 2
    assert "The only file cannot be read as a picture." in err


def test_apply_never_overwrites_its_input(run, tmp_path):
    train(run)
    path = draw(tmp_path / "in" / "a.png", 1)
    before = path.read_bytes()
    code, _, err = run("apply", "runs/cyclegan-cat-dog", "in", "-o", "in")
    assert code == 2
    assert "overwrite" in err
    assert path.read_bytes() == before


def test_apply_at_native_scale(run, tmp_path):
    train(run)
    draw(tmp_path / "in" / "a.png", 1, (50, 50))
    run("apply", "runs/cyclegan-cat-dog", "in", "-o", "scaled")
    run("apply", "runs/cyclegan-cat-dog", "in", "-o", "native", "--scale", "native")
    scaled, native = (np.asarray(opened(tmp_path / name / "a.png")) for name in ("scaled", "native"))
    assert scaled.shape == native.shape == (50, 50, 3)
    assert not np.array_equal(scaled, native)


def test_resume_goes_on_and_says_when_there_is_nothing_left(run, tmp_path):
    train(run)
    code, out, _ = run("resume", "runs/cyclegan-cat-dog")
    assert code == 0
    assert "is finished: 3 of 3 steps are done; 'translate resume runs/cyclegan-cat-dog --steps N' makes it longer" in out


def test_init_from(run):
    train(run)
    code, _, err = train(run, "--init-from", "runs/cyclegan-cat-dog", "--out", "finer")
    assert (code, err) == (0, "")


def test_config_file_gives_options_and_flags_come_first(run, tmp_path):
    train(run)
    code, _, _ = run("run", "cyclegan", "--config", "runs/cyclegan-cat-dog/run.toml", "--steps", "2", "--out", "second")
    assert code == 0
    import tomllib

    first, second = (tomllib.loads((tmp_path / path / "run.toml").read_text()) for path in ("runs/cyclegan-cat-dog", "second"))
    assert second["run"].pop("steps") == 2
    assert first["run"].pop("steps") == 3
    assert second["run"].pop("data") == first["root"]  # where the data is, wherever the file is read from
    del first["run"]["data"]
    assert first == second


@pytest.mark.parametrize("kind", [None, "recipes", "generators", "cycle-losses", "plugins", "weights"])
def test_list(run, kind):
    code, out, _ = run("list", *([kind] if kind else []))
    assert code == 0
    assert kind is None or kind.replace("-", " ") in out
    assert json.loads(run("list", *([kind] if kind else []), "--json")[1])


@pytest.mark.parametrize(
    ("name", "expected"), [("cyclegan", "cycle_weight"), ("resnet", "blocks"), ("l1", "cycle loss"), ("patch", "layers")]
)
def test_show_registered(run, name, expected):
    code, out, _ = run("show", name)
    assert code == 0
    assert expected in out
    assert json.loads(run("show", name, "--json")[1])[0]["name"] == name


def test_show_a_run_and_weights(run):
    train(run)
    code, out, _ = run("show", "runs/cyclegan-cat-dog")
    assert code == 0
    assert "step: 3" in out
    assert "cat" in out
    assert run("show", "runs/cyclegan-cat-dog/checkpoints/000003/weights.safetensors")[0] == 0


def test_published_weights_translate_drawings(run, tmp_path):
    run("draw", "horse", "-n", "2", "--split", "test", "-o", "horses")
    code, out, _ = run("apply", "drawn-horse2zebra", "horses", "--to", "zebra", "-o", "zebras")
    assert code == 0
    assert "2 pictures translated from horse to zebra" in out
    before, after = (
        np.asarray(opened(next((tmp_path / name).rglob("*.png"))).convert("L"), float) for name in ("horses", "zebras")
    )
    assert after.std() > 1.05 * before.std()  # stripes


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run, verb, capsys):
    for arguments in ([verb, "--help"], *([[verb, "cyclegan", "--help"]] if verb == "run" else [])):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code in (0, None)
        out = capsys.readouterr().out
        assert f"translate {verb}" in out
        assert len(out.splitlines()) > 3


MISTAKES = [
    (["run", "cyclgan", "--domains", "cat", "dog"], "Did you mean 'cyclegan'?"),
    (["runn"], "Did you mean 'run'?"),
    (["run"], "Which recipe?"),
    (["run", "--domains", "cat", "dog"], "The recipe comes first"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--sise", "64"], "Did you mean '--size'?"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--cycle-wieght", "64"], "Did you mean '--cycle-weight'?"),
    (["run", "cyclegan", "--domains", "cat"], "needs 2 domains, and 1 was given"),
    (["run", "cyclegan"], "needs 2 domains, and 0 were given"),
    (["run", "cyclegan", "--domains", "cat", "dog", "bird"], "needs 2 domains, and 3 were given"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "nowhere"], "nowhere does not exist"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "empty"], "holds no picture"),
    (["run", "cyclegan", "--domains", "cat", "cow", "--data", "photos"], "has no pictures of cow"),
    (["run", "cyclegan", "--domains", "cat", "cow"], "There are no pictures for the domains cat and cow"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--steps", "-5"], "--steps is -5; it must be at least 1"),
    (
        ["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--steps", "many"],
        "--steps is 'many'; it must be a whole number",
    ),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--steps"], "--steps expected one argument"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--size", "30"], "multiples of 4, not 30; try --size 32"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--size", "4"], "at least 8 pixels"),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--config", "none.toml"], "none.toml cannot be read"),
    (
        ["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--init-from", "nothing-there"],
        "no such file or folder",
    ),
    (["run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", "--preset", "fast"], "has no preset 'fast'"),
    (["resume", "nowhere"], "holds no run"),
    (["apply", "nowhere", "photos/test/cat"], "no such file or folder"),
    (["apply", "nowhere", "nothing.jpg"], "There is no file or folder nothing.jpg"),
    (["apply"], "see 'translate apply --help'"),
    (["list", "recipe"], "Did you mean 'recipes'?"),
    (["show", "resnett"], "Did you mean 'resnet'?"),
    (["draw", "horze"], "horse"),
]


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES, ids=[" ".join(arguments)[:60] for arguments, _ in MISTAKES])
def test_mistakes_get_one_sentence_and_exit_code_2(run, tmp_path, arguments, sentence):
    for name in ("cat", "dog"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_another_run_in_the_folder_is_refused_and_kept(run, tmp_path):
    train(run, "--out", "here")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "here").rglob("*")}
    code, out, _ = train(run, "--out", "here")  # which a supervisor may do that starts it until it ends
    assert code == 0
    assert "The run in here is finished: " in out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "here").rglob("*")} == before
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.tex").write_text("years of work")
    code, _, err = train(run, "--out", "papers")
    assert code == 2
    assert "is not empty" in err


def test_files_that_are_no_pictures_are_skipped_and_named(run, tmp_path):
    (tmp_path / "photos" / "train" / "cat" / "notes.txt").write_text("hello")
    code, _, err = train(run)
    assert code == 0
    assert "notes.txt" in err
    assert len(err.splitlines()) == 1


def test_ctrl_c_saves_and_says_how_to_go_on(photos, tmp_path):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "translate", "run", "cyclegan", "--domains", "cat", "dog", "--data", str(photos), *SMALL),
            *("--steps", "100000", "--out", "run", "--sample-every", "100000"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    log = Path(tmp_path / "run" / "log.jsonl")
    deadline = time.monotonic() + 60
    while not log.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "translate resume run" in err
    assert "Traceback" not in err
    from translate.checkpoint import latest_checkpoint

    assert latest_checkpoint(tmp_path / "run") is not None


def test_the_verb_of_a_plugin(run, tmp_path):
    code, _, _ = run("draw", "horse", "-n", "2", "--size", "32", "-o", "horses")
    assert code == 0
    assert len(list((tmp_path / "horses").rglob("*.png"))) == 2


def test_config_files_are_read_with_care(run, tmp_path):
    def config(text: str, *more: str):
        (tmp_path / "c.toml").write_text(text)
        return run("run", "cyclegan", "--domains", "cat", "dog", "--data", "photos", *SMALL, "--config", "c.toml", *more)

    assert "has no preset 'fast'" in config('preset = "fast"')[2]
    assert "not in 'run'" in config("run = 3")[2]
    assert "not in 'generators'" in config("[generators]\nlr = 1")[2]
    assert "Did you mean '--size'" in config("sise = 3")[2] or "Did you mean 'size'" in config("sise = 3")[2]
    assert config("epochs = 2\nout = 'from-config'")[0] == 0  # --steps, a flag, replaces the file's length
    assert (tmp_path / "from-config" / "run.toml").is_file()


def test_brackets_in_a_path_stay(run):
    _, out, _ = train(run, "--out", "runs/[x]")
    assert "'runs/[x]'" in out


def test_results_of_one_name_are_refused(run, tmp_path):
    train(run)
    for name in ("a", "b"):
        draw(tmp_path / name / "1.png", 1)
    code, _, err = run("apply", "runs/cyclegan-cat-dog", "a", "b", "-o", "out")
    assert code == 2
    assert "results of one name" in err
    assert not (tmp_path / "out").exists()


GAN = [
    "--size",
    "8",
    "--batch",
    "4",
    "--steps",
    "2",
    "--z",
    "5",
    "--generator",
    "mlp:widths=6",
    "--discriminator",
    "mlp:widths=6",
]


def test_sample_writes_files_and_a_sheet(run, tmp_path):
    code, out, errors = run("run", "vanilla", "--domains", "digits", *GAN, "--device", "cpu", "--out", "made")
    assert (code, errors) == (0, "")
    assert "Make more with it: translate sample made -n 64" in out
    assert opened(tmp_path / "made" / "samples" / "000002.png").width > 800
    code, out, _ = run("sample", "made", "-n", "5", "-o", "five")
    assert code == 0
    assert out == "5 samples of digits in five; see five.png.\n"
    names = sorted(path.name for path in (tmp_path / "five").iterdir())
    assert names == [f"digits-{index:05d}.png" for index in range(5)]
    assert opened(tmp_path / "five" / names[0]).size == (8, 8)
    run("sample", "made", "-n", "2", "-o", "two")
    assert (tmp_path / "two" / names[1]).read_bytes() == (tmp_path / "five" / names[1]).read_bytes()
    run("sample", "made", "-n", "1", "--seed", "1", "-o", "one")
    assert (tmp_path / "one" / names[0]).read_bytes() != (tmp_path / "five" / names[0]).read_bytes()


def test_ways_through_the_latent_space(run, tmp_path):
    run("run", "vanilla", "--domains", "digits", *GAN, "--device", "cpu", "--out", "made")
    code, out, _ = run("sample", "made", "-n3", "--interpolate", "4", "-o", "ways")
    assert (code, out.split(" ")[0]) == (0, "12")
    sheet = opened(tmp_path / "ways.png")
    assert sheet.width > sheet.height  # three rows of four
    code, out, _ = run("sample", "made", "-n", "2", "--walk", "5", "-o", "walk")
    assert code == 0
    assert out.endswith("see walk.gif.\n")
    with Image.open(tmp_path / "walk.gif") as gif:
        assert gif.n_frames == 10


def test_points_are_sampled_to_a_table(run, tmp_path):
    arguments = ["--preset", "points", "--batch", "8", "--steps", "2", "--device", "cpu", "--out", "made"]
    code, _, errors = run("run", "vanilla", "--domains", "points:ring8", *arguments)
    assert (code, errors) == (0, "")
    assert (tmp_path / "made" / "samples" / "000002.png").exists()
    code, out, _ = run("sample", "made", "-n", "9")
    assert (code, out) == (0, "9 samples of points:ring8; see points-ring8-samples.csv.\n")
    assert np.loadtxt(tmp_path / "points-ring8-samples.csv", delimiter=",").shape == (9, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-n", "0"], "-n is '0'; it must be a whole number from 1 on."),
        (["-n", "many"], "-n is 'many'"),
        (["--walk", "1"], "--walk is '1'; it must be a whole number from 2 on."),
        (["--walk", "3", "--interpolate", "3"], "choose one"),
        (["-o", "photos"], "photos is not empty; give another folder with -o."),
        (["-o", "mine"], "mine.png is there already; give another folder with -o."),
    ],
)
def test_mistakes_in_sampling_get_a_sentence(run, tmp_path, arguments, sentence):
    run("run", "vanilla", "--domains", "digits", *GAN, "--device", "cpu", "--out", "made")
    (tmp_path / "mine.png").write_bytes(b"a picture of mine")
    code, _, errors = run("sample", "made", *arguments)
    assert code == 2
    assert (tmp_path / "mine.png").read_bytes() == b"a picture of mine"
    assert sentence in errors
    assert len(errors.splitlines()) == 1


def test_a_translator_does_not_sample_and_a_sampler_does_not_translate(run):
    train(run, "--out", "made")
    code, _, errors = run("sample", "made")
    assert code == 2
    assert "makes nothing from noise" in errors
    run("run", "vanilla", "--domains", "digits", *GAN, "--device", "cpu", "--out", "vanilla")
    code, _, errors = run("apply", "vanilla", "photos/test/cat")
    assert code == 2
    assert "it makes pictures from noise: translate sample" in errors


def test_show_counts_parameters_as_the_pages_do(capsys):
    assert main(["show", "mnist-vanilla", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["parameters"] == {"G": "1,489,936"}


@pytest.mark.parametrize(
    ("kind", "shown"), [("games", ["adversarial losses"]), ("distances", ["cycle losses, reconstruction losses"])]
)
def test_list_takes_the_words_of_the_pages_and_shows_each_distance_once(kind, shown, capsys):
    assert main(["list", kind]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if not line.startswith(" ")] == shown
    assert out.count("  ssim ") == (kind == "distances")
    assert main(["show", "ssim"]) == 0
    assert capsys.readouterr().out.count("structural") <= 1 or "cycle loss and reconstruction loss ssim" in out


def test_help_shows_what_presets_set(capsys):
    with pytest.raises(SystemExit):
        main(["run", "vanilla", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert "[256; report: 28; quick: 28]" in out
    assert "[0.0002; report: 0.0001; points: 0.0001]" in out


def test_a_second_run_says_where_it_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = [
        "run",
        "vanilla",
        "--domains",
        "digits",
        "--steps",
        "1",
        "--size",
        "8",
        "--generator",
        "mlp:widths=4",
        "--batch",
        "2",
    ]
    assert main(arguments) == 0
    assert "earlier run" not in capsys.readouterr().out
    assert main(arguments) == 0
    assert "runs/vanilla-digits holds an earlier run, so this one is kept in runs/vanilla-digits-2;" in capsys.readouterr().out


def test_an_option_of_a_part_is_named_as_one(capsys):
    assert main(["run", "cyclegan", "--domains", "horse", "zebra", "--adversarial", "hinge:r1=ten"]) == 2
    assert "Option 'r1' of adversarial loss 'hinge' is 'ten'; it must be a number." in capsys.readouterr().err


def test_a_folder_without_weights_does_not_hide_published_ones(tmp_path, monkeypatch):
    from translate.checkpoint import locate

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist-vanilla").mkdir()
    assert locate("mnist-vanilla").name == "mnist-vanilla.safetensors"


def test_stopping_at_once_says_from_where_the_run_goes_on(tmp_path, monkeypatch, capsys):
    from translate import hookimpl, plugin

    class Impatient:
        @hookimpl
        def step_reported(self, report):
            if report.step == stop_at:
                raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    arguments = ["run", "vanilla", "--domains", "digits", "--size", "8", "--generator", "mlp:widths=4", "--batch", "2"]
    arguments += ["--steps", "6", "--checkpoint-every", "2", "--log-every", "1"]
    with plugin(Impatient()):
        for stop_at, where in ((1, "from the beginning"), (5, "from step 4")):
            out = str(tmp_path / str(stop_at))
            assert main([*arguments, "--out", out]) == 130
            said = capsys.readouterr().err
            assert said == f"Stopped at once, at step {stop_at} of 6. Go on {where} with: translate resume {out}\n"
    assert main(["resume", str(tmp_path / "1")]) == 0
    assert "There is no checkpoint in" in capsys.readouterr().out
