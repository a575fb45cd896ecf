"""Weights files that describe themselves.

A weights file is one safetensors file. Its header holds, as JSON under the key ``translate``, the format version, the recipe with its
options, the domains with their shapes and value windows, the step and the versions of what made it: nothing else is needed to use it.
Since format 2 it also holds, under the key ``seal``, the SHA-256 of the file's bytes, all of them, with zeros in the seal's own place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, get_type_hints

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from translate.data.domain import WINDOWS, Space
from translate.data.memory import memory
from translate.errors import NotRead, RecipeError, UserError
from translate.typed import check

#: The version of the header; a file of a later version is refused with a sentence.
FORMAT = 2
#: The first version whose files are sealed; older ones are read as they are.
SEALED = 2
#: A header beyond this many bytes is refused unread.
HEADER_BYTES = 1_000_000
#: What safetensors calls the types of numbers.
DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.complex64: "C64",
    torch.uint64: "U64",
    torch.uint32: "U32",
    torch.uint16: "U16",
}
#: No side of a picture, and no point, has more numbers.
MOST_SIDE = 1 << 16
WEIGHTS_NAME = "weights.safetensors"
#: The key of the metadata that holds the digest of the file, and what stands there while that is taken.
DIGEST = "seal"
BLANK = "0" * 64


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself."""

    recipe: str
    options: Mapping[str, Any]
    spaces: tuple[Space, ...]
    step: int
    averaged: bool
    versions: Mapping[str, str]
    #: The pretrained networks that it was trained with, by name, and the digests of their weights.
    backbones: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def dump(self) -> dict[str, str]:
        """The header as safetensors metadata."""
        return {"translate": json.dumps(asdict(self), sort_keys=True)}

    @classmethod
    def parse(cls, text: str) -> Header:
        """Read what ``dump`` wrote. Raises ValueError, KeyError or TypeError."""
        values = json.loads(text)
        spaces = tuple(_space(each) for each in values.pop("spaces"))
        hints = get_type_hints(cls)
        for name, value in values.items():
            check(name, value, hints[name])
        return cls(spaces=spaces, **values)


def _space(values: Mapping[str, Any]) -> Space:
    """The space that a header describes. Raises ValueError, KeyError or TypeError."""
    hints = {"name": str, "shape": list[int], "dtype": str, "window": list[float]}
    name, shape, dtype, window = (check(each, values[each], hint) for each, hint in hints.items())
    if len(shape) not in (1, 3) or not all(0 < number <= MOST_SIDE for number in shape):
        raise ValueError(f"a shape is {shape}, and must be that of pictures or points, with numbers from 1 to {MOST_SIDE:,}")
    if dtype not in WINDOWS or len(window) != 2 or not window[0] < window[1]:
        raise ValueError(f"a domain has values of type {dtype!r} in the window {window}")
    return Space(name, tuple(shape), dtype, (window[0], window[1]))


def pack(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, sealed: bool = True) -> bytes:
    """The bytes of a safetensors file. Tensors are stored contiguous, on no device; same tensors and metadata, same bytes.

    The metadata of a ``sealed`` file get a digest of all of it; what a manifest vouches for needs none. Beside the tensors this takes the
    memory of the file once: safetensors' own writer takes it several times, and ends the process where there is not as much.
    """
    entries: dict[str, dict[str, object]] = {}
    body: list[memoryview] = []
    begin = 0
    # Widest numbers first, so that all are aligned.
    for name, tensor in sorted(tensors.items(), key=lambda each: (-each[1].element_size(), each[0])):
        if tensor.dtype not in DTYPES:
            raise RecipeError(f"The tensor '{name}' is of {tensor.dtype}, which safetensors files do not hold; convert it.")
        stored = tensor.detach().cpu().contiguous()
        end = begin + stored.numel() * stored.element_size()
        entries[name] = {"dtype": DTYPES[stored.dtype], "shape": list(stored.shape), "data_offsets": [begin, end]}
        body.append(stored.flatten().view(torch.uint8).numpy().data)
        begin = end
    seal = {DIGEST: BLANK} if sealed else {}
    text = json.dumps({"__metadata__": {**seal, **metadata}, **entries}).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    if sealed:
        head = head.replace(BLANK.encode(), _digest(head, *body).encode(), 1)
    return b"".join((head, *body))


def _digest(*pieces: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def unpack(data: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file's bytes. Raises UserError where they are damaged.

    Files are read as bytes before they are parsed: a mapped file that is cut short while it is read ends the process.
    """
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > HEADER_BYTES or size + 8 > len(data):
        raise UserError(f"{path} is no safetensors file, or was cut short: its header cannot be read.")
    try:
        metadata = dict(json.loads(data[8 : 8 + size]).get("__metadata__") or {})
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged or no safetensors file ({error}).") from error
    written = metadata.get(DIGEST)  # files of other programs, and old ones of ours, have none
    if written is not None and "translate" in metadata:
        head = data[: 8 + size].replace(written.encode(), BLANK.encode(), 1)
        if written != _digest(head, memoryview(data)[8 + size :]):
            raise UserError(f"{path} is damaged: its contents are not as they were written; fetch or save it again.")
    return tensors, metadata


def read(path: Path) -> bytes:
    """The bytes of a safetensors file, whose header and size are looked at first. Raises UserError where it is none, or too large."""
    try:
        with path.open("rb") as file:
            size, bytes_ = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno()).st_size
            if size > HEADER_BYTES or size + 8 > bytes_:
                foreign = path.suffix.lower() in (".pt", ".pth", ".pkl", ".ckpt", ".bin")
                why = "; files of this kind may run code when they are opened, so only .safetensors are read" if foreign else ""
                raise UserError(f"{path} is no safetensors file, or was cut short: its header cannot be read{why}.")
            if 2 * bytes_ > memory():  # what is read, and the tensors that are made of it
                raise NotRead(
                    f"{path} has {bytes_:,} bytes, and this machine has not the memory to read it ({memory():,} bytes)."
                )
            file.seek(0)
            return file.read()
    except OSError as error:
        kind = UserError if isinstance(error, FileNotFoundError) else NotRead
        raise kind(f"The weights {path} cannot be read ({error.strerror}).") from error
    except MemoryError:
        raise NotRead(f"There is not enough memory to read {path}; stop other programs.") from None


def parse(data: bytes, path: Path) -> tuple[dict[str, Tensor], Header]:
    """Tensors and header from the bytes of a weights file. Raises UserError where it is not one of ours; ``path`` is for its message."""
    tensors, metadata = unpack(data, path)
    if "progress" in metadata:
        raise UserError(
            f"{path} holds a run's state of training; give the {WEIGHTS_NAME} beside it, or the folder that both are in."
        )
    if "translate" not in metadata:
        raise UserError(f"{path} is a safetensors file of another program: its header does not say which recipe made it.")
    try:
        version = check("format", json.loads(metadata["translate"])["format"], int)
        if version > FORMAT:
            raise UserError(
                f"{path} has format {version}, and this version reads formats up to {FORMAT}; install a newer image-translate."
            )
        if version >= SEALED and DIGEST not in metadata:
            raise UserError(f"{path} is damaged: it lacks the digest of its contents; fetch or save it again.")
        return tensors, Header.parse(metadata["translate"])
    except UserError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} has a header that cannot be understood ({error}).") from error


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that after a crash there is either the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Published:
    """Weights that come with the library: their file, its SHA-256, and what they do in a few words."""

    path: Path
    sha256: str
    about: str

    def verified(self) -> Path:
        """The file. Raises UserError where a byte of it is not as it was published."""
        if hashlib.sha256(read(self.path)).hexdigest() != self.sha256:
            raise UserError(f"The published weights {self.path} are not as they were published; install image-translate again.")
        return self.path


def published() -> dict[str, Published]:
    """The published weights that are here, by name: in a checkout the folder ``weights/``, otherwise what the package brought."""
    checkout = Path(__file__).parent.parent / "weights"
    folder = checkout if (checkout / "index.json").is_file() else Path(str(resources.files("translate"))) / "_weights"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8")) if (folder / "index.json").is_file() else {}
    return {
        name: Published(folder / entry["file"], entry["sha256"], entry["about"])
        for name, entry in index.items()
        if (folder / entry["file"]).is_file()
    }
