"""Plans for optimisers: which networks, which rule, which rate at which moment."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from translate.clock import Schedule, constant


@dataclass(frozen=True, kw_only=True)
class OptimiserPlan:
    """Who optimises what: the networks ``over`` (names of the recipe's children), at ``lr`` times ``schedule``."""

    over: tuple[str, ...]
    lr: float
    schedule: Schedule = constant

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser for these parameters."""


@dataclass(frozen=True, kw_only=True)
class Adam(OptimiserPlan):
    """Adam (Kingma and Ba, 2015); ``weight_decay`` is the L2 penalty of the original, not AdamW's."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
        """torch's Adam with this plan's constants."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=self.betas, eps=self.eps, weight_decay=self.weight_decay)


@dataclass(frozen=True, kw_only=True)
class RMSprop(OptimiserPlan):
    """RMSprop, which the Wasserstein GAN's authors train with."""

    alpha: float = 0.99
    eps: float = 1e-8

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.RMSprop:
        """torch's RMSprop with this plan's constants."""
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.alpha, eps=self.eps)


@dataclass(frozen=True, kw_only=True)
class SGD(OptimiserPlan):
    """Plain gradient descent, with which the theory's examples are stated."""

    momentum: float = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.SGD:
        """torch's SGD with this plan's constants."""
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum)
