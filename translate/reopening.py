"""A run that goes on: the engine as it was at the latest checkpoint, on the same pictures, with the same plugins."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate import checkpoint, records
from translate.errors import DataWarning, UserError, listed
from translate.given import explained, given_again, recorded_method
from translate.length import Length
from translate.plugins import Plugins
from translate.pretrained import backbones
from translate.recipe import Recipe
from translate.settings import HARMLESS, resolve

if TYPE_CHECKING:
    from translate.engine import Engine


def reopen(
    engine: Engine,
    out: Path,
    plugins: Plugins,
    recipe: type[Recipe] | None,
    override: Mapping[str, object],
    changes: dict[str, object],
) -> None:
    """Make the bare ``engine`` what :meth:`translate.Engine.resume` says."""
    record = checkpoint.read_record(out)
    with checkpoint.locked(out):
        checkpoint.clean(out)
    latest = checkpoint.latest_checkpoint(out)
    free = {name: changes.pop(name) for name in HARMLESS & changes.keys()}
    given = given_again({**record["run"], **record["options"]}, changes, required=True)
    everybody = record.get("plugins", {})
    recorded = {name: everybody[name] for name in record.get("rests_on", everybody) if name in everybody}
    values = {
        **record["run"],
        **record["options"],
        **({"data": record["root"]} if "root" in record else {}),
        **free,
        **given,
        **override,
    }
    with explained(plugins, recorded):
        method = recorded_method(record["recipe"], recipe, plugins)
        run_options, own = resolve(method, record["recipe"], None, values)
        preset = record.get("preset")
        engine._open(
            record["recipe"],
            method,
            preset if preset in method.presets else None,
            run_options,
            own,
            plugins,
            fresh=False,
            begins=latest is None,
        )
    if absent := plugins.missing(recorded):
        warnings.warn(f"The run in {out} was made with {absent}.", DataWarning, stacklevel=2)
    if changed := _changed(record, engine):
        warnings.warn(
            f"The run in {out} was begun with {changed}; it goes on, and may not end bit for bit as it would have.",
            DataWarning,
            stacklevel=2,
        )
    engine.backbones = record.get("backbones", {})
    for backbone, digest in backbones(engine.recipe).items():
        if engine.backbones.get(backbone, digest) != digest:
            raise UserError(
                f"The weights of '{backbone}' are not those that the run in {out} began with; restore their file or, where they are "
                f"random, the versions that {checkpoint.RECORD_NAME} names."
            )
    for domain, fingerprint in engine.fingerprints.items():
        if record["data"].get(domain) != fingerprint:
            raise UserError(
                f"The pictures of '{domain}' are not those that the run in {out} was started with, so it would not go on as it "
                f"began; restore them, or start a new run with --init-from {out}."
            )
    if "augment" not in override and record.get("augmentation", "") != engine.loader.augmentation.fingerprint():
        raise UserError(
            f"The file of --augment {engine.run_options.augment} is not what it was when the run in {out} began; restore it, or start a "
            f"new run with --init-from {out}."
        )
    if "lengths" in record:
        engine.lengths = tuple(map(Length.parse, record["lengths"]))
    engine.overridden = tuple(sorted({*record.get("overridden", ()), *(override.keys() - HARMLESS)}))
    engine.out = out
    if latest is not None:
        state, progress = checkpoint.load_training(latest)
        try:
            engine.trainer.load_state(state)
        except (KeyError, RuntimeError) as error:
            raise UserError(
                f"The checkpoint {latest} does not fit the run's record {out / checkpoint.RECORD_NAME} ({error})."
            ) from error
        engine.step, engine.consumed = progress["step"], progress["consumed"]
    with checkpoint.locked(out), checkpoint.writing(out, "What the run said before"):
        checkpoint.cut_logs(out, engine.step)
        now = records.record(engine)
        if override or now.get("root") != record.get("root"):  # whoever goes on after this finds the pictures where they are now
            checkpoint.write_record(out, now)
    if latest is None:
        engine._keep_beginning()
    if engine.doctor is not None and (out / checkpoint.LOG_NAME).is_file():
        engine.doctor.recall(out)


def _changed(record: Mapping[str, Any], engine: Engine) -> str:
    """What computes otherwise than when the run was recorded: "torch 2.13 (2.14 here)"; empty where nothing does."""
    now = records.record(engine)
    before = {
        **record.get("versions", {}),
        **{name: record.get("plugins", {}).get(name, "") for name in record.get("rests_on", ())},
    }
    here = {**now["versions"], **now["plugins"]}
    others = {name: each for name, each in before.items() if name != "python" and each and name in here and here[name] != each}
    return listed(f"{name} {each} ({here[name]} here)" for name, each in others.items()) if others else ""
