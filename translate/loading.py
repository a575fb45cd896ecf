"""Whether a weights file holds the networks that it describes, before memory is set aside for any of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from translate.errors import RecipeError, UserError, brief
from translate.plugins import Plugins
from translate.recipe import Make, Recipe
from translate.transfer import check_exported
from translate.weights import Header


def check_described(
    method: type[Recipe], own: Recipe.Options, header: Header, tensors: Mapping[str, Tensor], origin: str, plugins: Plugins
) -> None:
    """Raise UserError unless the networks that ``method`` makes of these options have the ``tensors`` of the file ``origin``.

    They are built of shapes alone. A file may ask for networks that fill any memory; those that it holds fit.
    """
    method.check_domains(header.recipe, [space.name for space in header.spaces])
    try:
        with torch.device("meta"):
            recipe = method(own, Make(plugins, header.spaces, training=False))
    except UserError:
        raise
    except Exception as error:  # from a part, its options or torch
        if "meta" in str(error).lower():  # what looks at its own numbers when it is built cannot be built without any
            return
        why = str(error) if isinstance(error, RecipeError) else brief(error)
        raise UserError(f"{origin} describes networks that cannot be made: {why.rstrip('.')}.") from error
    check_exported(recipe, tensors, origin)
