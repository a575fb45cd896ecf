"""``translate evaluate``: score what trained weights make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from translate.checkpoint import RECORD_NAME, read_record
from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.engine import Engine
from translate.errors import UserError


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
    parser.add_argument("--count", metavar="N", default="1000", help="samples of each domain, at most [1000]")
    parser.add_argument("--seed", metavar="N", default="0", help="seed of noise and of bootstraps [0]")
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda, cuda:1 or mps [auto]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    count, seed = _whole("--count", values.count, 1), _whole("--seed", values.seed, 0)
    data, settings = _recorded(values.weights)
    engine = Engine.load(values.weights, device=values.device)
    evaluation = engine.evaluate(
        values.data or data,
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
    print(f"{protocol['recipe']} at step {protocol['step']}{', averaged' * protocol['averaged']}; on {pictures}; seed {seed}.")
    print(evaluation)
    for what, reason in evaluation.left_out.items():
        print(f"left out {what}: {reason}")
    if not evaluation.rows:
        raise UserError("No score could be computed.")
    return 0


def _recorded(weights: str) -> tuple[str | None, dict[str, Any]]:
    """Of a run, where ``weights`` is one: its data folder, where that is still there, and which pictures of it, how."""
    for folder in (Path(weights), Path(weights).parent.parent):
        if (folder / RECORD_NAME).is_file():
            record = read_record(folder)
            root, run = record.get("root"), record.get("run", {})
            settings = {name: run[name] for name in ("domains", "holdout", "holdout_seed", "fit") if name in run}
            return (root if root and Path(root).is_dir() else None), settings
    return None, {}


def _whole(flag: str, text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise UserError(f"{flag} is {text!r}; it must be a whole number from {least} on.")
    return int(text)
