"""What a plugin says of another program's weights: how its networks are told, and what their tensors are called here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Literal

#: Names of tensors, and what shape each has.
Shapes = Mapping[str, tuple[int, ...]]
#: The order in which a picture's channels stand.
Order = Literal["rgb", "bgr"]
#: The values of a picture's pixels: in [-1, 1], or in [0, 1].
Range = Literal["signed", "unit"]


@dataclass(frozen=True)
class ForeignNetwork:
    """What the names and shapes of a state dict have shown it to be, and how to make it a network of ours.

    ``about`` describes it in a few words. ``options`` are those of the recipe that build it here: ``{"generator": "resnet:blocks=9"}``.
    ``names`` has each of its tensors by their name, and the name that it has in our network.
    """

    about: str
    options: Mapping[str, str | int]
    names: Mapping[str, str]
    #: Channels of the pictures that it takes, None where it takes noise, and of those that it makes.
    source: int | None
    target: int
    #: (height, width) of its pictures: the only one, or the usual one where ``any_size``.
    size: tuple[int, int]
    any_size: bool = True
    #: Tensors that have no place here, and why none is needed.
    dropped: Mapping[str, str] = field(default_factory=dict)
    #: The tensors, by our names, whose dimension of that number has the channels of what comes in, and of what goes out.
    first: tuple[str, int] | None = None
    last: tuple[str, int] | None = None
    #: The pixels that their program gives it, which our network is given in our way: turning them is no business of the weights.
    pixels: Range = "signed"
    #: Whether its first layer sees nothing but pixels. Zeros around a picture are another colour in [0, 1] than in [-1, 1].
    reflects: bool = False


class ForeignFormat(ABC):
    """The files of another program. Subclass it, and register the subclass with ``register_foreign_formats``."""

    #: Recipe → network → the name that a file of it has there. With so many files of one program, the recipe with as many networks.
    files: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType({})
    #: The order of channels that its networks were trained on.
    order: ClassVar[Order] = "rgb"

    @abstractmethod
    def recognise(self, shapes: Shapes) -> ForeignNetwork | None:
        """The network that has tensors of these names and shapes, or None where that is none of this program's.

        Raises UserError where it is one and cannot be used here; its message goes on from "FILE cannot be imported:".
        """

    @abstractmethod
    def published(self, shapes: Shapes) -> ForeignNetwork | None:
        """The network of ours that has tensors of these shapes, by our names, as ``recognise`` would know it; None where there is none."""
