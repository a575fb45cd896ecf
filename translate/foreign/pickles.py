"""The one place where a pickle is opened: files that ``torch.save`` wrote, which might run code if they were opened carelessly.

A file is looked through first, without running anything of it: what it asks for by name, and how much it claims to hold. Only then is it
given to torch, which with ``weights_only`` has a list of its own of what it makes.
"""

from __future__ import annotations

import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from translate.errors import UserError

#: A larger file is refused unread; the largest public generator has 218 MB.
MOST_BYTES = 2_000_000_000
#: A longer list of tensors is refused unread; those of public generators have a tenth of a percent of it.
MOST_PICKLED = 4_000_000
MOST_ENTRIES = 10_000
#: All that a state dict asks for by name, besides storages of numbers.
KNOWN = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch.nn.parameter Parameter",
    "torch Size",
}
#: What the pickle of a file from before 2020 begins with.
MAGIC = 0x1950A86A20F9469CFC6C


def load(path: Path) -> Any:
    """What ``torch.save`` wrote to ``path``, its tensors on the CPU. Raises UserError for whatever else a file may be."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UserError(f"{path} has {size:,} bytes, and weights are read up to {MOST_BYTES:,}; is it a state dict?")
    data = path.read_bytes()
    if data[:4] == b"PK\x03\x04":
        pickled, room = _in_zip(BytesIO(data), path)
        _look_through(BytesIO(pickled), path, room)
    elif data[:1] == b"\x80":
        _look_through(BytesIO(data), path, len(data), old=True)
    else:
        raise UserError(f"{path} is no file of torch.save, or was cut short.")
    # Imported here: what is refused needs no torch.
    import torch

    try:
        return torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch makes of a damaged file
        said = " ".join(str(error).split())[:160]
        raise UserError(f"{path} cannot be read as weights ({type(error).__name__}: {said}); it is damaged, or cut short.") from error


def _in_zip(file: BinaryIO, path: Path) -> tuple[bytes, int]:
    """The list of tensors of a file since 2020, a zip, and how many bytes all its entries have."""
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
                raise UserError(f"{path} has compressed entries, which torch.save does not write; it may unpack to any size.")
            total = sum(entry.file_size for entry in entries)
            file.seek(0, 2)
            if total > file.tell():
                raise UserError(f"{path} claims to hold {total:,} bytes and has {file.tell():,}; it is damaged, or made to do harm.")
            lists = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
            if len(lists) != 1:
                raise UserError(f"{path} is a zip and no file of torch.save: it has {len(lists)} entries data.pkl, not one.")
            if lists[0].file_size > MOST_PICKLED:
                raise UserError(
                    f"{path} has a list of tensors of {lists[0].file_size:,} bytes, and it is read up to {MOST_PICKLED:,}."
                )
            return archive.read(lists[0]), total
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is damaged, or was cut short: it cannot be read as a zip ({error}).") from error


def _look_through(file: BinaryIO, path: Path, room: int, *, old: bool = False) -> None:
    """Raise UserError where the pickles in ``file`` ask for more than a state dict does, by name or in numbers. Nothing is run.

    ``room`` are the bytes that its numbers can be in. A file from before 2020 has five pickles, the first of them a sign, and numbers after
    them.
    """
    claimed = 0
    try:
        for turn in range(5 if old else 1):
            number, texts = 0, ["", ""]
            for operation, argument, _ in _operations(file, room if not old else MOST_PICKLED):
                if isinstance(argument, int) and operation.name.startswith(("BININT", "LONG", "INT")):
                    number = argument
                    if abs(number) > room and not (turn == 0 and number == MAGIC):
                        raise UserError(f"{path} claims {number:,} numbers, and has {room:,} bytes; it is damaged, or made to do harm.")
                elif operation.name in ("GLOBAL", "STACK_GLOBAL", "INST"):
                    _check_name(str(argument) if argument else " ".join(texts), path)
                elif operation.name.startswith("EXT"):
                    _check_name(f"extension {argument}", path)
                elif isinstance(argument, str):
                    texts = [texts[1], argument]
                elif operation.name == "BINPERSID":  # a storage; how many numbers it has is said last
                    claimed += number
                    if claimed > room:
                        raise UserError(
                            f"{path} claims at least {claimed:,} bytes of numbers and has {room:,}; it is damaged, or made to do harm."
                        )
    except (ValueError, IndexError, EOFError, OverflowError, UnicodeError, pickle.UnpicklingError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is damaged, or was cut short: its list of tensors cannot be read.") from error


def _operations(file: BinaryIO, most: int) -> Iterator[tuple[Any, Any, int | None]]:
    start = file.tell()
    for each in pickletools.genops(file):
        if file.tell() - start > most:
            raise UserError(f"The list of tensors is longer than {most:,} bytes.")
        yield each


def _check_name(name: str, path: Path) -> None:
    module, _, thing = name.partition(" ")
    storage = module in ("torch", "torch.storage") and thing.endswith("Storage")
    kind = module == "torch" and thing in ("float32", "float16", "float64", "bfloat16", "int64", "int32", "uint8", "bool")
    if name not in KNOWN and not storage and not kind:
        raise UserError(
            f"{path} asks for {module}.{thing} when it is opened, which may run code, and was not opened: a file of weights alone has no "
            f"need of it; have the program that made it save network.state_dict() instead of the network."
        )
