"""Do damaged pictures ever crash, hang or flood the reader?

    python tests/proofs/mutated_pictures.py --mutants 10000

Pictures of every format and kind that is read are damaged at random: bits flipped, anywhere or in the header; bytes inserted, taken out,
overwritten by numbers at which programs stumble; cut short; continued by another file. Half of the PNG files get valid checksums again,
so that the damage reaches the decoder. Child processes read them as a domain would, under a limit of memory and of time, so that a crash
inside a decoder is seen. Each must be read, or refused by one UserError; any other exception, signal or time-out is a failure, printed
with the number that makes the mutant again. It also measures how a PNG is refused that claims 30000x30000 pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import odd

#: Bytes that a child may set aside beyond what it has when it starts; a picture alone may take a third of that.
MEMORY = 3 << 30
#: Seconds for a picture, and for a child with its imports.
EACH, START = 10.0, 120.0
#: Mutants that one child reads.
BATCH = 1000
#: Bounds on refusing the huge PNG: seconds, bytes.
SOON, LITTLE = 0.05, 50 * 10**6

EXTREME = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def larger() -> list[bytes]:
    """Pictures of some thousand pixels, in which decoders get farther than in those of the table."""
    colour = odd.noise((60, 50, 3)) // 4 + np.arange(50, dtype=np.uint8)[None, :, None] * 3
    image = Image.fromarray(colour)
    files = [odd.saved(image, kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF")]
    files += [
        odd.saved(image, "TIFF", compression=name) for name in ("raw", "tiff_lzw", "jpeg", "packbits", "tiff_adobe_deflate")
    ]
    deep = colour.astype(np.uint16) * 257
    return [*files, odd.png(deep, 16), odd.tiff(deep, deflate=True, predictor=2), odd.tiff(deep, tile=(16, 16))]


def mutant(number: int, sources: list[bytes]) -> bytes:
    """The damaged picture of that number."""
    rng = np.random.default_rng(number)
    source = sources[number % len(sources)]
    data = bytearray(source)
    for _ in range(rng.integers(1, 4)):
        # Headers are short, and most of the ways to go wrong are in them; a TIFF's is at the end.
        near = int(rng.choice([32, 256, len(data)]))
        at = int(rng.integers(0, max(1, min(near, len(data)))))
        at = len(data) - 1 - at if data[:2] in (b"II", b"MM") and rng.random() < 0.5 else at
        kind = rng.integers(0, 7)
        if kind == 0 and data:
            for place in rng.integers(0, len(data), rng.integers(1, 17)):
                data[place] ^= 1 << rng.integers(0, 8)
        elif kind == 1 and data:
            data[at] ^= 1 << rng.integers(0, 8)
        elif kind == 2:
            size = int(rng.choice([1, 2, 4]))
            data[at : at + size] = (int(rng.choice(EXTREME)) % 256**size).to_bytes(size, str(rng.choice(["little", "big"])))
        elif kind == 3:
            data[at:at] = rng.integers(0, 256, rng.integers(1, 64), dtype=np.uint8).tobytes()
        elif kind == 4:
            del data[at : at + int(rng.integers(1, 64))]
        elif kind == 5:
            del data[int(rng.integers(0, len(data) + 1)) :]
        else:
            data[at:] = sources[int(rng.integers(0, len(sources)))][at:]
    return with_checksums(bytes(data)) if rng.random() < 0.5 else bytes(data)


def with_checksums(data: bytes) -> bytes:
    """A PNG with the checksums that its chunks should have; others as they are."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    result, at = bytearray(data), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        struct.pack_into(">I", result, at + 8 + length, zlib.crc32(data[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(result)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def huge(folder: Path) -> None:
    """Refuse the PNG of 30000x30000 pixels, and print how long that took the first time and by how much memory grew."""
    from translate.data import picture
    from translate.errors import UserError

    path = folder / "huge.png"
    path.write_bytes(odd.HUGE)
    before, start, sentence = peak(), time.perf_counter(), ""
    try:
        picture.read(path, 3, "uint8")
    except UserError as error:
        sentence = str(error)
    print(json.dumps({"seconds": time.perf_counter() - start, "bytes": peak() - before, "sentence": sentence}))


def child(first: int, count: int, folder: Path) -> None:
    """Refuse the huge PNG, and read the mutants ``first`` ...; two lines for each of these."""
    from translate.data import picture
    from translate.errors import UserError

    huge(folder)
    sources = [*(each.data for each in (*odd.READABLE, *odd.DAMAGED_FILES)), *larger()]
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    path = folder / "mutant"
    for number in range(first, first + count):
        path.write_bytes(mutant(number, sources))
        print(json.dumps({"number": number}), flush=True)
        start, outcome = time.perf_counter(), "read"
        try:
            facts = picture.probe(path)
            picture.read(path, facts.channels if facts else 3, facts.dtype if facts else "uint8")
        except UserError as error:
            outcome = "refused" if str(error).startswith(f"{path} cannot be read as a picture (") else f"odd sentence: {error}"
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
        print(json.dumps({"outcome": outcome, "seconds": time.perf_counter() - start, "peak": peak()}), flush=True)


def call(*arguments: object, seconds: float) -> tuple[list[dict[str, object]], str]:
    """What a child process prints, and what is wrong with how it ended."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        command = [sys.executable, "-W", "ignore", __file__, "--in", folder, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        try:
            output, _ = process.communicate(timeout=seconds)
            wrong = "" if process.returncode == 0 else f"ended with {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            wrong = f"not done after {seconds:g} s"
        # The libraries below PIL and OpenCV tell the terminal of damage themselves; that is of interest only after a crash.
        said.seek(0)
        wrong += f" ({said.read().strip()[-300:]})" if wrong else ""
    return [json.loads(line) for line in output.splitlines() if line.endswith("}")], wrong


def prove(mutants: int) -> tuple[dict[str, object], list[str]]:
    """The figures of reading so many mutants, and the failures."""
    outcomes: Counter[str] = Counter()
    failures, slowest, most, refused = [], 0.0, 0, {"seconds": 1e9, "bytes": 1e9, "sentence": "never asked"}
    first = 0
    while first < mutants:
        count = min(BATCH, mutants - first)
        lines, wrong = call("--first", first, "--mutants", count, seconds=START + count * 0.1 + EACH)
        last = first - 1
        for line in lines:
            if "sentence" in line:
                refused = line if not first else refused
                continue
            if "number" in line:
                last = int(str(line["number"]))
                continue
            outcome, seconds = str(line["outcome"]), float(str(line["seconds"]))
            outcomes[outcome if outcome in ("read", "refused") else "failed"] += 1
            slowest, most = max(slowest, seconds), max(most, int(str(line["peak"])))
            if outcome not in ("read", "refused") or seconds > EACH:
                failures.append(f"mutant {last}: {outcome}, after {seconds:.2f} s")
        if wrong:
            failures.append(f"mutant {last}: {wrong}")
        # After a crash, on with the next one.
        first = first + count if not wrong else max(last, first) + 1
    if (
        float(str(refused["seconds"])) > SOON
        or float(str(refused["bytes"])) > LITTLE
        or "30000x30000" not in str(refused["sentence"])
    ):
        failures.append(f"the huge PNG: {refused}")
    figures = {
        "mutants": sum(outcomes.values()),
        **outcomes,
        "slowest_ms": round(slowest * 1e3, 1),
        "peak_mb": round(most / 1e6),
        "huge_png_ms": round(float(str(refused["seconds"])) * 1e3, 2),
        "huge_png_mb": round(float(str(refused["bytes"])) / 1e6, 2),
    }
    return figures, failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=10000)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        child(arguments.first, arguments.mutants, arguments.folder)
        return 0
    figures, failures = prove(arguments.mutants)
    print(json.dumps(figures))
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
