"""Turn pictures of one kind into pictures of another, without paired examples.

>>> from translate import Engine
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from translate.clock import Clock, LinearDecay, Schedule, constant
    from translate.data.augment import Augmentation
    from translate.data.domain import Domain, Space
    from translate.data.published import DataSet, Download
    from translate.doctor.diagnosis import Diagnosis, Finding
    from translate.engine import Engine
    from translate.errors import (
        DataWarning,
        Interrupted,
        NotFinite,
        NotSaved,
        PluginError,
        PluginWarning,
        RecipeError,
        TranslateError,
        UnknownName,
        UserError,
    )
    from translate.foreign.formats import ForeignFormat, ForeignNetwork
    from translate.game import FeatureJudge, Game, ImageLoss, Judge, JudgeAugmentation
    from translate.hookspecs import hookimpl
    from translate.latent import Latent
    from translate.metrics.features import FeatureExtractor, Seen
    from translate.metrics.score import Evidence, Figure, Score
    from translate.optimisers import SGD, Adam, OptimiserPlan, RMSprop
    from translate.options import Part, Size, option, part
    from translate.plugins import Plugins, plugin
    from translate.pool import ImagePool
    from translate.precision import full_precision, upcast
    from translate.pretrained import Frozen, Pretrained
    from translate.recipe import Batch, Make, Preset, Recipe, Update
    from translate.report import Report
    from translate.settings import RunOptions

# The public names and the modules that they live in: importing `translate` loads none of them, and so no torch.
_HOMES = {
    "translate.clock": ("Clock", "LinearDecay", "Schedule", "constant"),
    "translate.data.augment": ("Augmentation",),
    "translate.data.domain": ("Domain", "Space"),
    "translate.data.published": ("DataSet", "Download"),
    "translate.doctor.diagnosis": ("Diagnosis", "Finding"),
    "translate.engine": ("Engine",),
    "translate.errors": (
        "DataWarning",
        "Interrupted",
        "NotFinite",
        "NotSaved",
        "PluginError",
        "PluginWarning",
        "RecipeError",
        "TranslateError",
        "UnknownName",
        "UserError",
    ),
    "translate.foreign.formats": ("ForeignFormat", "ForeignNetwork"),
    "translate.game": ("FeatureJudge", "Game", "ImageLoss", "Judge", "JudgeAugmentation"),
    "translate.hookspecs": ("hookimpl",),
    "translate.latent": ("Latent",),
    "translate.metrics.features": ("FeatureExtractor", "Seen"),
    "translate.metrics.score": ("Evidence", "Figure", "Score"),
    "translate.optimisers": ("SGD", "Adam", "OptimiserPlan", "RMSprop"),
    "translate.options": ("Part", "Size", "option", "part"),
    "translate.plugins": ("Plugins", "plugin"),
    "translate.pool": ("ImagePool",),
    "translate.precision": ("full_precision", "upcast"),
    "translate.pretrained": ("Frozen", "Pretrained"),
    "translate.recipe": ("Batch", "Make", "Preset", "Recipe", "Update"),
    "translate.report": ("Report",),
    "translate.settings": ("RunOptions",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "SGD",
    "Adam",
    "Augmentation",
    "Batch",
    "Clock",
    "DataSet",
    "DataWarning",
    "Diagnosis",
    "Domain",
    "Download",
    "Engine",
    "Evidence",
    "FeatureExtractor",
    "FeatureJudge",
    "Figure",
    "Finding",
    "ForeignFormat",
    "ForeignNetwork",
    "Frozen",
    "Game",
    "ImageLoss",
    "ImagePool",
    "Interrupted",
    "Judge",
    "JudgeAugmentation",
    "Latent",
    "LinearDecay",
    "Make",
    "NotFinite",
    "NotSaved",
    "OptimiserPlan",
    "Part",
    "PluginError",
    "PluginWarning",
    "Plugins",
    "Preset",
    "Pretrained",
    "RMSprop",
    "Recipe",
    "RecipeError",
    "Report",
    "RunOptions",
    "Schedule",
    "Score",
    "Seen",
    "Size",
    "Space",
    "TranslateError",
    "UnknownName",
    "Update",
    "UserError",
    "constant",
    "full_precision",
    "hookimpl",
    "option",
    "part",
    "plugin",
    "upcast",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version("image-translate")
    if name not in _HOME:
        raise AttributeError(f"module 'translate' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _refuse_namesake() -> None:
    """Another distribution, a text tool, installs a module of this name: whichever came last has overwritten the other."""
    try:
        _version("translate")
    except PackageNotFoundError:
        return
    raise ImportError(
        "The distribution 'translate', a text tool, is installed beside 'image-translate', and both install a module named 'translate'; "
        "uninstall one: pip uninstall translate && pip install --force-reinstall --no-deps image-translate."
    )


_refuse_namesake()
