"""Whether data sets that can be fetched say of themselves what they have to."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from translate.data.published import DataSet, Download
from translate.testing.common import NonConforming

#: What every data set says of itself, in words.
TOLD = ("title", "homepage", "licence", "citation")


def check_data_set(data_set: object, *, name: str) -> None:
    """Raise NonConforming unless ``data_set``, registered as ``name``, says whose it is, what it holds and how to get it.

    Nothing is fetched: whether its addresses still serve those files is not checked.
    """
    what = f"Data set '{name}'"
    if not isinstance(data_set, DataSet):
        raise NonConforming(f"{what} is a {type(data_set).__name__}; register a translate.DataSet.")
    for field in TOLD:
        if not str(getattr(data_set, field)).strip():
            raise NonConforming(f"{what} has an empty '{field}', which its users are shown; fill it, or say that none is known.")
    domains = data_set.domains
    if isinstance(domains, str) or not domains or len(set(domains)) < len(domains):
        raise NonConforming(
            f"{what} has the domains {domains!r}; they must be different names, in a tuple, to pass to --domains."
        )
    if not data_set.files and not data_set.terms:
        raise NonConforming(f"{what} has no files, and 'terms' does not say how a person gets it; give one of the two.")
    if data_set.archive and len(data_set.files) > 1:
        raise NonConforming(
            f"{what} has {len(data_set.files)} files and should be one archive; set archive=False to keep them all."
        )
    for field in ("inside", "folder"):
        if not _stays_below(getattr(data_set, field)):
            raise NonConforming(
                f"{what} has {field}={getattr(data_set, field)!r}; it must be a path below the data set's own folder, with slashes."
            )
    names = [file.name for file in data_set.files]
    if len(set(names)) < len(names):
        raise NonConforming(f"{what} has two files of one name among {', '.join(names)}; the second would replace the first.")
    for file in data_set.files:
        _check_file(file, what)
    if any(file.sha256 for file in data_set.files) and not data_set.checksums.strip():
        raise NonConforming(
            f"{what} has SHA-256 digests, and 'checksums' does not say whose word they are; say where they are from."
        )


def _stays_below(path: str) -> bool:
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts and "\\" not in path


def _check_file(file: Download, what: str) -> None:
    which = f"File '{file.name}' of {what}"
    if not _stays_below(file.name) or len(PurePosixPath(file.name).parts) != 1:
        raise NonConforming(f"{which} must have a plain name, without folders; put the folder in 'folder'.")
    if isinstance(file.urls, str) or not file.urls:
        raise NonConforming(f"{which} has the addresses {file.urls!r}; they must be a tuple of at least one.")
    for url in file.urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NonConforming(f"{which} has the address {url!r}; it must begin with https:// or http://.")
    if file.size is not None and not (isinstance(file.size, int) and file.size > 0):
        raise NonConforming(f"{which} has the size {file.size!r}; it must be a number of bytes, or None where nobody knows it.")
    if file.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", file.sha256):
        raise NonConforming(
            f"{which} has the SHA-256 {file.sha256!r}; it must be 64 lower-case hexadecimal digits, or None where nobody vouches for one."
        )
