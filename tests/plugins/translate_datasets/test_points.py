"""Points lie where they should: their modes, their spread, always the same; and they go through the library as they are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import translate_datasets
from translate import UserError
from translate.data import picture
from translate.data.catalogue import open_domains
from translate.isolation import Guard
from translate.plugins import Plugins
from translate_datasets.points import Points, grid, ring

NAMES = ["points:ring8", "points:grid25", "points:ring3", "points:grid9", "points:ring1", "points:grid1"]
FIRST = {
    "points:ring8": [[-0.702598, 0.720413], [0.999828, 0.011132]],
    "points:grid25": [[-4.044117, -0.023915], [-2.044408, -2.01203]],
}


@pytest.mark.parametrize("name", NAMES)
def test_hook_open_domain_draws_points(name, tmp_path):
    domain = translate_datasets.open_domain(name, None, "train")
    assert (len(domain), domain.channels, domain.dtype, domain.window) == (100_000, 2, "float32", (-1.0, 1.0))
    assert not domain.is_picture
    assert domain.name == name
    assert domain.read(7).shape == (2,)
    assert domain.read(7).dtype == np.float32
    assert len(translate_datasets.open_domain(name, tmp_path, "test")) == 10_000
    assert translate_datasets.open_domain(name, None, "unseen") is None


def test_modes():
    half = np.sqrt(0.5)
    assert np.allclose(ring(8)[:3], [(1, 0), (half, half), (0, 1)])
    assert np.allclose(np.linalg.norm(ring(8), axis=1), 1)
    assert set(map(tuple, grid(25).tolist())) == set(itertools.product((-4, -2, 0, 2, 4), repeat=2))
    assert set(map(tuple, grid(4).tolist())) == set(itertools.product((-1, 1), repeat=2))
    assert grid(1).tolist() == [[0, 0]]
    assert Points("points:ring8").std == 0.01
    assert Points("points:grid25").std == 0.05


@pytest.mark.parametrize("name", ["points:ring8", "points:grid25"])
def test_points_are_spread_as_they_should_be(name):
    domain = Points(name)
    offsets = domain.points[:, None].astype(float) - domain.modes
    nearest = np.linalg.norm(offsets, axis=2).argmin(axis=1)
    around = offsets[np.arange(len(domain)), nearest]
    # Each bound is 5 standard errors.
    assert np.abs(around.mean(axis=0)).max() < 5 * domain.std / np.sqrt(len(domain))
    assert np.abs(around.std(axis=0) / domain.std - 1).max() < 5 / np.sqrt(2 * len(domain))
    assert abs(np.corrcoef(around.T)[0, 1]) < 5 / np.sqrt(len(domain))
    expected = len(domain) / len(domain.modes)
    assert np.abs(np.bincount(nearest, minlength=len(domain.modes)) - expected).max() < 5 * np.sqrt(expected)


def test_points_are_the_same_every_time_and_others_for_every_name_and_split():
    domains = [Points(name, split) for name in ("points:ring8", "points:ring9", "points:grid9") for split in ("train", "test")]
    again = Points("points:ring8")
    assert np.array_equal(domains[0].points, again.points)
    assert domains[0].fingerprint() == again.fingerprint()
    assert len({domain.fingerprint() for domain in domains}) == len(domains)
    assert not set(map(tuple, domains[0].points.tolist())) & set(map(tuple, domains[1].points.tolist()))
    assert [domain.label(17) for domain in domains[::2]] == ["ring8-00017", "ring9-00017", "grid9-00017"]
    assert again.origin == "100000 points around 8 modes, drawn by the program"


def test_the_first_points_stay_what_they_were():
    # A change of these is a change of everybody's data.
    assert np.allclose(Points("points:ring8").points[:2], FIRST["points:ring8"], atol=1e-6)
    assert np.allclose(Points("points:grid25").points[:2], FIRST["points:grid25"], atol=1e-6)


def test_what_is_read_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Points("points:ring8", "test").read(0)[0] = 1


def test_the_networks_see_the_coordinates_unscaled():
    domain = Points("points:grid25", "test")
    batch = np.stack([domain.read(index) for index in range(100)])
    tensor = picture.to_tensor(batch, domain.window, torch.device("cpu"))
    assert np.allclose(tensor.numpy(), batch, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "points:hexagon",
            "There are points:ringN and, for square numbers, points:gridN, such as points:ring8 and points:grid25.",
        ),
        ("points:", "no points named 'points:'"),
        ("points:rings8", "Did you mean 'points:ring8'?"),
        ("points:ring08", "Did you mean 'points:ring8'?"),
        ("points:ring0", "no points named"),
        ("points:ring-8", "Did you mean 'points:ring8'?"),
        ("points:ring101", "the most are 100: 'points:ring100'"),
        ("points:grid24", "24 is no square number. Did you mean 'points:grid25'?"),
        ("points:grid2", "Did you mean 'points:grid1'?"),
        ("points:grid999999999", "the most are 10000"),
        ("points:grid99999999999999999999", "no points named"),
    ],
)
def test_points_that_do_not_exist_are_said_with_those_that_do(name, sentence):
    with pytest.raises(UserError) as error:
        translate_datasets.open_domain(name, None, "train")
    assert sentence in str(error.value)


def test_a_split_that_does_not_exist():
    with pytest.raises(UserError, match="train and test"):
        Points("points:ring8", "unseen")


def test_through_the_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plugins = Plugins(allowed=())
    plugins.add(translate_datasets, "datasets")
    for data in (None, tmp_path):
        found = open_domains(Guard(plugins), ("points:grid25",), data, (64, 64))
        assert [len(domain) for domain in (*found.train, *found.test)] == [100_000, 10_000]
