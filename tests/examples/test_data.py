"""The example of a data source: archives of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from third_party import JUDGE, RUN, one_sentence

from translate import Engine, UserError
from translate.testing import check_data


@pytest.fixture
def archives(tmp_path):
    """Two archives, grey scans of 16 bits and maps of 8; as arrays by name."""
    rng = np.random.default_rng(0)
    scans = {
        "train": rng.integers(0, 65536, (5, 20, 24), dtype=np.uint16),
        "test": rng.integers(0, 65536, (2, 20, 24), dtype=np.uint16),
    }
    maps = {"train": rng.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8), "train_names": np.array(["b", "a", "c"])}
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "scans.npz", **scans)
    np.savez_compressed(tmp_path / "data" / "maps.npz", **maps)
    return tmp_path / "data", scans, maps


def test_archives_give_what_was_stored(archives, use):
    open_domain = use("data").open_domain
    root, scans, maps = archives
    for split in ("train", "test"):
        domain = open_domain("scans", root, split)
        assert (len(domain), domain.channels, domain.dtype, domain.window) == (len(scans[split]), 1, "uint16", (0.0, 65535.0))
        for index, stored in enumerate(scans[split]):
            assert np.array_equal(domain.read(index), stored[..., None])
            assert domain.label(index) == f"0000{index}"
    domain = open_domain("maps", root, "train")
    assert (domain.channels, domain.dtype, domain.origin) == (3, "uint8", f"3 pictures in {root / 'maps.npz'}")
    assert [domain.label(index) for index in range(3)] == ["b", "a", "c"]
    assert np.array_equal(domain.read(2), maps["train"][2])
    with pytest.raises(ValueError, match="read-only"):
        domain.read(0)[:] = 0
    assert open_domain("maps", root, "test") is None
    assert open_domain("horse", root, "train") is None
    assert open_domain("maps", None, "train") is None


@pytest.mark.parametrize(("dtype", "window"), [("uint8", (0, 255)), (">u2", (0, 65535)), ("float32", (-1, 1))])
def test_archives_of_every_kind_become_tensors_in_the_right_range(dtype, window, tmp_path, use):
    use("data")
    low, high = window
    pictures = np.full((2, 16, 16, 3), low, dtype)
    pictures[:, 8:] = high
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", train=pictures)
    engine = Engine(
        "cyclegan", ("a", "b"), data=tmp_path, **{**RUN, "generator": "resnet:blocks=0,channels=2", "discriminator": JUDGE}
    )
    for image in next(engine.loader.batches(0)).images:
        assert torch.equal(image[:, :, :8], torch.full((2, 3, 8, 16), -1.0))
        assert torch.equal(image[:, :, 8:], torch.full((2, 3, 8, 16), 1.0))


def test_a_fingerprint_is_of_pixels_and_names(archives, use):
    open_domain = use("data").open_domain
    root, _, maps = archives

    def digest(**changes):
        np.savez(root / "maps.npz", **{**maps, **changes})
        return open_domain("maps", root, "train").fingerprint()

    first, touched = digest(), maps["train"].copy()
    touched[1, 2, 3, 0] ^= 1
    assert digest() == first  # packed or not
    seen = {
        first,
        digest(train=touched),
        digest(train=maps["train"].astype(np.uint16)),
        digest(train_names=np.array(["b", "a", "d"])),
    }
    assert len(seen) == 4


def test_archives_train_and_a_run_notices_other_pictures(archives, tmp_path, use):
    use("data")
    root, scans, maps = archives
    networks = {"generator": "resnet:blocks=0,channels=2", "discriminator": JUDGE, "identity_weight": 0}
    engine = Engine("cyclegan", ("scans", "maps"), data=root, out=tmp_path / "run", **{**RUN, **networks, "steps": 2}).fit()
    assert [domain and len(domain) for domain in engine.found.test] == [2, None]
    assert engine.translate(scans["test"][0][..., None], to="maps").dtype == np.uint8
    np.savez(root / "maps.npz", train=maps["train"][::-1], train_names=maps["train_names"])
    with pytest.raises(UserError, match="pictures of 'maps' are not those"):
        Engine.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"test": np.zeros((1, 8, 8), np.uint8)}, "has no array 'train'; its arrays: test"),
        ({"train": np.zeros((1, 8, 8))}, "is float64; pictures are uint8, uint16, float32"),
        ({"train": np.zeros((8, 8), np.uint8)}, r"has the shape \(8, 8\)"),
        ({"train": np.zeros((0, 8, 8, 3), np.uint8)}, r"has the shape \(0, 8, 8, 3\)"),
        ({"train": np.zeros((2, 8, 8), np.uint8), "train_names": np.array(["a", "a"])}, "must be 2 different names"),
        ({"train": np.full((1, 8, 8), np.nan, np.float32)}, "infinite or NaN"),
        ({"train": np.array([{}], dtype=object)}, "cannot be read as an archive"),
    ],
)
def test_archives_that_are_wrong_get_one_sentence(arrays, sentence, tmp_path, use):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=sentence) as error:
        use("data").open_domain("x", tmp_path, "train")
    one_sentence(error)


def test_files_that_are_no_archives_get_one_sentence(archives, use):
    open_domain = use("data").open_domain
    root, _, maps = archives
    packed = (root / "maps.npz").read_bytes()
    np.save(root / "single.npy", maps["train"])
    contents = {
        "empty": b"",
        "text": b"PK nothing",
        "cut": packed[:-80],
        "flipped": bytearray(packed),
        "array": (root / "single.npy").read_bytes(),
    }
    contents["flipped"][len(packed) // 3] ^= 255
    for name, content in contents.items():
        (root / f"{name}.npz").write_bytes(content)
        with pytest.raises(UserError, match="cannot be read") as error:
            open_domain(name, root, "train")
        one_sentence(error)


@pytest.mark.parametrize("name", ["scans", "maps"])
def test_archives_conform(name, archives, use):
    check_data(use("data").open_domain, name, data=archives[0])
