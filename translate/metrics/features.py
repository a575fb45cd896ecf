"""Networks that see pictures as vectors, for scores that compare distributions."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate.errors import RecipeError, TranslateError, brief

#: Pictures that go through an extractor at once.
AT_ONCE = 32


class Seen(NamedTuple):
    """What an extractor sees in N samples: ``features`` (N, D), and ``logits`` (N, K) where it knows K classes."""

    features: Tensor
    logits: Tensor | None = None


class FeatureExtractor(nn.Module):
    """``(B, C, H, W)`` in [-1, 1] → :class:`Seen`. Subclass it; the constructor is given the space of the pictures.

    It normalises pictures itself. It is never trained here, and is asked in evaluation mode.
    """

    #: Its name in figures, ``KID[efficientnet-lite0]``: two extractors that see differently must not share one.
    label: str
    #: The (height, width) that it wants pictures of, brought there by antialiased bicubic interpolation; None takes them as they are.
    size: tuple[int, int] | None = None

    @abstractmethod
    def forward(self, images: Tensor) -> Seen:
        """What it sees in ``images``."""


@torch.no_grad()
def see(extractor: FeatureExtractor, images: Tensor) -> Seen:
    """What ``extractor`` sees in ``images``, (N, C, H, W) in [-1, 1] or (N, D): float32 on the CPU, asked in small batches."""
    extractor.eval()
    pieces = []
    for piece in torch.split(images, AT_ONCE):
        if extractor.size is not None and piece.dim() == 4 and tuple(piece.shape[2:]) != tuple(extractor.size):
            piece = functional.interpolate(piece, extractor.size, mode="bicubic", antialias=True).clamp(-1, 1)
        try:
            seen = extractor(piece)
        except TranslateError:
            raise
        except Exception as error:  # of whatever kind: it is its author's
            raise RecipeError(f"The feature extractor {type(extractor).__name__} failed ({brief(error)}).") from error
        _check(extractor, seen, len(piece))
        pieces.append(Seen(seen.features.float(), None if seen.logits is None else seen.logits.float()))
    logits = [each.logits for each in pieces if each.logits is not None]
    return Seen(torch.cat([each.features for each in pieces]), torch.cat(logits) if logits else None)


def _check(extractor: FeatureExtractor, seen: object, count: int) -> None:
    """Raise RecipeError, for the author of the extractor, unless it gave a row for each of ``count`` samples."""
    name = type(extractor).__name__
    if not isinstance(seen, Seen):
        raise RecipeError(f"The feature extractor {name} returns a {type(seen).__name__}; it must return translate.Seen.")
    for what, rows in seen._asdict().items():
        if rows is not None and (rows.dim() != 2 or len(rows) != count):
            raise RecipeError(
                f"The feature extractor {name} gives {what} of the shape {tuple(rows.shape)} for {count} samples; give each a row."
            )
