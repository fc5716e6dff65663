"""Which way what splats show faces, where a rig's mesh says how it lies: the normals that light is computed with.

Cloth is modelled with two sides, and splats stand in a blur of a centimetre about both; near a hem both are open to the
world. Of the sides of one cloth a splat shows the one that is seen from farther around.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.surface import nearest, normals
from splatfilm.stage.shell import FINE, kept_in

LIFTED = 0.006  # metres off a triangle that it is looked from, clear of its own neighbours
INNER = 0.6  # of what a side sends out: stopped to that share, it is an inner one
OPENER = (0.5, 0.4, 0.3, 0.2, 0.1)  # shares of what is stopped at most, of sides that are ever more open
CLEARER = 0.2  # of what one side sends out, less is stopped of the other, for that one to be shown
SHEET = 0.02  # metres: the other side of the same cloth is no farther away
FARTHER = (
    0.01  # metres out of where a splat stands that the nearest side is looked for: most stand behind what they show
)
FLAT = 0.5  # what the shortest axis of a flat splat counts, which lies in what it shows

Floats = NDArray[np.float64]


def mesh_normals(rig: Rig, splats: Splats, parts: tuple[str, ...]) -> Floats | None:  # [N, 3] unit
    """The normals of splats at rest in the rig's space, on the mesh's `parts`; None for a rig without a mesh.

    The line is that of the side of the mesh that is nearest a little farther out, whichever it is, and of the splat
    itself, the more the flatter it is; which way along it is outside is told by how open the mesh's sides are there.
    """
    if rig.mesh is None:
        return None
    points = splats.means.detach().cpu().numpy().astype(np.float64)
    sides = _sides(rig, parts)
    outwards = _outwards(points, sides)
    line = sides.nearest(points + FARTHER * outwards).normals
    line = np.where(((line * outwards).sum(axis=1) < 0)[:, None], -line, line)
    axis, flat = _axes(splats)
    axis = np.where(((axis * line).sum(axis=1) < 0)[:, None], -axis, axis)
    share = np.minimum(flat, FLAT)[:, None]
    return _unit((1 - share) * line + share * axis)


def smooth_normals(rig: Rig, points: Floats, chosen: NDArray[np.int64]) -> Floats:  # [N, 3], [K] -> [N, 3] unit
    """The smooth normals of the nearest of some of the mesh's triangles, as they are wound."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = rig.mesh.triangles[chosen]
    corners = rig.mesh.vertices[triangles].astype(np.float64)
    return _Sides(corners, _smooth(triangles, _across(corners)), np.zeros(len(chosen))).nearest(points).normals


@dataclass(frozen=True, eq=False)
class _Near:
    """What is nearest to each of N points: its normal, how far it is, and how much is stopped of what it sends out."""

    normals: Floats  # [N, 3] unit
    far: Floats  # [N] metres
    stopped: Floats  # [N]


@dataclass(frozen=True, eq=False)
class _Sides:
    """Triangles, seen from the side that they are wound for."""

    corners: Floats  # [K, 3, 3]
    smooth: Floats  # [K, 3, 3] towards the normals at their corners
    stopped: Floats  # [K] how much the mesh stops of what they send out

    def only(self, most: float) -> _Sides:
        """Those of which no more is stopped."""
        open_ = self.stopped <= most
        return _Sides(self.corners[open_], self.smooth[open_], self.stopped[open_])

    def nearest(self, points: Floats) -> _Near:
        """For each point the nearest side; there must be one."""
        found = nearest(points, self.corners)
        towards = (found.barycentric[..., None] * self.smooth[found.triangle]).sum(axis=1)
        return _Near(_unit(towards), found.distance, self.stopped[found.triangle])


@lru_cache(maxsize=16)
def _sides(rig: Rig, parts: tuple[str, ...]) -> _Sides:
    """The mesh's parts."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = rig.mesh.triangles[parts_named(rig.mesh, parts)]
    corners = rig.mesh.vertices[triangles].astype(np.float64)
    facing = normals(corners)
    stopped = kept_in(corners.mean(axis=1) + LIFTED * facing, facing, corners, FINE)
    return _Sides(corners, _smooth(triangles, _across(corners)), stopped)


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
