"""Weights files with something odd in them: bytes, the list of tensors, or what the file says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np

EXTREME = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
#: What may stand in the place of anything in a file that is JSON.
ODD: list[object] = [
    *(None, True, -1, 0, 1, 1000, 10**6, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf")),
    *(
        "",
        "x",
        "x" * 10_000,
        "<os.system>",
        "../../x",
        "\x00",
        "resnet",
        "mlp",
        "dcgan",
        "resnet:blocks=1000000",
        "patch:layers=50",
    ),
    *("resnet:channels=100000", "mlp:widths=1000000-1000000", "discogan:bottleneck=1000000", "dcgan:channels=1000000"),
    *([], {}, [[]], {"a": {}}, [10**6, 10**6, 10**6], [3, -1, 16], [0, 0], "F64", "BF16", "I64", "cyclegan", "vanilla"),
]


def damaged(source: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Bytes changed at random, mostly in the header."""
    data = bytearray(source)
    for _ in range(rng.integers(1, 4)):
        near = int(rng.choice([8, 64, 2048, len(data)]))
        at = int(rng.integers(0, max(1, min(near, len(data)))))
        kind = rng.integers(0, 6)
        if kind == 0:
            data[at : at + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 1:
            size = int(rng.choice([1, 2, 4, 8]))
            data[at : at + size] = (int(rng.choice(EXTREME)) % 256**size).to_bytes(size, "little")
        elif kind == 2:
            data[at:at] = rng.integers(0, 256, rng.integers(1, 64), dtype=np.uint8).tobytes()
        elif kind == 3:
            del data[at : at + int(rng.integers(1, 64))]
        elif kind == 4:
            del data[at:]
        else:
            data[at:] = others[int(rng.integers(0, len(others)))][at:]
    return bytes(data)


def _places(value: object) -> Iterator[tuple[dict[str, object] | list[object], str | int]]:
    """Every place in a value of JSON, as what holds it and its key."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()):
        yield value, key  # type: ignore[misc]
        yield from _places(inner)


def changed(value: object, rng: np.random.Generator) -> None:
    """Put something odd at one place of a value of JSON, or take it out, or change a number in its text."""
    places = list(_places(value))
    if not places:
        return
    holder, key = places[int(rng.integers(0, len(places)))]
    old = holder[key]  # type: ignore[call-overload, index]
    kind = rng.integers(0, 4)
    odd = ODD[int(rng.integers(0, len(ODD)))]
    if kind == 0:
        del holder[key]  # type: ignore[arg-type]
    elif kind == 1 and isinstance(holder, dict):
        holder[str(odd)[:50]] = old
    elif kind == 2 and isinstance(old, str) and re.search(r"\d", old):
        holder[key] = re.sub(r"\d+", str(int(rng.choice([0, 7, 1000, 65536, 10**6, 10**9, 10**18]))), old, count=1)  # type: ignore[call-overload, index]
    else:
        holder[key] = odd  # type: ignore[call-overload, index]


def mutant(number: int, sources: list[bytes]) -> bytes:
    """The mutated weights file of that number: its bytes, its list of tensors, or what it says of itself."""
    rng = np.random.default_rng(number)
    source = sources[number % len(sources)]
    kind = rng.integers(0, 3)
    if kind == 0:
        return damaged(source, sources, rng)
    size = int.from_bytes(source[:8], "little")
    header, body = json.loads(source[8 : 8 + size]), source[8 + size :]
    for _ in range(rng.integers(1, 3)):
        if kind == 1:
            changed(header, rng)
        else:
            described = json.loads(header["__metadata__"]["translate"])
            changed(described, rng)
            header["__metadata__"]["translate"] = json.dumps(described)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def unsealed(source: bytes) -> bytes:
    """The same weights as versions without a seal wrote them: whoever changes a file on purpose leaves it out."""
    size = int.from_bytes(source[:8], "little")
    header = json.loads(source[8 : 8 + size])
    header["__metadata__"] = {"translate": json.dumps(json.loads(header["__metadata__"]["translate"]) | {"format": 1})}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + source[8 + size :]
