"""Whether feature extractors keep their contract."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from translate.errors import UserError
from translate.hookspecs import FeatureFactory
from translate.metrics.features import FeatureExtractor, Seen, see
from translate.options import Part
from translate.parts import build_part
from translate.pretrained import Frozen, Pretrained
from translate.randomness import seeded
from translate.testing.common import CPU, NonConforming, blamed, check_options, draw, no_plugins, part_of, shown, space, unchanged
from translate.testing.pretrained import check_frozen

#: Pictures that are shown at once.
PICTURES = 6


def check_features(
    factory: FeatureFactory, *, part: str = "", size: tuple[int, int] = (32, 32), channels: Sequence[int] = (3, 1)
) -> str:
    """Raise NonConforming unless ``factory`` makes extractors that keep the contract; return what to beware of, empty for nothing.

    Pictures of ``size`` with each number of ``channels`` give finite features, a row for each, and logits a row for each where there are
    any: others for other pictures; the same again, whatever else is in the batch, and by an extractor that is made again under the same
    seed. It has a label, and what it rests on is frozen, for nobody lets it begin. It may refuse some of ``channels`` by a UserError,
    which is raised where it refuses all. Random weights are allowed, and are told.
    """
    chosen = part_of(factory, part)
    what = f"Feature extractor '{chosen.name}'"
    check_options(factory, what)
    taken, refusals = [], []
    for count in channels:
        try:
            taken.append((_made(chosen, what, count, size), count))
        except UserError as refusal:
            refusals.append(refusal)
    if not taken:
        raise refusals[0]
    for extractor, count in taken:
        _check_declared(extractor, what)
        _check_seen(extractor, _made(chosen, what, count, size), what, draw(PICTURES, count, *size))
    extractor, count = taken[0]
    images = draw(PICTURES, count, *size)
    by_chance = not _close(see(extractor, images), see(_made(chosen, what, count, size, seed=1), images))
    return "its weights are random by these options, and figures of random features tell little" if by_chance else ""


def _made(chosen: Part, what: str, channels: int, size: tuple[int, int], seed: int = 0) -> FeatureExtractor:
    with seeded(CPU, seed), blamed(what, "it must be made by factory(space), and with options last where it has Options"):
        return build_part(no_plugins().features, chosen, FeatureExtractor, space(channels, size))


def _check_declared(extractor: FeatureExtractor, what: str) -> None:
    if not isinstance(getattr(extractor, "label", None), str) or not extractor.label:
        raise NonConforming(f"{what} has no label, by which figures name it; set 'label' to a text.")
    if any(isinstance(each, Pretrained) and not isinstance(each, Frozen) for each in extractor.modules()):
        raise NonConforming(
            f"{what} holds a translate.Pretrained, whose begin() nobody calls here, so that its weights would stay random; load them "
            f"while it is made, and hold the network in translate.Frozen(network, {{NAME: DIGEST}})."
        )
    check_frozen(what, extractor)


def _check_seen(extractor: FeatureExtractor, remade: FeatureExtractor, what: str, images: Tensor) -> None:
    before = images.clone()
    with (
        seeded(CPU, 1),
        blamed(f"{what}, given pictures of {shown(images)},", "it must return translate.Seen(features, logits or None)"),
    ):
        seen, again, alone = see(extractor, images), see(extractor, images), see(extractor, images[:1])
    with seeded(CPU, 2):
        other = see(remade, images)
    unchanged(what, [before], [images])
    for name, each in (("features", seen.features), ("logits", seen.logits)):
        if each is not None and (each.dim() != 2 or len(each) != len(images) or not each.isfinite().all()):
            raise NonConforming(
                f"{what} gives {name} of the shape {shown(each)}; they must be finite numbers, a row for each of {len(images)} pictures: "
                f"take means over positions, or flatten them."
            )
    if not _close(seen, again):
        raise NonConforming(f"{what} sees something else in the same pictures when it is asked again; leave chance out of it.")
    if not _close(seen, other):
        raise NonConforming(
            f"{what} sees something else when it is made again under the same seed; draw random weights from torch's global generator, and "
            f"from no other."
        )
    if not _close(alone, Seen(*(None if each is None else each[:1] for each in seen))):  # type: ignore[arg-type]  # features are there
        raise NonConforming(
            f"{what} sees something else in a picture when there are others beside it; use no statistics of the batch."
        )
    if torch.equal(seen.features, seen.features[:1].expand_as(seen.features)):
        raise NonConforming(f"{what} sees the same in all pictures; return what depends on them.")


def _close(one: Seen, other: Seen) -> bool:
    """But for rounding, which differs with the size of a batch."""
    return all(
        (mine is None) == (theirs is None)
        and (
            mine is None or theirs is None or (mine.shape == theirs.shape and torch.allclose(mine, theirs, rtol=1e-3, atol=1e-4))
        )
        for mine, theirs in zip(one, other, strict=True)
    )
