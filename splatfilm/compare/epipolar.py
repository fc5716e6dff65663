"""Do two frames' matches lie where two known cameras must see them? Always the known cameras, never fitted ones:
a fundamental matrix fitted to the matches gives a copied shot six times the inliers of a true second angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splatfilm.cameras.camera import Camera
from splatfilm.compare import vision

Array = NDArray[np.float64]

PART_OF_WIDTH = 160  # a match fits within this part of the picture's width: 2 px at 320
NO_BASELINE = 1e-3  # metres: nearer together, two cameras have no epipolar lines


def tolerance(camera: Camera) -> float:
    """How many pixels a match may lie off."""
    return camera.width / PART_OF_WIDTH


def epipolar_inliers(p: Array, q: Array, a: Camera, b: Camera) -> int:
    """How many matches p in A, q in B, both [M, 2] px, lie on each other's epipolar lines, within `tolerance`."""
    return int((epipolar_distance(p, q, a, b) < tolerance(b)).sum()) if len(p) else 0


def epipolar_distance(p: Array, q: Array, a: Camera, b: Camera) -> Array:  # [M] px
    """The mean of both distances from a match to its epipolar lines; cameras at one place: to where it must be.

    Hartley and Zisserman, Multiple View Geometry, 11.4.3; 13.1 for cameras at one place.
    """
    one, two = _homogeneous(vision.straightened(p, a)), _homogeneous(vision.straightened(q, b))
    between = b.world_to_camera() @ a.pose  # A's axes to B's
    rotation, shift = between[:3, :3], between[:3, 3]
    ka, kb = np.linalg.inv(a.intrinsics()), np.linalg.inv(b.intrinsics())
    if np.linalg.norm(shift) < NO_BASELINE:
        mapped = one @ (b.intrinsics() @ rotation @ ka).T
        with np.errstate(all="ignore"):
            away = np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - two[:, :2], axis=1)
        return np.where(mapped[:, 2] > 0, away, np.inf)
    cross = np.array([[0, -shift[2], shift[1]], [shift[2], 0, -shift[0]], [-shift[1], shift[0], 0]])
    fundamental = kb.T @ cross @ rotation @ ka
    lines_b, lines_a = one @ fundamental.T, two @ fundamental
    residual = np.abs(np.sum(two * lines_b, axis=1))
    to_b = residual / np.maximum(np.linalg.norm(lines_b[:, :2], axis=1), 1e-12)
    to_a = residual / np.maximum(np.linalg.norm(lines_a[:, :2], axis=1), 1e-12)
    return np.asarray((to_a + to_b) / 2)


def _homogeneous(places: Array) -> Array:
    return np.concatenate([places, np.ones((len(places), 1))], axis=1)
