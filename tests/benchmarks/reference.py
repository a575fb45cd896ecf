"""The steps of the public implementations, written out plainly: the same operations in the same order, and nothing cleverer.

CycleGAN after pytorch-CycleGAN-and-pix2pix, DCGAN after PyTorch's example, DiscoGAN after its authors' code, the vanilla GAN after the
commonest script for it. Each is a class that takes the device and its settings, with ``step(*real)``: a whole training step on a batch of
each domain in [-1, 1].

``best`` turns on what torch offers to anybody in a line or two: channels_last where it pays on this kind of network, a fused optimiser, no
gradients for a judge that is only asked.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for last in (False, True):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]
            layers += [] if last else [nn.ReLU(True)]
        self.block = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        return image + self.block(image)


def resnet(blocks: int, width: int = 64) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU(True)]
    for _ in range(2):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True)]
        width *= 2
    layers += [Residual(width) for _ in range(blocks)]
    for _ in range(2):
        layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1), nn.InstanceNorm2d(width // 2), nn.ReLU(True)]
        width //= 2
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


def patch(width: int = 64) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for level in range(1, 4):
        wider = 64 * 2**level
        layers += [nn.Conv2d(width, wider, 4, 2 if level < 3 else 1, 1), nn.InstanceNorm2d(wider), nn.LeakyReLU(0.2, True)]
        width = wider
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))


def requires_grad(networks: Iterable[nn.Module], wanted: bool) -> None:
    for network in networks:
        for parameter in network.parameters():
            parameter.requires_grad_(wanted)


class Pool:
    def __init__(self, size: int = 50) -> None:
        self.size, self.images = size, list[Tensor]()

    def query(self, images: Tensor) -> Tensor:
        given = []
        for image in images.detach():
            image = image.unsqueeze(0)
            if len(self.images) < self.size:
                self.images.append(image)
            elif random.random() > 0.5:
                at = random.randrange(self.size)
                image, self.images[at] = self.images[at].clone(), image
            given.append(image)
        return torch.cat(given)


class Reference:
    """What they have in common: a device, half precision by autocast where asked for, Adam."""

    def __init__(self, device: torch.device, *, half: bool = False, best: bool = False) -> None:
        self.device, self.half, self.best = device, half, best
        self.build()

    def build(self) -> None:
        raise NotImplementedError

    def adam(self, *networks: nn.Module, lr: float = 2e-4, decay: float = 0.0) -> torch.optim.Adam:
        for network in networks:
            network.to(self.device)
        parameters = itertools.chain(*(network.parameters() for network in networks))
        more = {"fused": True} if self.best else {}
        return torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.999), weight_decay=decay, **more)

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)


class CycleGAN(Reference):
    def __init__(self, device: torch.device, blocks: int = 9, **more: bool) -> None:
        self.blocks = blocks
        super().__init__(device, **more)

    def build(self) -> None:
        self.g_a, self.g_b, self.d_a, self.d_b = resnet(self.blocks), resnet(self.blocks), patch(), patch()
        self.for_g, self.for_d = self.adam(self.g_a, self.g_b), self.adam(self.d_a, self.d_b)
        self.pool_a, self.pool_b = Pool(), Pool()

    def step(self, a: Tensor, b: Tensor) -> None:
        with self.autocast():
            fake_b = self.g_a(a)
            rec_a = self.g_b(fake_b)
            fake_a = self.g_b(b)
            rec_b = self.g_a(fake_a)
        requires_grad((self.d_a, self.d_b), False)
        self.for_g.zero_grad()
        with self.autocast():
            idt_a, idt_b = self.g_a(b), self.g_b(a)
            losses = [functional.l1_loss(idt_a.float(), b) * 5, functional.l1_loss(idt_b.float(), a) * 5]
            for judge, fake in ((self.d_a, fake_b), (self.d_b, fake_a)):
                score = judge(fake).float()
                losses.append(functional.mse_loss(score, torch.ones_like(score)))
            losses += [functional.l1_loss(rec_a.float(), a) * 10, functional.l1_loss(rec_b.float(), b) * 10]
        sum(losses).backward()  # type: ignore[union-attr]
        self.for_g.step()
        requires_grad((self.d_a, self.d_b), True)
        self.for_d.zero_grad()
        for judge, real, fake in (
            (self.d_a, b, self.pool_b.query(fake_b)),
            (self.d_b, a, self.pool_a.query(fake_a)),
        ):
            with self.autocast():
                true, false = judge(real).float(), judge(fake).float()
                loss = functional.mse_loss(true, torch.ones_like(true)) + functional.mse_loss(false, torch.zeros_like(false))
            (loss * 0.5).backward()
        self.for_d.step()


class DCGAN(Reference):
    def build(self) -> None:
        layers: list[nn.Module] = [nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU(True)]
        for width in (512, 256, 128):
            layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width // 2), nn.ReLU(True)]
        self.g = nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
        layers = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for width in (64, 128, 256):
            layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2, True)]
        self.d = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 0, bias=False), *([] if self.half else [nn.Sigmoid()]))
        self.for_d, self.for_g = self.adam(self.d), self.adam(self.g)
        if self.best:
            self.g.to(memory_format=torch.channels_last)
            self.d.to(memory_format=torch.channels_last)

    def loss(self, scores: Tensor, target: float) -> Tensor:
        wanted = torch.full((len(scores),), target, device=self.device)
        # Cross-entropy of probabilities is not to be had under autocast.
        if self.half:
            return functional.binary_cross_entropy_with_logits(scores.float().view(-1), wanted)
        return functional.binary_cross_entropy(scores.view(-1), wanted)

    def step(self, real: Tensor) -> None:
        self.d.zero_grad()
        with self.autocast():
            self.loss(self.d(real), 1.0).backward()
            fake = self.g(torch.randn(len(real), 100, 1, 1, device=self.device))
            self.loss(self.d(fake.detach()), 0.0).backward()
        self.for_d.step()
        self.g.zero_grad()
        if self.best:
            requires_grad((self.d,), False)
        with self.autocast():
            loss = self.loss(self.d(fake), 1.0)
        loss.backward()
        if self.best:
            requires_grad((self.d,), True)
        self.for_g.step()


class DiscoGAN(Reference):
    def build(self) -> None:
        self.g_ab, self.g_ba, self.d_a, self.d_b = disco_generator(), disco_generator(), DiscoJudge(), DiscoJudge()
        self.for_g = self.adam(self.g_ab, self.g_ba, decay=1e-5)
        self.for_d = self.adam(self.d_a, self.d_b, decay=1e-5)
        self.count = 0

    def step(self, a: Tensor, b: Tensor) -> None:
        a, b = (a + 1) / 2, (b + 1) / 2
        for network in (self.g_ab, self.g_ba, self.d_a, self.d_b):
            network.zero_grad()
        with self.autocast():
            ab, ba = self.g_ab(a), self.g_ba(b)
            aba, bab = self.g_ba(ab), self.g_ab(ba)
            rec = [functional.mse_loss(aba.float(), a), functional.mse_loss(bab.float(), b)]
            judging, making = [], []
            for judge, real, fake, loss in ((self.d_a, a, ba, rec[0]), (self.d_b, b, ab, rec[1])):
                true, seen_true = judge(real)
                false, seen_false = judge(fake)
                one, zero = torch.ones_like(true), torch.zeros_like(true)
                matching = sum(
                    functional.mse_loss(x.float().mean(0), y.float().mean(0)) for x, y in zip(seen_false, seen_true, strict=True)
                )
                cross = functional.binary_cross_entropy_with_logits
                judging.append(0.5 * cross(true, one) + 0.5 * cross(false, zero))
                making.append((0.1 * cross(false, one) + 0.9 * matching) * 0.99 + 0.01 * loss)
        if self.count % 3 == 0:
            sum(judging).backward()  # type: ignore[union-attr]
            self.for_d.step()
        else:
            sum(making).backward()  # type: ignore[union-attr]
            self.for_g.step()
        self.count += 1


def disco_generator() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for width in (64, 128, 256):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2, True)]
    for width in (512, 256, 128):
        layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width // 2), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Sigmoid())


class DiscoJudge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True))
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2, True))
            for width in (64, 128, 256)
        )
        self.last = nn.Conv2d(512, 1, 4, 1, 0, bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        image = self.first(image)
        seen = []
        for level in self.levels:
            image = level(image)
            seen.append(image)
        return self.last(image).float().flatten(1), seen


class Vanilla(Reference):
    def build(self) -> None:
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise((100, 256, 512, 1024)):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2, True), nn.BatchNorm1d(after, 1e-3, 0.2)]
        self.g = nn.Sequential(*layers, nn.Linear(1024, 784), nn.Tanh())
        self.d = nn.Sequential(
            *(nn.Linear(784, 512), nn.LeakyReLU(0.2, True), nn.Linear(512, 256), nn.LeakyReLU(0.2, True), nn.Linear(256, 1)),
            nn.Sigmoid(),
        )
        self.for_g, self.for_d = self.adam(self.g), self.adam(self.d)

    def step(self, real: Tensor) -> None:
        real = real.flatten(1)
        one, zero = torch.ones(len(real), 1, device=self.device), torch.zeros(len(real), 1, device=self.device)
        self.for_d.zero_grad()
        fake = self.g(torch.randn(len(real), 100, device=self.device))
        loss = functional.binary_cross_entropy(self.d(real), one) + functional.binary_cross_entropy(self.d(fake.detach()), zero)
        loss.backward()
        self.for_d.step()
        self.for_g.zero_grad()
        made = self.g(torch.randn(len(real), 100, device=self.device))
        if self.best:
            requires_grad((self.d,), False)
        functional.binary_cross_entropy(self.d(made), one).backward()
        if self.best:
            requires_grad((self.d,), True)
        self.for_g.step()
