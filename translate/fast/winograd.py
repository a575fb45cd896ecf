"""3×3 convolutions by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, 2016): 36 products for 16 pixels where 144 are usual.

A tile of 6×6 pixels goes to 36 numbers, V = Bᵀ d B; so do the weights, U = G g Gᵀ; their products over all channels are 36 matrix products
M = V U; and Y = Aᵀ M A is a tile of 4×4 pixels. Flattened, each of the three transforms is one matrix product with the Kronecker
square of its matrix. In float32 the error is ten times that of the usual way: 3e-6 of the result.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

#: Below so many channels, or tiles in a batch, the transforms cost more than is saved.
LEAST_CHANNELS, LEAST_TILES = 64, 64

B_T = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
G = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
A_T = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


@cache
def transforms(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """The Kronecker squares of Bᵀ (36, 36), G (36, 9) and Aᵀ (16, 36)."""
    with torch.inference_mode(False):
        matrices = [torch.tensor(each, dtype=torch.float64) for each in (B_T, G, A_T)]
        b, g, a = (torch.kron(each, each).to(dtype) for each in matrices)
    return b, g, a


class WinogradConv2d(nn.Conv2d):
    """A 3×3 convolution of many channels, on a CPU."""

    @staticmethod
    def fits(module: Any) -> bool:
        """Those that move pixel by pixel over what was padded before, from many channels to many."""
        return (
            module.kernel_size == (3, 3)
            and min(module.in_channels, module.out_channels) >= LEAST_CHANNELS
            and (module.stride, module.dilation, module.padding, module.groups) == ((1, 1), (1, 1), (0, 0), 1)
        )

    def forward(self, input: Tensor) -> Tensor:
        """``(B, C, H, W)`` → ``(B, C', H - 2, W - 2)``; the usual way where tiles do not fit or are few, and in half precision."""
        if input.dim() != 4 or input.dtype not in (torch.float32, torch.float64) or torch.is_autocast_enabled(input.device.type):
            return super().forward(input)
        rows, columns = _tiles(input)
        if (input.shape[2] - 2) % 4 or (input.shape[3] - 2) % 4 or len(input) * rows * columns < LEAST_TILES:
            return super().forward(input)
        result: Tensor = _Winograd.apply(input, self.weight, self.bias)
        return result


class _Winograd(torch.autograd.Function):
    """Its backward is made of differentiable operations, so that it has derivatives of every order."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.has_bias = bias is not None
        rows, columns = _tiles(image)
        _, _, a = transforms(image.dtype)
        products = torch.bmm(_image_in(image), _weight_in(weight).transpose(1, 2))
        pixels = (a @ products.flatten(1)).view(4, 4, len(image), rows, columns, -1).permute(2, 3, 0, 4, 1, 5)
        result = pixels.new_empty(pixels.shape)
        if bias is None:
            result.copy_(pixels)
        else:
            torch.add(pixels, bias, out=result)
        return result.view(len(image), 4 * rows, 4 * columns, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        image, weight = ctx.saved_tensors
        rows, columns = _tiles(image)
        b, g, a = transforms(image.dtype)
        pixels = gradient.permute(0, 2, 3, 1).reshape(len(image), rows, 4, columns, 4, -1)
        products = (a.T @ pixels.permute(2, 4, 0, 1, 3, 5).reshape(16, -1)).view(36, -1, len(weight))
        to_image = to_weight = None
        if _wanted(ctx, 0):
            tiles = torch.bmm(products, _weight_in(weight))
            to_image = _Scatter.apply((b.T @ tiles.flatten(1)).view(36, len(image), rows, columns, -1), *image.shape[2:]).permute(
                0, 3, 1, 2
            )
        if _wanted(ctx, 1):
            kernels = torch.bmm(products.transpose(1, 2), _image_in(image))
            to_weight = (kernels.flatten(1).T @ g).view(weight.shape)
        return to_image, to_weight, gradient.sum((0, 2, 3)) if ctx.has_bias else None


def _wanted(ctx: Any, number: int) -> bool:
    """Whether anybody waits for the gradient of input ``number``: of ``backward(inputs=...)`` a Function is not told."""
    if not ctx.needs_input_grad[number]:
        return False
    try:
        return bool(torch._C._will_engine_execute_node(ctx.next_functions[number][0]))
    except (AttributeError, RuntimeError):  # a private function, and there is no such question outside of backward()
        return True


def _tiles(image: Tensor) -> tuple[int, int]:
    return (image.shape[2] - 2) // 4, (image.shape[3] - 2) // 4


def _image_in(image: Tensor) -> Tensor:
    """V, ``(36, tiles, C)``, of an image ``(B, C, H, W)``."""
    tiles: Tensor = _Gather.apply(image.permute(0, 2, 3, 1), *_tiles(image))
    return (transforms(image.dtype)[0] @ tiles.flatten(1)).view(36, -1, image.shape[1])


def _weight_in(weight: Tensor) -> Tensor:
    """U, ``(36, C', C)``, of weights ``(C', C, 3, 3)``."""
    return (transforms(weight.dtype)[1] @ weight.reshape(-1, 9).T).view(36, *weight.shape[:2])


class _Gather(torch.autograd.Function):
    """The 36 pixels of every tile: an image ``(B, H, W, C)`` → ``(36, B, rows, columns, C)``. Its transpose is _Scatter."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, rows: int, columns: int) -> Tensor:
        ctx.size = image.shape[1:3]
        tiles = image.new_empty(36, len(image), rows, columns, image.shape[3])
        for place, each in zip(_places(rows, columns), tiles, strict=True):
            each.copy_(image[place])
        return tiles

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Scatter.apply(gradient, *ctx.size), None, None


class _Scatter(torch.autograd.Function):
    """Adds up the pixels of tiles ``(36, B, rows, columns, C)`` where they came from: an image ``(B, H, W, C)``."""

    @staticmethod
    def forward(ctx: Any, tiles: Tensor, height: int, width: int) -> Tensor:
        ctx.tiles = tiles.shape[2:4]
        image = tiles.new_zeros(tiles.shape[1], height, width, tiles.shape[4])
        for place, each in zip(_places(*ctx.tiles), tiles, strict=True):
            image[place] += each
        return image

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Gather.apply(gradient, *ctx.tiles), None, None


def _places(rows: int, columns: int) -> list[tuple[slice, slice, slice]]:
    """Where pixel (i, j) of all tiles lies, for each of the 36."""
    spans = [[slice(first, first + 4 * count - 3, 4) for first in range(6)] for count in (rows, columns)]
    return [(slice(None), vertical, horizontal) for vertical in spans[0] for horizontal in spans[1]]
