"""Files from strangers, and damaged ones: does any of them run code, crash, hang or flood the reader?

    OMP_NUM_THREADS=1 python tests/proofs/hostile_files.py [--mutants 10000] [--configs 500]

* One bit of every byte of every file of a small checkpoint is flipped, and of a weights file by itself.
* Every file of it is cut short, and cut while it is being read.
* Weights files of all four methods are mutated: bytes, the list of tensors, and what the file says of itself, in the form without the
  seal that would give them away. Forked children load them under a limit of memory and of time. Each must be loaded or refused by one
  sentence.
* A header of 49 MB with 700,000 tensors, and files of a terabyte, on a disk that has not so much: one whose header knows nothing of it, and
  one whose header says the same.
* Configs, run records, flags and weights that name, import or quote a program which would leave a mark, and a .pth whose pickle does.

Prints figures, the worst time and memory among them; exits with 1 where a bound is not met. A failure is printed with the number that
makes the mutant or config again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.hostile_configs import executions
from proofs.mutants import mutant, unsealed
from proofs.processes import completed, ended, fork, warm_up
from proofs.small_run import METHODS, command, draw_pictures, report, workshop

from translate import Engine, checkpoint, weights
from translate.errors import TranslateError, UserError

#: Bytes that a child may set aside beyond what it has, and that reading a small file may take at most.
ROOM, LITTLE = 2 << 30, 300 << 20
#: Seconds for a file. Mutants that one child loads.
EACH, BATCH = 10.0, 500
#: Seconds in which a header that is too long, or a file that claims too much, must be refused.
SOON = 0.1

Loader = Callable[[], object]


def outcome(load: Loader) -> str:
    """``loaded``, ``refused``, or what else became of it."""
    try:
        load()
    except UserError as error:
        return "refused" if "\n" not in str(error) else f"refused by more than a sentence: {error}"
    except TranslateError as error:
        return f"refused as the fault of a plugin: {error}"
    except (Exception, TooLong) as error:
        return f"{type(error).__name__}: {error}"
    return "loaded"


def flipped(path: Path, load: Loader, chance: random.Random, each: int = 1) -> tuple[int, list[str]]:
    """Flip a bit in every ``each``-th byte of a file, one after the other: how many, and those that ``load`` does not refuse."""
    whole, wrong, places = path.read_bytes(), [], 0
    with path.open("r+b", buffering=0) as file:
        for place in range(chance.randrange(each), len(whole), each):
            bit = 1 << chance.randrange(8)
            os.pwrite(file.fileno(), bytes([whole[place] ^ bit]), place)
            if (became := outcome(load)) != "refused":
                wrong.append(f"{path.name}, bit {bit} of byte {place}: {became}")
            os.pwrite(file.fileno(), whole[place : place + 1], place)
            places += 1
    assert path.read_bytes() == whole
    assert outcome(load) == "loaded"
    return places, wrong


def cut(path: Path, load: Loader, step: int) -> tuple[int, list[str]]:
    """Cut a file to every ``step``-th length: how many, and those that ``load`` does not refuse."""
    whole, wrong = path.read_bytes(), []
    lengths = [*range(0, len(whole), step), len(whole) - 1]
    for length in lengths:
        path.write_bytes(whole[:length])
        if (became := outcome(load)) != "refused":
            wrong.append(f"{path.name}, cut to {length} bytes: {became}")
    path.write_bytes(whole)
    return len(lengths), wrong


def cut_while_read(path: Path, load: Loader, seconds: float) -> tuple[Counter[str], list[str]]:
    """Load a file again and again while a thread cuts it short and restores it: what became of it, and what should not have."""
    whole, done, found = path.read_bytes(), threading.Event(), Counter[str]()

    def disturb() -> None:
        chance = random.Random(0)
        while not done.is_set():
            os.truncate(path, chance.randrange(len(whole)))
            path.write_bytes(whole)

    thread = threading.Thread(target=disturb)
    thread.start()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found[outcome(load)] += 1
    done.set()
    thread.join()
    return found, [each for each in found if each not in ("loaded", "refused")]


def sources(data: Path, folder: Path) -> list[bytes]:
    """The weights files of all four methods, small, without seals."""
    found = []
    for name, (domains, values) in METHODS.items():
        Engine(name, domains, data=str(data), device="cpu", **values).save(folder / "small.safetensors")
        found.append(unsealed((folder / "small.safetensors").read_bytes()))
    return found


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class TooLong(BaseException):
    """A file takes too long; no Exception, so that nobody takes it for something else."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong(f"not done after {EACH:g} s")


def bounded() -> None:
    """Limit what this process may take, and let SIGALRM end what takes too long."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))
    signal.signal(signal.SIGALRM, _too_long)


def load_mutants(numbers: range, files: list[bytes], path: Path, told: Path) -> None:
    """Load the mutants of these numbers and write what became of each to ``told``, two lines for each."""
    bounded()
    with told.open("w", buffering=1) as lines:
        for number in numbers:
            path.write_bytes(mutant(number, files))
            lines.write(json.dumps({"number": number}) + "\n")
            before, begun = _peak(), time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, EACH)
            became = outcome(lambda: Engine.load(path, device="cpu"))
            signal.setitimer(signal.ITIMER_REAL, 0)
            line = {"became": became, "seconds": time.perf_counter() - begun, "bytes": _peak() - before}
            lines.write(json.dumps(line) + "\n")


def mutants(count: int, files: list[bytes], folder: Path) -> tuple[dict[str, object], list[str]]:
    """The figures of loading so many mutants, and the failures."""
    outcomes, failures, slowest, most, first = Counter[str](), [], 0.0, 0, 0
    told = folder / "told"
    while first < count:
        numbers = range(first, min(first + BATCH, count))
        work = partial(load_mutants, numbers, files, folder / "mutant", told)
        code = ended(fork(work, folder / "said"), BATCH + 2 * EACH)
        last = first - 1
        for text in told.read_text().splitlines():
            line = json.loads(text)
            if "number" in line:
                last = line["number"]
                continue
            became, seconds, size = line["became"], line["seconds"], line["bytes"]
            outcomes[became if became in ("loaded", "refused") else "failed"] += 1
            slowest, most = max(slowest, seconds), max(most, size)
            if became not in ("loaded", "refused"):
                failures.append(f"mutant {last}: {became[:300]}, after {seconds:.2f} s")
            elif size > LITTLE:
                failures.append(f"mutant {last}: {became}, and took {size >> 20} MB")
        if code:
            failures.append(f"mutant {last}: the process ended with {code}")
        first = numbers.stop if not code else max(last, first) + 1
    return {
        "mutants": outcomes.total(),
        **outcomes,
        "slowest_ms": round(slowest * 1e3, 1),
        "most_mb": round(most / 2**20, 1),
    }, failures


def many_tensors(count: int) -> bytes:
    """A weights file whose header lists so many tensors of one number."""
    names = (f'"t{each:06d}":{{"dtype":"F32","shape":[1],"data_offsets":[{4 * each},{4 * each + 4}]}}' for each in range(count))
    text = ("{" + ",".join(names) + "}").encode()
    return len(text).to_bytes(8, "little") + text + bytes(4 * count)


def claims(path: Path, *, size: int, said: int) -> None:
    """Write a sparse file of ``size`` bytes, whose header says that its one tensor has the numbers of ``said`` bytes."""
    text = json.dumps({"a": {"dtype": "U8", "shape": [said], "data_offsets": [0, said]}}).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(size if size != said else size + 8 + len(text))


def refused_soon(path: Path) -> tuple[dict[str, object], list[str]]:
    """Time and memory of refusing the file, in a child with bounds, and what is wrong with that."""
    told = path.with_suffix(".told")

    def work() -> None:
        bounded()
        before, begun = _peak(), time.perf_counter()
        became = outcome(lambda: Engine.load(path, device="cpu"))
        told.write_text(json.dumps([became, time.perf_counter() - begun, _peak() - before]))

    code = ended(fork(work, path.with_suffix(".said")), EACH)
    became, seconds, size = json.loads(told.read_text()) if not code else (f"ended with {code}", EACH, 0)
    figures = {"bytes": path.stat().st_size, "became": became, "ms": round(seconds * 1e3, 2), "mb": round(size / 2**20, 1)}
    right = became == "refused" and seconds < SOON and size < LITTLE
    return figures, [] if right else [f"{path.name}: {figures}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--configs", type=int, default=500)
    values = parser.parse_args()
    failures: list[str] = []

    def say(title: str, figures: object, wrong: list[str], begun: float) -> None:
        failures.extend(f"{title}: {each}" for each in wrong)
        print(f"{title}: {figures}; {len(wrong)} failures, {time.monotonic() - begun:.0f} s", flush=True)

    with workshop() as folder:
        chance = random.Random(0)
        data, run = draw_pictures(folder / "data"), folder / "run"
        warm_up(data)
        completed(command(data, run, 1), folder / "said")
        (saved,) = checkpoint.checkpoints(run)

        for file in (checkpoint.MANIFEST_NAME, weights.WEIGHTS_NAME, checkpoint.TRAINING_NAME):
            begun = time.monotonic()
            say(f"bits of {file}", *flipped(saved / file, lambda: checkpoint.load_training(saved), chance), begun)
        alone = folder / "alone.safetensors"
        shutil.copy(saved / weights.WEIGHTS_NAME, alone)
        begun = time.monotonic()
        say("bits of a weights file alone", *flipped(alone, lambda: checkpoint.load_weights(alone), chance), begun)

        for file in (checkpoint.MANIFEST_NAME, weights.WEIGHTS_NAME, checkpoint.TRAINING_NAME):
            begun = time.monotonic()
            say(f"lengths of {file}", *cut(saved / file, lambda: checkpoint.load_training(saved), 7), begun)
        begun = time.monotonic()
        say("lengths of a weights file alone", *cut(alone, lambda: checkpoint.load_weights(alone), 7), begun)
        begun = time.monotonic()
        say(
            "a file that is cut while it is read",
            *_in_a_process(lambda: cut_while_read(alone, lambda: checkpoint.load_weights(alone), 5), folder),
            begun,
        )

        begun = time.monotonic()
        (folder / "many.safetensors").write_bytes(many_tensors(700_000))
        say("700,000 tensors", *refused_soon(folder / "many.safetensors"), begun)
        for said in (2**20, 2**40):
            claims(folder / "claims.safetensors", size=2**40, said=said)
            say(f"a terabyte whose header says {said:,} bytes", *refused_soon(folder / "claims.safetensors"), begun)

        begun = time.monotonic()
        say("hostile configs", *executions(values.configs, folder, data), begun)
        begun = time.monotonic()
        say("mutated weights", *mutants(values.mutants, sources(data, folder), folder), begun)
    return report(failures)


def _in_a_process(work: Callable[[], tuple[object, list[str]]], folder: Path) -> tuple[object, list[str]]:
    """The same, done in a process of its own: it may be killed by what it reads, and it starts threads."""
    told = folder / "told"
    told.unlink(missing_ok=True)
    code = ended(fork(lambda: _tell(told, work()), folder / "said"), 60)
    if code:
        return {}, [f"the process ended with {code}"]
    figures, wrong = json.loads(told.read_text())
    return figures, wrong


def _tell(told: Path, what: object) -> None:
    told.write_text(json.dumps(what))


if __name__ == "__main__":
    sys.exit(main())
