"""`render`: one function for every backend."""

from __future__ import annotations

from torch import Tensor

from splatfilm.base.errors import SplatfilmError
from splatfilm.cameras.camera import Camera
from splatfilm.render.backends import resolve_backend
from splatfilm.render.frame import Frame, ScreenStats
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.splats import Splats


class UnsupportedCameraError(SplatfilmError):
    """The camera bends light in a way that the renderer does not."""

    exit_code = 3


def render(
    splats: Splats,
    camera: Camera,
    settings: RenderSettings = RenderSettings(),  # noqa: B008  (frozen)
    backend: str = "auto",
    stats: ScreenStats | None = None,
    features: Tensor | None = None,  # [N, C] one row of any numbers a splat
) -> Frame:
    """The picture that `camera` takes of `splats`, made where the backend works and given on the splats' device.

    Differentiable in every tensor of `splats` that requires a gradient. Semantics are gsplat 1.5.3's
    (docs/rendering.md). `stats`, where given, is filled with what densification asks. `features` are blended with the
    weights of beauty into `Frame.features`, and differentiable too; a number that is not finite counts as 0. Raises
    `UnsupportedCameraError` for a camera with distortion, `MissingPartError` for a backend that is not here or cannot
    do what the settings ask, `ValueError` for features that do not have one row a splat.
    """
    if features is not None and (features.ndim != 2 or len(features) != len(splats)):
        raise ValueError(f"features must be [N, C] with N = {len(splats)}, found {list(features.shape)}")
    if camera.distortion is not None and not camera.distortion.is_zero:
        raise UnsupportedCameraError(
            f"this camera has {camera.distortion.model} distortion, and only pinhole cameras can be rendered: "
            "undistort the photographs (reading a capture does), or take the distortion off the camera"
        )
    if resolve_backend(backend).name == "cpu":
        from splatfilm.render.cpu import render as render_on_cpu

        return render_on_cpu(splats, camera, settings, stats, features)
    from splatfilm.render.gsplat_backend import render as render_with_gsplat

    return render_with_gsplat(splats, camera, settings, stats, features)
