"""The camera axes of other tools, turned into ours and back.

Ours are OpenCV's: x right, y down, z forward. OpenGL, Blender, Maya, nerfstudio: x right, y up, looking along -z.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

RIGID_TOLERANCE = 1e-3
"""How far a rotation in a file may be from one, in its entries: files keep six digits or fewer, shears are larger."""


def from_opengl(pose: ArrayLike) -> Array:  # [4, 4] -> [4, 4]
    """A camera-to-world matrix of OpenGL axes as one of ours; the same operation leads back (`to_opengl`)."""
    result = np.array(pose, dtype=np.float64)
    result[:3, 1:3] *= -1
    return result


to_opengl = from_opengl


def rigidity_problem(pose: Array) -> str:
    """Why a finite [4, 4] matrix is no camera pose, in words; empty when it is one within `RIGID_TOLERANCE`."""
    rotation = pose[:3, :3]
    if np.abs(pose[3] - (0, 0, 0, 1)).max() > RIGID_TOLERANCE:
        if np.abs(pose[:, 3] - (0, 0, 0, 1)).max() <= RIGID_TOLERANCE:
            return "looks column-major (the position stands in the last row); expected row-major"
        return f"the last row must be 0 0 0 1, found {' '.join(f'{v:g}' for v in pose[3])}"
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > RIGID_TOLERANCE:
        scale = without_scale(pose)[1]
        if abs(scale - 1) > RIGID_TOLERANCE:
            return f"is scaled by {scale:g}; expected a rotation and a position only"
        return "the upper left 3x3 is no rotation (sheared, or scaled unevenly)"
    if np.linalg.det(rotation) < 0:
        return "mirrors the world (left-handed); expected a rotation"
    return ""


def without_scale(pose: Array) -> tuple[Array, float]:  # [4, 4] -> [4, 4]
    """A pose whose axes are equally long, with its axes made unit, and their length; any other as it is, and 1."""
    lengths = np.linalg.norm(pose[:3, :3], axis=0)
    scale = float(lengths.mean())
    if not scale > 0 or np.abs(lengths - scale).max() > RIGID_TOLERANCE * scale:
        return pose, 1.0
    result = pose.copy()
    result[:3, :3] /= scale
    return result, scale


def nearest_rigid(pose: Array) -> Array:  # [4, 4] -> [4, 4]
    """The same pose with the nearest true rotation (polar decomposition by SVD) and a clean last row."""
    u, _, v = np.linalg.svd(pose[:3, :3])
    result = np.eye(4)
    result[:3, :3] = u @ v
    result[:3, 3] = pose[:3, 3]
    return result
