"""Samples that a method makes from noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from translate.data import picture
from translate.data.domain import Array
from translate.errors import RecipeError, UserError

if TYPE_CHECKING:
    from translate.engine import Engine

#: So many samples are made in one pass, whatever the number asked for.
SAMPLES_AT_ONCE = 256


def sample(engine: Engine, samples: int | Tensor | Array, seed: int) -> Any:
    """What :meth:`translate.Engine.sample` gives."""
    latent = engine.recipe.latent
    if latent is None:
        engine.recipe.sample(torch.empty(0))  # raises, and says what the method does instead
        raise RecipeError(f"Recipe '{engine.recipe_name}' implements sample() and sets no latent.")
    noise = torch.as_tensor(samples) if isinstance(samples, Tensor | np.ndarray) else latent.draw(samples, seed)
    if noise.dim() != 2 or noise.shape[1] != latent.width:
        raise UserError(f"The noise has the shape {tuple(noise.shape)}; these networks take (n, {latent.width}).")
    made = _made(engine, noise)
    if isinstance(samples, Tensor):
        return made.to(samples.device)
    if isinstance(samples, np.ndarray):
        return made.cpu().numpy()
    space = engine.spaces[0]
    stored = picture.to_stored(made, space.window, space.dtype)
    return [picture.to_image(each, space.window) for each in stored] if space.is_picture else stored


@torch.no_grad()
def _made(engine: Engine, noise: Tensor) -> Tensor:
    with engine.averaged():
        engine.recipe.eval()
        pieces = torch.split(noise.to(engine.device, torch.float32), SAMPLES_AT_ONCE)
        return torch.cat([engine.recipe.sample(piece).float() for piece in pieces])
