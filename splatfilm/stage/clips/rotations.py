"""Many rotations at once, in float64 numpy: what clips, inverse kinematics and retargeting have in common.

Quaternions are wxyz and unit, vectors in metres, angles in radians. `base.rigid` has the single ones.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.rigid import multiply, normalised

Array = NDArray[np.float64]
_PARALLEL = 1 - 1e-12
_NO_TURN = 1e-20  # radians, in place of none: what is divided by it is 1


def conjugate(q: ArrayLike) -> Array:  # [..., 4] -> [..., 4]
    """The rotation that undoes `q`."""
    return np.asarray(q, dtype=np.float64) * (1.0, -1.0, -1.0, -1.0)


def rotate(q: ArrayLike, vectors: ArrayLike) -> Array:  # [..., 4], [..., 3] -> [..., 3]
    """`vectors` turned by unit quaternions `q`."""
    q, v = np.asarray(q, dtype=np.float64), np.asarray(vectors, dtype=np.float64)
    across = 2.0 * _crossed_each(q[..., 1:], v)
    return np.asarray(v + q[..., :1] * across + _crossed_each(q[..., 1:], across))


def _crossed_each(a: Array, b: Array) -> Array:  # [..., 3], [..., 3] -> [..., 3]
    """Cross products: the bits of numpy's, three times as quick."""
    ax, ay, az, bx, by, bz = a[..., 0], a[..., 1], a[..., 2], b[..., 0], b[..., 1], b[..., 2]
    result = np.empty(np.broadcast_shapes(a.shape, b.shape))
    result[..., 0], result[..., 1], result[..., 2] = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return result


def slerped(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> Array:  # [..., 4], [..., 4], [...] -> [..., 4]
    """From `a` at t = 0 to `b` at t = 1 at constant angular speed, the short way round; `t` broadcasts."""
    start, end = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    share = np.asarray(t, dtype=np.float64)[..., None]
    cosine = np.sum(start * end, axis=-1, keepdims=True)
    end = np.where(cosine < 0, -end, end)
    cosine = np.abs(cosine)
    close = cosine > _PARALLEL
    angle = np.arccos(np.where(close, 0.0, np.minimum(cosine, 1.0)))
    sine = np.where(close, 1.0, np.sin(angle))
    first = np.where(close, 1 - share, np.sin((1 - share) * angle) / sine)
    second = np.where(close, share, np.sin(share * angle) / sine)
    return normalised(first * start + second * end)


def exponential(vectors: ArrayLike) -> Array:  # [..., 3] rotation vectors, radians -> [..., 4]
    """Quaternions of rotation vectors (axis times angle)."""
    v = np.asarray(vectors, dtype=np.float64)
    if v.shape == (3,):  # numbers, not arrays: the same bits, much sooner
        x, y, z = v.tolist()
        angle = math.sqrt(x * x + y * y + z * z) / 2
        turn = math.pi * (angle / math.pi) or _NO_TURN
        share = 0.5 * float(np.sin(turn) / turn)
        return np.array([np.cos(angle), x * share, y * share, z * share])
    half = np.sqrt(np.add.reduce(v * v, axis=-1, keepdims=True)) / 2
    return np.concatenate([np.cos(half), v * (0.5 * np.sinc(half / np.pi))], axis=-1)


def logarithm(q: ArrayLike) -> Array:  # [..., 4] -> [..., 3]
    """Rotation vectors, of at most pi, of unit quaternions."""
    q = np.asarray(q, dtype=np.float64)
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    small = sine < 1e-12
    factor = np.where(small, 2.0, 2.0 * np.arctan2(sine, q[..., :1]) / np.where(small, 1.0, sine))
    return np.asarray(q[..., 1:] * factor)


def length_of(vector: Array) -> float:  # [3]
    """The length of one vector; many times quicker than numpy's general norm."""
    return math.sqrt(float(vector @ vector))


def crossed(a: Array, b: Array) -> Array:  # [3], [3] -> [3]
    """The cross product of two single vectors; many times quicker than numpy's general one."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def unit(vector: ArrayLike) -> Array:  # [3] -> [3]
    """`vector` at length one. Raises `ValueError` for zero."""
    v = np.asarray(vector, dtype=np.float64)
    length = length_of(v)
    if not length > 1e-12:
        raise ValueError("a direction must not be zero")
    return np.asarray(v / length)


def between(a: ArrayLike, b: ArrayLike) -> Array:  # [3], [3] -> [4]
    """The smallest rotation that brings the direction `a` to the direction `b`; a half turn takes any axis across."""
    start, end = unit(a), unit(b)
    cosine = float(start @ end)
    if cosine < -_PARALLEL:
        across = crossed(start, np.eye(3)[int(np.argmin(np.abs(start)))])
        return np.concatenate([[0.0], unit(across)])
    return normalised(np.concatenate([[1.0 + cosine], crossed(start, end)]))


def quaternions(matrices: ArrayLike) -> Array:  # [..., 3, 3] -> [..., 4]
    """Unit quaternions, w >= 0, of rotation matrices (S. Sheppard's largest-component method, 1978)."""
    m = np.asarray(matrices, dtype=np.float64)
    if m.shape == (3, 3):
        return _quaternion(m)
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    p, q, r = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    trace = d0 + d1 + d2
    diagonals = np.empty((*m.shape[:-2], 4))
    diagonals[..., 0], diagonals[..., 1], diagonals[..., 2], diagonals[..., 3] = trace, d0, d1, d2
    candidates = np.empty((*m.shape[:-2], 4, 4))
    rows = (
        (1 + d0 + d1 + d2, a, b, c),
        (a, 1 + d0 - d1 - d2, p, q),
        (b, p, 1 - d0 + d1 - d2, r),
        (c, q, r, 1 - d0 - d1 + d2),
    )
    for i, row in enumerate(rows):
        for j, values in enumerate(row):
            candidates[..., i, j] = values
    largest = np.argmax(diagonals, axis=-1)
    chosen = np.take_along_axis(candidates, largest[..., None, None], axis=-2)[..., 0, :]
    result = normalised(chosen)
    return np.where(result[..., :1] < 0, -result, result)


def _quaternion(matrix: Array) -> Array:  # [3, 3] -> [4]
    """`quaternions` of one matrix: the same bits, much sooner."""
    (d0, m01, m02), (m10, d1, m12), (m20, m21, d2) = matrix.tolist()
    a, b, c, p, q, r = m21 - m12, m02 - m20, m10 - m01, m10 + m01, m02 + m20, m21 + m12
    sizes = (d0 + d1 + d2, d0, d1, d2)
    largest = sizes.index(max(sizes))
    candidates = (
        (1 + d0 + d1 + d2, a, b, c),
        (a, 1 + d0 - d1 - d2, p, q),
        (b, p, 1 - d0 + d1 - d2, r),
        (c, q, r, 1 - d0 - d1 + d2),
    )
    result = normalised(candidates[largest])
    return -result if result[0] < 0 else result


def frame(first: ArrayLike, second: ArrayLike) -> Array:  # [3], [3] -> [3, 3]
    """Right-handed axes (columns): along `first`, then as near to `second` as is square to it, then across both."""
    x = unit(first)
    s = np.asarray(second, dtype=np.float64)
    y = unit(s - x * float(x @ s))
    return np.array([x, y, crossed(x, y)]).T


def twist(q: ArrayLike, axis: ArrayLike) -> float:  # [4], [3] unit -> radians in -pi..pi
    """How far `q` turns about `axis`, when it is taken as that turn followed by the smallest swing."""
    w, x, y, z = np.asarray(q, dtype=np.float64)
    along = float(np.dot((x, y, z), np.asarray(axis, dtype=np.float64)))
    angle = 2.0 * float(np.arctan2(along, w))
    return (angle + np.pi) % (2 * np.pi) - np.pi


def turned_by(q: ArrayLike, vector: ArrayLike) -> Array:  # [4], [3] -> [4]
    """`q` followed by the rotation vector `vector`, radians about fixed axes."""
    return multiply(exponential(vector), q)
