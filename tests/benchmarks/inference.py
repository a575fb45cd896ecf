"""A generator of CycleGAN at work, beside the public one.

    OMP_NUM_THREADS=1 python tests/benchmarks/inference.py [SIZE ...] [--rounds 5] [--threads 1] [--json]

The same weights in both; "translate" is ``engine.translate`` of a tensor, which pads, checks and crops. Printed are the median times of a
picture, the medians of the ratios within a round, and the largest difference from float64, over an output from -1 to 1.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from typing import Any

import reference
import torch
from torch import Tensor, nn
from training import Memory, Noise
from turns import Turns, compared, table

import translate
from translate import Engine


def engine_like(theirs: nn.Sequential, size: int) -> Engine:
    """A CycleGAN whose G has the weights of the public generator, layer by layer."""
    domains = {name: Noise(name, size, 3, 4) for name in ("memory-a", "memory-b")}
    with translate.plugin(Memory(domains), "memory"):
        engine = Engine("cyclegan", tuple(domains), preset="paper", size=size, epochs=None, steps=1, device="cpu", workers=0)
    wanted = engine.recipe.get_submodule("G").state_dict()
    engine.recipe.get_submodule("G").load_state_dict(dict(zip(wanted, theirs.state_dict().values(), strict=True)))
    engine.recipe.eval()
    return engine


def measured(size: int, rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    theirs = reference.resnet(9 if size >= 256 else 6).eval()
    for each in theirs.parameters():
        nn.init.normal_(each, 0, 0.02)
    engine = engine_like(theirs, size)
    picture = torch.rand(1, 3, size, size) * 2 - 1

    def plain() -> Tensor:
        with torch.no_grad():
            made: Tensor = theirs(picture)
        return made

    def ours() -> Tensor:
        made: Tensor = engine.translate(picture)
        return made

    with torch.no_grad():
        exact = copy.deepcopy(theirs).double()(picture.double())
    errors = {name: float((way() - exact).abs().max()) for name, way in (("reference", plain), ("translate", ours))}
    figures = compared({"reference": Turns(lambda: (plain(), None)[1]), "translate": Turns(lambda: (ours(), None)[1])}, rounds)
    for name, error in errors.items():
        figures["ways"][name]["largest error"] = error
    return {"size": size, "threads": torch.get_num_threads(), **figures}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=(128, 256))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for size in given.sizes:
        figures = measured(size, given.rounds)
        print(json.dumps(figures) if given.json else table(f"{size} px", figures, "picture"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
