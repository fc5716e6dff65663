"""A rendered picture with its passes."""

from __future__ import annotations

from dataclasses import dataclass

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
