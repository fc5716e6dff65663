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

    `features` are there when `render` was given some: sum of w f over the splats, with the weights of beauty and no
    background. `median_depth` and `front_depth` are there when `RenderSettings.depths` asks: camera z of the splat that
    brings transmittance to a half or less (0 where alpha is under a half), and of the first splat blended with an alpha
    of at least `constants.FRONT_ALPHA` (0 where there is none). Neither has a gradient.
    """

    beauty: Tensor  # [H, W, 3]
    alpha: Tensor  # [H, W]
    depth: Tensor  # [H, W] metres
    features: Tensor | None = None  # [H, W, C]
    median_depth: Tensor | None = None  # [H, W] metres
    front_depth: Tensor | None = None  # [H, W] metres

    def to(self, device: torch.device | str) -> Frame:
        """The same frame on another device."""
        passes = (self.beauty, self.alpha, self.depth, self.features, self.median_depth, self.front_depth)
        return Frame(*(None if p is None else p.to(device) for p in passes))  # type: ignore[arg-type]


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
