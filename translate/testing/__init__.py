"""The conformance kit: what the author of a plugin runs, and ``translate plugins check PACKAGE`` runs for its users.

Each check takes a part as it is registered, makes it as a run would, and raises :class:`NonConforming` where it breaks its contract;
the message says what was found, what was expected and what to do. ``part`` is the part as a user writes it, for its options::

    from translate.testing import check_generator

    def test_generator():
        check_generator(MyGenerator, part="mine:channels=4")

UserError, a part's own refusal in one sentence, comes through: ask with a size or channels that it takes.

A game, an image loss or a discriminator that cannot be differentiated twice says so with a class attribute,
``twice_differentiable = False``; without it, gradient penalties and the like may rest on the part, and the checks hold it to that.
"""

from translate.testing.augmentations import check_augmentation
from translate.testing.common import NonConforming
from translate.testing.data import check_data
from translate.testing.data_sets import check_data_set
from translate.testing.diagnoses import check_diagnosis
from translate.testing.discriminators import Traits, check_discriminator
from translate.testing.features import check_features
from translate.testing.games import check_game
from translate.testing.generators import check_generator
from translate.testing.imports import HEAVY, check_import
from translate.testing.judge_augmentations import check_judge_augmentation
from translate.testing.listeners import check_events, check_listener
from translate.testing.losses import check_image_loss
from translate.testing.plugins import Result, check_plugin
from translate.testing.recipes import check_recipe
from translate.testing.scores import check_score

__all__ = [
    "HEAVY",
    "NonConforming",
    "Result",
    "Traits",
    "check_augmentation",
    "check_data",
    "check_data_set",
    "check_diagnosis",
    "check_discriminator",
    "check_events",
    "check_features",
    "check_game",
    "check_generator",
    "check_image_loss",
    "check_import",
    "check_judge_augmentation",
    "check_listener",
    "check_plugin",
    "check_recipe",
    "check_score",
]
