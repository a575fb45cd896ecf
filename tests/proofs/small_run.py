"""What the proofs about runs that are stopped have in common: runs whose steps take milliseconds, and digests of what they are."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from translate import checkpoint, weights

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


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder to work in, in which decoded pictures are kept, too."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["TRANSLATE_CACHE"] = str(Path(name) / "cache")
        yield Path(name)


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
    """What a run holds that has the name of something that is being written, and checkpoints that are not complete."""
    written = [each for each in run.rglob("*") if each.name.startswith(".") or each.name.endswith(".tmp")]
    incomplete = {*run.glob("checkpoints/*")} - {*checkpoint.checkpoints(run)} - {*written}
    return [str(each.relative_to(run)) for each in (*written, *incomplete)]


def losses(run: Path) -> list[tuple[int, dict[str, float]]]:
    """Step and losses of each line of the log."""
    lines = [json.loads(line) for line in (run / checkpoint.LOG_NAME).read_text().splitlines()]
    return [(line["step"], line["losses"]) for line in lines]


def report(failures: list[str]) -> int:
    """Say how a proof ended, and return its exit code."""
    for failure in failures:
        print(f"WRONG: {failure}")
    print("as it should be" if not failures else f"{len(failures)} failures")
    return 1 if failures else 0
