"""Which way what splats show faces, where a rig's mesh says how it lies: the normals that light is computed with.

Cloth is modelled with two sides, and splats stand in a blur of a centimetre about both; near a hem both are open to the
world. Of the sides of one cloth a splat shows the one that is seen from farther around.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from splatfilm.splats import Splats
from splatfilm.splats.posed import rotation_matrices
from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.surface import nearest, normals
from splatfilm.stage.shell import FINE, kept_in

LIFTED = 0.006  # metres off a triangle that it is looked from, clear of its own neighbours
INNER = 0.6  # of what a triangle sends out: stopped to that share, it is an inner side
OPENER = (0.5, 0.4, 0.3, 0.2, 0.1)  # shares of what is stopped at most, of sides that are ever more open
CLEARER = 0.2  # of what one side sends out, less is stopped of the other, for that one to be shown
SHEET = 0.02  # metres: the other side of the same cloth is no farther away
FLAT = 0.5  # what the shortest axis of a flat splat counts, which lies in what it shows

Floats = NDArray[np.float64]


def mesh_normals(rig: Rig, splats: Splats, parts: tuple[str, ...]) -> Floats | None:  # [N, 3] unit
    """The normals of splats at rest in the rig's space, on the mesh's `parts`; None for a rig without a mesh.

    The line is that of the nearest side of the mesh, whichever it is, and of the splat itself, the more the flatter it
    is; which way along it is outside is told by how open the mesh's sides are there.
    """
    if rig.mesh is None:
        return None
    points = splats.means.detach().cpu().numpy().astype(np.float64)
    chosen = np.nonzero(parts_named(rig.mesh, parts))[0]
    stopped = _stopped(rig, parts)
    outwards = _outwards(rig, points, chosen, stopped)
    line = smooth_normals(rig, points, chosen)[0]
    line = np.where(((line * outwards).sum(axis=1) < 0)[:, None], -line, line)
    axis, flat = _axes(splats)
    axis = np.where(((axis * line).sum(axis=1) < 0)[:, None], -axis, axis)
    share = np.minimum(flat, FLAT)[:, None]
    return _unit((1 - share) * line + share * axis)


def smooth_normals(rig: Rig, points: Floats, chosen: NDArray[np.int64]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """The smooth normal [N, 3] of the nearest of some triangles, how far away that is, metres, and which it is."""
    assert rig.mesh is not None, "there is a mesh"
    triangles = rig.mesh.triangles[chosen]
    corners = rig.mesh.vertices[triangles].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # twice the area long
    smooth = np.zeros((len(rig.mesh.vertices), 3))
    for corner in range(3):
        np.add.at(smooth, triangles[:, corner], across)
    found = nearest(points, corners)
    towards = (found.barycentric[..., None] * smooth[triangles[found.triangle]]).sum(axis=1)
    return _unit(towards), found.distance, found.triangle


@lru_cache(maxsize=16)
def _stopped(rig: Rig, parts: tuple[str, ...]) -> Floats:  # [K]
    """How much the mesh's parts stop of what each of their triangles sends out."""
    assert rig.mesh is not None, "there is a mesh"
    corners = rig.mesh.vertices[rig.mesh.triangles[parts_named(rig.mesh, parts)]].astype(np.float64)
    facing = normals(corners)
    return kept_in(corners.mean(axis=1) + LIFTED * facing, facing, corners, FINE)


def _outwards(rig: Rig, points: Floats, chosen: NDArray[np.int64], stopped: Floats) -> Floats:  # [N, 3]
    """Normals of sides that are seen: the nearest that is no inner one, or a clearly more open one across the cloth."""
    seen = stopped <= INNER if (stopped <= INNER).any() else np.ones(len(chosen), dtype=bool)
    found, far, which = smooth_normals(rig, points, chosen[seen])
    closed = stopped[seen][which]
    for most in OPENER:
        open_ = stopped <= most
        if not open_.any():
            break
        other, farther, which = smooth_normals(rig, points, chosen[open_])
        across = (
            ((found * other).sum(axis=1) < 0) & (farther < far + SHEET) & (stopped[open_][which] < closed - CLEARER)
        )
        found = np.where(across[:, None], other, found)
        far, closed = np.where(across, farther, far), np.where(across, stopped[open_][which], closed)
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
