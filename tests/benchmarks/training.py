"""A training step of each method, beside the public implementation's.

    OMP_NUM_THREADS=1 python tests/benchmarks/training.py [CASE ...] [--rounds 5] [--threads 1] [--device cpu] [--json]

A case is METHOD@SIZE, with ":bf16" for half precision: cyclegan@128, cyclegan@256:bf16, dcgan@64, discogan@64, vanilla@28. What is
compared takes turns in one process, "reference" (:mod:`reference`, pictures decoded and resized beforehand, loaded through a DataLoader),
"best" (the same with torch's best ordinary settings) and the engine, its loader, its log and its checks included. Printed are the median
times of a step, and the medians of the ratios within a round: of the clock, and of this process's processor time, which a busy machine
disturbs less.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import reference
import torch
from PIL import Image
from torch import Tensor
from turns import Turns, compared, table

import translate
from translate import Domain, Engine

CASES = ("cyclegan@128", "cyclegan@128:bf16", "dcgan@64", "dcgan@64:bf16", "discogan@64", "vanilla@28")


@dataclass(frozen=True)
class Method:
    """How a method is benchmarked: its reference, its domains, their channels, the batch, and how many steps make a turn."""

    reference: Callable[..., reference.Reference]
    domains: int
    channels: int
    batch: int
    steps: int
    options: dict[str, Any]


METHODS = {
    "cyclegan": Method(reference.CycleGAN, 2, 3, 1, 1, {"preset": "paper", "augment": "none"}),
    "dcgan": Method(reference.DCGAN, 1, 3, 64, 1, {"preset": "pytorch"}),
    "discogan": Method(reference.DiscoGAN, 2, 3, 64, 3, {"preset": "paper"}),
    "vanilla": Method(reference.Vanilla, 1, 1, 64, 30, {"preset": "report", "lr": 2e-4, "augment": "none"}),
}


class Noise(Domain):
    """Pictures of smooth noise, in memory."""

    origin = "memory"

    def __init__(self, name: str, size: int, channels: int, count: int = 64) -> None:
        self.name, self.channels = name, channels
        rng = np.random.default_rng(len(name) + ord(name[-1]))
        small = rng.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
        large = [np.asarray(Image.fromarray(each).resize((size, size), Image.Resampling.BICUBIC)) for each in small]
        self.pictures = np.stack(large)[..., :channels]

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> Any:
        return self.pictures[index]

    def fingerprint(self) -> str:
        return self.name


class Loaded(torch.utils.data.Dataset[Tensor]):
    """What the usual scripts do with a picture."""

    def __init__(self, domain: Noise) -> None:
        from torchvision import transforms

        self.domain = domain
        mean = (0.5,) * domain.channels
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, mean)])

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, index: int) -> Tensor:
        pixels = self.domain.pictures[(7919 * index) % len(self.domain)]
        result: Tensor = self.transform(Image.fromarray(pixels[..., 0] if self.domain.channels == 1 else pixels))
        return result


class Memory:
    """A plugin whose domains are noise."""

    def __init__(self, domains: dict[str, Noise]) -> None:
        self.domains = domains

    @translate.hookimpl
    def open_domain(self, name: str, split: str) -> Domain | None:
        return self.domains.get(name) if split == "train" else None


def theirs(method: Method, domains: list[Noise], device: torch.device, half: bool, **more: Any) -> Callable[[], None]:
    torch.manual_seed(0)
    made = method.reference(device, half=half, **more)
    streams = [iter(torch.utils.data.DataLoader(Loaded(domain), batch_size=method.batch)) for domain in domains]

    def turn() -> None:
        for _ in range(method.steps):
            made.step(*(next(stream).to(device) for stream in streams))

    return turn


def ours(name: str, method: Method, domains: list[Noise], device: torch.device, half: bool, size: int) -> Callable[[], None]:
    values = {**method.options, "size": size, "batch": method.batch, "precision": "bf16" if half else "fp32"}
    with translate.plugin(Memory({domain.name: domain for domain in domains}), "memory"):
        engine = Engine(
            name, [domain.name for domain in domains], **values, epochs=None, steps=1_000_000, device=str(device), workers=0
        )
    stream: Iterator[Any] = engine.steps()

    def turn() -> None:
        for _ in range(method.steps):
            next(stream)

    return turn


def measured(case: str, rounds: int, device: torch.device) -> dict[str, Any]:
    name, _, rest = case.partition("@")
    size, _, precision = rest.partition(":")
    method, half = METHODS[name], precision == "bf16"
    domains = [Noise(f"memory-{letter}", int(size), method.channels) for letter in "ab"[: method.domains]]
    blocks = {"blocks": 9 if int(size) >= 256 else 6} if name == "cyclegan" else {}
    ways = {
        "reference": Turns(theirs(method, domains, device, half, **blocks), method.steps),
        "best": Turns(theirs(method, domains, device, half, best=True, **blocks), method.steps),
        "translate": Turns(ours(name, method, domains, device, half, int(size)), method.steps),
    }
    return {"case": case, "threads": torch.get_num_threads(), "device": str(device), **compared(ways, rounds)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for case in given.cases:
        figures = measured(case, given.rounds, torch.device(given.device))
        print(json.dumps(figures) if given.json else table(case, figures, "step"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
