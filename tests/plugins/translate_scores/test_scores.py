"""Scores against their definitions written out plainly, in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from translate import Evidence, FeatureExtractor, Seen, Space
from translate.options import Part
from translate.parts import build_part
from translate.plugins import installed
from translate_datasets.points import Points


class Flat(FeatureExtractor):
    """The pixels themselves."""

    label = "pixels"

    def forward(self, images):
        return Seen(images.flatten(1))


def made(text):
    return build_part(installed().scores, Part.parse(text), None)


def draw(*shape, seed):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def space(name="y"):
    return Space(name, (3, 4, 4))


def evidence(**values):
    settings = {
        "outputs": draw(7, 3, 4, 4, seed=0),
        "real": draw(5, 3, 4, 4, seed=1),
        "inputs": draw(7, 3, 4, 4, seed=2),
        **values,
    }
    return Evidence(space(), None, extractor=Flat(), source=space("x"), **settings)


def kid(x, y):
    """Bińkowski et al. (2018), equation 4, in loops."""
    x, y = x.flatten(1).double().numpy(), y.flatten(1).double().numpy()

    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    m, n = len(x), len(y)
    xx = sum(kernel(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    yy = sum(kernel(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return xx + yy - 2 * sum(kernel(a, b) for a in x for b in y) / (m * n)


def test_kid_is_the_unbiased_estimate_of_the_full_sets():
    case = evidence()
    figures = made("kid")(case)
    assert figures["KID"].value == pytest.approx(kid(case.outputs, case.real), abs=1e-12)
    assert figures["KID of the inputs"].value == pytest.approx(kid(case.inputs, case.real), abs=1e-12)
    assert figures["KID"].low < figures["KID"].value < figures["KID"].high


def test_a_round_of_the_bootstrap_pairs_no_sample_with_a_copy_of_itself():
    """Counted so often, samples give what the loops over distinct ones give, weighted."""
    from translate_scores.kernel import _distance, _kernel

    x, y = draw(4, 6, seed=3).double(), draw(3, 6, seed=4).double()
    rows, columns = torch.tensor([2.0, 0.0, 1.0, 1.0]).double(), torch.tensor([1.0, 1.0, 1.0]).double()
    drawn = [0, 0, 2, 3]

    def kernel(a, b):
        return float((a @ b / 6 + 1) ** 3)

    pairs = [kernel(x[i], x[j]) for i in drawn for j in drawn if i != j]
    others = [kernel(y[i], y[j]) for i in range(3) for j in range(3) if i != j]
    crossed = [kernel(x[i], y[j]) for i in drawn for j in range(3)]
    expected = np.mean(pairs) + np.mean(others) - 2 * np.mean(crossed)
    assert _distance(_kernel(x, x), _kernel(y, y), _kernel(x, y), rows, columns) == pytest.approx(expected, abs=1e-12)


def test_two_samples_of_one_distribution_are_as_near_as_chance_has_it():
    case = evidence(outputs=draw(300, 3, 4, 4, seed=5), real=draw(300, 3, 4, 4, seed=6))
    figure = made("kid")(case)["KID"]
    assert figure.low < 0 < figure.high


def test_errors_to_the_truth():
    truth, mask = draw(7, 3, 4, 4, seed=7), torch.zeros(7, 1, 4, 4)
    mask[:, :, :2] = 1  # the upper half must change
    case = evidence(truth=truth, mask=mask)
    figures = made("truth")(case)
    outputs, inputs = case.outputs.double().numpy(), case.inputs.double().numpy()
    assert figures["error to the truth"].value == pytest.approx(np.abs(outputs - truth.numpy()).mean())
    assert figures["error of the inputs"].value == pytest.approx(np.abs(inputs - truth.numpy()).mean())
    assert figures["change outside the object"].value == pytest.approx(np.abs(outputs - inputs)[:, :, 2:].mean())
    noise = [10 * math.log10(2**2 / np.square(a - b).mean()) for a, b in zip(outputs, truth.double().numpy(), strict=True)]
    assert figures["PSNR"].value == pytest.approx(np.mean(noise))


def test_round_trip_and_change():
    case = evidence(returned=draw(7, 3, 4, 4, seed=8))
    assert made("round-trip")(case)["round-trip error"].value == pytest.approx(float((case.returned - case.inputs).abs().mean()))
    figures = made("change")(case)
    neighbours = np.mean([float((case.inputs[i] - case.inputs[i - 1]).abs().mean()) for i in range(7)])
    assert figures["change"].value == pytest.approx(float((case.outputs - case.inputs).abs().mean()) / neighbours)
    assert made("change")(evidence(outputs=case.inputs))["change"].value == 0
    assert made("change")(evidence(outputs=case.inputs[:1].expand(7, 3, 4, 4)))["diversity"].value == 0


def test_modes_of_known_points():
    domain = Points("points:ring8", "test")
    target = Space("points:ring8", (2,), "float32", (-1.0, 1.0))
    points = torch.from_numpy(domain.modes[[0, 0, 3]].copy())
    figures = made("modes")(Evidence(target, domain, points, points))
    assert (figures["modes"].value, figures["modes"].note, figures["good points"].value) == (2, "of 8", 1)
    assert figures["reverse KL"].value == pytest.approx(2 / 3 * math.log(16 / 3) + 1 / 3 * math.log(8 / 3))


def test_a_ratio_to_nothing_says_so():
    same = draw(1, 3, 4, 4, seed=9).expand(7, 3, 4, 4)
    figures = made("change")(evidence(inputs=same, real=same))
    assert math.isnan(figures["change"].value)
    assert {name: each.note for name, each in figures.items()} == {
        "diversity": "all real pictures are the same",
        "change": "all inputs are the same",
    }


def test_figures_of_the_inputs_say_what_they_are_for():
    figures = made("truth")(evidence(truth=draw(7, 3, 4, 4, seed=7))) | made("kid")(evidence())
    for name in ("error of the inputs", "KID of the inputs"):
        assert figures[name].note == "of the pictures as they are: a translation should be below"
        assert not figures[name].better
    few = made("kid")(evidence(inputs=draw(4, 3, 4, 4, seed=2)))["KID of the inputs"]
    assert few.note.endswith("should be below; of fewer than 5 samples a side, too few for an interval")
