"""A lens' distortion as the kernels take it, and how far from the axis its model means anything.

The models are those of `cameras.distortion`. Far outside the picture their polynomials turn back, and would fold the
scene over onto the picture's edge: splats beyond the first turning point are not drawn.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from splatfilm.base.errors import SplatfilmError
from splatfilm.cameras.camera import Camera
from splatfilm.cameras.distortion import FARTHEST, Distortion, distort, valid_radius
from splatfilm.render.constants import FRUSTUM_MARGIN

_MODELS = {"brown-conrady": 1, "kannala-brandt": 2}


class UnsupportedCameraError(SplatfilmError):
    """The camera bends light in a way that the renderer does not."""

    exit_code = 3


def bends(camera: Camera) -> bool:
    """Whether the camera is no pinhole."""
    return camera.distortion is not None and not camera.distortion.is_zero


def distortion_numbers(camera: Camera) -> list[float]:
    """Model, eight coefficients, the square of the farthest x/z and the pupil's shift, as `module.cpp` takes them."""
    distortion = camera.distortion
    assert distortion is not None, "a pinhole has no numbers"
    padded = distortion.padded()
    missing = [0.0] * (8 - len(padded))
    return [_MODELS[distortion.model], *padded, *missing, valid_radius(distortion) ** 2, *camera.shift]


def pinhole_limits(camera: Camera) -> list[float]:
    """Left, right, top and bottom where gsplat clamps x/z and y/z inside the Jacobian (Utils.cuh, persp_proj)."""
    margin_x = FRUSTUM_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = FRUSTUM_MARGIN * 0.5 * camera.height / camera.fy
    return [
        -(camera.cx / camera.fx + margin_x),
        (camera.width - camera.cx) / camera.fx + margin_x,
        -(camera.cy / camera.fy + margin_y),
        (camera.height - camera.cy) / camera.fy + margin_y,
    ]


def distorted_limits(camera: Camera) -> list[float]:
    """Left, right, top and bottom of x/z and y/z that the picture shows, with gsplat's margin around it.

    Outside of them the derivative of the projection is taken at the limit. A fisheye's needs none: it stays small.
    """
    assert camera.distortion is not None, "a pinhole's limits are plain"
    if camera.distortion.model == "kannala-brandt":
        return list(bent_limits(camera))
    left, right, top, bottom = bent_limits(camera)
    across, down = camera.shift
    return [left - across, right - across, top - down, bottom - down]


def bent_limits(camera: Camera) -> tuple[float, float, float, float]:
    """`distorted_limits` of what the lens bends: after the pupil's shift."""
    assert camera.distortion is not None, "a pinhole's limits are plain"
    if camera.distortion.model == "kannala-brandt":
        return (-FARTHEST, FARTHEST, -FARTHEST, FARTHEST)
    focal, middle = (camera.fx, camera.fy), (camera.cx, camera.cy)
    return _limits(camera.distortion, focal, middle, (camera.width, camera.height))


@functools.lru_cache(maxsize=64)
def _limits(
    distortion: Distortion, focal: tuple[float, float], middle: tuple[float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Kept for the next sample of the same exposure: the search takes longer than a small picture."""
    (fx, fy), (cx, cy), (width, height) = focal, middle, size
    corner = math.hypot(max(cx, width - cx) / fx, max(cy, height - cy) / fy)
    radii = np.linspace(0, min(valid_radius(distortion), 8 * corner), 513)[:, None]
    angles = np.linspace(0, 2 * math.pi, 256, endpoint=False)[None]
    x, y = radii * np.cos(angles), radii * np.sin(angles)
    u, v = distort(distortion, x, y)
    u, v = fx * u + cx, fy * v + cy
    inside = (u >= 0) & (u <= width) & (v >= 0) & (v <= height)
    if not inside.any():
        inside[0] = True
    left, right, top, bottom = x[inside].min(), x[inside].max(), y[inside].min(), y[inside].max()
    margin_x, margin_y = FRUSTUM_MARGIN * (right - left) / 2, FRUSTUM_MARGIN * (bottom - top) / 2
    return float(left - margin_x), float(right + margin_x), float(top - margin_y), float(bottom + margin_y)
