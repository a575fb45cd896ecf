"""Finding, isolating and blocking plugins; and a test for every hook."""

from __future__ import annotations

import inspect
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest
import torch
from conftest import TINY

import translate
from translate import Domain, Engine, Game, ImageLoss, PluginWarning, Recipe, UnknownName, hookimpl, hookspecs
from translate import plugins as module
from translate.isolation import Guard
from translate.plugins import Plugins, installed

HOOKS = sorted(name for name, each in vars(hookspecs).items() if hasattr(each, "translate_spec"))


def fake_entry(name: str, load):
    return SimpleNamespace(name=name, load=load, value="test_plugin", dist=SimpleNamespace(name=f"dist-{name}", version="1.2"))


def with_entries(monkeypatch, *entries) -> Plugins:
    monkeypatch.setattr(module, "entry_points", lambda group: entries if group == "translate" else ())
    return Plugins()


class Half(ImageLoss):
    """Half of nothing."""

    def forward(self, output, target):
        return (output - target).mean() * 0.5


def test_every_hook_has_a_test_a_sentence_and_types():
    assert HOOKS
    for name in HOOKS:
        spec = getattr(hookspecs, name)
        assert f"test_hook_{name}" in globals(), name
        assert inspect.getdoc(spec), name
        assert all(p.annotation is not inspect.Parameter.empty for p in inspect.signature(spec).parameters.values()), name


def test_with_no_plugin_allowed_the_registries_are_empty():
    plugins = Plugins(allowed=())
    assert {name: len(registry) for name, registry in plugins.registries.items()} == dict.fromkeys(plugins.registries, 0)
    assert {plugin.state for plugin in plugins.found} == {"blocked"}
    assert Guard(plugins).find_domain("horse", None, "train", None, ("horse",)) is None


def test_a_star_blocks_all_but_the_librarys_own(monkeypatch):
    everybody = {plugin.name for plugin in Plugins().found}
    other = SimpleNamespace(name="other", load=lambda: None, value="other", dist=SimpleNamespace(name="other", version="1"))
    nobodys = SimpleNamespace(name="nobodys", load=lambda: None, value="nobodys", dist=None)
    own = [*module.entry_points(group="translate")]
    monkeypatch.setattr(module, "entry_points", lambda group: [*own, other, nobodys])
    states = {plugin.name: plugin.state for plugin in Plugins(blocked=["*"]).found}
    assert states == dict.fromkeys(everybody, "loaded") | {"other": "blocked", "nobodys": "blocked"}


@pytest.mark.parametrize("variable", [module.BLOCK, module.ALLOW])
def test_a_plugin_to_block_or_allow_that_is_not_there_is_told_of(monkeypatch, variable):
    monkeypatch.setenv(variable, "cyclegann")
    installed.cache_clear()
    try:
        said = rf"{variable} names the plugin 'cyclegann', which is not installed here\. Did you mean 'cyclegan'\?"
        with pytest.warns(PluginWarning, match=said):
            installed()
    finally:
        installed.cache_clear()


def test_blocking_from_the_environment():
    code = "from translate.plugins import installed; print([len(r) for r in installed().registries.values()])"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**__import__("os").environ, module.ALLOW: ""},
    )
    assert set(result.stdout.strip("[]\n").split(", ")) == {"0"}


def test_a_missing_name_says_which_plugin_is_blocked(photos):
    plugins = Plugins(blocked=["losses"])
    with pytest.raises(
        UnknownName, match=r"no adversarial loss named 'least-squares'.*plugin 'losses' \(image-translate .*\) is blocked"
    ):
        Engine("cyclegan", ("cat", "dog"), plugins=plugins, **{**TINY, "data": str(photos)})


def test_a_broken_plugin_is_reported_and_the_others_go_on(monkeypatch):
    def broken():
        raise ImportError("no module named 'nothing'")

    class Good:
        @hookimpl
        def register_cycle_losses(self, register):
            register("half", Half)

    plugins = with_entries(monkeypatch, fake_entry("a-broken", broken), fake_entry("b-good", Good))
    assert [(plugin.name, plugin.state) for plugin in plugins.found] == [("a-broken", "broken"), ("b-good", "loaded")]
    assert plugins.found[0].problem == "ImportError: no module named 'nothing'"
    assert list(plugins.cycle_losses) == ["half"]
    with pytest.raises(UnknownName, match=r"plugin 'a-broken' \(dist-a-broken 1.2\) is broken: ImportError"):
        plugins.cycle_losses["other"]


def test_a_plugin_that_fails_half_way_is_undone_as_a_whole(monkeypatch):
    class Failing:
        @hookimpl
        def register_cycle_losses(self, register):
            register("half", Half)

        @hookimpl
        def register_reconstruction_losses(self, register):
            raise RuntimeError("no")

    plugins = with_entries(monkeypatch, fake_entry("half", Failing))
    assert plugins.found[0].state == "broken"
    assert not list(plugins.cycle_losses)


def test_a_hook_that_does_not_exist_is_an_error_of_the_plugin(monkeypatch):
    class Typo:
        @hookimpl
        def register_cycle_loses(self, register):
            pass

    class Arguments:
        @hookimpl
        def open_domain(self, nam):
            pass

    plugins = with_entries(monkeypatch, fake_entry("typo", Typo), fake_entry("arguments", Arguments))
    problems = {plugin.name: plugin.problem for plugin in plugins.found}
    assert "register_cycle_loses" in problems["typo"]
    assert "nam" in problems["arguments"]


def test_two_plugins_cannot_have_one_name(monkeypatch):
    class One:
        @hookimpl
        def register_cycle_losses(self, register):
            register("half", Half)

    class Two(One):
        pass

    plugins = with_entries(monkeypatch, fake_entry("two", Two), fake_entry("one", One))
    assert [plugin.state for plugin in plugins.found] == ["loaded", "broken"]
    assert "'one' has registered already" in plugins.found[1].problem
    assert plugins.cycle_losses.owner("half") == "one"


@pytest.fixture
def add():
    """Registers an object as a plugin for the time of a test."""
    with ExitStack() as stack:
        yield lambda each: stack.enter_context(translate.plugin(each, "test-plugin"))
    assert not any(registry.owner(name) == "test-plugin" for registry in installed().registries.values() for name in registry)


def namespace(**functions):
    """An object with these functions, as a module has them."""
    module = ModuleType("test_plugin")
    vars(module).update(functions)
    return module


def register_through(hook: str, factory: object, add) -> Plugins:
    def implementation(register):
        register("mine", factory)

    return add(namespace(**{hook: hookimpl(implementation)}))


def test_hook_register_recipes(add):
    class Mine(Recipe):
        """Mine."""

    assert register_through("register_recipes", Mine, add).recipes["mine"] is Mine


def test_hook_register_generators(add, tiny):
    class Mine(torch.nn.Module):
        def __init__(self, source, target):
            super().__init__()
            self.convolve = torch.nn.Conv2d(source.channels, target.channels, 1)

        def forward(self, image):
            return self.convolve(image).tanh()

    register_through("register_generators", Mine, add)
    engine = tiny(generator="mine").fit()
    assert isinstance(engine.recipe.G, Mine)
    assert engine.recipe.stride == 1


def test_hook_register_discriminators(add, tiny):
    def mine(space):
        return torch.nn.Sequential(torch.nn.Conv2d(space.channels, 1, 3))

    register_through("register_discriminators", mine, add)
    assert len(tiny(discriminator="mine").fit().recipe.D_X) == 1


def test_hook_register_adversarial_losses(add, tiny):
    class Mine(Game):
        def discriminator(self, judge, real, fake, clock):
            return {"gap": judge(fake).mean() - judge(real).mean()}

        def generator(self, judge, real, fake, clock):
            return {"gap": -judge(fake).mean()}

    register_through("register_adversarial_losses", Mine, add)
    report = next(tiny(adversarial="mine").steps())
    assert {"generators/gap_x", "discriminators/gap_y"} <= set(report.losses)


def test_hook_register_cycle_losses(add, tiny):
    register_through("register_cycle_losses", Half, add)
    assert isinstance(tiny(cycle="mine").recipe.cycle, Half)


def test_hook_register_reconstruction_losses(add, tiny):
    register_through("register_reconstruction_losses", Half, add)
    assert isinstance(tiny(identity="mine").recipe.identity, Half)


def test_hook_register_augmentations(add, tiny):
    from translate import Augmentation

    class Darker(Augmentation):
        """Pictures times a draw."""

        draws = 1

        def __call__(self, image, draw):
            return (image * draw[0]).astype(image.dtype)

    register_through("register_augmentations", Darker, add)
    light, dark = (next(tiny(augment=name).loader.batches(0)).images[0] for name in ("none", "mine"))
    for one, other in zip(light, dark, strict=True):
        share = ((other + 1) / (one + 1))[one > 0]
        assert share.mean() < 1
        assert share.std() < 0.01  # one draw a picture, but for rounding
    assert tiny(augment=Darker).used.isdisjoint({"test-plugin"})
    assert "test-plugin" in tiny(augment="mine").used


def test_hook_register_judge_augmentations(add, tiny):
    class Brighter(translate.JudgeAugmentation):
        """Pictures and a little."""

        def forward(self, samples):
            return samples + 0.1

    register_through("register_judge_augmentations", Brighter, add)
    engine = tiny(judge_augment="mine").fit()
    assert isinstance(engine.recipe.game.augmentation, Brighter)
    assert engine.used >= {"test-plugin"}


def test_hook_register_features(add, tiny):
    class Corner(translate.FeatureExtractor):
        """The first pixel."""

        label = "corner"

        def __init__(self, space):
            super().__init__()

        def forward(self, images):
            return translate.Seen(images[:, :, 0, 0])

    register_through("register_features", Corner, add)
    (row, *_) = tiny().evaluate(scores=["kid"], features="mine").rows
    assert row.name == "KID[corner]"


def test_hook_register_scores(add, tiny):
    class Count(translate.Score):
        """How many there are."""

        def __call__(self, evidence):
            return {"count": translate.Figure(len(evidence.outputs))}

    register_through("register_scores", Count, add)
    assert [row.figure.value for row in tiny().evaluate(scores=["mine"]).rows] == [2, 2]


def test_hook_register_diagnoses(add, tiny):
    class Always(translate.Diagnosis):
        """Never content."""

        def judge(self, history):
            return translate.Finding("It is as ever.", "Do something.")

    register_through("register_diagnoses", Always, add)
    heard = []

    class Ear:
        @hookimpl
        def step_reported(self, report):
            heard.append(dict(report.findings))

    engine = tiny(log_every=2)
    with engine.listening(Ear(), "ear"):
        engine.fit()
    assert heard == [{"mine": translate.Finding("It is as ever.", "Do something.")}] * 2


def test_hook_register_data_sets(add):
    data_set = translate.DataSet("Mine", "https://example.org", "CC0", "Me (2026)", ("a", "b"), terms="Ask me.")
    assert register_through("register_data_sets", data_set, add).data_sets["mine"] is data_set


def test_hook_register_foreign_formats(add):
    class Mine(translate.ForeignFormat):
        """Mine."""

        files: ClassVar = {"cyclegan": {"G": "g.pth", "F": "f.pth"}}

        def recognise(self, shapes):
            return None

        def published(self, shapes):
            return None

    assert register_through("register_foreign_formats", Mine, add).foreign_formats["mine"] is Mine


def test_hook_register_listeners(add, tiny):
    heard = []

    class Ear:
        """Hears."""

        @dataclass(frozen=True)
        class Options:
            word: str = translate.option("step", "what to say")

        def __init__(self, options):
            self.word = options.word

        @hookimpl
        def step_reported(self, report):
            heard.append((self.word, report.step))

    register_through("register_listeners", Ear, add)
    tiny(log_every=2, listeners="mine:word=yes").fit()
    tiny(log_every=4, listeners=[Ear(Ear.Options("mine, too"))]).fit()
    tiny().fit()
    assert heard == [("yes", 2), ("yes", 4), ("mine, too", 4)]
    with pytest.raises(UnknownName, match="Did you mean 'tensorboard'"):
        tiny(listeners=["tensorbord"])


def test_hook_open_domain(add):
    class Noise(Domain):
        channels = 3

        def __init__(self, name):
            self.name = name

        def __len__(self):
            return 4

        def read(self, index):
            return torch.full((16, 16, 3), index, dtype=torch.uint8).numpy()

    asked = []

    class Mine:
        @hookimpl
        def open_domain(self, name, root, split, domains):
            asked.append((name, root, split, domains))
            return Noise(name) if name.startswith("noise") and split == "train" else None

    add(Mine())
    engine = Engine("cyclegan", ("noise-a", "noise-b"), **TINY).fit(steps=1)
    assert asked[0] == ("noise-a", None, "train", ("noise-a", "noise-b"))
    assert [len(domain) for domain in engine.found.train] == [4, 4]
    assert engine.found.test == (None, None)


def events_of(add, hook: str, tiny, tmp_path, *arguments: str):
    seen = []

    # pluggy reads the names of the arguments off the signature.
    scope: dict = {"seen": seen}
    exec(f"def {hook}({', '.join(arguments)}):\n    seen.append(({', '.join(arguments)},))", scope)
    add(namespace(**{hook: hookimpl(scope[hook])}))
    tiny(out=tmp_path / "run", steps=2, sample_every=1, checkpoint_every=2, log_every=1).fit()
    return seen


def test_hook_run_started(add, tiny, tmp_path):
    ((engine,),) = events_of(add, "run_started", tiny, tmp_path, "engine")
    assert engine.recipe_name == "cyclegan"


def test_hook_step_reported(add, tiny, tmp_path):
    seen = events_of(add, "step_reported", tiny, tmp_path, "engine", "report")
    assert [report.step for _, report in seen] == [1, 2]
    assert "generators/cycle_x" in seen[0][1].losses


def test_hook_samples_saved(add, tiny, tmp_path):
    seen = events_of(add, "samples_saved", tiny, tmp_path, "engine", "path")
    assert [path.name for _, path in seen] == ["000001.png", "000002.png"]
    assert all(path.is_file() for _, path in seen)


def test_hook_checkpoint_saved(add, tiny, tmp_path):
    ((_, folder),) = events_of(add, "checkpoint_saved", tiny, tmp_path, "engine", "folder")
    assert (folder / "manifest.json").is_file()


def test_hook_run_finished(add, tiny, tmp_path):
    ((engine,),) = events_of(add, "run_finished", tiny, tmp_path, "engine")
    assert engine.step == 2


def test_built_in_plugins_are_entry_points_like_any_other():
    names = {entry.name for entry in metadata.entry_points(group="translate")}
    assert {"cyclegan", "losses", "pictures"} <= names


def test_plugins_use_public_names_only():
    """Built-ins have no privileges: what they import of the library is what everybody may."""
    import ast
    from pathlib import Path

    import translate

    root = Path(__file__).parent.parent / "plugins"
    public = {*translate.__all__, "errors"}
    for path in root.rglob("*.py"):
        if path.name == "image_translate.py":
            continue  # the front door of the command is no plugin
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "translate":
                assert node.module in ("translate", "translate.errors"), path
                assert {alias.name for alias in node.names} <= public | set(dir(translate.errors)), path


def test_the_core_knows_no_method_by_name():
    from pathlib import Path

    root = Path(__file__).parent.parent / "translate"
    names = {name for registry in installed().registries.values() for name in registry} - {"none"}  # also the word for None
    for path in root.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for name in names:
            assert f'== "{name}"' not in source, (path, name)
            assert f"== '{name}'" not in source, (path, name)


def test_a_second_plugin_of_a_name_takes_nothing_from_the_first():
    from translate import TranslateError

    plugins = Plugins()
    before = list(plugins.recipes)
    with pytest.raises(TranslateError, match="'cyclegan' already"):
        plugins.add(namespace(), "cyclegan")
    assert list(plugins.recipes) == before


def test_a_hook_that_wraps_others_is_refused(add):
    class Wraps:
        @hookimpl(wrapper=True)
        def run_started(self):
            yield

    with pytest.raises(translate.PluginError, match="wraps the hook 'run_started', and hooks are called one by one here"):
        add(Wraps())


@pytest.mark.parametrize(
    "origin", ["evil --index-url http://evil.example/x 0.1.0", "--index-url 1", "a; rm -rf / 1", "a b\n 1", ""]
)
def test_a_strangers_file_writes_no_command(origin):
    """What a weights file says of its plugins ends up in a line that is there to be copied."""
    said = Plugins(allowed=()).missing({"mine": origin})
    assert said == "plugin 'mine' (unknown), not loaded here, and the file does not say where it is from"
    assert Plugins(allowed=()).missing({"mine": "good-plugin 1.2.0rc1+cpu"}).endswith("not loaded here: pip install good-plugin")
