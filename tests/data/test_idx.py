from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from conftest import draw

from translate.data import idx
from translate.data.catalogue import open_domains
from translate.data.guess import guess_domains
from translate.data.idx import read_idx
from translate.errors import UserError
from translate.isolation import Guard
from translate.plugins import installed


def content(values: np.ndarray) -> bytes:
    """``values`` as the format has them: magic number, lengths, bytes."""
    return bytes([0, 0, 8, values.ndim]) + b"".join(side.to_bytes(4, "big") for side in values.shape) + values.tobytes()


def write(folder: Path, *, packed: bool = False, labels: bool = True) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    values = {}
    for prefix, count in (("train", 12), ("t10k", 6)):
        values[f"{prefix}-images-idx3-ubyte"] = rng.integers(0, 256, (count, 5, 7), dtype=np.uint8)
        if labels:
            values[f"{prefix}-labels-idx1-ubyte"] = np.arange(count, dtype=np.uint8) % 3
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in values.items():
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content(each)) if packed else content(each))
    return values


def found(root, *names):
    return open_domains(Guard(installed()), names, root, None)


def read(domain):
    return np.stack([domain.read(index) for index in range(len(domain))])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "raw"])
def test_all_of_it_and_its_labels_are_domains(tmp_path, packed, below):
    values = write(tmp_path / "kana" / below, packed=packed)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = values[f"{prefix}-images-idx3-ubyte"], values[f"{prefix}-labels-idx1-ubyte"]
        (whole,) = getattr(found(tmp_path, "kana"), split)
        assert np.array_equal(read(whole), images[..., None])
        for label, domain in enumerate(getattr(found(tmp_path, "kana:0", "kana:1", "kana:2"), split)):
            assert np.array_equal(read(domain), images[labels == label][..., None])
            assert domain.label(1) == f"{label + 3:05d}"
            assert (domain.name, domain.channels, domain.dtype, domain.window) == (f"kana:{label}", 1, "uint8", (0, 255))
    origin = tmp_path / "kana" / below if below else tmp_path / "kana"
    assert found(tmp_path, "kana:1").train[0].origin == f"4 pictures in {origin}"


def test_the_root_may_be_the_folder_itself(tmp_path):
    write(tmp_path / "kana" / "raw")
    assert len(found(tmp_path / "kana", "kana:2").train[0]) == 4
    with pytest.raises(UserError, match="has no pictures of kanji"):
        found(tmp_path / "kana", "kanji", "kana")


def test_what_is_read_cannot_be_written_to(tmp_path):
    write(tmp_path / "kana")
    with pytest.raises(ValueError, match="read-only"):
        found(tmp_path, "kana").train[0].read(0)[:] = 0


def test_the_fingerprint_is_of_the_pictures_and_which_they_are(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name)
    whole, same, part, other = (found(tmp_path, name).train[0].fingerprint() for name in ("a", "b", "a:1", "a:2"))
    assert whole == same
    assert len({whole, part, other}) == 3
    path = tmp_path / "b" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert found(tmp_path, "b").train[0].fingerprint() != whole


def test_domains_are_guessed(tmp_path):
    write(tmp_path / "kana" / "raw")
    draw(tmp_path / "horse" / "a.png", 1)
    assert guess_domains(tmp_path) == ("horse", "kana")
    assert guess_domains(tmp_path / "kana") == ("kana",)


def test_labels_that_are_missing_or_others(tmp_path):
    write(tmp_path / "kana", labels=False)
    assert len(found(tmp_path, "kana").train[0]) == 12
    with pytest.raises(UserError, match="lacks train-labels-idx1-ubyte, packed"):
        found(tmp_path, "kana:1")
    write(tmp_path / "kana")
    with pytest.raises(UserError, match="has no label 7 for 'kana:7'; its labels are 0, 1 and 2"):
        found(tmp_path, "kana:7")
    (tmp_path / "kana" / "train-labels-idx1-ubyte").write_bytes(content(np.zeros(11, np.uint8)))
    with pytest.raises(UserError, match="has 11 labels for the 12 pictures"):
        found(tmp_path, "kana:0")


WHOLE = content(np.zeros((2, 3, 4), np.uint8))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "does not begin as a file of bytes with 3 axes does"),
        (b"\0\0\x0d" + WHOLE[3:], "does not begin"),
        (content(np.zeros(4, np.uint8)), "does not begin"),
        (WHOLE[:10], "requires a buffer of 12 bytes"),
        (WHOLE[:-1], "announces 24 bytes, and it has only 23; get it anew"),
        (WHOLE + b"\0", "announces 24 bytes, and it has more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "its header announces"),
        (content(np.zeros((0, 3, 4), np.uint8)), "its header announces 0 bytes"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_damage_is_one_sentence(tmp_path, data, said, packed):
    path = tmp_path / ("x.gz" if packed else "x")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(UserError, match=said) as caught:
        read_idx(path, axes=3)
    assert str(caught.value).startswith(str(path))


def test_damage_of_what_is_packed(tmp_path):
    path = tmp_path / "x.gz"
    for data in (b"no gzip", gzip.compress(WHOLE)[:-9], b""):
        path.write_bytes(data)
        with pytest.raises(UserError, match="cannot be read as an idx file"):
            read_idx(path, axes=3)


def test_no_more_is_unpacked_than_the_header_announces(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "MOST_BYTES", 20)
    (tmp_path / "x").write_bytes(WHOLE)
    with pytest.raises(UserError, match="announces 24 bytes"):
        read_idx(tmp_path / "x", axes=3)
