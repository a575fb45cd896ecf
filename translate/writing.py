"""Checkpoints written while training goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path


class Writer:
    """Writes one checkpoint at a time in a thread: who brings the next one waits until it is done."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._pending: Future[Path] | None = None

    def begin(self, write: Callable[[], Path]) -> None:
        """Start ``write``, which returns the folder of a checkpoint. There must be none under way: ask ``done`` first."""
        assert self._pending is None
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="translate-checkpoint")
        self._pending = self._pool.submit(write)

    def done(self, *, wait: bool) -> Path | None:
        """The checkpoint that has come to be on disk since this was asked last, or None. Raises what writing it raised."""
        pending = self._pending
        if pending is None or not (wait or pending.done()):
            return None
        try:
            return pending.result()
        finally:
            if pending.done():  # whoever was interrupted while waiting asks again
                self._pending = None
