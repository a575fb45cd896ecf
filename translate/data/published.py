"""What a published data set is, and where it lands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Download:
    """A file on the web.

    ``urls`` are mirrors of one and the same file, tried in this order; ``size`` is in bytes; ``sha256`` is in lower-case hex digits.
    Both are None where nobody vouches for them.
    """

    name: str
    urls: tuple[str, ...]
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class DataSet:
    """A data set that somebody published.

    ``domains`` are names to pass to ``--domains`` with its folder as ``--data``. ``files`` is empty where no program may download it, and
    then ``terms`` says how a person gets it. ``checksums`` says whose word the SHA-256 of the files are.
    """

    title: str
    homepage: str
    licence: str
    citation: str
    domains: tuple[str, ...]
    files: tuple[Download, ...] = ()
    #: Whether the one file is an archive, to be unpacked, zip or tar; otherwise files are kept as they come.
    archive: bool = True
    #: The folder in the archive that is the data, where the archive has it; empty for all of it.
    inside: str = ""
    #: The folder below the data set's own in which files that are kept as they come lie.
    folder: str = ""
    checksums: str = ""
    terms: str = ""

    @property
    def size(self) -> int | None:
        """Bytes to download, or None where that isn't known."""
        sizes = [file.size for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if sizes and len(known) == len(sizes) else None


def landing(name: str, to: Path | None = None) -> Path:
    """The folder of the data set ``name``: ``to``, or one where runs without ``--data`` look."""
    # Imported here: it brings torch, which plugins that only publish data sets need not wait for.
    from translate.data.catalogue import fetched_data

    return fetched_data() / name if to is None else to
