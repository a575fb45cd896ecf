"""The generator of the paper (after Johnson et al., 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from torch import Tensor, nn

from translate import Space, UserError, option
from translate_cyclegan.layers import Output, initialise, instance_norm, require_size


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with reflection padding, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            instance_norm(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            instance_norm(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same shape."""
        return cast(Tensor, features + self.body(features))


def _upsample(kind: str, before: int, after: int) -> list[nn.Module]:
    if kind == "transposed":
        return [nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)]
    # Every output pixel sees the same number of inputs: no checkerboard (Odena et al., 2016).
    return [nn.Upsample(scale_factor=2, mode="nearest"), nn.ReflectionPad2d(1), nn.Conv2d(before, after, 3)]


class ResNetGenerator(nn.Module):
    """c7s1-64, d128, d256, R256 ×9 (or ×6), u128, u64, c7s1-3, tanh, as in the paper's appendix.

    11,378,179 parameters with 9 blocks and RGB, 7,837,699 with 6. ``(B, C, H, W)`` in [-1, 1] → ``(B, C', H, W)`` in [-1, 1], with H
    and W multiples of 4.
    """

    stride = 4

    @dataclass(frozen=True)
    class Options:
        """What a user may choose."""

        blocks: int | None = option(None, "residual blocks; by default the paper's 9 from 256 px on, 6 below", least=0, most=1000)
        channels: int = option(64, "channels of the first layer", least=1)
        upsample: Literal["transposed", "resize"] = option(
            "transposed", "transposed convolutions as published, or resize and convolve, against checkerboards"
        )
        attention: bool = option(
            False,
            "also predict where the picture changes, and keep most of it elsewhere (after Tang et al., 2019), a grey one in every "
            "channel and a coloured one's mean in one; off as published",
        )

    def __init__(self, source: Space, target: Space, options: Options) -> None:
        super().__init__()
        require_size("Generator 'resnet'", source.size, 8)
        if options.attention and 1 not in (source.channels, target.channels) and source.channels != target.channels:
            raise UserError(
                f"Generator 'resnet' with attention=true lays a new picture over the old one, and '{source.name}' has {source.channels} "
                f"channels where '{target.name}' has {target.channels}; leave it away: --generator resnet:channels={options.channels},"
                f"upsample={options.upsample}{'' if options.blocks is None else f',blocks={options.blocks}'}."
            )
        blocks = options.blocks if options.blocks is not None else 9 if min(source.size) >= 256 else 6
        width = options.channels
        down: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(source.channels, width, 7),
            instance_norm(width),
            nn.ReLU(inplace=True),
        ]
        for _ in range(2):
            down += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), instance_norm(2 * width), nn.ReLU(inplace=True)]
            width *= 2
        up: list[nn.Module] = []
        for _ in range(2):
            up += [*_upsample(options.upsample, width, width // 2), instance_norm(width // 2), nn.ReLU(inplace=True)]
            width //= 2
        self.down = nn.Sequential(*down)
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.up = nn.Sequential(*up)
        last = nn.Conv2d(width, target.channels + options.attention, 7)
        self.output = Output(nn.Sequential(nn.ReflectionPad2d(3), last), options.attention)
        initialise(self)

    def features(self, image: Tensor) -> list[Tensor]:
        """What the encoder sees, ``(B, C', H', W')`` each: the picture, each stage of ``down`` after its activation, each residual block.

        The last of them, through ``up`` and ``output``, is what ``forward`` gives.
        """
        seen = [image]
        for layer in self.down:
            image = layer(image)
            if isinstance(layer, nn.ReLU):
                seen.append(image)
        for block in self.blocks:
            image = block(image)
            seen.append(image)
        return seen

    def forward(self, image: Tensor) -> Tensor:
        """The picture of the other domain."""
        return cast(Tensor, self.output(self.up(self.blocks(self.down(image))), image))
