"""The generator of GAN Compression (Li et al., 2020), whose layers are as wide as a search has found, and the format of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from translate import ForeignFormat, ForeignNetwork, Space, UserError, full_precision, hookimpl, option, upcast


def separable(before: int, after: int) -> list[nn.Module]:
    """A 3×3 convolution in two steps: each channel by itself, and then all of them, pixel by pixel."""
    each = nn.Conv2d(before, before, 3, groups=before)
    return [nn.ReflectionPad2d(1), each, nn.InstanceNorm2d(before), nn.Conv2d(before, after, 1)]


class Block(nn.Module):
    """Two separable convolutions, through a middle that may be narrower, added to what came in."""

    def __init__(self, width: int, middle: int) -> None:
        super().__init__()
        first = [*separable(width, middle), nn.InstanceNorm2d(middle), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*first, *separable(middle, width), nn.InstanceNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same shape."""
        added: Tensor = features + self.body(features)
        return added


class CompressedGenerator(nn.Module):
    """A CycleGAN generator of separable convolutions: 7×7, two halvings, nine blocks, two doublings, 7×7.

    356,867 parameters in RGB with the published widths for horse→zebra, 16+16+32+16+32+32+16+16. ``(B, C, H, W)`` → ``(B, C', H, W)``, both
    in [-1, 1], with H and W multiples of 4.
    """

    stride = 4

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        widths: tuple[int, ...] = option(
            (16, 16, 32, 16, 32, 32, 16, 16),
            "the search's eight numbers: the first layer; the halvings, times 2 and 4; the middles of three blocks each, times 4; the "
            "doublings, times 2 and 1",
            least=1,
        )

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        if len(options.widths) != 8:
            raise UserError(
                f"Generator 'compressed' takes eight widths, such as 16+16+32+16+32+32+16+16, not {len(options.widths)}."
            )
        if min(source.size) < 8:
            height, width = source.size
            raise UserError(
                f"Generator 'compressed' takes pictures of at least 8 pixels a side, not {height}x{width}; raise --size."
            )
        first, half, quarter, *middles, up, last = options.widths
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(source.channels, first, 7)]
        layers += [nn.InstanceNorm2d(first), nn.ReLU(inplace=True)]
        for before, after in ((first, 2 * half), (2 * half, 4 * quarter)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.InstanceNorm2d(after), nn.ReLU(inplace=True)]
        layers += [Block(4 * quarter, 4 * middle) for middle in middles for _ in range(3)]
        for before, after in ((4 * quarter, 2 * up), (2 * up, last)):
            layers.append(nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1))
            layers += [nn.InstanceNorm2d(after), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.ReflectionPad2d(3))
        self.last = nn.Conv2d(last, target.channels, 7)

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        features = self.body(image)
        with full_precision(features.device):
            return torch.tanh(self.last(upcast(features)))


#: The layers with weights: their name there, and here. In theirs, an idle dropout stands within each block.
LAYERS = {
    **{f"model.{number}": f"body.{number}" for number in (1, 4, 7, 19, 22)},
    **{
        f"model.{block}.conv_block.{theirs}": f"body.{block}.body.{ours}"
        for block in range(10, 19)
        for theirs, ours in {"1.conv.0": 1, "1.conv.2": 3, "6.conv.0": 7, "6.conv.2": 9}.items()
    },
    "model.26": "last",
}
NAMES = {f"{theirs}.{kind}": f"{ours}.{kind}" for theirs, ours in LAYERS.items() for kind in ("weight", "bias")}


class GANCompression(ForeignFormat):
    """The state dicts of the public GAN Compression code, of its compressed ResNet with nine blocks."""

    files: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "one-sided": {"G": "latest_net_G.pth"},
        "cyclegan": {"G": "latest_net_G_A.pth", "F": "latest_net_G_B.pth"},
    }

    def recognise(self, shapes: Mapping[str, tuple[int, ...]]) -> ForeignNetwork | None:
        """The names are known; the widths are in the shapes."""
        if shapes.keys() != NAMES.keys() or any(len(shapes[name]) != 4 for name in NAMES if name.endswith(".weight")):
            return None
        widths = [shapes["model.1.weight"][0], shapes["model.4.weight"][0] // 2, shapes["model.7.weight"][0] // 4]
        widths += [shapes[f"model.{block}.conv_block.1.conv.2.weight"][0] // 4 for block in (10, 13, 16)]
        widths += [shapes["model.19.weight"][1] // 2, shapes["model.22.weight"][1]]
        text = "+".join(map(str, widths))
        return ForeignNetwork(
            about=f"compressed generator of widths {text}",
            options={"generator": f"compressed:widths={text}"},
            names=NAMES,
            source=shapes["model.1.weight"][1],
            target=shapes["model.26.weight"][0],
            size=(256, 256),
            first=("body.1.weight", 1),
            last=("last.weight", 0),
            reflects=True,
        )

    def published(self, shapes: Mapping[str, tuple[int, ...]]) -> ForeignNetwork | None:
        """The same, from our names."""
        theirs = {ours: name for name, ours in NAMES.items()}
        return self.recognise({theirs.get(name, name): shape for name, shape in shapes.items()})


@hookimpl
def register_generators(register: Callable[[str, Any], None]) -> None:
    """Add the network."""
    register("compressed", CompressedGenerator)


@hookimpl
def register_foreign_formats(register: Callable[[str, Callable[[], ForeignFormat]], None]) -> None:
    """Add the format of its weights."""
    register("gan-compression", GANCompression)
