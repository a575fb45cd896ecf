"""The cache of decoded pictures with eight builders at once, builders that are killed, damaged files and full disks.

    OMP_NUM_THREADS=1 python tests/proofs/picture_cache.py [--pictures 400] [--kills 30] [--damages 200]

Every sample that any process is given is compared with the same picture decoded plainly, with PIL alone. A small tmpfs is the full
disk where one may be mounted, and a limit on the size of files stands for one everywhere. Prints the figures; exits with 1 where a sample
was wrong, a process died that was not killed, or a cache was not whole in the end.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from PIL import Image

from translate.data import cache
from translate.data.folder import PictureFiles, files_in
from translate.data.source import Source
from translate.errors import DataWarning

SIZE = (96, 112)
#: Builders that have imported everything start when told to.
SPAWN = get_context("spawn")


def make_pictures(folder: Path, count: int) -> None:
    for index in range(count):
        values = np.random.default_rng(index).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(values).resize((150, 120 + index % 9), Image.Resampling.BICUBIC).save(folder / f"{index:04d}.jpg")


def truths(folder: Path) -> list[int]:
    """A checksum of each picture, decoded and resized by PIL."""
    found = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((SIZE[1], SIZE[0]), Image.Resampling.BICUBIC)
        found.append(zlib.crc32(np.asarray(resized).tobytes()))
    return found


def source(folder: Path) -> Source:
    return Source(PictureFiles("pictures", folder, files_in(folder)), SIZE, 0)


def wrong(made: Source, truth: list[int], order: list[int]) -> int:
    """How many samples are not what they should be."""
    return sum(zlib.crc32(np.ascontiguousarray(made.sample(index)).tobytes()) != truth[index] for index in order)


def build(folder: Path, scratch: Path, truth: list[int], seed: int, go: Event, limit: int = 0) -> None:
    """A process that reads every sample in an order of its own; says how many it decoded, and the warnings."""
    os.environ["TRANSLATE_CACHE"] = str(scratch)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    made = source(folder)
    decoded = []
    read = made.domain.read
    made.domain.read = lambda index: decoded.append(index) or read(index)  # type: ignore[method-assign, func-returns-value]
    order = np.random.default_rng(seed).permutation(len(truth)).tolist()
    go.wait()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        bad = wrong(made, truth, order)
    (folder.parent / f"{seed}.said").write_text(
        f"{len(decoded)} {bad} {sum(issubclass(each.category, DataWarning) for each in said)}"
    )


def whole(folder: Path, truth: list[int]) -> tuple[int, int]:
    """How many samples of the cache are believed in a fresh look at it, and how many of these are wrong."""
    made = source(folder)
    assert made._file is not None
    found = {index: made._file.read(index) for index in range(len(truth))}
    there = {index: each.transpose(1, 2, 0) for index, each in found.items() if each is not None}
    return len(there), sum(zlib.crc32(np.ascontiguousarray(each).tobytes()) != truth[index] for index, each in there.items())


def together(
    folder: Path, scratch: Path, truth: list[int], number: int, limit: int = 0
) -> tuple[list[tuple[int, ...]], list[int]]:
    """What each of ``number`` builders at once says, and their exit codes."""
    go = SPAWN.Event()
    started = [SPAWN.Process(target=build, args=(folder, scratch, truth, seed, go, limit)) for seed in range(number)]
    for each in started:
        each.start()
    time.sleep(3)
    go.set()
    for each in started:
        each.join()
    said = [tuple(int(word) for word in (folder.parent / f"{seed}.said").read_text().split()) for seed in range(number)]
    return said, [each.exitcode or 0 for each in started]


def killed(folder: Path, scratch: Path, truth: list[int], times: int) -> tuple[int, int, int, int]:
    """Kill builders at random moments: how many died so and how many of them halfway, and of the samples that they left, how many
    were believed and how many of these wrong."""
    chance, died, halfway, believed, bad = random.Random(0), 0, 0, 0, 0
    for seed in range(times):
        go = SPAWN.Event()
        go.set()
        cache.clear()
        builder = SPAWN.Process(target=build, args=(folder, scratch, truth, seed, go))
        builder.start()
        while builder.is_alive() and not cache.kept():  # it is still importing
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.2))
        if builder.is_alive() and builder.pid:
            os.kill(builder.pid, signal.SIGKILL)
        builder.join()
        there, lies = whole(folder, truth)
        died += builder.exitcode == -signal.SIGKILL
        halfway += 0 < there < len(truth)
        believed, bad = believed + there, bad + lies
        # Whoever comes next goes on from there.
        bad += wrong(source(folder), truth, list(range(len(truth))))
    return died, halfway, believed, bad


def damaged(folder: Path, truth: list[int], times: int) -> tuple[int, int]:
    """Flip bits, overwrite and cut the file at random: how many samples were decoded anew, and how many given were wrong."""
    chance, anew, bad = random.Random(1), 0, 0
    for number in range(times):
        made, order = source(folder), chance.sample(range(len(truth)), min(8, len(truth)))
        bad += wrong(made, truth, order)
        (kept,) = cache.kept()
        at = chance.randrange(4096, kept.path.stat().st_size)
        with kept.path.open("r+b") as file:
            if number % 3 == 0:
                file.truncate(at)
            else:
                file.seek(at)
                file.write(chance.randbytes(1 if number % 3 == 1 else 5000))
        anew += len(truth) - whole(folder, truth)[0]
        bad += wrong(source(folder), truth, list(range(len(truth))))
    return anew, bad


def full(
    folder: Path, scratch: Path, truth: list[int], limit: int = 0
) -> tuple[list[tuple[int, ...]], list[int], tuple[int, int]]:
    """Two builders at once on a disk that fills, and what they leave."""
    os.environ["TRANSLATE_CACHE"] = str(scratch)
    cache.set_limit(10**9)
    said, codes = together(folder, scratch, truth, 2, limit)
    return said, codes, whole(folder, truth)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--damages", type=int, default=200)
    values = parser.parse_args()
    right = True
    with tempfile.TemporaryDirectory() as name:
        folder, scratch, disk = (Path(name) / each for each in ("pictures", "cache", "disk"))
        for each in (folder, scratch, disk):
            each.mkdir()
        make_pictures(folder, values.pictures)
        truth = truths(folder)
        os.environ["TRANSLATE_CACHE"] = str(scratch)

        said, codes = together(folder, scratch, truth, 8)
        there, lies = whole(folder, truth)
        decoded, bad = (sum(each[at] for each in said) for at in (0, 1))
        right &= not (any(codes) or bad or lies) and there == len(truth) and len(cache.kept()) == 1
        print(
            f"8 builders at once, {len(truth)} pictures: {decoded} decoded in all, {8 * len(truth)} read, {bad} wrong; exit codes {codes}"
        )
        print(f"  left: {len(cache.kept())} file, {there} samples believed, {lies} of them wrong", flush=True)

        died, halfway, believed, bad = killed(folder, scratch, truth, values.kills)
        right &= not bad and halfway > 0
        print(
            f"{died} builders killed, {halfway} of them halfway: {believed} samples believed in what they left, {bad} wrong",
            flush=True,
        )

        anew, bad = damaged(folder, truth, values.damages)
        right &= not bad and anew > 0
        print(f"{values.damages} damages: {anew} samples not believed and decoded anew, {bad} wrong", flush=True)

        cache.clear()
        limit = len(truth) * 3 * SIZE[0] * SIZE[1] // 2
        said, codes, (there, lies) = full(folder, scratch, truth, limit)
        right &= not (any(codes) or lies) and 0 < there < len(truth) and all(bad == 0 and told == 1 for _, bad, told in said)
        print(f"files of at most {limit} bytes, 2 builders: (decoded, wrong, warnings) {said}; exit codes {codes}")
        print(f"  left: {there} samples believed, {lies} of them wrong", flush=True)

        options = ["-o", f"size={limit // 1024}k"]
        if subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(disk)], capture_output=True).returncode:
            print("a small tmpfs may not be mounted here, so that no disk was filled")
        else:
            try:
                said, codes, (there, lies) = full(folder, disk, truth)
                right &= (
                    not (any(codes) or lies) and 0 < there < len(truth) and all(bad == 0 and told == 1 for _, bad, told in said)
                )
                print(f"a disk of {limit // 1024} kB, 2 builders: (decoded, wrong, warnings) {said}; exit codes {codes}")
                print(f"  left: {there} samples believed, {lies} of them wrong")
            finally:
                subprocess.run(["umount", "-l", str(disk)], check=True)
    print("as it should be" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
