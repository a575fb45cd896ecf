"""``translate weights``: list, verify, import and export."""

from __future__ import annotations

import json
from dataclasses import replace

import public_networks as public
import pytest
import torch
from public_networks import trained

from translate import weights
from translate.cli import main


def test_list_shows_what_is_published_with_size_and_digest(capsys):
    assert main(["weights", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows.keys() == weights.published().keys()
    for name, each in weights.published().items():
        assert rows[name]["bytes"] == len(each.path.read_bytes())
        assert rows[name]["sha256"] == each.sha256
    assert main(["weights", "list"]) == 0
    out = capsys.readouterr().out
    assert "mnist-vanilla: handwritten digits from noise" in out
    assert f"sha256 {weights.published()['mnist-vanilla'].sha256}" in out


def test_verify_a_file_a_run_and_a_published_name(tiny, tmp_path, capsys):
    run = tmp_path / "run"
    tiny(out=run, checkpoint_every=2).fit()
    assert main(["weights", "verify", str(run)]) == 0
    out = capsys.readouterr().out
    assert out.count("as it was written") == 4  # two files in each of two checkpoints
    assert main(["weights", "verify", str(run / "checkpoints" / "000002"), "--json"]) == 0
    assert [each["verified"] for each in json.loads(capsys.readouterr().out)] == [True, True]
    assert main(["weights", "verify", "mnist-vanilla"]) == 0
    assert "mnist-vanilla.safetensors" in capsys.readouterr().out
    damaged = run / "checkpoints" / "000002" / "training.safetensors"
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    assert main(["weights", "verify", str(run)]) == 2
    assert "training.safetensors is not as it was written" in capsys.readouterr().err
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(bytes(data))
    assert main(["weights", "verify", str(alone)]) == 2


def test_a_changed_byte_of_a_file_is_found_and_an_old_file_has_nothing_to_compare(tiny, tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    tiny().save(path)
    assert main(["weights", "verify", str(path)]) == 0
    assert "as it was written" in capsys.readouterr().out
    whole = path.read_bytes()
    tensors, header = weights.parse(whole, path)
    path.write_bytes(weights.pack(tensors, replace(header, format=1).dump(), sealed=False))
    assert main(["weights", "verify", str(path)]) == 0
    assert "has no digest to compare with" in capsys.readouterr().out
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert main(["weights", "verify", str(path)]) == 2
    assert "is damaged" in capsys.readouterr().err


def test_import_apply_and_export(tmp_path, photos, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(trained(public.resnet(1, 4)).state_dict(), "g.pth")
    assert main(["weights", "import", "g.pth", "--domains", "cat", "dog", "-o", "w.safetensors", "--size", "16"]) == 0
    out = capsys.readouterr().out
    assert "resnet generator with 1 blocks, 4 channels, RGB to RGB of format 'pytorch-cyclegan', as recipe 'one-sided'" in out
    assert out.endswith("translate apply w.safetensors PICTURES\n")
    assert main(["apply", "w.safetensors", str(photos / "test" / "cat"), "-o", "dogs", "--device", "cpu"]) == 0
    assert len(list((tmp_path / "dogs").iterdir())) == 2
    assert main(["weights", "export", "w.safetensors", "--format", "pytorch-cyclegan", "-o", "theirs"]) == 0
    assert capsys.readouterr().out.endswith("theirs/latest_net_G.pth\n")
    assert main(["weights", "export", "w.safetensors", "--format", "pytorch-cyclegan", "-o", "theirs"]) == 2
    assert "latest_net_G.pth exists already" in capsys.readouterr().err
    torch.save(trained(public.dcgan(4)).state_dict(), "d.pth")
    assert main(["weights", "import", "d.pth", "--domains", "face", "-o", "f.safetensors", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["format"], said["recipe"], said["options"]["z"]) == ("dcgan", "dcgan", 100)
    assert main(["sample", "f.safetensors", "-n", "2", "-o", "faces", "--device", "cpu"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verifi"], "knows list, verify, import and export, not 'verifi'. Did you mean 'verify'?"),
        (["import", "g.pth", "-o", "w.safetensors"], "required: --domains"),
        (["import", "g.pth", "--domains", "a", "b", "-o", "w.pth"], "weights files end in .safetensors"),
        (["import", "g.pth", "--domains", "a", "b", "-o", "w.safetensors"], "The weights g.pth cannot be read (No such file"),
        (
            ["import", "g.pth", "--domains", "a", "b", "-o", "w.safetensors", "--order", "gbr"],
            "--order is 'gbr'; it must be rgb or bgr",
        ),
        (["import", "g.pth", "--domains", "a", "b", "-o", "w.safetensors", "--size", "big"], "--size is 'big'"),
        (["export", "mnist-vanilla", "--format", "dcgan", "-o", "out"], "has files for dcgan alone"),
        (["export", "mnist-vanilla", "--format", "dcgam", "-o", "out"], "Did you mean 'dcgan'?"),
        (["verify", "nowhere"], "There are no weights at 'nowhere'"),
    ],
)
def test_mistakes_get_a_sentence(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["weights", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
