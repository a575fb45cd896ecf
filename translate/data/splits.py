"""Pictures held out of training where a domain has none for testing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from translate.data.domain import Array, Domain
from translate.data.view import View
from translate.data.wanted import Splits
from translate.errors import UserError
from translate.randomness import derive


class Subset(View):
    """The samples of ``domain`` at ``indices``, in that order."""

    def __init__(self, domain: Domain, indices: Sequence[int]) -> None:
        super().__init__(domain)
        self.indices = list(indices)
        count = str(len(domain))
        if self.origin.startswith(f"{count} "):
            self.origin = f"{len(self.indices)}{self.origin.removeprefix(count)}"

    def __len__(self) -> int:
        return len(self.indices)

    def read(self, index: int) -> Array:
        """The sample."""
        return self.domain.read(self.indices[index])

    def label(self, index: int) -> str:
        """Its name in the whole domain."""
        return self.domain.label(self.indices[index])

    def weights(self) -> Sequence[float] | None:
        """Those of these samples."""
        whole = self.domain.weights()
        return None if whole is None else [whole[index] for index in self.indices]

    def fingerprint(self) -> str:
        """A digest of the whole domain's fingerprint and of the names of these samples."""
        names = "\0".join(self.label(index) for index in range(len(self)))
        return hashlib.sha256(f"{self.domain.fingerprint()}\0{names}".encode()).hexdigest()

    def counterpart(self, index: int, domain: str) -> Array | None:
        """What the whole domain knows of it."""
        return self.domain.counterpart(self.indices[index], domain)

    def mask(self, index: int) -> NDArray[np.bool_] | None:
        """What the whole domain knows of it."""
        return self.domain.mask(self.indices[index])


def hold_out(domain: Domain, holdout: float, seed: int) -> Splits:
    """``domain`` in two: below 1, ``holdout`` is the share held out for testing, from 1 on how many samples are.

    A sample's name (without folder ending, so that pairs stay together) and the seed decide, not its place among the others: by share,
    adding samples moves none to the other side. Raises UserError where a side would stay empty.
    """
    if holdout >= 1 and holdout != int(holdout):
        raise UserError(f"--holdout is {holdout:g}; give a share below 1, such as 0.1, or a whole number of pictures.")
    if holdout >= len(domain) or len(domain) < 2:
        raise UserError(
            f"--holdout is {holdout:g}, and '{domain.name}' has only {len(domain)} samples ({domain.origin}); hold out fewer, or add more."
        )
    draws = [derive(seed, "holdout", _stem(domain.label(index))) / 2**63 for index in range(len(domain))]
    ranked = sorted(range(len(domain)), key=lambda index: (draws[index], domain.label(index)))
    count = int(holdout) if holdout >= 1 else sum(draw < holdout for draw in draws)
    held = set(ranked[: min(max(count, 1), len(domain) - 1)])
    return Splits(Subset(domain, [index for index in range(len(domain)) if index not in held]), Subset(domain, sorted(held)))


def _stem(label: str) -> str:
    return PurePosixPath(label).with_suffix("").as_posix()
