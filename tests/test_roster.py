"""Where somebody's part fails in a run, one sentence says whose it is; what is the caller's own stays as it is."""

from __future__ import annotations

import pytest
from conftest import TINY
from torch import nn

import translate
from translate import Domain, Engine, Game, ImageLoss, JudgeAugmentation, PluginError, RecipeError, hookimpl
from translate.data.augment import Augmentation
from translate.plugins import Plugin


class Sound(Game):
    def discriminator(self, judge, real, fake, clock):
        return {"gap": (judge(fake).mean() - judge(real).mean()).square()}

    def generator(self, judge, real, fake, clock):
        return {"gap": -judge(fake).mean()}


class Fails(Sound):
    def discriminator(self, judge, real, fake, clock):
        raise KeyError("depth")


class FailsLate(Sound):
    def generator(self, judge, real, fake, clock):
        if clock.step == 2:
            raise ValueError("two\nlines")
        return super().generator(judge, real, fake, clock)


class GivesATensor(Sound):
    def generator(self, judge, real, fake, clock):
        return -judge(fake).mean()


class GivesNothing(Sound):
    def generator(self, judge, real, fake, clock):
        pass


class GivesAFloat(Sound):
    def generator(self, judge, real, fake, clock):
        return {"gap": -judge(fake).mean().item()}


class GivesAMap(Sound):
    def discriminator(self, judge, real, fake, clock):
        return {"gap": judge(fake) - judge(real)}


class FailsToJudge(nn.Module):
    def __init__(self, space):
        super().__init__()
        self.convolve = nn.Conv2d(space.channels, 1, 3)

    def forward(self, samples):
        return self.convolve(samples[:, :1])


class FailsToTranslate(nn.Module):
    def __init__(self, source, target):
        super().__init__()
        self.convolve = nn.Conv2d(source.channels, target.channels, 3, padding=1)

    def forward(self, image):
        raise RuntimeError("shapes do not fit")


class FailsToCompare(ImageLoss):
    def forward(self, output, target):
        return (output - target).abs()


class FailsToCrop(Augmentation):
    draws = 1

    def __init__(self, size):
        self.size = size

    def __call__(self, picture, draws):
        raise IndexError("out of the picture")


class FailsToChange(JudgeAugmentation):
    def forward(self, samples):
        raise ZeroDivisionError


class FailsToRead(Domain):
    origin, channels = "nowhere", 3

    def __init__(self, name):
        self.name = name

    def __len__(self):
        return 4

    def read(self, index):
        raise OSError("the disk is gone")

    def fingerprint(self):
        return "0"


class Bad:
    @hookimpl
    def register_adversarial_losses(self, register):
        for each in (Fails, FailsLate, GivesATensor, GivesNothing, GivesAFloat, GivesAMap):
            register(each.__name__, each)

    @hookimpl
    def register_discriminators(self, register):
        register("FailsToJudge", FailsToJudge)

    @hookimpl
    def register_generators(self, register):
        register("FailsToTranslate", FailsToTranslate)

    @hookimpl
    def register_cycle_losses(self, register):
        register("FailsToCompare", FailsToCompare)

    @hookimpl
    def register_augmentations(self, register):
        register("FailsToCrop", FailsToCrop)

    @hookimpl
    def register_judge_augmentations(self, register):
        register("FailsToChange", FailsToChange)

    @hookimpl
    def open_domain(self, name):
        return FailsToRead(name) if name.startswith("gone") else None


@pytest.fixture
def bad():
    with translate.plugin(Bad(), "bad") as plugins:
        plugins.found[-1] = Plugin("bad", "translate-bad", "0.3", "loaded")
        yield
        plugins.found.pop()


OF = r" of plugin 'bad' \(translate-bad 0\.3\)"
END = r"; test_roster\.py, line \d+\); 'translate plugins check bad' tries it by itself\."


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"adversarial": "Fails"}, rf"Adversarial loss 'Fails'{OF} failed at step 1 \(KeyError: 'depth'"),
        ({"adversarial": "FailsLate"}, rf"Adversarial loss 'FailsLate'{OF} failed at step 3 \(ValueError: two lines"),
        ({"discriminator": "FailsToJudge"}, rf"Discriminator 'FailsToJudge'{OF}, which the adversarial loss 'least-squares' of"),
        ({"generator": "FailsToTranslate"}, rf"Generator 'FailsToTranslate'{OF} failed at step 1 \(RuntimeError: shapes do not fit"),
        ({"augment": "FailsToCrop"}, rf"Augmentation 'FailsToCrop'{OF} failed at step 1 \(IndexError: out of the picture"),
        ({"judge_augment": "FailsToChange"}, rf"Judge augmentation 'FailsToChange'{OF}, which the adversarial loss 'least-squares' of"),
    ],
)  # fmt: skip
def test_a_part_of_a_plugin_that_fails_is_named_with_it(bad, photos, chosen, said, workers):
    with pytest.raises(PluginError, match=said) as caught:
        Engine("cyclegan", ("cat", "dog"), **{**TINY, "data": str(photos), "workers": workers, **chosen}).fit()
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("tries it by itself.")
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("workers", [0, 2])
def test_a_domain_of_a_plugin_that_cannot_be_read_is_named_with_it(bad, workers):
    said = rf"Domain 'gone-1'{OF} failed at step 1 \(OSError: the disk is gone{END}"
    with pytest.raises(PluginError, match=said):
        Engine("cyclegan", ("gone-1", "gone-2"), **{**TINY, "workers": workers}).fit()
    with pytest.raises(PluginError, match=r"Domain 'gone-2'.* failed where a sample was read"):
        Engine("cyclegan", ("gone-1", "gone-2"), **TINY).real(1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GivesATensor", "Method 'generator' of GivesATensor returns a Tensor; it must return a dictionary of named losses"),
        ("GivesNothing", "Method 'generator' of GivesNothing returns nothing; it must return a dictionary of named losses"),
        ("GivesAFloat", "Method 'generator' of GivesAFloat returns a loss 'gap' that is a float; it must be a scalar tensor"),
        ("GivesAMap", r"Method 'discriminator' of GivesAMap returns a loss 'gap' that is of the shape \(2, 1, .*; it must be a scalar"),
    ],
)  # fmt: skip
def test_a_game_that_returns_what_is_no_losses_is_told_so(bad, tiny, name, said):
    with pytest.raises(PluginError, match=rf"Adversarial loss '{name}'{OF} failed at step 1 \({said}"):
        tiny(adversarial=name).fit()
    with pytest.raises(RecipeError, match=said) as caught:  # the caller's own stays as it is
        tiny(adversarial=globals()[name]()).fit()
    assert caught.value.__notes__ == [f"Raised at step 1 by the adversarial loss '<{__name__}.{name}>'."]


def test_a_cycle_loss_that_is_no_scalar_is_told_so(bad, tiny):
    with pytest.raises(
        PluginError, match=rf"Cycle loss 'FailsToCompare'{OF} failed at step 1 \(What FailsToCompare returns is of the shape"
    ):
        tiny(cycle="FailsToCompare").fit()


def test_losses_that_nothing_can_learn_from_are_told_of(tiny):
    class Cut(Sound):
        def discriminator(self, judge, real, fake, clock):
            return {"gap": super().discriminator(judge, real, fake, clock)["gap"].detach()}

    said = r"Nothing of group 'discriminators' can be learned from its losses gap_x and gap_y, which have no graph"
    with pytest.raises(RecipeError, match=said):
        tiny(adversarial=Cut()).fit()


def test_what_the_callers_own_part_raises_is_the_callers(tiny):
    with pytest.raises(KeyError) as caught:
        tiny(adversarial=Fails()).fit()
    assert caught.value.__notes__ == [f"Raised at step 1 by the adversarial loss '<{__name__}.Fails>'."]


def test_a_part_that_fails_in_a_step_takes_nothing_that_was_saved_with_it(bad, photos, tmp_path):
    values = {**TINY, "data": str(photos), "checkpoint_every": 1, "adversarial": "FailsLate", "out": tmp_path / "run"}
    with pytest.raises(PluginError, match="at step 3"):
        Engine("cyclegan", ("cat", "dog"), **values).fit()
    assert Engine.resume(tmp_path / "run").step == 2
