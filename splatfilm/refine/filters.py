"""Filters of pictures in a written order of elementwise operations: the same bits at any thread count."""

from __future__ import annotations

import math

from torch import Tensor, nn

WEIGHTS = (0.2126, 0.7152, 0.0722)  # of red, green and blue in luma (ITU-R BT.709)


def gaussian_taps(sigma: float) -> list[float]:
    """The taps of a Gaussian of `sigma` pixels, cut off at three of them, summing to 1."""
    radius = reach_of(sigma)
    taps = [math.exp(-(i * i) / (2 * sigma * sigma)) for i in range(-radius, radius + 1)]
    return [tap / sum(taps) for tap in taps]


def reach_of(sigma: float) -> int:
    """How many pixels away a blur of `sigma` still looks."""
    return math.ceil(3 * sigma)


def blurred(picture: Tensor, sigma: float) -> Tensor:  # [H, W, C] or [H, W]
    """A Gaussian blur; beyond the border the picture's last row or column goes on."""
    flat = picture.ndim == 2
    planes = (picture[..., None] if flat else picture).movedim(-1, 0)[None]
    taps = gaussian_taps(sigma)
    radius = len(taps) // 2
    for axis in (2, 3):
        sides = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        wide = nn.functional.pad(planes, sides, mode="replicate")
        length = planes.shape[axis]
        total = wide.narrow(axis, radius, length) * taps[radius]
        for step in range(1, radius + 1):  # the two taps of one distance have one weight
            pair = wide.narrow(axis, radius - step, length) + wide.narrow(axis, radius + step, length)
            total = total.add_(pair.mul_(taps[radius + step]))
        planes = total
    result = planes[0].movedim(0, -1).contiguous()
    return result[..., 0] if flat else result


def luma(picture: Tensor) -> Tensor:  # [H, W, 3] -> [H, W]
    """Display-referred luma."""
    red, green, blue = picture.unbind(-1)
    return (WEIGHTS[0] * red + WEIGHTS[1] * green) + WEIGHTS[2] * blue
