"""Runs that are killed, stopped, or out of room: is anything ever lost?

    OMP_NUM_THREADS=1 python tests/proofs/kills.py [--kills 200] [--operations 400] [--signals 50] [--restarts 10]

A small run writes a checkpoint at every step. First it trains undisturbed, and the digest of every checkpoint is noted: every network's
weight, average, moment and pooled picture of it. Then the same run is

* killed (SIGKILL) at random moments and started again by the same command, and killed at each operation on files, one after the other;
* stopped by SIGINT and SIGTERM at random moments;
* trained on a tmpfs that fills up (or, where none may be mounted, with a limit on the size of files) and is then enlarged;
* kept going by a supervisor that starts it again, in a fresh interpreter each time.

Whatever is found on the disk must be one of the digests of the undisturbed run, and each must end with its last. Prints figures; exits
with 1 where something was lost, left over or different.
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
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.small_run import (
    checkpoint_digest,
    checkpoint_digests,
    command,
    completed,
    draw_pictures,
    ended,
    leftovers,
    losses,
    noted,
    noting_saves,
    report,
    start,
    warm_up,
)

from translate import checkpoint

STEPS = 40
#: A kill or a signal comes at most so many seconds after training has begun.
SOON = 0.5


class Proof:
    """The undisturbed run in ``folder``, with which all others are compared, and what was found wrong."""

    def __init__(self, folder: Path, steps: int = STEPS) -> None:
        self.folder, self.steps, self.failures = folder, steps, list[str]()
        self.data, self.said, self.trace = draw_pictures(folder / "data"), folder / "said", folder / "trace"
        warm_up(self.data)
        whole = folder / "whole"
        begun = time.monotonic()
        code = completed(self.command(whole, "--keep", "10000"), self.said)
        self.seconds = time.monotonic() - begun
        self.truth = checkpoint_digests(whole)
        self.losses, self.inputs = losses(whole), pictures(whole)
        self.check(code == 0 and sorted(self.truth) == [*range(1, steps + 1)], f"the undisturbed run ended with {code}")

    def command(self, out: Path, *more: str) -> list[str]:
        return command(self.data, out, self.steps, *more)

    def check(self, right: bool, what: str) -> bool:
        if not right:
            self.failures.append(f"{what} ({self.last_words()})")
        return right

    def last_words(self) -> str:
        """What the last process said at the end."""
        said = self.said.read_text(errors="replace").strip().splitlines() if self.said.exists() else []
        return said[-1][-300:] if said else "it said nothing"

    def newest(self, run: Path, what: str) -> int:
        """The step of the newest complete checkpoint, or 0; every one there is must be that of the undisturbed run."""
        for folder in checkpoint.checkpoints(run):
            try:
                same = checkpoint_digest(folder) == self.truth[int(folder.name)]
            except Exception as error:
                self.check(False, f"{what}: {folder.name} is unreadable: {error}")
            else:
                self.check(same, f"{what}: {folder.name} differs from the undisturbed run's")
        return newest_step(run)

    def finished(self, run: Path, what: str) -> None:
        """A run that has come to its end must be as the undisturbed one."""
        self.check(self.newest(run, what) == self.steps, f"{what}: the run does not end at step {self.steps}")
        self.check(not (left := leftovers(run)), f"{what}: left over {left}")
        self.check(losses(run) == self.losses, f"{what}: the log is not that of the undisturbed run")
        self.check(pictures(run) == self.inputs, f"{what}: pictures in samples/ are not those of the undisturbed run")


def newest_step(run: Path) -> int:
    """The step of the newest complete checkpoint, or 0."""
    latest = checkpoint.latest_checkpoint(run)
    return int(latest.name) if latest else 0


def pictures(run: Path) -> dict[str, bytes]:
    """All pictures that a run has kept, by their path."""
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*.png")}


def killed(proof: Proof, times: int, seed: int = 0) -> dict[str, object]:
    """Kill the run at random moments, and start it again by the same command."""
    chance, found = random.Random(seed), Counter[str]()
    number, run, finished = 0, proof.folder / "killed-0", 0
    while found["kills"] < times:
        what = f"kill {found['kills']}"
        before = proof.newest(run, what)
        process = start(proof.command(run), proof.said, noting_saves(proof.trace))
        if chance.random() < 0.2:  # while it is being built, or taken up again
            delay, training = chance.uniform(0, SOON), False
        else:
            delay, training = chance.uniform(0, SOON), True
        code = _wait_for_a_save(process, proof.trace) if training else None
        if code is None:
            time.sleep(delay)
            os.kill(process, signal.SIGKILL)
            code = ended(process)
        if code == 0 or (code == 2 and before == proof.steps):  # done, or done already when it was killed last
            proof.finished(run, what)
            number, finished = number + 1, finished + 1
            run = proof.folder / f"killed-{number}"
            proof.trace.unlink(missing_ok=True)
            continue
        found["kills"] += 1
        if not proof.check(code == -signal.SIGKILL, f"{what}: the process ended with {code}"):
            break
        begun, done = noted(proof.trace)
        proof.trace.unlink(missing_ok=True)
        newest = proof.newest(run, what)
        found["in the midst of a save"] += begun > done
        found["before a first save"] += not begun
        proof.check(newest >= max(before, done), f"{what}: step {done} was saved, and the newest is {newest}")
        proof.check(newest in (begun, begun - 1, before), f"{what}: step {begun} was being saved, and the newest is {newest}")
        others = [each for each in leftovers(run) if f".{process}." not in each] if begun and run.exists() else []
        proof.check(not others, f"{what}: the start before it left {others}")
        found["left by kills"] += len(leftovers(run)) if run.exists() else 0
    if run.exists():
        code = completed(proof.command(run), proof.said)
        if proof.check(code in (0, 2), f"the last run ended with {code}"):
            proof.finished(run, "the last run")
    return {**found, "runs finished": finished}


def _wait_for_a_save(process: int, trace: Path) -> int | None:
    """Wait until a process saves; its exit code, where it ended before."""
    while not noted(trace)[0]:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    return None


#: Operations on files, as Python's audit hooks tell of them before they are done.
OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "shutil.rmtree")


def dying_at(run: Path, number: int) -> Callable[[], None]:
    """What makes a process kill itself before its operation ``number`` that changes something in the folder of the run."""

    def prepare() -> None:
        seen = 0

        def hook(event: str, values: tuple[object, ...]) -> None:
            nonlocal seen
            if event not in OPERATIONS:
                return
            inside = str(values[0]).startswith(str(run)) or (event in ("os.remove", "os.rmdir") and values[-1] != -1)
            changes = event != "open" or (isinstance(values[2], int) and values[2] & (os.O_WRONLY | os.O_RDWR))
            if inside and changes:
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)

    return prepare


def killed_at_operations(proof: Proof, most: int) -> dict[str, object]:
    """Kill a run before its first operation on files, its second, and so on, and let the same command bring each to its end."""
    runs, everything = 0, False
    for number in range(1, most + 1):
        run, what = proof.folder / f"operation-{number}", f"killed at operation {number}"
        more = ["--keep", "1"]
        code = completed(proof.command(run, *more), proof.said, dying_at(run, number))
        if everything := code == 0:  # there was no operation of that number
            break
        runs += 1
        if not proof.check(code == -signal.SIGKILL, f"{what}: it ended with {code}"):
            break
        proof.newest(run, what)
        code = completed(proof.command(run, *more), proof.said)
        if proof.check(code == 0 or "is finished" in proof.last_words(), f"{what}: started again, it ended with {code}"):
            proof.finished(run, what)
    return {"operations killed at": runs, "these were all": everything}


def stopped(proof: Proof, times: int, seed: int = 1) -> dict[str, object]:
    """Stop the run by SIGINT and SIGTERM at random moments of its training, and resume it."""
    chance, found, worst = random.Random(seed), Counter[str](), 0
    number, run = 0, proof.folder / "stopped-0"
    while found["SIGINT"] + found["SIGTERM"] < times:
        what = f"signal {found['SIGINT'] + found['SIGTERM']}"
        number_sent = chance.choice((signal.SIGINT, signal.SIGTERM))
        arguments = ["resume", str(run)] if run.exists() else proof.command(run)
        process = start(arguments, proof.said, noting_saves(proof.trace))
        code = _wait_for_a_save(process, proof.trace)
        if code is None:
            time.sleep(chance.uniform(0, SOON))
            begun, _ = noted(proof.trace)
            os.kill(process, number_sent)
            code = ended(process)
        proof.trace.unlink(missing_ok=True)
        if code == 0 or newest_step(run) == proof.steps:  # it had come to its end
            proof.finished(run, what)
            number += 1
            run = proof.folder / f"stopped-{number}"
            continue
        found[number_sent.name] += 1
        if not proof.check(code == 128 + number_sent, f"{what}: {number_sent.name} ended it with {code}"):
            break
        newest = proof.newest(run, what)
        worst = max(worst, newest - begun)
        logged = losses(run)[-1][0]
        proof.check(newest == logged, f"{what}: {logged} steps were made, and the newest checkpoint is {newest}")
        # The signal came while the step after the one just saved, or the one after that, was being made.
        proof.check(0 <= newest - begun <= 2, f"{what}: sent at step {begun}, and the newest checkpoint is {newest}")
        proof.check(not (left := leftovers(run)), f"{what}: left over {left}")
    if run.exists():
        code = completed(["resume", str(run)], proof.said)
        if proof.check(code == 0 or "is finished" in proof.last_words(), f"the last run ended with {code}"):
            proof.finished(run, "the last run")
    return {**found, "steps between a save begun before the signal and the checkpoint": worst}


def stopped_at_once(proof: Proof, times: int, seed: int = 2) -> dict[str, object]:
    """Send two signals in a row: the second one does not wait for the step."""
    chance, codes = random.Random(seed), Counter[int]()
    for number in range(times):
        run, what = proof.folder / f"at-once-{number}", f"two signals {number}"
        process = start(proof.command(run), proof.said, noting_saves(proof.trace))
        _wait_for_a_save(process, proof.trace)
        time.sleep(chance.uniform(0, SOON / 2))
        os.kill(process, signal.SIGTERM)
        time.sleep(0.002)
        os.kill(process, signal.SIGTERM)
        code = ended(process)
        codes[code] += 1
        proof.trace.unlink(missing_ok=True)
        proof.check(code in (130, 143), f"{what} ended it with {code}")
        proof.newest(run, what)
        code = completed(["resume", str(run)], proof.said)
        if proof.check(code == 0, f"{what}: resumed, it ended with {code}"):
            proof.finished(run, what)
    return {f"exit code {code}": count for code, count in codes.items()}


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[int], None] | None]:
    """A tmpfs of that size at ``folder`` and what changes its size, or None where none may be mounted."""
    folder.mkdir()
    size = ["-o", f"size={kilobytes}k"]
    if subprocess.run(["mount", "-t", "tmpfs", *size, "tmpfs", str(folder)], capture_output=True).returncode:
        yield None
        return

    def resize(kilobytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(folder)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def limited(size: int) -> Callable[[], None]:
    """What makes a process unable to write a file beyond that many bytes; a write then raises OSError."""

    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return prepare


def full(proof: Proof, sizes: range) -> dict[str, object]:
    """Train on disks of so many kilobytes, which the checkpoints kept soon fill; then make room, and go on."""
    found = Counter[str]()
    for kilobytes in sizes:
        disk, what = proof.folder / f"disk-{kilobytes}", f"a disk of {kilobytes} kB"
        run = disk / "run"
        with small_disk(disk, kilobytes) as resize:
            if resize is None:
                return {"a small tmpfs may not be mounted here": True}
            code = completed(proof.command(run, "--keep", "100"), proof.said)
            found["full disks"] += 1
            said = proof.last_words()
            proof.check(code in (1, 2) and said.startswith("translate: ") and "space" in said, f"{what}: it ended with {code}")
            newest = proof.newest(run, what)
            found["the newest checkpoint loads"] += newest > 0
            proof.check(not (left := leftovers(run)), f"{what}: left over {left}")
            resize(64_000)
            code = completed(proof.command(run, "--keep", "100"), proof.said)
            if proof.check(code == 0, f"{what}, enlarged: it ended with {code}"):
                proof.finished(run, f"{what}, enlarged")
                found["and go on once there is room"] += 1
    return found


def files_too_large(proof: Proof) -> dict[str, object]:
    """The same with a limit on the size of files, a byte below that of the state of training."""
    run = proof.folder / "limited"
    (first, *_) = checkpoint.checkpoints(proof.folder / "whole")
    size = (first / checkpoint.TRAINING_NAME).stat().st_size - 1
    code = completed(proof.command(run), proof.said, limited(size))
    sentence = f"translate: The checkpoint of step 1 cannot be written to {run / 'checkpoints'} ("
    proof.check(code == 1 and proof.last_words().startswith(sentence), f"files of at most {size} bytes: it ended with {code}")
    proof.check(not (left := leftovers(run)), f"files of at most {size} bytes: left over {left}")
    code = completed(proof.command(run), proof.said)
    if proof.check(code == 0, f"without the limit: it ended with {code}"):
        proof.finished(run, "without the limit")
    return {"files of at most": size}


def supervised(proof: Proof, restarts: int, seed: int = 3) -> dict[str, object]:
    """A supervisor runs the same command in a fresh interpreter until it is through; it is killed at random points at first."""
    chance, run, codes = random.Random(seed), proof.folder / "supervised", []
    arguments = [sys.executable, "-m", "translate", *proof.command(run)]
    while len(codes) <= restarts + 3:
        with proof.said.open("ab") as said:
            process = subprocess.Popen(arguments, stdout=said, stderr=said)
        if len(codes) < restarts:
            before = proof.newest(run, "supervised")
            # Two steps at least, so that there is progress; then at any moment.
            while process.poll() is None and newest_step(run) < before + 2:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
        codes.append(process.wait())
        if codes[-1] == 0:
            break
    proof.check(codes == [-signal.SIGKILL] * restarts + [0], f"supervised: exit codes {codes}")
    proof.finished(run, "supervised")
    return {"exit codes": codes}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--operations", type=int, default=400, help="at most so many operations on files are killed at")
    parser.add_argument("--signals", type=int, default=50)
    parser.add_argument("--restarts", type=int, default=10)
    values = parser.parse_args()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for title, steps, prove in (
            ("killed at random", STEPS, lambda proof: killed(proof, values.kills)),
            ("killed at each operation on files", 3, lambda proof: killed_at_operations(proof, values.operations)),
            ("stopped by a signal", STEPS, lambda proof: stopped(proof, values.signals)),
            ("stopped by two signals", 20, lambda proof: stopped_at_once(proof, 5)),
            ("a full disk", 12, lambda proof: full(proof, range(20, 720, 50))),
            ("a limit on files", 4, files_too_large),
            ("a supervisor", STEPS, lambda proof: supervised(proof, values.restarts)),
        ):
            folder = Path(name) / title.replace(" ", "-")
            folder.mkdir()
            begun = time.monotonic()
            proof = Proof(folder, steps)
            figures = prove(proof)
            failures += [f"{title}: {each}" for each in proof.failures]
            print(f"{title}: {figures}; {len(proof.failures)} failures, {time.monotonic() - begun:.0f} s", flush=True)
    return report(failures)


if __name__ == "__main__":
    sys.exit(main())
