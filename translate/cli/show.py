"""``translate show``: everything about one thing."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from translate import checkpoint, weights
from translate.cli.arguments import Parser
from translate.cli.data.sets import described
from translate.cli.display import emit
from translate.data.published import DataSet
from translate.engine import Engine
from translate.errors import TranslateError, UserError, near
from translate.plugins import Plugins, installed


def main(arguments: Sequence[str]) -> int:
    """Show a registered name, a run, or weights."""
    parser = Parser(prog="translate show", description="Show a recipe, a network, a loss, a run or weights.")
    parser.add_argument("name", metavar="NAME", help="a name from 'translate list', a run folder, a checkpoint or a weights file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    values = parser.parse(arguments)
    plugins = installed()
    entries = _registered(plugins, values.name)
    if not entries:
        names = [name for registry in plugins.registries.values() for name in registry]
        try:
            entries = [_stored(values.name)]
        except UserError:
            if Path(values.name).exists():
                raise
            raise UserError(
                f"There is nothing named '{values.name}'.{near(values.name, [*names, *weights.published()])} "
                f"'translate list' shows the names."
            ) from None
    if values.json:
        emit(entries)
        return 0
    for number, entry in enumerate(entries):
        print("\n" * bool(number) + _text(entry))
    return 0


def _registered(plugins: Plugins, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for registry in plugins.registries.values():
        if name in registry:
            factory = registry[name]
            if isinstance(factory, DataSet):
                about = {"about": factory.title, **described(name, factory), "citation": factory.citation, "terms": factory.terms}
                found.append({"name": name, "kind": registry.kind, "plugin": registry.owner(name), **about})
                continue
            if found and found[-1]["about"] == (inspect.getdoc(factory) or ""):  # one distance of several uses
                found[-1]["kind"] += f" and {registry.kind}"
                continue
            entry: dict[str, Any] = {
                "name": name,
                "kind": registry.kind,
                "plugin": registry.owner(name),
                "about": inspect.getdoc(factory) or "",
                "options": _options(getattr(factory, "Options", None)),
            }
            if hasattr(factory, "presets"):
                entry["presets"] = {
                    key: f"{preset.summary} ({', '.join(f'{k}={v}' for k, v in {**preset.run, **preset.options}.items())})"
                    for key, preset in factory.presets.items()
                }
            found.append(entry)
    return found


def _options(cls: type | None) -> dict[str, str]:
    if cls is None:
        return {}
    defaults = {each.name: "" if each.default is None else f" [{each.default}]" for each in fields(cls)}
    return {each.name: f"{each.metadata.get('help', '')}{defaults[each.name]}" for each in fields(cls)}


def _stored(name: str) -> dict[str, Any]:
    path = checkpoint.locate(name)
    tensors, header = checkpoint.load_weights(path)
    entry: dict[str, Any] = {"name": name, "kind": "weights", "file": str(path), **asdict(header)}
    entry["spaces"] = {space.name: f"{'x'.join(map(str, space.shape))} {space.dtype}" for space in header.spaces}
    entry["parameters"] = {network: f"{count:,}" for network, count in _parameters(path, tensors).items()}
    if (Path(name) / checkpoint.RECORD_NAME).is_file():
        entry["kind"] = "run"
        entry["run"] = checkpoint.read_record(Path(name))["run"]
        entry["checkpoints"] = ", ".join(folder.name for folder in checkpoint.checkpoints(Path(name)))
    return entry


def _parameters(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """How many parameters each network has; where its plugin is not here to build it, how many numbers are stored of it."""
    try:
        recipe = Engine.load(path, device="cpu").recipe
    except TranslateError:
        counts: Counter[str] = Counter()
        for key, tensor in tensors.items():
            counts[f"{key.split('.')[0]} (numbers stored)"] += tensor.numel()
        return dict(counts)
    return {name: sum(each.numel() for each in recipe.get_submodule(name).parameters()) for name in recipe.exports}


def _text(entry: dict[str, Any]) -> str:
    lines = [f"{entry['kind']} {entry['name']}"]
    for key, value in entry.items():
        if key in ("name", "kind") or value in ({}, ""):
            continue
        if key == "about":
            lines += ["", *(f"  {line}".rstrip() for line in value.splitlines()), ""]
        elif isinstance(value, dict):
            width = max(map(len, value))
            lines.append(f"  {key}:")
            lines += [f"    {name:<{width}}  {each}" for name, each in value.items()]
        else:
            lines.append(f"  {key}: {value}")
    return "\n".join(lines)
