"""Everything that a plugin registers is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from kit import Critic, Gap, Net, Painter, Ramp, Squared, opener
from torch import nn
from torch.nn import functional

import translate
from translate import (
    Augmentation,
    DataSet,
    Diagnosis,
    FeatureExtractor,
    Figure,
    JudgeAugmentation,
    Score,
    Seen,
    UserError,
    hookimpl,
    option,
)
from translate.plugins import installed
from translate.testing import Result, check_plugin


def registering(**registered: dict[str, Any]) -> ModuleType:
    """A plugin, as a module is, that registers these parts."""
    plugin = ModuleType("mine")

    def hook(each: dict[str, Any]) -> Callable[..., None]:
        def implementation(register):
            for name, factory in each.items():
                register(name, factory)

        return hookimpl(implementation)

    vars(plugin).update({f"register_{kind}": hook(each) for kind, each in registered.items()})
    return plugin


class Linear(Net):
    def paint(self, features):
        return 100 * translate.upcast(features)


class Vector(Gap):
    def cost(self, scores):
        return functional.softplus(scores).flatten(1).mean(1)


class Root(Squared):
    def distance(self, output, target):
        return super().distance(output, target).sqrt()


class Turns(Augmentation):
    def __call__(self, image, draw):
        return image.swapaxes(0, 1)


class Hears:
    @hookimpl
    def step_reported(self, report):
        pass


class Colours(FeatureExtractor):
    label = "colours"

    def __init__(self, space):
        super().__init__()

    def forward(self, images):
        return Seen(images.mean(dim=(2, 3)))


class Maps(Colours):
    def forward(self, images):
        return Seen(images)


class Brightness(Score):
    def __call__(self, evidence):
        return {"brightness": self.figure(evidence.outputs.mean().item())}

    def figure(self, value):
        return Figure(value)


class Floats(Brightness):
    def figure(self, value):
        return value


class Silent(Diagnosis):
    def judge(self, history):
        return None


class Hasty(Diagnosis):
    def judge(self, history):
        return history[-2].findings.get("hasty")


class AsItIs(JudgeAugmentation):
    def forward(self, samples):
        return samples


class Detaches(JudgeAugmentation):
    def forward(self, samples):
        return samples.detach()


RAMPS = DataSet("Ramps", "https://example.org", "MIT", "Ramp: Ramps, 2026", ("up", "down"), terms="Write to the authors.")


def test_everything_that_a_plugin_registers_is_checked():
    plugin = registering(
        recipes={"painter": Painter},
        generators={"net": Net, "linear": Linear},
        discriminators={"critic": Critic},
        adversarial_losses={"gap": Gap, "vector": Vector},
        cycle_losses={"squared": Squared},
        reconstruction_losses={"squared": Squared, "root": Root},
        augmentations={"turns": Turns, "as-it-is": Augmentation},
        judge_augmentations={"as-it-is": AsItIs, "detaches": Detaches},
        features={"colours": Colours, "maps": Maps},
        scores={"brightness": Brightness, "floats": Floats},
        diagnoses={"silent": Silent, "hasty": Hasty},
        data_sets={"ramps": RAMPS, "nobodys": replace(RAMPS, terms="")},
        listeners={"hears": Hears, "deaf": object},
    )
    plugin.open_domain = hookimpl(opener(Ramp))
    before = {kind: list(registry) for kind, registry in installed().registries.items()}
    results = check_plugin(plugin, "mine", domains=("ramp", "hills"))
    assert {(each.kind, each.name): each.ok for each in results} == {
        ("recipe", "painter"): True,
        ("generator", "linear"): False,
        ("generator", "net"): True,
        ("discriminator", "critic"): True,
        ("adversarial loss", "gap"): True,
        ("adversarial loss", "vector"): False,
        ("cycle loss", "squared"): True,
        ("reconstruction loss", "squared"): True,
        ("reconstruction loss", "root"): False,
        ("augmentation", "turns"): False,
        ("augmentation", "as-it-is"): True,
        ("judge augmentation", "as-it-is"): True,
        ("judge augmentation", "detaches"): False,
        ("feature extractor", "colours"): True,
        ("feature extractor", "maps"): False,
        ("score", "brightness"): True,
        ("score", "floats"): False,
        ("diagnosis", "silent"): True,
        ("diagnosis", "hasty"): False,
        ("data set", "ramps"): True,
        ("data set", "nobodys"): False,
        ("listener", "hears"): True,
        ("listener", "deaf"): False,
        ("hook", "open_domain"): True,
        ("domain", "ramp"): True,
        ("domain", "hills"): False,
    }
    said = {each.name: str(each) for each in results}
    assert said["net"] == "generator 'net': ok"
    assert said["linear"].startswith("generator 'linear': Generator 'linear' makes pixels")
    assert {kind: list(registry) for kind, registry in installed().registries.items()} == before


def test_a_built_in_plugin_is_checked_beside_the_others():
    """It is installed already, and does not stand in its own way; larger pictures are tried where small ones are refused."""
    import translate_discogan

    results = check_plugin(translate_discogan, "discogan")
    assert [(each.kind, each.name) for each in results] == [
        ("module", "translate_discogan"),
        ("recipe", "discogan"),
        ("generator", "discogan"),
        ("discriminator", "discogan"),
    ]
    assert all(each.ok for each in results), [str(each) for each in results]


class LargeOnly(Net):
    def __init__(self, source, target):
        if min(source.size) < 48:
            raise UserError("It takes pictures of at least 48 pixels a side.")
        super().__init__(source, target)


class HugeOnly(Net):
    def __init__(self, source, target):
        raise UserError("It takes pictures of at least 4800 pixels a side.")


class Breaks(Net):
    def __init__(self, source, target):
        raise SystemError("no")


def test_sizes_are_tried_until_one_is_taken():
    results = check_plugin(registering(generators={"large": LargeOnly, "huge": HugeOnly, "breaks": Breaks}), "mine")
    assert [(each.name, each.ok) for each in results] == [("breaks", False), ("huge", False), ("large", True)]
    assert results[1].advice == "Nothing that was tried is taken: It takes pictures of at least 4800 pixels a side."
    assert "SystemError: no" in results[0].advice


class Chosen(Net):
    """Takes nothing for granted."""

    @dataclass(frozen=True)
    class Options:
        way: str = option("", "which way")

    def __init__(self, source, target, options):
        if not options.way:
            raise UserError("It needs a way, such as chosen:way=up.")
        super().__init__(source, target)


def test_parts_that_take_nothing_for_granted_are_given_options():
    plugin = registering(generators={"chosen": Chosen, "net": Net})
    refused, other = check_plugin(plugin, "mine")
    assert (refused.ok, other.ok) == (False, True)
    assert refused.advice == "Nothing that was tried is taken: It needs a way, such as chosen:way=up."
    results = check_plugin(plugin, "mine", parts=["chosen:way=up", "chsen:way=up"])
    assert [str(each) for each in results] == [
        "generator 'chosen': ok",
        "generator 'net': ok",
        "part 'chsen': The plugin registers no part of that name. Did you mean 'chosen'?",
    ]


def test_the_event_hooks_of_a_plugin_are_tried():
    told = []
    plugin = ModuleType("mine")
    plugin.run_started = hookimpl(lambda engine: told.append(engine.out))
    plugin.step_reported = hookimpl(lambda report: told.append(report.step))
    (result,) = check_plugin(plugin, "mine")
    assert str(result) == "events 'run_started, step_reported': ok"
    kept, loose = told[:3], told[3:]
    assert kept[0] is not None
    assert loose[0] is None
    assert kept[1:] == loose[1:] == [1, 2]
    plugin.step_reported = hookimpl(lambda report: report.step.nothing)
    (result,) = check_plugin(plugin, "mine")
    assert not result.ok
    assert result.advice.startswith("Plugin 'mine', told of step_reported, raises AttributeError")


class Chance(Colours):
    """What an eye sees whose weights nobody chose."""

    def __init__(self, space):
        super().__init__(space)
        self.mix = nn.Linear(space.channels, 4)

    def forward(self, images):
        return Seen(self.mix(super().forward(images).features))


def test_what_is_fine_may_still_be_something_to_beware_of():
    plugin = registering(features={"chance": Chance, "colours": Colours})
    plugin.open_domain = hookimpl(opener(Ramp))
    assert [str(each) for each in check_plugin(plugin, "mine")] == [
        "feature extractor 'chance': ok; its weights are random by these options, and figures of random features tell little",
        "feature extractor 'colours': ok",
        "hook 'open_domain': ok; none of its domains was looked at, for none was named: --domains NAME",
    ]
    *_, hook, domain = check_plugin(plugin, "mine", domains=["ramp"])
    assert (str(hook), str(domain)) == ("hook 'open_domain': ok", "domain 'ramp': ok")


def test_a_plugin_that_cannot_be_registered_is_a_result():
    (result,) = check_plugin(registering(generators={"resnet": Net}), "mine")
    assert result == Result("plugin", "mine", False, result.advice)
    assert "'resnet', which plugin 'cyclegan' has registered already" in result.advice
    (result,) = check_plugin(registering(generator={"net": Net}), "mine")
    assert "register_generator" in result.advice
