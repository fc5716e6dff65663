"""Rendering on the CPU with our own kernels, differentiable: the reference for every other backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from splatfilm.cameras.camera import Camera
from splatfilm.render.constants import FRUSTUM_MARGIN
from splatfilm.render.frame import Frame, ScreenStats
from splatfilm.render.kernels import array, extension
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.splats import Splats

_NONE = torch.empty(0)


@dataclass(frozen=True)
class _View:
    """A camera and settings as the kernels take them."""

    numbers: list[float]
    width: int
    height: int
    degree: int
    antialiased: bool


def _view(splats: Splats, camera: Camera, settings: RenderSettings) -> _View:
    view = camera.world_to_camera()
    # gsplat clamps x/z and y/z inside the Jacobian to a margin around the picture (Utils.cuh, persp_proj).
    margin_x = FRUSTUM_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = FRUSTUM_MARGIN * 0.5 * camera.height / camera.fy
    limits = [
        -(camera.cx / camera.fx + margin_x),
        (camera.width - camera.cx) / camera.fx + margin_x,
        -(camera.cy / camera.fy + margin_y),
        (camera.height - camera.cy) / camera.fy + margin_y,
    ]
    intrinsics = [camera.fx, camera.fy, camera.cx, camera.cy]
    numbers = [*view[:3, :3].ravel(), *camera.position, *intrinsics, settings.near, settings.far, *limits]
    degree = splats.sh_degree if settings.sh_degree is None else min(settings.sh_degree, splats.sh_degree)
    return _View(
        [float(n) for n in [*numbers, *settings.background]],
        camera.width,
        camera.height,
        degree,
        splats.mode == "antialiased",
    )


def _empty_picture(view: _View) -> tuple[Tensor, Tensor, Tensor]:
    height, width = view.height, view.width
    return torch.empty(height, width, 3), torch.empty(height, width), torch.empty(height, width)


def _forward(inputs: tuple[Tensor, ...], view: _View, for_backward: bool) -> tuple[tuple[Tensor, ...], Any]:
    picture = _empty_picture(view)
    kernel_pass = extension().forward(
        *(array(t) for t in inputs[:5]),
        view.numbers,
        view.width,
        view.height,
        view.degree,
        view.antialiased,
        *(t.numpy() for t in picture),
        for_backward,
        *(array(t) for t in inputs[5:]),
    )
    return picture, kernel_pass


class _Rasterise(torch.autograd.Function):
    """means, quats, scales, opacities, sh -> beauty, alpha, depth."""

    @staticmethod
    def forward(
        ctx: Any,
        means: Tensor,
        quats: Tensor,
        scales: Tensor,
        opacities: Tensor,
        sh: Tensor,
        view: _View,
        stats: ScreenStats | None,
    ) -> tuple[Tensor, ...]:
        inputs = (means, quats, scales, opacities, sh)
        picture, ctx.kernel_pass = _forward((*inputs, _NONE, _NONE), view, for_backward=True)
        ctx.stats = stats
        if stats is not None:
            ctx.kernel_pass.footprints(stats.radii.numpy())
        ctx.save_for_backward(*inputs, *picture)
        return picture

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *d_picture: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        inputs, picture = saved[:5], saved[5:]
        gradients = [torch.empty(t.shape) for t in inputs]
        absolute = torch.empty(0) if ctx.stats is None else ctx.stats.absolute_gradient
        ctx.kernel_pass.backward(
            *(array(t) for t in inputs),
            *(array(t) for t in picture),
            *(array(d) for d in d_picture),
            *(g.numpy() for g in gradients),
            absolute.numpy(),
        )
        return (*gradients, None, None)


def render(splats: Splats, camera: Camera, settings: RenderSettings, stats: ScreenStats | None = None) -> Frame:
    """Renders on the CPU; differentiable. `camera` must be a pinhole, `stats` on the CPU.

    Raises `ValueError` when gradients are asked of splats that carry `stretches` or `turns`.
    """
    view = _view(splats, camera, settings)
    stored = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
    inputs = tuple(t.cpu() for t in stored)
    moved = tuple(_NONE if t is None else t.cpu() for t in (splats.stretches, splats.turns))
    if torch.is_grad_enabled() and any(t.requires_grad for t in (*inputs, *moved)):
        if splats.stretches is not None or splats.turns is not None:
            raise ValueError("splats with stretches or turns have no gradients: train them in the pose they rest in")
        beauty, alpha, depth = _Rasterise.apply(*inputs, view, stats)  # type: ignore[no-untyped-call]
    else:
        (beauty, alpha, depth), kernel_pass = _forward((*inputs, *moved), view, for_backward=False)
        if stats is not None:
            kernel_pass.footprints(stats.radii.numpy())
    return Frame(beauty.to(splats.device), alpha.to(splats.device), depth.to(splats.device))
