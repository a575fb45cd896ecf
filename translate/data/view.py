"""Domains that show another domain in another way."""

from __future__ import annotations

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
