"""The undisturbed run, with which runs that are killed, stopped or out of room are compared, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from proofs.processes import completed, warm_up
from proofs.small_run import checkpoint_digest, checkpoint_digests, command, draw_pictures, leftovers, losses, report, workshop

from translate import checkpoint


class WholeRun:
    """A run of ``steps`` steps in ``folder`` that trained to its end, each step a checkpoint; and what was found wrong with others."""

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder, self.steps, self.failures = folder, steps, list[str]()
        self.data, self.said, self.trace = draw_pictures(folder / "data"), folder / "said", folder / "trace"
        warm_up(self.data)
        whole = folder / "whole"
        code = completed(self.command(whole, "--keep", "10000"), self.said)
        self.truth, self.losses, self.pictures = checkpoint_digests(whole), losses(whole), pictures(whole)
        self.check(code == 0 and sorted(self.truth) == [*range(1, steps + 1)], f"the undisturbed run ended with {code}")

    def command(self, out: Path, *more: str) -> list[str]:
        """The arguments of the same run in another folder."""
        return command(self.data, out, self.steps, *more)

    def check(self, right: bool, what: str) -> bool:
        """Note ``what`` where something is not ``right``."""
        if not right:
            self.failures.append(f"{what} ({self.last_words()})")
        return right

    def last_words(self) -> str:
        """What the last process said at the end."""
        said = self.said.read_text(errors="replace").strip().splitlines() if self.said.exists() else []
        return said[-1][-300:] if said else "it said nothing"

    def newest(self, run: Path, what: str) -> int:
        """The step of the newest complete checkpoint, or 0; each that is there must be readable, and that of the undisturbed run."""
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
        self.check(pictures(run) == self.pictures, f"{what}: pictures in samples/ are not those of the undisturbed run")

    def goes_on(self, arguments: list[str], run: Path, what: str) -> None:
        """The command with these ``arguments`` must bring a run that was stopped to its end, if it is not there."""
        code = completed(arguments, self.said)
        done = code == 2 and "is finished" in self.last_words()
        if self.check(code == 0 or done, f"{what}: started again, it ended with {code}"):
            self.finished(run, what)


def newest_step(run: Path) -> int:
    """The step of the newest complete checkpoint, or 0."""
    latest = checkpoint.latest_checkpoint(run)
    return int(latest.name) if latest else 0


def pictures(run: Path) -> dict[str, bytes]:
    """All pictures that a run has kept, by their path."""
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*.png")}


#: A part of a proof: its title, the length of its runs in steps, and what compares others with the undisturbed one and returns figures.
Part = tuple[str, int, Callable[[WholeRun], object]]


def prove(parts: list[Part]) -> int:
    """Go through the parts of a proof, print their figures, and return the exit code."""
    failures: list[str] = []
    with workshop() as folder:
        for number, (title, steps, part) in enumerate(parts):
            begun = time.monotonic()
            whole = WholeRun(folder / str(number), steps)
            figures = part(whole)
            failures += [f"{title}: {each}" for each in whole.failures]
            print(f"{title}: {figures}; {len(whole.failures)} failures, {time.monotonic() - begun:.0f} s", flush=True)
    return report(failures)
