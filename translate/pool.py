"""The image pool: judges see fakes of the past, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """A buffer of earlier fakes (Shrivastava et al., 2017; 50 of them in CycleGAN).

    While it is not full, each fake is stored and passed on. Once it is, each fake is passed on with probability ½, and otherwise takes
    the place of a stored one drawn uniformly, which is passed on instead. A pool of size 0 passes everything on.

    The pool is state of the run: its pictures and their number are buffers, and its draws come from the positions of the samples.
    ``shape`` is that of one sample.
    """

    images: Tensor
    count: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self._stored = 0  # the count on the host, where reading it makes no device wait
        self.register_load_state_dict_post_hook(_count_again)  # type: ignore[no-untyped-call]  # torch leaves it untyped

    @torch.no_grad()
    def exchange(self, fakes: Tensor, draws: Tensor) -> Tensor:
        """Pass on fakes of now and of the past, as many as came, without a graph.

        ``draws`` is ``(B, 2)`` in [0, 1), on the CPU: whether to swap, and with whom. Samples are taken one after the other.
        """
        fakes = fakes.detach()
        if not self.size:
            return fakes
        out = []
        for fake, (swap, slot) in zip(fakes, draws.tolist(), strict=True):
            if self._stored < self.size:
                self.images[self._stored] = fake
                self._stored += 1
                self.count += 1
                out.append(fake)
            elif swap < 0.5:
                index = int(slot * self.size)
                out.append(self.images[index].clone())
                self.images[index] = fake
            else:
                out.append(fake)
        return torch.stack(out)


def _count_again(pool: ImagePool, _: object) -> None:
    pool._stored = int(pool.count)
