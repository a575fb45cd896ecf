"""The one place where a pickle is opened: files that ``torch.save`` wrote, which might run code if they were opened carelessly.

A file is looked through first, without running anything of it: what it asks for by name, and how much it claims to hold. Only then is it
given to torch, which with ``weights_only`` has a list of its own of what it makes.
"""

from __future__ import annotations

import pickletools
import re
import warnings
import zipfile
from collections import deque
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from translate.errors import UserError

#: A larger file is refused unread; the largest public generator has 218 MB.
MOST_BYTES = 2_000_000_000
#: A longer list of tensors is refused; those of public generators have a hundredth of it.
MOST_PICKLED = 1_000_000
MOST_ENTRIES = 10_000
#: The storages of plain numbers, and the bytes of each number.
STORAGES = {
    f"torch {kind}Storage": size
    for size, kinds in {
        8: ("Double", "Long"),
        4: ("Float", "Int"),
        2: ("Half", "BFloat16", "Short"),
        1: ("Char", "Byte", "Bool"),
    }.items()
    for kind in kinds
}
#: All that a state dict asks for by name; the first way to make a tensor is that of PyTorch before 0.4.
KNOWN = {
    *STORAGES,
    "collections OrderedDict",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch.nn.parameter Parameter",
    "torch Size",
}
#: Operations that keep the last value under a number, and those that bring it back.
PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
GETS = {"GET", "BINGET", "LONG_BINGET"}
#: Other ways to ask for something by name, of which torch.save has no need.
OTHERWISE = {"STACK_GLOBAL", "INST", "PERSID", "EXT1", "EXT2", "EXT4"}


def load(path: Path) -> Any:
    """What ``torch.save`` wrote to ``path``, its tensors on the CPU. Raises UserError for whatever else a file may be."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UserError(f"{path} has {size:,} bytes, and weights are read up to {MOST_BYTES:,}; give the file of one network.")
    data = path.read_bytes()
    if data[:4] == b"PK\x03\x04":
        data, pickled, entries = _in_zip(BytesIO(data), path)
        claims = _look_through(BytesIO(pickled), path)
        false = [key for key, claimed in claims.items() if claimed > entries.get(key, 0)]
    elif data[:1] == b"\x80":
        claims = _look_through(BytesIO(data), path, old=True)
        false = list(claims) if sum(claims.values()) > len(data) else []
    else:
        raise UserError(f"{path} is no file of torch.save, or was cut short; give a state dict as torch.save writes it.")
    if false:
        claimed = sum(claims[key] for key in false)
        raise UserError(
            f"{path} claims {claimed:,} bytes of numbers and has fewer; it is damaged, or made to do harm: fetch or save it again."
        )
    # Imported here: what is refused needs no torch.
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch finds odd in a pickle is for programmers
            return torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch makes of a damaged file
        # Its first sentence: torch goes on with advice for programmers.
        said = re.split(r"[.?!:;]\s", " ".join(str(error).split()))[0].rstrip(".?!:;")
        raise UserError(
            f"{path} cannot be read as weights ({type(error).__name__}: {said}); it is damaged, or cut short: fetch or save it again."
        ) from error


def _in_zip(file: BinaryIO, path: Path) -> tuple[bytes, bytes, dict[str, int]]:
    """A file since 2020, a zip, its list of tensors, and the bytes of each storage by its key.

    The zip is packed anew: torch has a reader of its own, which compares no checksums, and finds other bytes than Python's does where a
    damaged directory leads both astray.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise UserError(f"{path} has {len(entries):,} entries, and a state dict has at most {MOST_ENTRIES:,}.")
            if any(entry.filename.endswith("/constants.pkl") for entry in entries):
                raise UserError(
                    f"{path} is a compiled program (TorchScript), which runs code; save its state_dict() with the program that made it."
                )
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise UserError(f"{path} has compressed entries, which torch.save does not write; they may unpack to any size.")
            total, size = sum(entry.file_size for entry in entries), file.seek(0, 2)
            if total > size:
                raise UserError(f"{path} claims to hold {total:,} bytes and has {size:,}; it is damaged, or made to do harm.")
            lists = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
            if len(lists) != 1:
                raise UserError(f"{path} is a zip and no file of torch.save: it has {len(lists)} entries data.pkl, not one.")
            if lists[0].file_size > MOST_PICKLED:
                raise UserError(f"{path} has a list of tensors longer than {MOST_PICKLED:,} bytes, and is not read.")
            damaged = archive.testzip()
            if damaged is not None:
                raise UserError(f"{path} is damaged: {damaged!r:.80} in it is not as it was written; fetch or save it again.")
            if len({entry.filename for entry in entries}) < len(entries):
                raise UserError(f"{path} has two entries of one name; it is damaged, or made to do harm.")
            packed = BytesIO()
            with zipfile.ZipFile(packed, "w") as anew:
                for entry in entries:
                    anew.writestr(entry.filename, archive.read(entry))
            folder = lists[0].filename.removesuffix("data.pkl") + "data/"
            storages = {entry.filename.removeprefix(folder): entry.file_size for entry in entries}
            return packed.getvalue(), archive.read(lists[0]), storages
    except UserError:
        raise
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise UserError(f"{path} is damaged, or was cut short: it cannot be read as a zip ({error}).") from error


def _look_through(file: BinaryIO, path: Path, *, old: bool = False) -> dict[str, int]:
    """The bytes that each storage claims to have, by its key, in the pickles of ``file``. Nothing is run.

    A file from before 2020 has five pickles, the fourth of them the list of tensors, and numbers after them. Raises UserError where a
    pickle asks for more than a state dict does.
    """
    claims: dict[str, int] = {}
    try:
        for _ in range(5 if old else 1):
            start = file.tell()
            # A text or a whole number stands here as itself, a name as "module thing", and all else as its operation.
            kept: dict[object, object] = {}
            last: deque[object] = deque([None] * 6, maxlen=6)
            for operation, argument, _ in pickletools.genops(file):
                name = operation.name
                if file.tell() - start > MOST_PICKLED:
                    raise UserError(f"{path} has a list of tensors longer than {MOST_PICKLED:,} bytes, and is not read.")
                if name == "GLOBAL" and argument not in KNOWN:
                    _refuse(str(argument), path)
                if name in OTHERWISE:
                    _refuse(f"{last[-2]} {last[-1]}" if name == "STACK_GLOBAL" else f"{name} {argument}", path)
                if name in PUTS:
                    # What is made of several values is not kept, so that a claim is always read where it is made.
                    kept[len(kept) if argument is None else argument] = last[-1] if isinstance(last[-1], str | int) else None
                    continue
                if name == "BINPERSID":
                    key, claimed = _claim(list(last), path, old=old)
                    claims[key] = max(claimed, claims.get(key, 0))
                if name in GETS:
                    last.append(kept.get(argument))
                elif name not in ("PROTO", "FRAME"):
                    last.append(argument if isinstance(argument, str | int) else operation)
    except UserError:
        raise
    except (ValueError, IndexError, EOFError, OverflowError) as error:
        raise UserError(f"{path} is damaged, or was cut short: its list of tensors cannot be read.") from error
    return claims


def _claim(last: list[object], path: Path, *, old: bool) -> tuple[str, int]:
    """The key of a storage, and the bytes that it claims, from the values before it is asked for.

    They are its kind, its key, its device and how many numbers it has; in old files also what it is a view of, which is nothing; and what
    made one of them all.
    """
    ends = ["NONE", "TUPLE"] if old else ["TUPLE"]
    kind, key, device, number = last[: -len(ends)][-4:]
    made = [getattr(each, "name", None) for each in last[-len(ends) :]]
    if made != ends or not (isinstance(key, str) and isinstance(device, str) and isinstance(number, int)) or number < 0:
        raise UserError(f"{path} claims a storage in a way that torch.save does not; it is damaged, or made to do harm.")
    return key, number * STORAGES.get(str(kind), 8)


def _refuse(name: str, path: Path) -> None:
    # As a literal, and not all of it: it is a stranger's text.
    raise UserError(
        f"{path} asks for {name.replace(' ', '.')!r:.100} when it is opened, which may run code, and was not opened: weights alone have no "
        f"need of it; have the program that made the file save network.state_dict() instead of the network."
    )
