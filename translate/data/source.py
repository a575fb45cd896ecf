"""A domain as training sees it: every sample at the size that augmentation takes, decoded once."""

from __future__ import annotations

import warnings
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from translate.data import cache
from translate.data.domain import Array, Domain
from translate.data.fit import Fit, fitted
from translate.data.memory import memory
from translate.data.pixels import PixelFile, sample_bytes
from translate.errors import DataWarning, RecipeError, UserError, brief

#: Resized samples are kept in memory up to this many bytes for all domains of a run: at most a quarter of what there is.
CACHE_BYTES = min(4 << 30, memory() // 4)


class Source:
    """The samples of ``domain`` at ``size``, (height, width), or points where that is None.

    The first samples, as many as go into ``cache_bytes``, stay in memory once they are read. Pictures decoded from files are also
    kept on the disk, where the next run and other processes find them; see :mod:`translate.data.cache`.
    """

    def __init__(self, domain: Domain, size: tuple[int, int] | None, cache_bytes: int, fit: Fit = "squash") -> None:
        self.domain, self.size, self.fit = domain, size, fit
        shape = (domain.channels,) if size is None else (domain.channels, *size)
        room = min(len(domain), cache_bytes // sample_bytes(shape, domain.dtype))
        # Pages that nothing was written to take no memory yet.
        self._kept = np.empty((room, *shape), domain.dtype)
        self._filled = np.zeros(room, bool)
        self._shown: Array = _as_picture(self._kept)
        self._shown.flags.writeable = False
        self._lock = Lock()
        self._writes = True

    @cached_property
    def shares(self) -> NDArray[np.float64] | None:
        """Where samples are drawn by weights: the share of the weights up to and with each sample; otherwise None."""
        weights = self.domain.weights()
        return None if weights is None else _shares(self.domain, np.asarray(weights, np.float64))

    def sample(self, index: int) -> Array:
        """Sample ``index``, ``(H, W, C)`` at the loading size, or a point ``(D,)``; not to be written to."""
        if index < len(self._filled):
            if not self._filled[index]:
                # Threads may load a sample twice; both results are the same.
                self._kept[index] = self._load(index)
                self._filled[index] = True
            shown: Array = self._shown[index]
            return shown
        return _as_picture(self._load(index))

    def _load(self, index: int) -> Array:
        """Sample ``index`` from the disk, as planes ``(C, H, W)``, or a point."""
        file = self._file
        if file is not None:
            found = file.read(index)
            if found is not None:
                return found
        sample = self._decoded(index)
        if file is not None and self._writes:
            try:
                file.write(index, sample)
            except OSError as error:
                self._stop_writing(file, error)
        return sample

    def _decoded(self, index: int) -> Array:
        array, domain = self.domain.read(index), self.domain
        if array.ndim != (1 if self.size is None else 3) or array.shape[-1] != domain.channels or array.dtype != domain.dtype:
            raise RecipeError(
                f"Domain '{domain.name}' says that its samples are {domain.dtype} of {domain.channels} channels, and sample {index} is "
                f"{array.dtype} of the shape {array.shape}."
            )
        return array if self.size is None else fitted(array, self.size, self.fit).transpose(2, 0, 1)

    @property
    def _file(self) -> PixelFile | None:
        with self._lock:  # the key takes long to compute where pictures are new, and threads begin together
            return self._opened

    @cached_property
    def _opened(self) -> PixelFile | None:
        return None if self.size is None else cache.open_cache(self.domain, self.size, self.fit)

    def _stop_writing(self, file: PixelFile, error: OSError) -> None:
        with self._lock:
            if not self._writes:
                return
            self._writes = False
        warnings.warn(
            f"No more decoded pictures of '{self.domain.name}' can be kept in {file.path.parent} ({brief(error)}), so the others are "
            f"decoded each time; make room there, or set TRANSLATE_CACHE to a folder on another disk.",
            DataWarning,
            stacklevel=2,
        )


def _as_picture(planes: Array) -> Array:
    """Planes ``(..., C, H, W)`` seen as ``(..., H, W, C)``; points as they are."""
    return planes.swapaxes(-3, -2).swapaxes(-2, -1) if planes.ndim >= 3 else planes[:]


def _shares(domain: Domain, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if weights.shape != (len(domain),) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise UserError(
            f"The weights of domain '{domain.name}' must be {len(domain)} numbers, none below 0 and not all 0: one for each sample."
        )
    sums = np.cumsum(weights)
    shares: NDArray[np.float64] = sums / sums[-1]
    return shares
