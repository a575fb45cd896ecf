"""The command ``translate``: one module for each verb, each with ``main(arguments) -> exit code``.

Exit codes: 0 done; 2 the input is wrong, said in one sentence; 130 and 143 interrupted, saved and resumable; 1 anything else.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from typing import Any

from translate.errors import DataWarning, Interrupted, PluginWarning, TranslateError, UserError, near

#: The verbs of the library itself. ``--help`` must answer at once, so their lines stand here and no verb is imported for them.
VERBS = {
    "run": "train a recipe on domains of pictures",
    "resume": "go on with a run that was stopped",
    "apply": "translate pictures with trained weights",
    "sample": "make pictures from noise with trained weights",
    "evaluate": "score what trained weights make",
    "doctor": "search a run's log for what went wrong",
    "data": "list, fetch and check data sets",
    "list": "list recipes, networks, losses, weights and plugins",
    "plugins": "list plugins, check one, or begin a new one",
    "show": "show a recipe, a network, a loss, a run or weights",
    "weights": "list, verify, import and export weights",
    "bench": "measure speed beside the usual ways",
}
#: The entry-point group of verbs that plugins add.
GROUP = "translate.commands"

HELP = """usage: translate VERB ...

Turn pictures of one kind into pictures of another, without paired examples.

{verbs}

  translate VERB --help    says more about a verb
  translate --version      prints the version

For a start:  translate run cyclegan --domains horse zebra"""


def plugin_verbs() -> dict[str, EntryPoint]:
    """The verbs of plugins by name; a verb of the library cannot be replaced."""
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in VERBS}


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    # Waiting OpenMP threads that spin take the core from those that work; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with warnings.catch_warnings():
            for category in (DataWarning, PluginWarning):
                warnings.simplefilter("always", category)
            warnings.showwarning = partial(_show_warning, warnings.showwarning)
            return _dispatch(arguments)
    except UserError as error:
        _complain(str(error))
        return 2
    except Interrupted as error:
        print(error, file=sys.stderr)
        return 128 + error.signal
    except TranslateError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:
        # The reader of a pipe went away, as `head` does; Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        _complain("Stopped at once.")
        return 130


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP.format(verbs=_verb_lines()))
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"image-translate {version('image-translate')}")
        return 0
    verb, rest = arguments[0], arguments[1:]
    if verb in VERBS:
        return int(import_module(f"translate.cli.{verb}").main(rest))
    others = plugin_verbs()
    if verb not in others:
        raise UserError(f"There is no verb '{verb}'.{near(verb, [*VERBS, *others])} 'translate --help' lists them.")
    return int(others[verb].load()(rest))


def _verb_lines() -> str:
    lines = dict(VERBS)
    for name, entry in sorted(plugin_verbs().items()):
        lines[name] = f"from plugin {entry.module.split('.')[0]}"
    return "\n".join(f"  {name:<10} {line}" for name, line in lines.items())


def _complain(message: str) -> None:
    print(f"translate: {message}", file=sys.stderr)


def _show_warning(others: Callable[..., None], message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
    """What we say of the user's files and plugins, as a line; what other libraries warn of, as Python shows it."""
    if issubclass(category, DataWarning | PluginWarning):
        _complain(str(message))
    else:
        others(message, category, *rest, **more)
