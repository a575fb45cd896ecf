"""``translate resume``: go on with a run that was stopped."""

from __future__ import annotations

from collections.abc import Sequence

from translate.cli.arguments import Parser
from translate.cli.run import finished, train
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
        "--diagnoses", metavar="NAME", nargs="+", help="what is looked for in the run's reports from here on: all, none, or names"
    )
    parser.add_argument(
        "--on-plugin-error", metavar="fail|disable", help="what happens where a plugin fails that is no part of the run"
    )
    parser.add_argument("--steps", metavar="N", help="make the run N steps long in all, finished or not")
    parser.add_argument("--epochs", metavar="N", help="make the run N epochs long in all, finished or not")
    parser.add_argument(
        "--anneal",
        action="store_true",
        help="with --steps or --epochs: let learning rates fall from where they stand; otherwise their curves begin anew over what is left",
    )
    parser.add_argument(
        "--override",
        metavar="NAME=VALUE",
        nargs="+",
        default=[],
        help="go on with other options than the run began with; the run's record names them",
    )
    values = vars(parser.parse(arguments))
    run, anneal, override = values.pop("run"), values.pop("anneal"), dict(map(_changed, values.pop("override")))
    steps, epochs = values.pop("steps"), values.pop("epochs")
    engine = Engine.resume(run, override=override, **{key: value for key, value in values.items() if value is not None})
    if steps is not None or epochs is not None:
        engine.extend(steps=steps, epochs=epochs, anneal=anneal)
    elif anneal:
        raise UserError("--anneal says how rates end; say when, too, by --steps or --epochs.")
    if engine.step >= engine.total:
        print(finished(engine))
        return 0
    if not engine.step:
        print(f"There is no checkpoint in {run} yet, so the run begins again.")
    train(engine)
    return 0


def _changed(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` of an option."""
    name, equals, value = text.partition("=")
    name = name.replace("-", "_")
    if not equals or not name:
        raise UserError(f"--override takes NAME=VALUE, such as lr=1e-4, not '{text}'.")
    if name in ("steps", "epochs", "domains"):
        instead = "start a new run" if name == "domains" else f"--{name} N makes a run longer"
        raise UserError(f"--override cannot change '{name}'; {instead}.")
    return name, value
