"""Did a run on drawn bags and shoes discover that they share a colour?

    python tests/proofs/colour_relation.py RUN [RUN ...]

The runs are of `translate run discogan --domains bags shoes`, one for each variant of the method. For held-out drawings, the hue of the
object before and after translation is compared: the mean cosine of the difference (1 where hues are kept, 0 where they are unrelated),
and Fisher and Lee's circular association (±1 where one hue follows from the other, whatever the turn). "Modes" says how many of twelve
equal parts of the colour circle the translations fill at all: a collapsed translator gives every bag the same shoe. Only DiscoGAN's own
variant has a bound: 0.9, in both directions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from translate import Engine
from translate_pictures.colour import hue, hue_association, hue_correlation
from translate_pictures.domain import DrawnDomain

BOUND = 0.9


def hues(engine: Engine, source: str, target: str, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Hues before and after translation, ``(N,)`` degrees each."""
    domain = DrawnDomain(source, split, engine.spaces[0].size)
    pictures = np.stack([domain.read(index) for index in range(len(domain))])
    return hue(pictures), hue(np.asarray(engine.translate(pictures, to=target, source=source)))


def modes(degrees: np.ndarray, parts: int = 12) -> int:
    """How many of ``parts`` equal parts of the colour circle hold at least one in a hundred of the pictures."""
    counts = np.bincount((degrees[np.isfinite(degrees)] / 360 * parts).astype(int) % parts, minlength=parts)
    return int((counts >= len(degrees) / 100).sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    kept_by_discogan = []
    print("| run | variant | step | direction | correlation | association | modes of 12 |\n|---|---|---|---|---|---|---|")
    for run in parser.parse_args().runs:
        engine = Engine.load(run)
        variant = engine.recipe.options.variant
        for source, target in (("bags", "shoes"), ("shoes", "bags"))[: 1 if variant == "gan" else 2]:
            before, after = hues(engine, source, target)
            kept = hue_correlation(before, after)
            kept_by_discogan += [kept] if variant == "discogan" else []
            print(
                f"| {run.name} | {variant} | {engine.step} | {source}→{target} | {kept:.3f} | {hue_association(before, after):.3f} "
                f"| {modes(after)} |"
            )
    met = all(kept >= BOUND for kept in kept_by_discogan)
    if kept_by_discogan:
        print(f"bound of {BOUND} for DiscoGAN: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
