"""Every combination of registered parts, narrow; which of them are refused, and for what reason; and a run of one of them.

What ``test_combinations.py`` and ``proofs/combinations.py`` have in common.
"""

from __future__ import annotations

import inspect
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from conftest import draw
from torch import nn

from translate import Engine, Recipe, UserError
from translate.options import Part, kind
from translate.plugins import installed

DOMAINS = ("cat", "dog")
#: The least that every network with default depth takes.
SIZE = 32
#: Two, the least that batch normalisation can do with.
RUN = {"size": SIZE, "batch": 2, "steps": 3, "augment": "none", "workers": 0, "device": "cpu"}
#: The options that every recipe has.
SIDES = ("generator", "discriminator", "adversarial")

#: Narrow forms of parts, for speed, and forms that other games or recipes need. A part that is not here is taken by its bare name.
NARROW: dict[str, dict[str, tuple[str, ...]]] = {
    "generator": {
        "resnet": ("resnet:blocks=1,channels=4",),
        "unet": ("unet:channels=2",),
        "unet-batch": ("unet-batch:channels=2",),
        "mlp": ("mlp:widths=8",),
        "dcgan": ("dcgan:channels=2",),
        "dcgan-authors": ("dcgan-authors:channels=2",),
        "discogan": ("discogan:channels=2",),
        "timm": ("timm:backbone=test_resnet,levels=2,channels=2",),
    },
    "discriminator": {
        "patch": ("patch:channels=4,layers=1",),
        "pixel": ("pixel:channels=4",),
        "mlp": ("mlp:widths=8",),
        "dcgan": ("dcgan:channels=2", "dcgan:channels=2,norm=instance"),
        "dcgan-authors": ("dcgan-authors:channels=2", "dcgan-authors:channels=2,norm=instance"),
        "discogan": ("discogan:channels=2", "discogan:channels=2,norm=instance"),
        "timm": ("timm:backbone=test_resnet,levels=2,channels=4",),
    },
    "loss": {"perceptual": ("perceptual:backbone=test_resnet,levels=2",)},
}


class Combination(NamedTuple):
    """A recipe by its bare name and its parts as users write them; ``loss`` is empty for its own, and for recipes that have none."""

    recipe: str
    adversarial: str
    generator: str
    discriminator: str
    loss: str = ""

    def __str__(self) -> str:
        return " ".join(each for each in self if each)

    @property
    def method(self) -> type[Recipe]:
        """The recipe's class."""
        return installed().recipes[self.recipe]


@cache
def forms(option: str) -> list[str]:
    """Every registered part that ``option``, a key of ``NARROW`` or ``adversarial``, may name."""
    plugins = installed()
    names: dict[str, set[str]] = {
        "generator": set(plugins.generators),
        "discriminator": set(plugins.discriminators),
        "adversarial": set(plugins.adversarial_losses),
        "loss": {*plugins.cycle_losses, *plugins.reconstruction_losses},
    }
    return [form for name in sorted(names[option]) for form in NARROW.get(option, {}).get(name, (name,))]


@cache
def usual_forms(option: str) -> set[str]:
    """The first form of every registered part."""
    return {form for form in forms(option) if form == NARROW.get(option, {}).get(_name(form), (form,))[0]}


def image_losses(method: type[Recipe]) -> list[str]:
    """The recipe's options that name an image loss: ``cycle``, ``identity``, ``reconstruction``, ..."""
    return [each.name for each in fields(method.Options) if kind(method.Options, each.name) is Part and each.name not in SIDES]


def combinations() -> Iterator[Combination]:
    """The full product."""
    sides = [forms(option) for option in ("adversarial", "generator", "discriminator")]
    for name, method in installed().recipes.items():
        for parts in product(*sides, forms("loss") if image_losses(method) else [""]):
            yield Combination(name, *parts)


# Refusals. Whatever is not foreseen here has to run: a part registered anew that cannot do everything has to be entered.

NOISE_ONLY = frozenset({"dcgan", "dcgan-authors"})
PICTURES_ONLY = frozenset({"discogan", "resnet", "timm", "unet", "unet-batch"})


@dataclass(frozen=True)
class Refusal:
    """Why a combination is refused: whether ``applies`` to it, and a pattern of what is then said."""

    reason: str
    applies: Callable[[Combination], bool]
    sentence: str


def _name(part: str) -> str:
    return part.partition(":")[0]


def chosen(factory: Any, part: str) -> dict[str, Any]:
    """All options of a part, those that were given as text and the others' defaults."""
    defaults = {each.name: each.default for each in fields(factory.Options)} if hasattr(factory, "Options") else {}
    return defaults | dict(Part.parse(part).options)


def _translates(each: Combination) -> bool:
    return each.method.translate is not Recipe.translate


def _samples(each: Combination) -> bool:
    return each.method.sample is not Recipe.sample


def penalises_gradients(part: str) -> bool:
    """Whether a game differentiates the judge by what it sees: R1, R2, and Wasserstein's own penalty by its weight."""
    options = chosen(installed().adversarial_losses[_name(part)], part)
    return any(float(options.get(weight, 0)) for weight in ("r1", "r2", "weight"))


def normalises_batches(part: str) -> bool:
    """Whether a judge is built with batch normalisation."""
    return chosen(installed().discriminators[_name(part)], part).get("norm") == "batch"


def _hides_its_layers(part: str) -> bool:
    factory = installed().discriminators[_name(part)]
    return inspect.isclass(factory) and not hasattr(factory, "features")


def _asks_the_judge(part: str) -> bool:
    plugins = installed()
    factory = plugins.cycle_losses.get(_name(part)) or plugins.reconstruction_losses.get(_name(part))
    return bool(getattr(factory, "needs_judge", False))


REFUSALS = (
    Refusal(
        "a generator of pictures from noise is to translate",
        lambda each: _translates(each) and _name(each.generator) in NOISE_ONLY,
        r"Generator '{generator}' makes pictures from noise, .* to take pictures",
    ),
    Refusal(
        "a generator that takes pictures is given noise",
        lambda each: _samples(each) and _name(each.generator) in PICTURES_ONLY,
        r"Generator '{generator}' takes pictures, and this method makes samples from noise",
    ),
    Refusal(
        "gradients are penalised one by one, and the judge couples its batch",
        lambda each: penalises_gradients(each.adversarial) and normalises_batches(each.discriminator),
        r"Game '{adversarial}' penalises .* discriminator '{discriminator}' normalises over the batch",
    ),
    Refusal(
        "the distance is of the judge's features, and it shows none",
        lambda each: _asks_the_judge(each.loss) and _hides_its_layers(each.discriminator),
        r"discriminator '{discriminator}' does not show it",
    ),
)


def expected_refusals(each: Combination) -> list[Refusal]:
    """The reasons that apply, of which one has to be said; none where the combination has to run."""
    return [refusal for refusal in REFUSALS if refusal.applies(each)]


def check_sentence(each: Combination, sentence: str) -> None:
    """It is exactly one sentence, and says one of the expected reasons."""
    assert re.fullmatch(r"[A-Z][^\n]*\.", sentence), f"no sentence: {sentence!r}"
    assert not re.search(r"[.?!] +[A-Z]|Traceback|Error", sentence), f"not one sentence: {sentence!r}"
    names = {option: re.escape(_name(getattr(each, option))) for option in SIDES}
    said = [refusal for refusal in expected_refusals(each) if re.search(refusal.sentence.format(**names), sentence)]
    assert said, f"refused, and for no expected reason: {sentence!r}"


# Runs


def make_pictures(root: Path) -> Path:
    """A data folder with four small pictures of each domain: drawn ones take longer than the steps."""
    for number, name in enumerate(DOMAINS):
        for index in range(4):
            draw(root / name / f"{index}.png", 10 * number + index, (SIZE, SIZE))
    return root


def build(each: Combination, data: Path, **values: object) -> Engine:
    """The engine of a combination. Raises UserError where it is refused."""
    method, plugins = each.method, installed()
    losses = {}
    for option in image_losses(method) if each.loss else []:
        registry = plugins.cycle_losses if option == "cycle" else plugins.reconstruction_losses
        if _name(each.loss) in registry:
            losses[option] = each.loss
    sides = {option: getattr(each, option) for option in SIDES}
    least = method.domains if isinstance(method.domains, int) else method.domains[0]
    # A paper's preset has what a quick one may leave out: CycleGAN's identity loss, DCGAN's alternation.
    preset = "paper" if "paper" in method.presets else None
    return Engine(each.recipe, DOMAINS[:least], **{"preset": preset, "data": str(data), **RUN, **sides, **losses, **values})


def train(engine: Engine, updates: int = 1) -> list[dict[str, float]]:
    """The losses of each step, two at least, and on until each network has had so many ``updates``.

    Checks that all are finite, that every network was trained, and what the networks give.
    """
    trainer = engine.trainer
    before = {name: each.detach().clone() for group in trainer.parameters.values() for name, each in group.items()}
    losses: list[dict[str, float]] = []
    counts = Counter(dict.fromkeys(trainer.plans, 0))
    for report in engine.steps():
        losses.append(report.losses)
        counts.update({name.split("/")[0] for name in report.losses})
        if len(losses) >= 2 and min(counts.values()) >= updates:
            break
    assert min(counts.values()) >= updates, f"{engine.total} steps update {dict(counts)}"
    for step, each in enumerate(losses):
        assert each, f"step {step + 1} has no losses"
        assert all(map(math.isfinite, each.values())), f"step {step + 1} has the losses {each}"
    trainer.check_finite()
    for group, plan in trainer.plans.items():
        for network in plan.over:
            mine = {name: each for name, each in trainer.parameters[group].items() if name.startswith(f"{network}.")}
            changed = [name for name, each in mine.items() if not torch.equal(each, before[name])]
            # A bias may cancel out, as a critic's last one does; a weight may not.
            left = [name for name, each in mine.items() if each.dim() > 1 and name not in changed]
            assert changed, f"nothing of '{network}' was trained"
            assert not left, f"of '{network}', {left} were not trained"
    check_outputs(engine)
    return losses


@torch.no_grad()
def check_outputs(engine: Engine) -> None:
    """Translations and samples have the shape and range of pictures, and judges give a score or a map of them for each picture."""
    recipe, spaces = engine.recipe.eval(), engine.spaces
    pictures = torch.rand(2, *spaces[0].shape) * 2 - 1
    made = []
    if type(recipe).translate is not Recipe.translate:
        made += [recipe.translate(pictures, source, 1 - source) for source in (0, 1) if recipe.leads(source, 1 - source)]
    if recipe.latent is not None:
        made.append(recipe.sample(recipe.latent.draw(2)))
    assert made, f"recipe '{engine.recipe_name}' neither translates nor samples"
    for each in made:
        assert each.shape == pictures.shape, f"pictures of the shape {tuple(each.shape)}"
        assert each.abs().max() <= 1, f"pixels within ±{each.abs().max():g}"
    for judge in judges(engine):
        scores = judge(pictures)
        assert scores.shape[:2] == (2, 1), f"scores of the shape {tuple(scores.shape)}"
        assert scores.dim() in (2, 4), f"scores of the shape {tuple(scores.shape)}"
        assert scores.isfinite().all()


def judges(engine: Engine) -> list[nn.Module]:
    """What is trained and not exported."""
    names = [name for plan in engine.trainer.plans.values() for name in plan.over if name not in engine.recipe.exports]
    assert names, "nobody judges"
    return [engine.recipe.get_submodule(name) for name in names]


def check(each: Combination, data: Path) -> str | None:
    """Train a combination, or see it refused at construction; the sentence of the refusal. Raises where neither is as it should be."""
    engine, sentence = None, ""
    try:
        engine = build(each, data)
    except UserError as error:
        sentence = str(error)
    if engine is None:
        check_sentence(each, sentence)
        return sentence
    expected = [refusal.reason for refusal in expected_refusals(each)]
    assert not expected, f"not refused, though {expected[0]}"
    train(engine)
    return None
