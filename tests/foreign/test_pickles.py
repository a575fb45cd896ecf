"""Files that would run code, or fill the memory, or are damaged: refused with a sentence, and nothing of them runs."""

from __future__ import annotations

import io
import os
import pickle
import random
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from translate import UserError
from translate.foreign import files, pickles

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


def one_sentence(path: Path, what=files.read) -> str:
    with pytest.raises(UserError) as error:
        what(path)
    said = str(error.value)
    assert said.startswith(str(path)), said
    assert said.endswith("."), said
    assert "\n" not in said
    assert not re.search(r"[.?!] +[A-Z]", said), said
    return said


def as_zip(path: Path, pickled: bytes, storages: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> Path:
    """A file as torch.save writes them since 2020, with this for its list of tensors."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return path


def as_old(path: Path, pickled: bytes, storages: Sequence[str] = ()) -> Path:
    """A file as torch.save wrote them before, with this for its list of tensors; what its storages hold comes after it."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    head = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, system))
    path.write_bytes(head + pickled + pickle.dumps(list(storages), 2))
    return path


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value) if value < 2**31 else b"\x8a\x08" + struct.pack("<q", value)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def storage_tuple(numel: int, *, old: bool = False) -> bytes:
    """What a storage of floats is asked for by, without the question itself."""
    return b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(numel) + b"N" * old + b"t"


def tensor_pickle(
    size: tuple[int, ...],
    stride: tuple[int, ...],
    numel: int,
    *,
    old: bool = False,
    names: tuple[str, ...] = ("a",),
    asked: bytes | None = None,
) -> bytes:
    """The list of tensors of this size on one storage of ``numel`` floats, as torch writes it, opcode by opcode.

    ``asked`` takes the place of the tuple that asks for the storage.
    """

    def several(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = (storage_tuple(numel, old=old) if asked is None else asked) + b"Q"
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + several(size) + several(stride)
    made = rebuilt + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}" + b"".join(text(name) + made + b"s" for name in names) + b"."


# What is read


@pytest.mark.parametrize("new", [True, False])
def test_state_dicts_of_either_kind_are_read(new, tmp_path):
    torch.save(STATE, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    got, notes = files.read(tmp_path / "x.pth")
    assert got.keys() == STATE.keys()
    assert all(torch.equal(got[key], each) for key, each in STATE.items())
    assert not notes


def test_many_small_tensors_claim_no_more_than_they_have(tmp_path):
    """With more than 256 things to remember, the pickle has numbers of another kind among those of its tensors."""
    state = {f"{number}.weight": torch.full((2,), float(number)) for number in range(400)}
    torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    got, _ = files.read(tmp_path / "x.pth")
    assert [each[0].item() for each in got.values()] == list(range(400))


def test_the_pickles_that_attacks_are_built_of_are_read_where_they_are_honest(tmp_path):
    """Otherwise the tests below would be refused for the wrong reason."""
    honest = tensor_pickle((2, 3), (3, 1), 6)
    as_zip(tmp_path / "x.pth", honest, {"0": STATE["a.weight"].numpy().tobytes()})
    assert torch.equal(files.read(tmp_path / "x.pth")[0]["a"], STATE["a.weight"])


def test_wrappers_prefixes_precision_and_other_things_are_understood(tmp_path):
    path = tmp_path / "x.pth"
    several = {f"module.{key}": each.half() for key, each in STATE.items()} | {"epoch": 3}
    torch.save({"state_dict": several, "optimizer": {"lr": 0.1}, "epoch": 5}, path)
    got, notes = files.read(path)
    assert notes == ["Took 'state_dict' and passed over optimizer and epoch.", "Passed over what is no tensor: epoch."]
    assert got.keys() == STATE.keys()
    assert all(each.dtype == torch.float32 and torch.equal(each, STATE[key]) for key, each in got.items())
    torch.save({"netG": STATE, "netD": {"b": torch.zeros(1)}}, path)
    assert files.read(path)[0].keys() == STATE.keys()
    assert list(files.read(path, "netD")[0]) == ["b"]
    torch.save({"one": STATE, "two": STATE}, path)
    assert "holds several networks, one and two; say which with --entry" in one_sentence(path)
    with pytest.raises(UserError, match=r"no network 'on' in it. Did you mean 'one'"):
        files.read(path, "on")
    network = torch.nn.Linear(2, 1)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    torch.save({"epoch": torch.tensor(5), "model": STATE, "optimizer": optimiser.state_dict()}, path)
    got, notes = files.read(path)
    assert (got.keys(), notes) == (STATE.keys(), ["Took 'model' and passed over epoch and optimizer."])


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_what_stands_before_every_name_is_left_out(prefix, tmp_path):
    torch.save({prefix + key: each for key, each in STATE.items()}, tmp_path / "x.pth")
    assert files.read(tmp_path / "x.pth")[0].keys() == STATE.keys()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("new", [True, False])
def test_numbers_of_other_precision_become_float32(dtype, new, tmp_path):
    torch.save({key: each.to(dtype) for key, each in STATE.items()}, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    got, _ = files.read(tmp_path / "x.pth")
    assert all(got[key].dtype == torch.float32 and torch.equal(got[key], each) for key, each in STATE.items())


@pytest.mark.parametrize("new", [True, False])
def test_views_of_one_storage_are_read(new, tmp_path):
    """A storage that several tensors are parts of is in the file once."""
    whole = torch.arange(1000.0)
    state = {f"part{at}": whole[at : at + 6].reshape(2, 3).T for at in range(0, 990, 6)}
    torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    got, _ = files.read(tmp_path / "x.pth")
    assert got.keys() == state.keys()
    assert all(torch.equal(got[key], each) for key, each in state.items())


def test_the_form_of_the_first_versions_of_torch_is_read(tmp_path):
    """Before 0.4 a tensor was made without gradients or hooks; the oldest public weights are of that time."""
    storage = storage_tuple(6, old=True) + b"Q"
    made = b"ctorch._utils\n_rebuild_tensor\n(" + storage + number(0) + b"(K\x02K\x03t(K\x03K\x01ttR"
    path = as_old(tmp_path / "x.pth", b"\x80\x02ccollections\nOrderedDict\n)R" + text("a") + made + b"s.", ["0"])
    with path.open("ab") as file:
        file.write(struct.pack("<q", 6) + STATE["a.weight"].numpy().tobytes())
    assert torch.equal(files.read(path)[0]["a"], STATE["a.weight"])


def test_parameters_and_shared_modules_are_read(tmp_path):
    torch.save(torch.nn.Linear(2, 3).state_dict(keep_vars=True), tmp_path / "x.pth")
    assert not files.read(tmp_path / "x.pth")[0]["weight"].requires_grad


# What is refused


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("write", [as_zip, as_old])
def test_a_pickle_that_runs_code_runs_none(protocol, write, tmp_path):
    ran = tmp_path / "ran"
    path = write(tmp_path / "x.pth", pickle.dumps({"a": torch.ones(1), "b": Payload(ran)}, protocol))
    said = one_sentence(path)
    assert not ran.exists()
    assert protocol < 2 or "system' when it is opened, which may run code, and was not opened" in said or "torch." in said
    pickle.loads(pickle.dumps(Payload(ran), protocol))
    assert ran.exists(), "the payload would not have run in any case"


@pytest.mark.parametrize("new", [True, False])
def test_a_payload_that_torch_saved_runs_none(new, tmp_path):
    ran = tmp_path / "ran"
    torch.save({"a.weight": torch.ones(3), "hook": Payload(ran)}, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    said = one_sentence(tmp_path / "x.pth")
    assert f"'{os.system.__module__}.system' when it is opened, which may run code, and was not opened" in said
    assert not ran.exists()


@pytest.mark.parametrize("new", [True, False])
def test_a_whole_network_is_refused_and_the_way_out_is_named(new, tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    said = one_sentence(tmp_path / "x.pth")
    assert "asks for 'torch.nn.modules.linear.Linear'" in said
    assert "save network.state_dict() instead of the network" in said


@pytest.mark.parametrize(
    "made",
    [
        b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x10\x85R.",  # 64 GB of zeros
        b"\x80\x02cbuiltins\nbytearray\nJ\x00\x10\x00\x00\x85R.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00ascii\x86R.",
        b"\x80\x02ctorch\nload\nX\x01\x00\x00\x00a\x85R.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02(S'a'\nios\nsystem\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02ctorch.storage\nUntypedStorage\n\x8a\x05\x00\x00\x00\x00\x10\x85R.",  # torch itself would make 64 GB
    ],
)
def test_other_names_are_refused_by_name(made, tmp_path):
    for write in (as_zip, as_old):
        said = one_sentence(write(tmp_path / "x.pth", made))
        assert "may run code" in said


def measured(path: Path) -> tuple[str, int]:
    """What is said of a file, and the most bytes that Python held meanwhile."""
    tracemalloc.start()
    said = one_sentence(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return said, most


@pytest.mark.parametrize(
    ("size", "stride", "numel"),
    [
        ((10**12,), (1,), 10**12),  # a terabyte from a storage that claims it
        ((10**12,), (0,), 6),  # the same number without end
        ((10_000, 10_000, 10_000), (0, 0, 0), 6),  # and in numbers that are small by themselves
        ((2, 3), (3, 1), 200_000_000),
        ((100,), (1,), 6),
        ((2, 3), (3, 1), -6),
    ],
)
def test_what_claims_more_than_it_has_is_refused(size, stride, numel, tmp_path):
    numbers = {"0": bytes(24)}
    said, most = measured(as_zip(tmp_path / "new.pth", tensor_pickle(size, stride, numel), numbers))
    assert "claims" in said or "cannot be read as weights" in said
    assert most < 5_000_000
    said, most = measured(as_old(tmp_path / "old.pth", tensor_pickle(size, stride, numel, old=True)))
    assert "claims" in said or "cannot be read as weights" in said
    assert most < 5_000_000


def test_a_storage_cannot_claim_the_bytes_of_another(tmp_path):
    path = as_zip(tmp_path / "x.pth", tensor_pickle((20_000,), (1,), 20_000), {"0": bytes(24), "1": bytes(200_000)})
    assert "claims 80,000 bytes of numbers and has fewer" in one_sentence(path)


@pytest.mark.parametrize(
    "asked",
    [
        # What old versions called a view: the number that counts is not the last.
        storage_tuple(10**12)[:-1] + number(6) + b"t",
        storage_tuple(10**12)[:-1] + b"(" + text("1") + number(0) + number(6) + b"tt",
        # A tuple that was made before, and others in its place.
        storage_tuple(10**12) + b"q\x070(" + text("storage") + text("f") + text("0") + text("cpu") + number(6) + b"h\x07",
        storage_tuple(10**12) + b"q\x070" + storage_tuple(6) + b"0h\x07",
        storage_tuple(10**12, old=True) + b"q\x070" + storage_tuple(6, old=True) + b"0h\x07",
        # A number that was said before.
        number(2**31 - 1) + b"q\x070(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"h\x07t",
        number(2**31 - 1) + b"q\x070(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"h\x07Nt",
    ],
)
def test_a_claim_cannot_be_hidden(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened"))
    for path in (
        as_zip(tmp_path / "x.pth", tensor_pickle((2, 3), (3, 1), 6, asked=asked), {"0": bytes(24)}),
        as_old(tmp_path / "y.pth", tensor_pickle((2, 3), (3, 1), 6, asked=asked)),
    ):
        assert "claims" in one_sentence(path)


def test_many_tensors_cannot_share_a_few_numbers_without_end(tmp_path, monkeypatch):
    """Each alone claims no more than the file has."""
    pickled = tensor_pickle((1000,), (0,), 1, names=tuple(f"tensor{index}" for index in range(100)))
    path = as_zip(tmp_path / "x.pth", pickled, {"0": bytes(4)})
    monkeypatch.setattr(pickles, "MOST_BYTES", 100_000)
    assert "'tensor25' claims 1,000 numbers" in one_sentence(path)


def test_bombs_are_not_unpacked(tmp_path):
    numbers = {"0": bytes(50_000_000)}
    bomb = as_zip(tmp_path / "x.pth", tensor_pickle((2, 3), (3, 1), 6), numbers, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    said, most = measured(bomb)
    assert "has compressed entries, which torch.save does not write" in said
    assert most < 5_000_000
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:  # a bomb within
        archive.writestr("archive/data.pkl", bomb.read_bytes()[:1000])
        archive.writestr("archive/data/0", b"PK")
    one_sentence(tmp_path / "x.pth")
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        for number in range(pickles.MOST_ENTRIES + 1):
            archive.writestr(f"archive/data/{number}", b"")
    assert "has 10,001 entries" in one_sentence(tmp_path / "x.pth")
    overlapping = bytearray(as_zip(tmp_path / "x.pth", tensor_pickle((2, 3), (3, 1), 6), {"0": bytes(24)}).read_bytes())
    at = overlapping.rindex(b"PK\x01\x02")
    overlapping[at + 20 : at + 28] = struct.pack("<II", 2**31, 2**31)
    (tmp_path / "x.pth").write_bytes(overlapping)
    assert "claims to hold 2,147,483,8" in one_sentence(tmp_path / "x.pth")


def test_a_long_list_and_a_deep_one_end_soon(tmp_path, monkeypatch):
    deep = b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b"."
    one_sentence(as_zip(tmp_path / "x.pth", deep))
    for write in (as_zip, as_old):
        path = write(tmp_path / "x.pth", b"\x80\x02" + b"]0" * (pickles.MOST_PICKLED // 2) + b"].")
        assert "list of tensors" in one_sentence(path)
    monkeypatch.setattr(pickles, "MOST_BYTES", 100)
    assert "weights are read up to 100" in one_sentence(path)


def test_a_compiled_program_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"archive/{name}", b"")
    assert "is a compiled program (TorchScript)" in one_sentence(tmp_path / "x.pt")


def test_a_changed_number_is_found(tmp_path):
    """A zip has a checksum of each storage, and torch does not look at it; older files have none."""
    torch.save(STATE, tmp_path / "x.pth")
    data = bytearray((tmp_path / "x.pth").read_bytes())
    data[data.index(STATE["a.weight"].numpy().tobytes())] ^= 1
    (tmp_path / "x.pth").write_bytes(data)
    assert "data/0' in it is not as it was written" in one_sentence(tmp_path / "x.pth")


@pytest.mark.parametrize("new", [True, False])
def test_what_is_cut_short_or_changed_is_one_sentence_or_read(new, tmp_path):
    """Cut at many places, and with bytes changed at random: read, or refused with one sentence; nothing else."""
    torch.save(STATE, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    whole = (tmp_path / "x.pth").read_bytes()
    chance = random.Random(0)
    refused = 0
    for turn in range(300):
        data = bytearray(whole)
        if turn % 3 == 0:
            del data[chance.randrange(len(data)) :]
        else:
            for _ in range(chance.choice((1, 1, 3))):
                data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "y.pth").write_bytes(data)
        try:
            files.read(tmp_path / "y.pth")
        except UserError:
            refused += 1
            one_sentence(tmp_path / "y.pth")
    assert refused > 100


@pytest.mark.parametrize(
    "data", [b"", b"P", b"PK\x03\x04", b"\x80", b"\x80\x02.", b"no weights at all", b"\x1f\x8b\x08" + bytes(50)]
)
def test_what_is_no_file_of_torch_is_refused(data, tmp_path):
    (tmp_path / "x.pth").write_bytes(data)
    one_sentence(tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": torch.tensor([1.0, float("nan")])}, "'a' has numbers that are infinite or none at all"),
        ({"a": torch.tensor([float("inf")])}, "'a' has numbers that are infinite"),
        ({"a": torch.tensor([1e300], dtype=torch.float64)}, "'a' has numbers that are infinite"),
        ({"a\n\x1b[2J": torch.ones(2)}, r"has a tensor with the name 'a\n\x1b[2J', which no program gives"),
        ({"a" * 201: torch.ones(2)}, "which no program gives"),
        ([torch.ones(2)], "holds a list and no state dict"),
        (torch.ones(2), "holds a Tensor and no state dict"),
        ({}, "holds no tensors by name"),
        ({"epoch": 3}, "holds no tensors by name"),
    ],
)
def test_what_holds_no_weights_is_refused(content, said, tmp_path):
    torch.save(content, tmp_path / "x.pth")
    assert said in one_sentence(tmp_path / "x.pth")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"weights .*x.pth cannot be read \(No such file or directory\)"):
        files.read(tmp_path / "x.pth")


def test_safetensors_of_other_programs_are_read(tmp_path):
    import safetensors.torch

    safetensors.torch.save_file(STATE, tmp_path / "x.safetensors")
    got, _ = files.read(tmp_path / "x.safetensors")
    assert all(torch.equal(got[key], each) for key, each in STATE.items())
    safetensors.torch.save_file({"a": torch.ones(2, dtype=torch.complex64)}, tmp_path / "x.safetensors")
    assert "'a' is no plain tensor of real numbers" in one_sentence(tmp_path / "x.safetensors")


def test_refusing_reads_no_pickle(tmp_path, monkeypatch):
    """Nothing that is refused by name ever reaches torch."""
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened"))
    monkeypatch.setattr(pickle, "loads", lambda *_: pytest.fail("opened"))
    buffer = io.BytesIO()
    torch.save({"hook": Payload(tmp_path / "ran")}, buffer)
    (tmp_path / "x.pth").write_bytes(buffer.getvalue())
    one_sentence(tmp_path / "x.pth")
