"""Do packages of third parties work as wheels beside the project's wheel, in an environment of their own?

    python tests/proofs/plugin_wheels.py

Builds the project's wheel and those of tests/example_plugins, installs them (not editable) into a new virtual environment that sees
the dependencies of this one, and there, in processes of their own: lists the plugins, checks each with the conformance kit, trains a
few steps with a part of each by name, and loads the weights again, in another process. Then, in a second environment with the project's
wheel alone, sees how weights that need a plugin are refused. Prints a line for each; exits with 1 where one is not as it should be. Two
minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "tests" / "example_plugins").iterdir() if (path / "pyproject.toml").is_file())
#: What is trained with each package, after "translate run".
RUNS = {
    "loss": "cyclegan --domains horse zebra --adversarial pearson",
    "generator": "cyclegan --domains horse zebra --generator shuffle:channels=4",
    "data": "cyclegan --domains one two --data npz",
    "logger": "cyclegan --domains horse zebra",
    "cut": "cut --domains horse zebra --generator resnet:blocks=2,channels=4",
    "stargan": "stargan --domains horse zebra young --steps 6",
    "pix2pix": "pix2pix --domains left right --data pairs --generator unet:channels=4",
}
SMALL = "--size 32 --batch 2 --workers 0 --log-every 1 --device cpu"


def environment(folder: Path, wheels: list[Path]) -> Path:
    """A new environment with ``wheels``, and the dependencies that are installed here; its Python."""
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    site = next(folder.rglob("site-packages"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), *map(str, wheels)],
        check=True,
    )
    # What is editable here comes through .pth files, which are not read from a folder that a .pth file names: the wheels are what is seen.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def clean() -> dict[str, str]:
    """The environment without what could lead back to this checkout."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONPATH", "TRANSLATE_"))}


def translate(python: Path, words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), "-m", "translate", *words.split()], cwd=cwd, env=clean(), capture_output=True, text=True, check=False
    )


def make_data(root: Path) -> None:
    """Pictures for the packages that bring no drawn domain: arrays in .npz files, and two folders of pairs."""
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        (root / "npz").mkdir(exist_ok=True)
        np.savez(root / "npz" / f"{name}.npz", train=rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8))
    for side in ("left", "right"):
        for number in range(4):
            path = root / "pairs" / side / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)


def main() -> int:
    failed = 0

    def say(what: str, right: bool, more: str = "") -> None:
        nonlocal failed
        failed += not right
        print(f"{'ok    ' if right else 'FAILED'} {what}{': ' * bool(more)}{more}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for project in (ROOT, *EXAMPLES):
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "wheel",
                    "-q",
                    "--no-deps",
                    "--no-build-isolation",
                    "-w",
                    str(root / "wheels"),
                    str(project),
                ],
                check=True,
            )
        wheels = sorted((root / "wheels").glob("*.whl"))
        own = [wheel for wheel in wheels if wheel.name.startswith("image_translate")]
        with_plugins, without = environment(root / "with", wheels), environment(root / "without", own)
        make_data(root)
        where = subprocess.run(
            [str(with_plugins), "-c", "import translate; print(translate.__file__)"],
            env=clean(),
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        say("the wheel is what is imported", str(root / "with") in where, where.strip())
        rows = json.loads(translate(with_plugins, "plugins list --json", root).stdout)
        found = {row["name"]: row for row in rows if row["distribution"].startswith("translate-example")}
        states = ", ".join(f"{name} {row['version']} {row['state']}" for name, row in found.items())
        built = len(wheels) - len(own)
        say(f"all {built} are found", len(found) == built and all(row["state"] == "loaded" for row in found.values()), states)
        for name in found:
            checked = translate(with_plugins, f"plugins check {name}", root)
            say(f"{name} conforms", checked.returncode == 0, (checked.stdout.strip().splitlines() or [checked.stderr])[-1])
        for package, words in RUNS.items():
            steps = "" if "--steps" in words else "--steps 2"
            run = translate(with_plugins, f"run {words} {steps} {SMALL} --out runs/{package}", root)
            say(f"{package} trains", run.returncode == 0, run.stderr.strip())
            shown = translate(with_plugins, f"show runs/{package}", root)
            applied = translate(with_plugins, f"apply runs/{package} runs/{package}/samples/inputs -o made/{package}", root)
            say(
                f"{package} is loaded in another process",
                shown.returncode == applied.returncode == 0,
                applied.stdout.strip() or applied.stderr,
            )
        for package in ("generator", "cut"):
            refused = translate(without, f"apply runs/{package} runs/{package}/samples/inputs -o no", root)
            told = (
                refused.returncode == 2
                and f"pip install translate-example-{package}" in refused.stderr
                and refused.stderr.count("\n") == 1
            )
            say(f"{package} is refused in one sentence where its plugin is missing", told, refused.stderr.strip())
        used = translate(without, "apply runs/loss runs/loss/samples/inputs/horse -o without-loss", root)
        say("weights trained with a missing loss still translate", used.returncode == 0, used.stdout.strip() or used.stderr)
    print(f"{failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
