"""The engine: trains any recipe on any domains, saves and loads, translates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from translate import checkpoint, options, records, weights
from translate.clock import Clock
from translate.data.augment import Augmentation
from translate.data.catalogue import Found, open_domains
from translate.data.domain import Array, Domain, Space
from translate.data.loader import CACHE_BYTES, Loader, Source
from translate.data.samples import as_networks_see
from translate.doctor.doctor import Doctor
from translate.errors import Interrupted, PluginError, TranslateError, UserError, brief, listed
from translate.failures import explained_failures
from translate.fast import hasten, levers
from translate.fast.adam import fuse
from translate.given import find_recipe
from translate.inference import PictureTranslator, Scale, choose_way
from translate.isolation import Guard
from translate.length import Length, Measure
from translate.loading import load
from translate.metrics.evaluation import CHOICE, Evaluation, evaluate
from translate.options import Part
from translate.plugins import Hooks, Plugins, installed
from translate.precision import check_precision, choose_device
from translate.pretrained import Pretrained, backbones
from translate.randomness import derive, seeded
from translate.recipe import Batch, Make, Recipe
from translate.recorder import Means, Recorder
from translate.reopening import reopen
from translate.report import Report
from translate.roster import Roster
from translate.sampling import sample
from translate.settings import RunOptions, default_preset, one_length, resolve
from translate.stopping import stop_requests
from translate.trainer import Trainer
from translate.transfer import start_from
from translate.writing import Writer

#: So many steps are looked at to measure the running statistics of averaged networks.
SETTLING_STEPS = 12
#: Diagnoses look at the networks at the first report after every so many steps.
MEASURED_EVERY = 50


class Engine:
    """A recipe, its data and its state.

    ``Engine("cyclegan", domains=("horse", "zebra"), data="photos", size=256)`` builds networks and opens data; ``fit`` trains.
    Further keyword arguments are the options of the run (:class:`translate.RunOptions`) and of the recipe, the same as the flags of
    ``translate run``; parts are named as there, ``generator="resnet:blocks=6"``, or are objects of one's own, ``adversarial=MyGame()``,
    ``generator=MyNetwork`` (a class or a function, called with the two spaces), and ``recipe`` may be a class. ``out`` is a new folder in
    which the run is kept; without one nothing is written. ``preset`` is ``quick`` on a CPU and ``paper`` elsewhere, unless given.

    Raises UserError, with one sentence, for whatever is wrong with the arguments or the data.
    """

    #: The folder of the run, where it is kept in one.
    out: Path | None
    #: The lengths of the run, in the order in which they came to hold.
    lengths: tuple[Length, ...]
    #: The networks that parts rest on, by place and name, and the digests of their weights.
    backbones: Mapping[str, str]

    def __init__(
        self,
        recipe: str | type[Recipe],
        domains: Sequence[str] = (),
        *,
        preset: str | None = None,
        out: str | Path | None = None,
        plugins: Plugins | None = None,
        **values: object,
    ) -> None:
        plugins = plugins or installed()
        name, method = find_recipe(recipe, plugins)
        names = (domains,) if isinstance(domains, str) else tuple(domains)
        method.check_domains(name, names)
        chosen = preset or default_preset(method, choose_device(str(values.get("device", "auto"))).type)
        run, own = resolve(method, name, chosen, {**values, "domains": names})
        self._open(name, method, chosen, run, own, plugins, fresh=True, begins=True)
        if out is not None:
            self.out = Path(out)
            checkpoint.create_run(self.out, records.record(self))
            self._keep_beginning()

    def _open(
        self,
        name: str,
        method: type[Recipe],
        preset: str | None,
        run: RunOptions,
        own: Recipe.Options,
        plugins: Plugins,
        *,
        fresh: bool,
        begins: bool,
    ) -> None:
        """Open the data and build everything that training needs; where a run is ``fresh``, data that was not named is looked for.

        Where it ``begins``, and no checkpoint is to be loaded, other weights are fetched that it begins from.
        """
        plugins.check(run.on_plugin_error)
        self.preset, self.run_options = preset, run
        self._ask(plugins)
        self.device = choose_device(run.device)
        check_precision(self.device, run.precision)
        augmentation = self.roster.build(plugins.augmentations, run.augment, Augmentation, run.size)
        if tuple(augmentation.size) != tuple(run.size):
            raise UserError(
                f"The augmentation was made for pictures of {options.Size(*augmentation.size)}, and the run has --size {run.size}; give "
                f"the class itself."
            )
        self.found: Found | None = open_domains(
            self.guard,
            run.domains,
            run.data,
            augmentation.loading_size,
            search=fresh,
            holdout=run.holdout,
            seed=run.holdout_seed,
            paired="paired" in method.order,
        )
        self._build(name, method, own, [_space(domain, run.size) for domain in self.found.train], training=True)
        if begins and run.init_from is None:
            self._begin()
        for domain in (*self.found.train, *filter(None, self.found.test)):
            self.roster.add(domain, f"domain '{domain.name}'", self.found.owners.get(domain.name))
        for part in run.listeners:
            self.listeners.add(self.roster.build(plugins.listeners, part, None), part.name)
        self.doctor: Doctor | None = Doctor(plugins, run.diagnoses, self.guard)
        self.used.update(self.doctor.asked)
        self.backbones = backbones(self.recipe)
        self.epoch_samples = self.recipe.epoch_length([len(domain) for domain in self.found.train], run.batch)
        self.lengths = (Length(run.steps, run.epochs),)
        self._trainer: Trainer | None = Trainer(
            self.recipe, name=name, device=self.device, precision=run.precision, ema=run.ema, seed=run.seed, freeze=run.freeze
        )
        if "adam" in levers(run.fast):
            for optimiser in self._trainer.optimisers.values():
                fuse(optimiser)
        room = CACHE_BYTES // len(self.found.train)
        self._loader: Loader | None = Loader(
            [
                Source(domain, augmentation.loading_size if domain.is_picture else None, room, run.fit)
                for domain in self.found.train
            ],
            self.recipe.order,
            augmentation,
            epoch=self.epoch_samples,
            batch=run.batch,
            seed=run.seed,
            device=self.device,
            workers=run.workers,
        )
        if begins and run.init_from is not None:
            start_from(self, run.init_from)

    def _keep_beginning(self) -> None:
        """Save a run that begins from other weights at once: where it began is found in it even if those weights go."""
        if self.run_options.init_from is not None or self.backbones:
            self.save_checkpoint()

    def _ask(self, plugins: Plugins) -> None:
        """Ask ``plugins`` for parts from here on, and note which are used."""
        self.plugins = plugins
        self.roster = Roster(plugins)
        #: Asks plugins on behalf of this engine, each until it fails.
        self.guard = Guard(plugins, self.run_options.on_plugin_error, self.used)
        #: Objects with event hooks that are told of this engine alone, by name. What they raise stops it.
        self.listeners = Hooks()

    @property
    def used(self) -> set[str]:
        """The plugins that the run rests on: where one of them fails, the run stops."""
        return self.roster.used

    def _build(self, name: str, method: type[Recipe], own: Recipe.Options, spaces: Sequence[Space], *, training: bool) -> None:
        self.recipe_name, self.spaces = name, tuple(spaces)
        self.out = None
        self.step, self.consumed = 0, 0
        self.backbones = {}
        self._loaded_averages = False
        self._settled = -1
        self._writer = Writer()
        #: Options that were changed on the way, against the rule that a run goes on as it began.
        self.overridden: tuple[str, ...] = ()
        make = Make(self.plugins, spaces, training=training, judge_augment=self.run_options.judge_augment, roster=self.roster)
        with seeded(self.device, derive(self.run_options.seed, "build")):
            self.recipe = method(own, make).to(self.device)
        hasten(self.recipe, self.device, levers(self.run_options.fast), self.run_options.batch)
        owner = self.plugins.recipes.owner(name) if name in self.plugins.recipes else None
        self.roster.add(self.recipe, f"recipe '{name}'", owner)

    def _begin(self) -> None:
        """Let parts that begin from other weights fetch them: called once a run, and never where its own weights are to be loaded."""
        with seeded(self.device, derive(self.run_options.seed, "begin")):
            for module in self.recipe.modules():
                if isinstance(module, Pretrained):
                    module.begin()

    def __repr__(self) -> str:
        names = ", ".join(space.name for space in self.spaces)
        where = f", kept in {self.out}" if self.out else ""
        length = f" of {self.total}" if self._trainer is not None else ""
        return f"<Engine {self.recipe_name}: {names}; step {self.step}{length}{where}>"

    def real(self, domain: int, count: int = 1) -> Tensor:
        """The first ``count`` samples of domain number ``domain`` as the networks see them, (count, C, H, W) in [-1, 1] or (count, D).

        Held-out ones, or training ones where none are held out; the same each time, and fewer where there are not as many.
        """
        if self.found is None:
            raise UserError("This engine was loaded from weights and has no pictures; give them to translate().")
        source = self.found.test[domain] or self.found.train[domain]
        with self.roster.blaming("where a sample was read"):
            return as_networks_see(source, self.spaces[domain], range(min(count, len(source))), self.device, self.run_options.fit)

    # Training

    @property
    def trainer(self) -> Trainer:
        """The trainer. Raises UserError where this engine was loaded from weights."""
        if self._trainer is None:
            raise UserError(
                f"This engine was loaded from weights, which hold no state of training; train with "
                f"Engine('{self.recipe_name}', ..., init_from=WEIGHTS), or go on with Engine.resume(RUN)."
            )
        return self._trainer

    @property
    def loader(self) -> Loader:
        """The loader of training batches. Raises UserError where this engine was loaded from weights."""
        _ = self.trainer
        assert self._loader is not None
        return self._loader

    @property
    def total(self) -> int:
        """The length of the run in steps."""
        _ = self.trainer  # raises where nothing can be trained
        return self._measure.total(self.lengths[-1])

    @property
    def clock(self) -> Clock:
        """Where the run stands."""
        _ = self.trainer
        return self._measure.clock(self.lengths, self.step, self.consumed)

    @property
    def _measure(self) -> Measure:
        run = self.run_options
        return Measure(self.epoch_samples, run.batch * run.accumulate * self.recipe.batches(Clock(0, 1)))

    def extend(self, *, steps: int | None = None, epochs: int | None = None, anneal: bool = False) -> None:
        """Make the run ``steps`` or ``epochs`` long in all, from where it stands, finished or not.

        Learning-rate curves begin anew over what is left; with ``anneal``, they fall from where they stand to 0 after the end. Raises
        UserError where the length is behind the run already.
        """
        length = self._length(steps, epochs)
        if not self.step:
            self.lengths = (length,)
        else:
            done = f"{self.step} of {self.total} steps are done"
            if self._measure.total(length) <= self.step:
                raise UserError(f"The run cannot be that short: {done}; give a length in all that is beyond them.")
            if anneal and self.step == self.total:
                raise UserError(f"The run is finished, {done}, and its rates with it; make it longer without --anneal.")
            self.lengths = (*self.lengths, replace(length, step=self.step, consumed=self.consumed, anneal=anneal))
        self.run_options = replace(self.run_options, steps=length.steps, epochs=length.epochs)
        if self.out is not None:
            with checkpoint.writing(self.out, "The record"):
                checkpoint.write_record(self.out, records.record(self))

    @staticmethod
    def _length(steps: int | None, epochs: int | None) -> Length:
        given = one_length({"steps": steps, "epochs": epochs})
        if not given:
            raise UserError("How long is the run to be? Give steps or epochs.")
        return Length(**{name: options.read(RunOptions, name, value) for name, value in given.items()})

    def steps(self) -> Iterator[Report]:
        """Train, giving the loop to the caller: one report for each step, until the run has its length.

        Stop and call again to go on. The caller's global random state is untouched, and networks are in training mode. Nothing is
        written: in a run folder, ``save_checkpoint`` does that when you say so.
        """
        run, trainer = self.run_options, self.trainer
        stream, position = self.loader.batches(self.consumed), self.consumed
        while self.step < self.total:
            self.recipe.train()
            clock = self.clock
            if position != self.consumed:  # another iterator has gone on in the meantime
                stream = self.loader.batches(self.consumed)
            with self.roster.blaming(f"at step {self.step + 1}"), explained_failures():
                wanted = self.recipe.batches(clock)
                micro_batches: list[list[Batch]] = [[next(stream) for _ in range(wanted)] for _ in range(run.accumulate)]
                losses = trainer.step(micro_batches, clock, watch=self._due(self.step + 1))
            self.step += 1
            self.consumed += run.batch * wanted * run.accumulate
            position = self.consumed
            if self.step % run.log_every == 0:
                trainer.check_finite()
            yield Report(clock, losses, trainer.rates(clock))

    def fit(self, *, steps: int | None = None, epochs: int | None = None) -> Engine:
        """Train to the end of the run; where there is a run folder, keep log, grids and checkpoints in it.

        ``steps`` or ``epochs`` replace the length that the run was set to, before its first step. SIGINT, SIGTERM and SIGHUP end the step
        at hand, save where there is a folder, and raise Interrupted. Raises NotFinite where a loss is infinite or NaN, which is never
        saved.
        """
        _ = self.trainer  # raises where nothing can be trained
        if steps is not None or epochs is not None:
            if self.step:
                raise UserError("The run has begun; extend() changes its length, and what becomes of its rates.")
            self.extend(steps=steps, epochs=epochs)
        with checkpoint.locked(self.out) if self.out is not None else nullcontext():
            self._train()
        return self

    def _train(self) -> None:
        """What ``fit`` does where nobody else writes to the run folder."""
        if self.out is not None and (latest := checkpoint.latest_checkpoint(self.out)) and int(latest.name) > self.step:
            raise UserError(
                f"The run in {self.out} went on to step {int(latest.name)} meanwhile, and this engine is at step {self.step}; resume anew."
            )
        recorder = Recorder(self, self.out) if self.out is not None else None
        means = Means()
        with self._finishing(), self.listening(recorder, " recorder"), explained_failures(), stop_requests() as stop:
            self.tell("run_started")
            for report in self.steps():
                means.add(report.raw)
                due = self._due(self.step)
                if due:
                    self._tell_of(report, means)
                stopping = bool(stop.signal) and self.step < self.total
                if stopping and not due:
                    self._tell_of(report, means)
                if recorder is not None:
                    recorder.keep(last=stopping)
                self._written(wait=stopping or self.step == self.total)
                if stopping:
                    kept = "saved" if recorder is not None else "kept in this engine, whose fit() goes on"
                    raise Interrupted(f"Stopped at step {self.step} of {self.total}, and {kept}.", stop.signal)
            self.trainer.check_finite()
            self.tell("run_finished")

    def _due(self, step: int) -> bool:
        """Whether there is a report of ``step``."""
        return step == self.total or step % self.run_options.log_every == 0

    def _tell_of(self, report: Report, means: Means) -> None:
        self.trainer.check_finite()
        try:
            self.tell("step_reported", report=self._diagnosed(Report(report.clock, means.take(), report.rates)))
        except Exception:
            # Whoever fails to listen takes no training with it; what fails on top of that is not what the user has to hear of.
            with suppress(Exception):
                self.save_checkpoint()
            raise

    def _diagnosed(self, report: Report) -> Report:
        """``report`` with the signals of this moment, and what is wrong."""
        assert self.doctor is not None
        signals = {name: float(each) for name, each in self.trainer.signals.items()}
        before = report.step - self.run_options.log_every
        if report.step // MEASURED_EVERY > before // MEASURED_EVERY:
            with seeded(self.device, derive(self.run_options.seed, "measure", report.step)):
                signals |= self.doctor.measure(self)
        report = replace(report, signals=signals)
        return replace(report, findings=self.doctor.judge(report))

    @contextmanager
    def listening(self, listener: object | None, name: str) -> Iterator[None]:
        """Inside, ``listener``, an object with event hooks, is told what this engine does. What it raises stops the engine."""
        if listener is None:
            yield
            return
        self.listeners.add(listener, name)
        try:
            yield
        finally:
            self.listeners.remove(name)

    def tell(self, event: str, **arguments: Any) -> None:
        """Tell this engine's own listeners of an event, and then plugins, one by one: those that fail are dealt with as the run says.

        A listener that fails stops the engine, after all others have been told.
        """
        failure: Exception | None = None
        for name, implementation in self.listeners.implementations(event):
            try:
                implementation(engine=self, **arguments)
            except Exception as error:
                failure = failure or self._listener_failure(name, event, error)
        self.guard.tell(event, engine=self, **arguments)
        if failure is not None:
            raise failure

    def _listener_failure(self, name: str, event: str, error: Exception) -> Exception:
        """What is raised where listener ``name`` raises ``error``: what the caller's own objects raise is the caller's to see as it is."""
        if isinstance(error, TranslateError) or name not in self.plugins.listeners:
            return error
        origin = self.plugins.origin(self.plugins.listeners.owner(name))
        failure = PluginError(
            f"Listener '{name}' of {origin} failed at {event} ({brief(error)}); leave it out of --listeners to go on without it."
        )
        failure.__cause__ = error
        return failure

    # Files

    def header(self) -> weights.Header:
        """What a weights file of this engine says of itself."""
        return records.header(self)

    @property
    def has_averages(self) -> bool:
        """Whether the networks that are used and saved are averages."""
        return bool(self._trainer.averages) if self._trainer is not None else self._loaded_averages

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write the exported networks, averaged where an average is kept, to one self-describing safetensors file.

        ``half`` stores numbers in 16 bits (float16): half the size, for weights that are passed on. Raises UserError where one is too
        large for that.
        """
        if self._trainer is not None:
            self._trainer.check_finite()
            self._settle()
            tensors = self._trainer.exported()
        else:
            tensors = self.recipe.exported()
        if half:
            tensors = {key: each.half() if each.is_floating_point() else each for key, each in tensors.items()}
            if not all(torch.isfinite(each).all() for each in tensors.values()):
                raise UserError("A weight is too large for 16 bits; save with half=False.")
        weights.write(Path(path), weights.pack(tensors, self.header().dump()))

    def save_checkpoint(self) -> Path:
        """Write a checkpoint of this moment to the run folder and return its folder.

        Raises NotFinite where it is poisoned, and NotSaved where it cannot be written.
        """
        self.begin_checkpoint(copy=False)
        folder = self._written(wait=True)
        assert folder is not None
        return folder

    @property
    def best_step(self) -> int | None:
        """The step whose checkpoint is kept as the best: by the first of ``scores`` where these are named; otherwise None."""
        first = str(self.run_options.scores[0]) if self.run_options.scores else "all"
        return None if self.out is None or first == "all" else checkpoint.best_step(self.out, first)

    def begin_checkpoint(self, *, copy: bool = True) -> None:
        """Begin to write a checkpoint of this moment in the background.

        Training waits for a copy of its state, for the norms of averaged networks to be measured, and for the checkpoint before where that
        is still being written. Without the ``copy``, nothing may be trained until it is done.
        """
        if self.out is None:
            raise UserError("This engine keeps no run folder; give it one with out=DIR, or write the networks with save(PATH).")
        self._written(wait=True)
        self.trainer.check_finite()
        self._settle()
        out, step, header, run = self.out, self.step, self.header(), self.run_options
        progress = {"step": self.step, "consumed": self.consumed}
        best = self.best_step  # of this moment: what is scored while this is written has no checkpoint yet
        exported, state = (
            {key: each.detach().cpu().clone() if copy else each.detach() for key, each in tensors.items()}
            for tensors in (self.trainer.exported(), self.trainer.state())
        )

        def write() -> Path:
            folder = checkpoint.save_checkpoint(out, step, exported, header, state, progress)
            checkpoint.prune(out, run.keep, run.keep_every, best)
            return folder

        self._writer.begin(write)

    def _written(self, *, wait: bool) -> Path | None:
        """The checkpoint that is on disk since this was asked last, after it was told of. Raises what writing it raised."""
        folder = self._writer.done(wait=wait)
        if folder is not None:
            self.tell("checkpoint_saved", folder=folder)
        return folder

    @contextmanager
    def _finishing(self) -> Iterator[None]:
        """Inside, a checkpoint that is being written is finished whatever happens."""
        try:
            yield
        except BaseException:
            with suppress(Exception):  # there is something worse to hear of
                self._writer.done(wait=True)
            raise
        self._written(wait=True)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        plugins: Plugins | None = None,
        recipe: type[Recipe] | None = None,
        fast: Sequence[str] = ("all",),
        **given: object,
    ) -> Engine:
        """A trained engine, to translate with, from a weights file, a run folder, a checkpoint folder or a published name.

        Where networks, or the recipe, were objects and not names, they are ``given`` again, by the option's name. Losses are not needed.
        ``fast`` is the option of that name: ways to compute the same faster, up to rounding.
        """
        engine = cls.__new__(cls)
        load(engine, path, device, plugins or installed(), recipe, fast, given)
        return engine

    @classmethod
    def resume(
        cls,
        run: str | Path,
        *,
        plugins: Plugins | None = None,
        recipe: type[Recipe] | None = None,
        override: Mapping[str, object] | None = None,
        **changes: object,
    ) -> Engine:
        """The engine of the run in the folder ``run``, as it was at its latest checkpoint; ``fit`` goes on bit for bit.

        On the same device with the same number of threads, that is. ``changes`` may be any option of a run that has no influence on what is
        learned, such as ``device``, ``workers``, ``listeners``, or ``data`` for pictures that were moved; parts that were objects, or a
        ``recipe``, which no file can hold, are given again. ``override`` are other options to go on with, which the record then names.
        Raises UserError where the folder holds no run, the checkpoint is damaged, or the pictures are not the same.
        """
        engine = cls.__new__(cls)
        reopen(engine, Path(run), plugins or installed(), recipe, override or {}, changes)
        return engine

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """The digest of each training domain, by its name."""
        return {domain.name: domain.fingerprint() for domain in self.found.train} if self.found is not None else {}

    # Use

    def translator(self, to: str | None = None, source: str | None = None, scale: Scale = "train") -> PictureTranslator:
        """What takes pictures to domain ``to``; by default the last domain, from the first of the others."""
        start, target = choose_way(self.recipe, self.recipe_name, self.spaces, to, source)
        self.recipe.eval()
        return PictureTranslator(
            lambda image: self.recipe.translate(image, start, target),
            self.spaces[start],
            self.spaces[target],
            self.recipe.stride,
            self.device,
            scale,
            fixed_size=self.recipe.fixed_size,
        )

    def translate(self, pictures: Any, to: str | None = None, *, source: str | None = None, scale: Scale = "train") -> Any:
        """``pictures`` as domain ``to`` would show them.

        A path, a PIL picture, a numpy array ``(H, W, C)`` or ``(B, H, W, C)`` of the domain's dtype, a tensor ``(B, C, H, W)`` in
        [-1, 1], or a list of these; the same kind comes back (for a path, a PIL picture), at the size it had. Without ``to``, the
        last domain. At scale ``train`` the short side is brought to the training size; ``native`` keeps the pixels.
        """
        with self.averaged():
            return self.translator(to, source, scale)(pictures)

    def sample(self, samples: int | Tensor | Array = 64, *, seed: int = 0) -> Any:
        """Samples of the first domain, made from noise by a method that does so.

        A number gives that many: a list of PIL pictures, or an array ``(n, D)`` of points; more of the same ``seed`` begin with the same
        ones. Noise ``(n, width)``, as ``engine.recipe.latent`` draws, interpolates and walks through it, gives a tensor ``(n, C, H, W)``
        in [-1, 1], or ``(n, D)``; noise in an array gives an array. Raises UserError where the method translates instead.
        """
        return sample(self, samples, seed)

    def evaluate(
        self,
        data: str | Path | None = None,
        *,
        scores: object = ("all",),
        features: object = None,
        count: int = 500,
        seed: int = 0,
        **settings: Any,
    ) -> Evaluation:
        """Scores on held-out samples of ``data``, by default of what the engine trains on or, once loaded, finds as a run does.

        ``scores``, one or a list, and ``features`` are parts, names or objects; "all" is every registered score that fits. Up to ``count``
        samples of each domain are taken. ``settings`` are those of the run that choose and fit its pictures: ``holdout``, ``holdout_seed``
        and ``fit``; an engine that trains knows them. Raises UserError where the data or a part is not to be had.
        """
        if unknown := settings.keys() - CHOICE:
            raise UserError(
                f"An evaluation has no setting '{min(unknown)}'; what chooses its pictures is {listed(sorted(CHOICE))}."
            )
        run = (
            options.build(RunOptions, {**options.plain(self.run_options), **settings}, "The run")
            if settings
            else self.run_options
        )
        if data is None and self.found is not None and self.found.root is not None:
            data = self.found.root
        chosen = list(scores) if isinstance(scores, list | tuple) else [scores]
        return evaluate(
            self,
            None if settings or self.found is None or data not in (None, self.found.root) else self.found,
            replace(run, data=None if data is None else str(data)),
            scores=[Part.of(each) for each in chosen],
            features=Part.of(features) if features is not None else None,
            count=count,
            seed=seed,
        )

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the recipe's networks are the averaged ones where an average is kept, as in the weights file."""
        self._settle()
        with (
            self.roster.blaming(f"after step {self.step}"),
            explained_failures(),
            self._trainer.averaged() if self._trainer is not None else nullcontext(),
        ):
            yield

    def _settle(self) -> None:
        """Give the averages running statistics of their own, once a step, where they have any and are used."""
        if self._trainer is None or self._settled == self.step or not self._trainer.unsettled:
            return
        steps: list[tuple[list[Batch], Clock]] = []
        first = 0
        for ahead in range(SETTLING_STEPS):
            clock = replace(self.clock, step=self.step + ahead)
            batches = []
            for _ in range(self.recipe.batches(clock)):
                batches.append(self.loader.to_batch(first, self.loader.load(first)))
                first += self.run_options.batch
            steps.append((batches, clock))
        self._trainer.settle(steps)
        self._settled = self.step


def _space(domain: Domain, size: tuple[int, int]) -> Space:
    shape = (domain.channels, *size) if domain.is_picture else (domain.channels,)
    return Space(domain.name, shape, domain.dtype, domain.window)
