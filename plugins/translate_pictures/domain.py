"""The drawn domains: which there are, their splits, and the seed of every drawing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from translate import Domain, UserError

from . import bags, digits, faces, herd, seasons, shoes

#: First word of every seed; changing it changes every drawing.
SEED = 20170330

#: Drawings a side. ``unseen`` shows surroundings that neither of the others ever does.
SPLITS = {"train": 1000, "test": 200, "unseen": 200}


@dataclass(frozen=True)
class Subject:
    """What a pair of drawn domains has in common: how a scene is made up, drawn in a style, and masked. Or a domain by itself."""

    styles: tuple[str, ...]
    channels: int
    sample: Callable[[np.random.Generator, bool], Any]
    draw: Callable[[Any, str, tuple[int, int]], NDArray[np.uint8]]
    mask: Callable[[Any, tuple[int, int]], NDArray[np.bool_]] | None = None


#: In this order, because the place of a subject is part of its seeds. Bags and shoes have the circle of hues in common, but no
#: bag is the counterpart of a shoe, so they are subjects of their own.
SUBJECTS = (
    Subject(herd.STYLES, herd.CHANNELS, herd.sample, herd.draw, herd.mask),
    Subject(faces.STYLES, faces.CHANNELS, faces.sample, faces.draw, faces.mask),
    Subject(digits.STYLES, digits.CHANNELS, digits.sample, digits.draw),
    Subject(bags.STYLES, bags.CHANNELS, bags.sample, bags.draw),
    Subject(shoes.STYLES, shoes.CHANNELS, shoes.sample, shoes.draw),
    Subject(seasons.STYLES, seasons.CHANNELS, seasons.sample, seasons.draw, seasons.mask),
)
NAMES = tuple(style for subject in SUBJECTS for style in subject.styles)


class DrawnDomain(Domain):
    """Pictures of one kind, drawn when they are read: uint8 (H, W, C) at the size asked for.

    Drawing ``index`` depends on the name, the split and the index alone, and its composition not on the size. Domains that
    are counterparts of each other draw different scenes: their data is unpaired, though the truth about each scene is known.
    """

    def __init__(self, name: str, split: str = "train", size: tuple[int, int] | None = None) -> None:
        if name not in NAMES:
            nearest = get_close_matches(name, NAMES, n=1, cutoff=0.4)
            hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
            raise UserError(f"No domain named {name!r} can be drawn; there are {', '.join(NAMES)}.{hint}")
        if split not in SPLITS:
            raise UserError(f"Drawn domains have no split {split!r}; they have {', '.join(SPLITS)}.")
        self.name = name
        self.split = split
        self.size = size or (256, 256)
        if min(self.size) < 8:
            raise UserError(f"A drawing of {self.size[0]}x{self.size[1]} pixels is too small; 8 is the least for a side.")
        self._place = next(i for i, subject in enumerate(SUBJECTS) if name in subject.styles)
        self._subject = SUBJECTS[self._place]
        self.channels = self._subject.channels
        self.origin = f"drawn by the program ({len(self)} pictures)"

    def __len__(self) -> int:
        return SPLITS[self.split]

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The domains that each drawing has a true counterpart in."""
        return tuple(style for style in self._subject.styles if style != self.name)

    def seed(self, index: int) -> tuple[int, ...]:
        """What the scene of drawing ``index`` is made up from; no two drawings of any domain and split share it."""
        if not 0 <= index < len(self):
            raise IndexError(f"Drawing {index} of {self.name!r} ({self.split}) doesn't exist; there are {len(self)}, from 0 on.")
        return (SEED, self._place, tuple(SPLITS).index(self.split), self._subject.styles.index(self.name), index)

    def scene(self, index: int) -> Any:
        """Everything about drawing ``index`` but its style and size."""
        return self._subject.sample(np.random.default_rng(self.seed(index)), self.split == "unseen")

    def read(self, index: int) -> NDArray[np.uint8]:
        """(H, W, C) in 0…255."""
        return self._subject.draw(self.scene(index), self.name, self.size)

    def label(self, index: int) -> str:
        """Such as ``horse-00017.png``."""
        return f"{self.name}-{index:05d}.png"

    def fingerprint(self) -> str:
        """A digest of the first drawings: it changes when the program draws otherwise."""
        digest = hashlib.sha256(f"{self.name}\0{len(self)}".encode())
        for index in range(min(4, len(self))):
            digest.update(self.read(index).tobytes())
        return digest.hexdigest()

    def counterpart(self, index: int, domain: str) -> NDArray[np.uint8] | None:
        """The same scene in the style of ``domain``: (H, W, C). None where it has none."""
        if domain not in self._subject.styles:
            return None
        return self._subject.draw(self.scene(index), domain, self.size)

    def mask(self, index: int) -> NDArray[np.bool_] | None:
        """(H, W), true wherever the two styles are painted differently, at least in part of the pixel; None without a counterpart.

        A whole coat counts, with places in it where a stripe happens to be as bright as the plain coat. Outside of the mask a
        drawing and its counterpart are equal.
        """
        return self._subject.mask(self.scene(index), self.size) if self._subject.mask else None
