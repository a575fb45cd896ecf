"""Whether scores keep their contract."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch import Tensor
from torch.nn import functional

from translate.data.domain import Array, Domain, Space
from translate.hookspecs import ScoreFactory
from translate.metrics.features import FeatureExtractor, Seen
from translate.metrics.score import REASONS, Evidence, Figure, Score
from translate.parts import build_part
from translate.randomness import seeded
from translate.testing.common import CPU, NonConforming, blamed, check_options, draw, no_plugins, part_of, space, unchanged

#: Samples that were made, and real ones: not as many.
MADE, REAL = 6, 5
#: Which way a figure may be better; empty where nobody knows.
WAYS = ("higher", "lower", "")


def check_score(factory: ScoreFactory, *, part: str = "", evidence: Sequence[Evidence] = ()) -> None:
    """Raise NonConforming unless ``factory`` makes scores that keep the contract.

    It needs what evidence can have; of all that has it, unless it says by ``unfit`` why not, it gives named figures, numbers within their
    intervals, the same again, and it leaves the samples as they are. Evidence is tried with much known and with little, of colour and of
    grey, of pictures and of points; ``evidence`` is further such, where a score asks for a domain of its own. Figures of given samples are
    the author's own to test.
    """
    chosen = part_of(factory, part)
    what = f"Score '{chosen.name}'"
    check_options(factory, what)
    with blamed(what, "it must be made by factory(), or by factory(options)"):
        score = build_part(no_plugins().scores, chosen, Score)
    if unknown := sorted(set(score.needs) - set(REASONS)):
        raise NonConforming(f"{what} needs '{unknown[0]}', which nobody can give; it may need {', '.join(sorted(REASONS))}.")
    fitting = [each for each in (*evidence, *_evidence()) if not each.lacks(score.needs)]
    if not fitting:
        raise NonConforming(
            f"{what} needs {', '.join(sorted(score.needs))} at once, which no evidence has; let out of 'needs' what it can do without."
        )
    for each in fitting:
        _check_figures(score, what, each)


def _check_figures(score: Score, what: str, evidence: Evidence) -> None:
    case = f"{what}, given {evidence.way},"
    with blamed(case, "name in 'needs' what it cannot do without, or say by unfit() why it cannot be computed"):
        reason = score.unfit(evidence)
        if not isinstance(reason, str):
            raise NonConforming(
                f"Method 'unfit' of {what} returns a {type(reason).__name__}; it must return a text, empty where it fits."
            )
        if reason:
            return
        before = [each.clone() for each in _samples(evidence)]
        computed = []
        for seed in range(2):  # a score has its own seed: what torch's generator gives is another each time
            with seeded(CPU, seed):
                computed.append(score(evidence))
    unchanged(what, before, _samples(evidence))
    figures, again = computed
    if not isinstance(figures, Mapping) or not all(
        isinstance(name, str) and isinstance(each, Figure) for name, each in figures.items()
    ):
        raise NonConforming(f"{case} returns {_described(figures)}; it must return translate.Figure values by name.")
    if not figures:
        raise NonConforming(f"{case} returns no figure; return one, or say by unfit() why there is none.")
    for name, figure in figures.items():
        _check_figure(f"Figure '{name}' of {what}", figure)
    # As texts, in which a NaN is as good as another.
    if repr(dict(figures)) != repr(dict(again)):
        raise NonConforming(
            f"{what} gives other figures for the same evidence; draw from a generator that evidence.seed seeds, and from no other."
        )


def _check_figure(which: str, figure: Figure) -> None:
    for value in (figure.value, *(each for each in (figure.low, figure.high) if each is not None)):
        if isinstance(value, bool) or math.isinf(value):
            raise NonConforming(f"{which} has the value {value!r}; it must be a finite number, or NaN with a note.")
    if math.isnan(figure.value) and not figure.note:
        raise NonConforming(
            f"{which} is NaN, and does not say why; give it a note: Figure(math.nan, note='all inputs are the same')."
        )
    if figure.low is not None and figure.high is not None and figure.low > figure.high:
        raise NonConforming(f"{which} has the interval [{figure.low:.4g}, {figure.high:.4g}]; the lower end comes first.")
    if figure.better not in WAYS:
        raise NonConforming(f"{which} says that {figure.better!r} is better; it must be 'higher', 'lower' or ''.")


def _described(figures: object) -> str:
    if not isinstance(figures, Mapping):
        return f"a {type(figures).__name__}"
    return f"{type(next(iter(figures.values()))).__name__} values by {type(next(iter(figures))).__name__}"


def _samples(evidence: Evidence) -> list[Tensor]:
    every = (evidence.outputs, evidence.real, evidence.inputs, evidence.returned, evidence.truth, evidence.mask)
    return [each for each in every if each is not None]


class _Eye(FeatureExtractor):
    """Means over quarters of the picture, or coordinates, and as many classes."""

    label = "testing"

    def forward(self, images: Tensor) -> Seen:
        seen = functional.adaptive_avg_pool2d(images, 2).flatten(1) if images.dim() == 4 else images
        return Seen(seen, seen)


class _Nothing(Domain):
    """A domain of which nothing is known."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __len__(self) -> int:
        return REAL

    def read(self, index: int) -> Array:
        return np.zeros((1, 1, 3), np.uint8)


def _evidence() -> Iterator[Evidence]:
    """Translations with everything known, to a domain of other channels, and with nothing known; pictures and points from noise."""
    for known, channels in ((True, 3), (True, 1), (False, 3)):
        x, y = space(3, (32, 32), "x"), space(channels, (32, 32), "y")
        inputs, outputs, real = draw(MADE, *x.shape), draw(MADE, *y.shape, seed=1), draw(REAL, *y.shape, seed=2)
        bare = Evidence(y, _Nothing("y"), outputs, real, source=x, inputs=inputs)
        if not known:
            yield bare
            continue
        mask = (draw(MADE, 1, 32, 32, seed=3) > 0).float()
        truth = draw(MADE, *y.shape, seed=4)
        yield Evidence(
            y,
            bare.domain,
            outputs,
            real,
            source=x,
            inputs=inputs,
            returned=0.9 * inputs,
            truth=truth,
            mask=mask,
            extractor=_Eye(),
        )
    for made in (space(3, (32, 32), "pictures"), Space("points", (2,), "float32", (-1.0, 1.0))):
        for extractor in (_Eye(), None):
            yield Evidence(
                made, _Nothing(made.name), draw(MADE, *made.shape), draw(REAL, *made.shape, seed=1), extractor=extractor
            )
