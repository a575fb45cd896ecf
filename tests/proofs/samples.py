"""Are samples of MNIST or Fashion-MNIST recognisable, and are they varied?

    python tests/proofs/samples.py DATA WEIGHTS [WEIGHTS ...]

DATA holds MNIST/raw or FashionMNIST/raw; WEIGHTS are runs or weights of one of the two. A small network learns to classify the training
pictures; it then looks at 5,000 samples of each generator, and at as many held-out pictures. "Recognised" is the share that it is at
least 90 % sure of, "classes" the exponential of the entropy of the classes it names (10 where all are equally frequent, 1 where all
samples are of one), IS the Inception Score by this network, mean and standard deviation over 10 splits of 500: no more than 10, and no
figure to compare with those of other networks. What held-out pictures reach stands beside it. Variety has a bound: 7 classes of 10.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate import Engine
from translate.data.picture import to_tensor
from translate_datasets.files import DataSetDomain, open_data_set

COUNT, SPLITS, EPOCHS, BATCH = 5000, 10, 2, 128
LEAST_CLASSES = 7.0


def classifier() -> nn.Sequential:
    """Two convolutions and two linear layers for 28×28 grey pictures."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def tensors(domain: DataSetDomain) -> tuple[Tensor, Tensor]:
    """All pictures ``(N, 1, 28, 28)`` in [-1, 1], and their classes."""
    return to_tensor(domain.images, domain.window, torch.device("cpu")), torch.from_numpy(domain.labels.copy()).long()


def train(images: Tensor, labels: Tensor) -> nn.Sequential:
    torch.manual_seed(0)
    network = classifier()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimiser.zero_grad()
            functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
            optimiser.step()
    return network.eval()


@torch.no_grad()
def probabilities(network: nn.Module, images: Tensor) -> Tensor:
    return torch.cat([network(piece).double().softmax(1) for piece in images.split(1000)])


def scores(p: Tensor) -> dict[str, float]:
    """What the class probabilities ``(N, 10)`` of pictures say of them."""
    named = torch.bincount(p.argmax(1), minlength=10) / len(p)
    inception = torch.stack([_kl(part, part.mean(0)).mean().exp() for part in p.chunk(SPLITS)])
    return {
        "recognised": (p.amax(1) >= 0.9).double().mean().item(),
        "classes": torch.special.entr(named).sum().exp().item(),
        "IS": inception.mean().item(),
        "IS std": inception.std().item(),
    }


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", nargs="+")
    arguments = parser.parse_args()
    engines = {name: Engine.load(name, device="cpu") for name in arguments.weights}
    (family,) = {engine.spaces[0].name for engine in engines.values()}
    train_domain, test_domain = (open_data_set(family, family, None, arguments.data, split) for split in ("train", "test"))
    assert train_domain is not None
    assert test_domain is not None
    network = train(*tensors(train_domain))
    images, labels = tensors(test_domain)
    accuracy = (probabilities(network, images).argmax(1) == labels).double().mean().item()
    print(f"classifier on the held-out pictures of {family}: {accuracy:.4f}\n")
    print("| of | step | recognised | classes | IS |\n|---|---|---|---|---|")
    met = True
    rows = {"held-out pictures": (0, images[:COUNT])}
    rows |= {name: (engine.step, engine.sample(engine.recipe.latent.draw(COUNT, 1))) for name, engine in engines.items()}
    for name, (step, pictures) in rows.items():
        found = scores(probabilities(network, pictures))
        met &= found["classes"] >= LEAST_CLASSES
        print(
            f"| {Path(name).name} | {step or ''} | {found['recognised']:.3f} | {found['classes']:.2f} "
            f"| {found['IS']:.2f} ± {found['IS std']:.2f} |"
        )
    print(f"\nbound of {LEAST_CLASSES:g} classes: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
