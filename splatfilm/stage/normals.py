"""Which way what splats show faces, where a rig's mesh says how it lies: the normals that light is computed with.

Cloth is modelled with two sides, and splats stand in a blur of a centimetre about both; near a hem both are open to the
world. Of the sides of one cloth a splat shows the one that is seen from farther around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.render.kernels import in_lanes
from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.surface import nearest, normals
from splatfilm.stage.rigs.winding import wound_outwards
from splatfilm.stage.shell import FINE, QUICK, kept_in

LIFTED = 0.006  # metres off a triangle that it is looked from, clear of its own neighbours
INNER = 0.6  # of what a side sends out: stopped to that share, it is an inner one
HIDDEN = 0.97  # stopped to that share, a side is seen from nowhere
OPENER = (0.5, 0.4, 0.3, 0.2, 0.1)  # shares of what is stopped at most, of sides that are ever more open
CLEARER = 0.2  # of what one side sends out, less is stopped of the other, for that one to be shown
SHEET = 0.02  # metres: the other side of the same cloth is no farther away
FARTHER = (
    0.01  # metres out of where a splat stands that the nearest side is looked for: most stand behind what they show
)
WAYS, WITH = 32, 0.3  # ways that splats may face; the least cosine of a triangle's that faces as those of one do
FLAT = 0.5  # what the shortest axis of a flat splat counts, which lies in what it shows

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Footing:
    """Where N splats stand on a mesh, and how their normals are made there, in whatever pose: a share of the mesh's
    smooth normal and, the flatter a splat is the more, how its own shortest axis leans away from that."""

    corners: NDArray[np.int32]  # [N, 3] vertices of the mesh
    weights: NDArray[np.float32]  # [N, 3] of these
    line: NDArray[np.float32]  # [N] the mesh's share
    axis: NDArray[np.float32]  # [N, 3] what leans away, in the splat's own axes

    @cached_property
    def lanes(self) -> tuple[NDArray[Any], ...]:
        """As the kernels take it, sixteen a block: weights [B, 3, 16], line [B, 16], axis [B, 3, 16]."""
        return in_lanes(self.weights), in_lanes(self.line[:, None])[:, 0], in_lanes(self.axis)

    def only(self, rows: NDArray[np.int64]) -> Footing:  # [M]
        """That of some of the splats."""
        return Footing(self.corners[rows], self.weights[rows], self.line[rows], self.axis[rows])

    @staticmethod
    def joined(some: Sequence[Footing]) -> Footing:
        """One after the other."""
        names = [one.name for one in fields(Footing)]
        return Footing(*(np.concatenate([getattr(one, name) for one in some]) for name in names))


def footing(rig: Rig, splats: Splats, parts: tuple[str, ...]) -> Footing:
    """Where splats at rest in the rig's space stand on the parts of its mesh, which there must be.

    On the side of the cloth that is seen, and there at the place that is nearest a little farther out.
    """
    points = splats.means.detach().cpu().numpy().astype(np.float64)
    sides = _sides(rig, parts)
    outwards = _outwards(points, sides)
    place, barycentric = _alike(points + FARTHER * outwards, outwards, sides)
    line = _unit((barycentric[..., None] * sides.smooth[place]).sum(axis=1))
    turns = rotation_matrices(splats.quats.detach().double()).cpu().numpy()
    axis, flat = _axes(splats)
    axis = np.where(((axis * line).sum(axis=1) < 0)[:, None], -axis, axis)
    share, cosine = np.minimum(flat, FLAT), (axis * line).sum(axis=1)
    own = np.einsum("nij,ni->nj", turns, share[:, None] * (axis - cosine[:, None] * line))
    arrays = (barycentric, 1 - share + share * cosine, own)
    return Footing(sides.vertices[place], *(np.ascontiguousarray(a, dtype=np.float32) for a in arrays))


def splat_normals(rig: Rig, splats: Splats, parts: tuple[str, ...]) -> Floats | None:  # [N, 3] unit
    """The normals of splats at rest in the rig's space, on the mesh's `parts`; None for a rig without a mesh.

    Those of their `footing`.
    """
    return None if rig.mesh is None else facing_at_rest(rig, splats, footing(rig, splats, parts))


def facing_at_rest(rig: Rig, splats: Splats, found: Footing) -> Floats:  # [N, 3] unit
    """The normals of splats at rest, from where they stand."""
    turns = rotation_matrices(splats.quats.detach().double()).cpu().numpy()
    smooth = _vertex_normals(rig)[found.corners]
    line = _unit((found.weights[..., None] * smooth).sum(axis=1))
    return _unit(found.line[:, None] * line + np.einsum("nij,nj->ni", turns, found.axis.astype(np.float64)))


@lru_cache(maxsize=32)
def seen_sides(rig: Rig, among: frozenset[str], part: str) -> NDArray[np.int32]:  # [K, 3] vertices
    """The triangles of a part that are seen from outside where some parts stand together: what throws their shadow."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = wound_outwards(rig)
    own = triangles[parts_named(rig.mesh, (part,))]
    corners = rig.mesh.vertices[own].astype(np.float64)
    facing = normals(corners)
    others = rig.mesh.vertices[triangles[parts_named(rig.mesh, sorted(among))]].astype(np.float64)
    stopped = kept_in(corners.mean(axis=1) + LIFTED * facing, facing, others, QUICK)
    return np.ascontiguousarray(own[stopped <= HIDDEN])


@lru_cache(maxsize=8)
def _vertex_normals(rig: Rig) -> Floats:  # [V, 3] unit
    """At each vertex, of all triangles around it."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = wound_outwards(rig)
    total = np.zeros((len(rig.mesh.vertices), 3))
    across = _across(rig.mesh.vertices[triangles].astype(np.float64))
    for corner in range(3):
        np.add.at(total, triangles[:, corner], across)
    return _unit(total)


def _alike(points: Floats, outwards: Floats, sides: _Sides) -> tuple[NDArray[np.int64], Floats]:  # [N], [N, 3]
    """The nearest place on sides that face as points do, outwards: which side, and where on it."""
    facing = _unit(_across(sides.corners))
    ways = _ways(WAYS)
    place, barycentric = np.zeros(len(points), dtype=np.int64), np.full((len(points), 3), 1 / 3)
    nearby = (outwards @ ways.T).argmax(axis=1)
    for number in np.unique(nearby):
        own = np.nonzero(nearby == number)[0]
        sort = np.nonzero(facing @ ways[number] > WITH)[0]
        sort = sort if len(sort) else np.arange(len(facing))
        found = nearest(points[own], sides.corners[sort])
        place[own], barycentric[own] = sort[found.triangle], found.barycentric
    return place, barycentric


def _ways(count: int) -> Floats:  # [count, 3] unit, evenly all around
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - z * z)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)


def smooth_normals(rig: Rig, points: Floats, chosen: NDArray[np.int64]) -> Floats:  # [N, 3], [K] -> [N, 3] unit
    """The smooth normals of the nearest of some of the mesh's triangles, as they are wound."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = rig.mesh.triangles[chosen]
    corners = rig.mesh.vertices[triangles].astype(np.float64)
    return (
        _Sides(triangles, corners, _smooth(triangles, _across(corners)), np.zeros(len(chosen))).nearest(points).normals
    )


@dataclass(frozen=True, eq=False)
class _Near:
    """What is nearest to each of N points: its normal, how far it is, and how much is stopped of what it sends out."""

    normals: Floats  # [N, 3] unit
    far: Floats  # [N] metres
    stopped: Floats  # [N]


@dataclass(frozen=True, eq=False)
class _Sides:
    """Triangles, seen from the side that they are wound for."""

    vertices: NDArray[np.int32]  # [K, 3]
    corners: Floats  # [K, 3, 3] these
    smooth: Floats  # [K, 3, 3] towards the normals at their corners
    stopped: Floats  # [K] how much the mesh stops of what they send out

    def only(self, most: float) -> _Sides:
        """Those of which no more is stopped."""
        open_ = self.stopped <= most
        return _Sides(self.vertices[open_], self.corners[open_], self.smooth[open_], self.stopped[open_])

    def nearest(self, points: Floats) -> _Near:
        """For each point the nearest side; there must be one."""
        found = nearest(points, self.corners)
        towards = (found.barycentric[..., None] * self.smooth[found.triangle]).sum(axis=1)
        return _Near(_unit(towards), found.distance, self.stopped[found.triangle])


@lru_cache(maxsize=16)
def _sides(rig: Rig, parts: tuple[str, ...]) -> _Sides:
    """The mesh's parts."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = wound_outwards(rig)[parts_named(rig.mesh, parts)]
    corners = rig.mesh.vertices[triangles].astype(np.float64)
    facing = normals(corners)
    stopped = kept_in(corners.mean(axis=1) + LIFTED * facing, facing, corners, FINE)
    return _Sides(triangles, corners, _smooth(triangles, _across(corners)), stopped)


def _across(corners: Floats) -> Floats:  # [K, 3, 3] -> [K, 3]
    """The normals of triangles, as long as twice their areas."""
    found: Floats = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return found


def _smooth(triangles: NDArray[np.int32], across: Floats) -> Floats:  # [K, 3], [K, 3] -> [K, 3, 3]
    """At each corner the sum of all triangles' there."""
    total = np.zeros((int(triangles.max()) + 1, 3))
    for corner in range(3):
        np.add.at(total, triangles[:, corner], across)
    found: Floats = total[triangles]
    return found


def _outwards(points: Floats, sides: _Sides) -> Floats:  # [N, 3]
    """Normals of sides that are seen: the nearest that is no inner one, or a clearly more open one across the cloth."""
    seen = sides.only(INNER)
    at = (seen if len(seen.stopped) else sides).nearest(points)
    found, far, stopped = at.normals, at.far, at.stopped
    for most in OPENER:
        open_ = sides.only(most)
        if not len(open_.stopped):
            break
        other = open_.nearest(points)
        across = ((found * other.normals).sum(axis=1) < 0) & (other.far < far + SHEET)
        across &= other.stopped < stopped - CLEARER
        found = np.where(across[:, None], other.normals, found)
        far, stopped = np.where(across, other.far, far), np.where(across, other.stopped, stopped)
    return found


def _axes(splats: Splats) -> tuple[Floats, Floats]:  # [N, 3], [N]
    """The shortest axis of each splat, and how much shorter it is than the next one: 1 for a disc, 0 for a ball."""
    scales = splats.scales.detach().cpu().numpy().astype(np.float64)
    turned = rotation_matrices(splats.quats.detach().double()).cpu().numpy()
    ordered = np.sort(scales, axis=1)
    return turned[np.arange(len(scales)), :, scales.argmin(axis=1)], 1 - ordered[:, 0] / ordered[:, 1]


def _unit(vectors: Floats) -> Floats:  # up where there is no direction
    long = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    found: Floats = np.where(long > 1e-12, vectors / np.maximum(long, 1e-12), [0.0, 0.0, 1.0])
    return found
