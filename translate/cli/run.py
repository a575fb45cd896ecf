"""``translate run``: train a recipe on domains of pictures."""

from __future__ import annotations

import shlex
import signal
import tomllib
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from translate import options
from translate.checkpoint import RECORD_NAME, latest_checkpoint, read_record
from translate.cli.arguments import Parser, add_options
from translate.cli.display import Display
from translate.data.domain import file_name
from translate.engine import Engine
from translate.errors import Interrupted, UserError, listed
from translate.plugins import Plugins, installed, loaded
from translate.recipe import Recipe
from translate.settings import HARMLESS, RunOptions, default_preset, resolve, split_options

#: What a run's record holds beside options; a record is a config file, too.
RECORDED = ("data", "versions", "plugins", "backbones")


def main(arguments: Sequence[str]) -> int:
    """Parse, build, train."""
    plugins = loaded(own=True) if "--no-plugins" in arguments else installed()
    name, rest = _recipe_name(arguments, plugins)
    recipe = plugins.recipes[name]
    if rest and not rest[0].startswith("-"):
        raise UserError(f"'{rest[0]}' was not expected here; domains are named with --domains {rest[0]} ...")
    parser = _parser(name, recipe)
    values = vars(parser.parse(rest))
    config, preset, out = values.pop("config"), values.pop("preset"), values.pop("out")
    override = values.pop("override")
    del values["no_plugins"]  # looked at above, before the recipe was known
    if config is not None:
        from_file = _read_config(Path(config), name, recipe)
        preset, out = preset or from_file.pop("preset", None), out or from_file.pop("out", None)
        if values.keys() & {"steps", "epochs"}:  # the flag's measure of the length replaces the file's
            from_file = {key: value for key, value in from_file.items() if key not in ("steps", "epochs")}
        values = {**from_file, **values}
    domains = options.read(RunOptions, "domains", values.pop("domains", ()))
    recipe.check_domains(name, domains)
    if out is not None and (Path(out) / RECORD_NAME).is_file():
        engine = _rerun(Path(out), name, {**values, "domains": domains}, preset, override, plugins)
        if engine.step >= engine.total:
            print(finished(engine))
        else:
            train(engine, chosen_preset=preset)
        return 0
    default = Path("runs") / "-".join([name, *map(file_name, domains)])
    folder = Path(out) if out is not None else _free_folder(default)
    try:
        engine = Engine(name, domains, preset=preset, out=folder, plugins=plugins, **values)
    except KeyboardInterrupt:
        kept = f"; it begins again with: translate resume {shlex.quote(str(folder))}" if (folder / RECORD_NAME).exists() else ""
        raise Interrupted(f"Stopped before the first step{kept or '; nothing was kept'}.", signal.SIGINT) from None
    if out is None and folder != default:
        print(
            f"{default} holds an earlier run, so this one is kept in {folder}; go on with that one by 'translate resume {default}'."
        )
    train(engine, chosen_preset=preset)
    return 0


def _rerun(out: Path, name: str, values: dict[str, Any], preset: str | None, override: bool, plugins: Plugins) -> Engine:
    """The run in ``out``, where the same command was given again; UserError where it was another one."""
    record = read_record(out)
    if record.get("recipe") != name:
        raise UserError(f"{out} holds a run of '{record.get('recipe')}'; give another folder with --out.")
    recipe = plugins.recipes[name]
    chosen = preset or record.get("preset")
    given = [options.plain(each) for each in resolve(recipe, name, chosen, values)]
    begun = [options.plain(each) for each in resolve(recipe, name, None, {**record["run"], **record["options"]})]
    ours, theirs = ({**run, **own} for run, own in (given, begun))
    others = sorted(key for key in {*ours, *theirs} - HARMLESS if ours.get(key) != theirs.get(key))
    if length := {"steps", "epochs"} & set(others):
        others = [key for key in others if key not in length]
        began = record.get("lengths", [{}])[0]
        if any(ours.get(key) != began.get(key) for key in ("steps", "epochs")):
            raise UserError(
                f"{out} holds this run with another length; go on by 'translate resume {shlex.quote(str(out))}', which makes it longer by "
                f"--steps or --epochs, or give another folder with --out."
            )
    if others and (not override or "domains" in others):
        said = listed(f"{options.flag(key)} {theirs.get(key, 'none')} and not {ours.get(key, 'none')}" for key in others)
        raise UserError(
            f"{out} holds a run that began with {said}; give the same options to go on with it, another folder with --out, or --override "
            f"to go on with those."
        )
    changes = {key: value for key, value in values.items() if key in HARMLESS}
    return Engine.resume(out, plugins=plugins, override={key: ours.get(key) for key in others}, **changes)


def finished(engine: Engine) -> str:
    """What is said of a run that needs nothing more: whoever starts it again until it ends must learn that it did."""
    folder = shlex.quote(str(engine.out))
    return (
        f"The run in {engine.out} is finished: {engine.step} of {engine.total} steps are done; 'translate resume {folder} --steps N' makes "
        f"it longer, and --init-from {folder} starts a new one from it."
    )


def train(engine: Engine, chosen_preset: str | None = None) -> None:
    """Train ``engine`` to its end before the user's eyes, and say what to do next."""
    assert engine.out is not None
    display = Display(engine)
    display.introduce(chosen_preset)
    try:
        with display, engine.listening(display, " display"):
            engine.fit()
    except Interrupted as stopped:
        raise Interrupted(f"{stopped} {_how_to_go_on(engine)}", stopped.signal) from None
    except KeyboardInterrupt as stopped:
        (number,) = stopped.args or (signal.SIGINT,)
        raise Interrupted(f"Stopped at once, at step {engine.step} of {engine.total}. {_how_to_go_on(engine)}", number) from None
    display.conclude()


def _how_to_go_on(engine: Engine) -> str:
    assert engine.out is not None
    latest = latest_checkpoint(engine.out)
    where = f"from step {int(latest.name)}" if latest is not None else "from the beginning"
    return f"Go on {where} with: translate resume {shlex.quote(str(engine.out))}"


def _recipe_name(arguments: Sequence[str], plugins: Plugins) -> tuple[str, list[str]]:
    rest = [each for each in arguments if each != "--no-plugins"]
    if rest and rest[0] in plugins.recipes:
        return rest[0], rest[1:]
    if not rest or rest[0] in ("-h", "--help"):
        parser = _parser("RECIPE", Recipe)  # type: ignore[type-abstract]  # for its options alone
        if rest:
            parser.epilog = f"Recipes: {listed(plugins.recipes)}. 'translate run RECIPE --help' shows a recipe's own options."
            parser.print_help()
            raise SystemExit(0)
        raise UserError(f"Which recipe? Write 'translate run RECIPE ...'; recipes: {listed(plugins.recipes)}.")
    if rest[0].startswith("-"):
        raise UserError(f"The recipe comes first: 'translate run RECIPE {rest[0]} ...'; recipes: {listed(plugins.recipes)}.")
    plugins.recipes[rest[0]]  # raises, with the near name
    raise AssertionError(rest)


def _parser(name: str, recipe: type[Recipe]) -> Parser:
    parser = Parser(
        prog=f"translate run {name}",
        usage=f"translate run {name} --domains {_letters(recipe)} [options]",
        description=f"{_about(recipe)}\n\nDefaults are in [brackets], with what a preset sets in their place.",
    )
    parser.add_argument(
        "--preset",
        metavar="|".join(recipe.presets) or "NAME",
        help="; ".join(f"{each}: {preset.summary}" for each, preset in recipe.presets.items())
        + (f" [{default_preset(recipe, 'cpu')} on a CPU, {default_preset(recipe, 'cuda')} on a GPU]" if recipe.presets else ""),
    )
    parser.add_argument(
        "--config", metavar="FILE", help="a TOML file with options, such as the run.toml of another run; flags override it"
    )
    parser.add_argument("--out", metavar="DIR", help="folder of the run [runs/RECIPE-DOMAIN-DOMAIN]")
    parser.add_argument("--no-plugins", action="store_true", default=False, help="load no plugin but those of this library")
    presets = {each: {**preset.run, **preset.options} for each, preset in recipe.presets.items()}
    parser.add_argument(
        "--override",
        action="store_true",
        default=False,
        help="where --out holds this run, stopped: go on with it even if the options given are others",
    )
    add_options(parser, RunOptions, "the run", presets)
    add_options(parser, recipe.Options, f"the recipe '{name}'", presets)
    return parser


def _read_config(path: Path, name: str, recipe: type[Recipe]) -> dict[str, Any]:
    """The options in a config file, or in the record of a run, of the recipe of that ``name``. Raises UserError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"The file {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML file ({error}).") from None
    if values.get("recipe", name) != name:
        raise UserError(f"{path} is for recipe '{values['recipe']}', not '{name}'.")
    result: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("run", "options") and isinstance(value, dict):
            result |= value
        elif key in ("run", "options") or (isinstance(value, dict) and key not in RECORDED):
            raise UserError(f"{path}: options stand at the top or in the tables [run] and [options], not in '{key}'.")
        elif key not in ("recipe", "root", "rests_on", "lengths", "overridden") and not isinstance(value, dict):
            result[key] = value
    # A record names the data as the command did, and where that was.
    result |= {"data": values["root"]} if "root" in values else {}
    for key in ("preset", "out"):
        if not isinstance(result.get(key, ""), str):
            raise UserError(f"{path}: '{key}' is {str(result[key])!r}; it must be a text.")
    split_options(recipe, name, {key: value for key, value in result.items() if key not in ("preset", "out")})
    return result


def _free_folder(default: Path) -> Path:
    """``default``, or with a number where that is taken."""
    folders = (default if number == 1 else default.with_name(f"{default.name}-{number}") for number in range(1, 10**6))
    return next(folder for folder in folders if not folder.exists())


def _letters(recipe: type[Recipe]) -> str:
    """What stands for the domains in a usage line."""
    least, most = (recipe.domains, recipe.domains) if isinstance(recipe.domains, int) else recipe.domains
    more = " ..." if recipe is Recipe or most is None or most > least else ""
    return " ".join(ascii_uppercase[: max(least, 1)]) + more


def _about(recipe: type[Recipe]) -> str:
    return "Train a recipe on domains of pictures." if recipe is Recipe else (recipe.__doc__ or "").strip().splitlines()[0]
