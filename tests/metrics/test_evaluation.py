"""Evaluation: which scores get which evidence, under which protocol, and what is left out and why."""

from __future__ import annotations

import json
import math
import re
import weakref
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import translate
from translate import Engine, Evidence, FeatureExtractor, Figure, RecipeError, Score, Seen, UserError, hookimpl
from translate.cli import main
from translate.metrics.features import see


class Means(FeatureExtractor):
    """Means of the channels; it wants pictures of 8 pixels."""

    label, size = "means", (8, 8)

    def __init__(self, space):
        super().__init__()
        self.batches = []

    def forward(self, images):
        self.batches.append(tuple(images.shape))
        return Seen(images.mean((2, 3)))


class Witness(Score):
    """Keeps the evidence, and says how many outputs there are."""

    seen: ClassVar[list[Evidence]] = []

    def __call__(self, evidence):
        self.seen.append(evidence)
        return {"outputs": Figure(len(evidence.outputs), "higher", 1.0, 9.0, note="as told")}


class Fails(Score):
    def __call__(self, evidence):
        raise ZeroDivisionError("nothing to divide")


@pytest.fixture(autouse=True)
def nothing_seen():
    Witness.seen.clear()


def test_evidence_is_of_held_out_pictures_in_every_direction(tiny, photos):
    engine = tiny()
    evaluation = engine.evaluate(scores=[Witness], features=Means, count=2)
    forth, back = Witness.seen
    assert (forth.way, back.way) == ("cat→dog", "dog→cat")
    held_out = [np.asarray(Image.open(photos / "test" / "cat" / f"{i}.png").resize((16, 16), Image.BICUBIC)) for i in range(2)]
    expected = torch.from_numpy(np.stack(held_out)).permute(0, 3, 1, 2) / 127.5 - 1
    assert torch.allclose(forth.inputs, expected, atol=1e-6)
    engine.recipe.eval()
    with torch.no_grad():
        assert torch.allclose(forth.outputs, engine.recipe.G(forth.inputs))
        assert torch.allclose(forth.returned, engine.recipe.F(forth.outputs))
        assert torch.allclose(back.outputs, engine.recipe.F(back.inputs))
    assert torch.equal(forth.real, back.inputs)
    assert forth.truth is None
    assert forth.seen("outputs").features.shape == (2, 3)
    assert forth.extractor.batches[0][2:] == (8, 8)
    assert [(row.way, row.name, row.figure.value) for row in evaluation.rows] == [
        ("cat→dog", "outputs", 2),
        ("dog→cat", "outputs", 2),
    ]
    assert evaluation.protocol["split"] == {"cat": "test", "dog": "test"}
    assert evaluation.protocol["features"] == ["means"]
    assert "outputs  2 [1, 9] (higher is better); as told" in str(evaluation)


def test_samples_are_spread_over_the_domain(tiny):
    engine = tiny()
    engine.evaluate(scores=[Witness], count=1)
    assert len(Witness.seen[0].inputs) == 1
    engine.evaluate(data=None, scores=[Witness], count=100)
    assert len(Witness.seen[-1].inputs) == 2


def test_the_truth_of_drawn_domains_is_known():
    engine = Engine(
        "cyclegan", ("horse", "zebra"), size=24, batch=1, steps=1, generator="resnet:blocks=0,channels=2", device="cpu"
    )
    engine.evaluate(scores=[Witness], count=3)
    case = Witness.seen[0]
    assert case.truth.shape == case.outputs.shape
    assert case.mask.shape == (3, 1, 24, 24)
    assert case.mask.min() >= 0
    assert case.mask.max() <= 1
    assert (case.truth - case.inputs).abs().mul(case.mask).mean() > 2 * (case.truth - case.inputs).abs().mul(1 - case.mask).mean()


def test_what_cannot_be_computed_is_left_out_with_the_reason(tiny):
    engine = tiny()
    evaluation = engine.evaluate(count=2)
    assert evaluation.left_out["cat→dog: kid"] == "no feature extractor was named: --features NAME"
    assert evaluation.left_out["cat→dog: truth"] == "nobody knows the true translations"
    assert {row.score for row in evaluation.rows} == {"round-trip", "change"}
    assert engine.evaluate(scores=["kid"], features=Means, count=2).rows[0].name == "KID[means]"
    failed = engine.evaluate(scores=[Fails, "change"], count=2)
    assert list(failed.left_out.values()) == ["it failed (ZeroDivisionError: nothing to divide)"] * 2
    assert failed.rows


def test_scores_of_samples_from_noise():
    engine = Engine("vanilla", ("points:ring8",), preset="points", steps=1, device="cpu", workers=0)
    evaluation = engine.evaluate(count=50)
    assert {row.name for row in evaluation.rows} == {"modes", "good points", "reverse KL"}
    assert {row.way for row in evaluation.rows} == {"points:ring8"}


def test_networks_are_left_as_they_were_and_draws_too(tiny):
    engine = tiny()
    engine.recipe.train()
    before = {name: each.clone() for name, each in engine.recipe.state_dict().items()}
    state = torch.get_rng_state()
    first, second = (engine.evaluate(scores=["kid"], features=Means, count=2) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], each) for name, each in engine.recipe.state_dict().items())


def test_see_asks_in_small_batches():
    eye = Means(None)
    images = torch.rand(70, 3, 12, 12) * 2 - 1
    seen = see(eye, images)
    assert [batch[0] for batch in eye.batches] == [32, 32, 6]
    assert seen.features.shape == (70, 3)
    assert seen.logits is None


def test_channels_of_other_data_are_refused(tiny, tmp_path):
    engine = tiny()
    for name in ("cat", "dog"):
        (tmp_path / "grey" / name).mkdir(parents=True)
        Image.new("L", (16, 16)).save(tmp_path / "grey" / name / "a.png")
    with pytest.raises(UserError, match="'cat' has 3 channels in these weights and 1 in this data"):
        engine.evaluate(tmp_path / "grey")


def test_the_command_prints_figures_with_their_protocol(tiny, tmp_path, capsys):
    tiny(out=tmp_path / "run").fit()
    assert main(["evaluate", str(tmp_path / "run"), "--count", "2"]) == 0
    printed = capsys.readouterr().out
    first, second, third, *_ = printed.splitlines()
    assert first.startswith("cat: 2 pictures in ")
    assert (second, third) == ("cyclegan at step 4; on 2 cat (test) + 2 dog (test); seed 0.", "cat→dog")
    assert printed.count("left out kid: no feature extractor was named: --features NAME\n") == 1  # though of two directions
    assert "left out modes: it scores points, and these are pictures\n" in printed
    assert main(["evaluate", str(tmp_path / "run"), "--scores", "round-trip", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in result["figures"]] == ["round-trip error"] * 2
    assert result["protocol"]["step"] == 4
    assert main(["evaluate", str(tmp_path / "run"), "--scores", "kidd"]) == 2
    assert "Did you mean 'kid'?" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path / "run"), "--count", "none"]) == 2
    assert main(["doctor", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.startswith("Nothing was found; looked for")
    assert main(["doctor", str(tmp_path / "nowhere")]) == 2


def test_a_plugin_brings_its_own(tiny):
    class Mine:
        @hookimpl
        def register_scores(self, register):
            register("witness", Witness)

    with translate.plugin(Mine(), "mine"):
        assert "witness" in {row.score for row in tiny().evaluate(count=2).rows}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda images: images.mean((2, 3)), "returns a Tensor; it must return translate.Seen"),
        (lambda images: Seen(images.mean((2, 3))[:1]), r"gives features of the shape \(1, 3\) for 2 samples; give each a row"),
        (lambda images: Seen(images), r"gives features of the shape \(2, 3, 8, 8\)"),
        (lambda images: Seen(images.mean((2, 3)), images[:1, :, 0, 0]), "gives logits"),
    ],
)
def test_an_extractor_that_gives_something_else_is_told(tiny, wrong, sentence):
    class Wrong(Means):
        def forward(self, images):
            return wrong(images)

    evaluation = tiny().evaluate(scores=["kid", "change"], features=Wrong, count=2)
    assert {row.score for row in evaluation.rows} == {"change"}  # which asks it for nothing
    assert re.search(sentence, evaluation.left_out["cat→dog: kid"])


def test_an_extractor_that_fails_or_has_no_name_is_told_in_a_sentence(tiny):
    class Breaks(Means):
        def forward(self, images):
            raise KeyError("eye")

    class Nameless(Means):
        label = None

    assert tiny().evaluate(scores="kid", features=Breaks).left_out["cat→dog: kid"] == (
        "The feature extractor Breaks failed (KeyError: 'eye')."
    )
    with pytest.raises(RecipeError, match="has no label, by which figures name it"):
        tiny().evaluate(features=Nameless)


@pytest.mark.parametrize("given", [1.0, {"a": 1.0}, None])
def test_a_score_that_gives_something_else_is_left_out_with_the_reason(tiny, given):
    class Odd(Score):
        def __call__(self, evidence):
            return given

    evaluation = tiny().evaluate(scores=[Odd, "change"], count=2)
    assert {row.score for row in evaluation.rows} == {"change"}
    assert f"it returns {given!r}, and not translate.Figure values by name" in evaluation.left_out.values()


def test_an_evaluation_takes_what_chooses_its_pictures_and_nothing_else(tiny):
    engine = tiny()
    with pytest.raises(
        UserError, match="no setting 'steps'; what chooses its pictures is domains, fit, holdout and holdout_seed"
    ):
        engine.evaluate(steps=99)
    with pytest.raises(UserError, match="count of samples is 0; it must be at least 1"):
        engine.evaluate(count=0)
    with pytest.raises(UserError, match="A score is asked for twice"):
        engine.evaluate(scores=["change", "change"])


def test_a_trained_engine_may_be_scored_on_other_pictures_of_its_data(photos, tmp_path):
    """Without a test folder: held out on request, and not what was opened for training."""
    import shutil

    from conftest import TINY

    shutil.rmtree(photos / "test")
    engine = Engine("cyclegan", ("cat", "dog"), data=photos, **TINY)
    assert engine.evaluate(scores=[Witness]).protocol["split"] == {"cat": "train", "dog": "train"}
    held_out = engine.evaluate(scores=[Witness], holdout=2)
    assert held_out.protocol["split"] == {"cat": "test", "dog": "test"}
    assert len(Witness.seen[-1].inputs) == 2


def test_a_run_is_scored_on_its_own_pictures_or_none(tiny, photos, tmp_path, capsys):
    tiny(out=tmp_path / "run", fit="crop", data=str(photos)).fit()
    weights = tmp_path / "run" / "checkpoints" / "000004" / "weights.safetensors"
    for place in (tmp_path / "run", weights.parent, weights):
        assert main(["evaluate", str(place), "--scores", "change", "--json"]) == 0
        protocol = json.loads(capsys.readouterr().out)["protocol"]
        assert protocol["resize"] == "antialiased bicubic, crop"
        assert protocol["data"]["cat"]["origin"].startswith("2 pictures in ")
    photos.rename(tmp_path / "moved")
    assert main(["evaluate", str(weights)]) == 2
    assert "which is gone; say where they are with --data DIR" in capsys.readouterr().err
    assert main(["evaluate", str(weights), "--data", str(tmp_path / "moved"), "--scores", "change"]) == 0


def test_json_knows_no_nan(tiny):
    class Nothing(Score):
        def __call__(self, evidence):
            return {"nothing": Figure(float("nan"))}

    plain = tiny().evaluate(scores=[Nothing]).plain()
    assert [each["value"] for each in plain["figures"]] == [None, None]
    json.dumps(plain, allow_nan=False)


def test_what_is_left_out_of_one_direction_says_of_which(tiny, tmp_path, capsys):
    class ToDogs(Witness):
        def unfit(self, evidence):
            return "" if evidence.target.name == "dog" else "it knows dogs only"

    class Mine:
        @hookimpl
        def register_scores(self, register):
            register("to-dogs", ToDogs)

    tiny(out=tmp_path / "run").fit()
    with translate.plugin(Mine(), "mine"):
        assert main(["evaluate", str(tmp_path / "run"), "--scores", "to-dogs", "kid"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left out")]
    assert lines == [
        "left out kid: no feature extractor was named: --features NAME",
        "left out to-dogs for dog→cat: it knows dogs only",
    ]


def test_the_evidence_of_one_direction_is_gone_before_that_of_the_next_is_gathered(tiny):
    """Pictures as floats are what takes the memory of an evaluation."""
    made: list[weakref.ref[torch.Tensor]] = []

    class Watches(Score):
        def __call__(self, evidence):
            alive.append(sum(each() is not None for each in made))
            made.extend(weakref.ref(each) for each in (evidence.outputs, evidence.returned))
            return {"watched": Figure(1.0)}

    alive: list[int] = []
    engine = tiny()
    translated = engine.recipe.translate
    engine.recipe.translate = lambda *given: alive.append(sum(each() is not None for each in made)) or translated(*given)
    engine.evaluate(scores=Watches)
    assert len(made) == 4
    assert alive == [0] * 6  # two translations there and back in each direction, and what the score saw


def test_a_score_may_be_given_alone(tiny):
    assert {row.name for row in tiny().evaluate(scores=Witness(), count=2).rows} == {"outputs"}


@pytest.mark.parametrize("number", [torch.tensor(1.5), torch.tensor([[1.5]]), np.float32(1.5), np.array(1.5)])
def test_a_figure_takes_the_float_of_a_number(number):
    figure = Figure(number, low=number)
    assert (figure.value, figure.low, figure.high) == (1.5, 1.5, None)
    assert type(figure.value) is type(figure.low) is float


def test_counts_stay_whole():
    assert type(Figure(8).value) is int


@pytest.mark.parametrize("wrong", [torch.ones(2), None, "high", [1.0]])
def test_what_is_no_number_is_left_out_with_the_reason(tiny, wrong):
    class Wrong(Score):
        def __call__(self, evidence):
            return {"wrong": Figure(wrong)}

    reasons = tiny().evaluate(scores=[Wrong], count=2).left_out.values()
    assert set(reasons) == {f"A figure has the value {wrong!r:.80}, and must have one number"}


def test_a_figure_that_is_none_says_why(tiny):
    class Nothing(Score):
        def __call__(self, evidence):
            return {"told": Figure(math.nan, note="nobody knows"), "untold": Figure(math.nan)}

    notes = {row.name: row.figure.note for row in tiny().evaluate(scores=[Nothing]).rows}
    assert notes == {"told": "nobody knows", "untold": "the score does not say why"}


def test_a_domain_of_a_plugin_that_is_empty_or_fails_is_named(tiny):
    class Grey(translate.Domain):
        name = "grey"

        def __len__(self):
            return 0 if self.empty else 3

        def read(self, index):
            raise KeyError("lost")

    class Mine:
        @hookimpl
        def open_domain(self, name):
            return Grey() if name == "grey" else None

    for Grey.empty, sentence in ((True, "'grey' of plugin 'mine' is empty"), (False, "'grey' of plugin 'mine' failed .*lost")):
        with translate.plugin(Mine(), "mine"), pytest.raises(translate.TranslateError, match=sentence):
            tiny().evaluate(domains=("grey", "dog"), count=1)
