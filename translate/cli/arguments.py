"""Flags from dataclasses, on argparse; its errors become one sentence."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any, Literal, NoReturn, get_args, get_origin

from translate import options
from translate.errors import UserError, near


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises UserError and suggests the near flag."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise UserError with argparse's message as a sentence."""
        found = re.fullmatch(r"argument (\S+): (.*)", message)
        sentence = f"{found[1].split('/')[0]} {found[2]}" if found else message[:1].upper() + message[1:]
        raise UserError(f"{sentence}; see '{self.prog} --help'.")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The parsed arguments. Raises UserError for an unknown flag, with the near one.

        What is no flag may come last, after a list of names, to which argparse counts all that follows: ``--scores kid RUN``.
        """
        try:
            return self._parse(arguments)
        except UserError:
            if arguments and not arguments[-1].startswith("-"):
                with suppress(UserError):
                    return self._parse([arguments[-1], *arguments[:-1]])
            raise

    def _parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        namespace, unknown = self.parse_known_args(arguments)
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            name = unknown[0].split("=")[0]
            if name.startswith("-"):
                raise UserError(f"There is no option {name}.{near(name, flags)} See '{self.prog} --help'.")
            raise UserError(f"'{unknown[0]}' was not expected here; see '{self.prog} --help'.")
        return namespace


def add_options(
    parser: argparse.ArgumentParser, cls: type, title: str, presets: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """A flag for each field of an options dataclass. Values stay text: :mod:`translate.options` reads them, with everyone else's.

    Help texts end in the default, and in what ``presets``, options by name of preset, set in its place.
    """
    group = parser.add_argument_group(title)
    for each in fields(cls):
        hint = options.kind(cls, each.name)
        settings: dict[str, Any] = {
            "default": argparse.SUPPRESS,
            "dest": each.name,
            "metavar": each.metadata.get("metavar") or _metavar(hint),
        }
        if get_origin(hint) is tuple:
            settings["nargs"] = "+"
        default = each.default if type(each.default) is tuple else (each.default,)
        defaults = [] if each.default in (None, ()) else [" ".join(map(str, default))]
        defaults += [f"{preset}: {chosen[each.name]}" for preset, chosen in (presets or {}).items() if each.name in chosen]
        values = f" [{'; '.join(defaults)}]" if defaults else ""
        group.add_argument(
            options.flag(each.name), help=f"{each.metadata.get('help', '')}{values}".replace("%", "%%"), **settings
        )


def _metavar(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "|".join(str(each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return {int: "N", float: "X"}.get(get_args(hint)[0], "NAME")
    return {int: "N", float: "X", bool: "true|false", str: "TEXT", options.Size: "N|HxW", options.Part: "NAME[:KEY=VALUE,...]"}[
        hint
    ]
