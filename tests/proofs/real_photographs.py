"""Real photographs, from start to translated files.

    python tests/proofs/real_photographs.py horse2zebra

The folder has the layout trainA, trainB, testA, testB. Trains 300 steps at 128 px with the command's defaults for a CPU.
Checks that the cycle loss of the last 50 steps is below 0.8 of that of the first 50, and that `translate apply` turns every
picture of testA into a file of the same name and size. Takes about five minutes on two cores. What 300 steps learn is no
zebra yet: this proves the way, not the quality.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from PIL import Image

from translate.cli import main as translate


def cycle_losses(log: Path, first: int, last: int) -> float:
    """The mean cycle loss, both ways, of the lines of the log from step ``first`` to ``last``."""
    lines = [json.loads(line)["losses"] for line in log.read_text().splitlines() if first < json.loads(line)["step"] <= last]
    return sum(line["generators/cycle_x"] + line["generators/cycle_y"] for line in lines) / len(lines)


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def main() -> int:
    data = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        run, out = Path(folder, "run"), Path(folder, "zebras")
        names = ["--domains", "horse", "zebra", "--data", str(data)]
        assert (
            translate(["run", "cyclegan", *names, "--size", "128", "--steps", "300", "--preset", "quick", "--out", str(run)]) == 0
        )
        assert translate(["apply", str(run), str(data / "testA"), "--to", "zebra", "-o", str(out)]) == 0
        before, after = cycle_losses(run / "log.jsonl", 0, 50), cycle_losses(run / "log.jsonl", 250, 300)
        inputs = sorted((data / "testA").iterdir())
        same = sum((out / path.name).is_file() and size(out / path.name) == size(path) for path in inputs)
        files = sum(1 for _ in out.iterdir())
    print(
        f"cycle loss: {before:.3f} over the first 50 steps, {after:.3f} over the last 50: ratio {after / before:.3f}   bound < 0.8"
    )
    print(f"translated files of the same name and size: {same} of {len(inputs)}, among {files} files")
    return 0 if after < 0.8 * before and same == files == len(inputs) else 1


if __name__ == "__main__":
    sys.exit(main())
