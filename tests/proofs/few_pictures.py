"""Few photographs: does a warm start beat scratch, and augmentation none, at equal time?

    python tests/proofs/few_pictures.py horse2zebra [--minutes 4] [--seeds 0 1] [--drawn RUN] [--runs scratch warm+paper ...]

The folder has the layout trainA, trainB, testA, testB: horses and zebras. 60 training photographs a side, chosen by the seed, train
CycleGAN (preset `quick`, 64 px, batch 2) for so many minutes of processor time; a first few steps tell how many steps that is, so that
every run goes through its whole schedule. What runs start from is the first part of their names:

* `scratch`: random weights.
* `weights`: the published weights `drawn-horse2zebra`, which hold translators only.
* `warm`: a run on drawings, judges and all: the default job of the command, done here first (650 steps, two minutes), or RUN.

The other parts: `flip`, `small` and `paper` are `--augment`, without which no training picture is changed; `diffaugment`, `translation`
(diffaugment:policy=translation+cutout) and `ada` are `--judge-augment`.

The pictures are judged by a network that no run knows: a classifier of horses and zebras, trained here on the photographs that were
*not* chosen. KID is of its last features, against all held-out photographs of the target; "called" is the share of translations that it
calls what they should be. Beside them stand the figures of inputs that nobody translated. Checks that the mean KID over both ways and all
seeds is lower for `warm` than for `scratch`, and lower with each change than without. Each run takes its minutes of one core, the
classifier about one and a half for each seed, and the scores a few seconds.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from translate import Engine, Evidence, FeatureExtractor, Figure, Score, Seen

SIDES = {"horse": "A", "zebra": "B"}
SIZE, CHOSEN = 64, 60
#: Steps whose time tells how many fit.
TRIAL = 12
CHANGES: Mapping[str, Mapping[str, str]] = {
    "flip": {"augment": "flip"},
    "small": {"augment": "small"},
    "paper": {"augment": "paper"},
    "diffaugment": {"judge_augment": "diffaugment"},
    "translation": {"judge_augment": "diffaugment:policy=translation+cutout"},
    "ada": {"judge_augment": "ada"},
}
RUNS = ("scratch", "weights", "warm", "warm+paper", "warm+small", "warm+translation")


class Classifier(FeatureExtractor):
    """A small network that tells horses from zebras; its features are what it sees before it decides."""

    label = "horse-or-zebra"

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 32), (32, 64), (64, 96), (96, 128)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(128, 2)

    def forward(self, images: Tensor) -> Seen:
        features = self.body(images)
        return Seen(features, self.head(features))


class Called(Score):
    """The share of pictures that the classifier calls what they should be."""

    needs = frozenset({"logits"})

    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        wanted = list(SIDES).index(evidence.target.name)
        figures = {}
        for name, which in (("called", "outputs"), ("called, inputs", "inputs"), ("called, real", "real")):
            logits = evidence.seen(which).logits
            figures[name] = Figure(float((logits.argmax(1) == wanted).double().mean()), "higher")
        return figures


def pictures(paths: Sequence[Path]) -> Tensor:
    """(N, 3, SIZE, SIZE) in [-1, 1]."""
    arrays = []
    for path in paths:
        with Image.open(path) as image:
            arrays.append(np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)))
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def trained_classifier(sides: Sequence[Tensor], rounds: int = 15) -> Classifier:
    """On crops, flips and mild changes of brightness of ``sides``, as many of each side in a batch."""
    torch.manual_seed(0)
    network = Classifier()
    steps = rounds * (min(len(side) for side in sides) // 16)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    padded = [functional.pad(side, [6] * 4, mode="reflect") for side in sides]
    labels = torch.arange(2).repeat_interleave(16)
    network.train()
    for _ in range(steps):
        batch = torch.cat([side[torch.randint(len(side), (16,))] for side in padded])
        top, left = torch.randint(0, 13, (2,)).tolist()
        batch = batch[:, :, top : top + SIZE, left : left + SIZE]
        batch = torch.where(torch.rand(32, 1, 1, 1) < 0.5, batch.flip(3), batch) + 0.2 * torch.randn(32, 1, 1, 1)
        loss = functional.cross_entropy(network(batch).logits, labels, label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def gathered(data: Path, out: Path, seed: int) -> list[list[Path]]:
    """Copy the chosen training photographs and all test ones to ``out``; the other training ones are returned."""
    rest = []
    draws = np.random.default_rng(seed)
    for name, letter in SIDES.items():
        train = sorted((data / f"train{letter}").iterdir())
        chosen = set(draws.permutation(len(train))[:CHOSEN].tolist())
        rest.append([path for index, path in enumerate(train) if index not in chosen])
        files = {"train": [train[index] for index in sorted(chosen)], "test": sorted((data / f"test{letter}").iterdir())}
        for split, paths in files.items():
            folder = out / split / name
            folder.mkdir(parents=True)
            for path in paths:
                shutil.copy(path, folder)
    return rest


def settings(run: str, seed: int, data: Path, drawn: str) -> dict[str, Any]:
    start, *changes = run.split("+")
    begins = {"scratch": None, "weights": "drawn-horse2zebra", "warm": drawn}
    values: dict[str, Any] = {"preset": "quick", "size": SIZE, "device": "cpu", "workers": 0, "seed": seed, "data": str(data)}
    values |= {"augment": "none", "log_every": 50, "init_from": begins[start]}
    for change in changes:
        values |= CHANGES[change]
    return values


def trained(values: Mapping[str, Any], minutes: float) -> tuple[Engine, float]:
    """A run of as many steps as fit, and the minutes of processor time that it took."""

    def spent(steps: int) -> tuple[Engine, float]:
        engine = Engine("cyclegan", tuple(SIDES), **values, steps=steps)
        start = time.process_time()
        for _ in engine.steps():
            pass
        return engine, (time.process_time() - start) / 60

    spent(2)  # what happens only once is no part of a step's time
    _, trial = spent(TRIAL)
    return spent(max(1, round(TRIAL * minutes / trial)))


def drawn_run(out: Path) -> str:
    """The default job: 650 steps on drawings."""
    Engine("cyclegan", tuple(SIDES), preset="quick", device="cpu", workers=0, seed=1, out=out).fit()
    return str(out)


def scored(engine: Engine, classifier: Classifier) -> float:
    """Print the figures of both ways, and return their mean KID."""
    rows = engine.evaluate(scores=("kid", Called(), "change"), features=classifier).rows
    for way in dict.fromkeys(row.way for row in rows):
        figures = {row.name.partition("[")[0]: row.figure for row in rows if row.way == way}
        kid = figures["KID"]
        print(
            f"  {way}: KID {kid.value:.4f} [{kid.low:.4f}, {kid.high:.4f}] (inputs {figures['KID of the inputs'].value:.4f}), "
            f"called {figures['called'].value:.3f} (inputs {figures['called, inputs'].value:.3f}, "
            f"real {figures['called, real'].value:.3f}), change {figures['change'].value:.3f}, "
            f"diversity {figures['diversity'].value:.3f}"
        )
    return float(np.mean([row.figure.value for row in rows if row.name.startswith("KID[")]))


def compared(kids: Mapping[str, Sequence[float]]) -> bool:
    """Print the mean over seeds for each run, and whether each is lower than that which it is to beat."""
    means = {run: float(np.mean(each)) for run, each in kids.items()}
    rivals = {run: run.partition("+")[0] if "+" in run else "scratch" for run in means if run not in ("scratch", "weights")}
    for run, mean in means.items():
        rival = rivals.get(run)
        verdict = f"; {'lower' if mean < means[rival] else 'not lower'} than {rival}" if rival in means else ""
        print(f"{run}: mean KID {mean:.4f} over {len(kids[run])} seeds{verdict}")
    return all(means[run] < means[rival] for run, rival in rivals.items() if rival in means)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1))
    parser.add_argument("--drawn")
    parser.add_argument("--runs", nargs="+", default=RUNS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    kids: dict[str, list[float]] = {run: [] for run in given.runs}
    with tempfile.TemporaryDirectory() as folder:
        drawn = given.drawn or drawn_run(Path(folder, "drawn"))
        for seed in given.seeds:
            data = Path(folder, f"photographs-{seed}")
            classifier = trained_classifier([pictures(paths) for paths in gathered(given.data, data, seed)])
            for run in given.runs:
                engine, minutes = trained(settings(run, seed, data, drawn), given.minutes)
                print(f"{run}, seed {seed}: {engine.step} steps, {minutes:.2f} min of processor time")
                kids[run].append(scored(engine, classifier))
                print(f"  mean KID {kids[run][-1]:.4f}", flush=True)
    return 0 if compared(kids) else 1


if __name__ == "__main__":
    sys.exit(main())
