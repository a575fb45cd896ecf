"""From domains to batches: in a fixed order, loaded once, augmented by draws, prefetched by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from translate.data import picture
from translate.data.augment import Augmentation
from translate.data.domain import Array, Domain
from translate.data.source import CACHE_BYTES, Source
from translate.errors import RecipeError, UserError
from translate.randomness import derive, uniform
from translate.recipe import Batch

__all__ = ["CACHE_BYTES", "Loader", "Source"]

#: A batch of more bytes does not stay in a processor's cache, so that each of its pictures is finished before the next.
LARGE = 1 << 20


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
        #: Whether the device computes where samples are loaded.
        self._here = device.type == "cpu"
        self.order = [order[min(index, len(order) - 1)] for index in range(len(sources))]
        for policy in self.order:
            if policy not in ("round", "draw", "paired"):
                raise RecipeError(f"A recipe's order is '{policy}'; it must be 'round', 'draw' or 'paired'.")
        # A round takes each sample as often as every other.
        weighted = [policy == "round" and source.shares is not None for source, policy in zip(sources, self.order, strict=True)]
        self.order = ["draw" if each else policy for each, policy in zip(weighted, self.order, strict=True)]
        for source, policy in zip(sources, self.order, strict=True):
            if policy == "paired":
                _check_pairs(sources[0].domain, source.domain)
        self._permutation = lru_cache(maxsize=2 * len(sources))(self._permute)

    def indices(self, domain: int, first: int, count: int) -> NDArray[np.int64]:
        """Which samples of domain number ``domain`` stand at the positions ``first`` ... ``first + count - 1``."""
        domain = self._drawn_as(domain)
        source = self.sources[domain]
        size = len(source.domain)
        if self.order[domain] == "draw":
            draws = uniform(self.seed, f"order/{domain}", first, count)[:, 0]
            if source.shares is not None:
                return np.searchsorted(source.shares, draws, side="right")
            return (draws * size).astype(np.int64)
        # A shuffled round through the positions of an epoch, in which a domain that is shorter begins again.
        lap = max(self.epoch, size)
        return np.array([self._permutation(domain, lap, at // lap)[at % lap] % size for at in range(first, first + count)])

    def _drawn_as(self, domain: int) -> int:
        """The domain whose draws hold for ``domain``: the first, where samples of the two belong together."""
        return 0 if self.order[domain] == "paired" else domain

    def load(self, first: int) -> tuple[Array, ...]:
        """What goes to the device of the batch that begins at position ``first``, one array ``(B, C, H, W)`` or ``(B, D)`` a domain.

        For a CPU these are floats, the ends of the domain's window -1 and 1. Elsewhere they are the values as they are stored, which are a
        quarter of the bytes.
        """
        return tuple(self._load(number, source, first) for number, source in enumerate(self.sources))

    def _load(self, number: int, source: Source, first: int) -> Array:
        samples = map(source.sample, self.indices(number, first, self.batch).tolist())
        dtype = np.float32 if self._here else source.domain.dtype
        if source.size is None:
            points: NDArray[Any] = np.stack(list(samples)).astype(dtype, copy=False)
            return _to_range(points, source.domain.window) if self._here else points
        draws = uniform(self.seed, f"augment/{self._drawn_as(number)}", first, self.batch, self.augmentation.draws)
        batch: NDArray[Any] = np.empty((self.batch, source.domain.channels, *self.augmentation.size), dtype)
        large = batch.nbytes > LARGE
        for sample, draw, planes in zip(samples, draws, batch, strict=True):
            _copy(self._augmented(sample, draw), planes)
            if self._here and large:
                _to_range(planes, source.domain.window)
        return _to_range(batch, source.domain.window) if self._here and not large else batch

    def _augmented(self, sample: Array, draw: NDArray[np.float64]) -> Array:
        result, (height, width) = self.augmentation(sample, draw), self.augmentation.size
        wanted = (height, width, sample.shape[2])
        if result.shape != wanted or result.dtype != sample.dtype:
            raise RecipeError(
                f"The augmentation {type(self.augmentation).__name__} gives {result.dtype} pictures of "
                f"{'x'.join(map(str, result.shape))}; a batch has {sample.dtype} ones of {'x'.join(map(str, wanted))}."
            )
        return result

    def to_batch(self, first: int, arrays: tuple[Array, ...]) -> Batch:
        """What ``load`` gave for position ``first`` as a batch on the device."""
        images = tuple(
            torch.from_numpy(array) if self._here else self._sent(array, source)
            for array, source in zip(arrays, self.sources, strict=True)
        )
        return Batch(images, first, self.seed)

    def _sent(self, array: Array, source: Source) -> Tensor:
        pictures = array if source.size is None else array.transpose(0, 2, 3, 1)
        return picture.to_tensor(pictures, source.domain.window, self.device)

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
                        try:
                            ahead.append((position, pool.submit(self.load, position)))
                        except RuntimeError as error:
                            raise UserError(
                                f"The threads that load pictures cannot be started ({error}); lower --workers, or raise the limit of "
                                f"processes with 'ulimit -u'."
                            ) from error
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


def _copy(picture: Array, planes: Array) -> None:
    """Write ``picture``, ``(H, W, C)``, to ``planes``, ``(C, H, W)``, which may be floats."""
    if picture.strides[1] < 0 and picture.itemsize == 1 and picture.shape[1] % 8 == 0:
        # A mirrored view: numpy walks backwards a byte at a time; eight at a time, turned round within themselves, take a third as long.
        turned = picture[:, ::-1].transpose(2, 0, 1).copy()
        turned.view("<u8")[...] = turned.view(">u8")[..., ::-1]
        np.copyto(planes, turned)
    else:
        np.copyto(planes, picture.transpose(2, 0, 1))


def _to_range(values: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.float32]:
    """``values`` with the ends of ``window`` as -1 and 1, in place, to the last bit as ``picture.to_tensor`` has them."""
    low, high = window
    if low:
        values -= low
    values *= 2 / (high - low)
    values -= 1
    return values
