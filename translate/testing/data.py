"""Whether sources of data keep their contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from translate.data.domain import WINDOWS, Array, Domain
from translate.errors import UserError
from translate.testing.common import NonConforming, blamed

#: A name and a split that nobody has.
NOBODYS = "no-such-name"
#: So many samples are read, spread over the domain.
SAMPLES = 4

#: ``open_domain`` of a plugin: it may leave out arguments that it does not need.
OpenDomain = Callable[..., Domain | None]


def check_data(
    open_domain: OpenDomain,
    name: str,
    *,
    data: str | Path | None = None,
    split: str = "train",
    size: tuple[int, int] = (32, 32),
    domains: Sequence[str] = (),
) -> None:
    """Raise NonConforming unless ``open_domain`` opens the domain ``name`` as the contract has it.

    Samples are arrays of the declared dtype and channels, and the same whenever and in whichever thread they are read, also from a domain
    that is opened again and after a reader changed what it was given; labels are unique, the fingerprint is stable; for names and splits
    that are not its own it returns None. ``data`` is the folder of ``--data``, ``domains`` are all names of the run, by default this one.
    """
    opener = Opener(open_domain, Path(data) if data is not None else None, size, tuple(domains) or (name,))
    domain = opener.domain(name, split)
    what = f"Domain '{name}'"
    _check_declared(domain, what, name)
    with blamed(what, "every index below its length must be readable"):
        _check_samples(domain, opener.domain(name, split), what)
    _check_labels(domain, what)
    _check_fingerprint(domain, opener.domain(name, split), what)
    _check_truth(domain, what)
    check_strangers(open_domain, name, data=opener.root, size=size)


class Opener:
    """Calls ``open_domain`` with those of the hook's arguments that it takes, as pluggy does."""

    def __init__(self, function: OpenDomain, root: Path | None, size: tuple[int, int] | None, domains: tuple[str, ...]) -> None:
        self.function, self.root, self.size, self.domains = function, root, size, domains

    def __call__(self, name: str, split: str) -> object:
        """What it returns for this name and split."""
        every: dict[str, Any] = {"name": name, "root": self.root, "split": split, "size": self.size, "domains": self.domains}
        taken = inspect.signature(self.function).parameters
        with blamed(
            f"open_domain, asked for '{name}' and split '{split}',", "it must return a Domain, or None where it has none"
        ):
            return self.function(**{key: value for key, value in every.items() if key in taken})

    def domain(self, name: str, split: str) -> Domain:
        """The domain. Raises NonConforming where it is none."""
        opened = self(name, split)
        if not isinstance(opened, Domain):
            raise NonConforming(
                f"open_domain returns {'None' if opened is None else f'a {type(opened).__name__}'} for '{name}' and split "
                f"'{split}'; it must return a translate.Domain."
            )
        return opened


def check_strangers(
    open_domain: OpenDomain, name: str | None = None, *, data: Path | None = None, size: tuple[int, int] = (32, 32)
) -> None:
    """Raise NonConforming unless names and splits that no plugin has are left to others: None, and no error."""
    cases = [(NOBODYS, "train"), *([(name, NOBODYS)] if name is not None else [])]
    for asked, split in cases:
        try:
            opened = Opener(open_domain, data, size, (asked,))(asked, split)
        except UserError as error:
            raise NonConforming(
                f"open_domain raises {type(error).__name__} ({error}) for '{asked}' and split '{split}', which it does not have; "
                f"return None there, so that others are asked."
            ) from error
        if opened is not None:
            raise NonConforming(
                f"open_domain opens '{asked}' and split '{split}', which cannot be its own; return None for names and splits "
                f"that are not, so that others are asked."
            )


def _check_declared(domain: Domain, what: str, name: str) -> None:
    if getattr(domain, "name", None) != name:
        raise NonConforming(f"{what} has the name {getattr(domain, 'name', None)!r}; set it to the one that was asked for.")
    if domain.dtype not in WINDOWS:
        raise NonConforming(f"{what} has the dtype {domain.dtype!r}; it must be one of {', '.join(WINDOWS)}.")
    if not (isinstance(domain.channels, int) and domain.channels > 0):
        raise NonConforming(f"{what} has {domain.channels!r} channels; it must be a whole number from 1 on.")
    low, high = domain.window
    if not low < high:
        raise NonConforming(
            f"{what} has the window ({low}, {high}); it must be the values that become -1 and +1, the lower one first."
        )
    if len(domain) < 1:
        raise NonConforming(f"{what} is empty; raise UserError in open_domain with a sentence on what is missing.")


def _check_samples(domain: Domain, reopened: Domain, what: str) -> None:
    count = len(domain)
    indices = sorted({index * (count - 1) // max(SAMPLES - 1, 1) for index in range(SAMPLES)})
    known = {index: domain.read(index).copy() for index in indices}
    for index, sample in known.items():
        _check_sample(domain, sample, f"Sample {index} of {what}")
    rules = "reading must be pure: derive all draws from the index, and keep no state that readers share"
    for index in reversed(indices):
        if not _same(domain.read(index), known[index]):
            raise NonConforming(f"Sample {index} of {what} is another when it is read again; {rules}.")
    with ThreadPoolExecutor(4) as pool:
        order = indices * 4
        for index, read in zip(order, pool.map(lambda each: domain.read(each).copy(), order), strict=True):
            if not _same(read, known[index]):
                raise NonConforming(f"Sample {index} of {what} is another when threads read at a time; {rules}.")
    for index in indices:
        if not _same(reopened.read(index), known[index]):
            raise NonConforming(f"Sample {index} of {what} is another when the domain is opened again; {rules}.")
    given = reopened.read(indices[0])
    if given.flags.writeable:
        given[...] = np.logical_not(given)  # whatever it is, this is something else
        if not _same(reopened.read(indices[0]), known[indices[0]]):
            raise NonConforming(
                f"{what} gives out arrays that are its own, and whoever changes one changes the data of everybody; return a "
                f"copy, or make them read-only: array.flags.writeable = False."
            )


def _check_sample(domain: Domain, sample: Array, which: str) -> None:
    if not isinstance(sample, np.ndarray) or sample.dtype != np.dtype(domain.dtype):
        found = sample.dtype if isinstance(sample, np.ndarray) else type(sample).__name__
        raise NonConforming(f"{which} is {found}, and its dtype is declared as {domain.dtype}; make the two agree.")
    fits = sample.ndim == 3 and sample.shape[2] == domain.channels and 0 not in sample.shape
    if not (fits if domain.is_picture else sample.shape == (domain.channels,)):
        wanted = f"(H, W, {domain.channels})" if domain.is_picture else f"({domain.channels},)"
        raise NonConforming(
            f"{which} has the shape {sample.shape}, where {wanted} is expected; return that, or set 'channels' and 'is_picture' "
            "to what it is."
        )
    if not np.isfinite(sample).all():
        raise NonConforming(f"{which} has values that are infinite or NaN; fill them, or leave the sample out.")


def _same(one: Array, other: Array) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other)


def _check_labels(domain: Domain, what: str) -> None:
    with blamed(f"Method 'label' of {what}", "it must return a text for every index"):
        labels = [domain.label(index) for index in range(len(domain))]
    first: dict[str, int] = {}
    for index, label in enumerate(labels):
        if not isinstance(label, str):
            raise NonConforming(f"Sample {index} of {what} has the label {label!r}; it must be a text, such as a file's name.")
        if first.setdefault(label, index) != index:
            raise NonConforming(
                f"Samples {first[label]} and {index} of {what} both have the label '{label}'; labels must be unique within a "
                f"domain: add a folder or a number."
            )


def _check_fingerprint(domain: Domain, reopened: Domain, what: str) -> None:
    with blamed(f"Method 'fingerprint' of {what}", "it must return a text"):
        prints = [domain.fingerprint(), domain.fingerprint(), reopened.fingerprint()]
    if not all(isinstance(each, str) and each for each in prints):
        raise NonConforming(f"The fingerprint of {what} is {prints[0]!r}; it must be a text that changes when the samples do.")
    if len(set(prints)) > 1:
        raise NonConforming(
            f"The fingerprint of {what} changes though its samples do not, so that no run on it could be resumed; make it of "
            f"names and contents only, not of times, places or id()."
        )


def _check_truth(domain: Domain, what: str) -> None:
    """What is known of the first sample in other domains, and where it changes."""
    with blamed(what, "counterpart(index, domain) and mask(index) must return None where nothing is known"):
        other, mask = domain.counterpart(0, NOBODYS), domain.mask(0)
    if other is not None:
        raise NonConforming(f"{what} has a counterpart in a domain that does not exist; return None where none is known.")
    if mask is not None and (mask.dtype != np.bool_ or mask.shape != domain.read(0).shape[:2]):
        raise NonConforming(
            f"The mask of sample 0 of {what} is {mask.dtype} of the shape {mask.shape}; it must be bool, (H, W) as the sample is."
        )
