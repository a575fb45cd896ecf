"""The format of the authors' DiscoGAN code, whose networks see BGR in [0, 1]. It saves whole networks: these are their state dicts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from translate import ForeignFormat, ForeignNetwork, UserError
from translate_foreign import sequence
from translate_foreign.names import Shapes, colours

#: More halvings than this would take pictures of thousands of pixels.
MOST = 10


class DiscoGANCode(ForeignFormat):
    """The generator of the authors' DiscoGAN code, with or without its bottleneck.

    Theirs have the name of the domain that they make: ``model_gen_B`` leads from A to B.
    """

    files: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType(
        {"one-sided": {"G": "model_gen_B.pth"}, "discogan": {"G_AB": "model_gen_B.pth", "G_BA": "model_gen_A.pth"}}
    )
    order = "bgr"

    def recognise(self, shapes: Shapes) -> ForeignNetwork | None:
        """Convolutions in the first place, in the third and in every third from there on, as many down as up."""
        if {"conv1.weight", "bn2.weight", "conv5.weight"} <= shapes.keys():
            raise UserError(
                "it is a discriminator of DiscoGAN, and weights hold what translates; give the file of the generator."
            )
        found = sequence.convolutions(shapes)
        places, layers = list(found), list(found.values())
        half = len(places) // 2
        if not 2 <= half <= MOST or len(places) % 2 or places != [0, *range(2, 3 * len(places) - 3, 3)]:
            return None
        (width, source), target = layers[0][:2], layers[-1][1]
        # Where the last convolution down is not as wide as one of its level, it is the bottleneck.
        bottleneck = 0 if layers[half - 1][0] == width * min(2 ** (half - 1), 8) else layers[half - 1][0]
        halvings = half - 1 if bottleneck else half
        side = 4 * 2**halvings
        squeezed = f" with a bottleneck of {bottleneck} numbers" if bottleneck else ""
        return ForeignNetwork(
            about=f"DiscoGAN generator{squeezed}, {width} channels, {side} px, {colours(source)} to {colours(target)}",
            options={"generator": f"discogan:channels={width}" + f",bottleneck={bottleneck}" * bool(bottleneck)},
            names=sequence.names(shapes),
            source=source,
            target=target,
            size=(side, side),
            any_size=False,
            first=("body.0.weight", 1),
            last=("last.weight", 1),
            pixels="unit",
        )

    def published(self, shapes: Shapes) -> ForeignNetwork | None:
        """The public form of our 'discogan'."""
        return self.recognise(sequence.published(shapes))
