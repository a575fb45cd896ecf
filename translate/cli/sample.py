"""``translate sample``: make pictures from noise with trained weights."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from translate.cli.arguments import Parser
from translate.data import picture
from translate.data.domain import Array, file_name
from translate.engine import Engine
from translate.errors import UserError
from translate.grid import draw_grid, draw_points, in_columns
from translate.latent import Latent

#: How long each frame of an animated walk is shown, in milliseconds.
FRAME = 80


def main(arguments: Sequence[str]) -> int:
    """Make samples, a way between samples, or a walk, as files and as one sheet."""
    parser = Parser(
        prog="translate sample",
        description="Make pictures from noise: each is a file in the folder DIR, and DIR.png shows them all. Points go to DIR.csv.",
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a run, a checkpoint, a weights file or a published name")
    parser.add_argument("-n", metavar="N", help="how many samples, or stops of a way [64; with a way 8]")
    parser.add_argument("--seed", metavar="N", default="0", help="seed of the noise: the same seed makes the same pictures [0]")
    parser.add_argument(
        "--interpolate", metavar="STEPS", help="ways in so many steps from each of N samples to another, a row each"
    )
    parser.add_argument(
        "--walk", metavar="STEPS", help="one way past N samples and back, in so many steps each; pictures as DIR.gif too"
    )
    parser.add_argument("-o", "--out", metavar="DIR", help="folder for the pictures [DOMAIN-samples]")
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda, cuda:1 or mps [auto]")
    values = parser.parse(arguments)
    if values.interpolate is not None and values.walk is not None:
        raise UserError("Both --interpolate and --walk were given; choose one.")
    steps = values.interpolate or values.walk
    way = None if steps is None else _number("--interpolate" if values.interpolate else "--walk", steps, 2)
    count = _number("-n", values.n or ("64" if way is None else "8"), 1)
    seed = _number("--seed", values.seed, 0)
    engine = Engine.load(values.weights, device=values.device)
    space = engine.spaces[0]
    latent = engine.recipe.latent
    if latent is None:
        engine.sample(1)  # raises, and says what these weights do instead
        raise AssertionError
    noise = _noise(latent, count, seed, values.interpolate is not None, way)
    out = Path(os.path.abspath(values.out or f"{file_name(space.name)}-samples"))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{values.out or out.name} is {'not empty' if out.is_dir() else 'a file'}; give another folder with -o.")
    for beside in (out.with_name(f"{out.name}{suffix}") for suffix in (".png", ".gif", ".csv")):
        if beside.exists():
            raise UserError(f"{os.path.relpath(beside)} is there already; give another folder with -o.")
    made = picture.to_stored(engine.sample(noise), space.window, space.dtype)
    try:
        if space.is_picture:
            shown = _write(
                [picture.to_eight_bits(each, space.window) for each in made],
                space.name,
                out,
                rows=count if values.interpolate else max(1, round(len(made) ** 0.5)),
            )
        else:
            shown = out.with_name(f"{out.name}.csv")
            shown.parent.mkdir(parents=True, exist_ok=True)
            np.savetxt(shown, made, delimiter=",", fmt="%.6g")
            draw_points(made).save(out.with_name(f"{out.name}.png"))
        if values.walk is not None and space.is_picture:
            shown = out.with_name(f"{out.name}.gif")
            first, *others = (picture.to_image(each, space.window) for each in made)
            first.save(shown, save_all=True, append_images=others, duration=FRAME, loop=0)
    except OSError as error:
        raise UserError(f"The samples cannot be written to {out} ({error}); give another folder with -o.") from error
    where = f" in {shlex.quote(os.path.relpath(out))}" if space.is_picture else ""
    print(f"{len(made)} samples of {space.name}{where}; see {shlex.quote(os.path.relpath(shown))}.")
    return 0


def _noise(latent: Latent, count: int, seed: int, between: bool, steps: int | None) -> torch.Tensor:
    """``(n, width)``: draws, ways between two draws each, or one closed way past all."""
    if steps is None:
        return latent.draw(count, seed)
    if not between:
        return latent.walk(latent.draw(count, seed), steps)
    ends = latent.draw(2 * count, seed).view(count, 2, -1)
    return torch.cat([latent.interpolate(first, second, steps) for first, second in ends])


def _write(made: Sequence[Array], name: str, out: Path, rows: int) -> Path:
    """Each picture to its file in ``out``; all of them on one sheet beside it, whose path is returned."""
    out.mkdir(parents=True, exist_ok=True)
    for index, each in enumerate(made):
        picture.to_image(each).save(out / f"{file_name(name)}-{index:05d}.png")
    sheet = out.with_name(f"{out.name}.png")
    draw_grid([in_columns("", made, rows)], least=64).save(sheet)
    return sheet


def _number(flag: str, text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise UserError(f"{flag} is '{text}'; it must be a whole number from {least} on.")
    return number
