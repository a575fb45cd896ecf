"""Gathers what scores are computed of: samples, what a method makes of them, and what is known of the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor

from translate.data import picture
from translate.data.catalogue import Found
from translate.data.domain import Domain, Space
from translate.data.fit import Fit, fitted
from translate.data.samples import as_networks_see, evenly
from translate.errors import RecipeError, UserError
from translate.metrics.features import FeatureExtractor
from translate.metrics.score import Evidence
from translate.options import Part
from translate.parts import build_part
from translate.randomness import derive, seeded
from translate.roster import Roster

if TYPE_CHECKING:
    from translate.engine import Engine

T = TypeVar("T")

CPU = torch.device("cpu")
#: Pictures that are translated at once.
AT_ONCE = 16


def gathered(
    engine: Engine, found: Found, features: Part | None, count: int, fit: Fit, seed: int
) -> Iterator[Callable[[], Evidence]]:
    """Functions that gather the evidence of a direction each, for a method that translates, or of what is made from noise.

    One is called after the other, so that the evidence of one direction may be gone when that of the next is gathered: pictures are held
    as floats, ``count`` of each domain and as many of each kind that was made or is known of a direction. Raises UserError where the
    method makes nothing.
    """
    domains, spaces, recipe = found.held_out, engine.spaces, engine.recipe
    roster = Roster(engine.plugins)
    for domain in domains:
        roster.add(domain, f"domain '{domain.name}'", found.owners.get(domain.name))
    with roster.blaming("where a sample was read"):
        held_out = [_held(domain, space, count, fit) for domain, space in zip(domains, spaces, strict=True)]

    def extractor(space: Space) -> FeatureExtractor | None:
        if features is None:
            return None
        with seeded(CPU, derive(seed, "features")):  # weights that are random are the same ones each time
            made = build_part(engine.plugins.features, features, FeatureExtractor, space)
        if not isinstance(getattr(made, "label", None), str):
            raise RecipeError(
                f"The feature extractor '{features.name}' has no label, by which figures name it; set 'label' to a text."
            )
        return made

    def of_samples() -> Evidence:
        assert recipe.latent is not None
        made = engine.sample(recipe.latent.draw(min(count, len(held_out[0])), seed)).cpu()
        return Evidence(spaces[0], domains[0], made, held_out[0], extractor=extractor(spaces[0]), seed=seed)

    def of_way(source: int, target: int) -> Evidence:
        outputs = _translated(engine, held_out[source], source, target)
        with roster.blaming("where the truth was asked for"):
            truth, mask = _truth(domains[source], spaces[target], len(outputs), fit)
        return Evidence(
            spaces[target],
            domains[target],
            outputs,
            held_out[target],
            source=spaces[source],
            inputs=held_out[source],
            returned=_translated(engine, outputs, target, source) if recipe.leads(target, source) else None,
            truth=truth,
            mask=mask,
            extractor=extractor(spaces[target]),
            seed=seed,
        )

    if recipe.latent is not None:
        yield of_samples
        return
    ways = [(i, j) for i in range(len(spaces)) for j in range(len(spaces)) if recipe.leads(i, j)]
    if not ways:
        raise UserError(f"'{engine.recipe_name}' neither translates nor makes samples, so there is nothing to score.")
    yield from (partial(of_way, source, target) for source, target in ways)


def _held(domain: Domain, space: Space, count: int, fit: Fit) -> Tensor:
    """Up to ``count`` samples of ``domain``, spread over it."""
    indices = evenly(domain, count)
    return _together((as_networks_see(domain, space, [index], CPU, fit) for index in indices), len(indices))


def _truth(domain: Domain, target: Space, count: int, fit: Fit) -> tuple[Tensor | None, Tensor | None]:
    """What the samples of ``domain`` truly look like in ``target``, and where that differs, where both are known of all of them."""
    if not target.is_picture:
        return None, None
    indices = evenly(domain, count)

    def true(index: int) -> Tensor:
        return picture.to_tensor(
            fitted(_known(domain.counterpart(index, target.name)), target.size, fit)[None], target.window, CPU
        )

    def differing(index: int) -> Tensor:
        floats = np.asarray(_known(domain.mask(index)), np.float32)[..., None]
        return picture.to_tensor(fitted(floats, target.size, fit)[None], (-1.0, 1.0), CPU).clamp(0, 1)

    truth = mask = None
    with suppress(_Unknown):
        truth = _together(map(true, indices), len(indices))
        mask = _together(map(differing, indices), len(indices))
    return truth, mask


class _Unknown(Exception):
    """Nobody knows it of one of the samples."""


def _known(array: T | None) -> T:
    if array is None:
        raise _Unknown
    return array


@torch.no_grad()
def _translated(engine: Engine, images: Tensor, source: int, target: int) -> Tensor:
    with engine.averaged():
        engine.recipe.eval()
        pieces = torch.split(images, AT_ONCE)
        made = (engine.recipe.translate(piece.to(engine.device), source, target).float().cpu() for piece in pieces)
        return _together(made, len(images))


def _together(pieces: Iterable[Tensor], count: int) -> Tensor:
    """``count`` samples as one tensor that is filled as they come: a list of them would be as large again."""
    pieces = iter(pieces)
    first = next(pieces)
    whole = first.new_empty((count, *first.shape[1:]))
    filled = 0
    for piece in chain([first], pieces):
        whole[filled : filled + len(piece)] = piece
        filled += len(piece)
    return whole
