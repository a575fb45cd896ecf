"""How fast batches are loaded, beside the usual way with PIL and torchvision.

    OMP_NUM_THREADS=1 python tests/benchmarks/loading.py FOLDER [--count 256] [--rounds 7] [--threads 1] [--many 10000] [--json]

FOLDER holds photographs: 286 px, a random crop of 256, a random flip. The usual way is a DataLoader over PIL, Resize (bicubic),
RandomCrop, RandomHorizontalFlip, ToTensor and Normalize, which gives float batches in [-1, 1]; ours reads a warm cache from the disk, or
keeps samples in memory. It is measured twice. "floats here" makes the same float batches on the CPU. "for a device" stops at the integers
that travel to another device and become floats there; sending is not counted for either way.

All take turns in one process in which torch has ``--threads`` threads: medians over the rounds, of speeds and of ratios within a
round. Workers are processes for the DataLoader and threads for us; what either has loaded ahead in another's turn is not counted.
Processor time is that of this process, which a busy machine disturbs less.

Then, each in a fresh process and on ``--many`` small pictures whose cache is warm: the time to the first batch, imports not counted, and
the anonymous memory that a pass over all of them adds where an eighth of them may be kept in memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from translate.data.folder import PictureFiles, files_in
from translate.data.loader import CACHE_BYTES, Loader, Source
from translate.plugins import installed
from translate.recipe import Batch

SIZE = (256, 256)
WORKERS = (0, 1, 2)


def ours(folder: Path, files: list[Path], cache_bytes: int, batch: int, workers: int, device: str = "cpu") -> Loader:
    augmentation = installed().augmentations["paper"](SIZE)
    source = Source(PictureFiles("pictures", folder, files), augmentation.loading_size, cache_bytes)
    return Loader(
        [source], ("draw",), augmentation, epoch=len(files), batch=batch, seed=0, device=torch.device(device), workers=workers
    )


def our_stream(
    folder: Path, files: list[Path], cache_bytes: int, batch: int, workers: int, device: str
) -> Iterator[torch.Tensor]:
    made = ours(folder, files, cache_bytes, batch, workers, device)
    if device != "cpu":
        made.to_batch = lambda first, arrays: Batch((torch.from_numpy(arrays[0]),), first, 0)  # type: ignore[method-assign]
    for index in range(len(files)):
        made.sources[0].sample(index)
    return (each.images[0] for each in made.batches(0))


class Usual(torch.utils.data.Dataset[torch.Tensor]):
    """What most training scripts do with a folder of pictures; without end."""

    def __init__(self, files: list[Path]) -> None:
        from torchvision import transforms

        self.files = files
        self.transform = transforms.Compose(
            [
                transforms.Resize((286, 286), transforms.InterpolationMode.BICUBIC),
                transforms.RandomCrop(256),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
            ]
        )

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.files[(7919 * index) % len(self.files)]) as image:
            result: torch.Tensor = self.transform(image.convert("RGB"))
        return result


def usual_stream(files: list[Path], batch: int, workers: int) -> Iterator[torch.Tensor]:
    return iter(torch.utils.data.DataLoader(Usual(files), batch_size=batch, num_workers=workers))


@dataclass
class Turns:
    """One way of loading, and the seconds a batch of each of its turns: of the clock, and of this process's processor time."""

    stream: Iterator[torch.Tensor]
    batches: int
    #: So many batches at most are loaded ahead by workers; they are not counted.
    ahead: int
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def take(self) -> None:
        for each in itertools.islice(self.stream, self.ahead):
            assert each.shape[1:] == (3, *SIZE)
        start, used = time.perf_counter(), time.process_time()
        for _ in itertools.islice(self.stream, self.batches):
            pass
        self.clock.append((time.perf_counter() - start) / self.batches)
        self.processor.append((time.process_time() - used) / self.batches)
        time.sleep(0.3 if self.ahead > 1 else 0)  # workers fill their queues, and then rest


def speeds(folder: Path, files: list[Path], batch: int, rounds: int) -> dict[str, dict[str, float]]:
    """Pictures a second of each way, and times the usual one: medians over the rounds, in which all take turns."""
    ways: dict[tuple[str, int], Turns] = {}
    for workers in WORKERS:
        ahead = 4 * workers + 1
        ways["usual", workers] = Turns(usual_stream(files, batch, workers), 6, ahead)
        for way, room in (("disk", 0), ("memory", CACHE_BYTES)):
            for device, what in (("meta", "for a device"), ("cpu", "floats here")):
                ways[f"{way}, {what}", workers] = Turns(our_stream(folder, files, room, batch, workers, device), 60, ahead)
    for _ in range(rounds):
        for each in ways.values():
            each.take()
    usual = [ways["usual", workers] for workers in WORKERS]
    best = min(usual, key=lambda each: statistics.median(each.clock))
    return {
        f"{way}, {workers} worker{'s' * (workers != 1)}": {
            "pictures a second": batch / statistics.median(each.clock),
            "times the usual without workers": ratio(usual[0].clock, each.clock),
            "times the usual with its best number of workers": ratio(best.clock, each.clock),
            **({"times in processor time": ratio(usual[0].processor, each.processor)} if way != "usual" else {}),
        }
        for (way, workers), each in ways.items()
    }


def ratio(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(theirs, ours, strict=True))


def small_pictures(folder: Path, count: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    for index, each in enumerate(values):
        Image.fromarray(each).resize((96, 96), Image.Resampling.BICUBIC).save(folder / f"{index:05d}.jpg")


def fill(folder: Path) -> None:
    files = files_in(folder)
    source = ours(folder, files, 0, 1, 0).sources[0]
    for index in range(len(files)):
        source.sample(index)


def first_batch(folder: Path) -> dict[str, float]:
    installed()
    start = time.perf_counter()
    domain_files = files_in(folder)
    loader = ours(folder, domain_files, CACHE_BYTES, 8, 1)
    opened = time.perf_counter() - start
    next(loader.batches(0))
    return {"first batch, seconds": time.perf_counter() - start, "of which opening, seconds": opened}


def memory(folder: Path) -> dict[str, float]:
    files = files_in(folder)
    augmentation = installed().augmentations["paper"](SIZE)
    every = len(files) * 3 * int(np.prod(augmentation.loading_size))
    batches = ours(folder, files, every // 8, 8, 1).batches(0)
    next(batches)
    before = anonymous()
    for _ in range(len(files) // 8):
        next(batches)
    return {
        "all samples, MB": every / 1e6,
        "allowed in memory, MB": every / 8e6,
        "anonymous memory added, MB": anonymous() - before,
    }


def anonymous() -> float:
    """Megabytes of anonymous memory that this process has resident."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024 / 1e6


def apart(function: Callable[[Path], Any], folder: Path) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (folder,))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    values = parser.parse_args()
    torch.set_num_threads(values.threads)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["TRANSLATE_CACHE"] = str(Path(scratch) / "cache")
        files = files_in(values.folder)[: values.count]
        result: dict[str, Any] = dict(speeds(values.folder, files, values.batch, values.rounds))
        if values.many:
            many = Path(scratch) / "many"
            many.mkdir()
            small_pictures(many, values.many)
            apart(fill, many)
            result[f"{values.many} pictures"] = apart(first_batch, many) | apart(memory, many)
    if values.json:
        print(json.dumps(result, indent=2))
        return 0
    for name, figures in result.items():
        print(name)
        for key, figure in figures.items():
            print(f"  {key:<50} {figure:10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
