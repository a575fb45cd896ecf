from __future__ import annotations

import hashlib
import itertools
import shutil
import threading

import numpy as np
import pytest
import torch
from conftest import draw

from translate.data import picture
from translate.data.augment import Augmentation
from translate.data.cache import cache_folder
from translate.data.domain import Domain
from translate.data.folder import PictureFiles, files_in
from translate.data.loader import Loader, Source
from translate.errors import RecipeError, UserError
from translate.plugins import installed
from translate.randomness import uniform

CPU = torch.device("cpu")
SIZE = (4, 5)


class Numbered(Domain):
    """Every pixel of sample i is i."""

    def __init__(self, count, name="numbers"):
        self.name, self.count, self.reads = name, count, []

    def __len__(self):
        return self.count

    def read(self, index):
        self.reads.append(index)
        return np.full((*SIZE, 3), index, np.uint8)


class Noise(Domain):
    """Pictures that look different when they are cropped or flipped, some of them of another size."""

    name = "noise"

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def read(self, index):
        return np.random.default_rng(index).integers(0, 256, (9 + index % 3, 11, 3), dtype=np.uint8)


class Points(Domain):
    name, channels, dtype, window, is_picture = "points", 2, "float32", (-1.0, 1.0), False

    def __len__(self):
        return 6

    def read(self, index):
        return np.array([index / 10, -index / 10], np.float32)


def loader(
    *domains,
    order=("round", "draw"),
    augment="none",
    size=SIZE,
    batch=1,
    seed=0,
    workers=0,
    epoch=None,
    cache=1 << 20,
    device="cpu",
):
    augmentation = installed().augmentations[augment](size)
    return Loader(
        [Source(each, augmentation.loading_size if each.is_picture else None, cache) for each in domains],
        order,
        augmentation,
        epoch=epoch or max(len(each) for each in domains),
        batch=batch,
        seed=seed,
        device=torch.device(device),
        workers=workers,
    )


def stream(made, first, count):
    """The first ``count`` samples of each domain from position ``first``, joined from batches."""
    batches = itertools.islice(made.batches(first), -(-count // made.batch))
    return [torch.cat(images)[:count] for images in zip(*(batch.images for batch in batches), strict=True)]


# The order


def test_round_visits_every_sample_once_an_epoch():
    made = loader(Numbered(7))
    epochs = made.indices(0, 0, 28).reshape(4, 7)
    for epoch in epochs:
        assert sorted(epoch) == list(range(7))
    assert len({tuple(epoch) for epoch in epochs}) == 4  # another order each time
    assert not any(np.array_equal(epoch, np.arange(7)) for epoch in epochs)


def test_an_epochs_order_is_a_fair_shuffle():
    made = loader(Numbered(4))
    counts = np.zeros((4, 4), int)
    for order in made.indices(0, 0, 4 * 400).reshape(400, 4):
        counts[np.arange(4), order] += 1
    assert np.abs(counts - 100).max() < 5 * (400 * 0.25 * 0.75) ** 0.5


def test_a_shorter_domain_begins_again():
    made = loader(Numbered(7), Numbered(3), order=("round", "round"))
    for epoch in range(6):
        visits = np.bincount(made.indices(1, 7 * epoch, 7), minlength=3)
        assert visits.tolist() == [3, 2, 2]
    made = loader(Numbered(3), Numbered(7), order=("round", "round"))
    assert np.bincount(made.indices(0, 0, 7)).tolist() == [3, 2, 2]
    assert sorted(made.indices(1, 0, 7)) == list(range(7))


def test_draw_draws_with_replacement():
    made = loader(Numbered(5), Numbered(10))
    drawn = made.indices(1, 0, 5000)
    assert set(drawn) == set(range(10))
    # 500 of each are expected, with a standard deviation of 21.
    assert np.abs(np.bincount(drawn) - 500).max() < 5 * 22
    # Rounds of ten would hold each sample once; draws do so once in 2755 rounds.
    assert sum(len(set(each)) == 10 for each in drawn.reshape(500, 10)) < 5
    # Which sample comes next has nothing to do with which came before, nor with the other domain's.
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.06
    assert abs(np.corrcoef(drawn, made.indices(0, 0, 5000))[0, 1]) < 0.06


def test_domains_are_drawn_independently():
    made = loader(Numbered(10), Numbered(10), Numbered(10), order=("draw",))
    drawn = [made.indices(number, 0, 2000) for number in range(3)]
    for one, other in itertools.combinations(drawn, 2):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
        assert (one == other).mean() < 0.2


def test_domains_that_both_go_round_are_unpaired_too():
    made = loader(Numbered(50), Numbered(50), order=("round",))
    first, second = made.indices(0, 0, 500), made.indices(1, 0, 500)
    assert sorted(second[:50]) == list(range(50))
    # Were the orders independent, one position in 50 would hold the same number on both sides.
    assert (first == second).mean() < 0.1


def test_the_last_policy_is_that_of_further_domains():
    made = loader(Numbered(4), Numbered(4), Numbered(4), order=("round", "draw"))
    assert made.order == ["round", "draw", "draw"]
    assert loader(Numbered(4), order=("draw", "round")).order == ["draw"]


def test_an_unknown_policy():
    with pytest.raises(RecipeError, match=r"^A recipe's order is 'zigzag'; it must be 'round', 'draw' or 'paired'\.$"):
        loader(Numbered(4), order=("zigzag",))


def test_seeds_have_orders_of_their_own():
    def both(seed):
        made = loader(Numbered(30), Numbered(30), seed=seed)
        return np.concatenate([made.indices(0, 0, 60), made.indices(1, 0, 60)])

    assert np.array_equal(both(3), both(3))
    assert (both(3)[:60] == both(4)[:60]).mean() < 0.3
    assert (both(3)[60:] == both(4)[60:]).mean() < 0.3


def test_an_order_can_be_asked_for_anywhere():
    made = loader(Numbered(7), Numbered(5))
    for domain in (0, 1):
        whole = made.indices(domain, 0, 50)
        for first, count in [(0, 1), (6, 2), (13, 30), (49, 1)]:
            assert np.array_equal(made.indices(domain, first, count), whole[first : first + count])


class Weighted(Numbered):
    def __init__(self, weights):
        super().__init__(len(weights))
        self.of_samples = weights

    def weights(self):
        return self.of_samples


def test_weights_are_how_often_a_sample_is_drawn():
    made = loader(Weighted([1, 0, 3, 4, 0]), order=("draw",))
    drawn = np.bincount(made.indices(0, 0, 8000), minlength=5)
    assert drawn[[1, 4]].tolist() == [0, 0]
    # 1000, 3000 and 4000 are expected, with standard deviations of 30, 43 and 45.
    assert (np.abs(drawn[[0, 2, 3]] - [1000, 3000, 4000]) < 5 * np.array([30, 43, 45])).all()
    assert np.array_equal(made.indices(0, 77, 9), made.indices(0, 0, 8000)[77:86])


def test_weights_by_hand():
    made = loader(Weighted([0, 2, 1, 1, 0]), order=("draw",))
    draws = uniform(0, "order/0", 0, 200)[:, 0]
    assert made.indices(0, 0, 200).tolist() == [1 if draw < 0.5 else 2 if draw < 0.75 else 3 for draw in draws]


def test_equal_weights_are_as_none():
    made = loader(Weighted([2.5] * 8), order=("draw",))
    assert np.array_equal(made.indices(0, 0, 500), loader(Numbered(8), order=("draw",)).indices(0, 0, 500))


def test_a_domain_without_weights_and_one_that_would_go_round():
    assert loader(Numbered(4), order=("draw",)).sources[0].shares is None
    assert sorted(loader(Weighted([0, 0, 1]), order=("round",)).indices(0, 0, 3)) == [2, 2, 2]


@pytest.mark.parametrize("weights", [[1, -1, 1], [0, 0, 0], [1, float("nan"), 1], [1, float("inf"), 1]])
def test_weights_that_are_none(weights):
    with pytest.raises(UserError, match=r"^The weights of domain 'numbers' must be 3 numbers, none below 0 and not all 0"):
        loader(Weighted(weights), order=("draw",)).indices(0, 0, 1)


def test_too_few_weights():
    domain = Weighted([1, 1, 1])
    domain.of_samples = [1, 1]
    with pytest.raises(UserError, match="must be 3 numbers"):
        loader(domain, order=("draw",)).indices(0, 0, 1)


# Batches


def test_a_batch_holds_the_samples_of_its_positions():
    made = loader(Numbered(7), Numbered(200), batch=3)
    batch = next(made.batches(5))
    assert (batch.first, batch.seed, len(batch)) == (5, 0, 3)
    for domain, images in enumerate(batch.images):
        assert images.shape == (3, 3, *SIZE)
        assert images.dtype == torch.float32
        expected = made.indices(domain, 5, 3) * 2 / 255 - 1
        np.testing.assert_allclose(images.numpy(), np.broadcast_to(expected[:, None, None, None], images.shape), atol=1e-6)


class Deep(Noise):
    """12-bit scans, or floats."""

    def __init__(self, dtype, window):
        super().__init__(4)
        self.dtype, self.window = dtype, window

    def read(self, index):
        low, high = self.window
        return (super().read(index) * ((high - low) / 255) + low).astype(self.dtype)


def test_other_devices_are_sent_stored_values():
    made = loader(Numbered(7), Points(), Deep("uint16", (0.0, 4095.0)), batch=4, device="meta")
    pictures, points, deep = made.load(2)
    assert (pictures.shape, pictures.dtype) == ((4, 3, *SIZE), np.uint8)
    assert (points.shape, points.dtype) == ((4, 2), np.float32)
    assert (deep.shape, deep.dtype) == ((4, 3, *SIZE), np.uint16)
    assert np.array_equal(pictures[:, 0, 0, 0], made.indices(0, 2, 4))
    np.testing.assert_allclose(points[:, 0] * 10, made.indices(1, 2, 4), atol=1e-6)
    for images in next(made.batches(2)).images:
        assert (images.device.type, images.dtype) == ("meta", torch.float32)


@pytest.mark.parametrize("size", [SIZE, (8, 16)])
@pytest.mark.parametrize("augment", ["none", "paper", "flip"])
def test_a_cpu_gets_what_another_device_makes_of_stored_values(augment, size):
    domains = [
        Noise(5),
        Points(),
        Deep("uint16", (0.0, 4095.0)),
        Deep("float32", (-900.0, 2500.0)),
        Deep("uint16", (40.0, 900.0)),
    ]
    made, sent = (loader(*domains, augment=augment, size=size, batch=5, device=device) for device in ("cpu", "meta"))
    for first in range(0, 50, 5):
        images = made.to_batch(first, made.load(first)).images
        for image, stored, domain in zip(images, sent.load(first), domains, strict=True):
            pictures = stored.transpose(0, 2, 3, 1) if domain.is_picture else stored
            assert torch.equal(image, picture.to_tensor(pictures, domain.window, CPU))


def test_points_are_not_augmented():
    made = loader(Points(), order=("round",), augment="paper", batch=6)
    (points,) = next(made.batches(0)).images
    assert points.shape == (6, 2)
    np.testing.assert_allclose(sorted(points[:, 0].tolist()), np.arange(6) / 10, atol=1e-6)


def test_batches_follow_one_another():
    firsts = [batch.first for batch in itertools.islice(loader(Numbered(7), batch=3).batches(4), 5)]
    assert firsts == [4, 7, 10, 13, 16]
    firsts = [batch.first for batch in itertools.islice(loader(Numbered(7), batch=3, workers=2).batches(4), 9)]
    assert firsts == [4 + 3 * step for step in range(9)]


@pytest.mark.parametrize("augment", ["paper", "flip", "none"])
def test_the_stream_is_the_same_for_any_batch_size_and_number_of_workers(augment):
    expected = stream(loader(Noise(7), Noise(4), augment=augment), 0, 30)
    assert expected[0].shape == (30, 3, *SIZE)
    for batch, workers in [(2, 0), (3, 1), (5, 3), (1, 4), (30, 1), (8, 0)]:
        got = stream(loader(Noise(7), Noise(4), augment=augment, batch=batch, workers=workers), 0, 30)
        assert all(torch.equal(one, other) for one, other in zip(got, expected, strict=True)), (batch, workers)


def digests(made, first, count):
    """SHA-256 of every batch."""
    batches = itertools.islice(made.batches(first), count)
    return [hashlib.sha256(b"".join(each.numpy().tobytes() for each in batch.images)).hexdigest() for batch in batches]


def test_a_thousand_batches_byte_for_byte(tmp_path):
    """With 0, 2 and 4 workers, from memory, disk and files, after a resume, and where the folder has moved."""
    for number, name in enumerate(("a", "b")):
        for index in range(20 + number):
            draw(tmp_path / "here" / name / f"{index}.png", 100 * number + index, (12 + index % 3, 14))

    def made(root, workers, cache=1 << 20):
        domains = [PictureFiles(name, tmp_path / root / name, files_in(tmp_path / root / name)) for name in ("a", "b")]
        return loader(*domains, augment="paper", size=(8, 8), batch=2, workers=workers, cache=cache)

    expected = digests(made("here", 0), 0, 1000)
    assert len(set(expected)) > 990  # epochs differ: there are 10 batches in each
    assert digests(made("here", 2, cache=0), 0, 1000) == expected
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert digests(made("there", 4, cache=1500), 0, 1000) == expected
    assert digests(made("there", 2), 2 * 437, 563) == expected[437:]
    shutil.rmtree(cache_folder())
    assert digests(made("there", 2), 2 * 900, 100) == expected[900:]


@pytest.mark.parametrize("workers", [0, 2])
def test_starting_in_the_middle_is_skipping(workers):
    expected = stream(loader(Noise(7), Noise(4), augment="paper", batch=2), 0, 40)
    for first in (1, 6, 7, 23):
        got = stream(loader(Noise(7), Noise(4), augment="paper", batch=2, workers=workers), first, 10)
        assert all(torch.equal(one, other[first : first + 10]) for one, other in zip(got, expected, strict=True))


def test_two_runs_are_equal_and_seeds_differ():
    def run(seed):
        return stream(loader(Noise(7), Noise(4), augment="paper", seed=seed, batch=4, workers=2), 0, 20)

    assert all(torch.equal(one, other) for one, other in zip(run(1), run(1), strict=True))
    assert not any(torch.equal(one, other) for one, other in zip(run(1), run(2), strict=True))


def test_augmentation_belongs_to_the_position_and_the_domain():
    # One sample a domain: what differs between positions is the crop and the flip.
    first, second = stream(loader(Noise(1), Noise(1), augment="paper", size=(16, 16), batch=5, epoch=10), 0, 40)
    assert len({each.numpy().tobytes() for each in first}) > 10  # of the 3 * 3 * 2 there are
    assert (first != second).flatten(1).any(1).float().mean() > 0.5
    again, _ = stream(loader(Noise(1), Noise(9), augment="paper", size=(16, 16), batch=5, epoch=10), 0, 40)
    assert torch.equal(first, again)  # whatever the other domain is


class Mirror(Augmentation):
    def __call__(self, image, draw):
        return image[:, ::-1]


@pytest.mark.parametrize("size", [(8, 8), (8, 24), (3, 7), (5, 16), (4, 1)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("cache", [0, 1 << 20])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_mirrored_views_are_copied_as_they_look(size, dtype, channels, cache, device):
    class Pictures(Domain):
        def __len__(self):
            return 2

        def read(self, index):
            return (np.random.default_rng(index).random((*size, channels)) * 255).astype(dtype)

    domain = Pictures()
    domain.name, domain.channels, domain.dtype, domain.window = "pictures", channels, dtype, (0.0, 2.0)
    made = loader(domain, order=("round",), size=size, batch=2, cache=cache, device=device)
    made.augmentation = Mirror(size)
    (batch,) = made.load(0)
    assert batch.dtype == dtype if device == "meta" else np.float32
    for got, index in zip(batch, made.indices(0, 0, 2), strict=True):
        expected = domain.read(index)[:, ::-1].transpose(2, 0, 1)
        assert np.array_equal(got, expected if device == "meta" else expected.astype(np.float32) - 1)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_torch_can_take_batches_as_they_are(device):
    for batch in loader(Noise(4), Points(), augment="paper", batch=3, device=device).load(0):
        assert batch.flags.c_contiguous
        assert batch.flags.writeable


def test_pictures_are_resized_to_the_loading_size():
    made = loader(Noise(6), augment="paper", size=(16, 8))
    assert made.sources[0].sample(0).shape == (18, 9, 3)
    assert made.load(0)[0].shape == (1, 3, 16, 8)


# Memory


def test_samples_are_read_once_where_there_is_room():
    domain = Numbered(6)
    stream(loader(domain, batch=2), 0, 30)
    assert sorted(domain.reads) == list(range(6))


def test_samples_are_read_again_where_there_is_none():
    small, none = Numbered(6), Numbered(6)
    bytes_each = 4 * 5 * 3
    got = stream(loader(none, batch=2, cache=0), 0, 30)
    assert len(none.reads) == 30
    assert torch.equal(got[0], stream(loader(small, batch=2, cache=2 * bytes_each + 1), 0, 30)[0])
    assert len(small.reads) == 2 + 4 * 5  # two are kept; the others are read in each of five epochs
    assert torch.equal(got[0], stream(loader(Numbered(6), batch=2), 0, 30)[0])


def test_what_is_kept_is_not_changed_by_augmentation_or_batches():
    made = loader(Noise(2), augment="flip", batch=2)
    before = [made.sources[0].sample(index).copy() for index in range(2)]
    for batch in itertools.islice(made.batches(0), 5):
        batch.images[0].zero_()
    assert all(np.array_equal(made.sources[0].sample(index), before[index]) for index in range(2))


# Threads


def loading_threads():
    return [each for each in threading.enumerate() if each.name.startswith("translate-loader")]


def test_a_generator_closed_early_leaves_no_thread():
    batches = loader(Noise(7), batch=2, workers=3).batches(0)
    next(batches)
    assert loading_threads()
    batches.close()
    assert not loading_threads()


def test_a_generator_that_is_dropped_leaves_no_thread():
    batches = loader(Noise(7), batch=2, workers=3).batches(0)
    next(batches)
    del batches
    assert not loading_threads()


def test_without_workers_there_is_no_thread():
    batches = loader(Noise(7), batch=2, workers=0).batches(0)
    next(batches)
    assert not loading_threads()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_while_loading_comes_out_and_leaves_no_thread(workers):
    class Broken(Numbered):
        def read(self, index):
            if len(self.reads) > 5:
                raise UserError("The folder was emptied.")
            return super().read(index)

    batches = loader(Broken(20), workers=workers).batches(0)
    with pytest.raises(UserError, match="The folder was emptied"):
        list(itertools.islice(batches, 20))
    assert not loading_threads()


def test_from_files(tmp_path):
    for index in range(5):
        draw(tmp_path / f"{index}.png", index, (12 + index, 14))
    one = stream(loader(PictureFiles("a", tmp_path, files_in(tmp_path)), augment="paper", size=(8, 8), batch=2, workers=2), 0, 12)
    two = stream(loader(PictureFiles("a", tmp_path, files_in(tmp_path)), augment="paper", size=(8, 8), batch=3, cache=0), 0, 12)
    assert one[0].shape == (12, 3, 8, 8)
    assert torch.equal(one[0], two[0])


# Pairs


class Named(Noise):
    """The same pictures under names of their own."""

    def __init__(self, name, names):
        super().__init__(len(names))
        self.name, self.names = name, names

    def label(self, index):
        return self.names[index]


def test_pairs_stay_together_through_order_crops_and_flips():
    names = [f"{letter}.png" for letter in "abcdefg"]
    made = loader(
        Named("x", names), Named("y", [name.replace("png", "jpg") for name in names]), order=("round", "paired"), augment="paper"
    )
    x, y = stream(made, 0, 21)
    assert torch.equal(x, y)
    other, alone = stream(loader(Named("x", names), Named("y", names), order=("round", "round"), augment="paper"), 0, 21)
    assert torch.equal(other, x)  # the first domain is as it was
    assert not torch.equal(alone, x)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (["a.png", "b.png"], ["a.png"], "'b' of 'x' has no counterpart of that name in 'y'"),
        (["a.png"], ["a.png", "c.png"], "'c' of 'y' has no counterpart of that name in 'x'"),
        (["a.png", "b.png"], ["b.png", "a.png"], "in different orders"),
    ],
)
def test_what_has_no_counterpart_is_named(x, y, said):
    with pytest.raises(UserError, match=said):
        loader(Named("x", x), Named("y", y), order=("round", "paired"))


def test_an_augmentation_of_another_dtype_is_named():
    class Floats(Augmentation):
        def __call__(self, image, draw):
            return image / 255

    made = loader(Noise(4), order=("round",), size=(8, 8))
    made.augmentation = Floats((8, 8))
    with pytest.raises(
        RecipeError, match=r"^The augmentation Floats gives float64 pictures of 8x8x3; a batch has uint8 ones of 8x8x3"
    ):
        next(made.batches(0))


def test_an_augmentation_of_another_size_is_named():
    class Halves(Augmentation):
        def __call__(self, image, draw):
            return image[::2]

    made = loader(Noise(4), order=("round",), size=(8, 8))
    made.augmentation = Halves((8, 8))
    with pytest.raises(
        RecipeError, match=r"^The augmentation Halves gives uint8 pictures of 4x8x3; a batch has uint8 ones of 8x8x3\.$"
    ):
        next(made.batches(0))
