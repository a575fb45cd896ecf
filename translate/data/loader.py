"""From domains to batches: in a fixed order, loaded once, augmented by draws, prefetched by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from translate.data import picture
from translate.data.augment import Augmentation
from translate.data.domain import Array, Domain
from translate.errors import RecipeError, UserError
from translate.randomness import derive, uniform
from translate.recipe import Batch

#: Resized samples are kept in memory up to this many bytes for all domains of a run.
CACHE_BYTES = 4 << 30


class Source:
    """A domain as training sees it: resized once to the size that augmentation takes, and kept in memory while there is room."""

    def __init__(self, domain: Domain, size: tuple[int, int] | None, cache_bytes: int) -> None:
        self.domain = domain
        self.size = size
        self._kept: dict[int, Array] = {}
        self._room = cache_bytes
        self._lock = Lock()

    def sample(self, index: int) -> Array:
        """Sample ``index``, ``(H, W, C)`` at the loading size, or a point ``(D,)``."""
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        array = self.domain.read(index)
        if self.size is not None:
            array = picture.resize(array, self.size)
        with self._lock:
            # Threads may load a sample twice; both results are the same.
            if self._room >= array.nbytes and index not in self._kept:
                self._room -= array.nbytes
                self._kept[index] = array
        return array


class Loader:
    """Gives the batch at any position of a run's stream of samples.

    ``order`` names how each domain is gone through, as in ``Recipe.order``; ``epoch`` is how many samples of each domain make an
    epoch. What a position holds is a function of the seed: it depends neither on the batch it is asked in nor on ``workers``.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        order: Sequence[str],
        augmentation: Augmentation,
        *,
        epoch: int,
        batch: int,
        seed: int,
        device: torch.device,
        workers: int,
    ) -> None:
        self.sources, self.augmentation, self.epoch = sources, augmentation, epoch
        self.batch, self.seed, self.device, self.workers = batch, seed, device, workers
        self.order = [order[min(index, len(order) - 1)] for index in range(len(sources))]
        for policy in self.order:
            if policy not in ("round", "draw", "paired"):
                raise RecipeError(f"A recipe's order is '{policy}'; it must be 'round', 'draw' or 'paired'.")
        for source, policy in zip(sources, self.order, strict=True):
            if policy == "paired":
                _check_pairs(sources[0].domain, source.domain)
        self._permutation = lru_cache(maxsize=2 * len(sources))(self._permute)

    def indices(self, domain: int, first: int, count: int) -> NDArray[np.int64]:
        """Which samples of domain number ``domain`` stand at the positions ``first`` ... ``first + count - 1``."""
        domain = self._drawn_as(domain)
        size = len(self.sources[domain].domain)
        if self.order[domain] == "draw":
            return (uniform(self.seed, f"order/{domain}", first, count)[:, 0] * size).astype(np.int64)
        # A shuffled round through the positions of an epoch, in which a domain that is shorter begins again.
        lap = max(self.epoch, size)
        return np.array([self._permutation(domain, lap, at // lap)[at % lap] % size for at in range(first, first + count)])

    def _drawn_as(self, domain: int) -> int:
        """The domain whose draws hold for ``domain``: the first, where samples of the two belong together."""
        return 0 if self.order[domain] == "paired" else domain

    def load(self, first: int) -> tuple[Array, ...]:
        """The stored values of the batch that begins at position ``first``, one array ``(B, H, W, C)`` for each domain."""
        arrays = []
        for number, source in enumerate(self.sources):
            samples = [source.sample(int(index)) for index in self.indices(number, first, self.batch)]
            if source.size is not None:
                draws = uniform(self.seed, f"augment/{self._drawn_as(number)}", first, self.batch, self.augmentation.draws)
                samples = [self._augmented(sample, draw) for sample, draw in zip(samples, draws, strict=True)]
            arrays.append(np.stack(samples))
        return tuple(arrays)

    def _augmented(self, sample: Array, draw: NDArray[np.float64]) -> Array:
        result, size = self.augmentation(sample, draw), self.augmentation.size
        if result.shape[:2] != tuple(size):
            raise RecipeError(
                f"The augmentation {type(self.augmentation).__name__} gives pictures of {result.shape[0]}x{result.shape[1]} pixels; a "
                f"batch has {size[0]}x{size[1]}."
            )
        return result

    def to_batch(self, first: int, arrays: tuple[Array, ...]) -> Batch:
        """Stored values as a batch on the device."""
        images = tuple(
            picture.to_tensor(array, source.domain.window, self.device)
            for array, source in zip(arrays, self.sources, strict=True)
        )
        return Batch(images, first, self.seed)

    def batches(self, first: int) -> Iterator[Batch]:
        """All batches from position ``first`` on, without end; loaded ahead by ``workers`` threads, or here where that is 0."""
        if not self.workers:
            while True:
                yield self.to_batch(first, self.load(first))
                first += self.batch
        with ThreadPoolExecutor(self.workers, thread_name_prefix="translate-loader") as pool:
            ahead: deque[tuple[int, Future[tuple[Array, ...]]]] = deque()
            try:
                while True:
                    while len(ahead) < 2 * self.workers:
                        position = first + len(ahead) * self.batch
                        ahead.append((position, pool.submit(self.load, position)))
                    position, future = ahead.popleft()
                    first = position + self.batch
                    yield self.to_batch(position, future.result())
            finally:
                for _, future in ahead:
                    future.cancel()

    def _permute(self, domain: int, lap: int, number: int) -> NDArray[np.int64]:
        return np.random.default_rng(derive(self.seed, "epoch", domain, number)).permutation(lap)


def _check_pairs(first: Domain, second: Domain) -> None:
    """Raise UserError unless the samples of two domains belong together, one by one: as many, of the same names."""
    names = [[Path(domain.label(index)).with_suffix("").as_posix() for index in range(len(domain))] for domain in (first, second)]
    only = [next(iter(sorted(set(mine) - set(others))), None) for mine, others in (names, names[::-1])]
    for domain, other, name in ((first, second, only[0]), (second, first, only[1])):
        if name is not None:
            raise UserError(
                f"This method learns from pairs, and '{name}' of '{domain.name}' has no counterpart of that name in '{other.name}'; give "
                f"both folders pictures of the same names."
            )
    if names[0] != names[1]:
        raise UserError(f"This method learns from pairs, and '{first.name}' and '{second.name}' list theirs in different orders.")
