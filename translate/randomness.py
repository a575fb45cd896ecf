"""Randomness without state: every draw is a function of the seed, what it is for, and the position of the sample it is for.

So a resumed run draws what an uninterrupted one draws, and the number of loader workers, accumulated batches or processes cannot
change a result. Draws are made a batch at a time: one generator for each picture would cost more than the picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray


def derive(seed: int, *labels: object) -> int:
    """A seed in [0, 2**63) for the purpose that ``labels`` name; the same on every machine.

    >>> derive(0, "order", 1) == derive(0, "order", 1) != derive(0, "order", 2)
    True
    """
    digest = hashlib.blake2b(repr((seed, *labels)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def uniform(seed: int, purpose: str, first: int, count: int, width: int = 1) -> NDArray[np.float64]:
    """``(count, width)`` draws in [0, 1) for the samples at positions ``first``, ``first + 1``, ...

    The draws of a position do not depend on the batch in which it is asked for.
    """
    # Philox is counter-based: each counter value gives four doubles, so a position owns a whole number of counter values.
    blocks = -(-width // 4)
    bits = np.random.Philox(key=derive(seed, purpose), counter=first * blocks)
    return np.random.Generator(bits).random((count, 4 * blocks))[:, :width]


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """torch's global generators seeded with ``seed`` inside, and the caller's state back afterwards."""
    accelerators = [] if device.type == "cpu" else [device.index or 0]
    with torch.random.fork_rng(accelerators, device_type=device.type if accelerators else "cuda"):
        # torch.manual_seed would seed every device of the machine, of which only this one is put back.
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.default_generators[device.index or 0].manual_seed(seed)
        elif device.type == "mps":
            torch.mps.manual_seed(seed)
        yield
