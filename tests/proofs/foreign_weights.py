"""Weights of the public networks at their published sizes, imported, run and exported; and 5,000 damaged files.

    python tests/proofs/foreign_weights.py

Each network is written plainly in tests/public_networks.py, saved as its program saves it, and imported; the pictures of both are compared,
and what is exported with what was imported. Then a small file of either kind is cut or changed at random: each must be read, or refused
with a sentence.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

import public_networks as public

from translate import Engine, UserError
from translate.foreign import files
from translate.foreign.exporting import export_weights
from translate.foreign.importing import Choice, import_weights
from translate.plugins import installed

NETWORKS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "ResNet, 9 blocks": ("pytorch-cyclegan", lambda: public.resnet(9, 64)),
    "ResNet, 6 blocks": ("pytorch-cyclegan", lambda: public.resnet(6, 64)),
    "U-Net-256, instance norm": ("pytorch-cyclegan", lambda: public.unet(8, 64)),
    "U-Net-256, batch norm": ("pytorch-cyclegan", lambda: public.unet(8, 64, batch=True)),
    "DCGAN": ("dcgan", lambda: public.dcgan(64)),
    "DiscoGAN": ("discogan", lambda: public.discogan(64)),
    "DiscoGAN, bottleneck": ("discogan", lambda: public.discogan(64, 100)),
}
MUTANTS = 5_000


def initialised(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0.0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def difference(form: str, network: nn.Module, weights: Path) -> float:
    """The largest difference between the public network's pictures and ours."""
    engine = Engine.load(weights, device="cpu", fast=["none"])
    if form == "dcgan":
        noise = torch.randn(4, 100)
        return float((engine.sample(noise) - public.run(network, noise[:, :, None, None])).abs().max())
    x = torch.rand(1, *engine.spaces[0].shape) * 2 - 1
    bgr = form == "discogan"
    theirs = 2 * public.run(network, (x.flip(1) + 1) / 2).flip(1) - 1 if bgr else public.run(network, x)
    with torch.no_grad():
        return float((engine.translate(x, to="y") - theirs).abs().max())


def check(name: str, folder: Path) -> bool:
    form, make = NETWORKS[name]
    network = initialised(make())
    torch.save(network.state_dict(), folder / "there.pth")
    domains = ("y",) if form == "dcgan" else ("x", "y")
    began = time.perf_counter()
    made = import_weights([folder / "there.pth"], Choice(domains=domains), installed())
    seconds = time.perf_counter() - began
    made.write(folder / "here.safetensors")
    apart = difference(form, network, folder / "here.safetensors")
    (file,) = export_weights(str(folder / "here.safetensors"), form, folder / "out", installed())
    back, state = torch.load(file, weights_only=True), network.state_dict()
    same = back.keys() == state.keys() and all(torch.equal(back[key], each) for key, each in state.items())
    file.unlink()
    count = sum(each.numel() for each in network.parameters())
    print(f"{name}: {count:,} parameters, imported in {seconds:.2f} s, {apart:.1e} apart, exported bit for bit: {same}")
    return same and apart <= 1e-6


def mutate(folder: Path) -> bool:
    """Whether every damaged file is read, or refused with a sentence; anything else that is raised ends the proof.

    A zip has checksums, so what is read of one has the numbers that were saved; older files have none.
    """
    chance, read, altered, slowest = random.Random(0), 0, {True: 0, False: 0}, 0.0
    path = folder / "mutant.pth"
    torch.manual_seed(0)
    state = public.dcgan(2, z=3, doublings=2).state_dict()
    for turn in range(MUTANTS):
        new = turn % 2 == 0
        torch.save(state, path, _use_new_zipfile_serialization=new)
        data = bytearray(path.read_bytes())
        if turn % 5 == 0:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.choice((1, 1, 3, 10))):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        began = time.perf_counter()
        try:
            found, _ = files.read(path)
        except UserError:
            pass
        else:
            read += 1
            altered[new] += not all(torch.equal(found[key], state[key].to(found[key])) for key in found.keys() & state.keys())
        slowest = max(slowest, time.perf_counter() - began)
    print(
        f"{MUTANTS:,} damaged files: {read:,} read, {MUTANTS - read:,} refused with a sentence, the slowest after {slowest:.2f} s; "
        f"read with other numbers: {altered[True]:,} of the present kind, {altered[False]:,} of the one before 2020"
    )
    return read < MUTANTS and not altered[True]


def main() -> int:
    installed()
    with TemporaryDirectory() as folder:
        results = [check(name, Path(folder)) for name in NETWORKS]
        results.append(mutate(Path(folder)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
