"""Runs whose disk fills up: is the checkpoint before whole, and does the run go on once there is room?

    OMP_NUM_THREADS=1 python tests/proofs/full_disk.py [--disks 14]

A small run that keeps all its checkpoints trains on a tmpfs that they fill, each time a larger one, so that the room ends at another
file. It must end with one sentence, with checkpoints that load and are those of the undisturbed run, and with nothing left over. Then
the disk is enlarged, and the same command must bring the run to the same end. Mounting needs the rights to do so: ``unshare -rm`` in
front of the command gives them. The same is done with a limit on the size of files, which needs none. Exits with 1 where any of it does
not hold.
"""

from __future__ import annotations

import argparse
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from proofs.processes import completed
from proofs.small_run import leftovers
from proofs.whole_run import Part, WholeRun, prove

from translate import checkpoint


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[int], None]]:
    """A tmpfs of that size at ``folder``, and what changes its size."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True)

    def resize(kilobytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(folder)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def full(whole: WholeRun, disks: int) -> dict[str, int]:
    """Train on disks that soon are full; then make room, and go on."""
    found, stated = Counter[str](), len(whole.truth)
    for kilobytes in range(20, 20 + 50 * disks, 50):
        disk, what = whole.folder / f"disk-{kilobytes}", f"a disk of {kilobytes} kB"
        run = disk / "run"
        with small_disk(disk, kilobytes) as resize:
            code = completed(whole.command(run, "--keep", "100"), whole.said)
            said = whole.last_words()
            sentence = code in (1, 2) and said.startswith("translate: ") and "No space left on device" in said
            whole.check(sentence, f"{what}: it ended with {code}")
            newest = whole.newest(run, what)
            found["disks"] += 1
            found["with a checkpoint"] += 0 < newest < stated
            whole.check(not (left := leftovers(run)), f"{what}: left over {left}")
            resize(64_000)
            whole.goes_on(whole.command(run, "--keep", "100"), run, f"{what}, enlarged")
    whole.check(found["with a checkpoint"] > 0, "no disk had room for a first checkpoint and none for the last")
    return dict(found)


def files_too_large(whole: WholeRun) -> str:
    """Train with a limit on the size of files, a byte below that of the state of training."""
    run, (first, *_) = whole.folder / "limited", checkpoint.checkpoints(whole.folder / "whole")
    size = (first / checkpoint.TRAINING_NAME).stat().st_size - 1

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then raises OSError
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    code = completed(whole.command(run), whole.said, limited)
    sentence = f"translate: The checkpoint of step 1 cannot be written to {run / 'checkpoints'} ("
    whole.check(code == 1 and whole.last_words().startswith(sentence), f"files of at most {size} bytes: it ended with {code}")
    whole.check(not (left := leftovers(run)), f"files of at most {size} bytes: left over {left}")
    whole.goes_on(whole.command(run), run, "without the limit")
    return f"at most {size} bytes"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disks", type=int, default=14, help="each 50 kB larger than the one before")
    values = parser.parse_args()
    parts: list[Part] = [("full disks", 12, lambda whole: full(whole, values.disks))] if values.disks else []
    return prove([*parts, ("files too large", 4, files_too_large)])


if __name__ == "__main__":
    sys.exit(main())
