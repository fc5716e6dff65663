"""Display-referred sRGB to linear light and back (IEC 61966-2-1), on tensors, with the same bits everywhere.

The power functions of processors' maths libraries differ in their last bits, and a frame must not. On the CPU our
kernels do the sums of exposures; everywhere else both directions interpolate tables, with operations that IEEE 754
fixes. They err by less than 1e-6. Values above 1 go on along the same curves (in the tables beyond 8, display-referred,
along a straight line).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from splatfilm.render.kernels import array, extension

_STEPS = 4096  # table entries for each unit
_DISPLAY_REACH = 8
_ROOT_REACH = 16  # of the root of linear light: 8 in the display is 12 there
_TOE, _TOE_LINEAR, _SLOPE = 0.04045, 0.0031308, 12.92


def add_light(beauty: Tensor, light: Tensor) -> None:
    """`light` += the linear light of a display-referred picture, in place. Both contiguous, on one device."""
    if light.device.type == "cpu":
        extension().add_light(array(beauty), light.numpy())
    else:
        light += linear_from_srgb(beauty)


def on_display(light: Tensor, count: int) -> Tensor:
    """What a display shows of the mean of `count` pictures' light; may use its memory."""
    if light.device.type == "cpu":
        extension().to_display(light.numpy(), 1.0 / count)
        return light
    return srgb_from_linear(light / count)


def linear_from_srgb(values: Tensor) -> Tensor:
    """Linear light of display-referred values >= 0, elementwise."""
    bright = _interpolated(values, _table("linear", str(values.device)))
    return torch.where(values <= _TOE, values / _SLOPE, bright)


def srgb_from_linear(values: Tensor) -> Tensor:
    """Display-referred values of linear light >= 0, elementwise."""
    bright = _interpolated(values.sqrt(), _table("display", str(values.device)))
    return torch.where(values <= _TOE_LINEAR, values * _SLOPE, bright)


@lru_cache(maxsize=8)
def _table(kind: str, device: str) -> Tensor:
    if kind == "linear":
        values = [((i / _STEPS + 0.055) / 1.055) ** 2.4 for i in range(_DISPLAY_REACH * _STEPS + 1)]
    else:  # by the root of linear light, where the curve is nearly straight
        values = [1.055 * (i / _STEPS) ** (2 / 2.4) - 0.055 for i in range(_ROOT_REACH * _STEPS + 1)]
    assert all(map(math.isfinite, values))
    return torch.tensor(values, dtype=torch.float32, device=device)


def _interpolated(x: Tensor, table: Tensor) -> Tensor:
    scaled = x * _STEPS
    index = scaled.to(torch.int64).clamp_(0, len(table) - 2)  # NaN goes somewhere, and stays NaN in the fraction
    low = table[index]
    return low + (scaled - index) * (table[index + 1] - low)
