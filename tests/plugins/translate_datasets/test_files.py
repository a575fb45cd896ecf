"""MNIST and Fashion-MNIST: small files of the same form, whose digests are given as the real ones are; and the real files."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import translate_datasets
from translate import UserError
from translate.data.catalogue import open_domains
from translate.isolation import Guard
from translate.plugins import Plugins
from translate_datasets import files
from translate_datasets.files import DATA_SETS, FILES, DataSetDomain

COUNTS = {"train": 40, "test": 20}
REAL = Path(__file__).parents[3].parent / "shared" / "data"

real = pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="the real files are not here")


def idx(values: np.ndarray) -> bytes:
    """``values`` in the format of the real files."""
    return bytes([0, 0, 8, values.ndim]) + b"".join(side.to_bytes(4, "big") for side in values.shape) + values.tobytes()


def made(seed: int) -> dict[str, np.ndarray]:
    """What the four files of a small data set hold; each class as often as the others."""
    draws = np.random.default_rng(seed)
    values = {}
    for split, (images, labels) in FILES.items():
        values[images] = draws.integers(0, 256, (COUNTS[split], 28, 28), dtype=np.uint8)
        values[labels] = draws.permutation(np.arange(COUNTS[split], dtype=np.uint8) % 10)
    return values


VALUES = {"mnist": made(1), "fashion-mnist": made(2)}


def write(folder: Path, family: str, *, packed: bool = False) -> Path:
    folder.mkdir(parents=True)
    for file, values in VALUES[family].items():
        content = idx(values)
        (folder / (f"{file}.gz" if packed else file)).write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.fixture(autouse=True)
def _small(request, monkeypatch):
    """Instead of the published digests, those of the small files, by the same way; the tests of the real files keep the real ones."""
    if request.node.get_closest_marker("skipif"):
        return
    for family, values in VALUES.items():
        digests = {file: hashlib.sha256(idx(each)).hexdigest() for file, each in values.items()}
        monkeypatch.setitem(files.DATA_SETS, family, replace(DATA_SETS[family], digests=digests))


@pytest.fixture(params=[False, True], ids=["unpacked", "packed"])
def root(request, tmp_path):
    write(tmp_path / "MNIST" / "raw", "mnist", packed=request.param)
    write(tmp_path / "FashionMNIST" / "raw", "fashion-mnist", packed=request.param)
    return tmp_path


def opened(name: str, root: Path | None, split: str = "train") -> DataSetDomain | None:
    return translate_datasets.open_domain(name, root, split)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("family", ["mnist", "fashion-mnist"])
def test_hook_open_domain_reads_what_the_files_hold(root, family, split):
    domain = opened(family, root, split)
    images, labels = (VALUES[family][file] for file in FILES[split])
    assert len(domain) == COUNTS[split]
    assert (domain.name, domain.channels, domain.dtype, domain.is_picture) == (family, 1, "uint8", True)
    assert domain.window == (0.0, 255.0)
    for index in range(len(domain)):
        assert domain.read(index).shape == (28, 28, 1)
        assert domain.read(index).dtype == np.uint8
        assert np.array_equal(domain.read(index)[..., 0], images[index])
    assert domain.labels.dtype == np.uint8
    assert np.array_equal(domain.labels, labels)


def test_a_class_is_part_of_the_set_and_its_labels_say_which(root):
    whole = opened("mnist", root)
    parts = [opened(f"mnist:{digit}", root) for digit in range(10)]
    assert sum(len(part) for part in parts) == len(whole)
    names = [part.label(index) for part in parts for index in range(len(part))]
    assert sorted(names) == sorted(whole.label(index) for index in range(len(whole)))
    three = parts[3]
    assert three.name == "mnist:3"
    assert set(three.labels) == {3}
    assert three.label(0) == f"mnist-{np.flatnonzero(whole.labels == 3)[0]:05d}-3.png"
    for index in range(len(three)):
        assert np.array_equal(three.read(index), whole.read(three.places[index]))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("fashion-mnist:7", 7),
        ("fashion-mnist:sneaker", 7),
        ("fashion-mnist:Sneaker", 7),
        ("fashion-mnist:ankle boot", 9),
        ("fashion-mnist:ANKLE-BOOT", 9),
        ("fashion-mnist:T-shirt/top", 0),
        ("mnist:three", 3),
    ],
)
def test_classes_go_by_number_or_name(root, name, number):
    domain = opened(name, root)
    assert domain.name == name
    assert set(domain.labels) == {number}


def test_the_names_of_classes_are_torchvisions(root):
    from torchvision.datasets import FashionMNIST

    for number, title in enumerate(FashionMNIST.classes):
        assert set(opened(f"fashion-mnist:{title}", root).labels) == {number}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mnist:12", "MNIST has no class '12'. Its classes are 0 to 9, or by name zero, one"),
        ("mnist:", "MNIST has no class ''"),
        ("fashion-mnist:hat", "Fashion-MNIST has no class 'hat'. Its classes are 0 to 9, or by name t-shirt/top, trouser"),
        ("fashion-mnist:sneakers", "Did you mean 'sneaker'?"),
    ],
)
def test_a_class_that_does_not_exist_is_said_with_those_that_do(tmp_path, name, sentence):
    for folder in (tmp_path, None):
        with pytest.raises(UserError) as error:
            opened(name, folder)
        assert sentence in str(error.value)


@pytest.mark.parametrize("name", ["horse", "minst", "mnist-3", "kmnist", "MNIST", "points", "fashion", ""])
def test_other_names_and_other_splits_are_left_to_others(root, name):
    assert opened(name, root) is None
    assert opened(name, None) is None
    for ours in ("mnist", "mnist:99", "points:ring8"):
        assert opened(ours, root, "unseen") is None


def test_the_folder_of_the_set_itself_will_do_too(root):
    assert len(opened("mnist", root / "MNIST")) == 40
    assert np.array_equal(opened("mnist", root / "MNIST").images, opened("mnist", root).images)


def test_the_folder_of_the_other_set_is_not_taken_for_this_one(root):
    with pytest.raises(UserError, match="has no MNIST"):
        opened("mnist", root / "FashionMNIST")


def test_without_a_folder_data_is_looked_at(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"give --data DIR with MNIST/raw/ in it, or fetch it: 'translate data get mnist'"):
        opened("mnist", None)
    root.joinpath("data").mkdir()
    root.joinpath("MNIST").rename(root / "data" / "MNIST")
    plugins = Plugins(blocked=["datasets"])
    plugins.add(translate_datasets, "datasets-here")
    found = open_domains(Guard(plugins), ["mnist"], None, (28, 28))
    assert (len(found.train[0]), len(found.test[0]), found.root) == (40, 20, Path("data"))
    root.joinpath("FashionMNIST").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="data has no Fashion-MNIST"):
        open_domains(Guard(plugins), ["fashion-mnist"], None, (28, 28))


def test_missing_files_are_said_with_where_they_belong_and_how_to_get_them(tmp_path):
    with pytest.raises(UserError) as error:
        opened("fashion-mnist:sneaker", tmp_path)
    assert str(tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte") in str(error.value)
    assert "'translate data get fashion-mnist'" in str(error.value)


def test_one_split_is_enough_for_its_own_domain(tmp_path):
    folder = write(tmp_path / "MNIST" / "raw", "mnist")
    for file in FILES["test"]:
        (folder / file).unlink()
    assert len(opened("mnist", tmp_path)) == 40
    assert opened("mnist", tmp_path, "test") is None
    (folder / FILES["train"][1]).unlink()
    with pytest.raises(
        UserError, match=r"raw lacks train-labels-idx1-ubyte, packed .* fetch them again: 'translate data get mnist'"
    ):
        opened("mnist", tmp_path)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    changed = {
        "cut": content[:-1000],
        "empty": b"",
        "a bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "longer": content + b"more",
        "header": b"\0\0\x0d" + content[3:],
        "a web page": b"<html>404</html>",
    }
    path.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["cut", "empty", "a bit", "longer", "header", "a web page"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path, packed, how):
    folder = write(tmp_path / "MNIST" / "raw", "mnist", packed=packed)
    path = folder / (FILES["train"][0] + (".gz" if packed else ""))
    damage(path, how)
    with pytest.raises(UserError) as error:
        opened("mnist", tmp_path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert "delete it and fetch them again: 'translate data get mnist', and leave --data away." in message
    assert "\n" not in message
    assert len(opened("mnist", tmp_path, "test")) == 20  # whose files are whole


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    folder = write(tmp_path / "MNIST" / "raw", "mnist")
    path = folder / FILES["train"][0]
    whole = path.read_bytes()
    path.write_bytes(whole[:20000])
    with pytest.raises(UserError, match=r"is damaged: it has 20000 bytes, and its header announces 31376;"):
        opened("mnist", tmp_path)
    path.write_bytes(idx(VALUES["fashion-mnist"][FILES["train"][0]]))
    with pytest.raises(
        UserError, match=r"is not the published file of MNIST: its content has the SHA-256 [0-9a-f]{12}…, expected"
    ):
        opened("mnist", tmp_path)


def test_an_unpacked_file_goes_before_the_packed_one(tmp_path):
    folder = write(tmp_path / "MNIST" / "raw", "mnist")
    (folder / f"{FILES['train'][0]}.gz").write_bytes(b"half a downl")
    assert len(opened("mnist", tmp_path)) == 40


def test_files_in_torchvisions_old_format_are_not_read(tmp_path):
    write(tmp_path / "MNIST" / "raw", "mnist")
    for file in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed").mkdir(exist_ok=True)
        (tmp_path / "MNIST" / "processed" / file).write_bytes(b"not a checked file")
    assert len(opened("mnist", tmp_path)) == 40


def test_nothing_is_written_beside_the_data(root):
    before = sorted(root.rglob("*"))
    opened("mnist", root)
    assert sorted(root.rglob("*")) == before


def test_a_fingerprint_is_of_the_pictures_and_their_classes(root, tmp_path_factory):
    moved = write(tmp_path_factory.mktemp("moved") / "MNIST" / "raw", "mnist").parents[1]
    first = opened("mnist", root)
    assert first.fingerprint() == first.fingerprint() == opened("mnist", moved).fingerprint()
    others = [opened(name, root, split) for name, split in (("mnist", "test"), ("mnist:3", "train"), ("fashion-mnist", "train"))]
    assert len({first.fingerprint(), *(other.fingerprint() for other in others)}) == 4
    images, labels = (VALUES["mnist"][file] for file in FILES["train"])
    relabelled = DataSetDomain("mnist", images[..., None], np.roll(labels, 1), root)
    assert (
        first.fingerprint() == DataSetDomain("mnist", images[..., None], labels, root).fingerprint() != relabelled.fingerprint()
    )


def test_what_is_read_cannot_be_changed(root):
    domain = opened("mnist", root)
    with pytest.raises(ValueError, match="read-only"):
        domain.read(0)[0, 0] = 1
    with pytest.raises(IndexError):
        domain.read(40)


def test_through_the_library(root):
    plugins = Plugins(allowed=())
    plugins.add(translate_datasets, "datasets")
    found = open_domains(Guard(plugins), ("mnist:3", "mnist:8"), root, (32, 32))
    assert [len(domain) for domain in (*found.train, *found.test)] == [4, 4, 2, 2]
    assert found.summary() == "mnist:3: 4 pictures in MNIST/raw; mnist:8: 4 in MNIST/raw; test: 2 + 2."


def test_the_plugin_is_light_at_import(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, pathlib, translate_datasets as plugin; plugin.open_domain('horse', pathlib.Path('.'), 'train'); "
        "assert not {'numpy', 'torch', 'torchvision'} & set(sys.modules); "
        "plugin.open_domain('points:ring8', None, 'test'); assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, cwd=tmp_path, check=True)


@real
@pytest.mark.parametrize("family", ["mnist", "fashion-mnist"])
def test_the_real_files_are_the_published_ones(family):
    from torchvision import datasets

    data_set = DATA_SETS[family]
    for file, md5 in getattr(datasets, data_set.reader).resources:
        packed = REAL / data_set.reader / "raw" / file
        if packed.is_file():
            content = packed.read_bytes()
            assert hashlib.md5(content).hexdigest() == md5
            assert hashlib.sha256(gzip.decompress(content)).hexdigest() == data_set.digests[file.removesuffix(".gz")]


@real
@pytest.mark.parametrize("family", ["mnist", "fashion-mnist"])
def test_the_real_pictures_are_read(family):
    train, test = (opened(family, REAL, split) for split in ("train", "test"))
    assert (train.images.shape, test.images.shape) == ((60000, 28, 28, 1), (10000, 28, 28, 1))
    assert train.label(0) == f"{family}-00000-{train.labels[0]}.png"
    if family == "fashion-mnist":
        assert set(np.bincount(train.labels)) == {6000}
        assert set(np.bincount(test.labels)) == {1000}
        assert train.images.mean() / 255 == pytest.approx(0.2860, abs=1e-4)  # as everybody normalises it
    else:
        assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert train.images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
        assert len(opened("mnist:3", REAL, "test")) == 1010
