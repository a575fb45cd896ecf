from __future__ import annotations

import pytest
import torch

from translate.pool import ImagePool
from translate.randomness import uniform


def fakes(*values, grad=False):
    """One picture (1, 2, 2) of each value."""
    result = torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone()
    return result.requires_grad_(grad)


def values(images):
    assert images.shape[1:] == (1, 2, 2)
    assert torch.equal(images, images[:, :1, :1, :1].expand_as(images))
    return images[:, 0, 0, 0].tolist()


def draws(*pairs):
    return torch.tensor(pairs, dtype=torch.float32).reshape(-1, 2)


def reference(size, stream, drawn):
    """The pool of Shrivastava et al. with a list, one fake at a time."""
    stored, out = [], []
    for fake, (swap, slot) in zip(stream, drawn, strict=True):
        if len(stored) < size:
            stored.append(fake)
            out.append(fake)
        elif size and swap < 0.5:
            index = int(slot * size)
            out.append(stored[index])
            stored[index] = fake
        else:
            out.append(fake)
    return out, stored


def test_it_fills_first():
    pool = ImagePool(3, (1, 2, 2))
    assert values(pool.exchange(fakes(1, 2), draws((0, 0), (0, 0)))) == [1, 2]
    assert int(pool.count) == 2
    # The third fills it, the fourth already takes a place: that of the first.
    assert values(pool.exchange(fakes(3, 4), draws((0, 0), (0, 0)))) == [3, 1]
    assert int(pool.count) == 3
    assert values(pool.images) == [4, 2, 3]


def test_by_hand_once_it_is_full():
    pool = ImagePool(2, (1, 2, 2))
    pool.exchange(fakes(1, 2), draws((0, 0), (0, 0)))
    # Swap with slot 1; pass on, ½ itself being no swap; swap with slot 0; swap with what came in first.
    got = pool.exchange(fakes(3, 4, 5, 6), draws((0.4999, 0.9999), (0.5, 0.0), (0.0, 0.4999), (0.1, 0.5)))
    assert values(got) == [2, 4, 1, 3]
    assert values(pool.images) == [5, 6]


@pytest.mark.parametrize("size", [1, 5, 50])
@pytest.mark.parametrize("batch", [1, 3, 16])
def test_as_the_plain_reference(size, batch):
    total = 240
    pool, drawn = ImagePool(size, (1, 2, 2)), torch.from_numpy(uniform(0, "pool", 0, total, 2))
    got = []
    for first in range(0, total, batch):
        got += values(pool.exchange(fakes(*range(first, first + batch)), drawn[first : first + batch]))
    expected, stored = reference(size, range(total), drawn.tolist())
    assert got == expected
    assert values(pool.images) == stored
    swapped = sum(each != index for index, each in enumerate(got))
    assert abs(swapped - (total - size) / 2) < 4 * ((total - size) / 4) ** 0.5


def test_a_pool_of_size_0_passes_everything_on():
    pool = ImagePool(0, (1, 2, 2))
    given = fakes(1, 2, grad=True)
    got = pool.exchange(given, draws((0, 0), (0, 0)))
    assert values(got) == [1, 2]
    assert not got.requires_grad
    assert int(pool.count) == 0


@pytest.mark.parametrize("size", [0, 1, 4])
def test_there_is_no_graph(size):
    pool = ImagePool(size, (1, 2, 2))
    for _ in range(3):
        got = pool.exchange(fakes(1, 2, grad=True) * 2, draws((0, 0), (0.9, 0)))
        assert not got.requires_grad
        assert got.grad_fn is None
    assert not pool.images.requires_grad
    assert not list(pool.parameters())


def test_later_exchanges_change_neither_what_was_passed_on_nor_what_came():
    pool = ImagePool(2, (1, 2, 2))
    given = [fakes(1, 2), fakes(3, 4), fakes(5, 6)]
    got = [pool.exchange(each, draws((0, 0), (0, 0.9))) for each in given]
    assert [values(each) for each in got] == [[1, 2], [1, 2], [3, 4]]
    assert [values(each) for each in given] == [[1, 2], [3, 4], [5, 6]]
    got[2].zero_()
    given[2].zero_()
    assert values(pool.images) == [5, 6]


def test_its_state_goes_on_where_it_was():
    drawn = torch.from_numpy(uniform(1, "pool", 0, 30, 2))
    pool, other = ImagePool(8, (1, 2, 2)), ImagePool(8, (1, 2, 2))
    for first in range(0, 12, 3):
        if first == 6:
            half = {key: each.clone() for key, each in pool.state_dict().items()}  # before it is full
        pool.exchange(fakes(*range(first, first + 3)), drawn[first : first + 3])
    assert set(half) == {"images", "count"}
    other.load_state_dict(half)
    for first in range(6, 12, 3):
        other.exchange(fakes(*range(first, first + 3)), drawn[first : first + 3])
    for first in range(12, 30, 3):
        batch = fakes(*range(first, first + 3))
        assert torch.equal(pool.exchange(batch, drawn[first : first + 3]), other.exchange(batch, drawn[first : first + 3]))


def test_the_draws_must_be_as_many_as_the_fakes():
    with pytest.raises(ValueError, match="zip"):
        ImagePool(2, (1, 2, 2)).exchange(fakes(1, 2), draws((0, 0)))
