"""The engine from end to end, on small pictures and networks."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TINY, draw, opened
from PIL import Image

from translate import SGD, Engine, Frozen, Interrupted, NotFinite, Plugins, Pretrained, Recipe, Update, UserError
from translate.checkpoint import checkpoints, load_training, read_record


def state(engine: Engine) -> dict[str, torch.Tensor]:
    return {key: tensor.clone() for key, tensor in engine.trainer.state().items()}


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


@pytest.mark.parametrize(
    "options", [{}, {"ema": 0.9}, {"accumulate": 2}, {"precision": "bf16"}, {"steps": None, "epochs": 3, "workers": 2}]
)
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tiny, tmp_path, options):
    options = {"steps": 6, **options}
    whole = tiny(out=tmp_path / "whole", **options).fit()

    class Stop(Exception):
        pass

    class Stopper:
        from translate import hookimpl

        @hookimpl
        def checkpoint_saved(self, folder):
            if folder.name == "000003":
                raise Stop

    half = tiny(out=tmp_path / "half", checkpoint_every=3, **options)
    stopper = Stopper()
    with half.listening(stopper, "stopper"), pytest.raises(Stop):
        half.fit()
    resumed = Engine.resume(tmp_path / "half", workers=1)
    assert resumed.step == 3
    resumed.fit()
    assert_equal(state(whole), state(resumed))
    ours, theirs = (load_training(checkpoints(tmp_path / name)[-1]) for name in ("whole", "half"))
    assert_equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]


def test_the_callers_random_state_is_untouched(tiny):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    engine = tiny()
    for _ in engine.steps():
        break
    assert torch.equal(torch.rand(2), expected)


def test_two_engines_with_the_same_seed_are_the_same_and_with_another_are_not(tiny):
    assert_equal(state(tiny(seed=1).fit()), state(tiny(seed=1).fit()))
    assert not torch.equal(tiny(seed=1).recipe.G.down[1].weight, tiny(seed=2).recipe.G.down[1].weight)


def test_steps_gives_the_loop_to_the_caller(tiny):
    engine = tiny(steps=3)
    reports = []
    for report in engine.steps():
        reports.append(report)
        if len(reports) == 2:
            break
    assert engine.step == 2
    reports += list(engine.steps())
    assert [report.step for report in reports] == [1, 2, 3]
    assert set(reports[0].losses) >= {"generators/cycle_x", "discriminators/real_y"}
    assert_equal(state(engine), state(tiny(steps=3).fit()))


def test_the_length_in_epochs_counts_the_longer_domain(tiny, photos):
    draw(photos / "train" / "dog" / "another.png", 77)  # 5 cats, 6 dogs
    engine = tiny(steps=None, epochs=2, batch=4, accumulate=1)
    assert engine.total == 3
    epochs = [report.clock.epoch for report in engine.steps()]
    assert epochs == [1, 1, 2]


def test_fit_may_set_the_length_but_only_before_the_first_step(tiny, tmp_path):
    engine = tiny(out=tmp_path / "run").fit(steps=2)
    assert engine.step == 2
    assert read_record(tmp_path / "run")["run"]["steps"] == 2
    with pytest.raises(UserError, match=r"The run has begun; extend\(\) changes its length"):
        engine.fit(steps=4)


def test_a_run_leaves_what_it_promises(tiny, tmp_path):
    out = tmp_path / "run"
    tiny(out=out, steps=4, log_every=2, sample_every=4, checkpoint_every=1, keep=2).fit()
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert {"generators/fool_x", "discriminators/fake_y"} <= set(lines[0]["losses"])
    assert [folder.name for folder in checkpoints(out)] == ["000003", "000004"]
    assert [path.name for path in (out / "samples").glob("*.png")] == ["000004.png"]
    assert sorted(path.name for path in (out / "samples" / "inputs" / "cat").iterdir()) == ["0.png", "1.png"]
    record = read_record(out)
    assert record["recipe"] == "cyclegan"
    assert record["run"]["domains"] == ["cat", "dog"]
    assert record["options"]["generator"] == "resnet:blocks=1,channels=4"
    assert set(record["data"]) == {"cat", "dog"}
    assert {"losses", "cyclegan"} <= set(record["plugins"])
    assert not list(out.rglob("*.tmp"))
    assert not [path for path in out.rglob("*") if path.suffix in (".pt", ".pth", ".pkl")]


def test_logged_and_reported_losses_are_means_since_the_last_report(tiny, tmp_path):
    from translate import hookimpl

    each = [report.losses["generators/cycle_x"] for report in tiny(steps=5).steps()]
    reported: list[tuple[int, float]] = []

    class Listener:
        @hookimpl
        def step_reported(self, report):
            reported.append((report.step, report.losses["generators/cycle_x"]))

    engine = tiny(out=tmp_path / "run", steps=5, log_every=2)
    with engine.listening(Listener(), "listener"):
        engine.fit()
    assert [step for step, _ in reported] == [2, 4, 5]
    assert [mean for _, mean in reported] == pytest.approx([(each[0] + each[1]) / 2, (each[2] + each[3]) / 2, each[4]], rel=1e-6)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["losses"]["generators/cycle_x"]) for line in lines] == reported


def test_save_and_load_give_the_same_translations(tiny, tmp_path):
    engine = tiny(ema=0.5).fit()
    engine.save(tmp_path / "w.safetensors")
    loaded = Engine.load(tmp_path / "w.safetensors", device="cpu")
    image = torch.rand(2, 3, 16, 16) * 2 - 1
    for to in ("cat", "dog"):
        assert torch.equal(engine.translate(image, to=to), loaded.translate(image, to=to))
    with engine.averaged():
        averaged = engine.recipe.G(image)
    assert torch.equal(loaded.translate(image, to="dog"), averaged)
    assert not torch.equal(engine.recipe.G(image), averaged)
    assert loaded.header().averaged
    assert loaded.step == engine.step
    loaded.save(tmp_path / "again.safetensors")
    again = Engine.load(tmp_path / "again.safetensors", device="cpu")
    assert torch.equal(again.translate(image), loaded.translate(image))


def test_load_takes_a_run_a_checkpoint_and_a_file(tiny, tmp_path):
    tiny(out=tmp_path / "run").fit()
    newest = checkpoints(tmp_path / "run")[-1]
    image = torch.rand(1, 3, 16, 16)
    results = [Engine.load(p, device="cpu").translate(image) for p in (tmp_path / "run", newest, newest / "weights.safetensors")]
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])
    with pytest.raises(UserError, match="no such file or folder"):
        Engine.load(tmp_path / "nothing")
    with pytest.raises(UserError, match="loaded from weights"):
        Engine.load(newest).fit()


def test_init_from_takes_over_translators_and_judges(tiny, tmp_path):
    old = tiny(out=tmp_path / "old").fit()
    new = tiny(init_from=str(tmp_path / "old"), seed=9)
    for name in ("G", "F", "D_X", "D_Y"):
        for mine, theirs in zip(getattr(new.recipe, name).parameters(), getattr(old.recipe, name).parameters(), strict=True):
            assert torch.equal(mine, theirs)
    assert new.step == 0
    assert int(new.recipe.pool_x.count) == 0
    old.save(tmp_path / "alone.safetensors")
    alone = tiny(init_from=str(tmp_path / "alone.safetensors"), seed=9, ema=0.9)
    assert torch.equal(alone.recipe.G.down[1].weight, old.recipe.G.down[1].weight)
    assert torch.equal(alone.trainer.averages["G"].network.down[1].weight, old.recipe.G.down[1].weight)
    assert not torch.equal(alone.recipe.D_X.body[0].weight, old.recipe.D_X.body[0].weight)


def test_init_from_other_networks_is_refused_with_the_tensors_name(tiny, tmp_path):
    tiny().save(tmp_path / "w.safetensors")
    with pytest.raises(
        UserError, match=r"do not fit these networks: .*it was trained with --generator resnet:blocks=1,channels=4\."
    ):
        tiny(init_from=str(tmp_path / "w.safetensors"), generator="resnet:blocks=1,channels=8")
    with pytest.raises(UserError, match="do not fit these networks"):
        tiny(init_from=str(tmp_path / "w.safetensors"), generator="resnet:blocks=2,channels=4")


def test_translate_gives_back_the_kind_and_the_size(tiny, photos):
    engine = tiny(steps=1).fit()
    path = photos / "test" / "cat" / "0.png"  # 24 wide, 20 high
    from_path = engine.translate(path, to="dog")
    assert isinstance(from_path, Image.Image)
    assert from_path.size == (24, 20)
    array = np.asarray(opened(path))
    assert np.array_equal(engine.translate(array, to="dog"), np.asarray(from_path))
    assert [image.size for image in engine.translate([path, str(path)], to="dog")] == [(24, 20)] * 2
    with pytest.raises(UserError, match="Did you mean 'dog'"):
        engine.translate(path, to="dot")


def test_a_poisoned_state_is_never_saved(tiny, tmp_path):
    engine = tiny(out=tmp_path / "run", steps=6, checkpoint_every=1, keep=9, log_every=1)

    class Poison:
        from translate import hookimpl

        @hookimpl
        def step_reported(self, engine, report):
            if report.step == 3:
                with torch.no_grad():
                    engine.recipe.G.down[1].weight.fill_(float("nan"))

    poison = Poison()
    with engine.listening(poison, "poison"), pytest.raises(NotFinite, match=r"weights 'G.down.1.weight' of group 'generators'"):
        engine.fit()
    for folder in checkpoints(tmp_path / "run"):
        tensors, _ = load_training(folder)
        assert all(torch.isfinite(tensor).all() for tensor in tensors.values()), folder
    with pytest.raises(NotFinite):
        engine.save(tmp_path / "w.safetensors")
    assert not (tmp_path / "w.safetensors").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_saves_and_can_be_resumed(tiny, tmp_path, number):
    engine = tiny(out=tmp_path / "run", steps=5, checkpoint_every=5, log_every=1)

    class Signaller:
        from translate import hookimpl

        @hookimpl
        def step_reported(self, report):
            if report.step == 2:
                os.kill(os.getpid(), number)

    signaller = Signaller()
    before = signal.getsignal(number)
    with (
        engine.listening(signaller, "signaller"),
        pytest.raises(Interrupted, match="Stopped at step 2 of 5, and saved") as stopped,
    ):
        engine.fit()
    assert stopped.value.signal == number
    assert signal.getsignal(number) is before
    resumed = Engine.resume(tmp_path / "run").fit()
    assert_equal(state(resumed), state(tiny(steps=5).fit()))


def test_fit_works_in_a_thread(tiny, tmp_path):
    failures: list[BaseException] = []

    def work() -> None:
        try:
            tiny(out=tmp_path / "run", steps=1).fit()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failures


def test_resume_refuses_changed_data(tiny, tmp_path, photos):
    tiny(out=tmp_path / "run").fit(steps=2)
    draw(photos / "train" / "cat" / "0.png", 999)
    with pytest.raises(UserError, match="pictures of 'cat' are not those"):
        Engine.resume(tmp_path / "run")


def test_a_folder_of_another_run_is_refused_and_kept(tiny, tmp_path):
    tiny(out=tmp_path / "run").fit(steps=1)
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("*"))
    with pytest.raises(UserError, match=r"holds another run; .* go on with it by 'translate resume"):
        tiny(out=tmp_path / "run")
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("*")) == before


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sise": 16}, "Did you mean 'size'"),
        ({"steps": -5}, "--steps is -5; it must be at least 1"),
        ({"generator": "resnett"}, "Did you mean 'resnet'"),
        ({"generator": "resnet:block=3"}, "Did you mean 'blocks'"),
        ({"adversarial": "least-square"}, "Did you mean 'least-squares'"),
        ({"size": 18}, "try --size 16"),
        ({"precision": "fp16"}, "use --precision bf16 or fp32"),
        ({"precision": "fp8"}, "fp32, bf16 or fp16"),
        ({"device": "tpu0"}, "use auto, cpu, cuda"),
        ({"steps": 3, "epochs": 2}, "Both --steps and --epochs"),
        ({"preset": "papre"}, "Did you mean 'paper'"),
        ({"data": "/nowhere/at/all"}, "does not exist"),
    ],
)
def test_bad_input_gets_one_sentence(tiny, values, sentence):
    with pytest.raises(UserError) as error:
        tiny(**values)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_the_number_of_domains_is_checked(photos):
    with pytest.raises(UserError, match="needs 2 domains, and 1 was given"):
        Engine("cyclegan", ("cat",), data=str(photos), **TINY)
    with pytest.raises(UserError, match="must differ"):
        Engine("cyclegan", ("cat", "cat"), data=str(photos), **TINY)
    with pytest.raises(UserError, match="Did you mean 'cyclegan'"):
        Engine("cycelgan", ("cat", "dog"))


def test_sixteen_bits_stay_sixteen_bits(tmp_path):
    for name in ("ct", "mr"):
        for index in range(3):
            values = np.random.default_rng(index).integers(0, 65536, (16, 16), dtype=np.uint16)
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(values).save(tmp_path / name / f"{index}.png")
    engine = Engine("cyclegan", ("ct", "mr"), **{**TINY, "data": str(tmp_path)}).fit(steps=1)
    assert [(space.channels, space.dtype) for space in engine.spaces] == [(1, "uint16")] * 2
    result = engine.translate(Path(tmp_path / "ct" / "0.png"), to="mr")
    assert result.mode == "I;16"
    assert len(np.unique(np.asarray(result) % 257)) > 1  # not 8 bits stretched


def test_a_run_from_other_weights_begins_with_a_checkpoint(tiny, tmp_path):
    """So that what it began from is not lost where it stops before its first step, and the other weights go."""
    import shutil

    tiny(out=tmp_path / "old").fit()
    new = tiny(out=tmp_path / "new", init_from=str(tmp_path / "old"), seed=5)
    began = state(new)
    shutil.rmtree(tmp_path / "old")
    resumed = Engine.resume(tmp_path / "new")
    assert resumed.step == 0
    assert_equal(state(resumed), began)


def test_init_from_passes_over_judges_that_do_not_fit_and_refuses_turned_domains(tiny, tmp_path, photos):
    tiny(out=tmp_path / "old").fit()
    new = tiny(init_from=str(tmp_path / "old"), discriminator="patch:channels=8,layers=1")
    assert new.recipe.D_X.body[0].out_channels == 8
    with pytest.raises(UserError, match="--domains cat dog; name the domains in that order"):
        Engine("cyclegan", ("dog", "cat"), init_from=str(tmp_path / "old"), **{**TINY, "data": str(photos)})


def test_loading_needs_neither_the_losses_nor_the_judges(tiny, tmp_path):
    from translate import Plugins

    tiny().fit().save(tmp_path / "w.safetensors")
    loaded = Engine.load(tmp_path / "w.safetensors", device="cpu", plugins=Plugins(blocked=["losses"]))
    assert loaded.translate(torch.zeros(1, 3, 16, 16), to="dog").shape == (1, 3, 16, 16)
    assert not list(loaded.recipe.D_X.parameters())
    assert any(key == "plugin cyclegan" for key in loaded.header().versions)


def test_a_flipped_byte_in_weights_is_found_when_they_are_used(tiny, tmp_path):
    tiny(out=tmp_path / "run").fit()
    file = checkpoints(tmp_path / "run")[-1] / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"weights.safetensors is not as it was written"):
        Engine.load(tmp_path / "run")
    with pytest.raises(UserError, match=r"weights.safetensors is not as it was written"):
        Engine.resume(tmp_path / "run")


@pytest.mark.parametrize("changes", [{"seed": 9}, {"lr": 1.0}, {"steps": 100}])
def test_resume_changes_nothing_that_has_an_influence(tiny, tmp_path, changes):
    tiny(out=tmp_path / "run").fit()
    with pytest.raises(UserError, match=f"--{next(iter(changes))} cannot be changed"):
        Engine.resume(tmp_path / "run", **changes)


def test_moved_pictures_can_be_named_to_resume(tiny, tmp_path, photos, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny(out=tmp_path / "run", data="photos").fit(steps=2)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Engine.resume(tmp_path / "run").step == 2
    photos.rename(tmp_path / "moved")
    with pytest.raises(UserError, match="does not exist"):
        Engine.resume(tmp_path / "run")
    assert Engine.resume(tmp_path / "run", data=str(tmp_path / "moved")).step == 2


@pytest.mark.parametrize(
    ("length", "sentence"), [({"steps": -5}, "at least 1"), ({"steps": 2, "epochs": 3}, "Both"), ({"steps": "x"}, "whole")]
)
def test_fit_checks_the_length_it_is_given(tiny, length, sentence):
    with pytest.raises(UserError, match=sentence):
        tiny().fit(**length)


def test_what_an_interrupted_step_left_is_not_added_to_the_next(tiny):
    one, other = tiny(), tiny()
    for parameter in one.recipe.parameters():
        parameter.grad = torch.ones_like(parameter)
    for engine in (one, other):
        engine.fit()
    assert_equal(state(one), state(other))


def test_two_iterators_share_one_stream(tiny):
    engine, plain = tiny(), tiny()
    first, second = engine.steps(), engine.steps()
    for iterator in (first, second, first, second):
        next(iterator)
    assert_equal(state(engine), state(plain.fit()))


def test_without_a_folder_a_signal_keeps_the_engine_whole(tiny):
    from translate import hookimpl

    class Signaller:
        @hookimpl
        def step_reported(self, report):
            if report.step == 2:
                os.kill(os.getpid(), signal.SIGINT)

    engine, signaller = tiny(log_every=1), Signaller()
    with engine.listening(signaller, "signaller"), pytest.raises(Interrupted, match="kept in this engine"):
        engine.fit()
    assert_equal(state(engine.fit()), state(tiny().fit()))


def test_a_domain_longer_than_the_epoch_is_seen_whole():
    from translate.data.augment import Augmentation
    from translate.data.loader import Loader, Source
    from translate.isolation import Guard
    from translate.plugins import installed

    _, domain = Guard(installed()).find_domain("digits", None, "test", (8, 8), ("digits",))
    loader = Loader(
        [Source(domain, (8, 8), 0)],
        ("round",),
        Augmentation((8, 8)),
        epoch=7,
        batch=1,
        seed=0,
        device=torch.device("cpu"),
        workers=0,
    )
    assert sorted(loader.indices(0, 0, len(domain))) == list(range(len(domain)))


def sampler(**values):
    options = {"size": 8, "batch": 4, "steps": 2, "z": 5, "generator": "mlp:widths=6", "discriminator": "mlp:widths=6"}
    return Engine("vanilla", ("digits",), preset="report", device="cpu", workers=0, **options, **values)


def test_sample_gives_pictures_for_a_number_and_a_tensor_for_noise():
    engine = sampler().fit()
    pictures = engine.sample(300, seed=1)  # more than are made in one pass
    assert len(pictures) == 300
    assert (pictures[0].size, pictures[0].mode) == ((8, 8), "L")
    noise = engine.recipe.latent.draw(300, 1)
    made = engine.sample(noise)
    assert made.shape == (300, 1, 8, 8)
    assert not made.requires_grad
    assert np.array_equal(np.asarray(pictures[299]), np.rint((made[299, 0].numpy() + 1) * 127.5).astype(np.uint8))
    assert torch.allclose(engine.sample(noise[7:8])[0], made[7], atol=1e-6)  # no picture depends on its neighbours
    with pytest.raises(UserError, match=r"shape \(3, 4\); these networks take \(n, 5\)"):
        engine.sample(torch.zeros(3, 4))


def test_sample_is_the_average_where_one_is_kept_as_in_the_weights_file(tmp_path):
    engine = sampler(ema=0.9).fit()
    engine.save(tmp_path / "weights.safetensors")
    noise = engine.recipe.latent.draw(4)
    loaded = Engine.load(tmp_path / "weights.safetensors")
    assert torch.equal(loaded.sample(noise), engine.sample(noise))
    assert not torch.equal(loaded.sample(noise), engine.recipe.eval().G(noise))


def test_a_method_that_translates_does_not_sample(tiny):
    with pytest.raises(UserError, match="makes nothing from noise"):
        tiny().sample(3)


def test_without_a_run_folder_there_is_no_checkpoint(tiny):
    with pytest.raises(UserError, match="keeps no run folder"):
        tiny().save_checkpoint()


class Begun(Pretrained):
    """A generator that begins from other weights, which have a name."""

    calls = 0

    def __init__(self, source, target):
        super().__init__()
        self.layer = torch.nn.Conv2d(source.channels, target.channels, 1)

    def begin(self):
        type(self).calls += 1
        torch.nn.init.constant_(self.layer.weight, 0.25)
        self.backbones = {"net": "sha256:abc"}

    def forward(self, image):
        return torch.tanh(self.layer(image))


def test_a_part_begins_from_other_weights_once_a_run_and_the_header_says_so(tiny, tmp_path):
    plugins = Plugins()
    plugins.generators.add("begun", Begun, "a test")
    Begun.calls = 0
    engine = tiny(generator="begun", plugins=plugins, out=tmp_path / "run", ema=0.5)
    assert Begun.calls == 2  # G and F
    assert engine.trainer.averages["G"].network.layer.weight.unique().item() == 0.25
    early = Engine.resume(tmp_path / "run", plugins=plugins)  # before the first step: from what it began with, not from chance
    assert early.recipe.G.layer.weight.unique().item() == 0.25
    engine.fit()
    known = {"G: net": "sha256:abc", "F: net": "sha256:abc"}
    loaded = Engine.load(tmp_path / "run", plugins=plugins)
    assert loaded.header().backbones == known
    assert Engine.resume(tmp_path / "run", plugins=plugins).header().backbones == known
    engine.save(tmp_path / "weights.safetensors")
    tuned = tiny(generator="begun", plugins=plugins, init_from=str(tmp_path / "weights.safetensors"))
    assert tuned.header().backbones == known
    assert Begun.calls == 2


def test_a_frozen_network_must_be_the_same_when_a_run_goes_on(tiny, tmp_path):
    class Judge(torch.nn.Module):
        digest = "sha256:1"

        def __init__(self, space):
            super().__init__()
            self.eye = Frozen(torch.nn.Identity(), {"net": type(self).digest})
            self.head = torch.nn.Conv2d(space.channels, 1, 1)

        def forward(self, image):
            return self.head(self.eye(image))

    plugins = Plugins()
    plugins.discriminators.add("judge", Judge, "a test")
    tiny(discriminator="judge", plugins=plugins, out=tmp_path / "run").fit()
    Engine.resume(tmp_path / "run", plugins=plugins)
    Judge.digest = "sha256:2"
    with pytest.raises(UserError, match=r"The weights of 'D_X.eye: net' are not those"):
        Engine.resume(tmp_path / "run", plugins=plugins)


def test_more_than_two_domains(tmp_path):
    """One network for all pairs of three domains: what the interfaces allow, from data to weights and grids."""

    class Trio(Recipe):
        domains = (2, None)
        exports = ("G",)

        @dataclass(frozen=True)
        class Options(Recipe.Options):
            lr: float = 1e-2

        def build(self, make):
            self.G = torch.nn.Conv2d(3 + len(self.spaces), 3, 1)

        def optimisers(self):
            return {"generator": SGD(over=("G",), lr=self.options.lr)}

        def step(self, batches, clock):
            images = batches[0].images
            losses = {
                f"{source}{target}": (self.translate(images[source], source, target) - images[source]).square().mean()
                for source in range(len(images))
                for target in range(len(images))
            }
            yield Update("generator", losses)

        def translate(self, image, source, target):
            label = torch.zeros(len(image), len(self.spaces), *image.shape[2:])
            label[:, target] = 1
            return self.G(torch.cat([image, label], dim=1))

    for number, name in enumerate(("cat", "dog", "fox")):
        for index in range(3):
            draw(tmp_path / "data" / name / f"{index}.png", 10 * number + index)
    plugins = Plugins()
    plugins.recipes.add("trio", Trio, "a test")
    engine = Engine(
        "trio",
        ("cat", "dog", "fox"),
        data=tmp_path / "data",
        size=16,
        steps=2,
        batch=2,
        device="cpu",
        plugins=plugins,
        out=tmp_path / "run",
    ).fit()
    assert len(next(engine.loader.batches(0)).images) == 3
    assert opened(tmp_path / "run" / "samples" / "000002.png").width > 6 * 3 * 128  # a block for each of the six pairs
    loaded = Engine.load(tmp_path / "run", plugins=plugins)
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(loaded.translate(image, to="fox", source="dog"), loaded.recipe.translate(image, 1, 2))
    with pytest.raises(UserError, match="needs 2 or more domains"):
        Engine("trio", ("cat",), plugins=plugins)


def test_averaged_networks_have_statistics_of_their_own_and_measuring_them_changes_nothing_else(tmp_path):
    options = {"size": 16, "batch": 8, "steps": 24, "lr": 5e-3, "ema": 0.99, "pool_size": 5, "identity_weight": 0}
    networks = {"generator": "discogan:channels=4", "discriminator": "dcgan:channels=4"}
    make = partial(Engine, "cyclegan", ("horse", "zebra"), preset="paper", device="cpu", workers=0, **options, **networks)
    engine = make()
    for report in engine.steps():
        if report.step % 5 == 0:
            engine.translate(torch.zeros(1, 3, 16, 16))  # measures, in the middle of training
    plain = make().fit()
    for (name, mine), theirs in zip(engine.recipe.state_dict().items(), plain.recipe.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name  # the pools and the judges' statistics among them

    batch = next(engine.loader.batches(0)).images[0]
    with engine.averaged():
        evaluated = engine.recipe.eval().G(batch)
        in_training = engine.recipe.G.train()(batch)
        engine.recipe.G.eval()
    live = plain.trainer.averages["G"].network
    live.load_state_dict(engine.trainer.averages["G"].network.state_dict())
    for key, buffer in plain.recipe.G.state_dict().items():
        if "running" in key:
            live.state_dict()[key].copy_(buffer)  # what copying the statistics would have given
    copied = live.eval()(batch)
    assert (evaluated - in_training).abs().mean() < 0.5 * (copied - in_training).abs().mean()


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError("CUDA out of memory.")],
)
def test_too_little_memory_is_said_with_what_to_do(tiny, tmp_path, monkeypatch, error):
    engine = tiny(out=tmp_path / "run", steps=4, checkpoint_every=1)
    step = engine.trainer.step

    def fails(batches, clock, **values):
        if clock.step == 2:
            raise error
        return step(batches, clock, **values)

    monkeypatch.setattr(engine.trainer, "step", fails)
    with pytest.raises(UserError, match=r"not enough memory for a step .*lower --batch, with --accumulate"):
        engine.fit()
    assert Engine.resume(tmp_path / "run").step == 2
