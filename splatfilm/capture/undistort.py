"""Bent lenses made straight: where each pixel of a pinhole picture lies in the photograph that a real lens took.

The pinhole camera keeps the photograph's focal length, principal point and size, so that the middle of the picture
keeps its resolution. Pixels that the photograph does not cover, and pixels beyond the radius where the lens model
folds back on itself, get weight 0 and are ignored in training: nothing is cropped away to make a full rectangle.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras import Camera, Distortion
from splatfilm.cameras.distortion import distort

Array = NDArray[np.float64]
_FOLD_SAMPLES = 4096


def pinhole(camera: Camera) -> Camera:
    """The same camera with a lens that bends nothing."""
    return dataclasses.replace(camera, distortion=None)


def straighten(
    picture: NDArray[np.float32],  # [H, W, C]
    camera: Camera,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # [H, W, C], [H, W]
    """The picture that a pinhole of the same intrinsics would have taken, and a weight: 1 where it is known, else 0.

    `picture` must have the camera's size and the camera must have a distortion. Bilinear.
    """
    assert camera.distortion is not None
    indices, shares, known = _map(
        camera.distortion, camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height
    )
    flat = picture.reshape(-1, picture.shape[2])
    straight = np.zeros_like(flat)
    for corner in range(4):
        straight += np.take(flat, indices[corner], axis=0) * shares[corner][:, None]
    return straight.reshape(picture.shape), known


@functools.lru_cache(maxsize=4)
def _map(
    distortion: Distortion, fx: float, fy: float, cx: float, cy: float, width: int, height: int
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:  # [4, HW], [4, HW], [H, W]
    """Where each pixel comes from: four neighbours in the photograph, their shares, and whether it is known at all.

    Kept for the next picture: most captures are taken with one lens.
    """
    x, y = (np.arange(width) + 0.5 - cx) / fx, (np.arange(height) + 0.5 - cy) / fy
    grid_x, grid_y = np.meshgrid(x, y)
    bent_x, bent_y = distort(distortion, grid_x, grid_y)
    column, row = bent_x * fx + cx - 0.5, bent_y * fy + cy - 0.5
    known = (column >= -0.5) & (column <= width - 0.5) & (row >= -0.5) & (row <= height - 0.5)
    radius = np.hypot(grid_x, grid_y)
    known &= radius < _fold_radius(distortion, float(radius.max()))
    column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    left, top = column.astype(np.int32), row.astype(np.int32)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = column - left, row - top
    shares = np.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v]) * known
    indices = np.stack([top * width + left, top * width + right, bottom * width + left, bottom * width + right])
    return (
        indices.reshape(4, -1).astype(np.int32),
        shares.reshape(4, -1).astype(np.float32),
        known.astype(np.float32),
    )


def _fold_radius(distortion: Distortion, reach: float) -> float:
    """The radius up to `reach` where the polynomial stops growing: beyond it two rays would share one pixel."""
    radius = np.linspace(0, reach, _FOLD_SAMPLES)
    bent, _ = distort(_radial_only(distortion), radius, np.zeros_like(radius))
    falling = np.flatnonzero(np.diff(bent) <= 0)
    return float(radius[falling[0]]) if falling.size else np.inf


def _radial_only(distortion: Distortion) -> Distortion:
    if distortion.model == "kannala-brandt":
        return distortion
    k1, k2, _, _, k3, k4, k5, k6 = distortion.padded()
    return Distortion("brown-conrady", (k1, k2, 0.0, 0.0, k3, k4, k5, k6))
