from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from translate import Engine, weights
from translate.checkpoint import load_weights, locate
from translate.data.domain import Space
from translate.errors import UserError
from translate.weights import Header

HEADER = Header(
    recipe="cyclegan",
    options={"cycle_weight": 10.0, "generator": "resnet:blocks=6", "betas": [0.5, 0.999], "identity": True},
    spaces=(Space("horse", (3, 128, 96)), Space("scan", (1, 64, 64), "uint16", (100.0, 4095.0)), Space("ring", (2,), "float32")),
    step=1234,
    averaged=True,
    versions={"torch": "2.11", "image-translate": "0.1"},
)


def tensors():
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    return {
        "plain": base,
        "transposed": base.t(),
        "strided": base[::2, 1::2],
        "expanded": torch.arange(3.0).reshape(3, 1).expand(3, 5),
        "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "shared": base,
        "parameter": torch.nn.Parameter(torch.randn(3)),
        "scalar": torch.tensor(7, dtype=torch.int64),
        "empty": torch.zeros(0, 3, 4, 4),
        "half": torch.randn(3).half(),
        "brain": torch.randn(3).bfloat16(),
        "double": torch.randn(3).double(),
        "yes": torch.tensor([True, False]),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
    }


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(weights.pack(tensors(), HEADER.dump()))
    return path


def raw(header, body=b""):
    """The bytes of a safetensors file with this header text."""
    text = header if isinstance(header, bytes) else header.encode()
    return len(text).to_bytes(8, "little") + text + body


# Round trip


def test_tensors_come_back_as_they_were(file):
    got, _ = load_weights(file)
    expected = tensors()
    assert set(got) == set(expected)
    for name, tensor in expected.items():
        assert got[name].dtype == tensor.dtype, name
        assert got[name].shape == tensor.shape, name
        assert got[name].is_contiguous(), name
        assert torch.equal(got[name].nan_to_num(), tensor.detach().nan_to_num()), name
        assert not got[name].requires_grad
    assert str(got["odd"].tolist()) == "[nan, inf, -0.0]"


def test_the_header_comes_back_as_it_was(file):
    _, header = load_weights(file)
    assert header == HEADER
    assert header.spaces[1].window == (100.0, 4095.0)
    assert isinstance(header.spaces[0].shape, tuple)
    assert Header.parse(HEADER.dump()["translate"]) == HEADER


def test_the_file_is_plain_safetensors(file):
    got = safetensors.torch.load_file(file)
    assert torch.equal(got["transposed"], tensors()["transposed"])
    with safetensors.safe_open(file, "pt") as opened:
        assert json.loads(opened.metadata()["translate"])["step"] == 1234


def test_packing_twice_gives_the_same_bytes(file):
    assert weights.pack(tensors(), HEADER.dump()) == file.read_bytes()


def test_the_state_of_training_says_what_it_is(tiny, tmp_path):
    tiny(out=tmp_path / "run").fit()
    with pytest.raises(
        UserError, match=r"training.safetensors holds a run's state of training; give the weights.safetensors beside it"
    ):
        Engine.load(tmp_path / "run" / "checkpoints" / "000004" / "training.safetensors")


def test_a_file_that_may_run_code_is_not_opened(tmp_path):
    path = tmp_path / "netG.pth"
    torch.save({"a": torch.ones(3)}, path)
    with pytest.raises(UserError, match=r"may run code when they are opened, so only .safetensors are read"):
        Engine.load(path)


def test_the_seal_is_the_digest_of_the_file_with_zeros_in_its_place(file):
    whole = file.read_bytes()
    seal = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])["__metadata__"]["seal"]
    assert whole.count(seal.encode()) == 1
    assert hashlib.sha256(whole.replace(seal.encode(), b"0" * 64)).hexdigest() == seal


def test_a_changed_bit_of_any_byte_is_found(file):
    small = Header(recipe="a", options={}, spaces=(Space("cat", (3, 8, 8)),), step=1, averaged=False, versions={"é": "1e-05"})
    whole = weights.pack({"a": torch.ones(5), "b": torch.zeros(2)}, small.dump())
    weights.parse(whole, file)
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            with pytest.raises(UserError, match=r"damaged|cut short|no safetensors|of another program"):
                weights.parse(bytes(damaged), file)


def older(header, tensors):
    """The bytes of a file of format 1, as it was written before there was a seal."""
    return weights.pack(tensors, {"translate": json.dumps(json.loads(header.dump()["translate"]) | {"format": 1})}, sealed=False)


def test_a_file_of_the_first_format_is_read(file):
    file.write_bytes(older(HEADER, tensors()))
    got, header = load_weights(file)
    assert torch.equal(got["transposed"], tensors()["transposed"])
    assert (header.format, header.spaces, header.options) == (1, HEADER.spaces, HEADER.options)


def test_a_file_whose_seal_was_taken_away_is_refused(file):
    file.write_bytes(weights.pack(tensors(), HEADER.dump(), sealed=False))
    with pytest.raises(UserError, match="is damaged: it lacks the digest of its contents"):
        load_weights(file)


def test_pack_leaves_the_tensors_alone():
    given = tensors()
    weights.pack(given, {})
    assert not given["transposed"].is_contiguous()
    assert given["shared"].data_ptr() == given["plain"].data_ptr()


# Refused


def test_another_programs_file_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    for metadata in (None, {"format": "pt"}):
        path.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}, metadata))
        with pytest.raises(UserError) as caught:
            load_weights(path)
        assert str(caught.value) == (
            f"{path} is a safetensors file of another program: its header does not say which recipe made it."
        )


def test_a_later_format_is_refused(tmp_path):
    path = tmp_path / "later.safetensors"
    later = json.loads(HEADER.dump()["translate"]) | {"format": 3, "spaces": "told otherwise"}
    path.write_bytes(weights.pack({"a": torch.zeros(2)}, {"translate": json.dumps(later)}))
    with pytest.raises(UserError) as caught:
        load_weights(path)
    assert str(caught.value) == f"{path} has format 3, and this version reads formats up to 2; install a newer image-translate."


def test_a_missing_file_and_a_folder_get_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(No such file or directory\)\.$"):
        load_weights(tmp_path / "missing")
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)\.$"):
        load_weights(tmp_path)


def test_a_file_cut_short_gets_a_sentence_at_every_length(file):
    whole = file.read_bytes()
    for length in [*range(32), *range(32, len(whole), 13), len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(UserError, match=f"^{file} is "):
            load_weights(file)


def test_a_file_with_something_behind_it_is_refused(file):
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(UserError):
        load_weights(file)


@pytest.mark.parametrize("size", [weights.HEADER_BYTES + 1, 2**63, 2**64 - 1])
def test_a_header_that_claims_to_be_huge_is_refused_unread(tmp_path, size):
    path = tmp_path / "huge.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + b"{" * 2_000_000)
    with pytest.raises(UserError, match="its header cannot be read"):
        load_weights(path)


@pytest.mark.parametrize(
    "header",
    ["", "x", "{}x", "5", "[]", "null", '{"__metadata__": null}', '{"__metadata__": []}', '{"a": 5}', b"\xff\xfe", "[" * 50_000],
)
def test_a_header_that_is_none_gets_a_sentence(tmp_path, header):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(raw(header))
    with pytest.raises(UserError, match=f"^{path} "):
        load_weights(path)


def described(**changes):
    return json.dumps(json.loads(HEADER.dump()["translate"]) | changes)


def space(**changes):
    return {"name": "cat", "shape": [3, 8, 8], "dtype": "uint8", "window": [0, 255], **changes}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "5",
        "[]",
        "null",
        "{}",
        '{"format": 1}',
        described(spaces=5),
        described(spaces=[5]),
        described(spaces=[{"name": "a"}]),
        described(spaces=[{"name": "a", "shape": [1], "dtype": "uint8", "window": []}]),
        described(spaces=[{"name": "a", "shape": 1, "dtype": "uint8", "window": [0, 1]}]),
        described(spaces=[space(shape=[])]),
        described(spaces=[space(shape=[3, 8])]),
        described(spaces=[space(shape=[3, 8, -8])]),
        described(spaces=[space(shape=[3, 8, 10**6])]),
        described(spaces=[space(shape=[3, 8, "8"])]),
        described(spaces=[space(shape=[3, 8, True])]),
        described(spaces=[space(name=["cat"])]),
        described(spaces=[space(dtype="float64")]),
        described(spaces=[space(dtype=["uint8"])]),
        described(spaces=[space(window=[0])]),
        described(spaces=[space(window=[255, 0])]),
        described(spaces=[space(window=[0, float("nan")])]),
        described(spaces=[space(window=[0, 10**400])]),
        described(recipe={"cyclegan": 1}),
        described(recipe=None),
        described(options=[]),
        described(options="resnet"),
        described(step="7"),
        described(step=1.5),
        described(averaged=1),
        described(versions={"torch": 2}),
        described(versions=["torch"]),
        described(backbones={"G": ["a"]}),
        described(format=True),
        described(format="1"),
        described(more=1),
        "[" * 50_000,
    ],
)
def test_a_description_that_is_none_gets_a_sentence(tmp_path, text):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(weights.pack({"a": torch.zeros(2)}, {"translate": text}))
    with pytest.raises(UserError, match=f"^{path} has "):
        load_weights(path)


def test_what_is_described_as_the_above_are_is_read(tmp_path):
    path = tmp_path / "even.safetensors"
    path.write_bytes(weights.pack({"a": torch.zeros(2)}, {"translate": described(spaces=[space(), space(shape=[2])])}))
    assert load_weights(path)[1].spaces == (Space("cat", (3, 8, 8)), Space("cat", (2,)))


def test_a_file_that_does_not_fit_into_memory_is_not_read(file, monkeypatch):
    monkeypatch.setattr(weights, "memory", lambda: 2 * file.stat().st_size)
    weights.read(file)
    monkeypatch.setattr(weights, "memory", lambda: 2 * file.stat().st_size - 1)
    with pytest.raises(UserError, match=r"and this machine has not the memory to read it \(\d"):
        weights.read(file)


# Writing


def test_write_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    weights.write(path, b"old")
    weights.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("culprit", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_the_old_file_stays_whole_when_writing_fails(tmp_path, monkeypatch, culprit, error):
    path = tmp_path / "file"
    weights.write(path, b"old")

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if culprit == "fsync" else (Path, "replace")), fail)
        with pytest.raises(type(error)):
            weights.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_the_new_file_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    events, sync, replace = [], os.fsync, Path.replace

    def note_sync(descriptor):
        events.append("sync " + Path(os.readlink(f"/proc/self/fd/{descriptor}")).name[:5])
        sync(descriptor)

    def note_replace(self, target):
        events.append(f"rename {self.read_bytes().decode()}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    (tmp_path / "folder").mkdir()
    weights.write(tmp_path / "folder" / "file", b"new")
    assert events == ["sync .file", "rename new", "sync folde"]


# Finding


@pytest.fixture
def names(tmp_path, monkeypatch):
    known = {}
    for name in ("horse2zebra", "old2young"):
        (tmp_path / f"{name}.safetensors").write_bytes(bytes(8) + name.encode())
        digest = hashlib.sha256(bytes(8) + name.encode()).hexdigest()
        known[name] = weights.Published(tmp_path / f"{name}.safetensors", digest, "")
    monkeypatch.setattr(weights, "published", lambda: known)
    monkeypatch.chdir(tmp_path)
    return known


def test_locate_a_file(file, names):
    assert locate(file) == file
    assert locate(str(file)) == file


def test_locate_begins_at_home(file, names, monkeypatch):
    monkeypatch.setenv("HOME", str(file.parent))
    assert locate("~/weights.safetensors") == file


def test_locate_a_checkpoint_and_a_run(tmp_path, names):
    run = tmp_path / "run"
    for step in ("000005", "000010"):
        weights.write(run / "checkpoints" / step / "weights.safetensors", b"x")
        weights.write(run / "checkpoints" / step / "manifest.json", b"{}")
    assert locate(run / "checkpoints" / "000005") == run / "checkpoints" / "000005" / "weights.safetensors"
    assert locate(run) == run / "checkpoints" / "000010" / "weights.safetensors"


def test_locate_a_published_name(names):
    assert locate("horse2zebra") == names["horse2zebra"].path


def test_published_weights_that_were_changed_are_refused(names):
    names["horse2zebra"].path.write_bytes(bytes(8) + b"horse2zebrb")
    with pytest.raises(UserError, match="are not as they were published"):
        locate("horse2zebra")


def test_locate_nothing_in_a_folder(tmp_path, names):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as caught:
        locate(tmp_path / "empty")
    assert str(caught.value) == f"{tmp_path}/empty holds no weights: it is neither a run with a checkpoint nor a checkpoint."


@pytest.mark.parametrize("name", ["horse2zebr", "~nobody-of-this-name/x", "runs/horse2zebra-7"])
def test_locate_what_is_not_there(name, names):
    with pytest.raises(UserError) as caught:
        locate(name)
    near = " Did you mean 'horse2zebra'?" if "horse" in name else ""
    assert str(caught.value) == (
        f"There are no weights at '{name}': no such file or folder, and no published name.{near} "
        "Published: horse2zebra and old2young."
    )


ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", list(weights.published()))
def test_published_weights_load_and_have_a_card(name):
    entry = weights.published()[name]
    assert entry.verified() == entry.path
    assert entry.about
    engine = Engine.load(name, device="cpu")
    if engine.recipe.latent is not None:
        assert engine.sample(engine.recipe.latent.draw(2)).std() > 0.1
    else:
        image = torch.rand(1, *engine.spaces[0].shape) * 2 - 1
        assert engine.translate(image, to=engine.spaces[1].name).shape == (1, *engine.spaces[1].shape)
    card = (ROOT / "weights" / "README.md").read_text(encoding="utf-8")
    section = card.partition(f"## {name}\n")[2].partition("\n## ")[0]
    for part in ("**Command**", "**Data**", "**Scores**"):
        assert part in section
    assert f'"weights/{entry.path.name}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # the wheel brings it


def test_every_file_of_weights_is_published():
    files = {path.name for path in (ROOT / "weights").glob("*.safetensors")}
    assert files == {each.path.name for each in weights.published().values()}


def test_half_the_size_and_nearly_the_same(tiny, tmp_path):
    engine = tiny()
    engine.save(tmp_path / "whole.safetensors")
    engine.save(tmp_path / "half.safetensors", half=True)
    image = torch.rand(1, 3, 16, 16)
    whole, half = (Engine.load(tmp_path / f"{name}.safetensors") for name in ("whole", "half"))
    assert next(half.recipe.parameters()).dtype == torch.float32
    assert torch.allclose(half.translate(image), whole.translate(image), atol=2e-3)
    assert not torch.equal(half.translate(image), whole.translate(image))
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.75 * sizes[1]
    engine.recipe.G.down[1].weight.data[0] = 1e6
    with pytest.raises(UserError, match="too large for 16 bits"):
        engine.save(tmp_path / "half.safetensors", half=True)


@pytest.mark.parametrize("sealed", [True, False])
def test_every_type_and_layout_is_written_as_safetensors_reads_it(sealed):
    values = torch.arange(-12, 12).reshape(2, 3, 2, 2)
    tensors = {f"of {kind}".replace("torch.", ""): values.to(kind) for kind in weights.DTYPES}
    tensors |= {
        "single": torch.tensor(1.5),
        "none": torch.zeros(0, 3),
        "laid": values.float().to(memory_format=torch.channels_last),
    }
    tensors |= {"part": torch.arange(10.0)[1::3], "learned": torch.nn.Parameter(torch.ones(2))}
    data = weights.pack(tensors, {"a": "b"}, sealed=sealed)
    theirs = safetensors.torch.load(data)
    assert theirs.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert theirs[name].dtype == tensor.dtype
        assert torch.equal(theirs[name], tensor), name
