"""Sources of data: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from kit import Ramp, faults, opener

from translate import UserError
from translate.testing import NonConforming, check_data


@pytest.mark.parametrize("name", ["horse", "digits"])
def test_drawn_domains_conform(name):
    import translate_pictures

    check_data(translate_pictures.open_domain, name)


@pytest.mark.parametrize("name", ["points:ring8", "points:grid25"])
def test_points_conform(name):
    import translate_datasets

    check_data(translate_datasets.open_domain, name)


def test_a_plain_domain_conforms():
    check_data(opener(Ramp), "ramp")
    check_data(opener(Ramp), "ramp", split="test")


class Random(Ramp):
    def read(self, index):
        return np.random.default_rng().integers(0, 256, (6, 7, 1), dtype=np.uint8)


class Opened(Ramp):
    opened = itertools.count()

    def __init__(self, name):
        super().__init__(name)
        self.number = next(self.opened)

    def read(self, index):
        return super().read(index + self.number)


class Shared(Ramp):
    """One array for all readers."""

    def __init__(self, name):
        super().__init__(name)
        self.samples = np.stack([Ramp.read(self, index) for index in range(self.count)])

    def read(self, index):
        return self.samples[index]


class NotForThreads(Ramp):
    def __init__(self, name):
        import threading

        super().__init__(name)
        self.home = threading.get_ident()

    def read(self, index):
        import threading

        return super().read(index + (threading.get_ident() != self.home))


class AnotherDtype(Ramp):
    dtype = "uint16"


class AnotherShape(Ramp):
    def read(self, index):
        return super().read(index)[..., 0]


class UnknownDtype(Ramp):
    dtype = "uint8"

    def __init__(self, name):
        super().__init__(name)
        self.dtype = "int32"


class Holes(Ramp):
    dtype = "float32"

    def read(self, index):
        return np.full((6, 7, 1), np.nan, dtype=np.float32)


class NoChannels(Ramp):
    channels = 0


class Reversed(Ramp):
    window = (255.0, 0.0)


class Empty(Ramp):
    count = 0


class Twins(Ramp):
    def label(self, index):
        return f"ramp-{index // 2}"


class Numbers(Ramp):
    def label(self, index):
        return index


class Shifting(Ramp):
    prints = itertools.count()

    def fingerprint(self):
        return str(next(self.prints))


class Blank(Ramp):
    def fingerprint(self):
        return ""


class Nameless(Ramp):
    def __init__(self, name):
        self.name = name.upper()


class OneTooMany(Ramp):
    def read(self, index):
        return np.stack([super(OneTooMany, self).read(each) for each in range(self.count - 1)])[index]


class KnowsAll(Ramp):
    def counterpart(self, index, domain):
        return self.read(index)


class OddMask(Ramp):
    def mask(self, index):
        return np.zeros((3, 3), dtype=np.bool_)


@faults(
    (
        Random,
        r"Sample 0 of Domain 'ramp' is another when it is read again; reading must be pure|Sample 4 .* read again; reading must be",
    ),
    (Opened, r"Sample 0 of .* is another when the domain is opened again"),
    (Shared, r"gives out arrays that are its own, .* array.flags.writeable = False"),
    (NotForThreads, r"Sample 0 of .* is another when threads read at a time"),
    (AnotherDtype, r"Sample 0 of .* is uint8, and its dtype is declared as uint16"),
    (AnotherShape, r"Sample 0 of .* has the shape \(6, 7\), where \(H, W, 1\) is expected"),
    (UnknownDtype, r"has the dtype 'int32'; it must be one of uint8, uint16, float32"),
    (Holes, r"values that are infinite or NaN"),
    (NoChannels, r"has 0 channels"),
    (Reversed, r"has the window \(255.0, 0.0\); .* the lower one first"),
    (Empty, r"is empty; raise UserError"),
    (Twins, r"Samples 0 and 1 of .* both have the label 'ramp-0'; labels must be unique"),
    (Numbers, r"has the label 0; it must be a text"),
    (Shifting, r"The fingerprint of .* changes though its samples do not"),
    (Blank, r"The fingerprint of .* is ''; it must be a text"),
    (Nameless, r"has the name 'RAMP'"),
    (OneTooMany, r"raises IndexError .*every index below its length must be readable"),
    (KnowsAll, r"has a counterpart in a domain that does not exist"),
    (OddMask, r"The mask of sample 0 of .* is bool of the shape \(3, 3\)"),
)
def test_a_faulty_domain_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_data(opener(faulty), "ramp")


def greedy(name):
    return Ramp(name)


def any_split(name):
    return Ramp(name) if name == "ramp" else None


def touchy(name):
    if name != "ramp":
        raise UserError(f"There is no '{name}' here.")
    return Ramp(name)


def clumsy(name):
    return {"ramp": Ramp}[name](name)


def wrong(name):
    return [1, 2, 3] if name == "ramp" else None


def closed(name):
    return None


@faults(
    (greedy, r"open_domain opens 'no-such-name' and split 'train', which cannot be its own; return None"),
    (any_split, r"open_domain opens 'ramp' and split 'no-such-name'"),
    (touchy, r"open_domain raises UserError .* for 'no-such-name' .* return None"),
    (clumsy, r"open_domain, asked for 'no-such-name' and split 'train', raises KeyError"),
    (wrong, r"open_domain returns a list for 'ramp'"),
    (closed, r"open_domain returns None for 'ramp'"),
)
def test_a_faulty_opener_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_data(faulty, "ramp")
