"""Whether augmentations keep their contract."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from translate.data.augment import Augmentation
from translate.data.domain import Array
from translate.hookspecs import AugmentationFactory
from translate.parts import build_part
from translate.randomness import uniform
from translate.testing.common import NonConforming, blamed, check_options, no_plugins, part_of

#: What pictures are stored in, and the largest value of each.
STORED = {"uint8": 255, "uint16": 65535, "float32": 1}


def check_augmentation(
    factory: AugmentationFactory, *, part: str = "", size: tuple[int, int] = (16, 24), channels: Sequence[int] = (3, 1)
) -> None:
    """Raise NonConforming unless ``factory`` makes augmentations that keep the contract.

    A picture of any dtype that domains are stored in and each number of ``channels``, at the loading size, becomes one of ``size`` of that
    dtype, for all draws from 0 to just below 1; the same for the same draws, in whichever thread; what came in is not written to.
    """
    chosen = part_of(factory, part)
    what = f"Augmentation '{chosen.name}'"
    check_options(factory, what)
    with blamed(what, "it must be made by factory(size), and with options last where it has Options"):
        augmentation = build_part(no_plugins().augmentations, chosen, Augmentation, size)
    if not (isinstance(augmentation.draws, int) and augmentation.draws >= 0):
        raise NonConforming(f"{what} has {augmentation.draws!r} draws; it must be a whole number: how many a picture takes.")
    width = augmentation.draws
    every = [np.zeros(width), np.full(width, np.nextafter(1, 0)), *uniform(0, "augmentation", 0, 8, max(width, 1))[:, :width]]
    for dtype in STORED:
        for count in channels:
            for draw in every:
                _check_picture(augmentation, what, _picture(augmentation, dtype, count), draw, size)
    _check_threads(augmentation, what, _picture(augmentation, "uint8", channels[0]), every)


def _picture(augmentation: Augmentation, dtype: str, channels: int) -> Array:
    height, width = augmentation.loading_size
    values = uniform(1, "picture", 0, height, width * channels).reshape(height, width, channels)
    picture: Array = (values * STORED[dtype]).astype(dtype)
    picture = np.ascontiguousarray(picture.transpose(2, 0, 1)).transpose(1, 2, 0)  # as the loader has them
    picture.flags.writeable = False
    return picture


def _check_picture(
    augmentation: Augmentation, what: str, picture: Array, draw: NDArray[np.float64], size: tuple[int, int]
) -> None:
    case = f"{what}, given {picture.dtype} of the shape {picture.shape}"
    with blamed(f"{case},", "it must take it, and write to neither the picture nor the draws"):
        draw.flags.writeable = False
        first, second = augmentation(picture, draw), augmentation(picture, draw)
    wanted = (*size, picture.shape[2])
    if not isinstance(first, np.ndarray) or first.shape != wanted or first.dtype != picture.dtype:
        found = f"{first.dtype} of {first.shape}" if isinstance(first, np.ndarray) else f"a {type(first).__name__}"
        raise NonConforming(
            f"{case}, returns {found}, where {picture.dtype} of {wanted} is expected; set 'loading_size' to suit."
        )
    if not np.array_equal(first, second):
        raise NonConforming(
            f"{what} makes something else of the same picture and draws; draw nothing, use what it is given: set 'draws' to how "
            "many."
        )


def _check_threads(augmentation: Augmentation, what: str, picture: Array, draws: Sequence[NDArray[np.float64]]) -> None:
    alone = [np.array(augmentation(picture, draw)) for draw in draws]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda draw: np.array(augmentation(picture, draw)), draws))
    if not all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True)):
        raise NonConforming(
            f"{what} makes something else of a picture when threads ask at a time; keep nothing on the object while it works on one."
        )
