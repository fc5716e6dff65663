"""The part of a rig's mesh around what one blendshape moves, at any weight of it, and what is seen of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splatfilm.stage.neighbours import connected
from splatfilm.stage.rigs.rig import ProxyMesh, Shape, parts_named
from splatfilm.stage.rigs.surface import normals
from splatfilm.stage.sight import Heights, Points, Spread, Views, along, spread, views

AHEAD = views((-25.0, 0.0, 25.0), (0.0,))
"""Straight from before the face, and a little from both sides."""
_TOUCHED = 0.002  # of a shape's farthest offset: what moves less is not moved
_REACH = 0.02  # metres around what is moved, and as much again as that moves
_EVERY, _COARSE = 4, 0.0024  # points, and metres of a map's cells: enough to tell which side is the outside
_PLACES = 1e-7  # metres: corners that are closer are one


class Region:
    """Triangles around what a blendshape moves, and points spread over them."""

    def __init__(self, mesh: ProxyMesh, parts: tuple[str, ...], shape: Shape) -> None:
        """Raises `ValueError` where the shape moves nothing of the mesh's parts."""
        far = np.sqrt((shape.offsets**2).sum(axis=1))
        moved = np.zeros(len(mesh.vertices), dtype=bool)
        moved[shape.vertices[far > _TOUCHED * far.max(initial=0.0)]] = True
        own = parts_named(mesh, parts)
        touched = moved[mesh.triangles].any(axis=1) & own
        if not touched.any():
            raise ValueError(f"{shape.name} moves nothing")
        corners = mesh.vertices[mesh.triangles[touched]].reshape(-1, 3)
        reach = _REACH + np.abs(shape.offsets).max()
        middle = mesh.vertices[mesh.triangles].mean(axis=1)
        near = (middle > corners.min(axis=0) - reach) & (middle < corners.max(axis=0) + reach)
        self.triangles = np.nonzero(own & near.all(axis=1))[0]
        """[T] of the mesh's triangles, ascending; everything else here counts from the first of these."""
        self.touched = touched[self.triangles]
        """[T] which of them the shape moves."""
        self._rest = mesh.vertices[mesh.triangles[self.triangles]].astype(np.float64)
        offsets = np.zeros_like(mesh.vertices)
        offsets[shape.vertices] = shape.offsets
        self.offsets = offsets[mesh.triangles[self.triangles]]
        """[T, 3, 3] by how much their corners move at the shape's full weight."""
        self.surface = spread((self._rest, self.corners(1.0)))
        self.sides = np.ones(len(self.triangles))
        """[T] -1 where triangles are wound the other way than they are to be seen."""
        self.sides = self._outsides()

    def corners(self, weight: float) -> Points:  # -> [T, 3, 3]
        """Where the triangles are at a weight of the shape."""
        return self._rest + weight * self.offsets

    def heights(self, weight: float, directions: Views) -> Heights:
        """What is seen at a weight of the shape."""
        return Heights(self.surface.at(self.corners(weight)), directions)

    def about(self, points: Points, around: Points) -> Spread:  # [N, 3], [3] metres
        """The points of the surface that are not far from others at rest or at the shape's full weight."""
        low, high = points.min(axis=0) - around, points.max(axis=0) + around
        near = np.zeros(len(self.triangles), dtype=bool)
        for weight in (0.0, 1.0):
            corners = self.corners(weight)
            near |= ((corners.max(axis=1) > low) & (corners.min(axis=1) < high)).all(axis=1)
        return self.surface.only(near[self.surface.triangle])

    def facing(self, points: Spread, weight: float) -> Points:  # -> [P, 3]
        """The outward normals of points at a weight of the shape."""
        found: Points = (self.sides[:, None] * normals(self.corners(weight)))[points.triangle]
        return found

    def _outsides(self) -> Points:  # -> [T]
        """For each piece of the mesh whether what is seen of it faces the eye, as its triangles are wound."""
        piece, some = _pieces(self._rest), self.surface.only(np.arange(0, len(self.surface.triangle), _EVERY))
        found = np.zeros(len(piece))
        for weight in (0.0, 1.0):
            corners = self.corners(weight)
            points, facing = some.at(corners), normals(corners)
            for own, view in zip(Heights(points, AHEAD, _COARSE).above(points), AHEAD, strict=True):
                towards = along(facing, view[2])[some.triangle]
                found += np.bincount(piece[some.triangle], (own <= 0) * towards, len(found))
        return np.where(found < 0, -1.0, 1.0)[piece]


def _pieces(corners: Points) -> NDArray[np.int64]:  # [T, 3, 3] -> [T]
    """Which piece each triangle is of: those hang together that share a corner's place."""
    places = np.round(corners.reshape(-1, 3) / _PLACES).astype(np.int64)
    held = np.unique(places, axis=0, return_inverse=True)[1].reshape(-1, 3)
    pairs = np.concatenate([held[:, :2], held[:, 1:]])
    lot = connected(int(held.max()) + 1, pairs)[held[:, 0]]
    found: NDArray[np.int64] = np.unique(lot, return_inverse=True)[1].reshape(-1)
    return found
