"""Every combination of recipe, game, generator, discriminator and image loss.

    OMP_NUM_THREADS=1 python tests/proofs/combinations.py 2

Each is trained for two or three steps at 32 px with narrow networks, or refused before training starts in one sentence that is
expected of it; tests/parts.py says what is checked and what is to be refused. The argument is the number of processes, 1 by default. Prints
the number of combinations of each recipe that ran, those that were refused by what was said, and those that failed; exits with 1
where there are any of the last.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import parts

RAN = "trained"


def outcome(data: Path, each: parts.Combination) -> tuple[parts.Combination, bool, str]:
    """The combination, whether it is as it should be, and what came of it."""
    try:
        return each, True, parts.check(each, data) or RAN
    except Exception as error:  # whatever it is, it is one of the figures
        return each, False, f"{type(error).__name__}: {error}"


def prepare() -> None:
    """Of each process: a thread, and no warning passed over."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    every = list(parts.combinations())
    recipes = sorted({each.recipe for each in every})
    counts: Counter[tuple[str, str]] = Counter()
    failures = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(jobs, prepare) as pool:
        check = partial(outcome, parts.make_pictures(Path(folder)))
        for done, (each, right, what) in enumerate(pool.imap_unordered(check, every, chunksize=8), start=1):
            if right:
                counts[what, each.recipe] += 1
            else:
                failures += 1
                print(f"FAILED {each}: {what}", flush=True)
            if done % 500 == 0:
                print(f"{done} of {len(every)}, {(time.monotonic() - start) / 60:.1f} min", file=sys.stderr, flush=True)
    outcomes = sorted({what for what, _ in counts}, key=lambda what: (what != RAN, what))
    print(f"| outcome | {' | '.join(recipes)} | all |")
    print("|---|" + "---|" * (len(recipes) + 1))
    for what in outcomes:
        row = [counts[what, recipe] for recipe in recipes]
        print(f"| {what} | {' | '.join(map(str, row))} | {sum(row)} |")
    trained = sum(count for (what, _), count in counts.items() if what == RAN)
    refused = sum(counts.values()) - trained
    minutes = (time.monotonic() - start) / 60
    print(
        f"{len(every)} combinations: {trained} trained, {refused} refused, {failures} failed; {minutes:.1f} min, {jobs} process(es)"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
