from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from conftest import draw
from PIL import Image
from torch import nn

from translate.data.domain import Space
from translate.errors import DataWarning, UserError
from translate.inference import PictureTranslator, find_pictures, open_image

CPU = torch.device("cpu")
COLOUR = Space("horse", (3, 16, 16))
GREY = Space("scan", (1, 16, 16))
DEEP = Space("deep", (1, 16, 16), "uint16", (0.0, 65535.0))
FLOAT = Space("float", (3, 16, 16), "float32", (-1.0, 1.0))


def invert(x):
    return -x


def translator(scale="native", source=COLOUR, target=None, stride=4, network=invert):
    return PictureTranslator(network, source, target or source, stride, CPU, scale)


def noise(shape, dtype="uint8", seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        return rng.uniform(-1, 1, shape).astype(np.float32)
    return rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


@pytest.fixture(autouse=True)
def _torch_warns_each_time():
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


# Kinds


def test_a_path_gives_a_pil_picture(tmp_path):
    array = noise((7, 9, 3))
    Image.fromarray(array).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        got = translator()(path)
        assert isinstance(got, Image.Image)
        assert got.mode == "RGB"
        assert np.array_equal(np.asarray(got), 255 - array)


def test_a_pil_picture():
    array = noise((8, 12, 3))
    image = Image.fromarray(array)
    assert np.array_equal(np.asarray(translator()(image)), 255 - array)
    assert np.array_equal(np.asarray(image), array)


@pytest.mark.parametrize("size", [(8, 12), (7, 9)])
@pytest.mark.parametrize("scale", ["native", "train"])
def test_pil_pictures_of_any_size_give_no_warning(size, scale):
    translator(scale)(Image.new("RGB", size))
    translator(scale)(Image.new("RGB", (16, 16)))


def test_arrays():
    array = noise((7, 9, 3))
    got = translator()(array)
    assert isinstance(got, np.ndarray)
    assert got.dtype == np.uint8
    assert np.array_equal(got, 255 - array)


def test_arrays_that_are_views_or_must_not_be_written():
    array = noise((10, 8, 3))
    array.flags.writeable = False
    assert np.array_equal(translator()(array), 255 - array)
    assert np.array_equal(translator()(array[::-2, ::-1]), 255 - array[::-2, ::-1])


def test_batches_of_arrays():
    array = noise((4, 7, 9, 3))
    got = translator()(array)
    assert got.shape == array.shape
    assert np.array_equal(got, 255 - array)


@pytest.mark.parametrize("shape", [(3, 7, 9), (2, 3, 7, 9)])
def test_tensors(shape):
    tensor = torch.from_numpy(noise(shape, "float32"))
    kept = tensor.clone()
    got = translator()(tensor)
    assert isinstance(got, torch.Tensor)
    assert torch.equal(got, -kept)
    assert torch.equal(tensor, kept)


def test_lists_of_many_kinds(tmp_path):
    array = noise((7, 9, 3))
    Image.fromarray(array).save(tmp_path / "a.png")
    got = translator()([array, Image.fromarray(array), tmp_path / "a.png", torch.zeros(3, 4, 4), [array]])
    assert [type(each) for each in got] == [np.ndarray, Image.Image, Image.Image, torch.Tensor, list]
    assert np.array_equal(got[4][0], 255 - array)
    assert translator()((array,))[0].shape == array.shape
    assert translator()([]) == []


def test_grey():
    array = noise((7, 9))
    for given in (array, array[..., None]):
        got = translator(source=GREY)(given)
        assert got.shape == given.shape
        assert np.array_equal(got, 255 - given)
    got = translator(source=GREY)(Image.fromarray(array))
    assert got.mode == "L"
    assert np.array_equal(np.asarray(got), 255 - array)
    assert translator(source=GREY)(Image.new("RGB", (9, 7), (100, 100, 100))).getpixel((0, 0)) == 155
    assert translator(source=GREY)(torch.zeros(2, 1, 5, 5)).shape == (2, 1, 5, 5)


def test_from_grey_to_colour_and_back():
    array = noise((7, 9))
    colours = translator(source=GREY, target=COLOUR, network=lambda x: -x.expand(-1, 3, -1, -1))
    assert colours(array).shape == (7, 9, 3)
    assert colours(Image.fromarray(array)).mode == "RGB"
    assert np.array_equal(colours(array)[..., 2], 255 - array)
    greys = translator(source=COLOUR, target=GREY, network=lambda x: x[:, :1])
    assert greys(noise((7, 9, 3))).shape == (7, 9, 1)
    assert greys(Image.new("RGB", (9, 7), (10, 20, 30))).getpixel((3, 3)) == 10


def test_16_bits_stay_16():
    array = noise((7, 9), "uint16")
    assert np.array_equal(translator(source=DEEP)(array), 65535 - array)
    got = translator(source=DEEP)(Image.fromarray(array))
    assert got.mode == "I;16"
    assert np.array_equal(np.asarray(got), 65535 - array)


def test_windows_of_both_sides():
    ct = Space("ct", (1, 16, 16), "uint16", (1000.0, 3000.0))
    array = np.array([[1000, 1500], [2000, 3000]], np.uint16)
    got = translator(source=ct, target=GREY, network=lambda x: x)(array)
    assert got.dtype == np.uint8
    assert got.tolist() == [[0, 64], [128, 255]]
    back = translator(source=GREY, target=ct, network=invert)(np.array([[0, 255]], np.uint8))
    assert back.tolist() == [[3000, 1000]]


def test_floats():
    array = noise((7, 9, 3), "float32")
    np.testing.assert_allclose(translator(source=FLOAT)(array), -array, atol=1e-6)


def test_pil_pictures_for_a_network_of_floats():
    got = translator(source=FLOAT)(Image.new("RGB", (9, 7), (0, 51, 255)))
    assert got.getpixel((4, 4)) == (255, 204, 0)


# Transparency


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("space", [COLOUR, GREY])
def test_alpha_is_kept(mode, space):
    image = Image.fromarray(noise((7, 9, len(mode))), mode=None)
    assert image.mode == mode
    got = translator("train", source=space)(image)
    assert got.mode == ("RGBA" if space is COLOUR else "LA")
    assert got.size == (9, 7)
    assert np.array_equal(np.asarray(got.getchannel("A")), np.asarray(image.getchannel("A")))


def test_under_alpha_is_white():
    image = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    assert translator()(image).getpixel((0, 0)) == (0, 0, 0, 0)  # white, inverted


def test_a_palettes_transparency_is_kept(tmp_path):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.png", transparency=0)
    got = translator()(tmp_path / "a.png")
    assert got.mode == "RGBA"
    assert got.getpixel((0, 0))[3] == 0
    assert got.getpixel((1, 0)) == (215, 205, 195, 255)


def test_alpha_with_16_bits_is_no_error():
    assert translator(source=DEEP)(Image.new("LA", (9, 7))).size == (9, 7)


def test_pictures_and_their_alpha_are_turned_upright(tmp_path):
    stored = noise((3, 5, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    got = translator()(tmp_path / "a.png")
    assert got.size == (3, 5)
    assert np.array_equal(np.asarray(got)[..., 3], np.rot90(stored[..., 3], -1))


# Sizes


class Watched:
    """The network, and what it was given."""

    def __init__(self):
        self.given = []

    def __call__(self, x):
        self.given.append(x)
        return -x


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (5, 4), (17, 30), (3, 3), (1, 1), (2, 50)])
@pytest.mark.parametrize("stride", [1, 4, 8])
def test_native_pads_by_reflection_and_is_exact(size, stride):
    network, array = Watched(), noise((*size, 3))
    got = translator(stride=stride, network=network)(array)
    assert np.array_equal(got, 255 - array)
    (given,) = network.given
    # At least four strides, or the training size where that is less, so that a network can see something.
    least = min(4 * stride, 16)
    height, width = (-(-max(side, least) // stride) * stride for side in size)
    assert given.shape == (1, 3, height, width)
    below, right = height - size[0], width - size[1]
    mode = "reflect" if below < size[0] and right < size[1] else "edge"
    padded = np.pad(array.astype(np.float32), ((0, below), (0, right), (0, 0)), mode=mode) / 127.5 - 1
    np.testing.assert_allclose(given[0].permute(1, 2, 0).numpy(), padded, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "seen"),
    [((40, 60), (16, 24)), ((60, 40), (24, 16)), ((16, 16), (16, 16)), ((5, 10), (16, 32)), ((33, 100), (16, 48))],
)
def test_train_brings_the_short_side_to_the_training_size(size, seen):
    network = Watched()
    array = np.full((*size, 3), (10, 100, 200), np.uint8)
    got = translator("train", stride=1, network=network)(array)
    assert network.given[0].shape[-2:] == seen
    assert got.shape == array.shape
    assert (got == (245, 155, 55)).all()
    tensor = translator("train", stride=1, network=network)(torch.full((1, 3, *size), 0.25))
    assert network.given[1].shape[-2:] == seen
    torch.testing.assert_close(tensor, torch.full((1, 3, *size), -0.25))


def test_train_after_an_oblong_training_size():
    network = Watched()
    translator("train", source=Space("x", (3, 32, 16)), stride=1, network=network)(np.zeros((64, 64, 3), np.uint8))
    assert network.given[0].shape[-2:] == (16, 16)


def test_train_resizes_as_training_does():
    network, array = Watched(), noise((40, 60, 3))
    got = translator("train", network=network)(array)
    small = np.asarray(Image.fromarray(array).resize((24, 16), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(network.given[0][0].permute(1, 2, 0).numpy(), small / 127.5 - 1, atol=1e-6)
    assert np.array_equal(got, np.asarray(Image.fromarray(255 - small).resize((60, 40), Image.Resampling.BICUBIC)))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 3), (31, 33), (100, 101)])
@pytest.mark.parametrize("scale", ["train", "native"])
def test_the_size_that_came_in_comes_out(size, scale):
    made = translator(scale)
    assert made(Image.new("RGB", size[::-1])).size == size[::-1]
    assert made(noise((*size, 3))).shape == (*size, 3)
    assert made(torch.zeros(2, 3, *size)).shape == (2, 3, *size)


def test_train_keeps_tensors_in_range():
    tensor = torch.from_numpy(np.sign(noise((1, 3, 5, 7), "float32")))
    network = Watched()
    got = translator("train", network=network)(tensor)
    assert network.given[0].abs().max() <= 1
    assert got.abs().max() <= 1


def test_there_is_no_graph():
    network = nn.Conv2d(3, 3, 1)
    assert not translator(network=network)(torch.zeros(1, 3, 8, 8)).requires_grad
    assert network.weight.grad is None


# Refused


def test_an_unknown_scale():
    with pytest.raises(UserError, match=r"^The scale is 'big'; it must be 'train' or 'native'\.$"):
        translator("big")


def test_an_unknown_kind():
    for value, name in [(5, "int"), (None, "NoneType"), ({}, "dict"), (b"x", "bytes")]:
        with pytest.raises(UserError) as caught:
            translator()(value)
        assert str(caught.value) == (
            f"A {name} cannot be translated; give a path, a PIL picture, a numpy array or a torch tensor."
        )


def test_an_array_of_another_dtype():
    for dtype in ("float32", "uint16", "int64"):
        with pytest.raises(UserError) as caught:
            translator()(np.zeros((4, 4, 3), dtype))
        assert str(caught.value) == f"The array is of {dtype}, and 'horse' was trained on uint8; convert it first."


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4), (3, 4, 4), (2, 4, 4, 1), (1, 1, 4, 4, 3), (3,)])
def test_an_array_of_another_shape(shape):
    with pytest.raises(UserError, match=r"^The array has the shape \(.*\); 'horse' takes \(H, W, 3\)\.$"):
        translator()(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4), (4, 4, 3), (2, 4, 8, 8), (1, 1, 3, 4, 4)])
def test_a_tensor_of_another_shape(shape):
    with pytest.raises(UserError) as caught:
        translator()(torch.zeros(shape))
    assert str(caught.value) == f"The tensor has the shape {shape}; 'horse' takes (B, 3, H, W)."


# Files


def test_open_image_says_what_is_wrong(tmp_path):
    with pytest.raises(UserError, match=r"^There is no file .*missing\.png\.$"):
        open_image(tmp_path / "missing.png")
    with pytest.raises(UserError, match=r"is a folder; give its pictures as a list of paths"):
        translator()(tmp_path)
    (tmp_path / "text.png").write_text("x")
    with pytest.raises(UserError, match=r"text\.png cannot be read as a picture \("):
        open_image(tmp_path / "text.png")
    path = draw(tmp_path / "a.png", 0, (64, 64))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UserError, match=r"a\.png cannot be read as a picture \("):
        open_image(path)


def test_open_image_leaves_the_file_closed(tmp_path):
    path = draw(tmp_path / "a.png", 0, (5, 6))
    image = open_image(path)
    path.unlink()
    assert np.asarray(image).shape == (5, 6, 3)


def test_find_pictures(tmp_path):
    for name in ("b.png", "a.JPG", "sub/c.webp", "sub/deep/d.tiff", "notes.txt", "sub/e.json"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "in" / "folder.png").mkdir()
    odd = tmp_path / "picture-without-ending"
    odd.touch()
    found = find_pictures([tmp_path / "in", str(odd), tmp_path / "in" / "sub" / "c.webp"])
    assert [(path.relative_to(tmp_path).as_posix(), below.as_posix()) for path, below in found] == [
        ("in/a.JPG", "a.JPG"),
        ("in/b.png", "b.png"),
        ("in/sub/c.webp", "sub/c.webp"),
        ("in/sub/deep/d.tiff", "sub/deep/d.tiff"),
        ("picture-without-ending", "picture-without-ending"),
        ("in/sub/c.webp", "c.webp"),
    ]
    assert find_pictures([]) == []


def test_find_pictures_says_what_is_wrong(tmp_path):
    with pytest.raises(UserError, match=r"^There is no file or folder .*nowhere\.$"):
        find_pictures([tmp_path / "nowhere"])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError) as caught:
        find_pictures([tmp_path])
    assert str(caught.value) == (
        f"The folder {tmp_path} holds no pictures that can be read; formats: JPEG, PNG, WebP, BMP, TIFF, PPM and GIF."
    )


@pytest.mark.parametrize("generator", ["mlp:widths=4", "discogan:channels=2,bottleneck=3"])
def test_networks_of_one_size_take_pictures_of_any(tiny, generator):
    engine = tiny(generator=generator, size="16x32", augment="none", identity_weight=0)
    for height, width in ((16, 32), (32, 16), (70, 50)):
        array = np.zeros((height, width, 3), np.uint8)
        assert engine.translate(array).shape == (height, width, 3)
        assert engine.translate(torch.zeros(1, 3, height, width)).shape == (1, 3, height, width)
    with pytest.raises(UserError, match="of the size they were trained at only; use the scale 'train'"):
        engine.translate(np.zeros((16, 32, 3), np.uint8), scale="native")


def test_tensors_out_of_range_are_refused(tiny):
    engine = tiny()
    with pytest.raises(UserError, match=r"holds values up to 255, and pictures are in \[-1, 1\]"):
        engine.translate(torch.full((3, 16, 16), 255.0), to="dog")
    with pytest.raises(UserError, match="values up to nan"):
        engine.translate(torch.full((3, 16, 16), float("nan")), to="dog")
    assert engine.translate(torch.full((3, 16, 16), 1.1), to="dog").shape == (3, 16, 16)


def test_a_way_that_was_not_learned_is_refused_with_those_that_were():
    from types import SimpleNamespace

    from translate.inference import choose_way

    spaces = [SimpleNamespace(name=name) for name in "xyz"]
    one_way = SimpleNamespace(leads=lambda source, target: (source, target) == (0, 1))
    assert choose_way(one_way, "mine", spaces, None, None) == (0, 1)
    for to, source in ((None, "y"), ("x", None), ("z", "x")):
        with pytest.raises(UserError, match=r"'mine' does not lead from '.' to '.'; it has learned x→y"):
            choose_way(one_way, "mine", spaces, to, source)
    with pytest.raises(UserError, match="are 'y' already; --to must name another"):
        choose_way(one_way, "mine", spaces, "y", "y")


def test_a_picture_beyond_the_window_is_told_of_once(tmp_path):
    """A scan of another range comes out wrong, and nobody sees why."""
    space = Space("scans", (1, 8, 8), "uint16", (0.0, 4095.0))
    scans = translator(source=space, network=lambda image: image)
    within = np.full((8, 8, 1), 4200, np.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scans(within)
        translator()(np.full((8, 8, 3), 255, np.uint8))
    path = tmp_path / "scan.png"
    Image.fromarray(np.full((8, 8), 12552, np.uint16)).save(path)
    said = r"scan\.png has values from 12552 to 12552, and 'scans' was trained on 0 to 4095: what lies beyond comes out wrong"
    with pytest.warns(DataWarning, match=said):
        scans.file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scans.file(path)
