"""Samples in a file, made once and shared by all processes, and believed only where their checksum holds.

A file begins with a page that says, for people, what is in it; then follow a record for each sample, and the samples back to back. It is
sparse: samples are added one by one, in any order, by any number of processes at once. The sample is written first and then its record, so
that a writer that dies, or a disk that fills, leaves a sample that nobody believes in. Two processes that write the same sample
write the same bytes.

Files are read and written by position and not mapped into memory: where a mapped file is cut short or its disk fails, the
process dies, and here it is told.
"""

from __future__ import annotations

import json
import math
import os
import struct
import weakref
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from translate.data.domain import Array

PAGE = 4096
#: Whether the sample is there, and the CRC-32 of its number and bytes.
RECORD = struct.Struct("<II")
THERE = 1


class PixelFile:
    """``count`` samples of one ``shape`` and ``dtype`` in the file ``path``, which is made where it is missing.

    ``about`` is what the file says of itself. Samples from number ``room`` on are not taken. While it is open, no other process removes the
    file. Raises OSError where it cannot be opened or made.
    """

    def __init__(
        self,
        path: Path,
        count: int,
        shape: tuple[int, ...],
        dtype: str,
        *,
        room: int | None = None,
        about: Mapping[str, object] | None = None,
    ) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self.room = count if room is None else min(count, room)
        self._bytes = sample_bytes(shape, dtype)
        self._samples = -(-(PAGE + count * RECORD.size) // PAGE) * PAGE
        #: Which samples have been found to be whole by this process.
        self._whole = np.zeros(count, bool)
        self._descriptor = _open_shared(path)
        weakref.finalize(self, os.close, self._descriptor)
        _write(self._descriptor, _page(about or {}), 0)

    def read(self, index: int) -> Array | None:
        """Sample ``index``, not to be written to; None where it is missing or damaged."""
        known = self._whole[index]
        crc = 0
        try:
            if not known:
                there, crc = RECORD.unpack(os.pread(self._descriptor, RECORD.size, PAGE + index * RECORD.size))
                if there != THERE:
                    return None
            data = os.pread(self._descriptor, self._bytes, self._samples + index * self._bytes)
        except (OSError, struct.error):  # the disk fails, or somebody cut the file
            return None
        if len(data) != self._bytes or not (known or zlib.crc32(data, index) == crc):
            return None
        self._whole[index] = True
        return np.frombuffer(data, self.dtype).reshape(self.shape)

    def write(self, index: int, sample: Array) -> None:
        """Add sample ``index``. Raises OSError where the disk is full."""
        if index >= self.room:
            return
        data = sample.tobytes()
        _write(self._descriptor, data, self._samples + index * self._bytes)
        _write(self._descriptor, RECORD.pack(THERE, zlib.crc32(data, index)), PAGE + index * RECORD.size)


def sample_bytes(shape: tuple[int, ...], dtype: str) -> int:
    """The bytes of one sample."""
    return math.prod(shape) * np.dtype(dtype).itemsize


def about(path: Path) -> dict[str, object]:
    """What the file says of itself; nothing where that cannot be read. Raises OSError where there is no such file."""
    with path.open("rb") as file:
        try:
            said = json.loads(file.read(PAGE))
        except ValueError:
            return {}
    return said if isinstance(said, dict) else {}


def in_use(path: Path) -> bool:
    """Whether a process has the file open."""
    return not _alone(path, lambda: None)


def remove(path: Path) -> bool:
    """Delete the file unless a process has it open; whether it is gone."""
    return _alone(path, lambda: path.unlink(missing_ok=True))


def _alone(path: Path, action: Callable[[], None]) -> bool:
    """Do ``action`` while no process has the file open; whether it was done, or there is no file any more."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        action()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _open_shared(path: Path) -> int:
    import fcntl

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # given up when the process ends, however that happens
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # another process removed the file between opening and locking


def _page(about: Mapping[str, object]) -> bytes:
    text = json.dumps(about, ensure_ascii=False).encode()
    return (text if len(text) <= PAGE else b"{}").ljust(PAGE)


def _write(descriptor: int, data: bytes, at: int) -> None:
    """Write all of ``data``: on a disk that is almost full, a part may be taken without an error, and the rest then gives one."""
    rest = memoryview(data)
    while rest:
        done = os.pwrite(descriptor, rest, at)
        rest, at = rest[done:], at + done
