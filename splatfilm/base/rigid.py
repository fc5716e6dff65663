"""Rotations and similarity transforms in float64 numpy.

Quaternions are wxyz and unit; angles are radians; matrices act on column vectors. Formulas: K. Shoemake, "Animating
rotation with quaternion curves", SIGGRAPH 1985; matrix to quaternion by S. Sheppard's largest-component method (1978).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
IDENTITY_QUATERNION = (1.0, 0.0, 0.0, 0.0)


def normalised(quaternion: ArrayLike) -> Array:  # [..., 4] -> [..., 4]
    """Unit quaternions. Raises `ValueError` when one has no direction (zero or not finite)."""
    q = np.asarray(quaternion, dtype=np.float64)
    if q.shape == (4,):
        return _normalised_one(q)
    norm = np.sqrt(np.add.reduce(q * q, axis=-1, keepdims=True))
    if norm.size and not (norm.min() >= 1e-12 and norm.max() < math.inf):
        raise ValueError("a quaternion must be finite and not zero")
    unit: Array = q / norm
    return unit


def _normalised_one(q: Array) -> Array:  # [4] -> [4]
    """The same bits as for many at once, and ten times as quick: a baked camera move asks for thousands, one by one."""
    w, x, y, z = q.tolist()
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    if not norm >= 1e-12 or norm == math.inf:
        raise ValueError("a quaternion must be finite and not zero")
    unit: Array = q / norm
    return unit


def multiply(a: ArrayLike, b: ArrayLike) -> Array:  # [..., 4], [..., 4] -> [..., 4]
    """Hamilton product: the rotation `b` followed by `a`."""
    p, q = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if p.shape == q.shape == (4,):  # numbers, not arrays: the same bits, much sooner
        return np.array(_product(p.tolist(), q.tolist()))
    parts = _product([p[..., k] for k in range(4)], [q[..., k] for k in range(4)])
    result = np.empty((*parts[0].shape, 4))
    for k, part in enumerate(parts):
        result[..., k] = part
    return result


def _product(a: Any, b: Any) -> list[Any]:  # [4, ...] each
    """The four parts of a Hamilton product, of numbers or of arrays of them."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return [
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    ]


def matrix_from_quaternion(quaternion: ArrayLike) -> Array:  # [4] -> [3, 3]
    """Rotation matrix of one quaternion, normalised first."""
    w, x, y, z = normalised(quaternion).tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_from_matrix(matrix: ArrayLike) -> Array:  # [3, 3] -> [4]
    """Unit quaternion with w >= 0 of a rotation matrix; the nearest rotation is taken when it is slightly off."""
    m = np.asarray(matrix, dtype=np.float64)
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    squares = np.array([trace, m[0, 0], m[1, 1], m[2, 2]])
    largest = int(np.argmax(squares))
    if largest == 0:
        q = np.array([1 + trace, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[0] = m[k, j] - m[j, k]
        q[1 + i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[1 + j] = m[i, j] + m[j, i]
        q[1 + k] = m[i, k] + m[k, i]
    q = normalised(q)
    return q if q[0] >= 0 else -q


def slerp(a: ArrayLike, b: ArrayLike, t: float) -> Array:  # [4], [4] -> [4]
    """From `a` (t = 0) to `b` (t = 1) at constant angular speed, the short way round; t outside 0..1 extrapolates."""
    start, end = normalised(a), normalised(b)
    cosine = float(np.dot(start, end))
    if cosine < 0:
        end, cosine = -end, -cosine
    if cosine > 1 - 1e-12:
        return normalised(start + t * (end - start))
    angle = np.arccos(cosine)
    return normalised((np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle))


def quaternion_about(axis: ArrayLike, angle: float) -> Array:  # [3], radians -> [4]
    """Rotation by `angle` about `axis` (any length but zero), right-handed."""
    direction = np.asarray(axis, dtype=np.float64)
    length = math.sqrt(float(direction @ direction))
    if not length > 0:
        raise ValueError("a rotation axis must not be zero")
    x, y, z = (np.sin(angle / 2) * direction / length).tolist()
    return np.array([np.cos(angle / 2), x, y, z])


@dataclass(frozen=True)
class Similarity:
    """x -> scale * R x + translation: where an asset stands in a scene. Translation in metres, scale > 0."""

    rotation: tuple[float, float, float, float] = IDENTITY_QUATERNION
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = field(default=1.0)

    @property
    def is_identity(self) -> bool:
        return self == IDENTITY

    def matrix(self) -> Array:  # -> [4, 4]
        """The same map as a homogeneous matrix."""
        result = np.eye(4)
        result[:3, :3] = self.scale * matrix_from_quaternion(self.rotation)
        result[:3, 3] = self.translation
        return result

    def then(self, outer: Similarity) -> Similarity:
        """This map followed by `outer`."""
        rotation = normalised(multiply(outer.rotation, self.rotation))
        moved = outer.matrix() @ np.append(np.asarray(self.translation), 1.0)
        return Similarity(_four(rotation), _three(moved[:3]), self.scale * outer.scale)

    def inverse(self) -> Similarity:
        """The map that undoes this one."""
        w, x, y, z = self.rotation
        back = (w, -x, -y, -z)
        moved = matrix_from_quaternion(back) @ np.asarray(self.translation) / -self.scale
        return Similarity(back, _three(moved), 1 / self.scale)


IDENTITY = Similarity()


def _three(values: Array) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _four(values: Array) -> tuple[float, float, float, float]:
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])
