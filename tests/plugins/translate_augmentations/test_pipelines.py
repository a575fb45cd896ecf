from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from translate import UserError
from translate.cli.list import summary
from translate.data.domain import Domain
from translate.data.loader import Loader, Source
from translate.parts import build_part
from translate.plugins import installed
from translate.testing.augmentations import check_augmentation
from translate_augmentations.pipelines import Pipeline

A = pytest.importorskip("albumentations")

TWO = "HorizontalFlip+VerticalFlip"


def made(size=(16, 24), **values):
    return Pipeline(size, Pipeline.Options(**values))


def picture(dtype="uint8", channels=3, size=(16, 24), seed=0):
    values = np.random.default_rng(seed).random((*size, channels))
    return (values * {"uint8": 255, "uint16": 4095, "float32": 1}[dtype]).astype(dtype)


def saved(tmp_path, transform, **kwargs):
    path = tmp_path / "pipeline.json"
    A.save(transform, path, **kwargs)
    return str(path)


def test_registering_loads_no_albumentations():
    code = "import sys, translate_augmentations; print([each for each in ('albumentations', 'cv2') if each in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("names", ["HorizontalFlip", "HorizontalFlip+RandomBrightnessContrast+Affine", "Blur+RandomRotate90"])
def test_keeps_the_contract(names):
    check_augmentation(Pipeline, part=f"albumentations:transforms={names}", channels=(3, 1), size=(16, 16))


def test_a_flip_is_a_flip():
    image, seen = picture(), set()
    augmentation = made(transforms="HorizontalFlip")
    for draw in np.random.default_rng(0).random((20, 2)):
        got = augmentation(image, draw)
        flipped = np.array_equal(got, image[:, ::-1])
        assert flipped or np.array_equal(got, image)
        seen.add(flipped)
    assert seen == {True, False}


def test_two_transforms_do_not_always_come_together():
    """With set_random_seed, albumentations 2.0.8 gives each transform the same draws."""
    image, augmentation, seen = picture(size=(16, 16)), made((16, 16), transforms=TWO), {}
    outcomes = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    count = 800
    for draw in np.random.default_rng(1).random((count, 2)):
        got = augmentation(image, draw)
        (which,) = [number for number, each in enumerate(outcomes) if np.array_equal(each, got)]
        seen[which] = seen.get(which, 0) + 1
    # 200 of each, with a standard deviation of 12.2.
    assert len(seen) == 4
    assert all(abs(times - count / 4) < 5 * 12.2 for times in seen.values())


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_file_does_what_its_pipeline_does(tmp_path, dtype):
    file = saved(tmp_path, A.Compose([A.Crop(2, 3, 18, 11, p=1.0), A.Pad((4, 4), fill=0, p=1.0)]))
    image = picture(dtype)
    got = made(file=file)(image, np.array([0.3, 0.7]))
    assert got.dtype == image.dtype
    assert np.array_equal(got[4:12, 4:20], image[3:11, 2:18])  # centred; 16 and 24 less 8 and 16
    assert (got[:4] == (0 if dtype == "uint8" else image.min())).all()


def test_the_fingerprint_is_that_of_the_bytes_that_were_read(tmp_path):
    file = saved(tmp_path, A.HorizontalFlip(p=1.0))
    content = (tmp_path / "pipeline.json").read_bytes()
    augmentation = made(file=file)
    A.save(A.VerticalFlip(p=1.0), file)
    assert augmentation.fingerprint() == hashlib.sha256(content).hexdigest()
    assert made(file=file).fingerprint() == hashlib.sha256((tmp_path / "pipeline.json").read_bytes()).hexdigest()
    assert made(file=file).fingerprint() != augmentation.fingerprint()


def test_named_transforms_say_all_there_is():
    assert made(transforms=TWO).fingerprint() == ""


def test_without_options_it_flips_and_its_first_line_says_so():
    assert [type(each) for each in made()._first.transforms] == [A.HorizontalFlip]
    assert (
        summary(Pipeline)
        == "Transforms of albumentations, from a file or by their names; without options, horizontal flips alone."
    )


def test_a_single_transform_in_a_file(tmp_path):
    image = picture()
    assert np.array_equal(made(file=saved(tmp_path, A.VerticalFlip(p=1.0)))(image, np.zeros(2)), image[::-1])


def test_what_a_pipeline_crops_is_brought_back_to_size(tmp_path):
    file = saved(tmp_path, A.Compose([A.CenterCrop(8, 8, p=1.0)]))
    image = np.zeros((16, 24, 1), np.uint16)
    image[4:12, 8:12] = 1000  # the left half of what is cropped
    got = made(file=file)(image, np.zeros(2))
    assert got.shape == (16, 24, 1)
    assert (got[:, :9] == 1000).all()
    assert (got[:, 15:] == 0).all()


def test_a_margin_leaves_room_for_crops(tmp_path):
    file = saved(tmp_path, A.Compose([A.RandomCrop(16, 24, p=1.0)]))
    augmentation = made(file=file, margin=1.25)
    assert augmentation.loading_size == (20, 30)
    image = picture(size=(20, 30))
    got = augmentation(image, np.array([0.1, 0.2]))
    assert any(np.array_equal(got, image[top : top + 16, left : left + 24]) for top in range(5) for left in range(7))


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_16_bits_lose_nothing(channels):
    image = picture("uint16", channels)
    assert np.array_equal(made(transforms="NoOp")(image, np.zeros(2)), image)


def test_a_flat_picture_of_16_bits_stays():
    image = np.full((16, 24, 1), 700, np.uint16)
    assert np.array_equal(made(transforms="NoOp")(image, np.zeros(2)), image)


class Noise(Domain):
    name = "noise"

    def __init__(self, dtype):
        self.dtype, self.window = dtype, (0, 1)

    def __len__(self):
        return 7

    def read(self, index):
        return picture(self.dtype, size=(20, 24), seed=index)


@pytest.mark.parametrize(
    "part", [f"albumentations:transforms={TWO}+Affine+RandomBrightnessContrast+GaussNoise", "small:colour=0.3"]
)
def test_workers_do_not_change_a_byte(part):
    from translate import Part

    def batches(workers, first=0, count=12):
        augmentation = build_part(installed().augmentations, Part.parse(part), None, (16, 16))
        sources = [Source(Noise(dtype), augmentation.loading_size, 1 << 20) for dtype in ("uint8", "float32")]
        loader = Loader(
            sources, ("round", "draw"), augmentation, epoch=7, batch=3, seed=5, device=torch.device("cpu"), workers=workers
        )
        stream = loader.batches(first)
        result = [next(stream).images for _ in range(count)]
        stream.close()
        return result

    alone = batches(0)
    assert not torch.equal(alone[0][0], alone[7][0])  # the same pictures, another time
    for workers in (2, 4):
        for mine, theirs in zip(alone, batches(workers), strict=True):
            assert all(torch.equal(*pair) for pair in zip(mine, theirs, strict=True))
    assert torch.equal(batches(2, first=9, count=1)[0][0], alone[3][0])  # as after a resume


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("part", ["albumentations:transforms=Affine+RandomBrightnessContrast+CoarseDropout", "small:colour=0.5"])
def test_planes_give_what_rows_of_pixels_give(part, dtype):
    from translate import Part

    augmentation = build_part(installed().augmentations, Part.parse(part), None, (16, 16))
    rows = picture(dtype, size=augmentation.loading_size)
    planes = np.ascontiguousarray(rows.transpose(2, 0, 1)).transpose(1, 2, 0)
    planes.flags.writeable = False
    for draw in np.random.default_rng(2).random((10, augmentation.draws)):
        assert np.array_equal(augmentation(rows, draw), augmentation(planes, draw))


def test_an_object_can_be_copied_as_the_engine_does():
    augmentation, image = made(transforms=TWO), picture()
    augmentation(image, np.zeros(2))
    assert np.array_equal(copy.deepcopy(augmentation)(image, np.ones(2) / 3), augmentation(image, np.ones(2) / 3))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"file": "a.json", "transforms": "Blur"}, "takes either a file or transforms"),
        ({"transforms": "HorizontalFlp"}, "names 'HorizontalFlp', which .* Did you mean 'HorizontalFlip'\\?"),
        ({"transforms": "Lambda"}, "names 'Lambda'"),
        ({"transforms": "os"}, "names 'os'"),
        ({"transforms": "RandomResizedCrop"}, "RandomResizedCrop cannot be made with the defaults .*albumentations.save"),
        ({"file": "/nowhere/pipeline.json"}, r"/nowhere/pipeline.json cannot be read \(No such file or directory\)"),
    ],
)
def test_what_cannot_be_made(values, sentence):
    with pytest.raises(UserError, match=sentence):
        made(**values)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("not JSON", "is not a pipeline that albumentations.save wrote"),
        ("[1]", "is not a pipeline"),
        ('{"transform": {"transforms": []}}', "is not a pipeline"),
        ("[" * 100_000, "is not a pipeline"),
        (json.dumps({"transform": {"__class_fullname__": "os.system", "command": "true"}}), "names 'os.system'"),
        (json.dumps({"transform": {"__class_fullname__": "stranger.HorizontalFlip", "p": 1}}), "names 'stranger.HorizontalFlip'"),
        (
            json.dumps({"transform": {"__class_fullname__": "Compose", "transforms": [{"__class_fullname__": "Blurr"}]}}),
            "names 'Blurr', .* Did you mean 'Blur'",
        ),
        (
            json.dumps({"transform": {"__class_fullname__": "Blur", "p": 1.0, "blur_limit": "wide"}}),
            r"cannot be made \(ValueError: .*write it anew with albumentations.save",
        ),
    ],
)
def test_files_that_are_refused(tmp_path, content, sentence):
    path = tmp_path / "pipeline.json"
    path.write_text(content)
    with pytest.raises(UserError, match=sentence):
        made(file=str(path))


def test_an_argument_that_a_transform_does_not_know_is_warned_of(tmp_path):
    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps({"transform": {"__class_fullname__": "Blur", "p": 1.0, "radius": 3}}))
    with pytest.warns(UserWarning, match="'radius' are not valid for transform Blur"):
        made(file=str(path))


def test_a_strangers_transform_is_never_made(tmp_path):
    """Subclasses register themselves with albumentations, so that from_dict alone would make them."""
    created = []

    class Stranger(A.ImageOnlyTransform):
        def __init__(self, p=1.0):
            created.append(self)
            super().__init__(p=p)

    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps({"transform": {"__class_fullname__": Stranger.get_class_fullname(), "p": 1.0}}))
    assert A.from_dict(json.loads(path.read_text())) is created.pop()
    with pytest.raises(UserError, match=r"names '.*Stranger'"):
        made(file=str(path))
    assert not created


@pytest.mark.parametrize(
    ("names", "image", "sentence"),
    [
        ("Normalize", picture(), "makes float32 of the shape .* of uint8"),
        ("ToTensorV2", picture(), "makes Tensor of uint8"),
        ("NoOp+CLAHE", picture(channels=5), r"transform 'CLAHE' does not take uint8 pictures of the shape \(16, 24, 5\)"),
        ("HorizontalFlip+Equalize", picture("float32", 2), "transform 'Equalize' does not take float32 pictures"),
    ],
)
def test_a_transform_that_does_not_fit_is_named(names, image, sentence):
    augmentation, draws = made(transforms=names), np.random.default_rng(0).random((50, 2))
    with pytest.raises(UserError, match=sentence):
        [augmentation(image, draw) for draw in draws]
