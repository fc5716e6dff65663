"""Rendering on the CPU with our own kernels, differentiable: the reference for every other backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from splatfilm.cameras.camera import Camera
from splatfilm.render.constants import TILE
from splatfilm.render.culling import culling
from splatfilm.render.distortion import bends, distorted_limits, distortion_numbers, pinhole_limits
from splatfilm.render.frame import Frame, ScreenStats
from splatfilm.render.kernels import array, extension
from splatfilm.render.pose import posed
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.posed import is_moved
from splatfilm.splats.splats import Splats


@dataclass(frozen=True)
class _View:
    """A camera and settings as the kernels take them."""

    numbers: list[float]
    width: int
    height: int
    shown: tuple[slice, slice]  # rows and columns that the camera has asked for
    degree: int
    antialiased: bool
    depths: bool
    by_distance: bool

    @property
    def window(self) -> tuple[int, int, int, int]:
        """First column and row, columns and rows of what is drawn."""
        return int(self.numbers[25]), int(self.numbers[26]), self.width, self.height


def _view(splats: Splats, camera: Camera, settings: RenderSettings) -> _View:
    view = camera.world_to_camera()
    limits = pinhole_limits(camera)
    bent: list[float] = []
    if bends(camera):
        limits, bent = distorted_limits(camera), distortion_numbers(camera)
    intrinsics = [camera.fx, camera.fy, camera.cx, camera.cy]
    numbers = [*view[:3, :3].ravel(), *camera.position, *intrinsics, settings.near, settings.far, *limits]
    # Tiles keep their places in the picture, so that overscan leaves the picture's own bits as they are.
    left, top, right, bottom = camera.overscan
    column, row = -(-left // TILE) * TILE, -(-top // TILE) * TILE
    degree = splats.sh_degree if settings.sh_degree is None else min(settings.sh_degree, splats.sh_degree)
    return _View(
        [float(n) for n in [*numbers, *settings.background, -column, -row, *bent]],
        column + camera.width + right,
        row + camera.height + bottom,
        (slice(row - top, None), slice(column - left, None)),
        degree,
        splats.mode == "antialiased",
        settings.depths,
        settings.sort == "distance",
    )


def _empty_picture(view: _View) -> tuple[Tensor, Tensor, Tensor]:
    height, width = view.height, view.width
    return torch.empty(height, width, 3), torch.empty(height, width), torch.empty(height, width)


def _modes(splats: Splats) -> NDArray[np.uint8]:
    """Which splats are antialiased, where they differ; nothing where all are alike."""
    if splats.antialiased is None:
        return np.empty(0, np.uint8)
    return splats.antialiased.cpu().contiguous().numpy().view(np.uint8)


def _nothing() -> Tensor:
    """Stands for what is not asked for; a new one each time, for autograd writes its graph on tensors."""
    return torch.empty(0)


def _forward(
    inputs: tuple[Tensor, ...],  # means, quats, scales, opacities, sh, stretches, turns
    view: _View,
    modes: NDArray[np.uint8],
    for_backward: bool,
    features: Tensor | None = None,  # [N, C]
    culled: tuple[Any, list[float]] | None = None,  # of `culling`
) -> tuple[tuple[Tensor, ...], Any]:
    """beauty, alpha, depth, features, median depth, front depth; empty where not asked for."""
    size = (view.height, view.width)
    picture = _empty_picture(view)
    blended = _nothing() if features is None else torch.empty(*size, features.shape[1])
    median, front = (torch.empty(size), torch.empty(size)) if view.depths else (_nothing(), _nothing())
    kernel_pass = extension().forward(
        *(array(t) for t in inputs[:5]),
        view.numbers,
        view.width,
        view.height,
        view.degree,
        view.antialiased,
        view.by_distance,
        *(t.numpy() for t in picture),
        array(_nothing() if features is None else features),
        blended.numpy(),
        median.numpy(),
        front.numpy(),
        for_backward,
        *(array(t) for t in inputs[5:]),
        modes,
        culled,
    )
    return (*picture, blended, median, front), kernel_pass


class _Rasterise(torch.autograd.Function):
    """means, quats, scales, opacities, sh, features -> beauty, alpha, depth, blended features, other depths."""

    @staticmethod
    def forward(
        ctx: Any,
        means: Tensor,
        quats: Tensor,
        scales: Tensor,
        opacities: Tensor,
        sh: Tensor,
        features: Tensor | None,
        to_camera: Tensor | None,  # [4, 4] rigid; `view` has its numbers
        view: _View,
        modes: NDArray[np.uint8],
        stats: ScreenStats | None,
    ) -> tuple[Tensor, ...]:
        inputs = (means, quats, scales, opacities, sh)
        moved = (_nothing(), _nothing())
        picture, ctx.kernel_pass = _forward((*inputs, *moved), view, modes, for_backward=True, features=features)
        ctx.stats, ctx.modes = stats, modes
        if stats is not None:
            ctx.kernel_pass.footprints(stats.radii.numpy())
        ctx.has_features = features is not None
        ctx.to_camera = None if to_camera is None else to_camera.detach()
        ctx.save_for_backward(*inputs, _nothing() if features is None else features, *picture[:4])
        ctx.mark_non_differentiable(*picture[4:])
        ctx.set_materialize_grads(False)  # zeros cost more to make and to read than to leave out
        return picture

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *d_picture: Tensor | None) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        inputs, features, picture, blended = saved[:5], saved[5], saved[6:9], saved[9]
        gradients = [torch.empty(t.shape) for t in inputs]
        d_pose = torch.empty(0 if ctx.to_camera is None else 6, dtype=torch.float64)
        d_features = torch.zeros(features.shape)  # the kernels write those of splats in view
        absolute = torch.empty(0) if ctx.stats is None else ctx.stats.absolute_gradient
        ctx.kernel_pass.backward(
            *(array(t) for t in inputs),
            *(array(t) for t in picture),
            *(array(_nothing() if d is None else d) for d in d_picture[:3]),
            *(g.numpy() for g in gradients),
            absolute.numpy(),
            array(features),
            array(blended),
            array(_nothing() if d_picture[3] is None else d_picture[3]),
            d_features.numpy(),
            d_pose.numpy(),
            ctx.modes,
        )
        d_view = None if ctx.to_camera is None else _along_rigid(d_pose, ctx.to_camera)
        return (*gradients, d_features if ctx.has_features else None, d_view, None, None, None)


def _along_rigid(d_pose: Tensor, to_camera: Tensor) -> Tensor:  # [6], [4, 4] -> [4, 4]
    """A gradient to the entries of a world-to-camera matrix that agrees with (turn, move) along every rigid motion.

    A motion turns the camera's axes by w and moves its origin by v: dR = [w] R, dt = [w] t + v. With G_t = move and
    G_R = [turn - t x move] R / 2 the entries' gradient gives <G_R, dR> + <G_t, dt> = turn w + move v.
    """
    rotation, translation = to_camera[:3, :3].double().cpu(), to_camera[:3, 3].double().cpu()
    turn, move = d_pose[:3], d_pose[3:]
    x, y, z = (turn - torch.linalg.cross(translation, move)).tolist()
    generator = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]], dtype=torch.float64)
    gradient = torch.zeros(4, 4, dtype=torch.float64)
    gradient[:3, :3] = generator @ rotation / 2
    gradient[:3, 3] = move
    return gradient.to(to_camera)


def render(
    splats: Splats,
    camera: Camera,
    settings: RenderSettings,
    stats: ScreenStats | None = None,
    features: Tensor | None = None,  # [N, C]
    to_camera: Tensor | None = None,  # [4, 4]
) -> Frame:
    """Renders on the CPU; differentiable. `stats` on the CPU. `to_camera` as for `renderer.render`.

    Raises `ValueError` when gradients are asked of splats that carry `stretches` or `turns`.
    """
    if to_camera is not None:
        camera = posed(camera, to_camera)
    view = _view(splats, camera, settings)
    stored = (splats.means, splats.quats, splats.scales, splats.opacities, splats.sh)
    inputs = tuple(t.cpu() for t in stored)
    own = None if features is None else features.cpu()
    moved = tuple(_nothing() if t is None else t.cpu() for t in (splats.stretches, splats.turns))
    leaves = (*inputs, *moved, own, to_camera)
    wanted = torch.is_grad_enabled() and any(t.requires_grad for t in leaves if t is not None)
    if wanted and is_moved(splats):
        raise ValueError("splats with stretches or turns have no gradients: train them in the pose they rest in")
    if wanted:
        pose = to_camera if to_camera is not None and to_camera.requires_grad else None
        picture = _Rasterise.apply(*inputs, own, pose, view, _modes(splats), stats)  # type: ignore[no-untyped-call]
    else:
        culled = culling(splats, camera, view.window)
        picture, kernel_pass = _forward((*inputs, *moved), view, _modes(splats), False, own, culled)
        if stats is not None:
            kernel_pass.footprints(stats.radii.numpy())
    if any(camera.overscan):
        picture = tuple(p[view.shown].contiguous() if p.ndim > 1 else p for p in picture)
    beauty, alpha, depth, blended, median, front = picture
    return Frame(
        beauty,
        alpha,
        depth,
        None if features is None else blended,
        median if view.depths else None,
        front if view.depths else None,
    ).to(splats.device)
