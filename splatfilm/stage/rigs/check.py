"""Does a set of splats belong on a rig? Stray bindings, a pose that is not the capture's, and how to align it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import Similarity
from splatfilm.stage.rigs.binding import STRAY_METRES, Binding, bind
from splatfilm.stage.rigs.bones import quaternions_from_matrices, uneven_bones
from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.skeleton import Array, rest_pose
from splatfilm.stage.rigs.surface import nearest

FITS_METRES = 0.03
"""Half of the splats must be nearer than this to the mesh, or they stand elsewhere or in another pose."""
ALIGNED_METRES = 0.015
"""What a place must bring that half to; a wilder fit is none."""
MOST_STRAYS = 0.02
_SAMPLE = 1500  # points that an alignment is found with
_TRIANGLES = 15_000  # that stand for the mesh meanwhile
_FEW, _STARTS = 400, 6  # points and beginnings that are tried roughly
_ROUNDS, _FINE_ROUNDS = 30, 8


@dataclass(frozen=True, eq=False)
class RigCheck:
    """How well splats hang on a rig. `alignment` is the `place` that their look needs when they stand elsewhere."""

    binding: Binding
    median: float  # metres between splats and mesh
    strays: NDArray[np.int64]  # rows
    alignment: Similarity | None
    aligned_median: float  # metres, after it
    remarks: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the splats are where the mesh is."""
        return self.median <= FITS_METRES


def check_rig(rig: Rig) -> tuple[str, ...]:
    """What is worth knowing about a rig by itself."""
    found = list(rig.notes)
    uneven = uneven_bones(rig.skeleton, rig.inverse_binds, rest_pose(rig.skeleton))
    for joint in rig.skeleton.joints:
        low, high = min(map(abs, joint.scale)), max(map(abs, joint.scale))
        if high > low * 1.001:
            shown = " x ".join(f"{s:.4g}" for s in joint.scale)
            found.append(f'the joint "{joint.name}" is scaled unevenly ({shown}): what it carries will not be sheared')
    if uneven:
        listed = ", ".join(uneven[:5]) + (", ..." if len(uneven) > 5 else "")
        found.append(f"the rest pose is no rigid motion of the bind pose at {listed}: nearest rotations are used")
    if rig.mesh is None:
        found.append("the rig has no mesh: splats are carried by automatic weights, and there are no blendshapes")
    return tuple(dict.fromkeys(found))


def check_splats(
    rig: Rig, means: NDArray[np.floating], parts: Sequence[str] = (), binding: Binding | None = None
) -> RigCheck:
    """Bind splats, or take how they were bound, and judge it. Raises `ValueError` for parts that the mesh lacks."""
    binding = bind(rig, means, parts) if binding is None else binding
    points = np.asarray(means, dtype=np.float64)
    median = float(np.median(binding.distance))
    strays = np.nonzero(binding.strays)[0]
    remarks: list[str] = []
    if len(strays) > MOST_STRAYS * len(binding):
        low, high = points[strays].min(axis=0), points[strays].max(axis=0)
        box = " to ".join("[" + ", ".join(f"{v:.2f}" for v in corner) + "]" for corner in (low, high))
        share = 100 * len(strays) / len(binding)
        remarks.append(
            f"{len(strays)} of {len(binding)} splats ({share:.1f} %) are more than {100 * STRAY_METRES:.0f} cm from "
            f"the mesh, within {box}: they were captured in another pose, or are not the actor's"
        )
    alignment, after = None, median
    if rig.mesh is not None and median > FITS_METRES:
        alignment, after = align(rig, points, parts)
        far = f"half of the splats are more than {100 * median:.1f} cm from the mesh, not in the rig's pose"
        if after <= ALIGNED_METRES:
            shown = place_words(alignment)
            remarks.append(f"{far}. This place of the look brings them to {100 * after:.1f} cm: {shown}")
        else:
            remarks.append(f"{far}, and no turn, shift or scale mends it: they were captured in another pose")
            alignment = None
    return RigCheck(binding, median, strays, alignment, after, tuple(remarks))


def place_words(place: Similarity) -> str:
    """A placement as the film file spells it."""
    w, x, y, z = place.rotation
    angles = np.degrees(
        [
            np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
            np.arcsin(np.clip(2 * (w * y - z * x), -1, 1)),
            np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
        ]
    )
    position = ", ".join(f"{v:.4f}" for v in place.translation)
    rotation = ", ".join(f"{v:.3f}" for v in angles)
    return f"place = {{ position = [{position}], rotation = [{rotation}], scale = {place.scale:.5f} }}"


def align(rig: Rig, points: Array, parts: Sequence[str] = ()) -> tuple[Similarity, float]:  # [N, 3]
    """The turn, shift and scale that bring points onto the rig's mesh, and their median distance after it.

    Iterated closest points (P. Besl, N. McKay 1992) from the 24 turns of a cube, sizes and middles made equal; each
    round solves for the best similarity in closed form (S. Umeyama 1991), first between a few points both ways, then
    from points to the surface with the nearer three quarters of the pairs.
    """
    assert rig.mesh is not None, "only a mesh can be aligned to"
    corners = rig.mesh.vertices[rig.mesh.triangles[parts_named(rig.mesh, parts)]]
    few, target = points[:: max(1, len(points) // _FEW)], corners.reshape(-1, 3)[:: max(1, 3 * len(corners) // _FEW)]
    size = float(np.sqrt(target.var(axis=0).sum() / max(few.var(axis=0).sum(), 1e-18)))
    starts = [(turn, target.mean(axis=0) - size * turn @ few.mean(axis=0), size) for turn in _cube_turns()]
    starts.sort(key=lambda start: _apart(few, target, start))
    ends = [_to_points(few, target, start) for start in starts[:_STARTS]]
    turn, shift, size = min(ends, key=lambda end: _apart(few, target, end))
    sample, corners = points[:: max(1, len(points) // _SAMPLE)], corners[:: max(1, len(corners) // _TRIANGLES)]
    for _ in range(_FINE_ROUNDS):
        found = nearest(size * sample @ turn.T + shift, corners)
        at = (found.barycentric[..., None] * corners[found.triangle]).sum(axis=1)
        near = found.distance <= np.quantile(found.distance, 0.75)
        turn, shift, size = _umeyama(sample[near], at[near])
    w, x, y, z = quaternions_from_matrices(turn[None])[0].tolist()
    a, b, c = shift.tolist()
    distance = nearest(size * sample @ turn.T + shift, corners).distance
    return Similarity((w, x, y, z), (a, b, c), size), float(np.median(distance))


Fit = tuple[Array, Array, float]
"""Rotation, shift, scale."""


def _squares(points: Array, target: Array, fit: Fit) -> Array:  # [n, 3], [m, 3] -> [n, m]
    turn, shift, size = fit
    moved = size * points @ turn.T + shift
    result: Array = np.square(moved).sum(axis=1)[:, None] + np.square(target).sum(axis=1) - 2 * moved @ target.T
    return np.maximum(result, 0.0)


def _apart(points: Array, target: Array, fit: Fit) -> float:
    """How far two sets of points are from one another, both ways."""
    squares = _squares(points, target, fit)
    return float(np.sqrt(squares.min(axis=0)).mean() + np.sqrt(squares.min(axis=1)).mean())


def _to_points(points: Array, target: Array, fit: Fit) -> Fit:
    for _ in range(_ROUNDS):
        squares = _squares(points, target, fit)
        there, here = squares.argmin(axis=1), squares.argmin(axis=0)
        fit = _umeyama(np.concatenate([points, points[here]]), np.concatenate([target[there], target]))
    return fit


def _cube_turns() -> list[Array]:
    turns = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                turns.append(matrix)
    return turns


def _umeyama(source: Array, target: Array) -> Fit:
    """R, t, s that bring `source` nearest to `target` in the sense of least squares."""
    middle, aim = source.mean(axis=0), target.mean(axis=0)
    a, b = source - middle, target - aim
    u, d, vt = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    turn = (u * sign) @ vt
    size = float((d * sign).sum() / a.var(axis=0).sum())
    return turn, aim - size * turn @ middle, size
