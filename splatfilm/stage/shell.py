"""The outside of a rig's mesh: points spread over it, and what a mesh keeps in.

A garment hides what it keeps in, however far before it hangs; and the first splats of what is photographed on a rig lie
on the outside of its mesh, where no hidden side of cloth is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.surface import normals

SHELL_VERSION = 1
"""Raised whenever the same mesh would give other points."""
POINTS = 60_000
"""Points on a shell: more than first splats are made of it."""
KEPT_IN = 0.9
"""Of all that a point sends out, by the cosine to its normal: stopped to that share, it is not seen from outside."""
_WAYS = 64  # directions in which that is asked
Fineness = tuple[float, float]
"""Metres: how densely a mesh is sampled, and the cells of its map of heights."""
FINE: Fineness = (0.008, 0.012)
QUICK: Fineness = (0.016, 0.018)  # a third of the time; for one splat in a hundred it says otherwise
_MARGIN = 0.004  # metres that a mesh lies at least before what it keeps in
_GOLDEN = (0.7548776662466927, 0.5698402909980532)  # steps that fill a square evenly (M. Roberts 2018)

Points = NDArray[np.float64]


def shell(rig: Rig, parts: tuple[str, ...]) -> tuple[Points, Points]:  # [M, 3], [M, 3]
    """Points spread evenly over what is seen of the mesh's parts from outside, in the mesh's order, and their normals.

    Raises `ValueError` for a part that the mesh does not have, or where the rig has no mesh.
    """
    if rig.mesh is None:
        raise ValueError("the rig has no mesh")
    corners = rig.mesh.vertices[rig.mesh.triangles[parts_named(rig.mesh, parts)]].astype(np.float64)
    area = np.sqrt((np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) ** 2).sum(axis=1))
    grown = np.cumsum(area)
    triangle = np.searchsorted(grown, (np.arange(POINTS) + 0.5) / POINTS * grown[-1])
    u, v = (np.arange(POINTS)[:, None] * np.array(_GOLDEN) % 1.0).T
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    a, b, c = corners[triangle].transpose(1, 0, 2)
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    facing = normals(corners)[triangle]
    outside = kept_in(points, facing, corners, FINE) <= KEPT_IN
    return points[outside], facing[outside]


@lru_cache(maxsize=16)
def outside(rig: Rig, parts: tuple[str, ...], most: float = KEPT_IN) -> NDArray[np.int64]:  # -> [K]
    """Which of the triangles of the parts are seen from outside: cloth has an inner side, which faces inwards.

    At `most` that share of what they send out is stopped.
    """
    assert rig.mesh is not None, "there is a mesh"
    chosen = np.nonzero(parts_named(rig.mesh, parts))[0]
    corners = rig.mesh.vertices[rig.mesh.triangles[chosen]].astype(np.float64)
    seen = kept_in(corners.mean(axis=1), normals(corners), corners) <= most
    return chosen[seen] if seen.any() else chosen


def kept_in(
    points: Points,  # [N, 3]
    facing: Points,  # [N, 3] unit
    corners: Points,  # [T, 3, 3]
    fineness: Fineness = QUICK,
) -> Points:  # [N]
    """How much of what each point sends out triangles stop, 0 to 1, however far away they are.

    The triangles are sampled, and their samples make a map of heights in each of `_WAYS` directions.
    """
    sample, cell = fineness
    surface = _sampled(corners, sample)
    k = np.arange(_WAYS) + 0.5
    z, turn = 1 - 2 * k / _WAYS, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - z * z)
    stopped, whole = np.zeros(len(points)), np.zeros(len(points))
    for way in np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1):
        right = np.cross(way, (0.0, 0.0, 1.0) if abs(way[2]) < 0.9 else (0.0, 1.0, 0.0))
        right /= np.sqrt((right**2).sum())
        across = np.stack([right, np.cross(way, right)], axis=1)
        cells = np.floor(np.concatenate([surface @ across, points @ across]) / cell).astype(np.int64)
        cells -= cells.min(axis=0)
        number = cells[:, 0] * (int(cells[:, 1].max()) + 1) + cells[:, 1]
        height = np.full(int(number.max()) + 1, -np.inf)
        np.maximum.at(height, number[: len(surface)], surface @ way)
        share = np.maximum(facing @ way, 0.0)
        stopped += share * (height[number[len(surface) :]] > points @ way + _MARGIN)
        whole += share
    result: Points = stopped / np.maximum(whole, 1e-12)
    return result


def _sampled(corners: Points, apart: float) -> Points:  # [T, 3, 3] -> [S, 3]
    """Points on triangles, at most `apart` from one another: each is cut into equal parts as its longest edge wants."""
    edges = np.sqrt(((corners - np.roll(corners, 1, axis=1)) ** 2).sum(axis=2)).max(axis=1)
    parts = np.maximum(np.ceil(edges / apart).astype(int), 1)
    found = []
    for count in np.unique(parts):
        i, j = np.nonzero(np.add.outer(np.arange(count), np.arange(count)) < count)
        a, b = (i + 1 / 3) / count, (j + 1 / 3) / count
        shares = np.stack([1 - a - b, a, b], axis=1)
        found.append(np.einsum("kc,tcx->tkx", shares, corners[parts == count]).reshape(-1, 3))
    return np.concatenate(found)
