"""Draw pictures of a built-in domain into a folder, as data or to look at."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from translate import UserError

from .domain import NAMES, SUBJECTS, DrawnDomain

_EPILOG = f"""\
domains: {", ".join(NAMES)}

With -o data/horse the drawings are data/horse/horse-00000.png and so on. With --truth
  data/horse-as-zebra/  the same scenes with the other coat, under the same file names,
  data/horse-mask/      white where the two differ, black elsewhere.
These have no counterparts: {", ".join(style for subject in SUBJECTS if len(subject.styles) == 1 for style in subject.styles)}.
"""


def main(arguments: Sequence[str]) -> int:
    """Run ``translate draw`` with these arguments; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="translate draw", description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", metavar="NAME", help="the domain to draw")
    parser.add_argument("-n", type=int, default=16, metavar="N", help="how many, from the first on (default: 16)")
    parser.add_argument("--size", default="256", metavar="S|HxW", help="pixels a side, or height and width (default: 256)")
    parser.add_argument("--split", default="train", help="train, test or unseen: surroundings of their own (default: train)")
    parser.add_argument("--truth", action="store_true", help="draw the true counterparts and masks too")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="the folder to write to (default: ./NAME)")
    options = parser.parse_args(arguments)

    domain = DrawnDomain(options.name, options.split, _size(options.size))
    if not 1 <= options.n <= len(domain):
        raise UserError(f"-n {options.n}: the {domain.split} split of {domain.name!r} has 1 to {len(domain)} drawings to write.")
    if options.truth and not domain.counterparts:
        raise UserError(f"{domain.name!r} has no counterpart that --truth could draw; leave --truth away.")
    folder: Path = options.output or Path(domain.name)
    for index in range(options.n):
        label = domain.label(index)
        _write(folder / label, domain.read(index))
        if options.truth:
            for other in domain.counterparts:
                _write(folder.with_name(f"{folder.name}-as-{other}") / label, domain.counterpart(index, other))
            _write(folder.with_name(f"{folder.name}-mask") / label, domain.mask(index))
    print(f"Wrote {options.n} drawings to {folder}" + (", with their truth beside it." if options.truth else "."))
    return 0


def _size(text: str) -> tuple[int, int]:
    try:
        sides = [int(part) for part in text.lower().split("x")]
    except ValueError:
        sides = []
    if len(sides) == 1:
        return sides[0], sides[0]
    if len(sides) == 2:
        return sides[0], sides[1]
    raise UserError(f"--size {text}: expected pixels a side such as 256, or height and width such as 192x256.")


def _write(path: Path, picture: NDArray[np.generic] | None) -> None:
    """Write (H, W, C) bytes, or a mask (H, W), as PNG."""
    assert picture is not None
    bytes_ = picture if picture.dtype == np.uint8 else picture.astype(np.uint8) * 255
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(bytes_[..., 0] if bytes_.shape[-1] == 1 and bytes_.ndim == 3 else bytes_).save(path)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error.strerror or error}. Name another folder with -o.") from error
