"""Scores a trained method on samples that it has not seen, under a protocol that travels with the figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from translate.data.catalogue import Found, open_domains
from translate.errors import RecipeError, TranslateError, UserError, brief, listed
from translate.metrics.features import FeatureExtractor
from translate.metrics.gathering import gathered
from translate.metrics.score import REASONS, Evidence, Figure, Score
from translate.options import Part
from translate.parts import build_part
from translate.plugins import Plugins
from translate.randomness import derive, seeded

if TYPE_CHECKING:
    from translate.engine import Engine
    from translate.settings import RunOptions

CPU = torch.device("cpu")
#: The options of a run that choose its pictures and how they fit.
CHOICE = frozenset({"domains", "holdout", "holdout_seed", "fit"})


@dataclass(frozen=True)
class Row:
    """One figure: ``way`` is "horse→zebra", ``score`` the registered name, ``name`` the figure's with its extractor."""

    way: str
    score: str
    name: str
    figure: Figure


@dataclass(frozen=True)
class Evaluation:
    """Figures, the protocol that they were computed under, and which scores were left out, with the reason, by "way: score"."""

    rows: tuple[Row, ...]
    protocol: Mapping[str, Any]
    left_out: Mapping[str, str]

    def plain(self) -> dict[str, Any]:
        """As numbers, texts and lists, for JSON."""
        return {
            "protocol": dict(self.protocol),
            "figures": [{"way": row.way, "score": row.score, "name": row.name, **_plain(row.figure)} for row in self.rows],
            "left_out": dict(self.left_out),
        }

    def __str__(self) -> str:
        lines = []
        for way in dict.fromkeys(row.way for row in self.rows):
            mine = [row for row in self.rows if row.way == way]
            width = max(len(row.name) for row in mine)
            lines += [way, *(f"  {row.name:<{width}}  {_shown(row.figure)}" for row in mine)]
        return "\n".join(lines)


def _plain(figure: Figure) -> dict[str, Any]:
    """A figure for JSON, which knows no NaN."""
    return {key: None if isinstance(each, float) and not math.isfinite(each) else each for key, each in asdict(figure).items()}


def _shown(figure: Figure) -> str:
    interval = f" [{figure.low:.4g}, {figure.high:.4g}]" if figure.low is not None and figure.high is not None else ""
    better = f" ({figure.better} is better)" if figure.better else ""
    return f"{figure.value:.4g}{interval}{better}{'; ' + figure.note if figure.note else ''}"


def evaluate(
    engine: Engine,
    found: Found | None,
    run: RunOptions,
    *,
    scores: Sequence[Part],
    features: Part | None,
    count: int,
    seed: int,
) -> Evaluation:
    """Score ``engine`` on up to ``count`` held-out samples of each domain of ``found``, or training ones where none are held out.

    Where nothing is ``found`` yet, domains are opened as ``run`` says. ``scores`` are parts, or "all" for every registered one that fits.
    Raises UserError where there is nothing to score.
    """
    if count < 1:
        raise UserError(f"The count of samples is {count}; it must be at least 1.")
    found = found or _opened(engine, run)
    left_out: dict[str, str] = {}
    chosen = _chosen(engine.plugins, scores, left_out)
    rows: list[Row] = []
    labels: set[str] = set()
    for gather in gathered(engine, found, features, count, run.fit, seed):
        # No name here holds on to the evidence of one direction while that of the next is gathered: it is what takes the memory.
        label, figures = _scored(gather(), chosen, seed, left_out)
        labels |= {label} - {""}
        rows += figures
    protocol = {
        "recipe": engine.recipe_name,
        "step": engine.step,
        "averaged": engine.header().averaged,
        "split": {train.name: "test" if test else "train" for train, test in zip(found.train, found.test, strict=True)},
        "data": {each.name: {"origin": each.origin, "fingerprint": each.fingerprint()} for each in found.held_out},
        "pictures": {domain.name: min(count, len(domain)) for domain in found.held_out},
        "size": {space.name: list(space.shape) for space in engine.spaces},
        "resize": f"antialiased bicubic, {run.fit}",
        "features": sorted(labels),
        "seed": seed,
        "versions": dict(engine.header().versions),
    }
    return Evaluation(tuple(rows), protocol, left_out)


def _opened(engine: Engine, run: RunOptions) -> Found:
    """The domains that the networks were made for. Raises UserError where those that are found are of another kind."""
    size = next((space.size for space in engine.spaces if space.is_picture), None)
    found = open_domains(
        engine.guard,
        run.domains,
        run.data,
        size,
        holdout=run.holdout,
        seed=run.holdout_seed,
        paired="paired" in engine.recipe.order,
    )
    for domain, space in zip(found.train, engine.spaces, strict=True):
        if (domain.channels, domain.is_picture) != (space.channels, space.is_picture):
            raise UserError(f"'{space.name}' has {space.channels} channels in these weights and {domain.channels} in this data.")
    return found


def _chosen(plugins: Plugins, parts: Sequence[Part], left_out: dict[str, str]) -> dict[str, Score]:
    """The scores by name. Of "all", those that cannot be made are left out."""
    if [str(part) for part in parts] != ["all"]:
        chosen = {str(part): build_part(plugins.scores, part, Score) for part in parts}
        if len(chosen) < len(parts):
            raise UserError(f"A score is asked for twice: {listed(map(str, parts))}; give each another class, or other options.")
        return chosen
    chosen = {}
    for name in plugins.scores:
        try:
            chosen[name] = build_part(plugins.scores, Part(name), Score)
        except TranslateError as error:
            left_out[name] = str(error)
    return chosen


def check_scores(engine: Engine, scores: Sequence[Part], features: Part | None) -> None:
    """Raise UserError, before training starts, where ``scores`` that are named cannot be made, or need what is not there."""
    for name, score in _chosen(engine.plugins, scores, {}).items():
        if score.needs & {"features", "logits"} and features is None and [str(part) for part in scores] != ["all"]:
            raise UserError(f"The score '{name}' looks through a network; name one by --score-features NAME.")
    if features is not None:
        for space in engine.spaces:
            build_part(engine.plugins.features, features, FeatureExtractor, space)


def _scored(evidence: Evidence, chosen: Mapping[str, Score], seed: int, left_out: dict[str, str]) -> tuple[str, list[Row]]:
    """The extractor's label, empty where there is none, and the figures of one direction; ``left_out`` takes what there are none of."""
    label = evidence.extractor.label if evidence.extractor is not None else ""
    rows: list[Row] = []
    for name, score in chosen.items():
        figures: Mapping[str, Figure] = {}
        try:
            reason = _unfit(score, evidence)
            if not reason:
                with seeded(CPU, derive(seed, "score")):
                    figures = _figures(score, evidence)
        except TranslateError as error:
            reason = str(error)
        except Exception as error:  # whatever a stranger's score raises must not take the others' figures with it
            reason = f"it failed ({brief(error)})"
        if reason:
            left_out[f"{evidence.way}: {name}"] = reason
        tag = f"[{label}]" if score.needs & {"features", "logits"} else ""
        rows += [Row(evidence.way, name, f"{each}{tag}", figure) for each, figure in figures.items()]
    return label, rows


def _figures(score: Score, evidence: Evidence) -> dict[str, Figure]:
    figures = score(evidence)
    if not isinstance(figures, Mapping) or not all(isinstance(each, Figure) for each in figures.values()):
        raise RecipeError(f"it returns {figures!r:.80}, and not translate.Figure values by name")
    return {
        name: replace(each, note="the score does not say why") if math.isnan(each.value) and not each.note else each
        for name, each in figures.items()
    }


def _unfit(score: Score, evidence: Evidence) -> str:
    lacking = evidence.lacks(score.needs)
    return REASONS[lacking[0]] if lacking else score.unfit(evidence)
