"""Does a long run take more memory, or more open files, as it goes?

    OMP_NUM_THREADS=1 python tests/proofs/soak.py [--steps 20000] [--recipe vanilla]

A small run with an average, two loading threads, a report at every step, a checkpoint at every 250th and a grid of pictures at every
1000th. Prints resident memory and open files on the way. After 1000 steps it has filled what it keeps of the past, which are the last
1000 reports for the doctor. From there to the middle memory may grow by 10 MB, in which an allocator settles, and in the second half by 2.
Exits with 1 where it grows by more, or where open files or threads do by any.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.small_run import METHODS, draw_pictures, leftovers, report, workshop

from translate import Engine, Report, checkpoint, hookimpl

#: Megabytes by which memory may grow in the first half, and in the second.
SETTLING, GROWTH = 10.0, 2.0
#: Points of a run at which one looks, as shares of its length.
POINTS = (0.05, 0.25, 0.5, 0.75, 1.0)


class Taken(NamedTuple):
    """What a process takes at a moment: resident memory, open files and threads."""

    step: int
    megabytes: float
    files: int
    threads: int

    def __str__(self) -> str:
        return f"step {self.step}: {self.megabytes:.1f} MB, {self.files} open files, {self.threads} threads"


def taken(step: int) -> Taken:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd")) - 1  # one is the listing itself
    return Taken(step, pages * os.sysconf("SC_PAGE_SIZE") / 2**20, files, threading.active_count())


class Watch:
    """A listener that notes what the process takes at some steps."""

    def __init__(self, steps: set[int]) -> None:
        self.steps, self.seen = steps, list[Taken]()

    @hookimpl
    def step_reported(self, report: Report) -> None:
        if report.step in self.steps:
            self.seen.append(taken(report.step))
            print(self.seen[-1], flush=True)


def soak(recipe: str, folder: Path, steps: int) -> tuple[list[Taken], list[str]]:
    """Train for so many steps: what was taken on the way, and what is wrong with it."""
    domains, values = METHODS[recipe]
    engine = Engine(
        recipe,
        domains,
        data=str(draw_pictures(folder / "data")),
        out=folder / "run",
        device="cpu",
        workers=2,
        steps=steps,
        ema=0.9,
        log_every=1,
        sample_every=max(steps // 20, 10),
        checkpoint_every=max(steps // 80, 5),
        **values,
    )
    watch = Watch({int(steps * each) for each in POINTS})
    with engine.listening(watch, "watch"):
        engine.fit()
    first, _, middle, _, last = watch.seen
    wrong = []
    for since, until, most in ((first, middle, SETTLING), (middle, last, GROWTH)):
        if (grown := until.megabytes - since.megabytes) > most:
            wrong.append(f"memory grew by {grown:.1f} MB from step {since.step} to {until.step}")
    if last.files > first.files:
        wrong.append(f"open files grew from {first.files} to {last.files}")
    if last.threads > first.threads:
        wrong.append(f"threads grew from {first.threads} to {last.threads}")
    if left := leftovers(folder / "run"):
        wrong.append(f"left over {left}")
    if len(kept := checkpoint.checkpoints(folder / "run")) != 2:
        wrong.append(f"{len(kept)} checkpoints are kept, not 2")
    return watch.seen, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--recipe", choices=METHODS, default="vanilla")
    values = parser.parse_args()
    begun = time.monotonic()
    with workshop() as folder:
        seen, wrong = soak(values.recipe, folder, values.steps)
    grown = seen[-1].megabytes - seen[len(seen) // 2].megabytes
    print(f"{values.steps} steps in {time.monotonic() - begun:.0f} s: memory {grown:+.1f} MB in the second half")
    return report(wrong)


if __name__ == "__main__":
    sys.exit(main())
