"""A rendered picture with its passes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Frame:
    """What `render` gives: float32 tensors on the device of the splats.

    `beauty` is display-referred sRGB over the background, unclamped above 1; `alpha` is coverage 0..1; `depth` is the
    expected distance along the optical axis (sum of w z over sum of w), 0 where nothing is.
    """

    beauty: Tensor  # [H, W, 3]
    alpha: Tensor  # [H, W]
    depth: Tensor  # [H, W] metres


@dataclass(frozen=True, eq=False)
class ScreenStats:
    """What densification may ask of a render: filled by `render(..., stats=ScreenStats.of(len(splats)))`.

    `absolute_gradient` is filled by the backward pass: the sum over pixels of |dL/d(projected mean)|, per pixel of
    offset (AbsGS, Ye et al. 2024). It costs two sums more a splat and tile, so only ask for it where it is used.
    """

    radii: Tensor  # [N] px: the larger half extent of the footprint, 0 where the splat is not in view
    absolute_gradient: Tensor  # [N, 2] px^-1

    @classmethod
    def of(cls, count: int, device: torch.device | str = "cpu") -> ScreenStats:
        """Room for the statistics of `count` splats."""
        return cls(torch.zeros(count, device=device), torch.zeros(count, 2, device=device))

    @property
    def visible(self) -> Tensor:  # [N] bool
        return self.radii > 0
