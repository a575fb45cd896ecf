from __future__ import annotations

import numpy as np
import pytest

from translate.data.domain import Domain
from translate.data.splits import Subset, hold_out
from translate.errors import UserError
from translate.randomness import derive


class Named(Domain):
    """One pixel a sample, which holds its index."""

    channels = 1

    def __init__(self, labels, origin="scans"):
        self.name, self.labels, self.origin = "scan", list(labels), origin

    def __len__(self):
        return len(self.labels)

    def label(self, index):
        return self.labels[index]

    def read(self, index):
        return np.full((1, 1, 1), index, np.uint8)

    def counterpart(self, index, domain):
        return np.full((1, 1, 1), index + 100, np.uint8) if domain == "other" else None

    def mask(self, index):
        return np.full((1, 1), bool(index % 2))


def names(domain):
    return {domain.label(index) for index in range(len(domain))}


HUNDRED = [f"{number:03d}.png" for number in range(100)]


def test_a_subset_shows_samples_of_the_whole():
    part = Subset(Named("abcd", origin="4 pictures in x"), [3, 1])
    assert (len(part), part.name, part.origin, part.channels, part.dtype) == (2, "scan", "2 pictures in x", 1, "uint8")
    assert [part.label(0), part.label(1)] == ["d", "b"]
    assert [int(part.read(index)[0, 0, 0]) for index in range(2)] == [3, 1]
    assert [int(part.counterpart(index, "other")[0, 0, 0]) for index in range(2)] == [103, 101]
    assert part.counterpart(0, "nobody") is None
    assert [bool(part.mask(index)[0, 0]) for index in range(2)] == [True, True]


def test_a_subset_has_a_fingerprint_of_its_own():
    whole = Named("abcd")
    prints = [Subset(whole, indices).fingerprint() for indices in ([0, 1], [1, 0], [0, 2], [0, 1])]
    assert prints[0] == prints[3]
    assert len({*prints, whole.fingerprint()}) == 4
    assert Subset(Named("abce"), [0, 1]).fingerprint() != prints[0]


@pytest.mark.parametrize("holdout", [0.1, 0.5, 1, 30])
def test_every_sample_is_on_one_side(holdout):
    found = hold_out(Named(HUNDRED), holdout, 0)
    assert names(found.train) | names(found.test) == set(HUNDRED)
    assert not names(found.train) & names(found.test)
    assert len(found.train) + len(found.test) == 100


def test_a_number_holds_out_so_many():
    assert [len(hold_out(Named(HUNDRED), count, 3).test) for count in (1, 7, 99)] == [1, 7, 99]


def test_a_share_holds_out_those_whose_draw_is_below_it():
    expected = {name for name in HUNDRED if derive(5, "holdout", name.removesuffix(".png")) < 0.2 * 2**63}
    assert names(hold_out(Named(HUNDRED), 0.2, 5).test) == expected
    assert 10 < len(expected) < 30


def test_the_seed_decides():
    held = [names(hold_out(Named(HUNDRED), 0.3, seed).test) for seed in (0, 0, 1)]
    assert held[0] == held[1] != held[2]


def test_samples_that_are_added_move_no_other():
    """Nor does their order, whatever their places."""
    before = hold_out(Named(HUNDRED[::2]), 0.2, 0)
    after = hold_out(Named(sorted(HUNDRED, reverse=True)), 0.2, 0)
    assert names(before.test) <= names(after.test)
    assert names(before.train) <= names(after.train)


def test_pairs_stay_together():
    photos, maps = (hold_out(Named([f"{number}.{end}" for number in range(50)]), 0.3, 0) for end in ("jpg", "png"))
    assert {name[:-4] for name in names(photos.test)} == {name[:-4] for name in names(maps.test)}


def test_neither_side_is_empty():
    for seed in range(20):
        for share in (0.001, 0.999):
            found = hold_out(Named("ab"), share, seed)
            assert (len(found.train), len(found.test)) == (1, 1)


@pytest.mark.parametrize(
    ("labels", "holdout", "said"),
    [
        ("abc", 1.5, r"--holdout is 1\.5; give a share below 1, such as 0\.1, or a whole number of pictures\."),
        ("abc", 3, r"--holdout is 3, and 'scan' has only 3 samples \(scans\); hold out fewer, or add more\."),
        ("a", 0.5, r"--holdout is 0\.5, and 'scan' has only 1 samples"),
    ],
)
def test_what_cannot_be_held_out(labels, holdout, said):
    with pytest.raises(UserError, match=said):
        hold_out(Named(labels), holdout, 0)
