"""Networks that take part in training without being trained or stored."""

from __future__ import annotations

import copy

import torch
from torch import nn

from translate import Frozen
from translate.pretrained import backbones


class Owner(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 1)
        self.eye = Frozen(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), {"net": "sha256:1"})

    def forward(self, x):
        return self.head(self.eye(x))


def test_a_frozen_network_is_neither_trained_nor_stored():
    owner = Owner()
    assert set(owner.state_dict()) == {"head.weight", "head.bias"}
    assert len(list(owner.parameters())) == 2
    owner.train()
    assert not owner.eye.network.training


def test_gradients_flow_through_it_and_leave_it_alone():
    owner, x = Owner(), torch.ones(2, 2, requires_grad=True)
    before = copy.deepcopy(owner.eye.network.state_dict())
    owner.train()(x).sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(each.grad is None for each in owner.eye.network.parameters())
    assert all(torch.equal(before[key], each) for key, each in owner.eye.network.state_dict().items())


def test_it_moves_with_its_owner():
    owner = Owner().double()
    assert {each.dtype for each in owner.eye.network.parameters()} == {torch.float64}
    assert owner(torch.ones(2, 2, dtype=torch.float64)).dtype == torch.float64


def test_backbones_are_what_parts_declare_with_their_place():
    class Method(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = Owner(), nn.Sequential(Owner())
            self.b[0].eye.backbones = {"net": "sha256:2"}

    assert backbones(Method()) == {"a.eye: net": "sha256:1", "b.0.eye: net": "sha256:2"}
    assert backbones(nn.Linear(1, 1)) == {}


def test_an_average_of_its_owner_has_it_too():
    owner = Owner()
    copied = copy.deepcopy(owner)
    assert torch.equal(copied.eye.network[0].weight, owner.eye.network[0].weight)
    assert copied.eye.network[0].weight is not owner.eye.network[0].weight
    assert set(copied.state_dict()) == {"head.weight", "head.bias"}
