"""``translate apply``: translate pictures with trained weights."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from translate.cli.arguments import Parser
from translate.data import picture
from translate.data.domain import Array
from translate.engine import Engine
from translate.errors import UserError
from translate.inference import PictureTranslator, examined, find_pictures, open_image


def main(arguments: Sequence[str]) -> int:
    """Translate every picture and write it under its own name."""
    parser = Parser(
        prog="translate apply",
        description="Translate pictures with trained weights. Each result has the name and the size of its picture, but for an ending "
        "whose format cannot hold the values. Results of before are replaced.",
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a run, a checkpoint, a weights file or a published name")
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="pictures, or folders, with all pictures below them")
    parser.add_argument("--to", metavar="DOMAIN", help="the domain to translate to [the last one]")
    parser.add_argument("--source", metavar="DOMAIN", help="the domain to translate from, where there are more than two")
    parser.add_argument("-o", "--out", metavar="DIR", help="folder for the results [DOMAIN-pictures]")
    parser.add_argument(
        "--scale",
        metavar="train|native",
        default="train",
        help="train: bring the short side to the training size, and the result back; native: keep the pixels [train]",
    )
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda, cuda:1 or mps [auto]")
    values = parser.parse(arguments)
    pictures = find_pictures(values.inputs)
    engine = Engine.load(values.weights, device=values.device)
    translator = engine.translator(values.to, values.source, values.scale)
    out = Path(values.out or f"{translator.target.name}-pictures")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; give -o a folder.")
    for path, below in pictures:
        if (out / below).resolve() == path.resolve():
            raise UserError(f"The results would overwrite {path}; give another folder with -o.")
    written, failed = 0, 0
    for path, below in pictures:
        target = out / below
        try:
            result = _translated(translator, path)
        except UserError as error:
            print(f"translate: skipped: {error}", file=sys.stderr)
            failed += 1
            continue
        if isinstance(result, np.ndarray):
            target = target.with_suffix(picture.holding(result, target.suffix))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _save(result, translator.target.window, target)
        except (OSError, ValueError) as error:
            raise UserError(
                f"The result {target} cannot be written ({error}); give another folder with -o, or convert {path}."
            ) from error
        written += 1
    if not written:
        which = "The only file cannot" if failed == 1 else f"None of the {failed} files can"
        raise UserError(f"{which} be read as a picture.")
    print(f"{written} picture{'s' if written != 1 else ''} {_direction(translator)} in {shlex.quote(str(out))}.")
    return 0


def _translated(translator: PictureTranslator, path: Path) -> Image.Image | Array:
    """The result as PIL holds it, with its transparency, or, where that would lose depth or channels, as it is stored."""
    if translator.target.dtype == "uint8" and translator.target.channels in (1, 3) and examined(path).is_plain:
        return translator.image(open_image(path))
    return translator.file(path)


def _save(result: Image.Image | Array, window: tuple[float, float], path: Path) -> None:
    if isinstance(result, np.ndarray):
        picture.save(result, window, path)
    elif path.suffix.lower() in (".jpg", ".jpeg"):
        # JPEG knows no transparency.
        mode = "RGB" if result.mode in ("RGBA", "P") else "L" if result.mode == "LA" else result.mode
        result.convert(mode).save(path, quality=95)
    else:
        result.save(path)


def _direction(translator: PictureTranslator) -> str:
    source, target = translator.source, translator.target
    scale = "" if translator.scale == "native" else f", at a short side of {min(source.size)} px,"
    return f"translated from {source.name} to {target.name}{scale}"
