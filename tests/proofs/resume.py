"""Does a run that was stopped go on bit for bit?

    OMP_NUM_THREADS=1 python tests/proofs/resume.py [--stops 20]

A small run of each of the four methods trains undisturbed, and is then stopped by SIGTERM after its first step, its second, and so on, and
resumed by ``Engine.resume``. At the end the SHA-256 of everything is compared: networks, averages, moments, pools, counts and exported
weights; and the losses of every step in the log. It is done with 0 and 2 workers, with a change from one to the other at the stop, with
batches so large that networks are laid out channels last, in bf16, with accumulated gradients, and with augmentations before the judge
that adapt as they go: all that a run keeps. Exits with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.small_run import METHODS, checkpoint_digest, draw_pictures, leftovers, losses, report, workshop

from translate import Engine, Interrupted, checkpoint, hookimpl

#: Steps beyond the last stop, so that what is lost at a stop has time to make a difference.
BEYOND = 3
#: Options under which every method is stopped and resumed, and the workers before and after the stop.
VARIANTS: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "0 workers": ({}, (0, 0)),
    "2 workers": ({}, (2, 2)),
    "0, then 2 workers": ({}, (0, 2)),
    "channels last": ({"batch": 8}, (0, 0)),  # which networks with batch norms are from that size on
    "bf16": ({"precision": "bf16"}, (0, 0)),
    "3 batches accumulated": ({"accumulate": 3}, (0, 0)),
    "adaptive augmentation": ({"judge_augment": "ada"}, (0, 0)),
}
SECTIONS = ("recipe", "average", "optimiser")


class StopAt:
    """A listener that asks the process to stop, as a user or a scheduler does, when a step has been reported."""

    def __init__(self, step: int) -> None:
        self.step = step

    @hookimpl
    def step_reported(self, report: Any) -> None:
        if report.step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


def train(name: str, data: Path, out: Path, steps: int, workers: int, **more: Any) -> Engine:
    domains, values = METHODS[name]
    settings = {**values, "ema": 0.9, "workers": workers, "device": "cpu", "log_every": 1, "sample_every": 1000, **more}
    return Engine(name, domains, data=str(data), out=out, steps=steps, checkpoint_every=1000, **settings)


def ending(run: Path, steps: int) -> str:
    """The digest of the checkpoint that a run ended with."""
    latest = checkpoint.latest_checkpoint(run)
    assert latest is not None
    assert int(latest.name) == steps
    return checkpoint_digest(latest)


def compare(name: str, data: Path, folder: Path, stops: Sequence[int], variant: str) -> list[str]:
    """Stop and resume a method at each of ``stops``: what differs from the undisturbed run."""
    more, (before, after) = VARIANTS[variant]
    steps, wrong = stops[-1] + BEYOND, list[str]()
    whole = folder / "whole"
    engine = train(name, data, whole, steps, 0, **more).fit()
    kept = engine.trainer.state()
    wanted = [*SECTIONS, *(["recipe/pool"] if "pool_size" in METHODS[name][1] else [])]
    wrong += [f"nothing is kept of {each}" for each in wanted if not any(key.startswith(each) for key in kept)]
    truth = ending(whole, steps)
    for stop in stops:
        run = folder / "stopped"
        stopped = train(name, data, run, steps, before, **more)
        try:
            with stopped.listening(StopAt(stop), "stop"):
                stopped.fit()
        except Interrupted:
            pass
        resumed = Engine.resume(run, workers=after)
        if resumed.step != stop:
            wrong.append(f"stopped at {stop}, it goes on from {resumed.step}")
        resumed.fit()
        if ending(run, steps) != truth:
            wrong.append(f"stopped at {stop}, it ends otherwise")
        if losses(run) != losses(whole):
            wrong.append(f"stopped at {stop}, the log differs")
        if left := leftovers(run):
            wrong.append(f"stopped at {stop}, left over {left}")
        shutil.rmtree(run)
    shutil.rmtree(whole)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=20)
    values = parser.parse_args()
    failures = []
    stops = range(1, values.stops + 1)
    with workshop() as folder:
        data = draw_pictures(folder / "data")
        for variant in VARIANTS:
            for name in METHODS:
                begun = time.monotonic()
                wrong = compare(name, data, folder, stops, variant)
                failures += [f"{name}, {variant}: {each}" for each in wrong]
                took = time.monotonic() - begun
                print(f"{name}, {variant}: {len(stops)} stops, {len(wrong)} differences, {took:.0f} s", flush=True)
    return report(failures)


if __name__ == "__main__":
    sys.exit(main())
