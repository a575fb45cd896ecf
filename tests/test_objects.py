"""A part of one's own without a package: an object, a class or a function in the place of a name."""

from __future__ import annotations

import json

import pytest
import torch
from conftest import TINY
from torch import nn

import translate
from translate import Engine, Game, ImageLoss, RecipeError, UserError
from translate.checkpoint import read_record


class Gap(Game):
    """The difference of mean scores, times a number that it counts in a buffer."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale
        self.register_buffer("asked", torch.zeros(()))

    def discriminator(self, judge, real, fake, clock):
        self.asked += 1
        return {"gap": self.scale * (judge(fake).mean() - judge(real).mean()).square()}

    def generator(self, judge, real, fake, clock):
        return {"gap": -self.scale * judge(fake).mean()}


class Squared(ImageLoss):
    def forward(self, output, target):
        return (output - target).square().mean()


class Net(nn.Module):
    def __init__(self, source, target):
        super().__init__()
        self.convolve = nn.Conv2d(source.channels, target.channels, 3, padding=1)

    def forward(self, image):
        return self.convolve(image).tanh()


def judge(space):
    return nn.Conv2d(space.channels, 1, 3)


def test_an_object_does_what_a_registered_part_does(tiny):
    class Registered:
        @translate.hookimpl
        def register_adversarial_losses(self, register):
            register("gap", Gap)

    with translate.plugin(Registered()):
        by_name = [report.losses for report in tiny(adversarial="gap").steps()]
    assert [report.losses for report in tiny(adversarial=Gap()).steps()] == by_name
    assert [report.losses for report in tiny(adversarial=Gap).steps()] == by_name


def test_two_engines_that_are_given_one_object_have_nothing_in_common(tiny):
    game = Gap()
    first, second = tiny(adversarial=game), tiny(adversarial=game)
    first.fit()
    assert (first.recipe.game.asked, second.recipe.game.asked, game.asked) == (8, 0, 0)


def test_classes_and_functions_make_networks(tiny):
    engine = tiny(generator=Net, discriminator=judge, cycle=Squared(), identity=Squared).fit()
    assert isinstance(engine.recipe.G, Net)
    assert engine.recipe.G is not engine.recipe.F
    assert not torch.equal(engine.recipe.G.convolve.weight, engine.recipe.F.convolve.weight)
    assert isinstance(engine.recipe.D_X, nn.Conv2d)


def test_a_record_says_of_which_class_an_object_was(tiny, tmp_path):
    tiny(out=tmp_path / "run", generator=Net, adversarial=Gap()).fit()
    chosen = read_record(tmp_path / "run")["options"]
    assert chosen["generator"].endswith("Net>")
    assert chosen["adversarial"] == f"<{Gap.__module__}.Gap>"


def test_weights_need_the_networks_again_and_no_losses(tiny, tmp_path):
    engine = tiny(generator=Net, adversarial=Gap()).fit()
    engine.save(tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"The generator was an object of the class <.*Net>, .* give one again"):
        Engine.load(tmp_path / "w.safetensors", device="cpu")
    loaded = Engine.load(tmp_path / "w.safetensors", device="cpu", generator=Net)
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    assert torch.equal(loaded.translate(image, to="dog"), engine.translate(image, to="dog"))
    with pytest.raises(UserError, match=r"'generator' was <.*Net>, and <.*Gap> was given"):
        Engine.load(tmp_path / "w.safetensors", device="cpu", generator=Gap)
    with pytest.raises(UserError, match="--cycle cannot be changed"):
        Engine.load(tmp_path / "w.safetensors", device="cpu", generator=Net, cycle=Squared())


def test_a_run_goes_on_bit_for_bit_when_the_objects_are_given_again(tiny, tmp_path):
    whole = tiny(adversarial=Gap(2.0)).fit()
    half = tiny(out=tmp_path / "run", adversarial=Gap(2.0))
    for report in half.steps():
        if report.step == 2:
            break
    half.save_checkpoint()
    with pytest.raises(UserError, match=r"--adversarial was an object of the class <.*Gap>, .* give one again: adversarial=Gap"):
        Engine.resume(tmp_path / "run")
    resumed = Engine.resume(tmp_path / "run", adversarial=Gap(2.0)).fit()
    assert resumed.recipe.game.asked == 8
    for key, tensor in whole.trainer.state().items():
        assert torch.equal(tensor, resumed.trainer.state()[key]), key


def test_what_cannot_stand_in_a_parts_place_is_refused(tiny):
    with pytest.raises(UserError, match=r"The generator is an object of the class <.*Conv2d>, .* give the class"):
        tiny(generator=nn.Conv2d(3, 3, 1))
    with pytest.raises(RecipeError, match=r"The adversarial loss '<.*Squared>' is of the class Squared, and must be a Game"):
        tiny(adversarial=Squared())

    def broken(space):
        return 1 / 0

    with pytest.raises(RecipeError, match=r"'<.*broken>' could not be made \(ZeroDivisionError: division by zero\)"):
        tiny(discriminator=broken)


def test_a_recipe_may_be_a_class(tmp_path, photos):
    from translate.plugins import installed

    class Mine(installed().recipes["cyclegan"]):
        """CycleGAN under another name."""

    settings = {**TINY, "data": str(photos)}
    mine = Engine(Mine, ("cat", "dog"), out=tmp_path / "run", **settings).fit()
    theirs = Engine("cyclegan", ("cat", "dog"), **settings).fit()
    for key, tensor in theirs.trainer.state().items():
        assert torch.equal(tensor, mine.trainer.state()[key]), key
    with pytest.raises(UserError, match=r"The recipe was the class <.*Mine>, .* give it again: recipe=Mine"):
        Engine.load(tmp_path / "run")
    loaded = Engine.load(tmp_path / "run", recipe=Mine)
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    assert torch.equal(loaded.translate(image), mine.translate(image))
    assert Engine.resume(tmp_path / "run", recipe=Mine).step == 4
    with pytest.raises(UserError, match="must be a name, such as 'cyclegan', or a subclass"):
        Engine(Gap, ("cat", "dog"))
    with pytest.raises(UserError, match="by name, and cannot be replaced"):
        Engine.load("mnist-vanilla", recipe=Mine)


def test_a_run_record_with_an_object_is_refused_as_a_config_file_in_one_sentence(tiny, tmp_path, capsys):
    from translate.cli import main

    tiny(out=tmp_path / "run", adversarial=Gap()).fit()
    assert main(["run", "cyclegan", "--config", str(tmp_path / "run" / "run.toml"), "--out", str(tmp_path / "other")]) == 2
    said = capsys.readouterr().err
    assert "The adversarial loss was an object of the class" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "other").exists()
    assert main(["show", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["options"]["adversarial"].startswith("<")


def test_an_augmentation_that_was_made_for_another_size_is_refused(tiny):
    with pytest.raises(UserError, match=r"made for pictures of 8, and the run has --size 16; give the class itself"):
        tiny(augment=translate.Augmentation((8, 8)))


def test_a_name_in_the_place_of_an_object_is_refused(tiny, tmp_path):
    tiny(out=tmp_path / "run", adversarial=Gap()).fit()
    with pytest.raises(UserError, match=r"--adversarial was an object of the class .* and cannot be a name now"):
        Engine.resume(tmp_path / "run", adversarial="hinge")
