"""Foreign weights become ours: the same pictures as from the public networks, written plainly, and the same files on the way back."""

from __future__ import annotations

import copy

import public_networks as public
import pytest
import torch
from public_networks import run, trained, with_old_statistics

from translate import Engine, UserError
from translate.checkpoint import load_weights
from translate.foreign.exporting import export_weights
from translate.foreign.importing import Choice, import_weights
from translate.options import Size
from translate.plugins import installed


def imported(path, paths, **choice):
    made = import_weights(paths, Choice(**{"domains": ("horse", "zebra"), **choice}), installed())
    made.write(path)
    return made, Engine.load(path, device="cpu", fast=["none"])  # faster ways are as close to float64, and not to each other


def saved(path, state):
    torch.save(state, path)
    return path


def picture(side=32, channels=3, seed=0):
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


#: Name → the network there, the size of pictures, and the part that it becomes.
TRANSLATORS = {
    "resnet": (lambda: public.resnet(2, 4), 32, "resnet:blocks=2,channels=4"),
    "resnet with dropout": (lambda: public.resnet(2, 4, dropout=True), 32, "resnet:blocks=2,channels=4"),
    "unet": (lambda: public.unet(5, 2), 64, "unet:channels=2,downs=5"),
    "unet-256": (lambda: public.unet(8, 1), 256, "unet:channels=1,downs=8"),
    "pix2pix": (lambda: public.unet(5, 2, batch=True), 64, "unet-batch:channels=2,downs=5"),
}


@pytest.mark.parametrize("name", TRANSLATORS)
@pytest.mark.parametrize("old", [False, True])
def test_a_translator_makes_the_pictures_of_the_public_one(name, old, tmp_path):
    make, side, part = TRANSLATORS[name]
    theirs = trained(make())
    state = with_old_statistics(theirs) if old else theirs.state_dict()
    made, engine = imported(tmp_path / "w.safetensors", [saved(tmp_path / "latest_net_G.pth", state)], size=Size(side, side))
    assert made.header.recipe == "one-sided"
    assert made.header.options["generator"] == part
    brought = {key for key in made.header.versions if key.startswith("plugin")}
    assert brought == ({"plugin foreign"} if name == "pix2pix" else {"plugin foreign", "plugin cyclegan"})
    x = picture(side)
    with torch.no_grad():
        ours = engine.translate(x, to="zebra")
    assert (ours - run(theirs, x)).abs().max() <= 1e-6
    assert ours.std() > 0.01
    statistics = [note for note in made.notes if "running statistics of instance norm" in note]
    assert bool(statistics) == (old and name != "pix2pix")
    if statistics:
        count = sum("running" in key for key in state)
        assert f"Left out {count} tensors" in statistics[0]


def test_two_directions_are_a_cyclegan(tmp_path):
    there, back = (trained(public.resnet(1, 4, *ends), seed) for seed, ends in enumerate(((3, 1), (1, 3))))
    paths = [saved(tmp_path / f"latest_net_G_{name}.pth", each.state_dict()) for name, each in (("A", there), ("B", back))]
    made, engine = imported(tmp_path / "w.safetensors", paths, size=Size(32, 48))
    assert (made.header.recipe, made.format) == ("cyclegan", "pytorch-cyclegan")
    assert [space.shape for space in engine.spaces] == [(3, 32, 48), (1, 32, 48)]
    colour, grey = picture(), picture(channels=1)
    with torch.no_grad():
        assert (engine.translate(colour, to="zebra") - run(there, colour)).abs().max() <= 1e-6
        assert (engine.translate(grey, to="horse") - run(back, grey)).abs().max() <= 1e-6
    with pytest.raises(UserError, match=r"from 3 channels to 1, and .* from 3 to 1; the second must lead back"):
        imported(tmp_path / "w2.safetensors", [paths[0], paths[0]])


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(("doublings", "side", "colours"), [(4, 4, 3), (2, 7, 1)])
def test_dcgan_makes_the_pictures_of_the_public_one(doublings, side, colours, old, tmp_path):
    theirs = trained(public.dcgan(4, z=10, target=colours, doublings=doublings, side=side))
    state = with_old_statistics(theirs) if old else theirs.state_dict()
    made, engine = imported(tmp_path / "w.safetensors", [saved(tmp_path / "netG.pth", state)], domains=("face",))
    assert (made.header.recipe, engine.spaces[0].shape) == ("dcgan", (colours, side * 2**doublings, side * 2**doublings))
    z = torch.randn(3, 10)
    assert (engine.sample(z) - run(theirs, z[:, :, None, None])).abs().max() <= 1e-6
    assert engine.recipe.G.state_dict()["body.1.num_batches_tracked"] == (0 if old else 7)


@pytest.mark.parametrize(("width", "bottleneck"), [(4, 0), (4, 100), (2, 3), (64, 0)])
def test_discogan_sees_bgr_in_zero_to_one(width, bottleneck, tmp_path):
    """Ours is given RGB in [-1, 1] and gives it: theirs BGR in [0, 1]."""
    theirs = trained(public.discogan(width, bottleneck))
    made, engine = imported(tmp_path / "w.safetensors", [saved(tmp_path / "gen.pth", theirs.state_dict())])
    assert made.format == "discogan"
    x = picture(64)
    with torch.no_grad():
        ours = engine.translate(x, to="zebra")
    assert (ours - (2 * run(theirs, (x.flip(1) + 1) / 2).flip(1) - 1)).abs().max() <= 1e-6
    assert (ours - ours.flip(1)).abs().max() > 0.01


def test_other_orders_and_ranges_are_folded_into_the_weights(tmp_path):
    theirs = trained(public.resnet(1, 4))
    (inside,) = theirs.children()
    inside[-1] = torch.nn.Sigmoid()
    path = saved(tmp_path / "g.pth", theirs.state_dict())
    _, engine = imported(tmp_path / "w.safetensors", [path], size=Size(32, 32), order="bgr", range="unit")
    # In double: the same sum in another order differs by 3e-6 in single precision, after some twenty layers.
    x = picture().double()
    with torch.no_grad():
        ours = engine.recipe.double().translate(x, 0, 1)
    assert (ours - (2 * run(theirs.double(), (x.flip(1) + 1) / 2).flip(1) - 1)).abs().max() <= 1e-6


def test_a_network_padded_with_zeros_cannot_take_another_range(tmp_path):
    path = saved(tmp_path / "g.pth", trained(public.unet(5, 2)).state_dict())
    with pytest.raises(UserError, match=r"pads its pictures with zeros, which are black in \[0, 1\]"):
        imported(tmp_path / "w.safetensors", [path], range="unit")


# And back


@pytest.mark.parametrize("name", TRANSLATORS)
def test_what_is_exported_and_imported_is_the_same_bit_for_bit(name, tmp_path):
    make, side, _ = TRANSLATORS[name]
    theirs = trained(make())
    imported(tmp_path / "w.safetensors", [saved(tmp_path / "g.pth", theirs.state_dict())], size=Size(side, side))
    (file,) = export_weights(str(tmp_path / "w.safetensors"), "pytorch-cyclegan", tmp_path / "out", installed())
    assert file.name == "latest_net_G.pth"
    back = torch.load(file, weights_only=True)
    plain = copy.deepcopy(public.resnet(2, 4) if "dropout" in name else theirs)
    plain.load_state_dict(back)  # every name and shape of the public network
    assert torch.equal(run(plain.eval(), picture(side)), run(theirs, picture(side)))
    same_file(import_weights([file], Choice(domains=("horse", "zebra"), size=Size(side, side)), installed()), tmp_path)


def same_file(made, tmp_path):
    made.write(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "w.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("form", "domains", "networks", "size", "names"),
    [
        ("dcgan", ("face",), [lambda: public.dcgan(4)], None, ["netG"]),
        ("discogan", ("a", "b"), [lambda: public.discogan(4)], None, ["model_gen_B"]),
        # DiscoGAN's are called after what they make, CycleGAN's after what they take.
        ("discogan", ("a", "b"), [lambda: public.discogan(4, 100)] * 2, None, ["model_gen_B", "model_gen_A"]),
        ("pytorch-cyclegan", ("a", "b"), [lambda: public.resnet(1, 4)] * 2, Size(16, 16), ["latest_net_G_A", "latest_net_G_B"]),
    ],
)
def test_every_format_and_number_of_files_goes_there_and_back(form, domains, networks, size, names, tmp_path):
    theirs = [trained(make(), seed) for seed, make in enumerate(networks)]
    paths = [saved(tmp_path / f"{number}.pth", each.state_dict()) for number, each in enumerate(theirs)]
    imported(tmp_path / "w.safetensors", paths, domains=domains, size=size)
    files = export_weights(str(tmp_path / "w.safetensors"), form, tmp_path / "out", installed())
    assert [file.stem for file in files] == names
    for file, each in zip(files, theirs, strict=True):
        state = torch.load(file, weights_only=True)
        assert state.keys() == each.state_dict().keys()
        assert all(torch.equal(state[key], tensor) for key, tensor in each.state_dict().items())
    same_file(import_weights(files, Choice(domains=domains, size=size), installed()), tmp_path)


def test_weights_of_a_run_can_be_exported_and_come_back(tiny, tmp_path):
    engine = tiny()
    engine.save(tmp_path / "run.safetensors")
    files = export_weights(str(tmp_path / "run.safetensors"), "pytorch-cyclegan", tmp_path / "out", installed())
    assert [file.name for file in files] == ["latest_net_G_A.pth", "latest_net_G_B.pth"]
    made = import_weights(files, Choice(domains=("cat", "dog"), size=Size(16, 16)), installed())
    mine, _ = load_weights(tmp_path / "run.safetensors")
    assert made.tensors.keys() == mine.keys()
    assert all(torch.equal(made.tensors[key], each) for key, each in mine.items())


def test_what_the_public_code_cannot_build_is_not_exported(tiny, tmp_path):
    tiny(generator="resnet:blocks=1,channels=4,upsample=resize").save(tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"no such network as 'G' of .*upsample=resize: the other program could not build it"):
        export_weights(str(tmp_path / "w.safetensors"), "pytorch-cyclegan", tmp_path / "out", installed())
    with pytest.raises(UserError, match=r"is of recipe 'cyclegan', and format 'dcgan' has files for dcgan alone"):
        export_weights(str(tmp_path / "w.safetensors"), "dcgan", tmp_path / "out", installed())
    assert not (tmp_path / "out").exists()


# Sentences


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (
            lambda: public.patch_judge(4),
            r"x.pth cannot be imported: it is a patch discriminator, and weights hold what translates",
        ),
        (lambda: public.dcgan_judge(4), "it is the discriminator of a DCGAN"),
        (lambda: public.unet(4, 2), "halves 4 times, .* has no network here, and those that halve 5 to 8 times have"),
        (
            lambda: torch.nn.Linear(3, 2),
            r"none of the formats dcgan, discogan and pytorch-cyclegan, .*begin with 'weight' \(2, 3\)",
        ),
    ],
)
def test_what_cannot_be_used_is_named(network, said, tmp_path):
    path = saved(tmp_path / "x.pth", network().state_dict())
    with pytest.raises(UserError, match=said):
        imported(tmp_path / "w.safetensors", [path])


def test_what_does_not_fit_is_named(tmp_path):
    state = trained(public.resnet(1, 4)).state_dict()
    path = saved(tmp_path / "g.pth", state)
    for choice, said in {
        ("format", "dcgan"): "no network of format 'dcgan'",
        ("recipe", "cyclegan"): "Recipe 'cyclegan' has 2 networks, G and F, and 1 files were given",
        ("recipe", "vanilla"): "are for one-sided and cyclegan, not for recipe 'vanilla'",
        ("domains", ("horse",)): "needs 2 domains, and 1 was given",
        ("format", "dcgen"): "Did you mean 'dcgan'",
    }.items():
        with pytest.raises(UserError, match=said):
            imported(tmp_path / "w.safetensors", [path], **dict([choice]))
    state["model.4.weight"] = state["model.4.weight"][:, :3]
    with pytest.raises(UserError, match=r"'G.down.4.weight' is \(8, 3, 3, 3\) in the file and \(8, 4, 3, 3\) here"):
        imported(tmp_path / "w.safetensors", [saved(path, state)], size=Size(32, 32))
    whole = {key: (each * 10).long() for key, each in public.resnet(1, 4).state_dict().items()}
    with pytest.raises(UserError, match=r"have 'G.down.1.weight' in torch.int64, and it must be torch.float32"):
        imported(tmp_path / "w.safetensors", [saved(path, whole)], size=Size(32, 32))
    del state["model.7.bias"]
    with pytest.raises(UserError, match="none of the formats"):
        imported(tmp_path / "w.safetensors", [saved(path, state)])
    dcgan = saved(tmp_path / "d.pth", public.dcgan(4).state_dict())
    with pytest.raises(UserError, match="is for pictures of 64, as its shapes show; leave --size away"):
        imported(tmp_path / "w.safetensors", [dcgan], domains=("face",), size=Size(32, 32))
    with pytest.raises(UserError, match="of several programs, dcgan and pytorch-cyclegan"):
        imported(tmp_path / "w.safetensors", [dcgan, saved(path, public.resnet(1, 4).state_dict())])


@pytest.mark.parametrize(
    ("network", "name", "shape"),
    [
        (lambda: public.dcgan(4), "main.12.weight", (100_000, 3, 1, 1)),
        (lambda: public.discogan(4), "main.0.weight", (100_000, 3, 1, 1)),
        (lambda: public.resnet(1, 4), "model.1.weight", (100_000, 3, 1, 1)),
        (lambda: public.unet(8, 1), "model.model.0.weight", (100_000, 3, 1, 1)),
    ],
)
def test_a_layer_that_claims_to_be_wide_fills_no_memory(network, name, shape, tmp_path):
    """The network that it would be has terabytes."""
    state = {**network().state_dict(), name: torch.zeros(shape)}
    path = saved(tmp_path / "x.pth", state)
    with pytest.raises(UserError, match=r"do not fit these networks: '\w+\..*' is \("):
        imported(tmp_path / "w.safetensors", [path], domains=("a", "b")[: 1 + ("main.12" not in name)])


@pytest.mark.parametrize(
    "network", [lambda: public.resnet(1, 4), lambda: public.unet(5, 2), lambda: public.unet(5, 2, batch=True)]
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_layers_of_no_shape_are_nobodys(network, shape, tmp_path):
    path = saved(tmp_path / "x.pth", {key: torch.zeros(shape) for key in network().state_dict()})
    with pytest.raises(UserError, match="none of the formats"):
        imported(tmp_path / "w.safetensors", [path])


def test_what_one_format_refuses_another_may_take(tmp_path):
    """The last layer of this DiscoGAN is as narrow as that of a DCGAN's judge, which the first format refuses."""
    path = saved(tmp_path / "x.pth", public.discogan(1).state_dict())
    made, _ = imported(tmp_path / "w.safetensors", [path])
    assert made.format == "discogan"


def test_importing_leaves_the_callers_random_state_alone(tmp_path):
    path = saved(tmp_path / "g.pth", public.resnet(1, 4).state_dict())
    before = torch.random.get_rng_state()
    import_weights([path], Choice(domains=("a", "b"), size=Size(32, 32)), installed())
    assert torch.equal(torch.random.get_rng_state(), before)
