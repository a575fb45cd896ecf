"""Stopping a run without losing anything."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether the process was asked to stop; ``signal`` is 0 until it was."""

    signal = 0


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP is only noted, so that the step at hand can end and be saved; a second one stops at once.

    That is by a KeyboardInterrupt with the number of the signal.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # signals reach the main thread only
        return

    def note(number: int, frame: FrameType | None) -> None:
        if request.signal:
            raise KeyboardInterrupt(number)
        request.signal = number

    before = {number: signal.signal(number, note) for number in _numbers()}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _numbers() -> list[signal.Signals]:
    """The signals that ask to stop: also that of a terminal that is closed, where there is one and nobody chose not to hear it."""
    asking = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asking.append(signal.SIGHUP)
    return asking
