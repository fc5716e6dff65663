"""Between pixels and directions, through the lens: where a camera puts a point, and what a pixel looks along.

In float64 on the CPU, for passes; the kernels have their own projection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.cameras.distortion import distort
from splatfilm.render.distortion import bends

Array = NDArray[np.float64]

_ROUNDS = 12  # of Newton's iteration: converged to a millionth of a pixel for every lens whose model is one to one
_STEP = 1e-6  # of the derivatives
_CONVERGED = 1e-6  # x/z
_SMALLEST = 1e-12  # determinant


def pixels_of(camera: Camera, x: Array, y: Array) -> tuple[Array, Array]:
    """Where a camera puts the directions (x, y, 1) of its own axes, in pixels, elementwise."""
    if bends(camera):
        assert camera.distortion is not None, "only a distortion bends"
        x, y = distort(camera.distortion, x, y)
    return camera.fx * x + camera.cx, camera.fy * y + camera.cy


def rays_of(camera: Camera, rows: slice) -> tuple[Array, Array]:  # both [R, W]
    """x and y of the directions (x, y, 1) that the centres of some rows of the window look along; NaN for none."""
    (width, height), (left, top, _, _) = camera.window, camera.overscan
    u = (np.arange(-left, width - left, dtype=np.float64) + 0.5 - camera.cx) / camera.fx
    v = (np.arange(-top, height - top, dtype=np.float64)[rows] + 0.5 - camera.cy) / camera.fy
    across, down = np.broadcast_arrays(u[None, :], v[:, None])
    if not bends(camera):
        return across, down
    return straightened(camera, across, down)


def straightened(camera: Camera, across: Array, down: Array) -> tuple[Array, Array]:
    """The directions (x, y, 1) that a lens puts at x/z = `across`, y/z = `down`, elementwise; NaN for none.

    The inverse of `distort` by Newton's iteration from the point itself.
    """
    if not bends(camera):
        return across, down
    assert camera.distortion is not None, "only a distortion bends"
    x, y = across.copy(), down.copy()
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            bent_x, bent_y = distort(camera.distortion, x, y)
            right_x, right_y = distort(camera.distortion, x + _STEP, y)
            below_x, below_y = distort(camera.distortion, x, y + _STEP)
            a, b = (right_x - bent_x) / _STEP, (below_x - bent_x) / _STEP
            c, d = (right_y - bent_y) / _STEP, (below_y - bent_y) / _STEP
            determinant = a * d - b * c
            determinant = np.where(np.abs(determinant) < _SMALLEST, np.nan, determinant)
            off_x, off_y = bent_x - across, bent_y - down
            x, y = x - (d * off_x - b * off_y) / determinant, y - (a * off_y - c * off_x) / determinant
        bent_x, bent_y = distort(camera.distortion, x, y)
        good = (np.abs(bent_x - across) < _CONVERGED) & (np.abs(bent_y - down) < _CONVERGED)
    return np.where(good, x, np.nan), np.where(good, y, np.nan)
