"""The instruments of the proof on few pictures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from conftest import draw

from translate import Evidence, FeatureExtractor, Seen, Space


@pytest.fixture(scope="module")
def proof():
    path = Path(__file__).parent / "proofs" / "few_pictures.py"
    spec = importlib.util.spec_from_file_location("few_pictures", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["few_pictures"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photographs(tmp_path):
    for folder, count in (("trainA", 70), ("trainB", 65), ("testA", 3), ("testB", 2)):
        for index in range(count):
            draw(tmp_path / "data" / folder / f"{folder}-{index:02d}.png", index, (4, 4))
    return tmp_path / "data"


def test_what_is_chosen_and_what_is_not(proof, photographs, tmp_path):
    rest = proof.gathered(photographs, tmp_path / "zero", 0)
    proof.gathered(photographs, tmp_path / "one", 1)
    chosen = {seed: {path.name for path in (tmp_path / seed / "train" / "horse").iterdir()} for seed in ("zero", "one")}
    assert len(chosen["zero"]) == len(chosen["one"]) == 60
    assert chosen["zero"] != chosen["one"]
    assert {path.name for path in rest[0]} | chosen["zero"] == {path.name for path in (photographs / "trainA").iterdir()}
    assert not {path.name for path in rest[0]} & chosen["zero"]
    assert [len(paths) for paths in rest] == [10, 5]
    assert len(list((tmp_path / "zero" / "test" / "zebra").iterdir())) == 2


def test_a_run_is_what_its_name_says(proof, tmp_path):
    plain = proof.settings("scratch", 3, tmp_path, "runs/drawn")
    assert (plain["augment"], plain["init_from"], plain["seed"]) == ("none", None, 3)
    assert "judge_augment" not in plain
    warm = proof.settings("warm+small+translation", 3, tmp_path, "runs/drawn")
    changed = {key: value for key, value in warm.items() if plain.get(key) != value}
    assert changed == {
        "augment": "small",
        "init_from": "runs/drawn",
        "judge_augment": "diffaugment:policy=translation+cutout",
    }


class Bright(FeatureExtractor):
    """Calls a zebra what is bright."""

    label = "bright"

    def forward(self, images):
        mean = images.mean((1, 2, 3))
        return Seen(mean[:, None], torch.stack([-mean, mean], 1))


@pytest.mark.parametrize(("target", "called", "inputs"), [("zebra", 0.75, 0.25), ("horse", 0.25, 0.75)])
def test_the_share_that_is_called_right_by_hand(proof, target, called, inputs):
    def shaded(values):
        return torch.tensor(values)[:, None, None, None].expand(-1, 3, 4, 4)

    evidence = Evidence(
        Space(target, (3, 4, 4)),
        None,
        shaded([0.1, 0.2, 0.3, -0.1]),
        shaded([0.5, 0.5]),
        inputs=shaded([-0.1, -0.2, -0.3, 0.1]),
        extractor=Bright(),
    )
    figures = proof.Called()(evidence)
    assert figures["called"].value == called
    assert figures["called, inputs"].value == inputs


@pytest.mark.parametrize(
    ("kids", "beaten"),
    [
        ({"scratch": [0.4, 0.6], "warm": [0.1, 0.2], "warm+paper": [0.05, 0.1]}, True),
        ({"scratch": [0.4, 0.6], "warm": [0.9, 0.2]}, False),
        ({"scratch": [0.5], "warm": [0.1], "warm+paper": [0.3]}, False),
        ({"scratch": [0.5], "weights": [0.9]}, True),
    ],
)
def test_who_is_compared_with_whom(proof, kids, beaten):
    assert proof.compared(kids) is beaten
