"""Feature matching against numbers computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from translate import UserError
from translate_losses import FeatureMatching


class Judge(nn.Module):
    """Sees each sample as it is, then its double."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def features(self, samples):
        return [samples, self.scale * samples]


OUTPUT = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
TARGET = torch.tensor([[0.0, 4.0], [1.0, 0.0]])


def test_paired_is_the_sum_over_layers_of_the_mean_absolute_difference():
    # 1, 2, 2 and 4 have the mean 2.25; the second layer doubles it.
    assert FeatureMatching()(OUTPUT, TARGET, Judge()).item() == pytest.approx(2.25 + 4.5)


def test_unpaired_compares_means_over_the_batch():
    loss = FeatureMatching(FeatureMatching.Options(paired=False))
    # The means are (2, -1) and (0.5, 2): 1.5² and 3² have the mean 5.625; doubled, four times that.
    assert loss(OUTPUT, TARGET, Judge()).item() == pytest.approx(5.625 + 4 * 5.625)
    assert loss(OUTPUT, OUTPUT.flip(0), Judge()).item() == 0
    assert FeatureMatching()(OUTPUT, OUTPUT.flip(0), Judge()).item() > 0


@pytest.mark.parametrize(("paired", "expected"), [(True, 4.5), (False, 22.5)])
def test_the_first_layers_can_be_skipped(paired, expected):
    loss = FeatureMatching(FeatureMatching.Options(paired=paired, skip=1))
    assert loss(OUTPUT, TARGET, Judge()).item() == pytest.approx(expected)


def test_skipping_every_layer_is_refused():
    with pytest.raises(UserError, match="feature-matching:skip=2 leaves out every layer"):
        FeatureMatching(FeatureMatching.Options(skip=2))(OUTPUT, TARGET, Judge())


@pytest.mark.parametrize("paired", [True, False])
def test_no_gradient_flows_into_the_target(paired):
    loss, judge = FeatureMatching(FeatureMatching.Options(paired=paired)), Judge()
    output, target = OUTPUT.clone().requires_grad_(), TARGET.clone().requires_grad_()
    loss(output, target, judge).backward()
    assert output.grad.abs().sum() > 0
    assert target.grad is None
    # What reaches the judge comes by the output alone: where that does not depend on the judge's scale, nothing does.
    judge.scale.grad = None
    loss(torch.zeros_like(OUTPUT), TARGET, judge).backward()
    assert judge.scale.grad == 0


@pytest.mark.parametrize("paired", [True, False])
def test_the_gradient_is_that_of_finite_differences(paired):
    torch.manual_seed(1)
    judge = Judge().double()
    output, target = torch.randn(2, 3, 2, 4, 4, dtype=torch.float64)
    loss = FeatureMatching(FeatureMatching.Options(paired=paired))
    assert torch.autograd.gradcheck(lambda output: loss(output, target, judge), (output.requires_grad_(),))


def test_a_run_by_name(tiny):
    report = next(tiny(cycle="feature-matching:skip=1").steps())
    assert report.losses["generators/cycle_x"] > 0
