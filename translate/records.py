"""What an engine says of itself, in weights files and in the record of its run."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from translate import options, weights

if TYPE_CHECKING:
    from translate.engine import Engine
    from translate.plugins import Plugins


def header(engine: Engine) -> weights.Header:
    """What a weights file of ``engine`` says of itself."""
    brought = {f"plugin {name}": origin for name, origin in _loaded(engine.plugins).items() if name in engine.used}
    return weights.Header(
        recipe=engine.recipe_name,
        options=options.plain(engine.recipe.options),
        spaces=engine.spaces,
        step=engine.step,
        averaged=engine.has_averages,
        versions=versions() | brought,
        backbones=engine.backbones,
    )


def record(engine: Engine) -> dict[str, Any]:
    """What the record of the run of ``engine`` says: all that it takes to go on with it."""
    assert engine.found is not None
    augmentation = engine.loader.augmentation.fingerprint()
    return {
        "recipe": engine.recipe_name,
        **({"preset": engine.preset} if engine.preset else {}),
        "run": options.plain(engine.run_options),
        "options": options.plain(engine.recipe.options),
        **({"lengths": [length.plain() for length in engine.lengths]} if len(engine.lengths) > 1 else {}),
        **({"overridden": list(engine.overridden)} if engine.overridden else {}),
        **({"root": str(engine.found.root.resolve())} if engine.found.root else {}),
        "data": engine.fingerprints,
        **({"augmentation": augmentation} if augmentation else {}),
        "versions": versions(),
        "plugins": _loaded(engine.plugins),
        "rests_on": sorted(engine.used),
        **({"backbones": dict(engine.backbones)} if engine.backbones else {}),
    }


def versions() -> dict[str, str]:
    """The versions of what computes here."""
    mine = {"image-translate": version("image-translate"), "torch": torch.__version__, "numpy": np.__version__}
    return {**mine, "python": platform.python_version()}


def _loaded(plugins: Plugins) -> dict[str, str]:
    return {each.name: each.origin for each in plugins.found if each.state in ("loaded", "disabled")}
