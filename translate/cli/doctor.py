"""``translate doctor``: what went wrong in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from translate.cli.arguments import Parser
from translate.cli.display import emit
from translate.doctor.doctor import look_back
from translate.errors import listed
from translate.options import Part
from translate.plugins import installed


def main(arguments: Sequence[str]) -> int:
    """Search the run's log, and print what was found and what to do."""
    parser = Parser(prog="translate doctor", description="Search a run's log for failures of training, and say what to do.")
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "--diagnoses",
        metavar="NAME[:KEY=VALUE,...]",
        nargs="+",
        default=["all"],
        help="'translate list diagnoses' shows them [all]",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    parts = [Part.of(each) for each in values.diagnoses]
    found = look_back(installed(), Path(values.run), parts)
    if values.json:
        emit([asdict(spell) for spell in found.spells])
        return 0
    for spell in found.spells:
        when = f"step {spell.first}" if spell.first == spell.last else f"steps {spell.first} to {spell.last}"
        print(f"{spell.name}, {when}: {spell.finding.evidence} {spell.finding.advice}")
    if not found.spells:
        print(f"Nothing was found; looked for {listed(found.looked_for)}.")
    return 0
