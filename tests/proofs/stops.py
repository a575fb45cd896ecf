"""Runs that are asked to stop: do they end in time, with the right exit code, and go on bit for bit?

    OMP_NUM_THREADS=1 python tests/proofs/stops.py [--signals 50] [--pairs 10]

A small run trains undisturbed, and the digest of each step's checkpoint is noted. Then the same run is sent SIGINT and SIGTERM at random
moments of its training and resumed, again and again. It must end with 130 or 143, must not have begun more than one step after the signal,
must have saved the last step that it made, and end as the undisturbed one. Of two signals in a row, the second does not wait for the
step; the exit code is the same, and nothing is lost that was saved. Exits with 1 where any of it does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.processes import ended, start
from proofs.small_run import leftovers, losses
from proofs.whole_run import Part, WholeRun, prove

from translate import Clock
from translate.trainer import Trainer

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: A signal comes at most so many seconds after the first step has begun.
SOON = 0.5
#: Most checkpoints are those of the stops.
SELDOM = ("--checkpoint-every", "15")


def noting_steps(trace: Path) -> Callable[[], None]:
    """What makes a process note in ``trace`` when it begins a step, by a clock that all processes share."""
    trace.write_bytes(b"")

    def prepare() -> None:
        step = Trainer.step
        descriptor = os.open(trace, os.O_WRONLY | os.O_APPEND)

        def noted(trainer: Trainer, batches: object, clock: Clock, **more: object) -> object:
            os.write(descriptor, f"{clock.step + 1} {time.monotonic_ns()}\n".encode())
            return step(trainer, batches, clock, **more)  # type: ignore[arg-type]

        Trainer.step = noted  # type: ignore[assignment, method-assign]

    return prepare


def noted(trace: Path) -> dict[int, int]:
    """The steps that were begun, and when."""
    return dict(tuple(map(int, line.split())) for line in trace.read_text().splitlines())  # type: ignore[misc]


def train_for_a_while(whole: WholeRun, arguments: list[str], chance: random.Random) -> int:
    """Start the command and wait until some time after the beginning of its first step. Returns the process's id."""
    process = start(arguments, whole.said, noting_steps(whole.trace))
    until = time.monotonic() + 60
    while not noted(whole.trace) and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, SOON))
    return process


def stopped(whole: WholeRun, times: int) -> dict[str, int]:
    """Stop the run by SIGINT and SIGTERM at random moments of its training, and resume it."""
    chance, found, late, number = random.Random(0), Counter[str](), 0, 0
    run = whole.folder / "stopped-0"
    while found["SIGINT"] + found["SIGTERM"] < times and not whole.failures:
        what, sent = f"signal {sum(found.values())}", chance.choice(SIGNALS)
        process = train_for_a_while(whole, ["resume", str(run)] if run.exists() else whole.command(run, *SELDOM), chance)
        at = time.monotonic_ns()
        os.kill(process, sent)
        code, steps = ended(process), noted(whole.trace)
        if max(steps) == whole.steps:  # it was at its last step, or had ended
            whole.finished(run, what)
            number += 1
            run = whole.folder / f"stopped-{number}"
            continue
        found[sent.name] += 1
        newest, after = whole.newest(run, what), sum(each > at for each in steps.values())
        late = max(late, after)
        whole.check(code == 128 + sent, f"{what}: {sent.name} ended it with {code}")
        whole.check(after <= 1, f"{what}: {after} steps were begun after it")
        whole.check(newest == max(steps) == losses(run)[-1][0], f"{what}: {max(steps)} steps were made, and {newest} saved")
        whole.check(not (left := leftovers(run)), f"{what}: left over {left}")
    if run.exists():
        whole.goes_on(["resume", str(run)], run, "the last run")
    return {**found, "most steps begun after the signal": late}


def stopped_at_once(whole: WholeRun, times: int) -> dict[str, int]:
    """Send two signals in a row, and resume."""
    chance, found = random.Random(1), Counter[str]()
    while sum(found.values()) < times and not whole.failures:
        number = sum(found.values())
        run, what, sent = whole.folder / f"at-once-{number}", f"pair {number}", chance.choice(SIGNALS)
        process = train_for_a_while(whole, whole.command(run, *SELDOM), chance)
        os.kill(process, sent)
        time.sleep(0.002)
        os.kill(process, sent)
        code = ended(process)
        if max(noted(whole.trace)) == whole.steps:  # it was at its last step, or had ended
            shutil.rmtree(run)
            continue
        found[f"{sent.name}, {code}"] += 1
        whole.check(code == 128 + sent, f"{what}: {sent.name} ended it with {code}")
        whole.newest(run, what)
        whole.goes_on(["resume", str(run)], run, what)
    return dict(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=10, help="of signals, the second of which stops at once")
    values = parser.parse_args()
    parts: list[Part] = [
        ("stopped by a signal", 40, lambda whole: stopped(whole, values.signals)),
        ("stopped by two signals, with exit code", 40, lambda whole: stopped_at_once(whole, values.pairs)),
    ]
    return prove([part for part, wanted in zip(parts, vars(values).values(), strict=True) if wanted])


if __name__ == "__main__":
    sys.exit(main())
