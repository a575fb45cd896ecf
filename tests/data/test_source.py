from __future__ import annotations

import os
import resource
import threading
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import draw

from translate.data import cache, picture
from translate.data.domain import Domain
from translate.data.fit import fitted
from translate.data.folder import PictureFiles, files_in
from translate.data.source import Source
from translate.errors import DataWarning, RecipeError

SIZE = (16, 20)
EACH = 16 * 20 * 3


class Counted(Domain):
    """Files that count how often they are decoded."""

    name, cacheable = "counted", True

    def __init__(self, count=6, content="content"):
        self.count, self.content, self.reads, self.fingerprints = count, content, [], 0

    def __len__(self):
        return self.count

    def read(self, index):
        self.reads.append(index)
        return np.random.default_rng(index).integers(0, 256, (17 + index, 23, 3), dtype=np.uint8)

    def fingerprint(self):
        self.fingerprints += 1
        return self.content


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pixels"


def expected(index, fit="squash"):
    return fitted(Counted().read(index), SIZE, fit)


def check(source, indices=range(6), fit="squash"):
    for index in indices:
        assert np.array_equal(source.sample(index), expected(index, fit))


@pytest.mark.parametrize("fit", ["squash", "crop", "fit"])
@pytest.mark.parametrize("room", [0, 2 * EACH, 1 << 20])
def test_a_sample_is_decoded_once_ever(fit, room):
    for domain, reads in ((Counted(), list(range(6))), (Counted(), [])):
        source = Source(domain, SIZE, room, fit)
        check(source, fit=fit)
        check(source, fit=fit)
        assert domain.reads == reads
        assert domain.fingerprints == 1


def test_other_content_is_decoded_again():
    check(Source(Counted(), SIZE, 0))
    domain = Counted(content="other")
    check(Source(domain, SIZE, 0))
    assert domain.reads == list(range(6))


def test_nothing_is_opened_before_a_sample_is_asked_for(folder):
    domain = Counted()
    Source(domain, SIZE, 1 << 20)
    assert domain.fingerprints == 0
    assert not folder.exists()


def test_what_is_drawn_stays_in_memory_as_far_as_there_is_room(folder):
    domain = Counted()
    domain.cacheable = False
    source = Source(domain, SIZE, 2 * EACH + 1)
    check(source)
    check(source)
    assert domain.reads == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5]
    assert not folder.exists()


def test_samples_in_memory_cannot_be_written_to():
    source = Source(Counted(), SIZE, 1 << 20)
    with pytest.raises(ValueError, match="read-only"):
        source.sample(0)[0, 0] = 1


def test_memory_is_bounded_where_samples_are_more():
    domain = Counted(40)
    source = Source(domain, (64, 64), 10 * 64 * 64 * 3)
    for index in range(40):
        source.sample(index)
    tracemalloc.start()
    for _ in range(3):
        for index in range(40):
            source.sample(index)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * 64 * 64 * 3


def test_threads_open_one_cache_and_get_the_same():
    domain = Counted()
    source = Source(domain, SIZE, 3 * EACH)
    gate = threading.Barrier(4)

    def work(_):
        gate.wait()
        return [source.sample(index).tobytes() for index in range(6)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(4)))
    assert all(result == [expected(index).tobytes() for index in range(6)] for result in results)
    assert domain.fingerprints == 1


@pytest.mark.parametrize("keep", [0, 4096, 5000, 9000])
def test_a_cache_that_is_cut_while_it_is_read(keep):
    source = Source(Counted(), SIZE, 0)
    check(source)
    (kept,) = cache.kept()
    os.truncate(kept.path, keep)
    check(source)
    check(Source(Counted(), SIZE, 0))


def test_a_full_disk_is_said_once_and_training_goes_on():
    """The limit on a file's size stands for the disk: writing beyond it is an error in the same place."""
    domain = Counted()
    source = Source(domain, SIZE, 0)
    source.sample(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (kept,) = cache.kept()
    resource.setrlimit(resource.RLIMIT_FSIZE, (kept.path.stat().st_size + EACH + 100, hard))
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for _ in range(2):
                check(source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    (warning,) = said
    assert issubclass(warning.category, DataWarning)
    assert str(warning.message).startswith("No more decoded pictures of 'counted' can be kept in ")
    assert "File too large" in str(warning.message)
    assert domain.reads == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5]  # two are kept, the third did not fit
    domain = Counted()
    check(Source(domain, SIZE, 0))
    assert domain.reads == [2, 3, 4, 5]


def test_files_that_moved_are_found_in_the_cache(tmp_path, monkeypatch):
    for index in range(4):
        draw(tmp_path / "here" / f"{index}.png", index, (30, 20 + index))
    first = Source(PictureFiles("a", tmp_path / "here", files_in(tmp_path / "here")), SIZE, 0)
    samples = [first.sample(index).copy() for index in range(4)]
    (tmp_path / "here").rename(tmp_path / "there")
    second = Source(PictureFiles("b", tmp_path / "there", files_in(tmp_path / "there")), SIZE, 0)
    monkeypatch.setattr(picture, "resize", None)  # nothing is decoded and resized again
    assert all(np.array_equal(second.sample(index), samples[index]) for index in range(4))
    assert len(cache.kept()) == 1


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_samples_keep_their_depth(dtype):
    class Deep(Counted):
        channels = 2

        def read(self, index):
            return (np.random.default_rng(index).random((*SIZE, 2)) * 60_000).astype(dtype)

    domain = Deep()
    domain.dtype = dtype
    for room in (0, 1 << 20):
        source = Source(domain, SIZE, room)
        assert source.sample(3).dtype == dtype
        assert np.array_equal(source.sample(3), domain.read(3))


def test_points():
    class Points(Counted):
        channels, dtype, is_picture = 2, "float32", False

        def read(self, index):
            self.reads.append(index)
            return np.array([index, -index], np.float32)

    domain = Points()
    source = Source(domain, None, 2 * 8)
    for _ in range(2):
        assert [source.sample(index).tolist() for index in range(6)] == [[index, -index] for index in range(6)]
    assert domain.reads == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5]
    assert domain.fingerprints == 0


@pytest.mark.parametrize("array", [np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float64)])
def test_a_domain_that_is_not_what_it_says(array):
    domain = Counted()
    domain.read = lambda index: array
    with pytest.raises(RecipeError, match=r"^Domain 'counted' says that its samples are uint8 of 3 channels, and sample 2 is "):
        Source(domain, SIZE, 0).sample(2)
