"""Any game works with any recipe, on any networks and with any distance, or is refused in one sentence before training starts.

Here each pair of parts meets once; ``proofs/combinations.py`` runs the full product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import fields
from functools import cache
from itertools import combinations as choose
from itertools import product

import parts
import pytest
from parts import Combination

from translate import UserError
from translate.options import Part, kind
from translate.plugins import installed

Pair = tuple[tuple[int, str], ...]


def pairs(each: Combination) -> set[Pair]:
    """Every two of its parts, with what they are parts of. A judge's further forms are there for some games, and meet those only."""
    usual = each.discriminator in parts.usual_forms("discriminator")
    chosen = [(place, part) for place, part in enumerate(each) if part and (usual or place in (1, 3))]
    return set(choose(chosen, 2))


def covering(every: Iterable[Combination], met: Container[Pair] = ()) -> list[Combination]:
    """A selection in which every two parts meet that do in any of ``every``, but for those that have ``met``: greedily, recipes in turn."""
    holders: dict[Pair, list[Combination]] = {}
    for each in every:
        for pair in (pair for pair in pairs(each) if pair not in met):
            holders.setdefault(pair, []).append(each)
    missing, selected = dict.fromkeys(sorted(holders)), []
    used: Counter[str] = Counter()
    while missing:
        best = max(
            holders[next(iter(missing))], key=lambda each: (sum(pair in missing for pair in pairs(each)), -used[each.recipe])
        )
        selected.append(best)
        used[best.recipe] += 1
        for pair in pairs(best):
            missing.pop(pair, None)
    return selected


@cache
def selection() -> list[Combination]:
    """Every two parts that can meet in a run do so; of those that cannot, every two are refused, for one reason alone."""
    by_reasons: dict[int, list[Combination]] = {}
    usual = parts.usual_forms("discriminator")
    for each in parts.combinations():
        if each.discriminator in usual or parts.penalises_gradients(each.adversarial):  # otherwise the usual form does
            by_reasons.setdefault(len(parts.expected_refusals(each)), []).append(each)
    met = {pair for each in by_reasons[0] for pair in pairs(each)}
    return covering(by_reasons[0]) + covering(by_reasons.get(1, []), met)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return parts.make_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("combination", selection(), ids=str)
def test_every_pair_of_parts(combination, data):
    parts.check(combination, data)


def test_the_selection_is_pairwise():
    every = {option: parts.usual_forms(option) for option in ("adversarial", "generator", "discriminator", "loss")}
    met = {pair for each in selection() for pair in pairs(each)}
    for (first, some), (second, others) in choose(enumerate(every.values(), start=1), 2):
        assert not {((first, one), (second, other)) for one, other in product(some, others)} - met
    for place, option in enumerate(("adversarial", "generator", "discriminator"), start=1):
        assert not {((0, recipe), (place, part)) for recipe, part in product(installed().recipes, every[option])} - met


def own(recipe: str, option: str) -> list[str]:
    """The narrow forms of the recipe's own part."""
    default = next(each.default for each in fields(installed().recipes[recipe].Options) if each.name == option)
    return parts.NARROW[option].get(default.name, (str(default),))


@pytest.mark.parametrize(("recipe", "game"), [*product(installed().recipes, installed().adversarial_losses)])
def test_every_recipe_plays_every_game_by_name(recipe, game, data):
    """With penalties that are due at every other update, on the recipe's own networks; where those couple a batch, as is advised."""
    method = installed().recipes[recipe]
    assert kind(method.Options, "adversarial") is Part
    known = parts.chosen(installed().adversarial_losses[game], game)
    given = [f"{name}={value}" for name, value in (("r1", 1), ("r2", 2), ("lazy", 2)) if name in known]
    (generator,), (*judges,) = own(recipe, "generator"), own(recipe, "discriminator")
    each = Combination(recipe, f"{game}:{','.join(given)}" if given else game, generator, judges[0])
    if parts.expected_refusals(each):
        with pytest.raises(UserError) as error:
            parts.build(each, data)
        parts.check_sentence(each, str(error.value))
        assert f"use --discriminator {judges[1]}," in str(error.value)
        each = each._replace(discriminator=judges[1])
    # Until the judges have been updated twice, whatever the method's rhythm is; the first time is with penalties.
    engine = parts.build(each, data, steps=6)
    judging = [group for group, plan in engine.trainer.plans.items() if not set(plan.over) <= set(engine.recipe.exports)]
    losses = parts.train(engine, updates=2)
    judged = [names for names in losses if any(name.startswith(f"{group}/") for name in names for group in judging)]
    for name in {"r1", "r2"} & known.keys():
        assert [any(f"/{name}" in key for key in names) for names in judged[:2]] == [True, False]
