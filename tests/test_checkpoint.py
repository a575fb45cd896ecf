from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path

import pytest
import torch

from translate import checkpoint, weights
from translate.data.domain import Space
from translate.errors import UserError

HEADER = weights.Header(
    "cyclegan", {"pool_size": 3}, (Space("cat", (3, 8, 8)), Space("dog", (3, 8, 8))), 5, False, {"torch": "2"}
)
FILES = ["manifest.json", "training.safetensors", "weights.safetensors"]


def state(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "recipe/G.weight": torch.randn(3, 4, generator=generator),
        "recipe/G.transposed": torch.randn(3, 4, generator=generator).t(),
        "recipe/pool.images": torch.zeros(0, 3, 8, 8),
        "optimiser/G.step": torch.tensor(5),
    }


def save(run, step=5, seed=0):
    exported = {"G.weight": state(seed)["recipe/G.weight"]}
    return checkpoint.save_checkpoint(run, step, exported, HEADER, state(seed), {"step": step, "consumed": 2 * step})


def names(folder):
    return sorted(each.name for each in folder.iterdir())


# Saving and loading


def test_a_checkpoint_comes_back(tmp_path):
    folder = save(tmp_path)
    assert folder == tmp_path / "checkpoints" / "000005"
    assert names(folder) == FILES
    assert names(folder.parent) == ["000005"]
    tensors, progress = checkpoint.load_training(folder)
    assert progress == {"step": 5, "consumed": 10}
    assert set(tensors) == set(state())
    for name, tensor in state().items():
        assert torch.equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype
    exported, header = checkpoint.load_weights(folder / "weights.safetensors")
    assert header == HEADER
    assert torch.equal(exported["G.weight"], state()["recipe/G.weight"])


def test_the_manifest_says_what_is_there(tmp_path):
    folder = save(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert manifest["step"] == 5
    assert sorted(manifest["files"]) == FILES[1:]
    for name, entry in manifest["files"].items():
        assert entry["bytes"] == (folder / name).stat().st_size
    assert list(manifest)[-1] == "manifest_sha256"


def test_a_checkpoint_may_be_written_again(tmp_path):
    save(tmp_path, seed=0)
    folder = save(tmp_path, seed=1)
    tensors, _ = checkpoint.load_training(folder)
    assert torch.equal(tensors["recipe/G.weight"], state(1)["recipe/G.weight"])
    assert names(folder.parent) == ["000005"]


# Damage


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_a_flipped_byte_anywhere_is_noticed(tmp_path, name, mask):
    folder = save(tmp_path)
    whole = (folder / name).read_bytes()
    for position in sorted({0, 7, 8, len(whole) - 1, *random.Random(mask).sample(range(len(whole)), 50)}):
        data = bytearray(whole)
        data[position] ^= mask
        (folder / name).write_bytes(data)
        with pytest.raises(UserError, match=f"^The checkpoint {folder} is damaged: {name} "):
            checkpoint.load_training(folder)
    (folder / name).write_bytes(whole)
    checkpoint.load_training(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_noticed(tmp_path, name):
    folder = save(tmp_path)
    whole = (folder / name).read_bytes()
    for length in [*range(0, len(whole), 17), len(whole) - 1]:
        (folder / name).write_bytes(whole[:length])
        with pytest.raises(UserError, match=f"^The checkpoint {folder} is damaged: {name} "):
            checkpoint.load_training(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed_and_named(tmp_path, name):
    folder = save(tmp_path)
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"^The checkpoint {folder} is damaged: .*{name}"):
        checkpoint.load_training(folder)


def test_files_of_another_checkpoint_are_noticed(tmp_path):
    first, second = save(tmp_path, 5, seed=0), save(tmp_path, 6, seed=1)
    (first / "training.safetensors").write_bytes((second / "training.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"training\.safetensors is not as it was written; delete the folder"):
        checkpoint.load_training(first)


@pytest.mark.parametrize("text", ["", "x", "5", "null", "[]", "{}", '"a"', '{"manifest_sha256": 1}', "[" * 50_000])
def test_a_manifest_that_is_none_gets_a_sentence(tmp_path, text):
    folder = save(tmp_path)
    (folder / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=f"^The checkpoint {folder} is damaged: manifest.json cannot be trusted"):
        checkpoint.load_training(folder)


# Which is the latest


def test_the_latest_goes_by_number(tmp_path):
    assert checkpoint.latest_checkpoint(tmp_path) is None
    for step in (1_000_000, 20, 999_999, 3):
        save(tmp_path, step)
    assert [each.name for each in checkpoint.checkpoints(tmp_path)] == ["000003", "000020", "999999", "1000000"]
    assert checkpoint.latest_checkpoint(tmp_path).name == "1000000"


def test_what_is_incomplete_or_something_else_is_passed_over(tmp_path):
    save(tmp_path, 3)
    (save(tmp_path, 9) / "manifest.json").unlink()
    folder = tmp_path / "checkpoints"
    for name in (".000012.77.tmp", "000013.tmp", "best", "²", "-5"):
        save(tmp_path, 11).rename(folder / name)
    (folder / "000014").touch()
    (folder / "000015").mkdir()
    assert [each.name for each in checkpoint.checkpoints(tmp_path)] == ["000003"]
    assert checkpoint.latest_checkpoint(tmp_path) == folder / "000003"


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_a_checkpoint_that_could_not_be_written_leaves_nothing(tmp_path, monkeypatch, number, error):
    save(tmp_path, 3)
    write, calls = weights.write, []

    def fail(path, data):
        calls.append(path)
        if len(calls) == number:
            raise error
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(weights, "write", fail)
        with pytest.raises(type(error)):
            save(tmp_path, 8)
    assert names(tmp_path / "checkpoints") == ["000003"]
    assert checkpoint.latest_checkpoint(tmp_path).name == "000003"
    assert calls[-1].name == ["weights.safetensors", "training.safetensors", "manifest.json"][number - 1]


def test_a_checkpoint_that_could_not_be_written_again_leaves_the_old_one(tmp_path, monkeypatch):
    save(tmp_path, 3, seed=0)

    def fail(*_):
        raise OSError("Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="Input/output"):
            save(tmp_path, 3, seed=1)
    tensors, _ = checkpoint.load_training(checkpoint.latest_checkpoint(tmp_path))
    assert torch.equal(tensors["recipe/G.weight"], state(0)["recipe/G.weight"])


def test_prune_keeps_the_latest(tmp_path):
    for step in (5, 10, 1_000_000, 20):
        save(tmp_path, step)
    (save(tmp_path, 7) / "manifest.json").unlink()  # not complete: perhaps another process is at it
    checkpoint.prune(tmp_path, 2)
    assert [each.name for each in checkpoint.checkpoints(tmp_path)] == ["000020", "1000000"]
    assert (tmp_path / "checkpoints" / "000007").is_dir()
    checkpoint.prune(tmp_path, 5)
    assert len(checkpoint.checkpoints(tmp_path)) == 2
    checkpoint.prune(tmp_path, 1)
    assert [each.name for each in checkpoint.checkpoints(tmp_path)] == ["1000000"]


def test_prune_where_there_is_no_checkpoint(tmp_path):
    checkpoint.prune(tmp_path, 2)
    assert names(tmp_path) == []


@pytest.mark.parametrize("progress", [{}, {"step": 5}, {"step": "5", "consumed": 5}, {"step": 5, "consumed": 5, "more": 5}])
def test_a_checkpoint_that_does_not_say_how_far_it_is(tmp_path, progress):
    folder = checkpoint.save_checkpoint(tmp_path, 5, {}, HEADER, state(), progress)
    with pytest.raises(UserError, match=r"training\.safetensors does not say how far training was \("):
        checkpoint.load_training(folder)


# The run's folder

RECORD = {
    "recipe": "cyclegan",
    "run": {"size": "128x96", "ema": 0.5, "domains": ["cat", "dög"]},
    "options": {},
    "data": {"cat": "0" * 64},
}


def test_a_new_run(tmp_path):
    for run in (tmp_path / "deep" / "run", tmp_path / "empty"):
        if run.name == "empty":
            run.mkdir()
        checkpoint.create_run(run, RECORD)
        assert names(run) == ["run.toml"]
        assert checkpoint.read_record(run) == RECORD
        assert tomllib.loads((run / "run.toml").read_text(encoding="utf-8")) == RECORD


def test_another_runs_folder_is_refused(tmp_path):
    run = tmp_path / "run"
    checkpoint.create_run(run, RECORD)
    with pytest.raises(UserError) as caught:
        checkpoint.create_run(run, {"recipe": "other"})
    assert str(caught.value) == (
        f"{run} holds another run; give another folder with --out, or, if it was stopped, go on with it by 'translate resume {run}'."
    )
    assert checkpoint.read_record(run) == RECORD


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UserError, match=r"is not empty and holds no run; give --out a new folder\.$"):
        checkpoint.create_run(tmp_path, RECORD)
    assert names(tmp_path) == ["thesis.txt"]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file is a file; give --out a folder\.$"):
        checkpoint.create_run(tmp_path / "file", RECORD)


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        checkpoint.create_run(tmp_path / "file" / "run", RECORD)


def test_the_record_of_what_is_no_run(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UserError) as caught:
            checkpoint.read_record(folder)
        assert str(caught.value) == f"{folder} holds no run: there is no run.toml in it."


@pytest.mark.parametrize("data", [b"[run", b"a = ", b"\xff\xfe\x00"])
def test_a_record_that_is_none(tmp_path, data):
    (tmp_path / "run.toml").write_bytes(data)
    with pytest.raises(UserError, match=r"run\.toml cannot be read \("):
        checkpoint.read_record(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": {"a": "cyclegan"}},
        {"recipe": 3},
        {"preset": True},
        {"run": "steps"},
        {"run": [{"steps": 3}]},
        {"options": []},
        {"data": "photos"},
        {"data": {"cat": 3}},
        {"root": ["/"]},
        {"lengths": [{"steps": "3"}]},
        {"lengths": [{"paces": 3}]},
        {"lengths": {"steps": 3}},
        {"plugins": ["cyclegan"]},
        {"plugins": {"cyclegan": {"a": "b"}}},
        {"rests_on": "cyclegan"},
        {"overridden": [1]},
        {"backbones": {"G": 1}},
    ],
)
def test_a_record_with_something_of_another_type(tmp_path, changes):
    checkpoint.write_record(tmp_path, RECORD | changes)
    with pytest.raises(
        UserError, match=rf"run\.toml cannot be read \('{min(changes)}' is .*, which is of another type than it must be"
    ):
        checkpoint.read_record(tmp_path)


@pytest.mark.parametrize("name", ["recipe", "run", "options", "data"])
def test_a_record_that_lacks_something(tmp_path, name):
    checkpoint.write_record(tmp_path, {key: value for key, value in RECORD.items() if key != name})
    with pytest.raises(UserError, match=rf"run\.toml is not the record of a run: it has no '{name}'\.$"):
        checkpoint.read_record(tmp_path)


# The log


def read_log(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def line(step):
    return {"step": step, "epoch": 1, "losses": {"G/cycle_x": 0.5 * step, "D": float("inf")}, "rates": {"G": 2e-4}, "speed": 1.5}


def test_the_log_is_cut_at_a_step(tmp_path):
    for step in (10, 20, 30, 40):
        checkpoint.append_log(tmp_path, line(step))
    checkpoint.cut_logs(tmp_path, 45)
    assert read_log(tmp_path) == [line(10), line(20), line(30), line(40)]
    checkpoint.cut_logs(tmp_path, 30)
    assert read_log(tmp_path) == [line(10), line(20), line(30)]
    checkpoint.cut_logs(tmp_path, 15)
    checkpoint.append_log(tmp_path, line(20))
    assert read_log(tmp_path) == [line(10), line(20)]
    checkpoint.cut_logs(tmp_path, 0)
    assert read_log(tmp_path) == []


def test_there_need_not_be_a_log(tmp_path):
    checkpoint.cut_logs(tmp_path, 5)
    assert names(tmp_path) == []


def test_a_last_line_cut_short_anywhere_is_dropped(tmp_path):
    log = tmp_path / "log.jsonl"
    whole, last = json.dumps(line(10)) + "\n", json.dumps(line(20))
    for length in range(len(last)):
        log.write_text(whole + last[:length])
        checkpoint.cut_logs(tmp_path, 100)
        assert log.read_text() == whole, last[:length]
    log.write_text(whole + last)  # whole but for the end of the line
    checkpoint.cut_logs(tmp_path, 100)
    checkpoint.append_log(tmp_path, line(30))
    assert read_log(tmp_path) == [line(10), line(20), line(30)]
