"""Pictures of any size and kind through a trained network, and back in the kind they came in."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from translate.data import picture, unread
from translate.data.domain import Array, Space
from translate.errors import DataWarning, UserError, listed, near

if TYPE_CHECKING:
    from translate.recipe import Recipe

#: What can be translated; the result is of the same kind, a PIL picture where a path came in, a list where a list came in.
Picture = str | Path | Image.Image | Array | Tensor

Scale = Literal["train", "native"]

#: Bicubic interpolation overshoots a little; what reaches farther is no picture in [-1, 1].
MOST = 1.25
#: Pictures that leave the window of their domain by more than this share of it are told of.
BEYOND = 0.05


class PictureTranslator:
    """Takes pictures of ``source`` to ``target`` with ``network``, ``(B, C, H, W)`` → ``(B, C', H, W)``, both in [-1, 1].

    At scale ``train`` the short side is brought to what the network was trained on, and the result back to the size that came in;
    ``native`` keeps the pixels. With ``fixed_size`` the network takes the training size only, and pictures are brought to it whole,
    whatever their shape. Otherwise pictures are padded by reflection to a multiple of ``stride``, and cropped afterwards.
    """

    def __init__(
        self,
        network: Callable[[Tensor], Tensor],
        source: Space,
        target: Space,
        stride: int,
        device: torch.device,
        scale: Scale = "train",
        *,
        fixed_size: bool = False,
    ) -> None:
        if scale not in ("train", "native"):
            raise UserError(f"The scale is '{scale}'; it must be 'train' or 'native'.")
        if fixed_size and scale == "native":
            raise UserError("These networks take pictures of the size they were trained at only; use the scale 'train'.")
        self.fixed_size = fixed_size
        self.network, self.source, self.target = network, source, target
        self.stride, self.device, self.scale = stride, device, scale
        self._warned = False

    def __call__(self, value: Any) -> Any:
        """The translation of one picture, or a list of them. Raises UserError for what is no picture."""
        if isinstance(value, list | tuple):
            return [self(each) for each in value]
        if isinstance(value, str | Path):
            path = Path(value)
            if examined(path).is_plain:
                return self.image(open_image(path))
            return picture.to_image(self.file(path), self.target.window)
        if isinstance(value, Image.Image):
            return self.image(value)
        if isinstance(value, Tensor):
            return self.tensor(value)
        if isinstance(value, np.ndarray):
            return self.array(value)
        raise UserError(
            f"A {type(value).__name__} cannot be translated; give a path, a PIL picture, a numpy array or a torch tensor."
        )

    def file(self, path: Path) -> Array:
        """The picture in ``path`` as ``(H, W, C)`` of the target's dtype and window: with all the depth and channels that the file has."""
        examined(path)
        return self._array(picture.read(path, self.source.channels, self.source.dtype, self.source.window), str(path))

    def image(self, image: Image.Image) -> Image.Image:
        """A PIL picture, upright. Transparency is kept as it was, except by pictures of 16 bits, which have none."""
        array = picture.to_array(image, self.source.channels, self.source.dtype, self.source.window)
        result = picture.to_image(self._array(array), self.target.window)
        if image.has_transparency_data and result.mode != "I;16":  # PIL has no 16 bits with transparency
            result.putalpha(ImageOps.exif_transpose(image).convert("RGBA").getchannel("A"))
        return result

    def array(self, array: Array) -> Array:
        """``(H, W)``, ``(H, W, C)`` or ``(B, H, W, C)`` of the dtype that the network was trained on."""
        if array.dtype != np.dtype(self.source.dtype):
            raise UserError(
                f"The array is of {array.dtype}, and '{self.source.name}' was trained on {self.source.dtype}; convert it first."
            )
        if array.ndim == 4 and not len(array):
            return array
        if array.ndim == 4:
            return np.stack([self.array(each) for each in array])
        flat = array.ndim == 2
        array = array[..., None] if flat else array
        if array.ndim != 3 or array.shape[2] != self.source.channels:
            shape = array.shape[:2] if flat else array.shape
            raise UserError(f"The array has the shape {shape}; '{self.source.name}' takes (H, W, {self.source.channels}).")
        result = self._array(array)
        return result[..., 0] if flat and result.shape[2] == 1 else result

    def tensor(self, tensor: Tensor) -> Tensor:
        """``(C, H, W)`` or ``(B, C, H, W)`` in [-1, 1]; the result is on the same device."""
        if tensor.dim() not in (3, 4) or tensor.shape[-3] != self.source.channels:
            raise UserError(
                f"The tensor has the shape {tuple(tensor.shape)}; '{self.source.name}' takes (B, {self.source.channels}, H, W)."
            )
        if not tensor.is_floating_point():
            raise UserError(
                f"The tensor is of {tensor.dtype}, and must hold floats in [-1, 1]; give pictures of 8 bits as a numpy array."
            )
        reach = float(tensor.detach().abs().amax()) if tensor.numel() else 0.0
        if not reach <= MOST:
            raise UserError(
                f"The tensor holds values up to {reach:g}, and pictures are in [-1, 1]; scale it, or give pictures of 8 bits as a numpy "
                f"array."
            )
        batch = tensor if tensor.dim() == 4 else tensor[None]
        height, width = batch.shape[-2:]
        batch = batch.to(self.device, torch.float32)
        size = self._size(height, width)
        if size != (height, width):
            batch = functional.interpolate(batch, size, mode="bicubic", antialias=True).clamp(-1, 1)
        result = self._run(batch)
        if size != (height, width):
            result = functional.interpolate(result, (height, width), mode="bicubic", antialias=True).clamp(-1, 1)
        return (result if tensor.dim() == 4 else result[0]).to(tensor.device)

    def _array(self, array: Array, name: str = "A picture") -> Array:
        self._compare(array, name)
        height, width = array.shape[:2]
        array = picture.resize(array, self._size(height, width))
        result = self._run(picture.to_tensor(array[None], self.source.window, self.device))
        return picture.resize(picture.to_stored(result, self.target.window, self.target.dtype)[0], (height, width))

    def _compare(self, array: Array, name: str) -> None:
        """Warn, once, where a picture leaves the range that the network was trained on: it makes nothing sensible of what lies beyond."""
        low, high = self.source.window
        if self._warned or not array.size or np.dtype(self.source.dtype) == np.uint8:
            return
        least, most = float(array.min()), float(array.max())
        if least < low - BEYOND * (high - low) or most > high + BEYOND * (high - low):
            self._warned = True
            warnings.warn(
                f"{name} has values from {least:g} to {most:g}, and '{self.source.name}' was trained on {low:g} to {high:g}: what lies "
                f"beyond comes out wrong; bring pictures to that range first.",
                DataWarning,
                stacklevel=2,
            )

    def _size(self, height: int, width: int) -> tuple[int, int]:
        if self.scale == "native":
            return height, width
        if self.fixed_size:
            return self.source.size
        factor = min(self.source.size) / min(height, width)
        return max(1, round(height * factor)), max(1, round(width * factor))

    @torch.no_grad()
    def _run(self, batch: Tensor) -> Tensor:
        height, width = batch.shape[-2:]
        # What is smaller than a network of this stride can see at all is padded to a size that it was trained on.
        least = min(4 * self.stride, min(self.source.size))
        below, right = (-max(side, least) % self.stride + max(0, least - side) for side in (height, width))
        # Reflection needs more pixels than it adds; pictures smaller than the stride repeat their edge.
        mode = "reflect" if below < height and right < width else "replicate"
        padded = functional.pad(batch, (0, right, 0, below), mode=mode) if below or right else batch
        return self.network(padded)[..., :height, :width].float()


def choose_way(recipe: Recipe, name: str, spaces: Sequence[Space], to: str | None, source: str | None) -> tuple[int, int]:
    """The numbers of the domains to translate from and to: by default to the last one that the method leads to, from the first.

    Raises UserError where there is no such domain, or the method, ``name``, does not lead from the one to the other.
    """

    def number(domain: str) -> int:
        names = [space.name for space in spaces]
        if domain not in names:
            raise UserError(f"There is no domain '{domain}' in these weights.{near(domain, names)} Domains: {listed(names)}.")
        return names.index(domain)

    numbers = range(len(spaces))
    ways = [(i, j) for j in reversed(numbers) for i in numbers if recipe.leads(i, j)]
    fits = [(i, j) for i, j in ways if (source is None or i == number(source)) and (to is None or j == number(to))]
    if fits:
        return fits[0]
    if source is not None and source == to:
        raise UserError(f"The pictures are '{source}' already; --to must name another domain than --source.")
    if len(spaces) == 1:
        return 0, 0  # a method of one domain says itself what it does instead
    start = number(source) if source is not None else next(i for i in numbers if to is None or i != number(to))
    target = number(to) if to is not None else next(j for j in numbers if j != start)
    known = listed(f"{spaces[i].name}→{spaces[j].name}" for i, j in sorted(ways))
    raise UserError(f"'{name}' does not lead from '{spaces[start].name}' to '{spaces[target].name}'; it has learned {known}.")


def examined(path: Path) -> picture.Facts:
    """What the header of the picture in ``path`` says. Raises UserError where there is none that can be decoded."""
    if path.is_dir():
        raise UserError(f"{path} is a folder; give its pictures as a list of paths, or use 'translate apply'.")
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    facts = picture.probe(path)
    if facts is None or facts.refusal:
        needed = unread.needs(path)
        unknown = f"it {needed}" if needed else f"it is none that is known; formats: {listed(picture.FORMATS)}"
        said = facts.refusal if facts else unknown
        raise UserError(f"{path} cannot be read as a picture ({said}).")
    return facts


def open_image(path: Path) -> Image.Image:
    """The picture in ``path``, decoded by PIL. Raises UserError where there is none."""
    examined(path)
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read as a picture ({error}).") from error


def find_pictures(inputs: Sequence[str | Path]) -> list[tuple[Path, Path]]:
    """Every picture that ``inputs`` name, files and folders, as (path, path below its input). Raises UserError where there is none."""
    found: list[tuple[Path, Path]] = []
    for each in map(Path, inputs):
        if each.is_dir():
            inside = sorted(
                path
                for path in each.rglob("*")
                if path.is_file()
                and not path.name.startswith(".")
                and (path.suffix.lower() in picture.SUFFIXES or picture.probe(path))
            )
            if not inside:
                needed = next(filter(None, map(unread.needs, filter(Path.is_file, each.rglob("*")))), None)
                what = f"those in it {needed}" if needed else f"formats: {listed(picture.FORMATS)}"
                raise UserError(f"The folder {each} holds no pictures that can be read; {what}.")
            found += [(path, path.relative_to(each)) for path in inside]
        elif each.is_file():
            found.append((each, Path(each.name)))
        else:
            raise UserError(f"There is no file or folder {each}.")
    taken: dict[Path, Path] = {}
    for path, below in found:
        if taken.setdefault(below, path) != path:
            raise UserError(f"{taken[below]} and {path} would give results of one name; translate them one after the other.")
    return found
