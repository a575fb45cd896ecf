"""Backbones: which models, with which weights, and what is said where there are none."""

from __future__ import annotations

import subprocess
import sys
import time

import huggingface_hub.constants as hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from translate import Frozen, UserError
from translate.pretrained import backbones
from translate_timm import pretrained
from translate_timm.backbone import Backbone, Choice, frozen, levelled

#: Models that timm has for tests: half a million parameters or fewer.
TINY = ["test_resnet", "test_efficientnet", "test_convnext", "test_mambaout"]


def backbone(name: str = "test_resnet", channels: int = 3, size=None, *, begin: bool = True, fit: bool = False, **values):
    result = Backbone(Choice(backbone=name, **values), channels, size, fit=fit)
    if begin:
        result.begin()
    return result


def a_picture(channels: int = 3, height: int = 64, width: int = 32) -> torch.Tensor:
    return torch.rand(2, channels, height, width) * 2 - 1


def published(network: torch.nn.Module, path):
    save_file(network.state_dict(), path)
    return path


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    """A hub that nothing was fetched from, and whose address nobody answers at."""
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(hub, "ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "hub"


def test_registering_loads_no_timm():
    code = (
        "import sys, translate_timm; print([name for name in sys.modules if name.partition('.')[0] in ('timm', 'torchvision')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_maps_are_as_announced(name, channels):
    network = backbone(name, channels)
    maps = network(a_picture(channels))
    assert len(maps) == len(network.channels) == len(network.reductions)
    for each, width, reduction in zip(maps, network.channels, network.reductions, strict=True):
        assert each.shape == (2, width, 64 // reduction, 32 // reduction)


def test_levels_are_the_finest_and_what_is_beyond_is_not_trained():
    assert backbone("test_resnet", levels=2).reductions == [2, 4]
    network = backbone("test_efficientnet", levels=2)  # timm keeps all of its layers
    assert network.reductions == [2, 4]
    sum(each.mean() for each in network(a_picture())).backward()
    assert all((each.grad is not None) == each.requires_grad for each in network.parameters())
    assert any(not each.requires_grad for each in network.parameters())
    with pytest.raises(UserError, match="'test_resnet' has 5 levels, not 6; lower levels"):
        backbone("test_resnet", levels=6)


@pytest.mark.parametrize(
    ("size", "fitting", "with_pixels"),
    [((64, 32), 5, 5), ((48, 16), 4, 4), ((24, 24), 3, 4), ((30, 40), 1, 4), ((31, 65), 1, 4), ((8, 64), 3, 3)],
)
def test_by_default_levels_suit_the_size(size, fitting, with_pixels):
    assert len(backbone(size=size, fit=True).reductions) == fitting
    assert len(backbone(size=size).reductions) == with_pixels
    assert len(backbone(levels=5, size=size).reductions) == 5


def test_pictures_are_normalised_as_the_weights_expect():
    network = backbone("test_efficientnet")
    seen = []
    network.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(a_picture() * 0 - 1)
    network(a_picture() * 0 + 1)
    mean, deviation = (torch.tensor(network.network.pretrained_cfg[key]) for key in ("mean", "std"))
    torch.testing.assert_close(seen[0][0, :, 0, 0], (0 - mean) / deviation)
    torch.testing.assert_close(seen[1][0, :, 0, 0], (1 - mean) / deviation)


def test_an_unknown_model_is_told_with_the_nearest_name():
    with pytest.raises(UserError, match=r"no model 'resnet1888'\. Did you mean 'resnet18'\?"):
        backbone("resnet1888")
    with pytest.raises(UserError, match=r"no model 'resnet18.a9_in1k'\. Did you mean 'resnet18.a\d_in1k'\?"):
        backbone("resnet18.a9_in1k")
    with pytest.raises(UserError, match="no model 'hf-hub:somebody/something'"):  # and nothing is fetched to find out
        backbone("hf-hub:somebody/something")


def test_a_model_that_is_no_backbone_is_refused(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("features_only not implemented for these models.")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(UserError, match=r"cannot make a backbone .* 'test_resnet' \(RuntimeError: features_only not implemented"):
        backbone()


def test_a_model_of_one_size_works_where_the_size_is_known():
    assert backbone("test_vit", size=(64, 32)).reductions == [16, 16, 16]
    with pytest.raises(UserError, match="'test_vit' takes pictures of one size"):
        backbone("test_vit")
    with pytest.raises(UserError, match="'inception_v3:levels=4,pretrained=false' does not take pictures of 16x16"):
        backbone("inception_v3", size=(16, 16))


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("form", ["model", "backbone"])
def test_weights_from_a_file_give_the_features_of_their_model(name, form, tmp_path):
    torch.manual_seed(1)
    model = timm.create_model(name)
    source = timm.create_model(name, features_only=True)
    with torch.no_grad():
        for each in model.buffers():  # so that running statistics count, too
            if each.is_floating_point():
                each.add_(torch.rand_like(each))
    source.load_state_dict({each: dict(_canonical(model))[each.replace(".", "_")] for each in source.state_dict()})
    path = published(model if form == "model" else source, tmp_path / "weights.safetensors")

    network = backbone(name, pretrained=str(path)).eval()
    image = a_picture()
    expected = source.eval()(image * network.scale + network.shift)
    for given, wanted in zip(network.network(image * network.scale + network.shift), expected, strict=True):
        assert torch.equal(given, wanted)
    assert backbones(network) == {f"timm/{name}:pretrained=weights.safetensors": pretrained.digest(source)}


def _canonical(model):
    return ((key.replace(".", "_"), tensor) for key, tensor in model.state_dict().items())


@pytest.mark.parametrize("channels", [1, 4])
def test_weights_are_fitted_to_the_channels_of_the_pictures(channels, tmp_path):
    source = timm.create_model("test_resnet")
    path = published(source, tmp_path / "weights.safetensors")
    network = backbone("test_resnet", channels, pretrained=str(path), levels=2)
    first = network.network.state_dict()["conv1.0.weight"]
    theirs = source.state_dict()["conv1.0.weight"]
    if channels == 1:  # a grey picture is three equal channels
        torch.testing.assert_close(first, theirs.sum(dim=1, keepdim=True))
    assert first.shape[1] == channels
    (label,) = network.backbones
    assert label == f"timm/test_resnet:levels=2,channels={channels},pretrained=weights.safetensors"


def test_weights_are_loaded_at_the_beginning_and_not_before(tmp_path):
    network = backbone(pretrained=str(tmp_path / "nowhere.pth"), begin=False)
    assert network.backbones == {}
    with pytest.raises(UserError, match=r"no file .*nowhere\.pth with pretrained weights; pretrained is true, false, or"):
        network.begin()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda state, path: path.write_bytes(b"nothing"), r"cannot be read as weights \(SafetensorError"),
        (lambda state, path: path.write_bytes(path.read_bytes()[:5000]), r"cannot be read as weights \(SafetensorError"),
        (
            lambda state, path: save_file({key: each for key, each in state.items() if key != "bn1.weight"}, path),
            r"does not hold the weights of timm model 'test_resnet': it lacks 'bn1\.weight'",
        ),
        (
            lambda state, path: save_file({**state, "bn1.weight": torch.ones(7)}, path),
            r"'bn1\.weight' is \(7,\) in the file and \(32,\) in the model",
        ),
        (
            lambda state, path: save_file({**state, "conv1.0.weight": torch.ones(16, 5, 3, 3)}, path),
            r"'conv1\.0\.weight' is \(16, 5, 3, 3\) in the file and \(\d+, 3, 3, 3\) in the model",
        ),
    ],
)
def test_files_that_do_not_fit_get_a_sentence(damage, sentence, tmp_path):
    model = timm.create_model("test_resnet")
    path = published(model, tmp_path / "weights.safetensors")
    damage(model.state_dict(), path)
    with pytest.raises(UserError, match=sentence):
        backbone(pretrained=str(path))


@pytest.mark.parametrize("name", ["weights.pth", "weights.bin", "weights"])
def test_a_file_that_may_run_code_is_not_opened(name, tmp_path, monkeypatch):
    path = tmp_path / name
    torch.save(timm.create_model("test_resnet").state_dict(), path)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(UserError, match=r"are read from .safetensors files alone, and .*weights.* is none"):
        backbone(pretrained=str(path))


def test_without_a_connection_pretrained_weights_are_refused_at_once(empty_hub):
    begun = time.monotonic()
    with pytest.raises(
        UserError,
        match=r"of timm model 'test_resnet' are not on this machine and could not be fetched \(\w+: .*\); "
        r"use pretrained=false, or pretrained=FILE with weights that you have\.$",
    ):
        backbone(pretrained="true")
    assert time.monotonic() - begun < 10  # the hub's library by itself would try for 46 seconds


def test_the_hubs_offline_mode_is_said(empty_hub, monkeypatch):
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"could not be fetched \(OfflineModeIsEnabled: "):
        backbone(pretrained="true")


@pytest.mark.parametrize("error", [OSError("no route"), RuntimeError("bad hash"), ValueError(), ConnectionResetError("reset")])
def test_whatever_a_download_raises_becomes_a_sentence(error, monkeypatch):
    network = backbone(pretrained="true", begin=False)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(timm, "create_model", fail)
    monkeypatch.setattr(pretrained, "_cached", lambda *_: None)
    monkeypatch.setattr(pretrained, "_knock", lambda *_: None)
    with pytest.raises(UserError, match=rf"could not be fetched \({type(error).__name__}"):
        network.begin()


def test_a_model_without_published_weights_says_so():
    with pytest.raises(UserError, match="publishes no weights of its model 'test_mambaout'; use pretrained=false"):
        backbone("test_mambaout", pretrained="true")


@pytest.mark.parametrize(("channels", "levels"), [(3, None), (1, 3)])
def test_weights_that_were_fetched_before_need_no_connection(channels, levels, empty_hub):
    model = timm.create_model("test_resnet")
    folder = empty_hub / "models--timm--test_resnet.r160_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("c0ffee")
    (folder / "snapshots" / "c0ffee").mkdir(parents=True)
    path = published(model, folder / "snapshots" / "c0ffee" / "model.safetensors")
    network = backbone("test_resnet", channels, pretrained="true", levels=levels)
    assert torch.equal(network.network.state_dict()["bn1.running_var"], model.state_dict()["bn1.running_var"])
    (label,) = network.backbones
    assert label == ("timm/test_resnet" if channels == 3 else "timm/test_resnet:levels=3,channels=1")
    same = backbone("test_resnet", channels, pretrained=str(path), levels=levels)
    assert list(same.backbones.values()) == list(network.backbones.values())

    path.write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"weights of timm model 'test_resnet' in .*model\.safetensors cannot be used"):
        backbone("test_resnet", channels, pretrained="true")


def test_the_digest_is_of_names_and_values():
    torch.manual_seed(0)
    network = torch.nn.BatchNorm2d(2)
    before = pretrained.digest(network)
    assert before.startswith("sha256:")
    assert pretrained.digest(torch.nn.BatchNorm2d(2)) == before
    network.running_mean += 1
    assert pretrained.digest(network) != before
    assert pretrained.digest(torch.nn.BatchNorm2d(3)) != before


def test_a_frozen_backbone_is_the_same_for_the_same_seed_and_declared():
    torch.manual_seed(3)
    first = frozen(Choice("test_resnet"), 3)
    torch.manual_seed(3)
    second = frozen(Choice("test_resnet"), 3)
    other = frozen(Choice("test_resnet"), 3)
    declared, again, another = first.backbones, second.backbones, other.backbones
    assert isinstance(first, Frozen)
    assert list(declared) == ["timm/test_resnet:pretrained=false"]
    assert declared == again != another
    image = a_picture()
    assert all(torch.equal(a, b) for a, b in zip(first(image), second(image), strict=True))
    assert not torch.equal(first(image)[0], other(image)[0])


def test_building_draws_nothing_for_its_trial():
    torch.manual_seed(0)
    timm.create_model("test_resnet", features_only=True)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    backbone()
    assert torch.equal(torch.rand(1), drawn)


def test_levelled_features_have_a_mean_square_of_1_and_nothing_stays_nothing():
    features = torch.randn(2, 5, 3, 3) * 7
    torch.testing.assert_close(levelled(features).square().mean(dim=1), torch.ones(2, 3, 3))
    nothing = torch.zeros(1, 2, 1, 1, requires_grad=True)
    levelled(nothing).sum().backward()
    assert torch.isfinite(nothing.grad).all()
    assert levelled(features.bfloat16()).dtype == torch.float32
