"""From state dicts of another program to weights that describe themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from translate import options, weights
from translate.data.domain import Space
from translate.errors import UserError, listed
from translate.foreign import files
from translate.foreign.adjust import adjusted
from translate.foreign.formats import ForeignFormat, ForeignNetwork, Order, Range, Shapes
from translate.options import Part
from translate.parts import build_part
from translate.plugins import Plugins
from translate.recipe import Make
from translate.transfer import check_exported

#: How the names of the counters of batch norms end.
COUNTER = ".num_batches_tracked"


@dataclass(frozen=True)
class Imported:
    """A weights file in the making: its tensors and header, what was recognised, and what is to be said of it."""

    tensors: Mapping[str, Tensor]
    header: weights.Header
    format: str
    about: str
    notes: Sequence[str]

    def write(self, path: Path) -> None:
        """Write it to ``path``. Raises UserError where that cannot be."""
        try:
            weights.write(path, weights.pack(self.tensors, self.header.dump()))
        except OSError as error:
            raise UserError(f"{path} cannot be written ({error.strerror}); give another place with -o.") from None


@dataclass(frozen=True)
class Choice:
    """What a user may say of foreign weights; None is left to what the files show."""

    format: str | None = None
    recipe: str | None = None
    domains: tuple[str, ...] = ()
    size: options.Size | None = None
    order: Order | None = None
    range: Range | None = None
    entry: str | None = None


def import_weights(paths: Sequence[Path], choice: Choice, plugins: Plugins) -> Imported:
    """The networks in ``paths``, one of each direction, as one weights file. Raises UserError, naming what does not fit."""
    read = [files.read(path, choice.entry) for path in paths]
    found = [_recognised(tensors, path, choice.format, plugins) for path, (tensors, _) in zip(paths, read, strict=True)]
    (name, format_), others = found[0][:2], {each[0] for each in found}
    if len(others) > 1:
        raise UserError(f"The files are of several programs, {listed(sorted(others))}; import them one by one.")
    networks = [each[2] for each in found]
    recipe = _recipe(name, format_, len(paths), choice.recipe)
    spaces = _spaces(paths, networks, recipe, choice, plugins)
    notes = [note for _, each in read for note in each]
    tensors: dict[str, Tensor] = {}
    for child, network, (state, _), path in zip(format_.files[recipe], networks, read, paths, strict=True):
        for reason in dict.fromkeys(network.dropped.values()):
            count = sum(each == reason for each in network.dropped.values())
            notes.append(f"Left out {count} tensors of {path}: {reason}.")
        mine = {ours: state[theirs] for theirs, ours in network.names.items()}
        mine = adjusted(mine, network, choice.order or format_.order, choice.range or network.pixels)
        tensors |= {f"{child}.{key}": each for key, each in mine.items()}
    own = options.build(plugins.recipes[recipe].Options, dict(networks[0].options), f"Recipe '{recipe}'")
    make = Make(plugins, spaces, training=False)
    with torch.device("meta"):  # to compare shapes takes no memory, whatever a file claims its widest layer to be
        method = plugins.recipes[recipe](own, make)
    wanted, origin = method.exported(), listed(map(str, paths))
    # Files from before PyTorch 0.4.1 lack the counters of batch norms.
    counters = {key: torch.zeros(each.shape, dtype=each.dtype) for key, each in wanted.items() if key.endswith(COUNTER)}
    tensors = counters | tensors
    check_exported(method, tensors, origin)
    for key, each in tensors.items():
        if each.dtype != wanted[key].dtype:
            raise UserError(f"The weights {origin} have '{key}' in {each.dtype}, and it must be {wanted[key].dtype}.")
    header = weights.Header(
        recipe=recipe,
        options=options.plain(own),
        spaces=spaces,
        step=0,
        averaged=False,
        versions=_versions({*make.roster.used, plugins.recipes.owner(recipe)}, plugins),
    )
    return Imported({key: each.contiguous() for key, each in tensors.items()}, header, name, networks[0].about, notes)


def _recognised(
    tensors: Mapping[str, Tensor], path: Path, wanted: str | None, plugins: Plugins
) -> tuple[str, ForeignFormat, ForeignNetwork]:
    """The first format, in the order of names, that knows the tensors by their names and shapes."""
    shapes = shapes_of(tensors)
    refused: list[UserError] = []
    for name in [wanted] if wanted else plugins.foreign_formats:
        format_ = build_part(plugins.foreign_formats, Part(name), ForeignFormat)
        try:
            network = format_.recognise(shapes)
        except UserError as error:  # another format may take it
            refused.append(error)
        else:
            if network is not None:
                return name, format_, network
    if refused:
        raise UserError(f"{path} cannot be imported: {refused[0]}") from refused[0]
    some = listed(f"'{key}' {shape}" for key, shape in list(shapes.items())[:3])
    known = f"no network of format '{wanted}'" if wanted else f"none of the formats {listed(plugins.foreign_formats)}"
    raise UserError(
        f"{path} is {known}, as its names and shapes of tensors show, which begin with {some}; a plugin can add its format."
    )


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """The shapes of tensors by their names."""
    return {key: tuple(each.shape) for key, each in tensors.items()}


def _recipe(name: str, format_: ForeignFormat, count: int, wanted: str | None) -> str:
    fitting = [recipe for recipe, networks in format_.files.items() if len(networks) == count]
    if wanted is not None and wanted not in format_.files:
        raise UserError(f"Weights of format '{name}' are for {listed(format_.files)}, not for recipe '{wanted}'.")
    if wanted is not None and wanted not in fitting:
        needed = format_.files[wanted]
        raise UserError(
            f"Recipe '{wanted}' has {len(needed)} networks, {listed(needed)}, and {count} files were given; give one for each."
        )
    if not fitting:
        counts = listed(sorted({str(len(networks)) for networks in format_.files.values()})).replace(" and ", " or ")
        raise UserError(f"Of format '{name}', {counts} files make weights, and {count} were given.")
    return wanted or fitting[0]


def _spaces(
    paths: Sequence[Path], networks: Sequence[ForeignNetwork], recipe: str, choice: Choice, plugins: Plugins
) -> tuple[Space, ...]:
    """The domains. Two files must lead back and forth between them."""
    plugins.recipes[recipe].check_domains(recipe, choice.domains)
    first = networks[0]
    if len(networks) == 2:
        (there, back), (one, other) = networks, paths
        if there.options != back.options:
            raise UserError(f"{one} is a {there.about}, and {other} a {back.about}; both directions must be alike.")
        if (there.source, there.target) != (back.target, back.source):
            raise UserError(
                f"{one} leads from {there.source} channels to {there.target}, and {other} from {back.source} to {back.target}; the second "
                f"must lead back."
            )
    if choice.size is not None and not first.any_size and tuple(choice.size) != first.size:
        raise UserError(f"{paths[0]} is for pictures of {options.Size(*first.size)}, as its shapes show; leave --size away.")
    size = tuple(choice.size or first.size)
    channels = [first.target] if first.source is None else [first.source, first.target]
    return tuple(Space(name, (number, *size)) for name, number in zip(choice.domains, channels, strict=True))


def _versions(used: Collection[str], plugins: Plugins) -> dict[str, str]:
    """What is needed to use the weights, as the engine records it: plugins by name, where they were installed."""
    needed = {f"plugin {each.name}": f"{each.distribution} {each.version}" for each in plugins.found if each.name in used}
    return {"image-translate": version("image-translate"), "torch": torch.__version__, **needed}
