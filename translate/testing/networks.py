"""What the checks of generators and of discriminators have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from translate.pretrained import Frozen
from translate.randomness import seeded
from translate.testing.common import BATCH, CPU, NonConforming, blamed, draw, shown, unchanged
from translate.testing.pretrained import begin, build_watched, check_frozen
from translate.weights import pack, unpack


@dataclass(frozen=True)
class Network:
    """A network under test: what sentences call it, how it is made, and the ``shape`` of one sample that it takes."""

    what: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def built(self, seed: int = 0) -> nn.Module:
        """It, made anew under ``seed``. Raises UserError where it refuses what it is made for."""
        with (
            seeded(CPU, seed),
            torch.enable_grad(),  # as in a run, whatever the check at hand has switched off
            blamed(self.what, "it must be made by factory(*spaces), and with options last where it has Options"),
        ):
            return build_watched(self.what, self.make)

    def samples(self, seed: int = 0) -> Tensor:
        """A batch that it takes."""
        return draw(BATCH, *self.shape, seed=seed)

    def run(self, network: nn.Module, samples: Tensor, *, expected: str = "it must take any samples of its space") -> Tensor:
        """What ``network`` makes of ``samples``, under a seed."""
        before = samples.detach().clone()
        with seeded(CPU, 0), blamed(f"{self.what}, shown samples of the shape {shown(samples)},", expected):
            output = network(samples)
        if not isinstance(output, Tensor):
            raise NonConforming(f"{self.what} returns a {type(output).__name__}; it must return one tensor.")
        unchanged(self.what, [before], [samples.detach()])
        return output


def check_repeats(subject: Network) -> None:
    """The same network under the same seed; the same output twice, in evaluation mode without a seed."""
    first, second = subject.built(), subject.built()
    for (name, one), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        if not torch.equal(one, other):
            raise NonConforming(
                f"{subject.what} has another '{name}' when it is made again under the same seed; draw initial weights from "
                f"torch's global generator, which the engine seeds, and from no other."
            )
    with torch.no_grad():
        if not torch.equal(subject.run(first.train(), subject.samples()), subject.run(second.train(), subject.samples())):
            raise NonConforming(
                f"{subject.what} gives something else for the same samples under the same seed, in training mode; draw from "
                f"torch's global generator, which the engine seeds at every step, and from no other."
            )
        first.eval()
        with seeded(CPU, 1):
            once, again = (first(subject.samples()) for _ in range(2))
    if not torch.equal(once, again):
        raise NonConforming(
            f"{subject.what} gives something else for the same samples at each call, in evaluation mode; draw nothing there: use "
            f"nn.Dropout, or ask self.training."
        )


def check_gradients(subject: Network, *, to_input: bool) -> None:
    """Every parameter has a gradient, and so has the input, where it should."""
    network = subject.built().train()
    shake(network)
    reached: set[str] = set()
    input_reached = False
    for seed in range(2):  # a narrow ReLU may be shut for one batch
        samples = subject.samples(seed).requires_grad_(to_input)
        _backward(subject, subject.run(network, samples))
        input_reached |= to_input and samples.grad is not None and bool(samples.grad.any())
        # A bias may cancel out in the next norm, and then its gradient is 0; a weight's is not.
        reached |= {
            name
            for name, each in network.named_parameters()
            if each.grad is not None and (each.dim() <= 1 or bool(each.grad.any()))
        }
    dead = [name for name, each in network.named_parameters() if each.requires_grad and name not in reached]
    if dead:
        raise NonConforming(
            f"{subject.what} has parameters without a gradient: {', '.join(dead)}; use them in forward, take them out, or freeze "
            f"them with requires_grad_(False)."
        )
    if to_input and not input_reached:
        raise NonConforming(
            f"{subject.what} gives its input no gradient, so that what made it learns nothing; avoid detach() and no_grad() in "
            "forward."
        )


def _backward(subject: Network, output: Tensor) -> None:
    weighted = (output.float() * draw(*output.shape, seed=2)).sum()
    if not weighted.requires_grad:
        raise NonConforming(
            f"What {subject.what} returns has no graph, so that nothing can be learned; avoid detach() and no_grad() in forward."
        )
    with blamed(f"The backward pass of {subject.what}", "what it returns must be differentiable"):
        weighted.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped


def check_finite_gradients(subject: Network, network: nn.Module, output: Tensor, where: str) -> None:
    """No parameter's gradient is infinite or NaN."""
    _backward(subject, output)
    bad = [name for name, each in network.named_parameters() if each.grad is not None and not each.grad.isfinite().all()]
    if bad:
        raise NonConforming(
            f"{subject.what} has gradients that are infinite or NaN{where}: {', '.join(bad)}; compute what overflows in float32."
        )


@torch.no_grad()
def shake(network: nn.Module) -> None:
    """Away from where it starts: a scale that begins at 0 lets no gradient through yet, and that is no fault."""
    with seeded(CPU, 3):
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))


@torch.no_grad()
def check_storage(subject: Network) -> None:
    """What a file carries is all there is: a network made anew and loaded, that began from no other weights, gives the same."""
    network = subject.built()
    begin(subject.what, network)
    check_frozen(subject.what, network)
    shake(network)
    subject.run(network.train(), subject.samples(1))  # moves running statistics
    # A frozen part is not stored, but made anew under the seed of the run.
    fresh = subject.built(0 if any(isinstance(each, Frozen) for each in network.modules()) else 1)
    with blamed(
        f"{subject.what}, stored and loaded again,", "its state_dict() must hold tensors that load_state_dict() takes back"
    ):
        tensors, _ = unpack(pack(network.state_dict(), {}), Path("memory"))
        fresh.load_state_dict(tensors)
    one, other = (subject.run(each.eval(), subject.samples()) for each in (network, fresh))
    if not torch.equal(one, other):
        hint = "".join(f"; '{name}' is neither" for name in _hidden_tensors(network)[:1])
        raise NonConforming(
            f"{subject.what} gives something else after its state was stored and loaded into one made anew; keep what forward needs in "
            f"parameters, or in buffers by self.register_buffer(NAME, TENSOR){hint}."
        )


def _hidden_tensors(network: nn.Module) -> list[str]:
    """Attributes that are tensors, and neither parameters nor buffers."""
    return [
        f"{prefix}.{name}" if prefix else name
        for prefix, module in network.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, Tensor)
    ]
