"""Scores a trained method on samples that it has not seen, under a protocol that travels with the figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from translate.data import picture
from translate.data.catalogue import Found, open_domains
from translate.data.domain import Domain, Space
from translate.data.fit import Fit, fitted
from translate.data.samples import as_networks_see, evenly
from translate.errors import RecipeError, TranslateError, UserError, brief, listed
from translate.metrics.features import FeatureExtractor
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
#: Pictures that are translated at once.
AT_ONCE = 16


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
    fit = run.fit
    plugins = engine.plugins
    left_out: dict[str, str] = {}
    chosen = _chosen(plugins, scores, left_out)
    rows: list[Row] = []
    labels: set[str] = set()
    for evidence in _evidence(engine, found, features, count, fit, seed):
        label = evidence.extractor.label if evidence.extractor is not None else ""
        labels |= {label} - {""}
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
    protocol = {
        "recipe": engine.recipe_name,
        "step": engine.step,
        "averaged": engine.header().averaged,
        "split": {train.name: "test" if test else "train" for train, test in zip(found.train, found.test, strict=True)},
        "data": {each.name: {"origin": each.origin, "fingerprint": each.fingerprint()} for each in found.held_out},
        "pictures": {domain.name: min(count, len(domain)) for domain in found.held_out},
        "size": {space.name: list(space.shape) for space in engine.spaces},
        "resize": f"antialiased bicubic, {fit}",
        "features": sorted(labels),
        "seed": seed,
        "versions": dict(engine.header().versions),
    }
    return Evaluation(tuple(rows), protocol, left_out)


def _opened(engine: Engine, run: RunOptions) -> Found:
    """The domains that the networks were made for. Raises UserError where those that are found are of another kind."""
    size = next((space.size for space in engine.spaces if space.is_picture), None)
    found = open_domains(
        engine.plugins,
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


def _figures(score: Score, evidence: Evidence) -> Mapping[str, Figure]:
    figures = score(evidence)
    if not isinstance(figures, Mapping) or not all(isinstance(each, Figure) for each in figures.values()):
        raise RecipeError(f"it returns {figures!r:.80}, and not translate.Figure values by name")
    return figures


def _unfit(score: Score, evidence: Evidence) -> str:
    lacking = evidence.lacks(score.needs)
    return REASONS[lacking[0]] if lacking else score.unfit(evidence)


def _evidence(engine: Engine, found: Found, features: Part | None, count: int, fit: Fit, seed: int) -> Iterator[Evidence]:
    """One for each direction of a method that translates, or for what is made from noise."""
    domains, spaces, recipe = found.held_out, engine.spaces, engine.recipe
    held_out = [
        as_networks_see(domain, space, evenly(domain, count), CPU, fit) for domain, space in zip(domains, spaces, strict=True)
    ]

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

    if recipe.latent is not None:
        made = engine.sample(recipe.latent.draw(min(count, len(held_out[0])), seed)).cpu()
        yield Evidence(spaces[0], domains[0], made, held_out[0], extractor=extractor(spaces[0]), seed=seed)
        return
    ways = [(i, j) for i in range(len(spaces)) for j in range(len(spaces)) if recipe.leads(i, j)]
    if not ways:
        raise UserError(f"'{engine.recipe_name}' neither translates nor makes samples, so there is nothing to score.")
    for source, target in ways:
        outputs = _translated(engine, held_out[source], source, target)
        truth, mask = _truth(domains[source], spaces[target], len(outputs), fit)
        yield Evidence(
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


def _truth(domain: Domain, target: Space, count: int, fit: Fit) -> tuple[Tensor | None, Tensor | None]:
    """What the samples of ``domain`` truly look like in ``target``, and where that differs, where both are known of all of them."""
    if not target.is_picture:
        return None, None
    truths, masks = [], []
    for index in evenly(domain, count):
        truth = domain.counterpart(index, target.name)
        if truth is None:
            return None, None
        truths.append(fitted(truth, target.size, fit))
        masks.append(domain.mask(index))
    known = picture.to_tensor(np.stack(truths), target.window, CPU)
    if any(mask is None for mask in masks):
        return known, None
    floats = [fitted(np.asarray(mask, np.float32)[..., None], target.size, fit) for mask in masks]
    return known, picture.to_tensor(np.stack(floats), (-1.0, 1.0), CPU).clamp(0, 1)


@torch.no_grad()
def _translated(engine: Engine, images: Tensor, source: int, target: int) -> Tensor:
    with engine.averaged():
        engine.recipe.eval()
        pieces = torch.split(images, AT_ONCE)
        return torch.cat([engine.recipe.translate(piece.to(engine.device), source, target).float().cpu() for piece in pieces])
