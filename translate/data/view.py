"""Domains that show another domain in another way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from translate.data.domain import Array, Domain


class View(Domain):
    """All of ``domain``, as it is: the others override what they show differently."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.name, self.origin, self.is_picture = domain.name, domain.origin, domain.is_picture
        self.channels, self.dtype, self.window = domain.channels, domain.dtype, domain.window
        self.cacheable = domain.cacheable

    def __len__(self) -> int:
        return len(self.domain)

    def read(self, index: int) -> Array:
        """Sample ``index`` of the domain."""
        return self.domain.read(index)

    def label(self, index: int) -> str:
        """Its name there."""
        return self.domain.label(index)

    def weights(self) -> Sequence[float] | None:
        """The domain's."""
        return self.domain.weights()

    def fingerprint(self) -> str:
        """The domain's."""
        return self.domain.fingerprint()

    def counterpart(self, index: int, domain: str) -> Array | None:
        """What the domain knows of it."""
        return self.domain.counterpart(index, domain)

    def mask(self, index: int) -> NDArray[np.bool_] | None:
        """What the domain knows of it."""
        return self.domain.mask(index)


class Weighted(View):
    """``domain``, whose samples are drawn as often as ``weights`` say, one for each, relative to the others."""

    def __init__(self, domain: Domain, weights: Sequence[float]) -> None:
        super().__init__(domain)
        self._weights = tuple(weights)

    def weights(self) -> Sequence[float] | None:
        """How often each is drawn."""
        return self._weights

    def fingerprint(self) -> str:
        """A digest of the domain's fingerprint and of the weights."""
        return hashlib.sha256(f"{self.domain.fingerprint()}\0{self._weights}".encode()).hexdigest()
