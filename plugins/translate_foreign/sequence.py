"""Networks of one sequence, ``main``, whose layers are numbered through: those of DCGAN and DiscoGAN. Ours keep the last one apart."""

from __future__ import annotations

import re

from translate_foreign.names import Shapes


def convolutions(shapes: Shapes) -> dict[int, tuple[int, ...]]:
    """The shapes of the convolutions of ``main`` by their numbers, in order; empty where there is anything outside of it."""
    parts = {name: re.fullmatch(r"main\.(\d{1,4})\.\w+", name) for name in shapes}
    if not all(parts.values()):
        return {}
    return dict(sorted((int(found[1]), shapes[name]) for name, found in parts.items() if found and len(shapes[name]) == 4))


def names(shapes: Shapes) -> dict[str, str]:
    """Each tensor's name there and here."""
    last = f"main.{max(convolutions(shapes))}."
    return {
        name: "last." + name.removeprefix(last) if name.startswith(last) else "body." + name.removeprefix("main.")
        for name in shapes
    }


def published(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Shapes of ours under their names: between the last layer and the norm before it, there is an activation."""
    numbers = [int(found[1]) for name in shapes if (found := re.fullmatch(r"body\.(\d+)\.\w+", name))]
    last = f"main.{max(numbers, default=0) + 2}."
    return {
        last + name.removeprefix("last.") if name.startswith("last.") else re.sub(r"^body\.", "main.", name): shape
        for name, shape in shapes.items()
    }
