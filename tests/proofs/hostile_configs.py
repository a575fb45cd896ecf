"""Configs, records, flags and weights that try to run a program: the part of ``hostile_files.py`` about execution.

Every payload, where anything evaluated, imported, unpickled or passed it to a shell, would make a file; and an audit hook of the
interpreter sees every program that is started, and every piece of code that is compiled or imported and is the payload's.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import sys
import tomllib
import traceback
from collections import Counter
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w
from proofs.mutants import unsealed
from proofs.processes import completed, ended, fork
from proofs.small_run import METHODS, command

from translate import Engine, RunOptions, cli
from translate.plugins import installed

#: The name of the module that payloads try to import; nothing else has a name with it.
MARK = "canary_31337"
#: Audit events of programs that are started, and of pickles.
PROGRAMS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "subprocess.Popen",
    "pty.spawn",
    "pickle.find_class",
)
SECONDS = 30


class Payload:
    """A pickle of this makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def make_traps(folder: Path, mark: Path) -> None:
    """A module that can be imported, a script and pickles, which make the file ``mark`` when they are run."""
    folder.mkdir()
    (folder / f"{MARK}.py").write_text(f"open({str(mark)!r}, 'w')\nThing = main = register = print\n")
    for name in ("evil.pth", "evil.pt", "evil.pkl", "evil.safetensors", "evil.ckpt"):
        (folder / name).write_bytes(pickle.dumps(Payload(mark)))
    (folder / "evil.yaml").write_text(f"!!python/object/apply:os.system ['touch {mark}']\n")


def payloads(folder: Path, mark: Path) -> list[str]:
    touch = f"touch {mark}"
    return [
        f"__import__('os').system('{touch}')",
        f"__import__('{MARK}')",
        f'exec("import {MARK}")',
        f"eval('__import__(\"{MARK}\")')",
        f"lambda: __import__('{MARK}')",
        f"f'{{__import__(\"{MARK}\")}}'",
        f"{{__import__('{MARK}')}}",
        "{0.__class__.__init__.__globals__}",
        f"{{{{ cycler.__init__.__globals__.os.popen('{touch}').read() }}}}",
        f"!!python/object/apply:os.system ['{touch}']",
        f"!!python/module:{MARK}",
        f"!!python/name:{MARK}.Thing",
        f"$({touch})",
        f"`{touch}`",
        f"; {touch} ;",
        f"| {touch}",
        f"& {touch} &",
        f"\n{touch}\n",
        f"--config=|{touch}",
        MARK,
        f"{MARK}:Thing",
        f"{MARK}.Thing",
        f"{MARK}:main",
        f"<{MARK}.Thing>",
        f"python:{MARK}",
        f"entry_point:{MARK}",
        f"hydra:_target_={MARK}.Thing",
        f"py://{MARK}",
        f"{folder / MARK}.py",
        f"{folder / MARK}.py:Thing",
        f"file://{folder / MARK}.py",
        f"../{folder.name}/{MARK}",
        f"translate.{MARK}",
        "os:system",
        "os.system",
        "builtins.exec",
        "<os.system>",
        "<builtins.exec>",
        "subprocess:Popen",
        *(str(folder / each) for each in ("evil.pth", "evil.pt", "evil.pkl", "evil.safetensors", "evil.ckpt", "evil.yaml")),
        f"timm:{MARK}",
        f"hf_hub:{MARK}",
        f"timm:backbone=hf_hub:{folder}",
        f"pickle:{folder / 'evil.pkl'}",
        f"torch.hub:{folder}",
        "cos\nsystem\n(S'" + touch + "'\ntR.",
    ]


def _spoilt(payload: str, chance: random.Random) -> object:
    """A payload in one of the forms that a value of a config has."""
    return chance.choice(
        [
            payload,
            f"resnet:{payload}=1",
            f"resnet:channels={payload}",
            f"{payload}:channels=2",
            f"timm:backbone={payload}",
            f"perceptual:weights={payload}",
            [payload],
            [payload, payload],
            {payload: payload},
            {"_target_": payload, "args": [payload]},
            {"__reduce__": ["os.system", payload], "__class__": payload},
        ]
    )


def _names(method: str) -> list[str]:
    """All that a config of a run may say, and more."""
    own = [each.name for each in fields(installed().recipes[method].Options)]
    others = [
        "recipe",
        "preset",
        "out",
        "root",
        "rests_on",
        "run",
        "options",
        "plugins",
        "versions",
        "backbones",
        "data",
        "import",
    ]
    return [*(each.name for each in fields(RunOptions)), *own, *others, "__class__", "__init__", "_target_"]


def try_config(number: int, place: Path, data: Path, traps: Path, mark: Path) -> None:
    """Hand hostile input ``number`` to the command, in one of five ways. What it raises, and exit codes, are the command's."""
    chance = random.Random(number)
    all_payloads = payloads(traps, mark)
    payload = all_payloads[number % len(all_payloads)]
    values: dict[str, object] = {}
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        values[chance.choice(_names("cyclegan"))] = _spoilt(payload, chance)
    way = number % 5
    arguments = command(data, place / "run", 1)
    if way == 0:  # a config, of whose options the command names none again
        (place / "config.toml").write_text(tomli_w.dumps(values))
        given = [f"--{name.replace('_', '-')}" for name in values]
        pairs = dict(zip(arguments[5::2], arguments[6::2], strict=True))
        kept = [each for name, value in pairs.items() if name not in given or name == "--steps" for each in (name, value)]
        code = cli.main([*arguments[:5], *kept, "--config", str(place / "config.toml")])
    elif way == 1:  # text that is not even a config
        texts = [
            payload,
            f"a = {payload}",
            f"[{payload}]",
            json.dumps(values),
            f"'''{payload}'''",
            f"generator = '''{payload}'''",
        ]
        (place / "config.toml").write_text(chance.choice(texts))
        code = cli.main([*arguments, "--config", str(place / "config.toml")])
    elif way == 2:  # flags, and the verb and the recipe
        flags = [each for name, value in values.items() for each in (f"--{name.replace('_', '-')}", str(value))]
        code = cli.main(chance.choice([[*arguments, *flags], [payload, *flags], ["run", payload, *flags], ["show", payload]]))
    elif way == 3:  # the record of a run
        shutil.copytree(traps.parent / "half", place / "run")
        record = tomli_w.dumps(_merged(traps.parent / "half" / "run.toml", values, chance))
        (place / "run" / "run.toml").write_text(record)
        code = cli.main(["resume", str(place / "run")])
    else:  # weights
        source = unsealed((traps.parent / "half.safetensors").read_bytes())
        size = int.from_bytes(source[:8], "little")
        header = json.loads(source[8 : 8 + size])
        described = json.loads(header["__metadata__"]["translate"])
        described["options"] |= values if chance.random() < 0.5 else {}
        described |= {chance.choice(list(described)): _spoilt(payload, chance)} if chance.random() < 0.5 else {}
        header["__metadata__"] = {"translate": json.dumps(described)}
        text = json.dumps(header).encode()
        (place / "weights.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + source[8 + size :])
        code = cli.main(["apply", str(place / "weights.safetensors"), str(data / "cat"), "-o", str(place / "made")])
    if code not in (0, 1, 2):
        raise AssertionError(f"exit code {code}")


def _merged(path: Path, values: dict[str, object], chance: random.Random) -> dict[str, Any]:
    record = tomllib.loads(path.read_text())
    for name, value in values.items():
        where = chance.choice([record, record["run"], record["options"]])
        where[name] = value
    return record


def _watch(seen: list[str]) -> None:
    """Note programs that are started from here on, and code of payloads that is compiled or imported."""

    def hook(event: str, values: tuple[object, ...]) -> None:
        if event in PROGRAMS:
            seen.append(f"{event} {values!r:.200}")
        elif event == "import" and MARK in str(values[0]):
            seen.append(f"import of {values[0]}")
        elif event == "compile" and values[0] is not None and MARK in str(values[0])[:10_000]:
            seen.append("compile")

    sys.addaudithook(hook)


class TooLong(BaseException):
    """An input takes too long; no Exception, so that nobody takes it for something else."""


def _too_long(*_: object) -> None:
    raise TooLong(f"not done after {SECONDS} s")


def try_configs(numbers: range, folder: Path, data: Path, traps: Path, mark: Path) -> None:
    """Try hostile inputs in this process and write a line for each to ``folder/told``."""
    seen: list[str] = []
    sys.path.insert(0, str(traps))
    _watch(seen)
    signal.signal(signal.SIGALRM, _too_long)
    with (folder / "told").open("a", buffering=1) as told:
        for number in numbers:
            place = folder / f"config-{number}"
            place.mkdir()
            os.chdir(place)
            signal.alarm(SECONDS)
            try:
                try_config(number, place, data, traps, mark)
                became = "answered"
            except SystemExit:
                became = "answered"
            except BaseException as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                became = f"{type(error).__name__}: {error!s:.150} ({Path(where.filename).name}:{where.lineno})"
            signal.alarm(0)
            told.write(json.dumps({"number": number, "became": became, "seen": [*seen], "mark": mark.exists()}) + "\n")
            seen.clear()
            mark.unlink(missing_ok=True)
            os.chdir(folder)
            shutil.rmtree(place)


def _control(folder: Path, traps: Path, mark: Path) -> None:
    """Run payloads on purpose: what ``_watch`` and the mark say of that."""
    seen: list[str] = []
    sys.path.insert(0, str(traps))
    _watch(seen)
    found = []
    for run in (
        lambda: __import__(MARK),
        lambda: pickle.loads((traps / "evil.pth").read_bytes()),
        lambda: os.system(f"touch {mark}"),
    ):
        run()
        found.append(mark.exists() and bool(seen))
        seen.clear()
        mark.unlink(missing_ok=True)
    (folder / "control").write_text(json.dumps(found))


def executions(count: int, folder: Path, data: Path) -> tuple[dict[str, object], list[str]]:
    """Try so many hostile inputs: figures, and failures."""
    traps, mark = folder / "traps", folder / "mark"
    make_traps(traps, mark)
    code = ended(fork(partial(_control, folder, traps, mark), folder / "said"), 60)
    if code or json.loads((folder / "control").read_text()) != [True, True, True]:
        return {}, ["payloads that are run on purpose go unnoticed"]
    completed([*command(data, folder / "half", 2), "--checkpoint-every", "1"], folder / "said")
    shutil.rmtree(folder / "half" / "checkpoints" / "000002")
    domains, settings = METHODS["cyclegan"]
    Engine("cyclegan", domains, data=str(data), device="cpu", **settings).save(folder / "half.safetensors")
    first, failures, outcomes = 0, list[str](), Counter[str]()
    (folder / "told").write_text("")
    while first < count:
        numbers = range(first, min(first + 100, count))
        work = partial(try_configs, numbers, folder, data, traps, mark)
        code = ended(fork(work, folder / "said"), 100 * SECONDS)
        lines = [json.loads(line) for line in (folder / "told").read_text().splitlines()]
        last = lines[-1]["number"] if lines else first - 1
        if code:
            failures.append(f"config {last + 1}: the process ended with {code}")
        first = numbers.stop if not code else last + 2
    for line in (json.loads(text) for text in (folder / "told").read_text().splitlines()):
        executed = line["mark"] or line["seen"]
        outcomes["executions"] += bool(executed)
        outcomes["answered" if line["became"] == "answered" else "crashed"] += 1
        if executed:
            failures.append(f"config {line['number']}: executed: {line['seen']}")
        if line["became"] != "answered":
            failures.append(f"config {line['number']}: {line['became']}")
    return {"inputs": len((folder / "told").read_text().splitlines()), "executions": outcomes["executions"], **outcomes}, failures
