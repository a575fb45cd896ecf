"""What the proofs about runs that are stopped have in common: a run whose steps take milliseconds, digests of its states, and processes.

The command runs in forked processes: everything is imported once, before torch has started a thread, and a run begins at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from translate import Engine, checkpoint, cli, weights

#: The domains and options of a small run of each method, as keyword arguments of Engine; its pictures are those of ``draw_pictures``.
METHODS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "vanilla": (
        ("cat",),
        {"preset": "report", "size": 16, "batch": 2, "generator": "mlp:widths=8", "discriminator": "mlp:widths=8", "z": 4},
    ),
    "dcgan": (
        ("cat",),
        {
            "preset": "pytorch",
            "size": 32,
            "batch": 2,
            "generator": "dcgan:channels=2",
            "discriminator": "dcgan:channels=2",
            "z": 4,
        },
    ),
    "cyclegan": (
        ("cat", "dog"),
        {
            "preset": "paper",
            "size": 16,
            "batch": 1,
            "generator": "resnet:blocks=0,channels=2",
            "discriminator": "patch:layers=1,channels=2",
            "pool_size": 3,
        },
    ),
    "discogan": (
        ("cat", "dog"),
        {"preset": "paper", "size": 32, "batch": 2, "generator": "discogan:channels=2", "discriminator": "discogan:channels=2"},
    ),
}
#: Seconds that no process of these proofs takes when all is well.
LONG = 120.0


def draw_pictures(folder: Path, count: int = 5) -> Path:
    """A data set of two domains, ``cat`` and ``dog``, of random pictures of 16 x 16 pixels."""
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            values = np.random.default_rng((number, index)).integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(values).save(folder / name / f"{index}.png")
    return folder


def command(data: Path, out: Path, steps: int, *more: str) -> list[str]:
    """The arguments of a ``translate run`` that writes a checkpoint at every step."""
    settings = {
        "--preset": "paper",
        "--data": str(data),
        "--out": str(out),
        "--size": "16",
        "--batch": "1",
        "--steps": str(steps),
        "--generator": "resnet:blocks=0,channels=2",
        "--discriminator": "patch:layers=1,channels=2",
        "--pool-size": "3",
        "--ema": "0.9",
        "--workers": "0",
        "--device": "cpu",
        "--log-every": "1",
        "--sample-every": "20",
        "--checkpoint-every": "1",
    }
    return ["run", "cyclegan", "--domains", "cat", "dog", *(each for pair in settings.items() for each in pair), *more]


def warm_up(data: Path) -> None:
    """Build such a run, and thereby import all that it needs: much of torch is imported at its first use."""
    Engine(
        "cyclegan", ("cat", "dog"), preset="paper", data=str(data), size=24, generator="resnet:blocks=0,channels=2", device="cpu"
    )
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "set OMP_NUM_THREADS=1: a process with threads cannot be forked"


def digest(tensors: dict[str, Tensor], progress: dict[str, int]) -> str:
    """SHA-256 of named tensors, their types, shapes and bytes, and of the counts of a run."""
    result = hashlib.sha256(json.dumps(progress, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        result.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        result.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return result.hexdigest()


def checkpoint_digest(folder: Path) -> str:
    """The digest of all that a checkpoint holds: networks, averages, pools, moments, and what it exports. It is verified as it is read."""
    state, progress = checkpoint.load_training(folder)
    exported, _ = checkpoint.load_weights(folder / weights.WEIGHTS_NAME)
    return digest({**state, **{f"exported/{name}": each for name, each in exported.items()}}, progress)


def checkpoint_digests(run: Path) -> dict[int, str]:
    """The digests of a run's checkpoints by step."""
    return {int(each.name): checkpoint_digest(each) for each in checkpoint.checkpoints(run)}


def leftovers(run: Path) -> list[str]:
    """Files and folders of a run that have names of things that are being written."""
    return [str(each.relative_to(run)) for each in run.rglob("*") if each.name.startswith(".") or each.name.endswith(".tmp")]


def losses(run: Path) -> list[tuple[int, dict[str, float]]]:
    """Step and losses of each line of the log."""
    lines = [json.loads(line) for line in (run / checkpoint.LOG_NAME).read_text().splitlines()]
    return [(line["step"], line["losses"]) for line in lines]


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


def noting_saves(trace: Path) -> Callable[[], None]:
    """What makes a process note in ``trace`` when a checkpoint begins to be written, and when it is done."""

    def prepare() -> None:
        trace.write_bytes(b"")
        save = checkpoint.save_checkpoint
        descriptor = os.open(trace, os.O_WRONLY | os.O_APPEND)

        def noted(run: Path, step: int, *rest: object) -> Path:
            os.write(descriptor, f"begun {step}\n".encode())
            folder = save(run, step, *rest)  # type: ignore[arg-type]
            os.write(descriptor, f"done {step}\n".encode())
            return folder

        checkpoint.save_checkpoint = noted  # type: ignore[assignment]

    return prepare


def noted(trace: Path) -> tuple[int, int]:
    """The last step whose checkpoint was begun, and the last whose was done, in a trace; 0 where there is none."""
    last = {"begun": 0, "done": 0}
    if trace.exists():
        for line in trace.read_text().splitlines():
            what, step = line.split()
            last[what] = int(step)
    return last["begun"], last["done"]


def report(failures: list[str]) -> int:
    """Say how a proof ended, and return its exit code."""
    for failure in failures:
        print(f"WRONG: {failure}")
    print("as it should be" if not failures else f"{len(failures)} failures")
    return 1 if failures else 0
