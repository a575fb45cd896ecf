"""Archives of strangers, zip and tar, unpacked so that they can do no harm.

Only files and folders below the target are made, with the permissions that new files have. Links, devices, encrypted entries and names that
lead elsewhere are refused, and so is what unpacks to far more than it is: counted in the bytes that come, whatever the headers say.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from translate.data.fetch import Progress, amount
from translate.errors import UserError, brief

#: What is copied at once, and the most that a header of a tar file may ask for, in bytes.
CHUNK, MOST_HEADER = 1 << 20, 1 << 24
#: Any archive may unpack to this many bytes, whatever its own size.
SMALL = 1 << 24

#: What decoders raise on damage. gzip's BadGzipFile is an OSError as well, which a full disk is too; and a few bytes of xz may ask for
#: gigabytes of memory.
DAMAGE = (
    EOFError,
    MemoryError,
    NotImplementedError,
    ValueError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    tarfile.TarError,
)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")

TAR_OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: entries, bytes when unpacked, and bytes for each of its own."""

    entries: int = 1_000_000
    size: int = 256 << 30
    ratio: int = 100


class BadArchive(UserError):
    """The archive is damaged or could do harm: it is of no use, however often it is unpacked."""


def unpack(archive: Path, target: Path, *, limits: Limits = Limits(), progress: Progress = lambda what, done, total: None) -> int:
    """Unpack a zip or tar file, packed by gzip, bzip2, xz or not, into the new folder ``target``, and return how many files it holds.

    Raises BadArchive where that cannot be done, and UserError where the disk is full; then there is no ``target``.
    """
    target.mkdir()
    writer = _Writer(archive, target, limits)
    try:
        with archive.open("rb") as file:
            magic = file.read(6)
        # Not zipfile.is_zipfile, which takes a tar file for one where a zip file lies at its end.
        if magic.startswith(ZIP):
            _unpack_zip(archive, writer, progress)
        else:
            _unpack_tar(archive, magic, writer, progress)
        if not writer.files:
            raise writer.refuse("there are no files in it")
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, UserError):
            raise
        if isinstance(error, DAMAGE):
            raise BadArchive(f"{archive} is damaged, or neither a zip nor a tar file ({brief(error)}); get it again.") from None
        if isinstance(error, OSError):
            room = " Make room or give another folder with --to." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            raise UserError(f"{archive} cannot be unpacked into {target.parent} ({error.strerror or error}).{room}") from None
        raise
    return writer.files


class _Writer:
    """Makes the entries of one archive, and counts them and their bytes."""

    def __init__(self, archive: Path, target: Path, limits: Limits) -> None:
        self.archive, self.target, self.limits = archive, target, limits
        self.most = min(limits.size, max(SMALL, limits.ratio * archive.stat().st_size))
        self.entries = self.files = self.bytes = 0

    def refuse(self, why: str) -> BadArchive:
        return BadArchive(f"{self.archive} is not unpacked: {why}; get it from a source that you trust.")

    def place(self, name: str) -> Path | None:
        """Where the entry ``name`` goes; None for the root itself. Raises BadArchive where that is outside of the target."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise self.refuse(f"it has more than {self.limits.entries} entries")
        path = name.replace("\\", "/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in parts or any(ord(each) < 32 for each in name):
            raise self.refuse(f"its entry {name!r} would lie outside of the folder, or has no proper name")
        return self.target.joinpath(*parts) if parts else None

    def folder(self, place: Path | None, name: str) -> None:
        if place is not None:
            try:
                place.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise self.refuse(f"it holds {name!r} twice, as a file and as a folder") from None

    def file(self, place: Path | None, name: str, source: IO[bytes], report: Callable[[int], None]) -> None:
        if place is None:
            raise self.refuse("it holds a file without a name")
        self.folder(place.parent, name)
        try:
            opened = place.open("xb")  # never over another entry, on whatever system
        except (FileExistsError, IsADirectoryError):
            raise self.refuse(f"it holds {name!r} twice") from None
        with opened as file:
            while piece := source.read(CHUNK):
                self.bytes += len(piece)
                if self.bytes > self.most:
                    raise self.refuse(
                        f"it unpacks to more than {amount(self.most)}, which is far too much for its {amount(self.archive.stat().st_size)}"
                    )
                file.write(piece)
                report(self.bytes)
        self.files += 1

    def check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.target).free
        if needed > free:
            raise UserError(
                f"{self.archive} unpacks to {amount(needed)}, and {self.target.parent} has room for {amount(free)}; make room or give "
                f"another folder with --to."
            )


def _unpack_zip(archive: Path, writer: _Writer, progress: Progress) -> None:
    with zipfile.ZipFile(archive) as opened, archive.open("rb") as raw:
        raw.seek(-22 - len(opened.comment), os.SEEK_END)
        if raw.read(4) != b"PK\x05\x06":
            raise zipfile.BadZipFile("something follows its end")
        entries = opened.infolist()
        total = sum(entry.file_size for entry in entries)
        if total > writer.most:
            raise writer.refuse(
                f"it says that it unpacks to {amount(total)}, which is more than the {amount(writer.most)} allowed"
            )
        writer.check_room(total)
        for entry in entries:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise writer.refuse(f"its entry {entry.filename!r} is a link or a device")
            if entry.flag_bits & 0x41:
                raise writer.refuse(f"its entry {entry.filename!r} is encrypted")
            place = writer.place(entry.filename)
            if entry.is_dir() or kind == stat.S_IFDIR:
                writer.folder(place, entry.filename)
            else:
                with opened.open(entry) as source:
                    writer.file(place, entry.filename, source, lambda done: progress("unpacking", done, total))


def _unpack_tar(archive: Path, magic: bytes, writer: _Writer, progress: Progress) -> None:
    writer.check_room(archive.stat().st_size)
    opener = next((opener for start, opener in TAR_OPENERS.items() if magic.startswith(start)), lambda path: path.open("rb"))
    with opener(archive) as stream:
        source = _Forward(stream, writer)
        with tarfile.TarFile(fileobj=source) as opened:  # type: ignore[arg-type]  # it needs read, seek and tell, and nothing else
            for entry in opened:
                if not (entry.isreg() or entry.isdir()) or entry.issparse():
                    raise writer.refuse(f"its entry {entry.name!r} is a link, a device or a file with holes")
                place = writer.place(entry.name)
                tarfile.data_filter(entry, str(writer.target))  # a second opinion on names and kinds
                content = opened.extractfile(entry)
                if content is None:
                    writer.folder(place, entry.name)
                else:
                    with content:
                        writer.file(place, entry.name, content, lambda done: progress("unpacking", done, None))
                opened.members = []  # type: ignore[attr-defined]  # they are not needed any more, and there may be many
        # tarfile stops at a header that it cannot read as if it were the end. The end is a block of zeros.
        if source.last.strip(b"\0") or not source.last:
            raise tarfile.ReadError("it breaks off")
        while piece := source.read(CHUNK):  # to the end, where a packed file has its checksum
            if piece.strip(b"\0"):
                raise tarfile.ReadError("something follows its end")


class _Forward:
    """The bytes of a tar file from first to last, with a limit on how many there may be; what a TarFile needs to read."""

    def __init__(self, stream: IO[bytes], writer: _Writer) -> None:
        self.stream, self.writer = stream, writer
        self.at = 0
        self.last = b""

    def read(self, count: int) -> bytes:
        if count > MOST_HEADER:
            raise self.writer.refuse(f"one of its headers is {amount(count)} long")
        self.last = self.stream.read(count)
        self.at += len(self.last)
        # Headers and padding come on top of the files, 1 kB or so each.
        if self.at > self.writer.most + 4096 * (self.writer.entries + 1024):
            raise self.writer.refuse(f"it unpacks to more than {amount(self.writer.most)}, far too much for its own size")
        return self.last

    def tell(self) -> int:
        return self.at

    def seek(self, position: int) -> None:
        while self.at < position and self.read(min(CHUNK, position - self.at)):
            pass
