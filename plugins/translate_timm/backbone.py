"""A timm model as a stack of feature maps, from fine to coarse."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from translate import Frozen, Pretrained, UserError, option, upcast
from translate_timm import pretrained

#: Keeps what is zero at zero, and lies far below the features of any network at hand.
EPSILON = 1e-8


@dataclass(frozen=True)
class Choice:
    """Which backbone: the options that all parts here have in common."""

    backbone: str = option("resnet18", "name of a timm model")
    pretrained: str = option(
        "false",
        "true fetches the weights that timm publishes, once; a path takes those of a .safetensors file; false leaves them random",
        metavar="true|false|FILE",
    )
    levels: int | None = option(
        None, "feature maps to use, from the finest; by default all that the size has pixels for", least=1
    )

    @property
    def source(self) -> str | Path | None:
        """Where weights come from: ``timm``, a file, or nowhere."""
        text = str(self.pretrained)
        return {"true": "timm", "false": None}.get(text.lower(), Path(os.path.expanduser(text)))


class Backbone(Pretrained):
    """``(B, C, H, W)`` in [-1, 1] → a list of feature maps ``(B, channels[i], H / reductions[i], W / reductions[i])``.

    Pictures are normalised to the mean and deviation that the published weights were trained with. It is built with random weights;
    ``begin`` loads those that were chosen, so that a network that is rebuilt for its own trained weights does not ask for others. ``size``
    is that of the pictures, where it is known: some models work at one size only, and by default levels are those that it has pixels for.
    With ``fit``, they are those whose reduction divides it, and multiples of the largest reduction will be taken as well.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, choice: Choice, channels: int, size: tuple[int, int] | None = None, *, fit: bool = False) -> None:
        super().__init__()
        name = choice.backbone
        pretrained.check_model(name)
        config = _config(name)
        rigid = bool(getattr(config, "fixed_input_size", False))
        if rigid and size is None:
            raise UserError(
                f"timm model '{name}' takes pictures of one size, and is needed here for any size; choose another backbone."
            )
        self._arguments: dict[str, Any] = {"img_size": size} if rigid else {}
        self.choice, self._channels_in = choice, channels
        self.network: nn.Module = pretrained.create(name, channels, **self._arguments)
        info: Any = self.network.feature_info
        indices, reductions = tuple(info.out_indices), list(info.reduction())
        levels = choice.levels or max(1, sum(map(_suits(size, fit), reductions)))
        if levels > len(indices):
            raise UserError(f"timm model '{name}' has {len(indices)} levels, not {levels}; lower levels.")
        if levels < len(indices):
            self._arguments["out_indices"] = indices[:levels]
            self.network = pretrained.create(name, channels, **self._arguments)
        origin = "true" if choice.source == "timm" else getattr(choice.source, "name", "false")
        details = {"levels": (levels, len(indices)), "channels": (channels, 3), "pretrained": (origin, "true")}
        other = ",".join(f"{key}={value}" for key, (value, usual) in details.items() if value != usual)
        #: Its name in the record of a run: written like a part, where it differs from timm's whole model as published.
        self.label = f"timm/{name}" + (f":{other}" if other else "")
        mean, deviation = (_per_channel(getattr(config, key, None) or (0.5,), channels) for key in ("mean", "std"))
        self.register_buffer("scale", 0.5 / deviation, persistent=False)
        self.register_buffer("shift", (0.5 - mean) / deviation, persistent=False)
        for module in self.network.modules():
            if getattr(module, "fused_attn", False):
                module.fused_attn = False  # type: ignore[assignment]  # the fused kernel has no second derivative, which penalties need
        self._channels_last = "NHWC" in str(getattr(self.network, "output_fmt", ""))
        # What is fitted to one size has to work at all multiples of its largest reduction; the rest only ever sees its own.
        self._try(size if size is not None and (rigid or not fit) else (2 * max(reductions[:levels]),) * 2)

        #: Whether pictures of other sizes cannot be taken, where the model was fitted to one.
        self.fixed_size = rigid or (fit and size is not None and not self._takes((size[0] + max(self.reductions), size[1])))

    @torch.no_grad()
    def _takes(self, size: tuple[int, int]) -> bool:
        training = self.network.training
        try:
            self.eval()(torch.zeros(1, self._channels_in, *size))
        except Exception:  # each family of models refuses in its own way
            return False
        finally:
            self.train(training)
        return True

    def _try(self, size: tuple[int, int]) -> None:
        """Take one picture through: what timm says of its models is not enough to build on."""
        training = self.network.training
        try:
            with torch.enable_grad():
                features = self.eval()(torch.zeros(1, self._channels_in, *size))
        except Exception as error:  # each family of models refuses in its own way
            raise UserError(
                f"timm model '{self.label.removeprefix('timm/')}' does not take pictures of {size[0]}x{size[1]} "
                f"({pretrained.brief(error)}); choose another backbone."
            ) from error
        finally:
            self.train(training)
        if any(each.dim() != 4 for each in features):
            raise UserError(f"timm model '{self.choice.backbone}' gives no feature maps; choose another backbone.")
        self.channels = [each.shape[1] for each in features]
        self.reductions = [size[0] // each.shape[2] for each in features]
        #: Whether every map is exactly as large as its reduction says.
        self.exact = all(
            side == reduction * extent
            for each, reduction in zip(features, self.reductions, strict=True)
            for side, extent in zip(size, each.shape[2:], strict=True)
        )
        # Some models keep the layers after the last map that is used: nothing would ever train them.
        parameters = list(self.network.parameters())
        with torch.enable_grad():
            total = torch.stack([each.sum() for each in features]).sum()
            gradients = torch.autograd.grad(total, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.requires_grad_(gradient is not None)

    def begin(self) -> None:
        """Load the chosen weights. Raises UserError where they are not to be had, or are those of another model."""
        source = self.choice.source
        if source is None:
            return
        if isinstance(source, Path):
            first = getattr(_config(self.choice.backbone), "first_conv", None) or ()
            pretrained.load_file(self.network, source, self.choice.backbone, (first,) if isinstance(first, str) else first)
        else:
            fetched = pretrained.fetch(self.choice.backbone, self._channels_in, **self._arguments)
            self.network.load_state_dict(fetched.state_dict())
        self.backbones = {self.label: pretrained.digest(self.network)}

    def forward(self, image: Tensor) -> list[Tensor]:
        """The feature maps, the finest first."""
        features: Sequence[Tensor] = self.network(image * self.scale + self.shift)
        return [each.permute(0, 3, 1, 2) for each in features] if self._channels_last else list(features)


def frozen(choice: Choice, channels: int, size: tuple[int, int] | None = None) -> Frozen:
    """A backbone that is neither trained nor stored, with its weights, and its digest by name: random ones must be the same again, too."""
    backbone = Backbone(choice, channels, size)
    backbone.begin()
    return Frozen(backbone, backbone.backbones or {backbone.label: pretrained.digest(backbone.network)})


def levelled(features: Tensor) -> Tensor:
    """``features`` in full precision, with a mean square of 1 over the channels of each position: levels and models differ in scale."""
    features = upcast(features)
    return features * torch.rsqrt(features.square().mean(dim=1, keepdim=True) + EPSILON)


def _suits(size: tuple[int, int] | None, fit: bool) -> Callable[[int], bool]:
    """Which reductions to use where nobody has chosen: those that leave a pixel, or, with ``fit``, no rest."""
    if size is None:
        return lambda reduction: True
    return lambda reduction: all(side >= reduction and not (fit and side % reduction) for side in size)


def _config(name: str) -> Any:
    from timm.models import get_pretrained_cfg

    return get_pretrained_cfg(name)


def _per_channel(values: Sequence[float], channels: int) -> Tensor:
    """``(C, 1, 1)``: the values where there is one a channel, or their mean for every channel."""
    chosen = list(values) if len(values) == channels else [sum(values) / len(values)] * channels
    return torch.tensor(chosen).reshape(-1, 1, 1)
