from __future__ import annotations

import pytest
import torch
from torch import nn

from translate.average import Average


class Scale(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))


def test_the_formula_by_hand():
    network = Scale(1.0)
    average = Average(network, 0.9)
    network.weight.data.fill_(3.0)
    average.update(network)
    assert average.network.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 3)  # 1.2
    network.weight.data.fill_(-1.0)
    average.update(network)
    assert average.network.weight.item() == pytest.approx(0.98)  # 0.9 * 1.2 - 0.1
    assert network.weight.item() == -1.0


@pytest.mark.parametrize(("decay", "expected"), [(0.0, 3.0), (1.0, 1.0)])
def test_the_ends_of_decay(decay, expected):
    average = Average(Scale(1.0), decay)
    average.update(Scale(3.0))
    assert average.network.weight.item() == expected


def test_as_written_plainly_over_many_steps():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    average = Average(network, 0.95)
    expected = [each.detach().double().clone() for each in network.parameters()]
    for _ in range(20):
        for index, parameter in enumerate(network.parameters()):
            parameter.data.add_(torch.randn_like(parameter))
            expected[index] = 0.95 * expected[index] + 0.05 * parameter.detach().double()
        average.update(network)
    for mine, reference in zip(average.network.parameters(), expected, strict=True):
        torch.testing.assert_close(mine.double(), reference, rtol=1e-5, atol=1e-6)


def test_buffers_are_copied_whole():
    torch.manual_seed(0)
    network = nn.BatchNorm2d(2)
    average = Average(network, 0.9)
    network.train()
    for _ in range(3):
        network(torch.randn(4, 2, 3, 3) * 5 + 7)
    average.update(network)
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert torch.equal(average.network.running_var, network.running_var)
    assert int(average.network.num_batches_tracked) == 3
    network(torch.randn(4, 2, 3, 3))
    assert int(average.network.num_batches_tracked) == 3  # copied, not shared


def test_it_is_apart_from_training():
    network = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).train()
    average = Average(network, 0.5)
    assert not any(each.requires_grad for each in average.network.parameters())
    assert not average.network.training
    assert network.training
    assert all(each.requires_grad for each in network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    gradients = [each.grad.clone() for each in network.parameters()]
    average.update(network)
    assert all(each.grad is None and each.grad_fn is None for each in average.network.parameters())
    assert all(torch.equal(each.grad, kept) for each, kept in zip(network.parameters(), gradients, strict=True))


def test_its_state_goes_on_where_it_was():
    first, second = Average(Scale(1.0), 0.5), Average(Scale(9.0), 0.5)
    first.update(Scale(3.0))
    second.load_state_dict(first.state_dict())
    second.update(Scale(4.0))
    assert second.network.weight.item() == 3.0
