"""A lens' distortion as the kernels take it, and how far from the axis its model means anything.

The models are OpenCV's (`cameras.Distortion`). Far outside the picture their polynomials turn back, and would fold the
scene over onto the picture's edge: splats beyond the first turning point are not drawn.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError
from splatfilm.cameras.camera import Camera, Distortion
from splatfilm.render.constants import FRUSTUM_MARGIN

Array = NDArray[np.float64]

_MODELS = {"brown-conrady": 1, "kannala-brandt": 2}
_FARTHEST = 1e4  # x/z: where a model never turns back; nearer than 0.006 degrees to the plane of the lens
_SCAN = 20_000


class UnsupportedCameraError(SplatfilmError):
    """The camera bends light in a way that the renderer does not."""

    exit_code = 3


def bends(camera: Camera) -> bool:
    """Whether the camera is no pinhole."""
    return camera.distortion is not None and not camera.distortion.is_zero


def distortion_numbers(distortion: Distortion) -> list[float]:
    """Model, eight coefficients and the square of the farthest x/z, as `module.cpp` takes them."""
    return [_MODELS[distortion.model], *_padded(distortion), valid_radius(distortion) ** 2]


def valid_radius(distortion: Distortion) -> float:
    """The distance from the axis, as the tangent of the angle, up to which the model maps the scene one to one.

    What a decentred element adds is left out: it moves the turning point by about its own size.
    """
    if distortion.model == "kannala-brandt":
        angles = np.linspace(0, math.pi / 2, _SCAN)[1:-1]
        turning = np.flatnonzero(np.diff(_fisheye_radius(distortion, angles)) <= 0)
        return min(math.tan(angles[turning[0]]) if len(turning) else _FARTHEST, _FARTHEST)
    radii = np.geomspace(1e-3, _FARTHEST, _SCAN)
    mapped = radii * _brown_factor(distortion, radii**2)
    turning = np.flatnonzero((np.diff(mapped) <= 0) | ~np.isfinite(mapped[1:]))
    return float(radii[turning[0]]) if len(turning) else _FARTHEST


def distort(distortion: Distortion, x: Array, y: Array) -> tuple[Array, Array]:
    """Where the lens puts the points that a pinhole of focal length 1 sees at (x, y), elementwise."""
    if distortion.model == "kannala-brandt":
        radius = np.maximum(np.hypot(x, y), 1e-12)
        factor = _fisheye_radius(distortion, np.arctan(radius)) / radius
        return x * factor, y * factor
    _, _, p1, p2, *_ = _padded(distortion)
    r2 = x * x + y * y
    factor = _brown_factor(distortion, r2)
    return (
        x * factor + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * factor + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


def distorted_limits(camera: Camera) -> list[float]:
    """Left, right, top and bottom of x/z and y/z that the picture shows, with gsplat's margin around it.

    Outside of them the derivative of the projection is taken at the limit. A fisheye's needs none: it stays small.
    """
    distortion = camera.distortion
    assert distortion is not None, "a pinhole's limits are plain"
    if distortion.model == "kannala-brandt":
        return [-_FARTHEST, _FARTHEST, -_FARTHEST, _FARTHEST]
    corner = math.hypot(
        max(camera.cx, camera.width - camera.cx) / camera.fx, max(camera.cy, camera.height - camera.cy) / camera.fy
    )
    radii = np.linspace(0, min(valid_radius(distortion), 8 * corner), 513)[:, None]
    angles = np.linspace(0, 2 * math.pi, 256, endpoint=False)[None]
    x, y = radii * np.cos(angles), radii * np.sin(angles)
    u, v = distort(distortion, x, y)
    u, v = camera.fx * u + camera.cx, camera.fy * v + camera.cy
    inside = (u >= 0) & (u <= camera.width) & (v >= 0) & (v <= camera.height)
    if not inside.any():
        inside[0] = True
    left, right, top, bottom = x[inside].min(), x[inside].max(), y[inside].min(), y[inside].max()
    margin_x, margin_y = FRUSTUM_MARGIN * (right - left) / 2, FRUSTUM_MARGIN * (bottom - top) / 2
    return [float(left - margin_x), float(right + margin_x), float(top - margin_y), float(bottom + margin_y)]


def _padded(distortion: Distortion) -> list[float]:
    return [*distortion.coefficients, *[0.0] * (8 - len(distortion.coefficients))]


def _brown_factor(distortion: Distortion, r2: Array) -> Array:
    k1, k2, _, _, k3, k4, k5, k6 = _padded(distortion)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        factor: Array = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return factor


def _fisheye_radius(distortion: Distortion, angle: Array) -> Array:
    k1, k2, k3, k4, *_ = _padded(distortion)
    a2 = angle * angle
    radius: Array = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))))
    return radius
