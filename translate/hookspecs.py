"""Every place where a plugin can join in, in the order of a run's life.

A plugin is a module or an object with functions of these names, marked with ``@translate.hookimpl``. A function may leave out
arguments that it does not need. A package makes its plugin known with an entry point::

    [project.entry-points.translate]
    mine = "translate_mine"
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from torch import nn

    from translate.data.augment import Augmentation
    from translate.data.domain import Domain, Space
    from translate.data.published import DataSet
    from translate.doctor.diagnosis import Diagnosis
    from translate.engine import Engine
    from translate.foreign.formats import ForeignFormat
    from translate.game import Game, ImageLoss, JudgeAugmentation
    from translate.metrics.features import FeatureExtractor
    from translate.metrics.score import Score
    from translate.recipe import Recipe
    from translate.report import Report

#: The version of the interface that plugins are written for, hooks and public names: major.minor, by semantic versioning.
INTERFACE = "1.2"

hookspec = pluggy.HookspecMarker("translate")
hookimpl = pluggy.HookimplMarker("translate")


class GeneratorFactory(Protocol):
    """Makes a network from ``source`` to ``target``: ``factory(source, target, options)``.

    A factory with choices has a frozen dataclass ``Options``, and is given an instance last; one without is called without.
    The network may have an attribute ``stride``: height and width of its input must be multiples of it; or ``fixed_size``, true where it
    takes pictures of the training size only.
    """

    def __call__(self, source: Space, target: Space, /, *options: Any) -> nn.Module:
        """The network."""


class DiscriminatorFactory(Protocol):
    """Makes a judge of samples of ``space``: ``factory(space, options)``. It returns raw scores."""

    def __call__(self, space: Space, /, *options: Any) -> nn.Module:
        """The network."""


class GameFactory(Protocol):
    """Makes an adversarial game: ``factory(options)``."""

    def __call__(self, *options: Any) -> Game:
        """The game."""


class ImageLossFactory(Protocol):
    """Makes a distance between pictures: ``factory(options)``."""

    def __call__(self, *options: Any) -> ImageLoss:
        """The loss."""


class AugmentationFactory(Protocol):
    """Makes what happens to training pictures, for batches of ``size``, (height, width): ``factory(size, options)``."""

    def __call__(self, size: tuple[int, int], /, *options: Any) -> Augmentation:
        """The augmentation."""


class JudgeAugmentationFactory(Protocol):
    """Makes what reals and fakes go through on their way to the judge: ``factory(options)``."""

    def __call__(self, *options: Any) -> JudgeAugmentation:
        """The augmentation."""


class FeatureFactory(Protocol):
    """Makes a network that sees samples of ``space`` as vectors: ``factory(space, options)``."""

    def __call__(self, space: Space, /, *options: Any) -> FeatureExtractor:
        """The extractor."""


class ScoreFactory(Protocol):
    """Makes a score: ``factory(options)``."""

    def __call__(self, *options: Any) -> Score:
        """The score."""


class DiagnosisFactory(Protocol):
    """Makes a diagnosis of one run: ``factory(options)``."""

    def __call__(self, *options: Any) -> Diagnosis:
        """The diagnosis."""


class ListenerFactory(Protocol):
    """Makes an object with event hooks, marked with ``@translate.hookimpl``: ``factory(options)``."""

    def __call__(self, *options: Any) -> object:
        """The listener."""


@hookspec
def register_recipes(register: Callable[[str, type[Recipe]], None]) -> None:
    """Add training methods: ``register("cyclegan", CycleGAN)``. Called once, when the plugin is loaded."""


@hookspec
def register_generators(register: Callable[[str, GeneratorFactory], None]) -> None:
    """Add networks that make pictures: ``register("resnet", ResNetGenerator)``. Called once, when the plugin is loaded."""


@hookspec
def register_discriminators(register: Callable[[str, DiscriminatorFactory], None]) -> None:
    """Add networks that judge pictures: ``register("patch", PatchDiscriminator)``. Called once, when the plugin is loaded."""


@hookspec
def register_adversarial_losses(register: Callable[[str, GameFactory], None]) -> None:
    """Add games: ``register("least-squares", LeastSquares)``. Called once, when the plugin is loaded."""


@hookspec
def register_cycle_losses(register: Callable[[str, ImageLossFactory], None]) -> None:
    """Add distances between a picture and its round trip: ``register("l1", L1)``. Called once, when the plugin is loaded."""


@hookspec
def register_reconstruction_losses(register: Callable[[str, ImageLossFactory], None]) -> None:
    """Add distances between what should be reproduced and what was: ``register("l1", L1)``. Called once, when the plugin is loaded."""


@hookspec
def register_augmentations(register: Callable[[str, AugmentationFactory], None]) -> None:
    """Add what may happen to training pictures: ``register("flip", Flip)``. Called once, when the plugin is loaded."""


@hookspec
def register_judge_augmentations(register: Callable[[str, JudgeAugmentationFactory], None]) -> None:
    """Add what reals and fakes may go through on their way to the judge: ``register("diffaugment", DiffAugment)``. Called once, when the
    plugin is loaded.
    """


@hookspec
def register_features(register: Callable[[str, FeatureFactory], None]) -> None:
    """Add networks that see pictures as vectors, for scores: ``register("timm", TimmFeatures)``. Called once, when the plugin is loaded."""


@hookspec
def register_scores(register: Callable[[str, ScoreFactory], None]) -> None:
    """Add scores of what a method makes: ``register("kid", KernelDistance)``. Called once, when the plugin is loaded."""


@hookspec
def register_diagnoses(register: Callable[[str, DiagnosisFactory], None]) -> None:
    """Add failures of training that reports are searched for: ``register("divergence", Divergence)``. Called once, when the plugin is
    loaded. What one of them raises is dealt with as the failure of an event is.
    """


@hookspec
def register_data_sets(register: Callable[[str, DataSet], None]) -> None:
    """Add data sets that ``translate data get`` fetches: ``register("maps", DATA_SET)``. Called once, when the plugin is loaded."""


@hookspec
def register_foreign_formats(register: Callable[[str, Callable[[], ForeignFormat]], None]) -> None:
    """Add files of other programs that ``translate weights`` imports and exports: ``register("dcgan", PyTorchDCGAN)``. Called once, when
    the plugin is loaded.
    """


@hookspec
def register_listeners(register: Callable[[str, ListenerFactory], None]) -> None:
    """Add listeners that runs ask for by name, ``--listeners tensorboard``: ``register("tensorboard", TensorBoard)``. Called once, when
    the plugin is loaded. A plugin's own event hooks are told of every run; a listener only of those that ask for it, and what it raises
    stops them.
    """


@hookspec(firstresult=True)
def open_domain(
    name: str, root: Path | None, split: str, size: tuple[int, int] | None, domains: tuple[str, ...]
) -> Domain | None:
    """Open one domain, or return None where it is not this plugin's to open; the first plugin by name that has it wins.

    ``root`` is the folder of ``--data``, None where no data was given; the library's own folder layouts are tried before plugins.
    ``split`` is "train" or "test", or a name that the plugin defines; return None for a split that does not exist. ``size`` is
    (height, width) in pixels as the run will load it, for domains that can be made at any size. ``domains`` are all names of the run.
    """


@hookspec
def run_started(engine: Engine) -> None:
    """Training begins, or goes on after a stop: ``engine.clock`` says where."""


@hookspec
def step_reported(engine: Engine, report: Report) -> None:
    """Every ``log_every`` steps, and at the last: ``report.losses`` are the means since the last report, ``report.step`` is finished."""


@hookspec
def samples_saved(engine: Engine, path: Path) -> None:
    """A grid of sample pictures was written to ``path``."""


@hookspec
def checkpoint_saved(engine: Engine, folder: Path) -> None:
    """A checkpoint is complete on disk in ``folder``, whose name is its step; ``engine`` may be some steps ahead of it by then."""


@hookspec
def run_finished(engine: Engine) -> None:
    """Training reached its last step, and the last checkpoint is on disk."""
