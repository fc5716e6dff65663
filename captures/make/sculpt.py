"""Sculpting with distance fields: soft volumes are blended, carved, and turned into a mesh of even quads.

The blends follow Quilez, "Smooth minimum" (2013, polynomial form); meshing is naive surface nets (Gibson 1998) with
the vertices then walked onto the surface. Points are [N, 3] metres; a field maps points to signed distance [N].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Field = Callable[[Points], NDArray[np.float64]]
Vector = Sequence[float]


def ball(centre: Vector, radii: float | Vector) -> Field:
    """An ellipsoid along the axes (distance to first order)."""
    c, r = np.array(centre, float), np.broadcast_to(np.asarray(radii, float), 3)

    def field(p: Points) -> NDArray[np.float64]:
        q = p - c
        k0 = np.sqrt(((q / r) ** 2).sum(-1)) + 1e-9
        k1 = np.sqrt(((q / r**2) ** 2).sum(-1)) + 1e-9
        return k0 * (k0 - 1) / k1

    return field


def limb(a: Vector, b: Vector, ra: float, rb: float, flat: float = 1.0, across: Vector = (0, 1, 0)) -> Field:
    """A rounded cone from `a` to `b`; `flat` < 1 squashes it along `across`."""
    pa, pb = np.array(a, float), np.array(b, float)
    axis = pb - pa
    side = np.array(across, float)
    side /= np.linalg.norm(side)

    def field(p: Points) -> NDArray[np.float64]:
        t = np.clip((p - pa) @ axis / (axis @ axis), 0, 1)
        q = p - pa - t[:, None] * axis
        if flat != 1.0:
            q = q + (q @ side)[:, None] * side * (1 / flat - 1)
        return (np.linalg.norm(q, axis=-1) - (ra + t * (rb - ra))) * min(1.0, flat + 0.15)

    return field


def join(*fields: Field, soft: float = 0.0) -> Field:
    """Everything together, melted into each other over `soft` metres."""

    def field(p: Points) -> NDArray[np.float64]:
        d = fields[0](p)
        for other in fields[1:]:
            d = _soft_min(d, other(p), soft)
        return d

    return field


def carve(body: Field, tool: Field, soft: float = 0.0) -> Field:
    """`body` without `tool`."""
    return lambda p: -_soft_min(-body(p), tool(p), soft)


def _soft_min(a: NDArray[np.float64], b: NDArray[np.float64], k: float) -> NDArray[np.float64]:
    if k <= 0:
        return np.minimum(a, b)
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * k * 0.25


def mirrored(field: Field) -> Field:
    """The field of a left half (x > 0) on both sides."""
    return lambda p: field(np.concatenate([np.abs(p[:, :1]), p[:, 1:]], 1))


def half_space(point: Vector, normal: Vector) -> Field:
    """Inside is behind the plane."""
    n = np.array(normal, float) / np.linalg.norm(normal)
    return lambda p: (p - np.array(point, float)) @ n


def mesh(field: Field, low: Vector, high: Vector, cell: float) -> tuple[Points, NDArray[np.int64]]:
    """Vertices [V, 3] and outward quads [F, 4] of a field's surface within a box, about `cell` metres apart."""
    axes = [np.arange(a, b + cell, cell) for a, b in zip(low, high, strict=True)]
    shape = tuple(len(a) for a in axes)
    values = np.empty(shape)
    for i, x in enumerate(axes[0]):
        y, z = np.meshgrid(axes[1], axes[2], indexing="ij")
        values[i] = field(np.stack([np.full(y.size, x), y.ravel(), z.ravel()], -1)).reshape(y.shape)
    inside = values < 0
    count = np.zeros(tuple(s - 1 for s in shape), int)
    for corner in np.ndindex(2, 2, 2):
        count += inside[tuple(slice(c, s - 1 + c) for c, s in zip(corner, shape, strict=True))]
    active = (count > 0) & (count < 8)
    index = np.full(active.shape, -1)
    index[active] = np.arange(active.sum())
    vertices = np.stack([axes[k][w] + cell / 2 for k, w in enumerate(np.nonzero(active))], -1)
    quads = [_quads(inside, index, axis) for axis in range(3)]
    for _ in range(6):
        vertices = vertices - np.clip(field(vertices), -cell, cell)[:, None] * _normal(field, vertices, cell * 0.25)
    return vertices, np.concatenate(quads)


def _quads(inside: NDArray[np.bool_], index: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """One quad for every edge along `axis` that crosses the surface, from the four cells around it."""
    u, v = (axis + 1) % 3, (axis + 2) % 3
    moved = np.moveaxis(inside, (axis, u, v), (0, 1, 2))
    cells = np.moveaxis(index, (axis, u, v), (0, 1, 2))
    a, b = moved[:-1, 1:-1, 1:-1], moved[1:, 1:-1, 1:-1]
    i, j, k = np.nonzero(a != b)
    ring = np.stack([cells[i, j, k], cells[i, j + 1, k], cells[i, j + 1, k + 1], cells[i, j, k + 1]], -1)
    flip = ~a[i, j, k]
    ring[flip] = ring[flip][:, ::-1]
    return ring


def _normal(field: Field, p: Points, step: float) -> Points:
    gradient = np.empty_like(p)
    for axis in range(3):
        shift = np.zeros(3)
        shift[axis] = step
        gradient[:, axis] = field(p + shift) - field(p - shift)
    return gradient / (np.linalg.norm(gradient, axis=-1, keepdims=True) + 1e-12)
