from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from translate.data import pixels
from translate.data.pixels import PAGE, PixelFile

SHAPE = (3, 40, 50)

#: A process that fills a file in an order of its own, and looks at whatever it finds there.
BUILDER = """
import sys
import numpy as np
from pathlib import Path
from translate.data.pixels import PixelFile
path, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
file = PixelFile(path, count, (3, 40, 50), "uint8")
print("ready", flush=True)
sys.stdin.readline()
made = 0
for index in np.random.default_rng(seed).permutation(count).tolist():
    truth = np.random.default_rng(index).integers(0, 256, (3, 40, 50), dtype=np.uint8)
    found = file.read(index)
    if found is None:
        file.write(index, truth)
        made += 1
    elif not np.array_equal(found, truth):
        sys.exit(f"sample {index} is torn")
print(made)
"""


def sample(index):
    return np.random.default_rng(index).integers(0, 256, SHAPE, dtype=np.uint8)


def opened(path, count=6, **values):
    return PixelFile(path, count, SHAPE, "uint8", **values)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.pixels"


def test_what_was_written_is_read_in_this_process_and_the_next(path):
    file = opened(path)
    for index in (4, 0, 5):
        file.write(index, sample(index))
    for reader in (file, opened(path)):
        assert [reader.read(index) is not None for index in range(6)] == [True, False, False, False, True, True]
        for index in (4, 0, 5):
            assert np.array_equal(reader.read(index), sample(index))
            assert np.array_equal(reader.read(index), sample(index))  # the second time without its checksum
            assert not reader.read(index).flags.writeable


def test_a_file_that_grows_under_a_reader_is_seen(path):
    reader, writer = opened(path), opened(path)
    assert reader.read(2) is None
    writer.write(2, sample(2))
    assert np.array_equal(reader.read(2), sample(2))


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_samples(path, dtype):
    values = (np.random.default_rng(0).random((2, 5, 7)) * 60000).astype(dtype)
    # As the loader gives them: planes that are a view of a picture.
    picture = np.ascontiguousarray(values.transpose(1, 2, 0)).transpose(2, 0, 1)
    PixelFile(path, 3, (2, 5, 7), dtype).write(1, picture)
    found = PixelFile(path, 3, (2, 5, 7), dtype).read(1)
    assert found.dtype == dtype
    assert np.array_equal(found, values)


def test_the_file_is_sparse(path):
    opened(path, count=10_000).write(9_999, sample(0))
    status = path.stat()
    assert status.st_size > 10_000 * 6000
    assert status.st_blocks * 512 < 100_000


def test_what_has_no_room_is_not_taken(path):
    file = opened(path, room=3)
    for index in range(6):
        file.write(index, sample(index))
    assert [file.read(index) is None for index in range(6)] == [False] * 3 + [True] * 3


def test_it_says_what_it_is(path):
    opened(path, about={"folder": "/photos/Ünï", "pictures": 6})
    assert pixels.about(path) == {"folder": "/photos/Ünï", "pictures": 6}
    opened(path, about={"folder": "x" * PAGE}).write(0, sample(0))
    assert pixels.about(path) == {}
    assert np.array_equal(opened(path).read(0), sample(0))
    path.write_bytes(b"\xff\xfe no page")
    assert pixels.about(path) == {}


# Damage


def test_a_flipped_bit_anywhere_is_noticed(path):
    file = opened(path, count=2)
    for index in range(2):
        file.write(index, sample(index))
    whole = path.read_bytes()
    believed = 0
    for at in np.random.default_rng(0).integers(PAGE, len(whole), 300).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        for index in range(2):
            found = opened(path, count=2).read(index)
            assert found is None or np.array_equal(found, sample(index))
            believed += found is not None
    assert 250 < believed < 400  # the other sample of the two, and both where only padding was hit


def test_a_file_that_is_cut_is_no_death_and_no_lie(path):
    file = opened(path, count=2)
    for index in range(2):
        file.write(index, sample(index))
    assert file.read(1) is not None
    length = path.stat().st_size
    for keep in (length - 1, length - 6000, PAGE + 3, PAGE, 0):
        os.truncate(path, keep)
        assert file.read(1) is None
        assert all(found is None or np.array_equal(found, sample(0)) for found in (file.read(0), opened(path, count=2).read(0)))
    file.write(1, sample(1))
    assert np.array_equal(file.read(1), sample(1))


def test_samples_that_changed_places_are_noticed(path):
    file = opened(path, count=2)
    for index in range(2):
        file.write(index, sample(index))
    data = path.read_bytes()
    first, second = data[-12000:-6000], data[-6000:]
    records = data[PAGE : PAGE + 16]
    path.write_bytes(data[:PAGE] + records[8:] + records[:8] + data[PAGE + 16 : -12000] + second + first)
    assert opened(path, count=2).read(0) is None


def test_a_sample_without_its_record_is_not_believed(path, monkeypatch):
    file, real = opened(path), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data, at) if len(data) != pixels.RECORD.size else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        file.write(3, sample(3))
    assert file.read(3) is None


def test_a_disk_that_takes_a_part_and_then_none(path, monkeypatch):
    """A short write is no error by itself; the next one is."""
    file, real, taken = opened(path), os.pwrite, []

    def almost_full(descriptor, data, at):
        if taken:
            raise OSError(28, "No space left on device")
        taken.append(at)
        return real(descriptor, data[:100], at)

    monkeypatch.setattr(os, "pwrite", almost_full)
    with pytest.raises(OSError, match="No space left"):
        file.write(3, sample(3))
    monkeypatch.undo()
    assert file.read(3) is None
    file.write(3, sample(3))
    assert np.array_equal(file.read(3), sample(3))


# Many processes


def builders(path, count, number):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(path), str(count), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(number)
    ]
    for each in started:
        assert each.stdout.readline() == "ready\n"
    for each in started:
        each.stdin.write("go\n")
        each.stdin.flush()
    return started


def test_processes_that_build_at_once_make_one_whole_file(path):
    results = [each.communicate() for each in builders(path, 300, 4)]
    assert [error for _, error in results] == [""] * 4
    assert sum(int(made) for made, _ in results) >= 300
    file = opened(path, count=300)
    assert all(np.array_equal(file.read(index), sample(index)) for index in range(300))


def test_what_a_killed_process_leaves_is_right_or_not_believed(path):
    chance = random.Random(0)
    counts = []
    while len(counts) < 4 or not counts[-1]:
        (builder,) = builders(path, 2000, 1)
        time.sleep(chance.uniform(0.002, 0.03))
        os.kill(builder.pid, signal.SIGKILL)
        builder.communicate()
        file = opened(path, count=2000)
        found = {index: file.read(index) for index in range(2000)}
        there = {index: each for index, each in found.items() if each is not None}
        assert all(np.array_equal(each, sample(index)) for index, each in there.items())
        counts.append(len(there))
    assert counts == sorted(counts)  # and every builder went on from there


# Removing


def test_only_what_nobody_uses_is_removed(path):
    file = opened(path)
    assert pixels.in_use(path)
    assert not pixels.remove(path)
    assert path.exists()
    del file
    assert not pixels.in_use(path)
    assert pixels.remove(path)
    assert not path.exists()
    assert pixels.remove(path)  # gone is gone
