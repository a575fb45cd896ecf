"""Packages as third parties write them: real, small, and right."""

from __future__ import annotations

import ast
import copy
import csv
import importlib
import logging
import math
import re
import sys
import tomllib
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import draw, opened
from PIL import ImageOps
from torch import nn

import translate
from translate import Clock, Engine, Game, Part, Space, UserError, hookimpl
from translate.plugins import installed
from translate.randomness import derive, seeded
from translate.recipe import Batch, Make
from translate.settings import resolve

ROOT = Path(__file__).parent / "example_plugins"
EXAMPLES = sorted(each.name for each in ROOT.iterdir() if (each / "pyproject.toml").exists())
METHODS = ("cut", "pix2pix", "stargan")  # the packages of recipes, which bear their names

#: Small enough to build and step in milliseconds.
RUN = {"preset": None, "size": 16, "batch": 2, "steps": 4, "augment": "none", "workers": 0, "device": "cpu", "log_every": 1}
JUDGE = "patch:channels=4,layers=1"
CUT = {**RUN, "generator": "resnet:blocks=1,channels=4", "discriminator": JUDGE, "layers": "0,2,3,4", "patches": 8, "width": 12}
STAR = {**RUN, "generator": "stargan:channels=4,blocks=1", "judge_channels": 4, "judge_layers": 2, "n_critic": 2}
PIX = {**RUN, "size": 32, "generator": "unet:channels=2", "discriminator": JUDGE}


def project(example: str) -> dict:
    return tomllib.loads((ROOT / example / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def use(monkeypatch):
    """Loads an example and registers it, for the time of a test, as its entry point would."""
    with ExitStack() as stack:

        def load(example: str):
            ((name, module),) = project(example)["project"]["entry-points"]["translate"].items()
            monkeypatch.syspath_prepend(ROOT / example)
            plugin = importlib.import_module(module)
            stack.enter_context(translate.plugin(plugin, name))
            return plugin

        yield load


def spaces(*channels: int, size: tuple[int, int] = (16, 16)) -> list[Space]:
    return [Space(f"{number}", (each, *size)) for number, each in enumerate(channels)]


def one_sentence(error: pytest.ExceptionInfo) -> str:
    said = str(error.value)
    assert re.fullmatch(r"[A-Z'/-][^\n]*\.", said), said
    assert not re.search(r"[.?!] +[A-Z]|Traceback", said), said
    return said


def in_double(engine: Engine, steps: int) -> list[Batch]:
    """The engine's first batches, in float64 as its recipe is from here on."""
    engine.recipe.double()
    batches = [
        next(engine.loader.batches(first)) for first in range(0, steps * engine.run_options.batch, engine.run_options.batch)
    ]
    return [Batch(tuple(image.double() for image in batch.images), batch.first, batch.seed) for batch in batches]


def adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=lr, betas=(0.5, 0.999))


def assert_same_weights(mine: nn.Module, theirs: nn.Module) -> None:
    """To 1e-9. A bias before a norm has a gradient of pure rounding, of which Adam, that divides by its size, makes up to 1e-7."""
    before_norms = {
        id(layer.bias)
        for body in mine.modules()
        if isinstance(body, nn.Sequential)
        for layer, after in pairwise(body)
        if isinstance(after, nn.InstanceNorm2d)
    }
    for (name, one), other in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        assert (one - other).abs().max().item() <= (1e-7 if id(one) in before_norms else 1e-9), name


def assert_goes_on_bit_for_bit(make, run: Path) -> Engine:
    """Train whole, and in two halves with a checkpoint between; returns the latter, at its end."""
    whole, half = make(), make(out=run)
    list(whole.steps())
    for report in half.steps():
        if report.step == 2:
            break
    half.save_checkpoint()
    resumed = Engine.resume(run)
    assert resumed.step == 2
    list(resumed.steps())
    state = resumed.trainer.state()
    for key, tensor in whole.trainer.state().items():
        assert torch.equal(tensor, state[key]), key
    return resumed


def assert_weights_serve(engine: Engine, to: str, path: Path) -> None:
    """What is saved can be loaded without losses and judges, and translates as it did."""
    engine.save(path)
    loaded = Engine.load(path, device="cpu")
    image = torch.rand(1, *engine.spaces[0].shape) * 2 - 1
    with torch.no_grad():
        assert torch.equal(loaded.translate(image, to=to), engine.translate(image, to=to))


def assert_shows_one_way(engine: Engine, to: str, back: str) -> None:
    """Grids show it and nothing else, it is the default, and the other is refused."""
    grid = opened(engine.out / "samples" / "000001.png")
    assert 2 * 128 <= grid.width < 3 * 128  # the picture and its translation, each of 128 px, and no way back
    image = torch.zeros(1, *engine.spaces[0].shape)
    with torch.no_grad():
        assert torch.equal(engine.translate(image), engine.translate(image, to=to))
    with pytest.raises(UserError, match=f"'{to}'.*'{back}'") as error:
        engine.translate(image, to=back)
    one_sentence(error)


# Packages


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_installed(example, use):
    described = project(example)
    about = described["project"]
    assert described["build-system"] == {"requires": ["hatchling"], "build-backend": "hatchling.build"}
    assert about["name"] == f"translate-example-{example}"
    assert re.fullmatch(r"\d+\.\d+", about["version"])
    assert "image-translate" in about["dependencies"]
    ((_, module),) = about["entry-points"]["translate"].items()
    # hatchling finds what bears the project's name.
    assert module == about["name"].replace("-", "_")
    plugin = use(example)
    assert Path(plugin.__file__).is_relative_to(ROOT / example)
    assert [name for name, each in vars(plugin).items() if hasattr(each, "translate_impl")]
    assert "pip install -e ." in (ROOT / example / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_import_public_names_and_what_they_declare(example):
    about = project(example)["project"]
    ((_, own),) = about["entry-points"]["translate"].items()
    declared = {own, *sys.stdlib_module_names, *(each for each in about["dependencies"] if each != "image-translate")}
    for path in (ROOT / example).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "translate":
                assert node.module == "translate", path
                assert {each.name for each in node.names} <= {*translate.__all__}, path
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, path
                assert node.module.split(".")[0] in declared, (path, node.module)
            elif isinstance(node, ast.Import):
                assert {each.name.split(".")[0] for each in node.names} <= declared, path


def test_a_loss_takes_thirty_lines_in_all():
    files = [path for path in (ROOT / "loss").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.name for path in files} == {"pyproject.toml", "README.md", "translate_example_loss.py"}
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= 30


@pytest.mark.parametrize("example", METHODS)
def test_presets_name_options_that_exist(example, use):
    use(example)
    method = installed().recipes[example]
    assert {"quick", "paper"} <= set(method.presets)
    for preset in method.presets:
        resolve(method, example, preset, {})
    quick, own = resolve(method, example, "quick", {})
    method(own, Make(installed(), spaces(3, 3, size=quick.size)))


# loss


def test_pearson_by_hand(use):
    game = use("loss").Pearson()
    real, fake, clock = torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [-4.0]]), Clock(0, 1)
    assert game.discriminator(nn.Identity(), real, fake, clock) == {"real": -2.0, "fake": 1.5}  # (2 + 1 - 4 + 4) / 2
    assert game.generator(nn.Identity(), real, fake, clock) == {"fool": 1.0}
    assert game.generator(nn.Identity(), real.bfloat16(), fake.bfloat16(), clock)["fool"].dtype == torch.float32


def test_pearson_is_the_divergence_where_the_judge_is_best(use):
    """Of two samples, reals are the first in 3 of 4 cases and fakes in 2: χ² = Σ (p - q)² / q = 1/4, at scores of 2 (p / q - 1) = ±1."""
    scores = torch.tensor([[1.0], [-1.0]], dtype=torch.float64, requires_grad=True)
    real, fake = torch.eye(2, dtype=torch.float64)[[0, 0, 0, 1]], torch.eye(2, dtype=torch.float64)
    losses = use("loss").Pearson().discriminator(lambda samples: samples @ scores, real, fake, Clock(0, 1))
    total = losses["real"] + losses["fake"]
    total.backward()
    assert total.item() == pytest.approx(-1 / 4, abs=1e-15)
    assert scores.grad.abs().max() < 1e-15


def test_pearson_is_played_by_name(use, tiny):
    use("loss")
    report = next(tiny(adversarial="pearson").steps())
    assert {"generators/fool_x", "discriminators/real_y"} <= set(report.losses)


# generator


@pytest.mark.parametrize(("before", "after"), [(1, 3), (5, 2), (3, 3)])
def test_shuffle_maps_any_channels_and_trains_every_weight(before, after, use):
    use("generator")
    x, y = spaces(before, after, size=(16, 24))
    network = Make(installed(), []).generator(Part.parse("shuffle:channels=6,blocks=1"), x, y)
    made = network(torch.rand(2, before, 16, 24) * 2 - 1)
    assert made.shape == (2, after, 16, 24)
    assert made.abs().max() <= 1
    made.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0 or name.endswith("0.bias"), name  # before a norm, biases make no difference


def test_shuffle_keeps_detail_that_a_quarter_of_the_size_cannot_hold(use):
    """The way across at half the size: without it, a checkerboard of single pixels would be a matter of the lower level alone."""
    plugin = use("generator")
    network = plugin.ShuffleGenerator(*spaces(3, 3), plugin.ShuffleGenerator.Options(channels=6, blocks=0))
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    whole = network(image)
    for layer in (network.lower, network.rise):
        nn.init.zeros_(layer[0].weight)
    assert (network(image) - whole).abs().max() > 0.01
    assert network(image).std() > 0.01


def test_shuffle_says_what_it_cannot_take(use):
    use("generator")
    make = Make(installed(), [])
    with pytest.raises(UserError, match="multiples of 4, not 18; try --size 16") as error:
        make.generator(Part.parse("shuffle"), *spaces(3, 3, size=(18, 18)))
    one_sentence(error)
    with pytest.raises(UserError, match="at least 8 pixels a side, not 4x8; raise --size") as error:
        make.generator(Part.parse("shuffle"), *spaces(3, 3, size=(4, 8)))
    one_sentence(error)
    with pytest.raises(UserError, match=r"'channels' .* must be at least 1") as error:
        make.generator(Part.parse("shuffle:channels=0"), *spaces(3, 3))
    one_sentence(error)


def test_shuffle_trains_in_half_precision(use, tiny):
    use("generator")
    engine = tiny(generator="shuffle:channels=4,blocks=1", precision="bf16")
    report = next(engine.steps())
    assert all(map(math.isfinite, report.losses.values()))
    with torch.autocast("cpu", torch.bfloat16):
        assert engine.recipe.G(torch.zeros(1, 3, 16, 16)).dtype == torch.float32


# data


@pytest.fixture
def archives(tmp_path):
    """Two archives, grey scans of 16 bits and maps of 8; as arrays by name."""
    rng = np.random.default_rng(0)
    scans = {
        "train": rng.integers(0, 65536, (5, 20, 24), dtype=np.uint16),
        "test": rng.integers(0, 65536, (2, 20, 24), dtype=np.uint16),
    }
    maps = {"train": rng.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8), "train_names": np.array(["b", "a", "c"])}
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "scans.npz", **scans)
    np.savez_compressed(tmp_path / "data" / "maps.npz", **maps)
    return tmp_path / "data", scans, maps


def test_archives_give_what_was_stored(archives, use):
    open_domain = use("data").open_domain
    root, scans, maps = archives
    for split in ("train", "test"):
        domain = open_domain("scans", root, split)
        assert (len(domain), domain.channels, domain.dtype, domain.window) == (len(scans[split]), 1, "uint16", (0.0, 65535.0))
        for index, stored in enumerate(scans[split]):
            assert np.array_equal(domain.read(index), stored[..., None])
            assert domain.label(index) == f"0000{index}"
    domain = open_domain("maps", root, "train")
    assert (domain.channels, domain.dtype, domain.origin) == (3, "uint8", f"3 pictures in {root / 'maps.npz'}")
    assert [domain.label(index) for index in range(3)] == ["b", "a", "c"]
    assert np.array_equal(domain.read(2), maps["train"][2])
    with pytest.raises(ValueError, match="read-only"):
        domain.read(0)[:] = 0
    assert open_domain("maps", root, "test") is None
    assert open_domain("horse", root, "train") is None
    assert open_domain("maps", None, "train") is None


@pytest.mark.parametrize(("dtype", "window"), [("uint8", (0, 255)), (">u2", (0, 65535)), ("float32", (-1, 1))])
def test_archives_of_every_kind_become_tensors_in_the_right_range(dtype, window, tmp_path, use):
    use("data")
    low, high = window
    pictures = np.full((2, 16, 16, 3), low, dtype)
    pictures[:, 8:] = high
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", train=pictures)
    engine = Engine(
        "cyclegan", ("a", "b"), data=tmp_path, **{**RUN, "generator": "resnet:blocks=0,channels=2", "discriminator": JUDGE}
    )
    for image in next(engine.loader.batches(0)).images:
        assert torch.equal(image[:, :, :8], torch.full((2, 3, 8, 16), -1.0))
        assert torch.equal(image[:, :, 8:], torch.full((2, 3, 8, 16), 1.0))


def test_a_fingerprint_is_of_pixels_and_names(archives, use):
    open_domain = use("data").open_domain
    root, _, maps = archives

    def digest(**changes):
        np.savez(root / "maps.npz", **{**maps, **changes})
        return open_domain("maps", root, "train").fingerprint()

    first, touched = digest(), maps["train"].copy()
    touched[1, 2, 3, 0] ^= 1
    assert digest() == first  # packed or not
    seen = {
        first,
        digest(train=touched),
        digest(train=maps["train"].astype(np.uint16)),
        digest(train_names=np.array(["b", "a", "d"])),
    }
    assert len(seen) == 4


def test_archives_train_and_a_run_notices_other_pictures(archives, tmp_path, use):
    use("data")
    root, scans, maps = archives
    networks = {"generator": "resnet:blocks=0,channels=2", "discriminator": JUDGE, "identity_weight": 0}
    engine = Engine("cyclegan", ("scans", "maps"), data=root, out=tmp_path / "run", **{**RUN, **networks, "steps": 2}).fit()
    assert [domain and len(domain) for domain in engine.found.test] == [2, None]
    assert engine.translate(scans["test"][0][..., None], to="maps").dtype == np.uint8
    np.savez(root / "maps.npz", train=maps["train"][::-1], train_names=maps["train_names"])
    with pytest.raises(UserError, match="pictures of 'maps' are not those"):
        Engine.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"test": np.zeros((1, 8, 8), np.uint8)}, "has no array 'train'; its arrays: test"),
        ({"train": np.zeros((1, 8, 8))}, "is float64; pictures are uint8, uint16, float32"),
        ({"train": np.zeros((8, 8), np.uint8)}, r"has the shape \(8, 8\)"),
        ({"train": np.zeros((0, 8, 8, 3), np.uint8)}, r"has the shape \(0, 8, 8, 3\)"),
        ({"train": np.zeros((2, 8, 8), np.uint8), "train_names": np.array(["a", "a"])}, "must be 2 different names"),
        ({"train": np.full((1, 8, 8), np.nan, np.float32)}, "infinite or NaN"),
        ({"train": np.array([{}], dtype=object)}, "cannot be read as an archive"),
    ],
)
def test_archives_that_are_wrong_get_one_sentence(arrays, sentence, tmp_path, use):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=sentence) as error:
        use("data").open_domain("x", tmp_path, "train")
    one_sentence(error)


def test_files_that_are_no_archives_get_one_sentence(archives, use):
    open_domain = use("data").open_domain
    root, _, maps = archives
    packed = (root / "maps.npz").read_bytes()
    np.save(root / "single.npy", maps["train"])
    contents = {
        "empty": b"",
        "text": b"PK nothing",
        "cut": packed[:-80],
        "flipped": bytearray(packed),
        "array": (root / "single.npy").read_bytes(),
    }
    contents["flipped"][len(packed) // 3] ^= 255
    for name, content in contents.items():
        (root / f"{name}.npz").write_bytes(content)
        with pytest.raises(UserError, match="cannot be read") as error:
            open_domain(name, root, "train")
        one_sentence(error)


# logger


class Late(Game):
    """A game with a loss that is there from the fifth step on."""

    def discriminator(self, judge, real, fake, clock):
        return {"gap": (judge(fake).mean() - judge(real).mean()).square()}

    def generator(self, judge, real, fake, clock):
        gap = {"gap": -judge(fake).mean()}
        return gap if clock.step < 4 else {**gap, "late": judge(fake).square().mean()}


def table(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_rows_are_reports(rows, reports):
    assert [int(row["step"]) for row in rows] == [report.step for report in reports]
    for row, report in zip(rows, reports, strict=True):
        assert {name: float(cell) for name, cell in row.items() if name not in ("step", "epoch") and cell} == report.losses
        assert int(row["epoch"]) == report.clock.epoch


class Reports:
    def __init__(self):
        self.seen = []

    @hookimpl
    def step_reported(self, report):
        self.seen.append(report)


class Crash(BaseException):
    """Ends the process, as far as the engine can tell: nobody is told, and nothing is saved."""


class Death:
    """Ends the run at a step, as a crash would."""

    def __init__(self, step):
        self.step = step

    @hookimpl
    def step_reported(self, report):
        if report.step == self.step:
            raise Crash


LOGGED = {"steps": 8, "log_every": 1, "checkpoint_every": 3, "sample_every": 8}


def test_the_table_has_the_reported_losses(use, tiny, tmp_path):
    use("logger")
    engine, reports = tiny(out=tmp_path / "run", **LOGGED, adversarial="least-squares:r1=1,lazy=2"), Reports()
    with engine.listening(reports, "reports"):
        engine.fit()
    rows = table(tmp_path / "run")
    assert_rows_are_reports(rows, reports.seen)
    assert [bool(row["discriminators/r1_x"]) for row in rows] == [True, False] * 4
    assert list(rows[0])[:3] == ["step", "epoch", "generators/fool_y"]


def test_the_table_of_a_resumed_run_is_that_of_one_that_was_not_stopped(use, tiny, tmp_path):
    use("logger")
    whole, half = (tiny(out=tmp_path / name, **LOGGED, adversarial=Late()) for name in ("whole", "half"))
    reports = Reports()
    with whole.listening(reports, "reports"):
        whole.fit()
    assert_rows_are_reports(table(tmp_path / "whole"), reports.seen)
    assert [bool(row["generators/late_x"]) for row in table(tmp_path / "whole")] == [False] * 4 + [True] * 4
    with half.listening(Death(6), "death"), pytest.raises(Crash):
        half.fit()
    assert len(table(tmp_path / "half")) == 5
    with (tmp_path / "half" / "metrics.csv").open("a") as file:
        file.write("6,1,0.12")  # a crash in the middle of a row
    Engine.resume(tmp_path / "half", adversarial=Late()).fit()
    assert (tmp_path / "half" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()
    assert not list((tmp_path / "half").glob(".metrics*"))


def test_the_logger_says_what_else_happens(use, tiny, tmp_path, caplog):
    use("logger")
    with caplog.at_level(logging.INFO, "translate_example_logger"):
        tiny(out=tmp_path / "run", steps=1).fit()
    said = [record.getMessage() for record in caplog.records if record.name == "translate_example_logger"]
    starts = ["run begins after step 0 of 1", "Step 1: samples in", "Step 1: checkpoint in", "run is finished"]
    assert [start in line for start, line in zip(starts, said, strict=True)] == [True] * 4


def test_without_a_folder_the_logger_writes_nothing(use, tiny, tmp_path, monkeypatch):
    use("logger")
    monkeypatch.chdir(tmp_path)
    tiny(steps=1).fit()
    assert [each.name for each in tmp_path.iterdir()] == ["photos"]


# CUT


@pytest.fixture
def cut(photos, use):
    plugin = use("cut")

    def make(**values):
        return Engine("cut", ("cat", "dog"), data=photos, **{**CUT, **values})

    make.plugin = plugin
    return make


def plain_nce(queries: torch.Tensor, keys: torch.Tensor, temperature: float) -> torch.Tensor:
    losses = []
    for query, key in zip(queries, keys, strict=True):
        for own in range(len(query)):
            likeness = [(query[own] * other).sum() / temperature for other in key]
            losses.append(-torch.log(likeness[own].exp() / sum(each.exp() for each in likeness)))
    return sum(losses) / len(losses)


def test_patch_nce_is_a_cross_entropy(use):
    generator = torch.Generator().manual_seed(0)
    queries, keys = (
        nn.functional.normalize(torch.randn(2, 5, 7, generator=generator, dtype=torch.float64), dim=2) for _ in range(2)
    )
    patch_nce = use("cut").patch_nce
    assert patch_nce(queries, keys, 0.07).item() == pytest.approx(plain_nce(queries, keys, 0.07).item(), rel=1e-9)
    # Where all keys are the same, a query can only guess.
    assert patch_nce(queries, keys[:, :1].expand(-1, 5, -1), 0.07).item() == pytest.approx(math.log(5), rel=1e-12)


def test_patch_nce_keeps_its_precision_under_autocast(use):
    patch_nce = use("cut").patch_nce
    queries, keys = (nn.functional.normalize(torch.randn(1, 9, 8), dim=2) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        assert patch_nce(queries, keys, 0.07) == patch_nce(queries, keys, 0.07).float()
        inside = patch_nce(queries, keys, 0.07)
    assert torch.equal(inside, patch_nce(queries, keys, 0.07))


def test_heads_are_as_wide_as_the_layers_they_see(cut, tmp_path):
    recipe = cut(layers="0,1,2,3,4").recipe
    assert [(head.body[0].in_features, head.body[2].out_features) for head in recipe.F] == [(c, 12) for c in (3, 4, 8, 16, 16)]
    assert "F.3.body.0.weight" in cut().trainer.parameters["generator"]
    for name in ("x", "y"):
        draw(tmp_path / "grey" / name / "0.png", 0, mode="L")
    grey = Engine("cut", ("x", "y"), data=tmp_path / "grey", **{**CUT, "batch": 1, "generator": "resnet:blocks=2,channels=3"})
    assert [head.body[0].in_features for head in grey.recipe.F] == [1, 6, 12, 12]


def plain_cut(recipe, batches, total: int, identity: bool, flip: bool, weight: float) -> None:
    """Park et al., 2020, and the authors' code: changes ``recipe``'s networks."""
    G, D, F = recipe.G, recipe.D, recipe.F
    adams = [adam(network, 2e-4) for network in (G, F, D)]

    def nce(source, made, mirrored):
        total_loss = 0
        seen, wanted = ([network[layer] for layer in (0, 2, 3, 4)] for network in (G.features(made), G.features(source)))
        for head, query, key in zip(F, seen, wanted, strict=True):
            query = query.flip(3) if mirrored else query
            height, width = key.shape[2:]
            places = torch.randperm(height * width)[:8]
            sides = []
            for features in (query, key):
                rows = torch.stack([features[:, :, at // width, at % width] for at in places.tolist()], dim=1)
                hidden = (rows @ head.body[0].weight.T + head.body[0].bias).clamp(min=0)
                out = hidden @ head.body[2].weight.T + head.body[2].bias
                sides.append(out / (out.square().sum(2, keepdim=True).sqrt() + 1e-7))
            total_loss = total_loss + weight * plain_nce(sides[0], sides[1].detach(), 0.07)
        return total_loss / len(F)

    for step, batch in enumerate(batches):
        x, y = batch.images
        for each in adams:
            each.param_groups[0]["lr"] = 2e-4 * (1 - max(0, step + 1 - round(total / 2)) / (total - round(total / 2) + 1))
        with seeded(torch.device("cpu"), derive(0, "step", step)):
            mirrored = flip and torch.rand(()).item() < 0.5
            fake = G(x.flip(3)) if mirrored else G(x)
            adams[2].zero_grad()
            (0.5 * (((D(y) - 1) ** 2).mean() + (D(fake.detach()) ** 2).mean())).backward()
            adams[2].step()
            adams[0].zero_grad()
            adams[1].zero_grad()
            loss = nce(x, fake, mirrored)
            if identity:
                loss = 0.5 * (loss + nce(y, G(y.flip(3) if mirrored else y), mirrored))
            (((D(fake) - 1) ** 2).mean() + loss).backward()
            adams[0].step()
            adams[1].step()


@pytest.mark.parametrize(("identity", "flip", "weight"), [(True, False, 1.0), (False, True, 10.0)], ids=["cut", "fastcut"])
def test_steps_of_cut_equal_the_authors_update_written_out_plainly(cut, identity, flip, weight):
    engine = cut(identity=identity, flip=flip, nce_weight=weight, steps=3)
    batches = in_double(engine, 3)
    plain = copy.deepcopy(engine.recipe)
    for step, batch in enumerate(batches):
        losses = engine.trainer.step([[batch]], Clock(step, 3))
    assert set(losses) >= {"discriminator/real", "discriminator/fake", "generator/fool", "generator/nce_x"}
    assert ("generator/nce_y" in losses) == identity
    plain_cut(plain, batches, 3, identity, flip, weight)
    assert_same_weights(engine.recipe, plain)


def test_a_mirrored_step_compares_as_if_it_were_not(cut):
    """A generator that leaves its picture alone is blamed for nothing more when it is shown the mirror image."""
    recipe = cut().recipe.double()
    x = torch.rand(2, 3, 16, 16, dtype=torch.float64) * 2 - 1
    losses = []
    for made, mirrored in ((x, False), (x.flip(3), True)):
        torch.manual_seed(0)
        recipe.layers = [0]
        recipe.F = recipe.F[:1]
        losses.append(recipe.compared(x, made, mirrored).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_the_encoder_learns_from_the_comparison_in_half_precision(cut):
    """Keys are computed without gradients, and autocast must not hand their weights to the queries."""
    recipe = cut(precision="bf16", layers="4").recipe
    x, y = torch.rand(2, 2, 3, 16, 16) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        recipe.compared(x, y).backward()
    assert recipe.G.down[1].weight.grad.abs().max() > 0


def test_cut_has_the_papers_defaults(cut):
    chosen = cut.plugin.CUT.Options()
    assert (chosen.adversarial_weight, chosen.nce_weight, chosen.identity, chosen.flip) == (1, 1, True, False)
    assert (chosen.temperature, chosen.patches, chosen.width, chosen.lr, chosen.beta1) == (0.07, 256, 256, 2e-4, 0.5)
    assert str(chosen.adversarial) == "least-squares"


def test_cut_goes_on_bit_for_bit_and_its_weights_serve(cut, tmp_path):
    resumed = assert_goes_on_bit_for_bit(cut, tmp_path / "run")
    assert_weights_serve(resumed, "dog", tmp_path / "w.safetensors")
    assert {key.split(".")[0] for key in resumed.recipe.exported()} == {"G"}


def test_cut_refuses_in_one_sentence(cut, tmp_path):
    with pytest.raises(UserError, match=r"generator 'unet' does not show it .*--generator resnet") as error:
        cut(generator="unet:channels=2", size=32)
    one_sentence(error)
    for layers in ("0,5", "0,,2", "x", "-1"):
        with pytest.raises(UserError, match="numbers from 0 to 4, the features of generator 'resnet'") as error:
            cut(layers=layers)
        one_sentence(error)
    draw(tmp_path / "mixed" / "x" / "0.png", 0, mode="L")
    draw(tmp_path / "mixed" / "y" / "0.png", 0)
    with pytest.raises(UserError, match="'y' has 3 channels where 'x' has 1; give it domains") as error:
        Engine("cut", ("x", "y"), data=tmp_path / "mixed", **CUT)
    one_sentence(error)


def test_cut_translates_one_way(cut):
    recipe = cut().recipe
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(recipe.translate(image, 0, 1), recipe.G(image))
    assert recipe.translate(image, 1, 1) is image
    with pytest.raises(UserError, match="from 'cat' to 'dog'; for the other, train with --domains dog cat") as error:
        recipe.translate(image, 1, 0)
    one_sentence(error)


def test_a_run_of_cut_shows_the_way_that_it_learns(cut, tmp_path):
    assert_shows_one_way(cut(out=tmp_path / "run", steps=1).fit(), "dog", "cat")


# StarGAN


@pytest.fixture
def star(tmp_path, use):
    plugin = use("stargan")
    for number, name in enumerate(("spring", "summer", "winter")):
        for index in range(4):
            draw(tmp_path / "photos" / name / f"{index}.png", 10 * number + index, (16, 16))

    def make(**values):
        return Engine("stargan", ("spring", "summer", "winter"), data=tmp_path / "photos", **{**STAR, **values})

    make.plugin = plugin
    return make


def test_stargan_trains_on_three_domains_and_shows_every_pair(star, tmp_path):
    engine = star(out=tmp_path / "run").fit()
    shown = opened(tmp_path / "run" / "samples" / "000004.png")
    two = opened(star_of_two(tmp_path).out / "samples" / "000004.png")
    assert shown.width > 2 * two.width or shown.height > 2 * two.height  # six pairs instead of two
    assert_weights_serve(engine, "winter", tmp_path / "w.safetensors")


def star_of_two(tmp_path) -> Engine:
    return Engine("stargan", ("spring", "summer"), data=tmp_path / "photos", out=tmp_path / "two", **STAR).fit()


def test_labels_reach_the_generator(star):
    engine = star()
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        made = [
            engine.translate(image, to=name, source="winter" if name != "winter" else "spring")
            for name in ("spring", "summer", "winter")
        ]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert (made[one] - made[other]).abs().max() > 0.01
        labels = torch.eye(3)[:, :, None, None].expand(-1, -1, 16, 16)
        direct = engine.recipe.G(torch.cat([image.expand(3, -1, -1, -1), labels], dim=1))
    assert torch.allclose(torch.cat(made), direct, atol=1e-6)
    assert engine.recipe.translate(image, 1, 1) is image


def test_a_generator_that_hears_no_label_is_refused(star):
    """Where padding reflects and the first layer is normalised, a constant channel leaves no trace at all."""
    with pytest.raises(
        UserError, match=r"'resnet' makes the same picture whichever domain it is told, .* --generator stargan"
    ) as error:
        star(generator="resnet:blocks=1,channels=4")
    one_sentence(error)
    star(generator="unet:channels=2", size=32)


def test_what_the_judge_of_stargan_minimises(star):
    recipe = star().recipe.double()
    batch = Batch(tuple(torch.rand(3, 2, 3, 16, 16, dtype=torch.float64) * 2 - 1), 0, 0)
    torch.manual_seed(7)
    losses = next(recipe.step([batch], Clock(0, 4))).losses
    torch.manual_seed(7)
    x, source = torch.cat(batch.images), torch.tensor([0, 0, 1, 1, 2, 2])
    target = source[torch.randperm(6)]
    assert not torch.equal(target, source)
    fake = torch.cat([recipe.translate(one[None], -1, number) for one, number in zip(x, target.tolist(), strict=True)]).detach()
    between = (x + torch.rand(6, 1, 1, 1, dtype=torch.float64) * (fake - x)).requires_grad_()
    (slope,) = torch.autograd.grad(recipe.D(between).sum(), between)
    scores = recipe.D.classify(x).detach()
    expected = {
        "real": -recipe.D(x).mean().item(),
        "fake": recipe.D(fake).mean().item(),
        "gradient_penalty": 10 * (slope.flatten(1).square().sum(1).sqrt() - 1).square().mean().item(),
        "domain": -sum(math.log(row[own].exp() / row.exp().sum()) for row, own in zip(scores, source, strict=True)) / 6,
    }
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(expected, rel=1e-9)


def test_what_the_translator_of_stargan_minimises(star):
    recipe = star(n_critic=1).recipe.double()
    batch = Batch(tuple(torch.rand(3, 2, 3, 16, 16, dtype=torch.float64) * 2 - 1), 0, 0)
    torch.manual_seed(7)
    _, update = recipe.step([batch], Clock(0, 4))
    torch.manual_seed(7)
    x, source = torch.cat(batch.images), torch.tensor([0, 0, 1, 1, 2, 2])
    target = source[torch.randperm(6)]
    fake = recipe.towards(x, target)
    scores = recipe.D.classify(fake).detach()
    expected = {
        "fool": -recipe.D(fake).mean().item(),
        "domain": -sum(math.log(row[own].exp() / row.exp().sum()) for row, own in zip(scores, target, strict=True)) / 6,
        "reconstruct": 10 * (recipe.towards(fake, source) - x).abs().mean().item(),
    }
    assert (update.group, {name: loss.item() for name, loss in update.losses.items()}) == (
        "generator",
        pytest.approx(expected, rel=1e-9),
    )


def test_the_judge_of_stargan_learns_five_times_as_often(star):
    recipe = star(n_critic=5).recipe
    batch = Batch(tuple(torch.rand(3, 1, 3, 16, 16)), 0, 0)
    groups = [[update.group for update in recipe.step([batch], Clock(step, 10))] for step in range(10)]
    assert [len(each) for each in groups] == [1, 1, 1, 1, 2] * 2
    assert groups[4] == ["discriminator", "generator"]
    chosen = star.plugin.StarGAN.Options()
    assert (chosen.n_critic, chosen.domain_weight, chosen.reconstruction_weight, chosen.lr, chosen.beta1) == (5, 1, 10, 1e-4, 0.5)


def test_published_networks_of_stargan_are_as_large_as_the_authors(star):
    with torch.device("meta"):
        generator = star.plugin.StarGenerator(*spaces(8, 3, size=(128, 128)), star.plugin.StarGenerator.Options())
        judge = star.plugin.TwoHeads(*spaces(3, size=(128, 128)), 5, 64, 6)
    convolutions = sum(16 * before * after + after for before, after in pairwise((3, 64, 128, 256, 512, 1024, 2048)))
    assert [sum(each.numel() for each in network.parameters()) for network in (generator, judge)] == [
        8_430_528,
        convolutions + 9 * 2048 + 4 * 2048 * 5,
    ]
    assert judge(torch.empty(1, 3, 128, 128, device="meta")).shape == (1, 1, 2, 2)
    assert judge.classify(torch.empty(1, 3, 128, 128, device="meta")).shape == (1, 5)


def test_stargan_goes_on_bit_for_bit(star, tmp_path):
    assert_goes_on_bit_for_bit(star, tmp_path / "run")


def test_stargan_refuses_in_one_sentence(star, tmp_path):
    with pytest.raises(UserError, match="16x16 is too small for that; raise --size, or lower --judge-layers") as error:
        star(judge_layers=5)
    one_sentence(error)
    draw(tmp_path / "photos" / "grey" / "0.png", 0, mode="L")
    with pytest.raises(UserError, match="'grey' has 1 channel where 'spring' has 3") as error:
        Engine("stargan", ("spring", "grey"), data=tmp_path / "photos", **STAR)
    one_sentence(error)
    with pytest.raises(UserError, match="needs 2 or more domains"):
        Engine("stargan", ("spring",), data=tmp_path / "photos", **STAR)


# pix2pix


@pytest.fixture
def pix(tmp_path, use):
    """pix2pix on pictures and their negatives."""
    plugin = use("pix2pix")
    for index in range(5):
        picture = opened(draw(tmp_path / "pairs" / "photo" / f"{index}.png", index, (36, 40)))
        (tmp_path / "pairs" / "negative").mkdir(exist_ok=True)
        ImageOps.invert(picture).save(tmp_path / "pairs" / "negative" / f"{index}.png")

    def make(**values):
        return Engine("pix2pix", ("photo", "negative"), data=tmp_path / "pairs", **{**PIX, **values})

    make.plugin = plugin
    return make


def test_the_judge_sees_pairs_that_belong_together(pix):
    """Through shuffling, crops and flips."""
    engine = pix(augment="paper", steps=6)
    seen = []
    engine.recipe.D.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    list(engine.steps())
    real, fake = seen[::3], seen[1::3]
    assert len(real) == len(fake) == 6
    for pair, other in zip(real, fake, strict=True):
        assert pair.shape == (2, 6, 32, 32)
        assert pair[:, :3].std() > 0.1
        assert (pair[:, :3] + pair[:, 3:]).abs().max() <= 2.01 / 127.5  # pixels were rounded twice
        assert torch.equal(other[:, :3], pair[:, :3])
        assert not torch.equal(other[:, 3:], pair[:, 3:])
    assert len({tuple(each.flatten(1).sum(1).tolist()) for each in real}) == 6


def test_steps_of_pix2pix_equal_the_papers_update_written_out_plainly(pix):
    engine = pix(steps=3)
    batches = in_double(engine, 3)
    plain = copy.deepcopy(engine.recipe)
    for step, batch in enumerate(batches):
        losses = engine.trainer.step([[batch]], Clock(step, 3))
    assert set(losses) == {"discriminator/real", "discriminator/fake", "generator/fool", "generator/reconstruct"}

    G, D = plain.G, plain.D
    adam_g, adam_d = adam(G, 2e-4), adam(D, 2e-4)
    for step, batch in enumerate(batches):
        x, y = batch.images
        for each in (adam_g, adam_d):
            each.param_groups[0]["lr"] = 2e-4 * (1, 1, 1 / 2)[step]  # flat for round(3 / 2) = 2 steps, then 1 - 1 / 2
        fake = G(x)
        real_score, fake_score = D(torch.cat([x, y], 1)), D(torch.cat([x, fake.detach()], 1))
        adam_d.zero_grad()
        (-0.5 * (torch.log(torch.sigmoid(real_score)).mean() + torch.log(1 - torch.sigmoid(fake_score)).mean())).backward()
        adam_d.step()
        adam_g.zero_grad()
        (-torch.log(torch.sigmoid(D(torch.cat([x, fake], 1)))).mean() + 100 * (fake - y).abs().mean()).backward()
        adam_g.step()
    assert_same_weights(engine.recipe, plain)


def test_pix2pix_judges_domains_of_other_channels(pix, tmp_path):
    for index in range(2):
        draw(tmp_path / "mixed" / "labels" / f"{index}.png", index, mode="L")
        draw(tmp_path / "mixed" / "photo" / f"{index}.png", index)
    engine = Engine("pix2pix", ("labels", "photo"), data=tmp_path / "mixed", **PIX)
    next(engine.steps())
    assert engine.recipe.D.body[0].in_channels == 4


def test_pix2pix_goes_on_bit_for_bit_and_its_weights_serve(pix, tmp_path):
    resumed = assert_goes_on_bit_for_bit(pix, tmp_path / "run")
    assert_weights_serve(resumed, "negative", tmp_path / "w.safetensors")


def test_pix2pix_refuses_in_one_sentence(pix, tmp_path):
    image = torch.rand(1, 3, 32, 32)
    with pytest.raises(
        UserError, match="from 'photo' to 'negative'; for the other, train with --domains negative photo"
    ) as error:
        pix().recipe.translate(image, 1, 0)
    one_sentence(error)
    with pytest.raises(UserError, match="here it is given none") as error:
        pix(reconstruction="feature-matching")
    one_sentence(error)
    (tmp_path / "pairs" / "negative" / "3.png").unlink()
    with pytest.raises(UserError, match="'3' of 'photo' has no counterpart"):
        pix()


def test_a_run_of_pix2pix_shows_the_way_that_it_learns(pix, tmp_path):
    assert_shows_one_way(pix(out=tmp_path / "run", steps=1).fit(), "negative", "photo")
