"""``translate resume``: go on with a run that was stopped."""

from __future__ import annotations

from collections.abc import Sequence

from translate.cli.arguments import Parser
from translate.cli.run import train
from translate.engine import Engine
from translate.errors import UserError


def main(arguments: Sequence[str]) -> int:
    """Go on where the run's latest checkpoint is."""
    parser = Parser(
        prog="translate resume",
        description="Go on with a run that was stopped, from its latest checkpoint; the result is that of a run that was never stopped.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder of the run, such as runs/cyclegan-horse-zebra")
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--workers", metavar="N", help="threads that load pictures ahead")
    parser.add_argument("--data", metavar="DIR", help="where the pictures are, if they were moved")
    parser.add_argument(
        "--listeners", metavar="NAME", nargs="*", help="what else is told of the run's events from here on; none where empty"
    )
    parser.add_argument(
        "--on-plugin-error", metavar="fail|disable", help="what happens where a plugin fails that is no part of the run"
    )
    values = vars(parser.parse(arguments))
    run = values.pop("run")
    engine = Engine.resume(run, **{key: value for key, value in values.items() if value is not None})
    if engine.step >= engine.total:
        raise UserError(
            f"The run in {run} is finished: {engine.step} of {engine.total} steps are done; start a new one with --init-from {run}."
        )
    if not engine.step:
        print(f"There is no checkpoint in {run} yet, so the run begins again.")
    train(engine)
    return 0
