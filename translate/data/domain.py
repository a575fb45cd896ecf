"""What a domain is: a sequence of samples that look alike, and what one sample is made of."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from translate.errors import NotAPicture

Array = NDArray[np.generic]

#: The value windows that dtypes have unless a domain says otherwise: the values that become -1 and +1.
WINDOWS = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0), "float32": (-1.0, 1.0)}


@dataclass(frozen=True)
class Space:
    """What one sample of a domain is, as the networks see it.

    ``shape`` is ``(C, H, W)`` for pictures and ``(D,)`` for points; ``dtype`` is how samples are stored
    (``uint8``, ``uint16`` or ``float32``), and ``window`` the stored values that become -1 and +1.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "uint8"
    window: tuple[float, float] = WINDOWS["uint8"]

    @property
    def is_picture(self) -> bool:
        """Whether samples are pictures rather than points."""
        return len(self.shape) == 3

    @property
    def channels(self) -> int:
        """Channels of a picture, coordinates of a point."""
        return self.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture, in pixels. Raises UserError for points."""
        if not self.is_picture:
            raise NotAPicture(f"Domain '{self.name}' holds points of {self.channels} coordinates, where pictures are needed.")
        _, height, width = self.shape
        return height, width


def file_name(domain: str) -> str:
    """The domain's name as part of a path, on every system: ``points:ring8`` becomes ``points-ring8``."""
    name = Path(domain).name
    for sign, word in {"!=": "-not-", "<=": "-to-", ">=": "-from-", "<": "-below-", ">": "-above-"}.items():
        name = name.replace(sign, word)
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "domain"


class Domain(ABC):
    """A sequence of samples that look alike: the horses, the zebras, the scans of one scanner.

    Every domain has a ``name``, the number of ``channels`` of its samples, the ``dtype`` they are stored in and the value
    ``window`` that becomes [-1, 1]. Reading must be pure: the same index gives the same array, in any thread.
    """

    name: str
    channels: int = 3
    dtype: str = "uint8"
    window: tuple[float, float] = WINDOWS["uint8"]

    #: False for points, whose samples have the shape ``(channels,)``.
    is_picture: bool = True

    #: Whether reading takes long enough to keep samples of a size on disk, as decoding files does.
    cacheable: bool = False

    #: One line for the start of a run: where these samples come from ("1067 pictures in photos/trainA").
    origin: str = ""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "dtype" in vars(cls) and "window" not in vars(cls):
            cls.window = WINDOWS[cls.dtype]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, index: int) -> Array:
        """Sample ``index``: ``(H, W, C)`` for a picture, at its own size; ``(D,)`` for a point."""

    def label(self, index: int) -> str:
        """The name of sample ``index``, such as a file name. Unique within the domain."""
        return f"{self.name}-{index:05d}"

    def weights(self) -> Sequence[float] | None:
        """How often each sample is drawn, relative to the others; None where all are, as the recipe's order says. Pairs have none."""
        return None

    def fingerprint(self) -> str:
        """A digest that changes when the samples do. This one is of their names, for domains that compute what they show."""
        labels = "\0".join(self.label(index) for index in range(len(self)))
        return hashlib.sha256(f"{self.name}\0{self.dtype}\0{labels}".encode()).hexdigest()

    def counterpart(self, index: int, domain: str) -> Array | None:
        """What sample ``index`` truly looks like in ``domain``, where that is known; otherwise None."""
        return None

    def mask(self, index: int) -> NDArray[np.bool_] | None:
        """``(H, W)``, true where sample ``index`` must change to become its counterpart, where that is known; otherwise None."""
        return None
