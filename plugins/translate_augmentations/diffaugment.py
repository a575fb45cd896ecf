"""The same few changes for every picture that a judge sees (DiffAugment)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import torch
from torch import Tensor
from torch.nn import functional

from translate import JudgeAugmentation, UserError, full_precision, option, upcast
from translate_augmentations.places import taken

#: Pictures are shifted by up to this share of their sides, and lose a rectangle of that share of them.
SHIFT = 0.125
HOLE = 0.5


class DiffAugment(JudgeAugmentation):
    """Every real and every fake that the judge sees changes in colour, moves and loses a part (Zhao et al., 2020, arXiv 2006.10738).

    ``colour``: brightness by up to half of what lies between grey and white, saturation by a factor in [0, 2), contrast by one in
    [0.5, 1.5). ``translation``: by up to 1/8 of the sides, with grey where nothing is. ``cutout``: a grey rectangle of half the sides.
    The policy of the paper is all three. Leave ``colour`` out where colour is what tells the domains apart: the judge sees less of it.
    """

    @dataclass(frozen=True)
    class Options:
        """What a user may choose; the default is the paper's."""

        policy: str = option("colour+translation+cutout", "what may change, joined by +: colour, translation, cutout")

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        chosen = (self.Options() if options is None else options).policy.split("+")
        for name in chosen:
            if name not in CHANGES:
                close = get_close_matches(name, CHANGES, n=1, cutoff=0.5)
                raise UserError(
                    f"diffaugment:policy names '{name}'; it takes colour, translation and cutout, joined by +."
                    f"{f' Did you mean {close[0]!r}?' if close else ''}"
                )
        self.changes = [change for name, change in CHANGES.items() if name in chosen]

    def forward(self, samples: Tensor) -> Tensor:
        """``samples``, each changed by draws of its own."""
        with full_precision(samples.device):
            changed = upcast(samples)
            for change in self.changes:
                changed = change(changed)
            return changed.to(samples.dtype)


def recoloured(images: Tensor) -> Tensor:
    """Brightness, saturation of three channels, contrast."""

    def between(least: float, most: float) -> Tensor:
        return least + (most - least) * torch.rand(len(images), 1, 1, 1, dtype=images.dtype, device=images.device)

    images = images + between(-0.5, 0.5)
    if images.shape[1] == 3:
        images = torch.lerp(images.mean(1, keepdim=True), images, between(0, 2))
    return torch.lerp(images.mean((1, 2, 3), keepdim=True), images, between(0.5, 1.5))


def moved(images: Tensor) -> Tensor:
    """Whole pixels up or down, left or right; 0 comes in from outside."""
    places = []
    for side in images.shape[2:]:
        far = int(side * SHIFT + 0.5)
        shift = torch.randint(-far, far + 1, (len(images), 1), device=images.device)
        # The edge of one pixel that is added below stands for all that is outside.
        places.append((torch.arange(side, device=images.device) + shift).clamp(-1, side) + 1)
    rows, columns = places
    return taken(functional.pad(images, [1, 1, 1, 1]), rows[:, :, None], columns[:, None, :])


def cut(images: Tensor) -> Tensor:
    """A rectangle of 0, as much of it as falls into the picture."""
    inside = []
    for side in images.shape[2:]:
        hole = int(side * HOLE + 0.5)
        # The middle of an even one lies between pixels, so that it has one place more.
        middle = torch.randint(0, side + 1 - hole % 2, (len(images), 1), device=images.device)
        first = middle - hole // 2
        place = torch.arange(side, device=images.device)
        inside.append((place >= first) & (place < first + hole))
    rows, columns = inside
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0)


#: In the paper's order.
CHANGES: Mapping[str, Callable[[Tensor], Tensor]] = {"colour": recoloured, "translation": moved, "cutout": cut}
