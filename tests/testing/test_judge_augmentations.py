"""Augmentations before a judge: built-in ones conform, and each fault that the check is for is found and named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kit import Doubled, faults

from translate import JudgeAugmentation, UserError, upcast
from translate.plugins import installed
from translate.testing import NonConforming, check_judge_augmentation


@pytest.mark.parametrize("name", installed().judge_augmentations)
def test_built_in_augmentations_before_a_judge_conform(name):
    check_judge_augmentation(installed().judge_augmentations[name], part=name)


class Brighter(JudgeAugmentation):
    """By a draw for each picture."""

    def forward(self, samples):
        return self.changed(samples, torch.rand_like(samples[:, :1, :1, :1]))

    def changed(self, samples, draws):
        return samples + 0.2 * draws


class Adapts(Brighter):
    """As much as it heard."""

    def __init__(self):
        super().__init__()
        self.register_buffer("strength", torch.zeros(()))

    def heard(self, scores):
        self.strength += scores.mean()

    def changed(self, samples, draws):
        return samples + self.strength * draws


class InColourOnly(Brighter):
    def check(self, space):
        if space.channels != 3:
            raise UserError("It takes pictures in colour.")


@pytest.mark.parametrize("good", [Brighter, Brighter(), Adapts, InColourOnly])
def test_a_plain_augmentation_before_a_judge_conforms(good):
    check_judge_augmentation(good)


def test_what_refuses_all_is_heard():
    with pytest.raises(UserError, match="in colour"):
        check_judge_augmentation(InColourOnly, channels=(1, 4))


class Turns(Brighter):
    def changed(self, samples, draws):
        return samples.mT


class Overflows(Brighter):
    def changed(self, samples, draws):
        return samples / 0


class Pairs(Brighter):
    def changed(self, samples, draws):
        return samples, draws


class NumpyDraws(Brighter):
    def changed(self, samples, draws):
        return samples + np.random.uniform()


class Detaches(Brighter):
    def changed(self, samples, draws):
        return super().changed(samples.detach(), draws)


class Rounds(Brighter):
    def changed(self, samples, draws):
        return samples.sign() + draws


class OnceOnly(Brighter):
    def changed(self, samples, draws):
        return Doubled.apply(samples) + draws


class Scribbles(Brighter):
    def changed(self, samples, draws):
        with torch.no_grad():
            samples.clamp_(-0.5, 0.5)
        return samples


class Halves(Brighter):
    def changed(self, samples, draws):
        return samples @ torch.eye(samples.shape[3], dtype=samples.dtype)


class SingleOnly(Brighter):
    def changed(self, samples, draws):
        return super().changed(samples.float(), draws.float())


class KeepsItself(Brighter):
    strength = 0.0

    def heard(self, scores):
        self.strength += scores.mean().item()

    def changed(self, samples, draws):
        return samples + self.strength * draws


class SingleScores(Adapts):
    def heard(self, scores):
        (_, _) = scores.shape
        super().heard(scores)


class FailsWhenAdapted(Adapts):
    def changed(self, samples, draws):
        return super().changed(samples.detach() if self.strength > 1 else upcast(samples), draws)


class RefusesByAccident(Brighter):
    def check(self, space):
        raise TypeError("oh")


class NoAugmentation:
    pass


@faults(
    (
        Turns,
        r"Judge augmentation '<.*Turns>', given float32 of the shape \(4, 3, 16, 24\), returns numbers of the shape \(4, 3, 24, 16\)",
    ),
    (Overflows, r"they must be finite"),
    (Pairs, r"returns a tuple"),
    (NumpyDraws, r"makes something else under the same random state; draw from torch's global generator"),
    (Detaches, r"lets no gradient through, so that the generator learns nothing"),
    (Rounds, r"lets no gradient through"),
    (
        OnceOnly,
        r"The second derivative of Judge augmentation .* which gradient penalties need, differs from that of finite differences",
    ),
    (Scribbles, r"changes the samples that it is shown"),
    (Halves, r"returns bfloat16; return the dtype that came in, computed under translate.full_precision"),
    (SingleOnly, r"given float64 of .* returns float32; return the dtype that came in"),
    (KeepsItself, r"makes something else after a stop of the run .* self.register_buffer"),
    (SingleScores, r"Method 'heard' of .* raises ValueError .* it must take scores \(B, 1\) and \(B, 1, h, w\)"),
    (FailsWhenAdapted, r"lets no gradient through"),
    (RefusesByAccident, r"Method 'check' of .* raises TypeError \(oh\); check\(space\) must return, or refuse"),
    (NoAugmentation, r"is of the class NoAugmentation, and must be a JudgeAugmentation"),
)
def test_a_faulty_augmentation_before_a_judge_is_told_what_to_do(faulty, advice):
    with pytest.raises(NonConforming, match=advice):
        check_judge_augmentation(faulty)
