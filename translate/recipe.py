"""What a training method is made of.

A method is a :class:`Recipe`: it holds its networks, says who optimises what, and computes one step as a generator that yields the
losses of one group of networks after the other. The engine does the rest.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from torch import Tensor, nn

from translate import options as _options
from translate.clock import Clock
from translate.data.domain import Space
from translate.errors import NotAPicture, RecipeError, UserError
from translate.game import AugmentedGame, Game, ImageLoss, JudgeAugmentation
from translate.latent import Latent
from translate.optimisers import OptimiserPlan
from translate.options import Part
from translate.randomness import uniform
from translate.roster import Roster

if TYPE_CHECKING:
    from translate.plugins import Plugins
    from translate.registry import Registry


@dataclass(frozen=True)
class Batch:
    """Samples of every domain, drawn independently: unpaired.

    ``images`` holds one tensor for each domain, ``(B, C, H, W)`` in [-1, 1] or ``(B, D)`` for points. The samples have the positions
    ``first``, ``first + 1``, ... in the stream of the whole run, counted over all batches and all processes.
    """

    images: tuple[Tensor, ...]
    first: int
    seed: int

    def __len__(self) -> int:
        return len(self.images[0])

    def uniform(self, purpose: str, width: int = 1) -> Tensor:
        """``(B, width)`` float64 draws in [0, 1) that belong to these samples, on the CPU; the same whenever they are asked for."""
        # Not float32: in it, one draw in 33 million is rounded to 1.
        return torch.from_numpy(uniform(self.seed, purpose, self.first, len(self), width))

    def noise(self, latent: Latent, purpose: str = "z") -> Tensor:
        """``(B, latent.width)`` noise that belongs to these samples, where and as precise as they are."""
        return latent.noise(self.uniform(purpose, latent.width)).to(self.images[0])


@dataclass(frozen=True)
class Update:
    """The losses of one group of optimised networks: named scalars that the engine adds up and minimises."""

    group: str
    losses: Mapping[str, Tensor]


@dataclass(frozen=True)
class Preset:
    """A named set of options: those of the run (size, batch, steps, ...) and those of the recipe."""

    summary: str
    run: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Whether it is made for points rather than for pictures.
    points: bool = False


class Make:
    """Builds the networks and losses that options name, for the domains of a run.

    Where a trained method is only to be used (``training`` false), judges and losses are empty modules: neither their plugins nor their
    memory are needed.
    """

    def __init__(
        self,
        plugins: Plugins,
        spaces: Sequence[Space],
        *,
        training: bool = True,
        judge_augment: Part | None = None,
        roster: Roster | None = None,
    ) -> None:
        self.plugins = plugins
        self.roster = roster or Roster(plugins)
        self._judge_augment = judge_augment
        self.training = training
        self.spaces = tuple(spaces)
        self._parts: dict[nn.Module, Part] = {}  # what discriminators were made of, for sentences

    def generator(self, part: Part, source: Space, target: Space) -> nn.Module:
        """A network ``source`` → ``target``. Raises UserError where it cannot take pictures of this size."""
        try:
            network: nn.Module = self._made(self.plugins.generators, part, nn.Module, source, target)
        except NotAPicture:
            if source in self.spaces or not target.is_picture:
                raise
            raise UserError(
                f"Generator '{part.name}' takes pictures, and this method makes samples from noise; choose another with --generator: "
                f"'translate list generators' shows them."
            ) from None
        stride = _stride(network)
        if source.is_picture and any(side % stride for side in source.size):
            raise UserError(
                f"Generator '{part.name}' takes pictures whose height and width are multiples of {stride}, not {_size(source)}; "
                f"try --size {_near_multiple(source, stride)}."
            )
        return network

    def discriminator(self, part: Part, space: Space) -> nn.Module:
        """A judge of samples of ``space``; it returns raw scores, ``(B, 1, h, w)`` or ``(B, 1)``."""
        if not self.training:
            return nn.Module()
        network: nn.Module = self._made(self.plugins.discriminators, part, nn.Module, space)
        self._parts[network] = part
        return network

    def adversarial_loss(self, part: Part, judges: Sequence[nn.Module] = ()) -> Game:
        """The game of that name, to be played with ``judges``. Raises UserError where it cannot be."""
        if not self.training:
            return cast(Game, nn.Module())
        game: Game = self._made(self.plugins.adversarial_losses, part, Game)
        for judge in judges:
            game.check(judge, self._part(judge))
        if self._judge_augment is None:
            return game
        augmentation = self._made(self.plugins.judge_augmentations, self._judge_augment, JudgeAugmentation)
        if augmentation.adapts and game.middle is None:
            raise UserError(
                f"The judge augmentation '{self._judge_augment.name}' follows the judge's scores, and in game '{part.name}' a single score "
                f"says nothing; use --judge-augment diffaugment, or another game."
            )
        for space in self.spaces:
            augmentation.check(space)
        return AugmentedGame(game, augmentation)

    def cycle_loss(self, part: Part, judges: Sequence[nn.Module] = ()) -> ImageLoss:
        """The distance between a picture and its round trip; ``judges`` are those that the recipe calls it with."""
        return self._image_loss(self.plugins.cycle_losses, part, judges)

    def reconstruction_loss(self, part: Part, judges: Sequence[nn.Module] = ()) -> ImageLoss:
        """The distance between what a network should reproduce and what it gave; ``judges`` are those that the recipe calls it with."""
        return self._image_loss(self.plugins.reconstruction_losses, part, judges)

    def _image_loss(self, registry: Registry[Any], part: Part, judges: Sequence[nn.Module]) -> ImageLoss:
        if not self.training:
            return cast(ImageLoss, nn.Module())
        loss: ImageLoss = self._made(registry, part, ImageLoss)
        for space in self.spaces:
            loss.check(space)
        if loss.needs_judge:
            if not judges:
                raise UserError(
                    f"The {registry.kind} '{part.name}' compares what a discriminator sees, and here it is given none."
                )
            for judge in judges:
                if not hasattr(judge, "features"):
                    raise UserError(
                        f"The {registry.kind} '{part.name}' compares what a discriminator's layers see, and discriminator "
                        f"'{self._part(judge).name}' does not show it (it has no method 'features'); choose another of the two."
                    )
        return loss

    def _part(self, judge: nn.Module) -> Part:
        """What ``judge`` was made of; one that the method made itself goes by its class."""
        return self._parts.get(judge, Part(type(judge).__name__))

    def _made(self, registry: Registry[Any], part: Part, wanted: type[Any], *spaces: Space) -> Any:
        return self.roster.build(registry, part, wanted, *spaces)


def _stride(network: nn.Module) -> int:
    """What height and width of a network's pictures must be multiples of; a bare convolution's ``stride`` is another thing."""
    stride = getattr(network, "stride", 1)
    return stride if isinstance(stride, int) else 1


def _size(space: Space) -> str:
    return str(_options.Size(*space.size))


def _near_multiple(space: Space, stride: int) -> str:
    return str(_options.Size(*(max(stride, round(side / stride) * stride) for side in space.size)))


class Recipe(nn.Module):
    """A training method. Subclass it, and register the subclass with ``register_recipes``.

    The class's docstring is its help text. Networks are attributes set in ``build``; what must survive a restart is a parameter or a
    buffer. A recipe draws random numbers from torch's global generator, which the engine seeds at every step, or from the batch.
    """

    #: How many domains the method takes, or (least, most), with None for no limit.
    domains: ClassVar[int | tuple[int, int | None]] = 2
    #: The networks that a user of the trained method needs: what weights files hold.
    exports: ClassVar[tuple[str, ...]] = ()
    #: Named sets of options. ``quick`` is the default without an accelerator, ``paper`` with one.
    presets: ClassVar[Mapping[str, Preset]] = {}
    #: How each domain is gone through: ``round`` goes through all samples in turn, shuffled, ``draw`` draws with replacement, ``paired``
    #: takes the counterpart, of the same name, of each sample of the first domain, cropped and flipped alike. The last entry holds for
    #: all further domains.
    order: ClassVar[tuple[str, ...]] = ("round", "draw")
    #: From which domain to which ``translate`` leads, as pairs of their numbers; None for a method that leads from each to every other.
    directions: ClassVar[tuple[tuple[int, int], ...] | None] = None
    #: The noise that ``sample`` takes, set in ``build``; None for a method that makes nothing from noise.
    latent: Latent | None = None

    @dataclass(frozen=True)
    class Options:
        """What a user may choose; becomes flags, keyword arguments and the record of a run."""

    def __init__(self, options: Options, make: Make) -> None:
        super().__init__()
        self.options = options
        self.spaces = make.spaces
        self.build(make)

    @abstractmethod
    def build(self, make: Make) -> None:
        """Make the networks for ``self.spaces``, one space a domain, as attributes."""

    @abstractmethod
    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        """Group name → plan. Every trainable network belongs to one group; what belongs to none stays as it is."""

    @abstractmethod
    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        """One step, as a generator: yield an Update; when it goes on, that group's networks have been updated.

        ``batches`` are ``self.batches(clock)`` fresh ones.
        """

    def batches(self, clock: Clock) -> int:
        """How many batches a step consumes."""
        return 1

    def phase(self, clock: Clock) -> Hashable | None:
        """Steps with the same phase run the same code, so that one recording of it serves them all; None: not to be recorded."""
        return None

    def epoch_length(self, sizes: Sequence[int], batch: int) -> int:
        """How many samples of each domain an epoch takes, given the sizes of the domains and of a batch."""
        return max(sizes)

    @property
    def stride(self) -> int:
        """Height and width of what ``translate`` takes must be multiples of this."""
        return math.lcm(*(_stride(self.get_submodule(name)) for name in self.exports))

    @property
    def fixed_size(self) -> bool:
        """Whether ``translate`` takes pictures of the training size only."""
        return any(getattr(self.get_submodule(name), "fixed_size", False) for name in self.exports)

    def leads(self, source: int, target: int) -> bool:
        """Whether ``translate`` leads from domain ``source`` to another, ``target``."""
        return source != target and (self.directions is None or (source, target) in self.directions)

    def translate(self, image: Tensor, source: int, target: int) -> Tensor:
        """``image`` of domain ``source``, ``(B, C, H, W)`` in [-1, 1], as domain ``target`` would show it."""
        other = "; it makes pictures from noise: translate sample" if self.latent else ""
        raise UserError(f"{type(self).__name__} does not map one domain to another, so it cannot translate pictures{other}.")

    def sample(self, noise: Tensor) -> Tensor:
        """Samples of the first domain, ``(B, C, H, W)`` in [-1, 1] or ``(B, D)``, made from ``noise``, ``(B, latent.width)``."""
        raise UserError(
            f"{type(self).__name__} makes nothing from noise, so it cannot sample; it translates pictures: translate apply."
        )

    def exported(self) -> dict[str, Tensor]:
        """The state of the exported networks."""
        return {key: tensor for key, tensor in self.state_dict().items() if key.split(".")[0] in self.exports}

    @classmethod
    def check_domains(cls, name: str, domains: Sequence[str]) -> None:
        """Raise UserError unless ``domains`` are as many as this method takes, all different."""
        least, most = (cls.domains, cls.domains) if isinstance(cls.domains, int) else cls.domains
        if len(domains) < least or (most is not None and len(domains) > most):
            wanted = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            raise UserError(
                f"Recipe '{name}' needs {wanted} domain{'s' if wanted != '1' else ''}, and {len(domains)} "
                f"{'was' if len(domains) == 1 else 'were'} given; write --domains {' '.join(ascii_uppercase[: max(least, 1)])}."
            )
        if len(set(domains)) < len(domains):
            raise UserError(f"The domains must differ, and they are {' '.join(domains)}.")


def check_recipe(recipe: Recipe, name: str) -> Mapping[str, OptimiserPlan]:
    """The recipe's optimiser plans. Raises RecipeError, for the author of a plugin, where they do not fit its networks."""
    plans = recipe.optimisers()
    children = dict(recipe.named_children())
    owners: dict[str, str] = {}
    for group, plan in plans.items():
        for child in plan.over:
            if child not in children:
                raise RecipeError(
                    f"Recipe '{name}': group '{group}' optimises '{child}', which is not one of its networks {sorted(children)}."
                )
            if child in owners:
                raise RecipeError(f"Recipe '{name}': network '{child}' is in two groups, '{owners[child]}' and '{group}'.")
            owners[child] = group
    for child in recipe.exports:
        if child not in children:
            raise RecipeError(f"Recipe '{name}' exports '{child}', which is not one of its networks {sorted(children)}.")
    return plans
