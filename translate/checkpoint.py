"""A run on disk.

    runs/<name>/run.toml                     resolved options, versions, plugins, data fingerprint
               log.jsonl                     one line for each reported step
               scores.jsonl                  one line for each evaluation
               samples/                      picture grids, and the pictures they began with
               checkpoints/<step>/           weights.safetensors, training.safetensors, manifest.json

A checkpoint is written beside its final name and renamed when it is whole and on the disk; its manifest holds the SHA-256 of every
file and, last, of itself. Which one is the latest is read off the folder, never stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict, get_type_hints

import tomli_w
import torch
from torch import Tensor

from translate import weights
from translate.errors import NotFinite, NotRead, NotSaved, UserError, brief, listed, near
from translate.options import LARGE
from translate.typed import check

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

#: The version of the manifest.
FORMAT = 1
TRAINING_NAME = "training.safetensors"
MANIFEST_NAME = "manifest.json"
RECORD_NAME = "run.toml"
#: A manifest or a record of more bytes is refused unread.
MOST_TEXT = 10_000_000
LOG_NAME = "log.jsonl"
SCORES_NAME = "scores.jsonl"


class Record(TypedDict, total=False):
    """What ``run.toml`` says, where it says it."""

    recipe: str
    preset: str
    run: dict[str, Any]
    options: dict[str, Any]
    lengths: list[dict[Literal["steps", "epochs", "step", "consumed", "anneal"], int | bool]]
    overridden: list[str]
    root: str
    data: dict[str, str]
    augmentation: str
    versions: dict[str, str]
    plugins: dict[str, str]
    rests_on: list[str]
    backbones: dict[str, str]


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Inside, no other process trains in the folder of the run. Raises UserError where one does. The lock goes with its process."""
    if fcntl is None or not run.is_dir():
        yield
        return
    descriptor = os.open(run, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"Another process is training in {run}; wait until it is done, or stop it first.") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def writing(run: Path, what: str) -> Iterator[None]:
    """Inside, ``what``, "The log", is written in the folder of the run. Raises NotSaved where the system does not let it be."""
    try:
        yield
    except OSError as error:
        raise NotSaved(
            f"{what} cannot be written to {run} ({brief(error)}); the checkpoints there are whole: make room, and go on with "
            f"'translate resume {run}'."
        ) from error


def clean(run: Path) -> None:
    """Remove what a crash has left of files and checkpoints that were being written. The run must be locked."""
    for left in [*run.glob(".*.tmp"), *run.glob("samples/.*.tmp")]:
        left.unlink(missing_ok=True)
    for left in run.glob("checkpoints/.*.tmp"):
        final = left.with_name(left.name.removeprefix(".").partition(".")[0])
        if left.name.endswith(".replaced.tmp") and not final.exists():
            left.rename(final)  # the new one had not yet taken its place
        else:
            shutil.rmtree(left, ignore_errors=True)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def checkpoints(run: Path) -> list[Path]:
    """The complete checkpoints of a run, the oldest first."""
    folder = run / "checkpoints"
    found = (
        [each for each in folder.iterdir() if each.name.isdecimal() and (each / MANIFEST_NAME).is_file()]
        if folder.is_dir()
        else []
    )
    return sorted(found, key=lambda each: int(each.name))


def latest_checkpoint(run: Path) -> Path | None:
    """The run's latest complete checkpoint, or None."""
    return next(reversed(checkpoints(run)), None)


def _written(path: Path, data: bytes) -> dict[str, str | int]:
    """Write a file of a checkpoint: what the manifest says of it."""
    weights.write(path, data)
    return {"sha256": _digest(data), "bytes": len(data)}


def save_checkpoint(
    run: Path,
    step: int,
    exported: Mapping[str, Tensor],
    header: weights.Header,
    training: Mapping[str, Tensor],
    progress: Mapping[str, int],
) -> Path:
    """Write the checkpoint of ``step`` and return its folder. ``progress`` is kept in the header of the training file.

    Raises NotSaved where it cannot be written; nothing is left of it then, and the others are as they were. Raises NotFinite where there is
    a NaN in it.
    """
    for name, tensor in {**training, **exported}.items():
        if torch.isnan(tensor).any():
            raise NotFinite(
                f"'{name}' became NaN by step {step}, and was not saved; begin again with a lower --lr or in fp32, from the last "
                f"checkpoint, if any, by --init-from {run}."
            )
    final = run / "checkpoints" / f"{step:06d}"
    temporary = final.with_name(f".{final.name}.{os.getpid()}.tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    try:
        temporary.mkdir(parents=True)
        # One at a time, for the sake of memory.
        listing = {
            weights.WEIGHTS_NAME: _written(temporary / weights.WEIGHTS_NAME, weights.pack(exported, header.dump())),
            TRAINING_NAME: _written(
                temporary / TRAINING_NAME, weights.pack(training, {"progress": json.dumps(dict(progress))}, sealed=False)
            ),
        }
        weights.write(temporary / MANIFEST_NAME, _manifest(step, listing))
        # A checkpoint of this step that is there already goes only when the new one stands in its place.
        replaced = final.with_name(f".{final.name}.{os.getpid()}.replaced.tmp")
        if final.exists():
            final.rename(replaced)
        try:
            temporary.rename(final)
        except BaseException:
            if replaced.exists():
                replaced.rename(final)
            raise
        shutil.rmtree(replaced, ignore_errors=True)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise NotSaved(
                f"The checkpoint of step {step} cannot be written to {final.parent} ({brief(error)}); the ones before it are whole: make "
                f"room, and go on with 'translate resume {run}'."
            ) from error
        raise
    weights.sync_folder(final.parent)
    weights.sync_folder(run)  # which the first checkpoint made a folder in
    return final


def _manifest(step: int, listing: Mapping[str, Mapping[str, object]]) -> bytes:
    body = {"format": FORMAT, "step": step, "files": listing}
    seal = _digest(json.dumps(body, sort_keys=True).encode())
    return json.dumps(body | {"manifest_sha256": seal}, indent=1).encode()


def _text(path: Path) -> str:
    """What a small file says. Raises OSError or ValueError."""
    if path.stat().st_size > MOST_TEXT:
        raise ValueError(f"it has {path.stat().st_size:,} bytes, and at most {MOST_TEXT:,} are read")
    return path.read_text(encoding="utf-8")


def verify(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The bytes of files of the checkpoint in ``folder``. Raises UserError where a byte is not as it was written."""
    try:
        manifest = json.loads(_text(folder / MANIFEST_NAME))
        seal = manifest.pop("manifest_sha256")
        if seal != _digest(json.dumps(manifest, sort_keys=True).encode()):
            raise ValueError("its own digest does not match")
        if manifest["format"] > FORMAT:
            raise ValueError(f"it has format {manifest['format']}, and this version reads formats up to {FORMAT}")
        digests = {name: manifest["files"][name]["sha256"] for name in names}
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise UserError(
            f"The checkpoint {folder} is damaged: {MANIFEST_NAME} cannot be trusted ({error}); delete the folder to use an earlier one."
        ) from error
    files: dict[str, bytes] = {}
    for name in names:
        try:
            files[name] = weights.read(folder / name)
            whole = _digest(files[name]) == digests[name]
        except NotRead:
            raise  # which says nothing of the file
        except UserError:
            whole = False
        if not whole:
            raise UserError(
                f"The checkpoint {folder} is damaged: {name} is not as it was written; delete the folder to use an earlier one."
            )
    return files


def load_training(folder: Path) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Training state and progress of the checkpoint in ``folder``, all of whose files are verified. Raises UserError."""
    data = verify(folder, [TRAINING_NAME, weights.WEIGHTS_NAME])[TRAINING_NAME]
    tensors, metadata = weights.unpack(data, folder / TRAINING_NAME)
    try:
        progress: dict[str, int] = check("progress", json.loads(metadata["progress"]), dict[Literal["step", "consumed"], int])
        if len(progress) != 2 or not all(0 <= each < LARGE for each in progress.values()):
            raise ValueError("it is not all there, or no count")
    except (ValueError, LookupError, RecursionError) as error:
        raise UserError(f"{folder / TRAINING_NAME} does not say how far training was ({error}).") from error
    return tensors, progress


def load_weights(path: Path) -> tuple[dict[str, Tensor], weights.Header]:
    """Tensors and header of a weights file; one in a checkpoint is verified. Raises UserError."""
    inside = path.name == weights.WEIGHTS_NAME and (path.parent / MANIFEST_NAME).is_file()
    data = verify(path.parent, [path.name])[path.name] if inside else weights.read(path)
    return weights.parse(data, path)


def locate(name: str | Path) -> Path:
    """The weights file that ``name`` means: a file, a run folder, a checkpoint folder, or a published name. Raises UserError."""
    path = Path(os.path.expanduser(name))  # leaves the unknown user of ~user as it is
    if path.is_file():
        return path
    names = weights.published()
    if path.is_dir():
        if (path / weights.WEIGHTS_NAME).is_file():
            return path / weights.WEIGHTS_NAME
        checkpoint = latest_checkpoint(path)
        if checkpoint is not None:
            return checkpoint / weights.WEIGHTS_NAME
        if str(name) not in names:
            raise UserError(f"{path} holds no weights: it is neither a run with a checkpoint nor a checkpoint.")
    if str(name) in names:
        return names[str(name)].verified()
    raise UserError(
        f"There are no weights at '{name}': no such file or folder, and no published name.{near(str(name), names)} "
        f"Published: {listed(names)}."
    )


def prune(run: Path, keep: int, every: int | None = None, best: int | None = None) -> None:
    """Delete all but the latest ``keep`` checkpoints, those whose step is a multiple of ``every``, and that of the step ``best``."""
    for folder in checkpoints(run)[:-keep]:
        if (every is None or int(folder.name) % every) and int(folder.name) != best:
            # Renamed first: what is deleted in part must not be taken for a checkpoint.
            gone = folder.with_name(f".{folder.name}.{os.getpid()}.gone.tmp")
            folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def create_run(run: Path, record: Mapping[str, Any]) -> None:
    """Make the folder of a new run with its record. Raises UserError where it holds another run, or something else."""
    if (run / RECORD_NAME).exists():
        raise UserError(
            f"{run} holds another run; give another folder with --out, or, if it was stopped, go on with it by 'translate resume {run}'."
        )
    if run.exists() and not run.is_dir():
        raise UserError(f"{run} is a file; give --out a folder.")
    for left in run.glob(f".{RECORD_NAME}.*.tmp"):  # of a start that was killed before there was a run
        left.unlink(missing_ok=True)
    if run.is_dir() and any(run.iterdir()):
        raise UserError(f"{run} is not empty and holds no run; give --out a new folder.")
    try:
        write_record(run, record)
    except OSError as error:
        raise UserError(f"The folder {run} cannot be made ({error.strerror}); give another with --out.") from None


def write_record(run: Path, record: Mapping[str, Any]) -> None:
    """Write the run's record."""
    weights.write(run / RECORD_NAME, tomli_w.dumps(dict(record)).encode())


def read_record(run: Path) -> dict[str, Any]:
    """The record of the run in ``run``. Raises UserError where there is none, or it is not what a record is."""
    path = run / RECORD_NAME
    try:
        record = tomllib.loads(_text(path))
        for name, hint in get_type_hints(Record).items():
            if name in record:
                check(name, record[name], hint)
    except OSError:
        raise UserError(f"{run} holds no run: there is no {RECORD_NAME} in it.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({error}).") from None
    if missing := {"recipe", "run", "options", "data"} - record.keys():
        raise UserError(f"{path} is not the record of a run: it has no '{min(missing)}'.")
    return record


def append_log(run: Path, line: Mapping[str, Any], name: str = LOG_NAME) -> None:
    """Add a line to a log of the run. Raises NotSaved."""
    with writing(run, "The log"), (run / name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(line)) + "\n")


def cut_logs(run: Path, step: int) -> None:
    """Drop the logs' lines beyond ``step``: what a run did after its last checkpoint will be done again."""
    for log in (run / LOG_NAME, run / SCORES_NAME):
        if log.exists():
            before = log.read_bytes()
            lines = [line for line in before.splitlines() if (at := _step_of(line)) is not None and at <= step]
            after = b"".join(line + b"\n" for line in lines)
            if after != before:
                weights.write(log, after)


def best_step(run: Path, score: str) -> int | None:
    """The step at which ``score`` was best, by its first figure that says which way is better, over all directions; None if none."""
    found: dict[int, float] = {}
    log = run / SCORES_NAME
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else ():
        evaluated = json.loads(line)
        mine = [each for each in evaluated["figures"] if each["score"] == score and each["better"]]
        values = [each["value"] for each in mine if each["name"] == mine[0]["name"]]
        if values and None not in values:
            mean = sum(values) / len(values)
            found[evaluated["step"]] = mean if mine[0]["better"] == "higher" else -mean
    return max(found, key=lambda step: (found[step], -step), default=None)


def _step_of(line: bytes) -> int | None:
    """The step of a line of the log, or None where a crash cut the line short."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None
