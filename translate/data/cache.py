"""The cache of decoded pictures: one file for each domain, size and fit, named after the content of the pictures."""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import PIL
from platformdirs import user_cache_path

from translate.data import pixels
from translate.data.domain import Domain
from translate.data.fit import Fit
from translate.data.pixels import PixelFile
from translate.errors import DataWarning, brief

#: Part of every key: to be raised when pictures are read, resized or laid out in another way.
VERSION = 1
#: So many bytes are kept on the disk by default, or a tenth of what is free there where that is less.
MOST_BYTES = 20 * 10**9
SUFFIX = ".pixels"


@dataclass(frozen=True)
class Kept:
    """A file of the cache: what it says of itself, the bytes it takes on the disk, and when it was last used (seconds since 1970)."""

    path: Path
    about: Mapping[str, object]
    bytes: int
    used: float


def cache_folder() -> Path:
    """Where everything is that can be made again: ``TRANSLATE_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("TRANSLATE_CACHE") or user_cache_path("image-translate", appauthor=False))


def pixels_folder() -> Path:
    """Where decoded pictures are."""
    return cache_folder() / "pixels"


def index_folder() -> Path:
    """Where what is known of files is; see :mod:`translate.data.index`."""
    return cache_folder() / "index"


def open_cache(domain: Domain, size: tuple[int, int], fit: Fit) -> PixelFile | None:
    """The file of the domain's pictures at ``size``, (height, width), as planes ``(C, H, W)``; None where there can be none.

    Domains that are drawn have none, nor do systems without reading by position. What else prevents it is a DataWarning.
    """
    if not domain.cacheable or not hasattr(os, "pread"):
        return None
    shape = (domain.channels, *size)
    each = pixels.sample_bytes(shape, domain.dtype)
    try:
        path = pixels_folder() / f"{_key(domain, size, fit)}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        room = _make_room(len(domain) * each, path) // each
        about = {
            "domain": domain.name,
            "folder": _made_from(domain),
            "pictures": len(domain),
            "size": f"{size[0]}x{size[1]}",
            "fit": fit,
            "dtype": domain.dtype,
            "bytes": min(room, len(domain)) * each,
        }
        return PixelFile(path, len(domain), shape, domain.dtype, room=room, about=about)
    except OSError as error:
        warnings.warn(
            f"Decoded pictures of '{domain.name}' cannot be kept in {pixels_folder()} ({brief(error)}), so they are decoded again in each "
            f"run; set TRANSLATE_CACHE to a folder that can be written to.",
            DataWarning,
            stacklevel=2,
        )
        return None


def _key(domain: Domain, size: tuple[int, int], fit: Fit) -> str:
    # A decoder of another version may round otherwise, and two that share a file must agree.
    parts = (VERSION, PIL.__version__, domain.fingerprint(), size, fit, domain.dtype, domain.channels, domain.window)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _made_from(domain: Domain) -> str:
    folder = getattr(domain, "folder", None)
    return str(Path(folder).resolve()) if folder is not None else domain.origin


def kept() -> list[Kept]:
    """The files of the cache, the least recently used first."""
    found = []
    for path in pixels_folder().glob(f"*{SUFFIX}"):
        try:
            status = path.stat()
            found.append(Kept(path, pixels.about(path), status.st_blocks * 512, status.st_mtime))
        except OSError:  # removed, or not ours to read
            continue
    return sorted(found, key=lambda each: each.used)


def limit() -> int:
    """The most bytes that the cache may take: what was set, or the default."""
    most = own_limit()
    if most is not None:
        return most
    folder = next(each for each in (pixels_folder(), *pixels_folder().absolute().parents) if each.is_dir())
    free = shutil.disk_usage(folder).free + sum(each.bytes for each in kept())
    return min(MOST_BYTES, free // 10)


def own_limit() -> int | None:
    """The most bytes that the user set, or None."""
    try:
        return int((pixels_folder() / "limit").read_text())
    except (OSError, ValueError):
        return None


def set_limit(most: int | None) -> None:
    """Keep ``most`` bytes at most from here on, by None as many as by default, and remove what is beyond that."""
    folder = pixels_folder()
    if most is None:
        (folder / "limit").unlink(missing_ok=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f"limit.{os.getpid()}"
        beside.write_text(str(most))
        beside.replace(folder / "limit")
    _make_room(0, None)


def clear() -> list[Kept]:
    """Remove everything but what is in use, and return that. What is known of files is removed too."""
    shutil.rmtree(index_folder(), ignore_errors=True)
    return [each for each in kept() if not pixels.remove(each.path)]


def _make_room(wanted: int, path: Path | None) -> int:
    """Remove what was used least recently until ``wanted`` bytes for ``path`` are within the limit; how many bytes are left for it."""
    most, total, idle = limit(), 0, []
    for each in kept():
        if each.path == path:
            continue
        if pixels.in_use(each.path):  # it grows to what it says it needs
            promised = each.about.get("bytes")
            total += max(each.bytes, promised if isinstance(promised, int) else 0)
        else:
            total += each.bytes
            idle.append(each)
    for each in idle:
        if total + wanted <= most:
            break
        total -= each.bytes if pixels.remove(each.path) else 0
    return max(0, most - total)
