"""``translate evaluate``: score what trained weights make."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from translate.checkpoint import RECORD_NAME, read_record
from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.engine import Engine
from translate.errors import UserError, listed
from translate.metrics.evaluation import Evaluation


def main(arguments: Sequence[str]) -> int:
    """Compute the scores and print them with their protocol."""
    parser = Parser(
        prog="translate evaluate",
        description="Score trained weights on pictures that they have not seen. Figures are comparable only under one protocol.",
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a run, a checkpoint, a weights file or a published name")
    parser.add_argument(
        "--data", metavar="DIR", help="folder with the pictures [where the run's were, or as for 'translate run']"
    )
    parser.add_argument(
        "--scores", metavar="NAME[:KEY=VALUE,...]", nargs="+", default=["all"], help="'translate list scores' shows them [all]"
    )
    parser.add_argument(
        "--features",
        metavar="NAME[:KEY=VALUE,...]",
        help="what sees pictures for the scores that compare distributions; 'translate list features' shows what there is [none]",
    )
    parser.add_argument("--count", metavar="N", default="500", help="samples of each domain, at most [500]")
    parser.add_argument("--seed", metavar="N", default="0", help="seed of noise and of bootstraps [0]")
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda, cuda:1 or mps [auto]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    count, seed = _whole("--count", values.count, 1), _whole("--seed", values.seed, 0)
    data, settings = _recorded(values.weights, values.data)
    engine = Engine.load(values.weights, device=values.device)
    evaluation = engine.evaluate(
        data,
        scores=values.scores,
        features=values.features,
        count=count,
        seed=seed,
        **settings,
    )
    if values.json:
        emit(evaluation.plain())
        return 0
    protocol = evaluation.protocol
    pictures = " + ".join(f"{number} {name} ({protocol['split'][name]})" for name, number in protocol["pictures"].items())
    print("; ".join(f"{name}: {each['origin']}" for name, each in protocol["data"].items()) + ".")
    print(f"{protocol['recipe']} at step {protocol['step']}{', averaged' * protocol['averaged']}; on {pictures}; seed {seed}.")
    print(evaluation)
    for line in _left_out(evaluation):
        print(line)
    if not evaluation.rows:
        raise UserError("No score could be computed.")
    return 0


def _left_out(evaluation: Evaluation) -> Iterator[str]:
    """A line for each score that was left out and each reason, which names the directions where there are others."""
    ways: dict[tuple[str, str], list[str]] = {}
    for what, reason in evaluation.left_out.items():
        way, _, score = what.rpartition(": ")
        ways.setdefault((score, reason), []).append(way)
    every = {row.way for row in evaluation.rows}.union(*ways.values()) - {""}
    for (score, reason), mine in ways.items():
        everywhere = set(mine) in ({""}, every)  # one that could not be made is of no direction
        yield f"left out {score}{'' if everywhere else f' for {listed(mine)}'}: {reason}"


def _recorded(weights: str, data: str | None) -> tuple[str | None, dict[str, Any]]:
    """Of a run, where ``weights`` is one or in one: its data folder, unless ``data`` names another, and which pictures of it, how.

    Raises UserError where that folder is gone.
    """
    path = Path(os.path.expanduser(weights))
    places = [path, *path.absolute().parents][:4] if path.exists() else []  # run, checkpoints, step, file
    run = next((place for place in places if (place / RECORD_NAME).is_file()), None)
    if run is None:
        return data, {}
    record = read_record(run)
    root = record.get("root")
    if data is None and root and not Path(root).is_dir():
        raise UserError(f"The pictures of the run in {run} were in {root}, which is gone; say where they are with --data DIR.")
    chosen = {name: each for name, each in record.get("run", {}).items() if name in ("domains", "holdout", "holdout_seed", "fit")}
    return data or root, chosen


def _whole(flag: str, text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise UserError(f"{flag} is {text!r}; it must be a whole number from {least} on.")
    return int(text)
