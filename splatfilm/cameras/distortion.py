"""How a lens bends straight lines: the one place where its models are written down for Python.

The models are OpenCV's (its documentation of camera calibration, `projectPoints` and `fisheye::projectPoints`).
Photographs are straightened with them, films drawn through them; the kernels have them once more, with derivatives.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DistortionModel = Literal["brown-conrady", "kannala-brandt"]

COEFFICIENTS: dict[DistortionModel, tuple[str, ...]] = {
    "brown-conrady": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "kannala-brandt": ("k1", "k2", "k3", "k4"),
}
"""The models and the names of their coefficients, in order."""

LARGEST_COEFFICIENT = 1e4
"""Measured lenses stay below 100; beyond this the coefficients are in pixels, or belong to another model."""

FARTHEST = 1e4
"""x/z up to which a model that never turns back is used: 0.006 degrees from the plane of the lens."""

_SCAN = 20_000


@dataclass(frozen=True)
class Distortion:
    """Lens distortion in OpenCV's terms.

    `brown-conrady`: (k1, k2, p1, p2, k3, k4, k5, k6), trailing zeros may be left out; `kannala-brandt` (fisheye):
    (k1, k2, k3, k4).
    """

    model: DistortionModel
    coefficients: tuple[float, ...]

    @property
    def is_zero(self) -> bool:
        """True when a brown-conrady lens bends nothing (a fisheye with zero coefficients still is a fisheye)."""
        return self.model == "brown-conrady" and not any(self.coefficients)

    def padded(self) -> tuple[float, ...]:
        """All coefficients that the model has, in order."""
        return (*self.coefficients, *(0.0,) * (len(COEFFICIENTS[self.model]) - len(self.coefficients)))


def coefficients_problem(model: DistortionModel, found: Sequence[float]) -> str:
    """What is wrong with finite coefficients for a model; empty when nothing is."""
    names = COEFFICIENTS[model]
    if not 1 <= len(found) <= len(names):
        return f"expected 1 to {len(names)} numbers ({', '.join(names)}) for {model}, found {len(found)}"
    beyond = [
        f"{name} = {value:g}" for name, value in zip(names, found, strict=False) if abs(value) > LARGEST_COEFFICIENT
    ]
    if beyond:
        return f"{', '.join(beyond)}: expected at most {LARGEST_COEFFICIENT:g}; coefficients are of x/z, not of pixels"
    return ""


def distort(distortion: Distortion, x: Array, y: Array) -> tuple[Array, Array]:
    """Where a lens puts the rays (x, y, 1), elementwise: from a pinhole's picture of focal length 1 to its own."""
    k = distortion.padded()
    r2 = x * x + y * y
    if distortion.model == "kannala-brandt":
        r = np.sqrt(r2)
        factor = np.divide(_fisheye_radius(k, np.arctan(r)), r, out=np.ones_like(r), where=r > 1e-12)
        return x * factor, y * factor
    _, _, p1, p2, *_ = k
    radial = _brown_factor(k, r2)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


@functools.lru_cache(maxsize=64)
def valid_radius(distortion: Distortion) -> float:
    """The distance from the axis, as the tangent of the angle, up to which the model maps the scene one to one.

    What a decentred element adds is left out: it moves the turning point by about its own size.
    """
    k = distortion.padded()
    if distortion.model == "kannala-brandt":
        angles = np.linspace(0, math.pi / 2, _SCAN)[1:-1]
        turning = np.flatnonzero(np.diff(_fisheye_radius(k, angles)) <= 0)
        return min(math.tan(angles[turning[0]]) if len(turning) else FARTHEST, FARTHEST)
    radii = np.geomspace(1e-3, FARTHEST, _SCAN)
    mapped = radii * _brown_factor(k, radii**2)
    turning = np.flatnonzero((np.diff(mapped) <= 0) | ~np.isfinite(mapped[1:]))
    return float(radii[turning[0]]) if len(turning) else FARTHEST


def _brown_factor(k: Sequence[float], r2: Array) -> Array:
    k1, k2, _, _, k3, k4, k5, k6 = k
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        factor: Array = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return factor


def _fisheye_radius(k: Sequence[float], angle: Array) -> Array:
    a2 = angle * angle
    radius: Array = angle * (1 + a2 * (k[0] + a2 * (k[1] + a2 * (k[2] + a2 * k[3]))))
    return radius
