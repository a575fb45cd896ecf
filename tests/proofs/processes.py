"""The command in forked processes: everything is imported once, before torch has started a thread, and a run begins at once."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from translate import Engine, cli

#: Seconds that no process of these proofs takes when all is well.
LONG = 120.0


def warm_up(data: Path) -> None:
    """Build such a run, and thereby import all that it needs: much of torch is imported at its first use."""
    Engine(
        "cyclegan", ("cat", "dog"), preset="paper", data=str(data), size=24, generator="resnet:blocks=0,channels=2", device="cpu"
    )
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "set OMP_NUM_THREADS=1: a process with threads cannot be forked"


def fork(work: Callable[[], int | None], said: Path) -> int:
    """Do ``work`` in a forked process, which exits with what it returns and adds its output to ``said``. Returns the process's id."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = work() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def start(arguments: list[str], said: Path, prepare: Callable[[], None] | None = None) -> int:
    """Fork a process that runs the command, after ``prepare``. Returns its id."""

    def work() -> int:
        if prepare is not None:
            prepare()
        return cli.main(arguments)

    return fork(work, said)


def ended(process: int, seconds: float = LONG) -> int:
    """Wait for a process and return its exit code, or minus the signal that killed it. After ``seconds`` it is killed: -9."""
    until = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(process, 9)
            until = float("inf")
        time.sleep(0.002)


def completed(arguments: list[str], said: Path, prepare: Callable[[], None] | None = None) -> int:
    """The exit code of the command, run to its end in a process of its own."""
    return ended(start(arguments, said, prepare))
