"""Whether formats of other programs' weights keep their contract."""

from __future__ import annotations

from collections.abc import Callable

from translate.foreign.formats import ForeignFormat, Shapes
from translate.testing.common import NonConforming

#: State dicts that no program has: nothing, a tensor of no shape, and names that are not numbered as anybody would expect.
STRANGERS: tuple[Shapes, ...] = (
    {},
    {"": ()},
    {"weight": (3,)},
    {"main.x.weight": (1, 1, 1, 1)},
    {"model.1.weight": (4,), "model.model.0.weight": (2, 2)},
)


def check_foreign_format(factory: Callable[[], object], *, name: str) -> None:
    """Raise NonConforming unless the foreign format ``name`` names its files, and makes nothing of what is none of its program's."""
    format_ = factory()
    if not isinstance(format_, ForeignFormat):
        raise NonConforming(f"Foreign format '{name}' is of the class {type(format_).__name__}, and must be a ForeignFormat.")
    if not format_.files or not all(format_.files.values()):
        raise NonConforming(f"Foreign format '{name}' has no files: it must name, for each recipe, the file of each network.")
    for recipe, files in format_.files.items():
        if len(set(files.values())) < len(files) or any("/" in each or "\\" in each for each in files.values()):
            raise NonConforming(
                f"Foreign format '{name}' must name a file for each network of '{recipe}', not {list(files.values())}."
            )
    for shapes in STRANGERS:
        for asked in (format_.recognise, format_.published):
            try:
                network = asked(shapes)
            except Exception as error:  # whatever a stranger's code raises
                raise NonConforming(
                    f"Foreign format '{name}' raises {type(error).__name__} for tensors {shapes}, and must return None for what it "
                    f"does not know."
                ) from error
            if network is not None:
                raise NonConforming(f"Foreign format '{name}' takes {shapes} for a {network.about}.")
