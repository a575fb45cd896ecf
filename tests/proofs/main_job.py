"""Is what was learned of a drawn pair a translation? Scored against the truth that drawings have.

    python tests/proofs/main_job.py runs/cyclegan-horse-zebra

Horses and zebras are the main job; any other drawn pair is scored as well, without what concerns stripes.

On 200 held-out drawings a side, and again on 200 from seeds and a background family that no training saw:

* a classifier of the two domains, trained here on drawings alone, judges the translations, as they are and after a blur of one pixel
  and rounding to 8 bits, which would erase hidden stripes;
* the contrast of stripes inside the mask, against real zebras of the same scenes;
* the error of zebra→horse inside the mask to the true horse, against that of the picture that was not translated;
* what changed outside the mask.

Figures of the latest runs are in docs/reference/proofs.md. Takes about two minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from translate import Domain, Engine
from translate.data.picture import to_tensor
from translate.isolation import Guard

CPU = torch.device("cpu")

#: What must hold, by words of a figure's name; the first that fits counts.
BOUNDS = {
    "classifier on real": ("≥", 0.99),
    "called": ("≥", 0.90),
    "zebra→horse: error inside": ("≤", 0.5),
    "→zebra: stripe contrast": ("≥", 0.7),
    "outside the mask": ("≤", 0.10),
}


def pictures(domain: Domain) -> Tensor:
    return to_tensor(np.stack([domain.read(i) for i in range(len(domain))]), domain.window, CPU)


def blurred(images: Tensor) -> Tensor:
    """A Gaussian of one pixel, then 8 bits: what a hidden pattern would not survive."""
    offsets = torch.arange(-3, 4, dtype=torch.float32)
    kernel = torch.exp(-(offsets**2) / 2)
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 1, 7)
    padded = functional.pad(images, (3, 3, 3, 3), mode="reflect")
    smooth = functional.conv2d(padded, kernel, groups=images.shape[1])
    smooth = functional.conv2d(smooth, kernel.mT, groups=images.shape[1])
    return ((smooth + 1) * 127.5).round() / 127.5 - 1


def train_classifier(first: Tensor, second: Tensor, steps: int = 500) -> nn.Module:
    """A small convolutional classifier; a positive score says the second. It sees sharp and blurred drawings, flipped and shifted."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    width = 3
    for wider in (16, 32, 64, 64):
        layers += [nn.Conv2d(width, wider, 3, stride=2, padding=1), nn.GroupNorm(4, wider), nn.ReLU()]
        width = wider
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 1))
    images = torch.cat([first, second])
    labels = torch.cat([torch.zeros(len(first)), torch.ones(len(second))])
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for step in range(steps):
        chosen = torch.randint(len(images), (64,))
        batch = images[chosen]
        batch = blurred(batch) if step % 2 else batch
        batch = batch.flip(3) if step % 4 < 2 else batch
        batch = torch.roll(batch, (int(torch.randint(-4, 5, ())), int(torch.randint(-4, 5, ()))), (2, 3))
        loss = functional.binary_cross_entropy_with_logits(network(batch)[:, 0], labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def share_of_second(network: nn.Module, images: Tensor) -> float:
    return float((network(images)[:, 0] > 0).float().mean())


def stripe_contrast(images: Tensor, masks: NDArray[np.bool_]) -> float:
    """RMS, inside the mask, of what the luminance differs from its mean over the mask's part of 9×9 pixels."""
    light = images.mean(dim=1, keepdim=True)
    inside = torch.from_numpy(masks)[:, None].float()
    local = functional.avg_pool2d(light * inside, 9, 1, 4) / functional.avg_pool2d(inside, 9, 1, 4).clamp_min(1e-6)
    detail = (light - local)[:, 0].numpy()
    return float(np.sqrt(np.mean(detail[masks] ** 2)))


def error(a: Tensor, b: Tensor, where: NDArray[np.bool_]) -> float:
    """Mean absolute difference on the [-1, 1] scale, over the pixels ``where``."""
    return float((a - b).abs().mean(dim=1).numpy()[where].mean())


def score(engine: Engine, network: nn.Module, guard: Guard, split: str) -> dict[str, float]:
    size = engine.spaces[0].size
    names = tuple(space.name for space in engine.spaces)
    domains = {name: guard.find_domain(name, None, split, size, names)[1] for name in names}
    result: dict[str, float] = {}
    for source, target in (names, names[::-1]):
        domain = domains[source]
        assert domain is not None
        images = pictures(domain)
        truth = to_tensor(np.stack([domain.counterpart(i, target) for i in range(len(domain))]), domain.window, CPU)  # type: ignore[arg-type]
        masks = np.stack([domain.mask(i) for i in range(len(domain))])  # type: ignore[arg-type]
        fake = engine.translate(images, to=target, source=source)
        sign = (lambda share: share) if target == names[1] else (lambda share: 1 - share)
        way = f"{source}→{target}"
        result |= {
            f"classifier on real {source}": 1 - sign(share_of_second(network, images)),
            f"classifier on real {source}, blurred": 1 - sign(share_of_second(network, blurred(images))),
            f"{way}: called {target}": sign(share_of_second(network, fake)),
            f"{way}: called {target}, blurred": sign(share_of_second(network, blurred(fake))),
            f"{way}: change outside the mask": error(fake, images, ~masks),
            f"{way}: error inside, of untranslated's": error(fake, truth, masks) / error(images, truth, masks),
        }
        if target == "zebra":
            result[f"{way}: stripe contrast, of real zebras'"] = stripe_contrast(fake, masks) / stripe_contrast(truth, masks)
            result["horses' own contrast, of real zebras'"] = stripe_contrast(images, masks) / stripe_contrast(truth, masks)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run folder, a checkpoint or a weights file of a drawn pair")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    engine = Engine.load(arguments.run, device="cpu")
    guard = engine.guard
    names = tuple(space.name for space in engine.spaces)
    train = [guard.find_domain(name, None, "train", engine.spaces[0].size, names)[1] for name in names]
    network = train_classifier(*(pictures(domain) for domain in train if domain is not None))
    table = {split: score(engine, network, guard, split) for split in ("test", "unseen")}
    if arguments.json:
        print(json.dumps(table, indent=1, ensure_ascii=False))
        return
    print(f"{'':48} {'held out':>9} {'unseen':>9}   bound")
    failed = False
    for key in table["test"]:
        kind, bound = next((limit for words, limit in BOUNDS.items() if words in key), ("", 0.0))
        failed |= any(
            (kind == "≥" and table[split][key] < bound) or (kind == "≤" and table[split][key] > bound) for split in table
        )
        print(f"{key:48} {table['test'][key]:9.3f} {table['unseen'][key]:9.3f}   {f'{kind} {bound:g}' if kind else ''}")
    print("Not all bounds are met." if failed else "All bounds are met.")
    sys.exit(failed)


if __name__ == "__main__":
    main()
