"""The command that trains on given domains, to be copied by somebody who has none in mind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from translate.data.wanted import typed
from translate.errors import UserError
from translate.options import Size
from translate.plugins import Plugins
from translate.recipe import Recipe


@dataclass(frozen=True)
class Method:
    """The name of a recipe, and the domains that it takes."""

    recipe: str
    domains: tuple[str, ...]

    def command(self, data: Path | None, size: Size | None = None) -> str:
        """The command that trains on the domains in ``data``, at ``size`` where that is not the usual one."""
        where = "" if data is None else f" --data {typed(data)}"
        return f"translate run {self.recipe} --domains {typed(*self.domains)}{where}{'' if size is None else f' --size {size}'}"


def method_for(plugins: Plugins, names: tuple[str, ...], *, points: bool = False) -> Method | None:
    """The first recipe that trains on the domains, or on the first two where none takes all of them; None where there is none."""
    for chosen in dict.fromkeys((names, names[:2])):
        for name in sorted(plugins.recipes):
            recipe = plugins.recipes[name]
            if any(preset.points == points for preset in recipe.presets.values()) and _takes(recipe, name, chosen):
                return Method(name, chosen)
    return None


def _takes(recipe: type[Recipe], name: str, domains: tuple[str, ...]) -> bool:
    try:
        recipe.check_domains(name, domains)
    except UserError:
        return False
    return True
