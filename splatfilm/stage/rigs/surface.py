"""The nearest point of a triangle mesh, for many points at once; exact, in the compiled kernels or in numpy.

Both give the same bits. In the kernels (`csrc/nearest.cpp`) a tree of boxes finds it, twenty times as fast. In numpy
points are halved along their longest side, again and again. For each half, no triangle farther from its centre than the
nearest one's bound can be nearest to any point in it; what is left is measured exactly. The distance from a point to a
triangle is after C. Ericson, "Real-Time Collision Detection", 2005, section 5.1.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import MissingPartError
from splatfilm.stage.rigs.skeleton import Array

_FEW = 12  # points that are no longer told apart
_MOST = 500_000  # pairs of a point and a triangle that are held at once


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each of N points: a triangle, the nearest point on it, and how far it is."""

    triangle: NDArray[np.int64]  # [N]
    barycentric: Array  # [N, 3]
    distance: Array  # [N] metres


def nearest(points: Array, corners: Array) -> Nearest:  # [N, 3], [T, 3, 3]
    """The nearest point on any triangle, the first of several. No point's result depends on another."""
    from splatfilm.render.kernels import extension

    try:
        kernels = extension()
    except MissingPartError:
        return nearest_by_numpy(points, corners)
    count = len(points)
    found = Nearest(np.empty(count, dtype=np.int64), np.empty((count, 3)), np.empty(count))
    given = (np.ascontiguousarray(array, dtype=np.float64) for array in (points, corners))
    kernels.nearest(*given, found.triangle, found.barycentric, found.distance)
    return found


def nearest_by_numpy(points: Array, corners: Array) -> Nearest:  # [N, 3], [T, 3, 3]
    """`nearest` without the compiled kernels."""
    triangle = np.zeros(len(points), dtype=np.int64)
    barycentric, distance = np.empty((len(points), 3)), np.empty(len(points))
    for point, candidate in _pairs(points, corners):
        bary, apart = _measured(points[point], corners[candidate])
        starts = np.nonzero(np.diff(point, prepend=-1))[0]
        least = np.repeat(np.minimum.reduceat(apart, starts), np.diff(starts, append=len(point)))
        hits = np.nonzero(apart == least)[0]
        _, first = np.unique(np.searchsorted(starts, hits, side="right"), return_index=True)
        best = hits[first]
        triangle[point[best]] = candidate[best]
        barycentric[point[best]] = bary[best]
        distance[point[best]] = np.sqrt(apart[best])
    return Nearest(triangle, barycentric, distance)


Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _pairs(points: Array, corners: Array) -> Iterator[Pairs]:
    """Points and the triangles that may be nearest to them, a point's side by side, triangles ascending."""
    centres = corners.mean(axis=1)
    radii = np.linalg.norm(corners - centres[:, None], axis=2).max(axis=1)
    waiting = [(np.arange(len(points)), np.arange(len(corners)))]
    found: list[Pairs] = []
    count = 0
    while waiting:
        group, close = waiting.pop()
        own = points[group]
        low, high = own.min(axis=0), own.max(axis=0)
        reach = 0.5 * float(np.linalg.norm(high - low))
        away = _distances(0.5 * (low + high)[None], centres[close])[0]
        # A triangle's centre is on it, so its distance is a bound; it is surpassed by at most the triangle's radius.
        close = close[away - radii[close] <= away.min() + 2 * reach + 1e-12]
        if len(group) > _FEW and reach > 1e-9:
            axis = int(np.argmax(high - low))
            lower = own[:, axis] <= 0.5 * (low + high)[axis]
            waiting += [(group[lower], close), (group[~lower], close)]
            continue
        for part in np.array_split(group, 1 + len(group) * len(close) // _MOST):
            apart = _distances(points[part], centres[close])
            row, column = np.nonzero(apart - radii[close] <= apart.min(axis=1, keepdims=True) + 1e-12)
            found.append((part[row], close[column]))
            count += len(row)
            if count > _MOST:
                yield np.concatenate([p for p, _ in found]), np.concatenate([t for _, t in found])
                found, count = [], 0
    if found:
        yield np.concatenate([p for p, _ in found]), np.concatenate([t for _, t in found])


def _distances(points: Array, others: Array) -> Array:  # [n, 3], [m, 3] -> [n, m]
    """Axis by axis: numpy is slow at sums of three."""
    x, y, z = (points[:, k, None] - others[:, k] for k in range(3))
    result: Array = np.sqrt(x * x + y * y + z * z)
    return result


def _measured(points: Array, corners: Array) -> tuple[Array, Array]:  # [P, 3], [P, 3, 3] -> [P, 3], [P]
    """Barycentric coordinates of the point of each triangle that is nearest to its point, and the squared distance."""
    a = corners[:, 0]
    ab, ac, ap = corners[:, 1] - a, corners[:, 2] - a, points - a
    d1, d2 = _rowdot(ab, ap), _rowdot(ac, ap)
    abab, abac, acac = _rowdot(ab, ab), _rowdot(ab, ac), _rowdot(ac, ac)
    d3, d4 = d1 - abab, d2 - abac
    d5, d6 = d1 - abac, d2 - acac
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    with np.errstate(divide="ignore", invalid="ignore"):
        total = va + vb + vc
        v, w = vb / total, vc / total
        on_ab, on_ac = d1 / (d1 - d3), d2 / (d2 - d6)
        on_bc = (d4 - d3) / ((d4 - d3) + (d5 - d6))
    cases = [
        (d1 <= 0) & (d2 <= 0),
        (d3 >= 0) & (d4 <= d3),
        (d6 >= 0) & (d5 <= d6),
        (vc <= 0) & (d1 >= 0) & (d3 <= 0),
        (vb <= 0) & (d2 >= 0) & (d6 <= 0),
        (va <= 0) & (d4 >= d3) & (d5 >= d6),
    ]
    zero, one = np.zeros_like(v), np.ones_like(v)
    v = np.nan_to_num(np.select(cases, [zero, one, zero, on_ab, zero, 1 - on_bc], v))
    w = np.nan_to_num(np.select(cases, [zero, zero, one, zero, on_ac, on_bc], w))
    offset = ap - v[:, None] * ab - w[:, None] * ac
    return np.stack([1 - v - w, v, w], axis=-1), _rowdot(offset, offset)


def _rowdot(a: Array, b: Array) -> Array:
    result: Array = a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]
    return result


def normals(corners: Array) -> Array:  # [T, 3, 3] -> [T, 3] unit; a triangle without area gets z
    """Unit normals, counter-clockwise."""
    n = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(n, axis=1, keepdims=True)
    return np.where(length > 1e-18, n / np.maximum(length, 1e-18), [0.0, 0.0, 1.0])
