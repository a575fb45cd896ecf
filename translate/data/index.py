"""What is known of the files of a folder, kept on disk: ten thousand pictures are opened without opening one of them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from translate.data import picture
from translate.data.cache import index_folder
from translate.data.picture import Facts, Window
from translate.errors import UserError

#: To be raised when other things are kept, or headers are understood in another way.
VERSION = 1

#: A file that was written so shortly before it was looked at may be written again without its times showing it, as they are coarse on
#: some systems. What is known of it is not believed the next time. In nanoseconds.
FRESH = 2_000_000_000


@dataclass(frozen=True)
class Entry:
    """What is known of a file: its ``stamp`` (bytes, times of change in ns) when it was looked at, at the time ``seen``, and what it holds.

    ``facts`` are None where it is no picture, ``digest`` and ``extremes`` where nobody has asked for them yet.
    """

    stamp: tuple[int, int, int]
    seen: int
    facts: Facts | None
    digest: str | None = None
    extremes: Window | None = None


class FolderIndex:
    """Facts, digests and extreme values of files under ``folder``, looked up by their size and times, found out where these have changed.

    A file of the user's cache folder keeps them. One that is damaged counts for nothing, and one that cannot be written is no error.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.abspath(folder)
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:32]
        self.path = index_folder() / f"{name}.json"
        self._entries = _load(self.path)
        self._changed: set[str] = set()

    def name(self, path: Path) -> str:
        """The path from the folder to the file."""
        text = os.path.abspath(path)
        return text[len(self.folder) + 1 :] if text.startswith(self.folder + os.sep) else os.path.relpath(text, self.folder)

    def facts(self, path: Path) -> Facts | None:
        """What the header of the picture in ``path`` says; None where it is no picture, or not there."""
        try:
            return self._entry(path)[1].facts
        except OSError:
            return None

    def digest(self, path: Path) -> str:
        """SHA-256 of the bytes of the file. Raises OSError where it cannot be read."""
        name, entry = self._entry(path)
        if entry.digest is None:
            with open(path, "rb") as file:
                entry = self._keep(name, replace(entry, digest=hashlib.file_digest(file, "sha256").hexdigest()))
        return str(entry.digest)

    def extremes(self, path: Path) -> Window | None:
        """The least and the largest value in the picture, which is decoded for that; None where it cannot be."""
        name, entry = self._entry(path)
        if entry.extremes is None:
            try:
                entry = self._keep(name, replace(entry, extremes=picture.extremes(path)))
            except UserError:
                return None
        return entry.extremes

    def save(self) -> None:
        """Write what was found out since the index was opened. Files that are gone are forgotten."""
        if not self._changed:
            return
        # Others may have written since: several domains, and several processes, have pictures in one folder.
        known = _load(self.path) | {name: self._entries[name] for name in self._changed}
        rows = {name: astuple(entry) for name, entry in known.items() if os.path.exists(os.path.join(self.folder, name))}
        body = json.dumps(rows, separators=(",", ":")).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
        except OSError:
            return
        try:
            with open(descriptor, "wb") as file:
                file.write(_head(body) + body)
            os.replace(temporary, self.path)
            self._changed.clear()
        except OSError:
            Path(temporary).unlink(missing_ok=True)

    def _entry(self, path: Path) -> tuple[str, Entry]:
        name = self.name(path)
        status = os.stat(path)
        # The time of change of the directory entry cannot be set back, as that of the content can.
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        entry = self._entries.get(name)
        if entry is not None and entry.stamp == stamp and max(stamp[1:]) < entry.seen - FRESH:
            return name, entry
        seen = time.time_ns()
        return name, self._keep(name, Entry(stamp, seen, picture.probe(path)))

    def _keep(self, name: str, entry: Entry) -> Entry:
        self._entries[name] = entry
        self._changed.add(name)
        return entry


def _head(body: bytes) -> bytes:
    return f"translate-index {VERSION} {hashlib.sha256(body).hexdigest()}\n".encode()


def _load(path: Path) -> dict[str, Entry]:
    """The entries kept in ``path``; none where it is not there, of another version, or not what was written."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if head + b"\n" != _head(body):
        return {}
    return {name: _entry(*row) for name, row in json.loads(body).items()}


def _entry(stamp: list[int], seen: int, facts: list[Any] | None, digest: str | None, extremes: list[float] | None) -> Entry:
    low_high = None if extremes is None else (extremes[0], extremes[1])
    return Entry((stamp[0], stamp[1], stamp[2]), seen, None if facts is None else Facts(*facts), digest, low_high)
