"""Whether parts that rest on weights of somebody else's keep that contract."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from translate.errors import UserError
from translate.pretrained import Frozen, Pretrained
from translate.randomness import seeded
from translate.testing.common import CPU, NonConforming, blamed


def build_watched(what: str, make: Callable[[], nn.Module]) -> nn.Module:
    """What ``make`` makes. Raises NonConforming where it fetches something meanwhile, unless it holds what is Frozen."""
    with look_ups() as asked:
        try:
            network = make()
        except UserError:
            raise
        except Exception as error:
            if asked:
                raise _fetches(what, asked[0]) from error
            raise
    check_fetched(what, asked, network)
    return network


@contextmanager
def look_ups() -> Iterator[list[str]]:
    """The machines that are looked for inside, by name: so begins whatever is fetched, but what is on this machine already."""
    find, asked = socket.getaddrinfo, []

    def watched(host: Any, *more: Any, **named: Any) -> Any:
        asked.append(str(host))
        return find(host, *more, **named)

    socket.getaddrinfo = watched
    try:
        yield asked
    finally:
        socket.getaddrinfo = find


def check_fetched(what: str, asked: Sequence[str], module: nn.Module) -> None:
    """Raise NonConforming where machines were ``asked`` while ``module`` was built, unless it holds what is Frozen."""
    # What is frozen is in no file of weights, and has to be fetched whenever it is made.
    if asked and not any(isinstance(each, Frozen) for each in module.modules()):
        raise _fetches(what, asked[0])


def _fetches(what: str, host: str) -> NonConforming:
    return NonConforming(
        f"{what} fetches something from {host} while it is built, and so whenever its own trained weights are to be loaded; build it with "
        f"random weights, and load the others in begin() of a translate.Pretrained."
    )


def begin(what: str, network: nn.Module) -> None:
    """Let the parts of ``network`` begin from their weights, as a run does before its first step.

    Raises NonConforming where one loads weights without naming them, UserError where they are not to be had.
    """
    for module in network.modules():
        if not isinstance(module, Pretrained):
            continue
        before = {name: each.clone() for name, each in module.state_dict().items()}
        with (
            seeded(CPU, 0),
            blamed(f"Method 'begin' of {what}", "it must load weights, or raise UserError where they are not to be had"),
        ):
            module.begin()
        if not _same(before, module.state_dict()) and not _names_weights(module):
            raise NonConforming(
                f"Method 'begin' of {what} loads weights and leaves 'backbones' at {module.backbones!r}, so that no record says which; "
                f"set self.backbones = {{NAME: DIGEST}}, texts such as 'timm/resnet18' and the SHA-256 of the weights."
            )


def _same(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> bool:
    return before.keys() == after.keys() and all(
        each.shape == after[name].shape and torch.equal(each, after[name].to(each.dtype)) for name, each in before.items()
    )


def _names_weights(module: Pretrained) -> bool:
    names = cast(object, module.backbones)
    return (
        isinstance(names, Mapping)
        and names is not Pretrained.backbones  # which all parts share
        and bool(names)
        and all(isinstance(each, str) and bool(each) for item in names.items() for each in item)
    )


def check_frozen(what: str, module: nn.Module) -> None:
    """Raise NonConforming where ``module`` holds a network that no file stores and no record names."""
    for each in module.modules():
        if isinstance(each, Frozen) and not _names_weights(each):
            raise NonConforming(
                f"{what} holds a frozen network, which no checkpoint stores, with the backbones {each.backbones!r}, so that nobody could "
                f"tell whether it is the same again; give translate.Frozen(network, {{NAME: DIGEST}}), texts such as 'timm/resnet18' and "
                f"the SHA-256 of its weights."
            )
