"""Measures ways of doing one thing in turns, A B C A B C, in one process: what disturbs one disturbs the others as well."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Turns:
    """A way, how often a turn does the thing, and the seconds each time: of the clock, and of this process's processor time."""

    turn: Callable[[], None]
    times: int = 1
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def take(self) -> None:
        start, used = time.perf_counter(), time.process_time()
        self.turn()
        self.clock.append((time.perf_counter() - start) / self.times)
        self.processor.append((time.process_time() - used) / self.times)


def compared(ways: Mapping[str, Turns], rounds: int) -> dict[str, Any]:
    """Each way's median seconds, and how many times as fast as the first it is: medians of the ratios within a round.

    One round before is not counted.
    """
    for each in ways.values():
        each.turn()
    for _ in range(rounds):
        for each in ways.values():
            each.take()
    first = next(iter(ways.values()))
    return {
        "rounds": rounds,
        "ways": {
            name: {
                "seconds": statistics.median(each.clock),
                "processor seconds": statistics.median(each.processor),
                "times by clock": ratio(first.clock, each.clock),
                "times by processor": ratio(first.processor, each.processor),
            }
            for name, each in ways.items()
        },
    }


def table(title: str, figures: Mapping[str, Any], unit: str) -> str:
    """What was compared, for people: a line for each way, of the milliseconds that a ``unit`` takes."""
    threads = figures["threads"]
    lines = [f"{title}, {threads} thread{'s' * (threads > 1)}"]
    for way, each in figures["ways"].items():
        error = f"; largest error {each['largest error']:.1e}" if "largest error" in each else ""
        lines.append(
            f"  {way:<10} {each['seconds'] * 1e3:9.2f} ms a {unit}   times reference: {each['times by clock']:.3f} by the clock, "
            f"{each['times by processor']:.3f} by processor time{error}"
        )
    return "\n".join(lines)


def ratio(first: list[float], other: list[float]) -> float:
    return statistics.median(one / two for one, two in zip(first, other, strict=True))
