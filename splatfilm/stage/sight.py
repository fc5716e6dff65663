"""What of a face's mesh is seen from before it, in whatever pose: points spread over triangles, and maps of heights.

Rigs face -Y (glTF's +Z). A face is looked at from a fan of directions around that; a point is seen from one of them
when nothing of the mesh lies before it in its cell of the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Views = NDArray[np.float64]
"""[V, 3, 3]: for each direction of view its right, its up, and the way back to the eye, as rows."""

APART = 0.0009  # metres between the points that a mesh is sampled with
_CELL = 0.0013  # metres: cells of a map of heights
_SLACK = 0.0015  # metres that a point may lie below what its cell shows
_FACING = 0.15  # cosine of a normal that faces the eye


def views(turns: tuple[float, ...], tilts: tuple[float, ...]) -> Views:  # degrees
    """Directions before the face: turned to its left, and tilted up."""
    found = []
    for turn in np.radians(turns):
        for tilt in np.radians(tilts):
            right = np.array([np.cos(turn), np.sin(turn), 0.0])
            back = np.array([np.sin(turn) * np.cos(tilt), -np.cos(turn) * np.cos(tilt), np.sin(tilt)])
            found.append(np.stack([right, np.cross(back, right), back]))
    return np.stack(found)


def along(points: Points, way: Points) -> Points:  # [N, 3], [3] -> [N]
    """How far points lie along a direction: products of matrices differ from processor to processor."""
    found: Points = points[:, 0] * way[0] + points[:, 1] * way[1] + points[:, 2] * way[2]
    return found


@dataclass(frozen=True, eq=False)
class Spread:
    """Points on triangles, each as a triangle and its share of the three corners."""

    triangle: NDArray[np.int64]  # [P]
    shares: Points  # [P, 3]

    def at(self, corners: Points) -> Points:  # [T, 3, 3] -> [P, 3]
        """Where the points are when the triangles' corners are there."""
        a, b, c = (self.shares[:, k, None] * corners[self.triangle, k] for k in range(3))
        found: Points = a + b + c
        return found

    def only(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Spread:
        """Some of the points."""
        return Spread(self.triangle[rows], self.shares[rows])


def spread(poses: Sequence[Points], apart: float = APART) -> Spread:  # [T, 3, 3] each
    """Points about `apart` from one another in any of the poses of the same triangles' corners.

    Each triangle is cut along its shortest side, and from there to the corner across, as often as these want.
    """
    sides = np.stack([np.sqrt(((c - np.roll(c, -1, axis=1)) ** 2).sum(axis=2)) for c in poses]).max(axis=0)
    turn = sides.argmin(axis=1)  # the corner at which the shortest side begins
    own = np.arange(len(turn))
    short, long = sides[own, turn], np.maximum(sides[own, (turn + 1) % 3], sides[own, (turn + 2) % 3])
    cuts = np.maximum(np.ceil(np.stack([short, long], axis=1) / apart).astype(np.int64), 1)
    kinds, kind = np.unique(cuts, axis=0, return_inverse=True)
    triangles, shares = [], []
    for number, (across, inwards) in enumerate(kinds):
        v, u = np.meshgrid((np.arange(inwards) + 0.5) / inwards, (np.arange(across) + 0.5) / across)
        u, v = u.ravel(), v.ravel()
        some = np.nonzero(kind.reshape(-1) == number)[0]
        plain = np.tile(np.stack([(1 - u) * (1 - v), u * (1 - v), v], axis=1), (len(some), 1))
        triangle = np.repeat(some, len(u))
        turned = np.empty_like(plain)
        for corner in range(3):
            turned[np.arange(len(plain)), (turn[triangle] + corner) % 3] = plain[:, corner]
        triangles.append(triangle)
        shares.append(turned)
    return Spread(np.concatenate(triangles), np.concatenate(shares))


class Heights:
    """Maps of how far a surface comes towards the eye, one for each direction of view."""

    def __init__(self, surface: Points, directions: Views, cell: float = _CELL) -> None:  # [S, 3]
        self._views, self._cell = directions, cell
        self._maps = []
        for x, y, z in self._seen_from(surface):
            low = x.min(), y.min()
            size = x.max() - low[0] + 1, y.max() - low[1] + 1
            heights = np.full(int(size[0]) * int(size[1]), -np.inf)
            np.maximum.at(heights, (x - low[0]) * size[1] + (y - low[1]), z)
            self._maps.append((low, size, heights))

    def _seen_from(self, points: Points) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Points]]:
        """For each direction the cells that points are in, and how far they come towards the eye."""
        for right, up, back in self._views:
            x, y = (np.floor(along(points, way) / self._cell).astype(np.int64) for way in (right, up))
            yield x, y, along(points, back)

    def above(self, points: Points) -> Points:  # [N, 3] -> [V, N] metres
        """How far below the surface points lie: negative before it, minus infinity where there is none."""
        found = np.full((len(self._views), len(points)), -np.inf)
        for own, (x, y, z), (low, size, heights) in zip(found, self._seen_from(points), self._maps, strict=True):
            x, y = x - low[0], y - low[1]
            inside = (x >= 0) & (y >= 0) & (x < size[0]) & (y < size[1])
            own[inside] = heights[x[inside] * size[1] + y[inside]] - z[inside]
        return found

    def seen(self, points: Points, facing: Points | None) -> NDArray[np.bool_]:  # [N, 3], [N, 3] -> [V, N]
        """From which directions points of the surface are seen; with normals, only those that face the eye."""
        found: NDArray[np.bool_] = self.above(points) < _SLACK
        if facing is not None:
            found &= np.stack([along(facing, back) for _, _, back in self._views]) > _FACING
        return found
