"""How much memory there is for this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

#: Taken for what there is where the system does not tell.
UNKNOWN = 4 << 30
#: Where Linux says which control groups a process is in, and what bounds they have.
GROUPS, MOUNTED = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def memory() -> int:
    """Bytes of memory that this process may take: those of the machine, or fewer where the container or job that it runs in is bounded."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else UNKNOWN
    return min([machine, *_bounds()])


def _bounds() -> Iterator[int]:
    """The bounds of the control groups that the process is in, and of those around them; whoever goes beyond one is killed."""
    for line in _text(GROUPS).splitlines():
        controllers, _, group = line.partition(":")[2].partition(":")
        if controllers in ("", "memory"):  # of version 2, or of version 1
            place = MOUNTED / controllers
            inner = place / group.lstrip("/")
            for folder in (inner, *inner.parents):
                bound = _text(folder / ("memory.limit_in_bytes" if controllers else "memory.max")).strip()
                if bound.isdecimal():
                    yield int(bound)
                if folder == place:
                    break


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
