"""The format of PyTorch's own DCGAN example: ``netG_epoch_24.pth`` and its like."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from translate import ForeignFormat, ForeignNetwork, UserError
from translate_foreign import sequence
from translate_foreign.names import Shapes, colours

#: More layers than this would make pictures of thousands of pixels.
MOST = 10


class PyTorchDCGAN(ForeignFormat):
    """The generator of the public DCGAN example, for any size that doubling leads to.

    Its noise is ``(B, D, 1, 1)`` there and ``(B, D)`` here, with the same numbers.
    """

    files: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType({"dcgan": {"G": "netG.pth"}})

    def recognise(self, shapes: Shapes) -> ForeignNetwork | None:
        """Convolutions in every third place from the first on are a generator; those of a judge go on with the third."""
        found = sequence.convolutions(shapes)
        places, first = list(found), next(iter(found.values()), ())
        if len(places) > 2 and places == [0, *range(2, 3 * len(places) - 3, 3)] and found[places[-1]][0] == 1:
            raise UserError(
                "it is the discriminator of a DCGAN, and weights hold what makes pictures; give the file of the generator."
            )
        if not 2 <= len(places) <= MOST or places != list(range(0, 3 * len(places), 3)):
            return None
        last, doublings = places[-1], len(places) - 1
        width, target = found[last][:2]
        height, breadth = (side * 2**doublings for side in first[2:])
        return ForeignNetwork(
            about=f"DCGAN generator, {width} channels, {first[0]} numbers to {height}x{breadth} in {colours(target)}",
            options={"generator": f"dcgan:channels={width}", "z": first[0]},
            names=sequence.names(shapes),
            source=None,
            target=target,
            size=(height, breadth),
            any_size=False,
            last=("last.weight", 1),
        )

    def published(self, shapes: Shapes) -> ForeignNetwork | None:
        """The public form of our 'dcgan'."""
        return self.recognise(sequence.published(shapes))
