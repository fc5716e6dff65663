"""A set of 3D Gaussians in memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

RenderMode = Literal["classic", "antialiased", "mixed"]
"""How the splats were trained: `antialiased` splats lose opacity when they shrink under a pixel (Mip-Splatting). Of
`mixed` ones, which only composing makes, `Splats.antialiased` says it of each."""

SH_BASIS_COUNTS = (1, 4, 9, 16)
"""Coefficients K per colour channel for SH degree 0..3."""


@dataclass(frozen=True, eq=False)
class Splats:
    """3D Gaussians, activated: what a renderer takes, not what an optimiser or a file holds.

    What a driver (a rig, a simulation) does to a splat is a deformation gradient F = V R. Its rotation R is in `quats`
    already and, for the colours, in `turns`: these are seen along R^T d, and no coefficient is touched. Its stretch V
    is in `stretches`: the covariance is V (Q S S Q^T) V^T with Q and S from `quats` and `scales`. Nothing that was
    learnt is lost, and splats that nothing moves leave both out. `splats.posed.baked` writes both into plain splats.

    float32 tensors on one device. They may carry gradients. `check` says whether the values may enter the house; it is
    called where data enters, never in inner loops.
    """

    means: Tensor  # [N, 3] metres
    quats: Tensor  # [N, 4] wxyz, unit
    scales: Tensor  # [N, 3] metres, one standard deviation, linear
    opacities: Tensor  # [N] 0..1
    sh: Tensor  # [N, K, 3] K = 1, 4, 9 or 16; colour = SH + 0.5, display-referred sRGB
    mode: RenderMode = "classic"
    stretches: Tensor | None = None  # [N, 6] symmetric xx xy xz yy yz zz, world axes; none: identities
    turns: Tensor | None = None  # [N, 4] wxyz, unit: rotation since the colours were learnt; none: identities
    antialiased: Tensor | None = None  # [N] bool, of `mixed` splats and of no others

    def __post_init__(self) -> None:
        if (self.mode == "mixed") != (self.antialiased is not None):
            raise ValueError(f"{self.mode} splats {'with' if self.antialiased is not None else 'without'} a mode each")

    def __len__(self) -> int:
        return self.means.shape[0]

    @property
    def sh_degree(self) -> int:
        return SH_BASIS_COUNTS.index(self.sh.shape[1])

    @property
    def device(self) -> torch.device:
        return self.means.device

    def only(self, rows: Tensor | slice) -> Splats:  # [M] int64
        """Some of the splats, in the order of `rows`; of a slice nothing is copied."""
        names = ("means", "quats", "scales", "opacities", "sh", "stretches", "turns", "antialiased")
        given: dict[str, Tensor | None] = {name: getattr(self, name) for name in names}
        chosen: dict[str, Any] = {name: None if v is None else v[rows] for name, v in given.items()}
        return dataclasses.replace(self, **chosen)

    def to(self, device: torch.device | str) -> Splats:
        """The same splats on another device; itself when it is there already."""
        if self.device == torch.device(device):
            return self
        return Splats(
            self.means.to(device),
            self.quats.to(device),
            self.scales.to(device),
            self.opacities.to(device),
            self.sh.to(device),
            self.mode,
            None if self.stretches is None else self.stretches.to(device),
            None if self.turns is None else self.turns.to(device),
            None if self.antialiased is None else self.antialiased.to(device),
        )
