from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from translate import UserError
from translate.data.domain import Domain, Space


class Numbers(Domain):
    def __init__(self, name="numbers", count=3):
        self.name, self.count = name, count

    def __len__(self):
        return self.count

    def read(self, index):
        return np.full((2, 2, 3), index, np.uint8)


def test_a_space_of_pictures():
    space = Space("horse", (3, 20, 30))
    assert space.is_picture
    assert space.channels == 3
    assert space.size == (20, 30)
    assert (space.dtype, space.window) == ("uint8", (0.0, 255.0))


def test_a_space_of_points():
    space = Space("ring", (2,), "float32", (-1.0, 1.0))
    assert not space.is_picture
    assert space.channels == 2


def test_a_space_is_a_value():
    assert Space("a", (3, 4, 4)) == Space("a", (3, 4, 4)) != Space("a", (3, 4, 5))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Space("a", (3, 4, 4)).name = "b"


def test_what_a_domain_is_unless_it_says_otherwise():
    domain = Numbers()
    assert (domain.channels, domain.dtype, domain.window, domain.is_picture, domain.origin) == (3, "uint8", (0, 255), True, "")
    assert [domain.label(index) for index in range(3)] == ["numbers-00000", "numbers-00001", "numbers-00002"]
    assert domain.counterpart(0, "letters") is None
    assert domain.mask(0) is None


def test_len_and_read_are_the_least_a_domain_must_have():
    with pytest.raises(TypeError, match="abstract"):
        Domain()


def test_the_fingerprint_changes_with_what_the_domain_shows():
    deep = Numbers()
    deep.dtype = "uint16"
    prints = [each.fingerprint() for each in (Numbers(), Numbers(count=4), Numbers("others"), deep)]
    assert len(set(prints)) == 4
    assert Numbers().fingerprint() == prints[0]


def test_the_size_of_points_is_asked_for_in_vain():
    with pytest.raises(UserError, match="'ring' holds points of 2 coordinates"):
        Space("ring", (2,), "float32", (-1.0, 1.0)).size  # noqa: B018  # reading it is what raises
