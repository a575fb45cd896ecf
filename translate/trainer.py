"""The engine's heart: one step of a game between groups of networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from translate.average import Average
from translate.clock import Clock, factor
from translate.errors import NotFinite, RecipeError, UserError, listed, near
from translate.precision import autocast, upcast
from translate.randomness import derive, seeded
from translate.recipe import Batch, Recipe, Update, check_recipe

#: A step's losses by "group/name": detached scalars on the device.
Losses = dict[str, Tensor]


class Trainer:
    """Turns the updates that a recipe yields into optimiser steps.

    It holds all state of training that is not in the recipe: optimisers, loss scalers and averages. ``state`` is that and the recipe,
    flat, for a checkpoint.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        name: str,
        device: torch.device,
        precision: str = "fp32",
        ema: float = 0.0,
        seed: int = 0,
        freeze: Sequence[str] = (),
    ) -> None:
        self.recipe, self.device, self.precision, self.seed = recipe, device, precision, seed
        self.plans = check_recipe(recipe, name)
        every = {group: _parameters(recipe, plan.over) for group, plan in self.plans.items()}
        _freeze(every, freeze)
        #: What each group optimises, by name: "G.down.1.weight".
        self.parameters = {
            group: {name: each for name, each in mine.items() if each.requires_grad} for group, mine in every.items()
        }
        for group, mine in self.parameters.items():
            if not mine:
                raise UserError(f"Nothing is left to train in '{group}': all of its parameters are frozen; narrow --freeze.")
        self.optimisers = {group: plan.build(self.parameters[group].values()) for group, plan in self.plans.items()}
        # One scaler a group: the two sides' gradients overflow at different scales.
        self.scalers = {group: torch.amp.GradScaler(device.type, enabled=precision == "fp16") for group in self.plans}
        self.averages = {child: Average(recipe.get_submodule(child), ema) for child in recipe.exports} if ema else {}
        self._first_bad: dict[tuple[str, ...], Tensor] = {}
        #: What was watched in the latest step that was to be: the norm of each group's gradient, on the device.
        self.signals: dict[str, Tensor] = {}
        self._watching = False

    def step(self, micro_batches: Sequence[Sequence[Batch]], clock: Clock, *, watch: bool = False) -> Losses:
        """Do one step and return its losses; ``watch`` fills ``signals`` as well.

        Each of ``micro_batches`` is what the recipe consumes in a step; more than one accumulate their gradients, in lockstep, so that
        the networks change only when all have been seen.
        """
        self._watching = watch
        self.signals = {}
        self._set_rates(clock)
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)  # what a step left that was interrupted
        seen: dict[str, list[Tensor]] = {}
        with seeded(self.device, derive(self.seed, "step", clock.step)):
            routines = [self._routine(batches, clock) for batches in micro_batches]
            while updates := self._next_updates(routines):
                self._optimise(updates[0].group)
                for name in updates[0].losses:
                    mean = torch.stack([update.losses[name].detach() for update in updates]).mean()
                    seen.setdefault(f"{updates[0].group}/{name}", []).append(mean)
        # A group that is updated several times in a step reports the mean.
        losses = {key: each[0] if len(each) == 1 else torch.stack(each).mean() for key, each in seen.items()}
        self._note_finiteness(losses, clock)
        return losses

    def _routine(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        routine = self.recipe.step(batches, clock)
        if not isinstance(routine, Iterator):
            raise RecipeError(f"The recipe's step returns a {type(routine).__name__}; it must be a generator: yield Update(...).")
        return routine

    def _next_updates(self, routines: Sequence[Iterator[Update]]) -> list[Update]:
        """Advance every routine to its next update and gather the gradients; empty when the step is over."""
        updates: list[Update] = []
        gradients = torch.is_grad_enabled()
        for routine in routines:
            with autocast(self.device, self.precision):
                casts = torch.is_autocast_enabled(self.device.type)
                update = next(routine, None)
                if (torch.is_grad_enabled(), torch.is_autocast_enabled(self.device.type)) != (gradients, casts):
                    raise RecipeError(
                        "The recipe's step changed torch's gradient or autocast mode, and yielded before it changed it back."
                    )
            if update is None:
                if updates:
                    raise RecipeError("The recipe's step yields fewer updates for one accumulated batch than for another.")
                continue
            self._check(update, updates)
            total = torch.stack([upcast(loss) for loss in update.losses.values()]).sum()
            if not total.requires_grad:
                raise RecipeError(
                    f"Nothing of group '{update.group}' can be learned from its losses {listed(update.losses)}, which have no graph; "
                    f"avoid detach(), item() and no_grad() on the way to them."
                )
            parameters = list(self.parameters[update.group].values())
            # Gradients stop at this group's parameters: the other side is neither touched nor differentiated.
            scaled: Tensor = self.scalers[update.group].scale(total / len(routines))
            scaled.backward(inputs=parameters)  # type: ignore[no-untyped-call]  # torch leaves it untyped
            updates.append(update)
        if updates and len(updates) < len(routines):
            raise RecipeError("The recipe's step yields fewer updates for one accumulated batch than for another.")
        return updates

    def _check(self, update: Update, others: Sequence[Update]) -> None:
        if not isinstance(update, Update):
            raise RecipeError(f"The recipe's step yields a {type(update).__name__}; it must yield Update(group, losses).")
        if update.group not in self.plans:
            raise RecipeError(
                f"The recipe yields an update for '{update.group}', which has no optimiser plan; plans: {sorted(self.plans)}."
            )
        if others and others[0].group != update.group:
            raise RecipeError(f"Accumulated batches disagree on the group to update: '{others[0].group}' and '{update.group}'.")
        if others and others[0].losses.keys() != update.losses.keys():
            raise RecipeError(
                f"Accumulated batches disagree on the losses of '{update.group}': {[*others[0].losses]} and {[*update.losses]}."
            )
        if not update.losses:
            raise RecipeError(f"The recipe yields an update for '{update.group}' without a loss.")
        for name, loss in update.losses.items():
            if not isinstance(loss, Tensor):
                raise RecipeError(f"Loss '{update.group}/{name}' is a {type(loss).__name__}; it must be a scalar tensor.")
            if loss.dim():
                raise RecipeError(
                    f"Loss '{update.group}/{name}' has the shape {tuple(loss.shape)}; it must be a scalar: take its mean."
                )

    def _optimise(self, group: str) -> None:
        optimiser, scaler = self.optimisers[group], self.scalers[group]
        scale = scaler.get_scale()
        if self._watching:
            gradients = [each.grad for each in self.parameters[group].values() if each.grad is not None]
            norms = torch._foreach_norm(gradients) if gradients else [torch.zeros(())]
            self.signals[f"gradient/{group}"] = torch.linalg.vector_norm(torch.stack(norms).float()) / scale
        scaler.step(optimiser)
        scaler.update()
        optimiser.zero_grad(set_to_none=True)
        # A scaler that went down met an overflow and skipped the step; then there is nothing new to average.
        if scaler.get_scale() >= scale:
            for child in self.plans[group].over:
                if child in self.averages:
                    self.averages[child].update(self.recipe.get_submodule(child))

    def _set_rates(self, clock: Clock) -> None:
        for group, rate in self.rates(clock).items():
            for parameters in self.optimisers[group].param_groups:
                parameters["lr"] = rate

    def rates(self, clock: Clock) -> dict[str, float]:
        """The learning rate of each group at this moment."""
        return {group: plan.lr * factor(plan.schedule, clock) for group, plan in self.plans.items()}

    def _note_finiteness(self, losses: Losses, clock: Clock) -> None:
        """Remember, on the device, the first step at which each loss was not finite: reading it here would make the host wait."""
        by_group: dict[str, list[str]] = {}
        for key in losses:
            by_group.setdefault(key.split("/")[0], []).append(key)
        for keys in by_group.values():
            finite = torch.isfinite(torch.stack([losses[key].float() for key in keys]))
            known = tuple(keys)  # one flag for each set of losses: a penalty may be there at some steps only
            if known not in self._first_bad:
                self._first_bad[known] = torch.full((len(known),), -1, device=self.device)
            first = self._first_bad[known]
            self._first_bad[known] = torch.where((first < 0) & ~finite, clock.step, first)

    def check_finite(self) -> None:
        """Raise NotFinite where a loss has been, or a weight is, infinite or NaN, naming it. Waits for the device."""
        advice = "nothing of it was saved. Begin again with a lower --lr or in fp32, from the last checkpoint, if any, by --init-from RUN."
        bad = [
            (step, key)
            for keys, first in self._first_bad.items()
            for key, step in zip(keys, first.tolist(), strict=True)
            if step >= 0
        ]
        if bad:
            step, key = min(bad)
            raise NotFinite(f"The loss '{key}' became infinite or NaN at step {step + 1}; {advice}")
        for group, parameters in self.parameters.items():
            # A norm is finite where all it sums up is: one number for each tensor, one wait for them all.
            norms = torch.stack(torch._foreach_norm([each.detach() for each in parameters.values()]))
            for name, finite in zip(parameters, torch.isfinite(norms).tolist(), strict=True):
                if not finite:
                    raise NotFinite(f"The weights '{name}' of group '{group}' became infinite or NaN; {advice}")

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the recipe's exported networks are their averages, where there are any."""
        live = {child: self.recipe.get_submodule(child) for child in self.averages}
        try:
            for child, average in self.averages.items():
                setattr(self.recipe, child, average.network)
            yield
        finally:
            for child, network in live.items():
                setattr(self.recipe, child, network)

    @property
    def unsettled(self) -> list[nn.modules.batchnorm._BatchNorm]:
        """The averages' norms with running statistics: those that they copy belong to the live networks, and fit the averages badly."""
        return [
            module
            for average in self.averages.values()
            for module in average.network.modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats
        ]

    def settle(self, steps: Sequence[tuple[Sequence[Batch], Clock]]) -> None:
        """Measure the running statistics of the averages: take ``steps`` with them in the networks' places, and update nothing.

        Copied statistics ruin averages whose networks change fast: a translator whose pictures were faces showed plain grey. Everything
        else, pools and other networks' statistics among it, is left as it was.
        """
        norms = self.unsettled
        others = {name: child for name, child in self.recipe.named_children() if name not in self.averages}
        kept = {name: {key: each.clone() for key, each in child.state_dict().items()} for name, child in others.items()}
        momenta = [norm.momentum for norm in norms]
        before = [{key: each.clone() for key, each in norm.state_dict().items()} for norm in norms]
        try:
            for norm in norms:
                norm.reset_running_stats()
                norm.momentum = None  # the mean over all that is seen
                norm.train()
            # Whoever uses the averages may have switched gradients off, and a penalty needs them.
            with (
                self.averaged(),
                seeded(self.device, derive(self.seed, "settle")),
                torch.inference_mode(False),
                torch.enable_grad(),
            ):
                for batches, clock in steps:
                    with autocast(self.device, self.precision):
                        for _ in self.recipe.step(batches, clock):
                            pass
        finally:
            for norm, momentum, state in zip(norms, momenta, before, strict=True):
                norm.momentum = momentum
                norm.eval()
                if norm.num_batches_tracked is not None and not norm.num_batches_tracked:
                    norm.load_state_dict(state)  # no step came by here
            for name, child in others.items():
                child.load_state_dict(kept[name])

    def exported(self) -> dict[str, Tensor]:
        """The tensors of the exported networks, averaged where an average is kept: what a weights file holds."""
        with self.averaged():
            return self.recipe.exported()

    def state(self) -> dict[str, Tensor]:
        """All state of training as named tensors. ``load_state`` takes them back."""
        state = {f"recipe/{key}": tensor for key, tensor in self.recipe.state_dict().items()}
        for child, average in self.averages.items():
            state |= {f"average/{child}.{key}": tensor for key, tensor in average.network.state_dict().items()}
        for group, optimiser in self.optimisers.items():
            for name, parameter in self.parameters[group].items():
                for key, value in optimiser.state.get(parameter, {}).items():
                    state[f"optimiser/{group}/{name}/{key}"] = torch.as_tensor(value)
        for group, scaler in self.scalers.items():
            for key, value in scaler.state_dict().items():
                state[f"scaler/{group}/{key}"] = torch.tensor(value, dtype=torch.float64)
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take back what ``state`` gave. Raises KeyError or RuntimeError where it does not fit."""
        sections: dict[str, dict[str, Tensor]] = {}
        for key, tensor in state.items():
            section, _, rest = key.partition("/")
            sections.setdefault(section, {})[rest] = tensor
        self.recipe.load_state_dict(sections["recipe"])
        for child, average in self.averages.items():
            prefix = f"{child}."
            mine = {key.removeprefix(prefix): each for key, each in sections["average"].items() if key.startswith(prefix)}
            average.network.load_state_dict(mine)
        for group, optimiser in self.optimisers.items():
            for name, parameter in self.parameters[group].items():
                prefix = f"optimiser/{group}/{name}/"
                moments = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
                fused = bool(optimiser.param_groups[0].get("fused"))
                optimiser.state[parameter] = {key: _placed(key, tensor, parameter, fused) for key, tensor in moments.items()}
        for group, scaler in self.scalers.items():
            prefix = f"{group}/"
            values = {
                key.removeprefix(prefix): each for key, each in sections.get("scaler", {}).items() if key.startswith(prefix)
            }
            if values:
                whole = ("growth_interval", "_growth_tracker")
                scaler.load_state_dict({key: int(each) if key in whole else float(each) for key, each in values.items()})


def _parameters(recipe: Recipe, children: Sequence[str]) -> dict[str, nn.Parameter]:
    return {
        f"{child}.{key}": parameter for child in children for key, parameter in recipe.get_submodule(child).named_parameters()
    }


def _freeze(groups: Mapping[str, Mapping[str, nn.Parameter]], patterns: Sequence[str]) -> None:
    """Keep parameters from being trained whose names a pattern fits: "G.down" is all of that module, "G.*.bias" goes across."""
    named = {name: each for mine in groups.values() for name, each in mine.items()}
    for pattern in patterns:
        fitting = [name for name in named if name.startswith(f"{pattern}.") or fnmatchcase(name, pattern)]
        if not fitting:
            modules = sorted({".".join(name.split(".")[:depth]) for name in named for depth in range(1, name.count(".") + 1)})
            raise UserError(
                f"--freeze {pattern} fits no parameter.{near(pattern, [*modules, *named])} "
                f"Names are such as {next(iter(named))}; 'G.down' is all of a module, 'G.*.bias' a pattern."
            )
        for name in fitting:
            named[name].requires_grad_(False)


def _placed(key: str, tensor: Tensor, parameter: nn.Parameter, fused: bool) -> Tensor:
    """A moment where its optimiser wants it: counts on the host, unless it is ``fused``; the rest as the parameter lies, strides too."""
    if tensor.shape != parameter.shape or key == "step":
        return tensor.to(parameter.device, copy=True) if fused else tensor.clone()
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
