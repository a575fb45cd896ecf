"""Parts that rest on weights of somebody else's: each fault that the checks are for is found and named."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import ClassVar

import pytest
import torch
from kit import Critic, Net, Squared, Tiny, faults
from torch import nn

from translate import Frozen, Pretrained, UserError
from translate.testing import NonConforming, check_discriminator, check_generator, check_image_loss, check_recipe

SMALL = {"size": (16, 16), "channels": ((3, 3),)}


def fetch():
    """Weights from another machine: this one, whose first port nobody answers at."""
    with suppress(OSError):
        socket.create_connection(("localhost", 1), timeout=5)


class Stem(Pretrained):
    """A convolution that begins from other weights."""

    def __init__(self):
        super().__init__()
        self.convolve = nn.Conv2d(3, 3, 3, padding=1)

    def begin(self):
        fetch()
        with torch.no_grad():
            self.convolve.weight.fill_(0.1)
        self.backbones = {"stem": "sha256:1"}

    def forward(self, image):
        return self.convolve(image)


class OnStem(Net):
    stem = Stem

    def __init__(self, source, target):
        super().__init__(source, target)
        self.convolve = self.stem()


class OnFrozen(Net):
    """What is frozen is in no file, and may be fetched whenever it is made."""

    def __init__(self, source, target):
        super().__init__(source, target)
        fetch()
        self.eye = Frozen(nn.Conv2d(3, 3, 1), {"eye": "sha256:1"})

    def forward(self, image):
        return super().forward(self.eye(image))


class StaysRandom(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            return


@pytest.mark.parametrize("good", [OnStem, OnFrozen, StaysRandom])
def test_a_generator_on_other_weights_conforms(good):
    check_generator(good, **SMALL)


class FetchesAtOnce(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        fetch()


class FetchesAndFails(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        socket.create_connection(("localhost", 1), timeout=5)


class NamesNothing(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            super().begin()
            self.backbones = {}


class NamesNoDigest(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            super().begin()
            self.backbones = {"stem": None}


class NamesInAList(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            super().begin()
            self.backbones = ["stem"]


class NamesForAll(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            super().begin()
            del self.backbones
            self.backbones["stem"] = "sha256:1"


class FailsToBegin(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            raise KeyError("convolve.weight")


class KeepsScale(OnStem):
    """Without the weights that it began from, it is another."""

    class stem(Stem):  # noqa: N801
        scale = 1.0

        def begin(self):
            super().begin()
            self.scale = 0.5

        def forward(self, image):
            return self.scale * super().forward(image)


class UnnamedFrozen(Net):
    def __init__(self, source, target):
        super().__init__(source, target)
        self.eye = Frozen(nn.Conv2d(3, 3, 1), {})

    def forward(self, image):
        return super().forward(self.eye(image))


@faults(
    (
        FetchesAtOnce,
        r"Generator '<.*FetchesAtOnce>' fetches something from localhost while it is built, .* begin\(\) of a translate.Pretrained",
    ),
    (FetchesAndFails, r"fetches something from localhost while it is built"),
    (NamesNothing, r"Method 'begin' of .* loads weights and leaves 'backbones' at {}, .* self.backbones = {NAME: DIGEST}"),
    (NamesNoDigest, r"leaves 'backbones' at {'stem': None}"),
    (NamesForAll, r"raises TypeError \('mappingproxy' object does not support item assignment"),
    (NamesInAList, r"leaves 'backbones' at \['stem'\]"),
    (FailsToBegin, r"Method 'begin' of .* raises KeyError .* or raise UserError where they are not to be had"),
    (
        KeepsScale,
        r"something else after its state was stored and loaded into one made anew; keep what forward needs in parameters",
    ),
    (UnnamedFrozen, r"holds a frozen network, which no checkpoint stores, with the backbones {}"),
)
def test_a_faulty_generator_on_other_weights_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_generator(faulty, **SMALL)


class NotToBeHad(OnStem):
    class stem(Stem):  # noqa: N801
        def begin(self):
            raise UserError("The weights are not here; connect this machine.")


def test_that_weights_are_not_to_be_had_comes_through():
    with pytest.raises(UserError, match="connect this machine"):
        check_generator(NotToBeHad, **SMALL)


def test_looking_for_machines_is_as_it_was():
    find = socket.getaddrinfo
    with pytest.raises(NonConforming):
        check_generator(FetchesAndFails, **SMALL)
    assert socket.getaddrinfo is find


class FetchingCritic(Critic):
    def __init__(self, space):
        super().__init__(space)
        fetch()


class Unnamed(Squared):
    def __init__(self):
        super().__init__()
        self.eye = Frozen(nn.Identity(), {})


class Head(Pretrained):
    """A layer that begins from other weights."""

    names: ClassVar = {"head": "sha256:1"}

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def begin(self):
        with torch.no_grad():
            self.layer.weight.fill_(0.1)
        self.backbones = self.names

    def forward(self, noise):
        return self.layer(noise)


class OnHead(Tiny):
    """A recipe on a part of its own."""

    head = Head

    def build(self, make):
        super().build(make)
        self.G = self.head()


class NamelessHead(OnHead):
    """It leaves no record of what it began from."""

    class head(Head):  # noqa: N801
        names: ClassVar = {}


class FetchingHead(OnHead):
    """It asks another machine whenever it is made."""

    class head(Head):  # noqa: N801
        def __init__(self):
            super().__init__()
            fetch()


def test_recipes_are_held_to_it_too():
    run = {"domains": ("points:ring8",), "batch": 16}
    check_recipe(OnHead, **run)
    with pytest.raises(NonConforming, match=r"Method 'begin' of Recipe .* loads weights and leaves 'backbones' at {}"):
        check_recipe(NamelessHead, **run)
    with pytest.raises(NonConforming, match=r"Recipe .* fetches something from localhost while it is built"):
        check_recipe(FetchingHead, **run)


def test_judges_and_losses_are_held_to_it_too():
    with pytest.raises(NonConforming, match=r"Discriminator .* fetches something from localhost while it is built"):
        check_discriminator(FetchingCritic)
    with pytest.raises(NonConforming, match=r"Image loss .* holds a frozen network"):
        check_image_loss(Unnamed)
