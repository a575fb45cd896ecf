from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from translate import UserError
from translate_augmentations.diffaugment import CHANGES, DiffAugment, cut, moved, recoloured


def images(batch=200, channels=3, height=8, width=12):
    torch.manual_seed(3)
    return torch.rand(batch, channels, height, width, dtype=torch.float64) * 2 - 1


def test_the_default_is_the_papers_policy_in_its_order():
    assert [*CHANGES] == ["colour", "translation", "cutout"]
    assert DiffAugment().changes == [recoloured, moved, cut]
    assert DiffAugment(DiffAugment.Options(policy="cutout+translation")).changes == [moved, cut]


@pytest.mark.parametrize("policy", ["color", "translation+", "everything"])
def test_an_unknown_change_is_one_sentence(policy):
    with pytest.raises(UserError, match=r"it takes colour, translation and cutout, joined by \+\.(?: Did you mean 'colour'\?)?$"):
        DiffAugment(DiffAugment.Options(policy=policy))


def test_pictures_are_moved_by_whole_pixels_and_grey_comes_in():
    x = images()
    got, seen = moved(x), set()
    for before, after in zip(x, got, strict=True):
        # 12/8 = 1.5, rounded up to 2; 8/8 = 1.
        outcomes = {
            (down, across): functional.pad(before, [2, 2, 1, 1])[:, 1 + down : 9 + down, 2 + across : 14 + across]
            for down in (-1, 0, 1)
            for across in (-2, -1, 0, 1, 2)
        }
        (way,) = [way for way, each in outcomes.items() if torch.equal(each, after)]
        seen.add(way)
    assert len(seen) == 15


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 10)])
def test_a_rectangle_of_half_the_sides_is_cut(height, width):
    got = cut(torch.ones(400, 2, height, width))
    assert torch.equal(got[:, 0], got[:, 1])
    tops, lefts = set(), set()
    for each in got[:, 0]:
        hole = each == 0
        rows, columns = hole.any(1).nonzero().flatten(), hole.any(0).nonzero().flatten()
        assert torch.equal(hole.nonzero(), torch.cartesian_prod(rows, columns))
        assert len(rows) == rows[-1] - rows[0] + 1 <= (height + 1) // 2
        assert len(columns) == columns[-1] - columns[0] + 1 <= (width + 1) // 2
        tops.add((int(rows[0]), len(rows)))
        lefts.add((int(columns[0]), len(columns)))
    # Its middle may be at every pixel, and one beyond where its side is even.
    assert len(tops) == height + (1 if (height + 1) // 2 % 2 == 0 else 0)
    assert len(lefts) == width + (1 if (width + 1) // 2 % 2 == 0 else 0)


def test_colours_change_as_in_the_paper():
    x = images(2000, height=2, width=2)
    torch.manual_seed(1)
    got = recoloured(x)
    torch.manual_seed(1)
    brightness, saturation, contrast = (torch.rand(2000, 1, 1, 1, dtype=torch.float64) for _ in range(3))
    expected = x + brightness - 0.5
    grey = expected.mean(1, keepdim=True)
    expected = (expected - grey) * 2 * saturation + grey
    mean = expected.mean((1, 2, 3), keepdim=True)
    expected = (expected - mean) * (0.5 + contrast) + mean
    assert torch.allclose(got, expected, atol=1e-12)
    # The mean of a picture is moved by its brightness alone.
    moves = (got - x).mean((1, 2, 3))
    assert -0.5 <= moves.min() < -0.49
    assert 0.49 < moves.max() < 0.5


def test_two_channels_have_no_saturation():
    x = images(1, channels=2)
    torch.manual_seed(1)
    got = recoloured(x)
    torch.manual_seed(1)
    brightness, contrast = (torch.rand(1, 1, 1, 1, dtype=torch.float64) for _ in range(2))
    expected = x + brightness - 0.5
    mean = expected.mean()
    assert torch.allclose(got, (expected - mean) * (0.5 + contrast) + mean, atol=1e-12)


def test_pictures_of_a_batch_have_draws_of_their_own():
    got = DiffAugment()(images(1).expand(20, -1, -1, -1))
    assert len({each.numpy().tobytes() for each in got}) == 20


@pytest.mark.parametrize("channels", [1, 3])
def test_every_change_can_be_differentiated_twice(channels):
    augmentation = DiffAugment()

    def repeatable(x):
        torch.manual_seed(7)
        return augmentation(x) ** 2

    x = images(2, channels, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(repeatable, x)
    assert torch.autograd.gradgradcheck(repeatable, x)


def test_half_precision_comes_and_goes_and_is_computed_in_full():
    x = images(4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(0)
        got = DiffAugment()(x)
    torch.manual_seed(0)
    assert got.dtype == torch.bfloat16
    assert torch.equal(got, DiffAugment()(x.float()).bfloat16())
