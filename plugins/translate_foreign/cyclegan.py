"""The format of pytorch-CycleGAN-and-pix2pix (Zhu, Park and others): ``latest_net_G.pth`` and its like.

Its layers are numbered through, those without weights included; a U-Net's lie within each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from translate import ForeignFormat, ForeignNetwork, UserError
from translate_foreign.names import (
    BARE,
    BATCH_NORM,
    CONVOLUTION,
    STATISTICS,
    UNUSED,
    Layer,
    Shapes,
    colours,
    count,
    explained,
    paired,
)


class PyTorchCycleGAN(ForeignFormat):
    """Generators of the public CycleGAN and pix2pix code: ResNets with instance norm, U-Nets with instance or batch norm."""

    files: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType(
        {"one-sided": {"G": "latest_net_G.pth"}, "cyclegan": {"G": "latest_net_G_A.pth", "F": "latest_net_G_B.pth"}}
    )

    def recognise(self, shapes: Shapes) -> ForeignNetwork | None:
        """A generator; of judges it is said that weights hold none."""
        if "model.10.conv_block.1.weight" in shapes:
            return _resnet(shapes)
        if "model.model.0.weight" in shapes:
            return _unet(shapes)
        _refuse_judges(shapes)
        return None

    def published(self, shapes: Shapes) -> ForeignNetwork | None:
        """The public form of our 'resnet', 'unet' or 'unet-batch'."""
        if "down.1.weight" in shapes and "output.layer.1.weight" in shapes:
            return _resnet(_renamed(shapes, resnet_layers(count(r"blocks\.(\d+)\..*", shapes), dropout=False)))
        if "first.weight" in shapes and "down.0.weight" in shapes:
            return _unet(
                _renamed(shapes, unet_layers(1 + count(r"down\.(\d+)\.weight", shapes), batch="norms.0.weight" in shapes))
            )
        return None


def _renamed(shapes: Shapes, layers: list[Layer]) -> dict[str, tuple[int, ...]]:
    """Shapes of ours under their names; what has none keeps its own, and so is known by nobody."""
    theirs = {ours: name for name, ours in paired(layers).items()}
    return {theirs.get(name, name): shape for name, shape in shapes.items()}


def resnet_layers(blocks: int, *, dropout: bool) -> list[Layer]:
    """The layers with weights; ``dropout`` within the blocks moves their second convolution on by one."""
    last = 10 + blocks
    layers: list[Layer] = [(f"model.{number}", f"down.{number}", CONVOLUTION) for number in (1, 4, 7)]
    for block in range(blocks):
        layers += [
            (f"model.{10 + block}.conv_block.{theirs}", f"blocks.{block}.body.{ours}", CONVOLUTION)
            for theirs, ours in ((1, 1), (6 if dropout else 5, 5))
        ]
    layers += [(f"model.{last + 3 * step}", f"up.{3 * step}", CONVOLUTION) for step in (0, 1)]
    return [*layers, (f"model.{last + 7}", "output.layer.1", CONVOLUTION)]


def _resnet(shapes: Shapes) -> ForeignNetwork | None:
    blocks = count(r"model\.(\d+)\.conv_block\..*", shapes)
    dropout = "model.10.conv_block.6.weight" in shapes and "model.10.conv_block.5.weight" not in shapes
    layers = resnet_layers(blocks, dropout=dropout)
    last = layers[-1][0]
    about = f"resnet generator with {blocks} blocks"
    norms = [f"{_next(theirs)}.{each}" for theirs, _, _ in layers[:-1] for each in STATISTICS]
    if "model.2.weight" in shapes:
        raise UserError(
            f"a {about} and batch norm has no network here, and those with instance norm, as CycleGAN trains them, have."
        )
    names = explained(layers, shapes, norms)
    if names is None:
        return None
    width, source = shapes["model.1.weight"][:2]
    target = shapes[f"{last}.weight"][0]
    return ForeignNetwork(
        about=f"{about}, {width} channels, {colours(source)} to {colours(target)}",
        options={"generator": f"resnet:blocks={blocks},channels={width}"},
        names=names,
        source=source,
        target=target,
        size=(256, 256),
        dropped={name: UNUSED for name in norms if name in shapes},
        first=("down.1.weight", 1),
        last=("output.layer.1.weight", 0),
        reflects=True,
    )


def _next(layer: str) -> str:
    """The layer after one that is numbered."""
    before, _, number = layer.rpartition(".")
    return f"{before}.{int(number) + 1}"


def unet_layers(downs: int, *, batch: bool) -> list[Layer]:
    """The layers with weights, from the outside in; those of the way up are counted from the bottom here, and norms only with ``batch``.

    The convolutions before a batch norm have no bias.
    """
    inner = BARE if batch else CONVOLUTION
    layers: list[Layer] = [("model.model.0", "first", inner), ("model.model.3", "output.layer", CONVOLUTION)]
    place = "model.model.1"
    for level in range(downs - 1):
        bottom = level == downs - 2
        way_up = downs - 2 - level
        rise = 3 if bottom else 5
        layers += [(f"{place}.model.1", f"down.{level}", inner), (f"{place}.model.{rise}", f"up.{way_up}", inner)]
        if batch:
            layers += [] if bottom else [(f"{place}.model.2", f"norms.{level}", BATCH_NORM)]
            layers.append((f"{place}.model.{rise + 1}", f"up_norms.{way_up}", BATCH_NORM))
        place = f"{place}.model.3"
    return layers


def _unet(shapes: Shapes) -> ForeignNetwork | None:
    downs = 1
    place = "model.model.1"
    while f"{place}.model.1.weight" in shapes:
        downs, place = downs + 1, f"{place}.model.3"
    batch = "model.model.0.bias" not in shapes
    layers = unet_layers(downs, batch=batch)
    # Where a level is not the bottom, its norms are the layers after its convolutions; a bottom has one on its way up alone.
    norms = [] if batch else [f"{_next(theirs)}.{each}" for theirs, _, _ in layers[2:] for each in STATISTICS]
    names = explained(layers, shapes, norms)
    if names is None or downs < 2:
        return None
    width, source = shapes["model.model.0.weight"][:2]
    target = shapes["model.model.3.weight"][1]
    about = f"U-Net generator that halves {downs} times, {width} channels, {'batch' if batch else 'instance'} norm"
    if not 5 <= downs <= 8:
        raise UserError(f"a {about} has no network here, and those that halve 5 to 8 times have.")
    return ForeignNetwork(
        about=f"{about}, {colours(source)} to {colours(target)}",
        options={"generator": f"{'unet-batch' if batch else 'unet'}:channels={width},downs={downs}"},
        names=names,
        source=source,
        target=target,
        size=(2**downs, 2**downs),
        dropped={name: UNUSED for name in norms if name in shapes},
        first=("first.weight", 1),
        last=("output.layer.weight", 1),
    )


def _refuse_judges(shapes: Shapes) -> None:
    """Raise UserError for a PatchGAN or a pixel judge."""
    patch = len(shapes.get("model.0.weight", ())) == 4 and "model.2.weight" in shapes
    pixel = len(shapes.get("net.0.weight", ())) == 4 and "net.2.weight" in shapes
    if patch or pixel:
        raise UserError(
            f"it is a {'patch' if patch else 'pixel'} discriminator, and weights hold what translates; give the file of the generator."
        )
