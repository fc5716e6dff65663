"""Splats as numpy arrays: what a file reader fills before torch is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from splatfilm.splats.splats import RenderMode, Splats

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SplatArrays:
    """The values of a `Splats`, same shapes and units, float32 and C-contiguous."""

    means: Float32  # [N, 3] metres
    quats: Float32  # [N, 4] wxyz
    scales: Float32  # [N, 3] metres
    opacities: Float32  # [N] 0..1
    sh: Float32  # [N, K, 3]

    @classmethod
    def empty(cls, count: int, basis: int) -> SplatArrays:
        """Uninitialised room for `count` splats with `basis` coefficients a channel."""
        shapes = ((count, 3), (count, 4), (count, 3), (count,), (count, basis, 3))
        return cls(*(np.empty(shape, dtype=np.float32) for shape in shapes))

    def splats(self, mode: RenderMode) -> Splats:
        """CPU tensors over the same memory."""
        import torch

        from splatfilm.splats.splats import Splats

        parts = (self.means, self.quats, self.scales, self.opacities, self.sh)
        means, quats, scales, opacities, sh = map(torch.from_numpy, parts)
        return Splats(means, quats, scales, opacities, sh, mode)


def arrays_of(splats: Splats) -> SplatArrays:
    """The values of `splats` on the CPU as float32, without gradients; shares memory where it can."""
    parts = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
    return SplatArrays(*(np.ascontiguousarray(part.detach().cpu().numpy(), dtype=np.float32) for part in parts))
