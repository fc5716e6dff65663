"""`render`: one function for every backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from splatfilm.cameras.camera import Camera
from splatfilm.render.backends import resolve_backend
from splatfilm.render.distortion import UnsupportedCameraError, bends
from splatfilm.render.frame import Frame, ScreenStats
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.splats import Splats

AT_ONCE = 8
"""Cameras that a GPU draws in one call: enough to fill it at film sizes, and no more memory than eight pictures'."""


def render(
    splats: Splats,
    camera: Camera,
    settings: RenderSettings = RenderSettings(),  # noqa: B008  (frozen)
    backend: str = "auto",
    stats: ScreenStats | None = None,
    features: Tensor | None = None,  # [N, C] one row of any numbers a splat
    to_camera: Tensor | None = None,  # [4, 4] world to camera, rigid
) -> Frame:
    """The picture that `camera` takes of `splats`, made where the backend works and given on the splats' device.

    Differentiable in every tensor of `splats` that requires a gradient. Semantics are gsplat 1.5.3's
    (docs/rendering.md). `stats`, where given, is filled with what densification asks. `features` are blended with the
    weights of beauty into `Frame.features`, and differentiable too; a number that is not finite counts as 0.

    `to_camera` takes the place of the camera's pose and is differentiable: its gradient is that part of the entries'
    which lies along rigid motions, so any way of making the matrix out of six numbers gets theirs.

    Raises `UnsupportedCameraError` for a lens' distortion or overscan on another backend than the CPU's,
    `MissingPartError` for a backend that is not here or cannot do what is asked, `ValueError` for
    features that do not have one row a splat and for a matrix that is not rigid.
    """
    if features is not None and (features.ndim != 2 or len(features) != len(splats)):
        raise ValueError(f"features must be [N, C] with N = {len(splats)}, found {list(features.shape)}")
    if resolve_backend(backend).name == "cpu":
        from splatfilm.render.cpu import render as render_on_cpu

        return render_on_cpu(splats, camera, settings, stats, features, to_camera)
    _refuse_lens(camera)
    from splatfilm.render.gsplat_backend import render as render_with_gsplat

    return render_with_gsplat(splats, camera, settings, stats, features, to_camera)


def render_each(
    splats: Splats,
    cameras: Sequence[Camera],
    settings: RenderSettings = RenderSettings(),  # noqa: B008  (frozen)
    backend: str = "auto",
) -> Iterator[Frame]:
    """What each of several cameras of one size sees of the same splats, as `render` draws it, without gradients.

    A GPU draws some of them at once. Raises as `render` does.
    """
    if resolve_backend(backend).name == "cpu":
        from splatfilm.render.cpu import render as render_on_cpu

        with torch.no_grad():
            for camera in cameras:
                yield render_on_cpu(splats, camera, settings)
        return
    from splatfilm.render.gsplat_backend import render_cameras

    for camera in cameras:
        _refuse_lens(camera)
    for first in range(0, len(cameras), AT_ONCE):
        yield from render_cameras(splats, cameras[first : first + AT_ONCE], settings)


def _refuse_lens(camera: Camera) -> None:
    if camera.distortion is not None and bends(camera):
        raise UnsupportedCameraError(
            f"this camera has {camera.distortion.model} distortion, which only the CPU renderer draws: choose backend "
            '"cpu", or take the distortion off the camera'
        )
    if any(camera.overscan):
        raise UnsupportedCameraError(
            "this camera has overscan, which only the CPU renderer draws without changing the picture inside it: "
            'choose backend "cpu", or take the overscan off the lens'
        )
