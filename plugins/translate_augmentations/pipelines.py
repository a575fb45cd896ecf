"""Any pipeline of albumentations, from a file or by the names of its transforms."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import random
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from translate import Augmentation, UserError, option
from translate_augmentations.channels import by_channels

Array = NDArray[Any]


#: What is done where neither is chosen.
USUAL = "HorizontalFlip"


class Pipeline(Augmentation):
    """Transforms of albumentations, from a file or by their names; without options, horizontal flips alone.

    What comes out is brought to the training size. 8-bit pictures go in as they are. Those of 16 bits and of float go in as float32, with
    the picture's darkest value as 0 and its brightest as 1, which is what transforms expect; so none leaves the range that the picture has.
    """

    #: The seed of a picture's random draws, in two pieces of 32 bits.
    draws: ClassVar[int] = 2

    @dataclass(frozen=True)
    class Options:
        """What a user may choose: one of ``file`` and ``transforms``."""

        file: str = option("", "a pipeline that albumentations.save wrote as JSON")
        transforms: str = option(
            "",
            "names of transforms, joined by +, with their defaults; without a file either, HorizontalFlip",
        )
        margin: float = option(1.0, "pictures are loaded this many times as large as a batch's, for pipelines that crop", least=1)

    def __init__(self, size: tuple[int, int], options: Options) -> None:
        super().__init__(size)
        if options.file and options.transforms:
            raise UserError(
                "Augmentation 'albumentations' takes either a file or transforms, such as albumentations:file=pipeline.json or "
                "albumentations:transforms=HorizontalFlip+RandomBrightnessContrast."
            )
        self.options = options
        if options.file:
            path = Path(options.file)
            content = _content(path)
            self._first, self._digest = _from_file(path, content), hashlib.sha256(content).hexdigest()
        else:
            self._first, self._digest = _by_names((options.transforms or USUAL).split("+")), ""
        # A pipeline holds the draws of one picture, and threads load several at once: those that are at work are not in here.
        self._idle: deque[Any] = deque()

    @property
    def loading_size(self) -> tuple[int, int]:
        """``margin`` times the training size, each side rounded."""
        return round(self.size[0] * self.options.margin), round(self.size[1] * self.options.margin)

    def __call__(self, image: Array, draw: NDArray[np.float64]) -> Array:
        """``image`` through the pipeline, whose draws follow from ``draw``. Raises UserError where a transform does not take it."""
        if image.dtype == np.uint8:
            return self._through(image.copy(order="C"), draw)  # a transform may write to it
        least, most = float(image.min()), float(image.max())
        scale = most - least or 1.0
        result = self._through(((image.astype(np.float64) - least) / scale).astype(np.float32, order="C"), draw)
        values = (result.astype(np.float64) * scale + least).clip(least, most)
        return (values if image.dtype.kind == "f" else np.rint(values)).astype(image.dtype)

    def fingerprint(self) -> str:
        """SHA-256 of the file as it was when the pipeline was made; empty where its transforms are named."""
        return self._digest

    def _through(self, image: Array, draw: NDArray[np.float64]) -> Array:
        try:
            pipeline = self._idle.pop()
        except IndexError:
            pipeline = copy.deepcopy(self._first)
        # Not set_random_seed, which gives every transform the same draws: two of them would always come together or not at all.
        seed = [int(each * 2**32) for each in draw]
        pipeline.set_random_state(np.random.default_rng(seed), random.Random(seed[0] << 32 | seed[1]))
        result = _applied(pipeline, image)
        self._idle.append(pipeline)
        if isinstance(result, np.ndarray) and result.ndim == 2:
            result = result[..., None]
        if not isinstance(result, np.ndarray) or result.dtype != image.dtype or result.shape[2:] != image.shape[2:]:
            found = f"{result.dtype} of the shape {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__
            raise UserError(
                f"The albumentations pipeline makes {found} of {image.dtype} of the shape {image.shape}; leave out transforms that "
                f"change the number type or the channels, such as Normalize and ToTensorV2."
            )
        return result if result.shape[:2] == tuple(self.size) else _resized(result, self.size)


def _resized(image: Array, size: tuple[int, int]) -> Array:
    import cv2

    shrinks = image.shape[0] > size[0] or image.shape[1] > size[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return by_channels(lambda piece: cv2.resize(piece, (size[1], size[0]), interpolation=way), image)


def _albumentations() -> ModuleType:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for its latest version otherwise
    return import_module("albumentations")


def _by_names(names: list[str]) -> Any:
    library = _albumentations()
    for name in names:
        _check_name(name, library, "albumentations:transforms")
    return _made(
        lambda: library.Compose([getattr(library, name)() for name in names]),
        f"{' + '.join(names)} cannot be made with the defaults of albumentations",
        "write the pipeline to a file with albumentations.save, and give albumentations:file=FILE",
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The albumentations pipeline {path} cannot be read ({error.strerror}).") from None


def _from_file(path: Path, data: bytes) -> Any:
    """The pipeline that ``path`` holds in ``data``. Raises UserError."""
    try:
        content = json.loads(data.decode())["transform"]
        names = list(_class_names(content))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{path} is not a pipeline that albumentations.save wrote as JSON.") from None
    library = _albumentations()
    for name in names:
        _check_name(name, library, str(path))
    if "transforms" not in content:
        content = {"__class_fullname__": "Compose", "p": 1.0, "transforms": [content]}
    return _made(
        lambda: library.from_dict({"transform": content}),
        f"The albumentations pipeline {path} cannot be made",
        f"write it anew with albumentations.save of albumentations {library.__version__}",
    )


def _class_names(transform: Mapping[str, Any]) -> Iterator[str]:
    """What ``from_dict`` would look up: the name of a transform's class, and those of the transforms within it."""
    name = str(transform["__class_fullname__"])
    yield name.rpartition(".")[2] if name.startswith("albumentations.") else name
    for inner in transform.get("transforms", ()):
        yield from _class_names(inner)


def _check_name(name: str, library: ModuleType, where: str) -> None:
    """Raise UserError unless ``name`` is a transform of albumentations' own, or a way to compose them."""
    kinds = library.BasicTransform, library.BaseCompose
    everything = ((each, getattr(library, each)) for each in dir(library))
    known = [each for each, kind in everything if isinstance(kind, type) and issubclass(kind, kinds) and each != "Lambda"]
    if name not in known:
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        raise UserError(
            f"{where} names '{name}', which is no transform of albumentations {library.__version__} that a file can hold."
            f"{f' Did you mean {close[0]!r}?' if close else ''}"
        )


def _made(make: Callable[[], Any], trouble: str, advice: str) -> Any:
    """What ``make`` gives. Raises UserError where it raises; arguments that a transform does not know are no more than a warning there."""
    try:
        return make()
    except Exception as error:  # its classes raise what they like
        raise UserError(f"{trouble} ({_brief(error)}); {advice}.") from None


def _applied(pipeline: Any, image: Array) -> Any:
    try:
        return pipeline(image=image)["image"]
    except Exception as error:  # its transforms raise what they like, or what OpenCV does
        basic = _albumentations().BasicTransform
        through = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
        names = [type(each).__name__ for each in through if isinstance(each, basic)]
        raise UserError(
            f"The albumentations transform '{names[-1] if names else type(pipeline).__name__}' does not take {image.dtype} pictures of "
            f"the shape {image.shape} ({_brief(error)}); leave it out, or change its arguments."
        ) from error


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
