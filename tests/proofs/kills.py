"""Runs that are killed: is anything ever lost?

    OMP_NUM_THREADS=1 python tests/proofs/kills.py [--kills 200] [--operations 400] [--restarts 10]

A small run writes a checkpoint at every step. It trains undisturbed, and the digest of every checkpoint is noted: every weight, average,
moment and pooled picture of it. Then the same run is

* killed (SIGKILL) at random moments, one of five while it is being built or taken up again, and started again by the same command;
* killed before each operation on files, one after the other, and started again;
* kept going by a supervisor that starts the same command again, in a fresh interpreter each time.

What is found on the disk must be readable and one of those digests, the newest checkpoint the last that was begun or the one before, and
nothing may be left over of a start before the last. Each run must end with the last digest. Exits with 1 where any of it does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.processes import completed, ended, start
from proofs.small_run import leftovers
from proofs.whole_run import Part, WholeRun, newest_step, prove

from translate import checkpoint

#: A kill comes at most so many seconds after a process has begun, or has saved for the first time.
SOON = 0.5
#: Operations on files, as Python's audit hooks tell of them before they are done.
OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "shutil.rmtree")


def killed(whole: WholeRun, times: int) -> Counter[str]:
    """Kill the run at random moments, and start it again by the same command."""
    chance, found = random.Random(0), Counter[str]()
    run = whole.folder / "killed-0"
    while found["kills"] < times and not whole.failures:
        what = f"kill {found['kills']}"
        before = whole.newest(run, what)
        if before == whole.steps:  # there is nothing left to kill
            whole.goes_on(whole.command(run), run, what)
            found["runs finished"] += 1
            run, before = whole.folder / f"killed-{found['runs finished']}", 0
        process = start(whole.command(run), whole.said, noting_saves(whole.trace))
        if chance.random() < 0.8:
            while process_runs(process) and not noted(whole.trace)[0]:
                time.sleep(0.001)
        time.sleep(chance.uniform(0, SOON))
        os.kill(process, signal.SIGKILL)
        code = ended(process)
        begun, done = noted(whole.trace)
        found["kills"] += code == -signal.SIGKILL
        found["in the midst of a save"] += begun > done
        found["before its first save"] += not begun
        whole.check(code in (-signal.SIGKILL, 0), f"{what}: it ended with {code}")
        newest = whole.newest(run, what)
        whole.check(newest >= max(before, done), f"{what}: step {done} was saved, and the newest is {newest}")
        whole.check(newest in (begun, begun - 1, before), f"{what}: step {begun} was being saved, and the newest is {newest}")
        left = leftovers(run)
        found["left by kills"] += len(left)
        others = [each for each in left if begun and f".{process}." not in each]
        whole.check(not others, f"{what}: the start before it left {others}")
    whole.goes_on(whole.command(run), run, "the last run")
    return found


def process_runs(process: int) -> bool:
    """Whether a child process has not yet ended."""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def noting_saves(trace: Path) -> Callable[[], None]:
    """What makes a process note in ``trace`` when a checkpoint begins to be written, and when it is done."""
    trace.write_bytes(b"")

    def prepare() -> None:
        save = checkpoint.save_checkpoint
        descriptor = os.open(trace, os.O_WRONLY | os.O_APPEND)

        def noted(run: Path, step: int, *rest: object) -> Path:
            os.write(descriptor, f"{step} begun\n".encode())
            folder = save(run, step, *rest)  # type: ignore[arg-type]
            os.write(descriptor, f"{step} done\n".encode())
            return folder

        checkpoint.save_checkpoint = noted  # type: ignore[assignment]

    return prepare


def noted(trace: Path) -> tuple[int, int]:
    """The last step whose checkpoint was begun, and the last whose was done; 0 where there is none."""
    lines = [line.split() for line in trace.read_text().splitlines()]
    begun, done = ([int(step) for step, what in lines if what == wanted] for wanted in ("begun", "done"))
    return max(begun, default=0), max(done, default=0)


def killed_at_operations(whole: WholeRun, most: int) -> str:
    """Kill a run before its first operation on files, its second, and so on, and let the same command bring each to its end."""
    for number in range(1, most + 1):
        run, what = whole.folder / f"operation-{number}", f"killed at operation {number}"
        code = completed(whole.command(run, "--keep", "1"), whole.said, dying_at(run, number))
        if code == 0:  # there was no operation of that number
            return f"all {number - 1} operations"
        whole.check(code == -signal.SIGKILL, f"{what}: it ended with {code}")
        whole.newest(run, what)
        whole.goes_on(whole.command(run, "--keep", "1"), run, what)
    return f"the first {most} operations"


def dying_at(run: Path, number: int) -> Callable[[], None]:
    """What makes a process kill itself before its operation ``number`` that changes something in the folder of the run."""

    def prepare() -> None:
        seen = 0

        def hook(event: str, values: tuple[object, ...]) -> None:
            nonlocal seen
            if event not in OPERATIONS:
                return
            # What is removed with a folder is named within it.
            inside = str(values[0]).startswith(str(run)) or (event in ("os.remove", "os.rmdir") and values[-1] != -1)
            changes = event != "open" or (isinstance(values[2], int) and values[2] & (os.O_WRONLY | os.O_RDWR))
            if inside and changes:
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)

    return prepare


def supervised(whole: WholeRun, restarts: int) -> dict[int, int]:
    """A supervisor runs the same command in a fresh interpreter until it is through; at first it is killed at random points."""
    chance, run, codes = random.Random(1), whole.folder / "supervised", Counter[int]()
    arguments = [sys.executable, "-m", "translate", *whole.command(run)]
    for restart in range(restarts + 1):
        with whole.said.open("ab") as said:
            process = subprocess.Popen(arguments, stdout=said, stderr=said)
        if restart < restarts:
            before = whole.newest(run, f"restart {restart}")
            while process.poll() is None and newest_step(run) < before + 2:  # there is progress
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
        codes[process.wait()] += 1
    whole.check(codes == {-signal.SIGKILL: restarts, 0: 1}, f"supervised: exit codes {codes}")
    whole.finished(run, "supervised")
    return dict(codes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--operations", type=int, default=400, help="at most so many operations on files are killed at")
    parser.add_argument("--restarts", type=int, default=10, help="of a supervisor")
    values = parser.parse_args()
    parts: list[Part] = [
        ("killed at random", 40, lambda whole: dict(killed(whole, values.kills))),
        ("killed before each operation on files", 3, lambda whole: killed_at_operations(whole, values.operations)),
        ("exit codes under a supervisor", 40, lambda whole: supervised(whole, values.restarts)),
    ]
    return prove([part for part, wanted in zip(parts, vars(values).values(), strict=True) if wanted])


if __name__ == "__main__":
    sys.exit(main())
