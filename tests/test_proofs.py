"""The instruments of the long proofs, on translators whose score is known; and a short form of the main job."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from translate import Engine, Space
from translate.isolation import Guard
from translate.plugins import installed


def script(name):
    path = Path(__file__).parent / "proofs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def proof():
    return script("main_job")


SPACES = tuple(Space(name, (3, 48, 48)) for name in ("horse", "zebra"))


class Half:
    """Every tenth drawing of a split: enough for a score."""

    def __init__(self, name, split):
        _, self.domain = Guard(installed()).find_domain(name, None, split, (48, 48), ("horse", "zebra"))

    def __len__(self):
        return len(self.domain) // 10

    def __getattr__(self, name):
        return getattr(self.domain, name)


def scored(proof, translate):
    """What the proof says of ``translate(domain, images, to)``."""
    seen = iter(("horse", "zebra"))

    def engine_translate(images, to, source):
        return translate(Half(next(seen), "test"), images, to)

    zebra_or_not = torch.nn.Module()
    zebra_or_not.forward = lambda images: torch.zeros(len(images), 1)
    guard = SimpleNamespace(find_domain=lambda name, root, split, size, names: ("pictures", Half(name, split)))
    engine = SimpleNamespace(spaces=SPACES, translate=engine_translate)
    return proof.score(engine, zebra_or_not, guard, "test")


def test_the_truth_scores_perfectly(proof):
    def truth(domain, images, to):
        arrays = np.stack([domain.counterpart(index, to) for index in range(len(domain))])
        return proof.to_tensor(arrays, (0.0, 255.0), torch.device("cpu"))

    score = scored(proof, truth)
    assert score["zebra→horse: error inside, of untranslated's"] == 0
    assert score["horse→zebra: stripe contrast, of real zebras'"] == pytest.approx(1)
    assert score["horse→zebra: change outside the mask"] == pytest.approx(0, abs=1e-6)


def test_the_untranslated_picture_scores_as_such(proof):
    score = scored(proof, lambda domain, images, to: images)
    assert score["zebra→horse: error inside, of untranslated's"] == pytest.approx(1)
    assert score["horse→zebra: stripe contrast, of real zebras'"] < 0.5
    assert score["zebra→horse: change outside the mask"] == 0


def test_a_changed_background_is_seen(proof):
    score = scored(proof, lambda domain, images, to: images + 0.2)
    assert score["horse→zebra: change outside the mask"] == pytest.approx(0.2, abs=1e-5)


def test_blurring_takes_hidden_patterns_away(proof):
    """A pattern of single pixels is gone after the blur, broad stripes are not."""
    columns = torch.arange(48)
    fine = torch.where(columns % 2 == 0, 0.05, -0.05).expand(1, 3, 48, 48)
    broad = torch.where(columns % 16 < 8, 0.5, -0.5).expand(1, 3, 48, 48)
    assert proof.blurred(fine)[..., 4:-4].abs().max() < 0.01
    assert proof.blurred(broad)[..., 4:-4].abs().max() > 0.45
    assert torch.equal(proof.blurred(broad), ((proof.blurred(broad) + 1) * 127.5).round() / 127.5 - 1)


def test_a_short_main_job_begins_to_translate():
    """Forty steps on small drawings: the way back is found and the judges learn; both ratios were near 0.45 when this was written."""
    options = {"size": 32, "steps": 40, "ema": 0.9, "device": "cpu", "workers": 0, "augment": "flip"}
    engine = Engine("cyclegan", ("horse", "zebra"), preset="quick", **options)
    reports = [report.losses for report in engine.steps()]
    cycle = [losses["generators/cycle_x"] + losses["generators/cycle_y"] for losses in reports]
    judged = [sum(value for key, value in losses.items() if key.startswith("discriminators")) for losses in reports]
    assert np.mean(cycle[-10:]) < 0.7 * np.mean(cycle[:5])
    assert np.mean(judged[-10:]) < 0.8 * np.mean(judged[:5])


def test_scores_of_samples_whose_classes_are_known():
    scores = script("samples").scores
    sure = torch.eye(10, dtype=torch.float64).repeat(500, 1)
    assert scores(sure) == pytest.approx({"recognised": 1, "classes": 10, "IS": 10, "IS std": 0})
    collapsed = sure[:1].expand(5000, 10)
    assert scores(collapsed) == pytest.approx({"recognised": 1, "classes": 1, "IS": 1, "IS std": 0})
    unsure = torch.full((5000, 10), 0.1, dtype=torch.float64)
    assert scores(unsure)["recognised"] == 0
    assert scores(unsure)["IS"] == pytest.approx(1)
    halves = sure.clone()
    halves[:2500] = halves[0]  # half of all samples are of one class: the splits of the first half see nothing else
    assert scores(halves)["IS"] == pytest.approx((5 * 1 + 5 * 10) / 10)


def test_hues_of_translators_that_keep_turn_or_lose_them():
    relation = script("colour_relation")

    class Translator:
        """Bags as themselves, with their channels in another order."""

        spaces = (Space("bags", (3, 32, 32)), Space("shoes", (3, 32, 32)))

        def __init__(self, order):
            self.order = order

        def translate(self, pictures, to, source):
            return pictures[..., self.order]

    kept, turned, mirrored = (relation.hues(Translator(order), "bags", "shoes") for order in ([0, 1, 2], [1, 2, 0], [0, 2, 1]))
    assert relation.hue_correlation(*kept) == pytest.approx(1)
    assert relation.hue_correlation(*turned) == pytest.approx(-0.5, abs=0.01)  # a third of the circle
    assert relation.hue_association(*turned) == pytest.approx(1, abs=0.02)
    assert relation.hue_association(*mirrored) == pytest.approx(-1, abs=0.02)
    assert relation.modes(kept[1]) == 10  # of 12: there is no purple
    assert relation.modes(np.full(200, 33.0)) == 1
