"""A published data set, from the web or from a file or folder at hand, brought to its folder: whole and verified, or not at all.

Everything happens in the hidden folder ``.NAME.part`` beside the final one, which gets its name by one rename. What a killed process has
downloaded is gone on with; what it has unpacked is thrown away.

Whether it is the data set that it should be, and not another folder or archive, is for ``check`` to say, which opens its domains.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from translate.data.fetch import Progress, digest_of, fetch, is_url
from translate.data.published import DataSet, Download
from translate.data.unpack import BadArchive, unpack
from translate.errors import UserError


@dataclass(frozen=True)
class Obtained:
    """Where a data set is now and how many files it has.

    ``unverified`` has the SHA-256 of each file that no known one could be compared with; for a folder of the user's it is empty.
    """

    folder: Path
    files: int
    unverified: dict[str, str]


def obtain(
    name: str,
    data_set: DataSet,
    final: Path,
    *,
    source: str | None = None,
    sha256: str | None = None,
    progress: Progress = lambda what, done, total: None,
    check: Callable[[Path], None] = lambda folder: None,
) -> Obtained:
    """Bring the data set ``name`` to the folder ``final``, which may be there only if it is empty.

    ``source`` stands for its published address: another URL, an archive, or a folder. ``sha256`` is used in place of the published size and
    SHA-256 of an archive. ``check`` is called with a folder of what came, and raises UserError where that is not the data set. Raises
    UserError where something is wrong; then there is nothing in ``final``.
    """
    data_set = _with_digest(name, data_set, source, sha256)
    _check_final(final)
    if source is None and not data_set.files:
        raise UserError(f"{name} cannot be fetched by a program: {data_set.terms}")
    work = final.parent / f".{final.name}.part"
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {final.parent} cannot be made ({error.strerror}); give another with --to.") from None
    with _only_one(work, name):
        ready = work / "unpacked"
        shutil.rmtree(ready, ignore_errors=True)  # of a process that was killed
        try:
            unverified = _fill(name, data_set, source, work, ready, progress)
            files = _land(ready, data_set, final, source or name, check)
            shutil.rmtree(work, ignore_errors=True)
        except BadArchive:
            if source is None or is_url(source):
                shutil.rmtree(work, ignore_errors=True)  # the next call should not find it
            raise
        except OSError as error:
            raise UserError(
                f"{name} cannot be brought to {final} ({_said(error)}); make room or give another folder with --to."
            ) from None
        finally:
            shutil.rmtree(ready, ignore_errors=True)
            with suppress(OSError):
                work.rmdir()  # where nothing is left in it to go on with
    return Obtained(final, files, unverified)


def _land(ready: Path, data_set: DataSet, final: Path, origin: str, check: Callable[[Path], None]) -> int:
    """Give the first folder in ``ready`` that passes ``check`` its final name; return how many files it has."""
    if not any(names for _, _, names in os.walk(ready)):
        raise UserError(f"There are no files in {origin}; is it the right one?")
    if hasattr(os, "sync"):
        os.sync()  # the name must not be on the disk before the files are
    refusals: list[str] = []
    for data in _candidates(ready, data_set):
        if final.exists():
            final.rmdir()  # empty; not every system renames over it
        data.rename(final)
        try:
            # Under its final name, by which what is found out of its pictures is kept for the first run.
            check(final)
        except BaseException as error:
            final.rename(data)
            if not isinstance(error, UserError):
                raise
            refusals.append(str(error).replace(str(final), origin))
        else:
            return sum(len(names) for _, _, names in os.walk(final))
    raise BadArchive(f"{origin} does not hold what was published ({data_set.title}): {refusals[0]}")


def _candidates(ready: Path, data_set: DataSet) -> list[Path]:
    """The folders that may be the data: the one that is named inside, or else all of it, or what is in the only folder it holds."""
    if data_set.inside and (ready / data_set.inside).is_dir():
        return [ready / data_set.inside]
    found = [ready]
    while data_set.archive:
        entries = [each for each in found[-1].iterdir() if each.name[0] != "." and each.name != "__MACOSX"]
        if len(entries) != 1 or not entries[0].is_dir():
            break
        found.append(entries[0])
    return found


def _said(error: OSError) -> str:
    """What went wrong; of a folder that was copied, the first of what did."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        path, _, why = error.args[0][0]
        return f"{path}: {why}"
    return error.strerror or str(error)


def _with_digest(name: str, data_set: DataSet, source: str | None, sha256: str | None) -> DataSet:
    """``data_set`` with what the user says of its archive, if anything."""
    if sha256 is None:
        return data_set
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise UserError(f"--sha256 takes the 64 hexadecimal digits of a SHA-256, not '{sha256}'.")
    if not data_set.archive or (source is not None and not is_url(source) and Path(source).expanduser().is_dir()):
        raise UserError(
            f"--sha256 is for one archive, and {name} comes as {'a folder' if data_set.archive else 'several files'}."
        )
    file = data_set.files[0] if data_set.files else Download(name, ())
    return replace(data_set, files=(replace(file, size=None, sha256=sha256.lower()),))


def _check_final(final: Path) -> None:
    if final.exists() and not final.is_dir():
        raise UserError(f"{final} is a file; give --to a new folder.")
    if final.is_dir() and any(final.iterdir()):
        raise UserError(f"{final} is not empty; delete it, or give --to a new folder.")


def _fill(name: str, data_set: DataSet, source: str | None, work: Path, ready: Path, progress: Progress) -> dict[str, str]:
    """Put the data set's files into the new folder ``ready``; return the SHA-256 of those that nothing was known of."""
    if source is not None and not is_url(source):
        local = Path(source).expanduser()
        if local.is_dir():
            return _from_folder(data_set, local, ready)
        if not local.is_file():
            raise UserError(f"There is no file or folder {local}; give --from an archive, a folder or an address.")
        if not data_set.archive:
            raise UserError(f"{name} is no archive but several files; give --from the folder that they are in.")
        known = data_set.files[0] if data_set.files else Download(local.name, ())
        _unpack_own(local, known, ready, progress)
        # Only now: nobody should be told to trust what is not even whole.
        digest = _verified(local, known, local, "get it again, or, if you trust it as it is, add --sha256 {}")
        return {} if known.sha256 else {local.name: digest}
    unverified = {}
    for file in data_set.files or (Download(f"{name}.archive", ()),):
        urls = file.urls if source is None else (source if data_set.archive else f"{source.rstrip('/')}/{file.name}",)
        fetched = work / file.name
        digest = fetch(urls, fetched, size=file.size, sha256=file.sha256, progress=progress)
        if not file.sha256:
            unverified[file.name] = digest
        if data_set.archive:
            unpack(fetched, ready, progress=progress)
    if not data_set.archive:
        below = ready / data_set.folder
        below.mkdir(parents=True)
        for file in data_set.files:
            (work / file.name).rename(below / file.name)
    return unverified


def _unpack_own(local: Path, known: Download, ready: Path, progress: Progress) -> None:
    """Unpack an archive of the user's; where that fails, its length may say why."""
    try:
        unpack(local, ready, progress=progress)
    except BadArchive as error:
        size = local.stat().st_size
        if known.size in (None, size):
            raise
        raise BadArchive(f"{error} It has {size} bytes, expected {known.size}.") from None


def _from_folder(data_set: DataSet, local: Path, ready: Path) -> dict[str, str]:
    """Copy a folder of the user's: the known files in it, verified, or all of it."""
    if ready.resolve().is_relative_to(local.resolve()):
        raise UserError(
            f"{local} cannot be copied into itself; give --to a folder outside of it, or use it as it is, with --data {local}."
        )
    if data_set.archive:
        # Links are copied as what they lead to: the user's own folder is not a stranger's archive.
        shutil.copytree(local, ready, copy_function=shutil.copyfile, ignore_dangling_symlinks=True, ignore=_loops)
        return {str(local): ""}
    below = ready / data_set.folder
    below.mkdir(parents=True)
    for file in data_set.files:
        path = next((path for path in (local / file.name, local / data_set.folder / file.name) if path.is_file()), None)
        if path is None:
            raise UserError(f"{local} lacks {file.name}; give --from the folder that holds all files of {data_set.title}.")
        shutil.copyfile(path, below / file.name)
        _verified(below / file.name, file, path, f"give --from the folder with the published files of {data_set.title}")
    return {}


def _loops(folder: str, names: list[str]) -> list[str]:
    """Of the entries of ``folder`` the links that lead to a folder above them, on the way that led here: they would never end."""
    here = Path(folder)
    above = {each.resolve() for each in (here, *here.parents)}
    return [name for name in names if (here / name).is_symlink() and (here / name).resolve() in above]


def _verified(path: Path, known: Download, shown: Path, advice: str) -> str:
    """The SHA-256 of ``path``, which is ``shown`` to the user. Raises UserError, with ``advice``, where it isn't what is known of it."""
    digest, size = digest_of(path), path.stat().st_size
    if known.size not in (None, size):
        raise UserError(f"{shown} has {size} bytes, expected {known.size}; {advice.format(digest)}.")
    if known.sha256 not in (None, digest):
        raise UserError(f"{shown} has the SHA-256 {digest}, expected {known.sha256}; {advice.format(digest)}.")
    return digest


@contextmanager
def _only_one(work: Path, name: str) -> Iterator[None]:
    """Keep other processes out of ``work``; the system lets go of it when this one ends, however it ends."""
    if os.name != "posix":
        yield
        return
    import fcntl

    descriptor = os.open(work, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"Another process is fetching {name} into {work.parent}; wait until it has ended.") from None
        yield
    finally:
        os.close(descriptor)
