"""What can go wrong, said in sentences: the thing, what was found, what was expected, what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TranslateError(Exception):
    """Anything that this library raises on purpose."""


class UserError(TranslateError, ValueError):
    """The input is wrong; the message is one sentence that says what to do. The command exits with 2."""


class UnknownName(UserError):
    """A name that is not registered, with the nearest one that is."""


class NoDomain(UserError):
    """Nobody has pictures or points of that name."""


class NotAPicture(UserError):
    """Points stand where pictures are needed."""


class NotRead(UserError):
    """A file cannot be read here, whether or not it is whole."""


class NotFinite(TranslateError, ArithmeticError):
    """A loss, or a number that is to be saved, became infinite or NaN; the message names it."""


class NotSaved(TranslateError, OSError):
    """A checkpoint, or something else of a run, could not be written; the message says why. Checkpoints before it are whole."""


class RecipeError(TranslateError, RuntimeError):
    """A recipe, a network or a loss does not keep its contract with the engine; for the author of a plugin."""


class PluginError(TranslateError, RuntimeError):
    """A plugin failed; the message names it, its version and the cause."""


class Interrupted(TranslateError):
    """Something was stopped by a signal; the message says what is kept, and how to go on."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class DataWarning(UserWarning):
    """Something of the user's was passed over; the message names it."""


class PluginWarning(UserWarning):
    """A plugin failed and is left out from here on; the message names it, its version and the cause."""


def brief(error: BaseException) -> str:
    """An error of somebody else's as part of a sentence.

    >>> brief(KeyError("wandb"))
    "KeyError: 'wandb'"
    """
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def capitalised(text: str) -> str:
    """``text`` as the beginning of a sentence: its first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def near(name: str, names: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for the closest of ``names``, or an empty string.

    >>> near("cyclgan", ["cyclegan", "dcgan"])
    " Did you mean 'cyclegan'?"
    """
    matches = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" Did you mean '{matches[0]}'?" if matches else ""


def listed(names: Iterable[str]) -> str:
    """Names as a sentence takes them: ``a, b and c``, or ``none``.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = list(names) or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
