"""The splats as an optimiser holds them: unconstrained numbers, and the way from there to `Splats`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from splatfilm.splats import SH_BASIS_COUNTS, Splats

FIELDS = ("means", "log_scales", "quats", "logits", "sh0", "sh_rest")
Gaussians = dict[str, Tensor]
"""means [N,3] m, log_scales [N,3], quats [N,4] of any length but 0, logits [N], sh0 [N,1,3], sh_rest [N,K-1,3]."""


class _Activate(torch.autograd.Function):
    """Scales, unit quaternions and opacities in one node of the graph, with its derivatives written out.

    Sums over the four quaternion components are spelled out term by term, so that no reduction's order depends on the
    number of threads. The regularisers of the opacities and scales (Kheradmand et al. 2024, equation 14) have constant
    gradients in activated space and are added here.
    """

    @staticmethod
    def forward(
        ctx: Any, log_scales: Tensor, quats: Tensor, logits: Tensor, pull: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        scales = torch.exp(log_scales)
        length = torch.sqrt(_dot(quats, quats))
        unit = quats / length[:, None]
        opacities = torch.sigmoid(logits)
        ctx.save_for_backward(scales, unit, length, opacities)
        ctx.pull = pull
        return scales, unit, opacities

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        d_scales, d_unit, d_opacities = upstream
        scales, unit, length, opacities = ctx.saved_tensors
        scale_pull, opacity_pull = ctx.pull
        d_log = (d_scales + scale_pull) * scales
        d_quats = (d_unit - unit * _dot(unit, d_unit)[:, None]) / length[:, None]
        d_logits = (d_opacities + opacity_pull) * (opacities * (1 - opacities))
        return d_log, d_quats, d_logits, None


def _dot(a: Tensor, b: Tensor) -> Tensor:  # [N, 4], [N, 4] -> [N]
    product = a * b
    return (product[:, 0] + product[:, 1]) + (product[:, 2] + product[:, 3])


def activated(gaussians: Gaussians, antialiased: bool, pull: tuple[float, float] = (0.0, 0.0)) -> Splats:
    """What a renderer takes. `pull` is (scale, opacity): the constant gradients of the regularisers."""
    scales, unit, opacities = _Activate.apply(gaussians["log_scales"], gaussians["quats"], gaussians["logits"], pull)  # type: ignore[no-untyped-call]
    rest = gaussians["sh_rest"]
    sh = torch.cat([gaussians["sh0"], rest], dim=1) if rest.shape[1] else gaussians["sh0"]
    return Splats(gaussians["means"], unit, scales, opacities, sh, "antialiased" if antialiased else "classic")


def with_degree(rest: Tensor, degree: int) -> Tensor:
    """`sh_rest` (or its Adam moments) widened with zeros to a higher degree."""
    missing = SH_BASIS_COUNTS[degree] - 1 - rest.shape[1]
    return torch.cat([rest, rest.new_zeros(rest.shape[0], missing, 3)], dim=1)
