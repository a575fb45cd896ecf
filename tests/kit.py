"""What tests of the conformance kit have in common: plain parts that conform, from which faulty ones are made, and functions of autograd
that are not differentiable twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import translate
from translate import SGD, Domain, Game, ImageLoss, Latent, Recipe, Update, option


def faults(*rows: tuple[Any, str]):
    """Faulty parts, and a pattern of the advice that each has to get."""
    return pytest.mark.parametrize(("faulty", "advice"), rows, ids=[getattr(row[0], "__name__", "fault") for row in rows])


class Doubled(torch.autograd.Function):
    """x → x², with a backward that keeps no graph: its second derivative is 0 without a word."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x.detach()
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.x * gradient.detach()


class Refusal(torch.autograd.Function):
    """x → x, without a derivative."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("no derivative")


class Once(torch.autograd.Function):
    """x → x², whose derivative has none."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return Refusal.apply(2 * ctx.saved_tensors[0] * gradient)


class Net(nn.Module):
    """What everybody writes first, and it conforms."""

    def __init__(self, source, target):
        super().__init__()
        self.convolve = nn.Conv2d(source.channels, target.channels, 3, padding=1)

    def forward(self, image):
        return self.paint(self.convolve(image))

    def paint(self, features):
        return translate.upcast(features).tanh()


class Critic(nn.Module):
    def __init__(self, space):
        super().__init__()
        self.first = nn.Conv2d(space.channels, 4, 4, stride=2, padding=1)
        self.last = nn.Conv2d(4, 1, 3, padding=1)

    def see(self, image):
        return torch.tanh(self.first(image))

    def forward(self, image):
        return self.score(self.last(self.see(image)))

    def score(self, scores):
        return scores


class Gap(Game):
    """Logistic, by hand."""

    def discriminator(self, judge, real, fake, clock):
        return {"tell": self.cost(-self.ask(judge, real)) + self.cost(self.ask(judge, fake))}

    def generator(self, judge, real, fake, clock):
        return {"fool": self.cost(-self.ask(judge, fake))}

    def ask(self, judge, samples):
        return translate.upcast(judge(samples))

    def cost(self, scores):
        return functional.softplus(scores).mean()


class Squared(ImageLoss):
    def forward(self, output, target):
        return self.distance(translate.upcast(output), translate.upcast(target))

    def distance(self, output, target):
        return (output - target).square().mean()


class Tiny(Recipe):
    """Points from noise, by two lines."""

    domains = 1
    exports = ("G",)
    order = ("round",)

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        """None but the rate."""

        lr: float = option(0.1, "learning rate")

    def build(self, make):
        self.latent = Latent(3)
        self.G, self.D = nn.Linear(3, 2), nn.Linear(2, 1)

    def optimisers(self):
        return {"judge": SGD(over=("D",), lr=self.options.lr), "maker": SGD(over=("G",), lr=self.options.lr)}

    def step(self, batches, clock):
        (batch,) = batches
        fake = self.G(batch.noise(self.latent))
        yield Update("judge", {"tell": self.cost(self.D(fake) - self.D(batch.images[0]))})
        yield Update("maker", {"fool": self.cost(-self.D(fake))})

    def cost(self, scores):
        return functional.softplus(translate.upcast(scores)).mean()

    def sample(self, noise):
        return self.G(noise)


class Painter(Tiny):
    """Grey pictures from noise."""

    def build(self, make):
        super().build(make)
        (space,) = self.spaces
        count = space.channels * space.size[0] * space.size[1]
        self.G = nn.Sequential(nn.Linear(3, count), nn.Tanh(), nn.Unflatten(1, space.shape))
        self.D = nn.Sequential(nn.Flatten(), nn.Linear(count, 1))


class Ramp(Domain):
    """Pictures of one level each."""

    channels = 1
    count = 5

    def __init__(self, name, split="train"):
        self.name = name

    def __len__(self):
        return self.count

    def read(self, index):
        return np.full((6, 7, 1), index, dtype=np.uint8)


def opener(domain: type[Domain], **more: Any) -> Callable[..., Domain | None]:
    """``open_domain`` of a plugin that has ``domain`` by the name of ramp."""

    def open_domain(name, split):
        return domain(name, **more) if name == "ramp" and split in ("train", "test") else None

    return open_domain
