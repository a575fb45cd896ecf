"""SSIM against its definition, window by window, in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from translate import UserError
from translate_losses import L1, SSIM


def written_out(x, y, side=11):
    """The mean of SSIM over all windows of pictures ``(B, C, H, W)`` in [0, 1], as the paper defines it."""
    place = np.arange(side) - side // 2
    weights = np.exp(-(place[:, None] ** 2 + place[None, :] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for index in np.ndindex(*x.shape[:2]):
        one, other = x[index], y[index]
        for top in range(one.shape[0] - side + 1):
            for left in range(one.shape[1] - side + 1):
                a, b = one[top : top + side, left : left + side], other[top : top + side, left : left + side]
                mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
                variance_a, variance_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
                covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
                values.append(
                    (2 * mean_a * mean_b + c1)
                    * (2 * covariance + c2)
                    / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
                )
    return np.mean(values)


def pair(height: int, width: int):
    """Two related pictures in [-1, 1]."""
    generator = np.random.default_rng(height)
    x = generator.uniform(-1, 1, (2, 3, height, width))
    return torch.from_numpy(x), torch.from_numpy(np.clip(0.7 * x + generator.normal(0, 0.2, x.shape), -1, 1))


def in_unit(picture):
    return (picture.numpy() + 1) / 2


def test_ssim_is_that_of_the_paper():
    x, y = pair(15, 17)
    expected = 1 - written_out(in_unit(x), in_unit(y))
    assert SSIM()(x, y).item() == pytest.approx(expected, rel=1e-10)
    assert SSIM()(x.float(), y.float()).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("size", "side"), [((8, 20), 7), ((20, 9), 9), ((10, 10), 9), ((11, 11), 11), ((3, 3), 3)])
def test_in_a_small_picture_the_window_is_the_largest_odd_one_that_fits(size, side):
    x, y = pair(*size)
    assert SSIM()(x, y).item() == pytest.approx(1 - written_out(in_unit(x), in_unit(y), side), rel=1e-10)


def test_another_window():
    x, y = pair(9, 12)
    expected = 1 - written_out(in_unit(x), in_unit(y), 5)
    assert SSIM(SSIM.Options(window=5))(x, y).item() == pytest.approx(expected, rel=1e-10)


def test_two_even_pictures_differ_by_their_light_alone():
    """Without contrast, SSIM is (2 μ_x μ_y + C1) / (μ_x² + μ_y² + C1), with μ counted from black."""
    x, y = torch.full((1, 1, 16, 16), -0.5, dtype=torch.float64), torch.full((1, 1, 16, 16), 0.5, dtype=torch.float64)
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert SSIM()(x, y).item() == pytest.approx(1 - expected)


def test_equal_pictures_are_exactly_0_apart_and_the_order_does_not_matter():
    x, y = pair(16, 16)
    assert SSIM()(x.float(), x.float()).item() == 0
    assert SSIM()(x, y).item() == pytest.approx(SSIM()(y, x).item())


def test_the_mixture():
    x, y = pair(16, 16)
    expected = 0.84 * SSIM()(x, y) + 0.16 * L1()(x, y) / 2
    torch.testing.assert_close(SSIM(SSIM.Options(l1=0.16))(x, y), expected)
    torch.testing.assert_close(SSIM(SSIM.Options(l1=1))(x, y), L1(L1.Options(unit=True))(x, y))


def test_the_gradient_of_the_mixture():
    x, y = (each[:1, :1].clone() for each in pair(8, 8))
    loss = SSIM(SSIM.Options(window=5, l1=0.16))
    assert torch.autograd.gradcheck(lambda x: loss(x, y), (x.requires_grad_(),))


def test_an_even_window_is_refused():
    with pytest.raises(UserError, match=r"ssim:window is 8; it must be odd.*ssim:window=9"):
        SSIM(SSIM.Options(window=8))
