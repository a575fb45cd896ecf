"""The networks of other programs, written plainly from what is known of them: layers in their order, under their public names.

Each is a ``torch.nn`` module whose ``state_dict()`` is what a public file holds. Nothing of the library is used.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class Add(nn.Module):
    """A residual block of the public CycleGAN code; with dropout, its second convolution is one place farther."""

    def __init__(self, width: int, dropout: bool = False) -> None:
        super().__init__()
        middle = [nn.Dropout(0.5)] if dropout else []
        first = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU()]
        self.conv_block = nn.Sequential(
            *first, *middle, nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)
        )

    def forward(self, x):
        return x + self.conv_block(x)


def resnet(blocks: int, width: int, source: int = 3, target: int = 3, dropout: bool = False) -> nn.Module:
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(source, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
    for _ in range(2):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()]
        width *= 2
    layers += [Add(width, dropout) for _ in range(blocks)]
    for _ in range(2):
        layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1), nn.InstanceNorm2d(width // 2), nn.ReLU()]
        width //= 2
    layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, target, 7), nn.Tanh()]
    return nn.ModuleDict({"model": nn.Sequential(*layers)})


class Level(nn.Module):
    """A level of the public U-Net, which holds the next one in its midst."""

    def __init__(self, layers, outermost: bool = False) -> None:
        super().__init__()
        self.outermost = outermost
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def unet(downs: int, width: int, source: int = 3, target: int = 3, batch: bool = False) -> nn.Module:
    norm = nn.BatchNorm2d if batch else nn.InstanceNorm2d
    widths = [width * min(2**level, 8) for level in range(downs)]

    def down(before, after):
        return nn.Conv2d(before, after, 4, 2, 1, bias=not batch)

    def up(before, after):
        return nn.ConvTranspose2d(before, after, 4, 2, 1, bias=not batch)

    # The public code's activations work in place: what a level lays beside its result has been through the first of them.
    inner = Level([nn.LeakyReLU(0.2, True), down(*widths[-2:]), nn.ReLU(True), up(widths[-1], widths[-2]), norm(widths[-2])])
    for outer, within in reversed(list(pairwise(widths[:-1]))):
        way_down = [nn.LeakyReLU(0.2, True), down(outer, within), norm(within)]
        inner = Level([*way_down, inner, nn.ReLU(True), up(2 * within, outer), norm(outer)])
    last = nn.ConvTranspose2d(2 * width, target, 4, 2, 1)
    return nn.ModuleDict({"model": Level([down(source, width), inner, nn.ReLU(True), last, nn.Tanh()], outermost=True)})


def dcgan(width: int, z: int = 100, target: int = 3, doublings: int = 4, side: int = 4) -> nn.Module:
    now = width * 2 ** (doublings - 1)
    layers: list[nn.Module] = [nn.ConvTranspose2d(z, now, side, 1, 0, bias=False)]
    for _ in range(doublings - 1):
        layers += [nn.BatchNorm2d(now), nn.ReLU(), nn.ConvTranspose2d(now, now // 2, 4, 2, 1, bias=False)]
        now //= 2
    layers += [nn.BatchNorm2d(now), nn.ReLU(), nn.ConvTranspose2d(now, target, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.ModuleDict({"main": nn.Sequential(*layers)})


def dcgan_judge(width: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for _ in range(3):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
        width *= 2
    return nn.ModuleDict({"main": nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False), nn.Sigmoid())})


def patch_judge(width: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for stride in (2, 2, 1):
        layers += [nn.Conv2d(width, 2 * width, 4, stride, 1), nn.InstanceNorm2d(2 * width), nn.LeakyReLU(0.2)]
        width *= 2
    return nn.ModuleDict({"model": nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))})


def discogan(width: int, bottleneck: int = 0) -> nn.Module:
    w = width

    def down(before, after):
        return [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]

    def up(before, after):
        return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]

    squeeze = [
        *[nn.Conv2d(8 * w, bottleneck, 4, 1, 0, bias=False), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2)],
        *[nn.ConvTranspose2d(bottleneck, 8 * w, 4, 1, 0, bias=False), nn.BatchNorm2d(8 * w), nn.ReLU()],
    ] if bottleneck else []  # fmt: skip
    first = [nn.Conv2d(3, w, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), *down(w, 2 * w), *down(2 * w, 4 * w), *down(4 * w, 8 * w)]
    last = [*up(8 * w, 4 * w), *up(4 * w, 2 * w), *up(2 * w, w), nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False), nn.Sigmoid()]
    return nn.ModuleDict({"main": nn.Sequential(*first, *squeeze, *last)})


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """``network`` in evaluation mode with weights and statistics that are not those of a new one."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            drawn = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn * (0.1 if tensor.dim() > 1 else 0.3))
        else:
            tensor.fill_(7)
    return network.eval()


def with_old_statistics(network: nn.Module) -> dict[str, torch.Tensor]:
    """The state dict as PyTorch before 0.4 wrote it: instance norms had running statistics, and nothing counted batches."""
    state = {name: each for name, each in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    for name, module in network.named_modules():
        if isinstance(module, nn.InstanceNorm2d):
            state[f"{name}.running_mean"] = torch.full((module.num_features,), 0.3)
            state[f"{name}.running_var"] = torch.full((module.num_features,), 2.0)
    return state


def run(network: nn.Module, image: torch.Tensor) -> torch.Tensor:
    """What the network makes of ``image``."""
    (inside,) = network.children()
    with torch.no_grad():
        return inside(image.clone())
