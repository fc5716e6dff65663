"""Binding splats to a rig: which bones carry each splat, and where it sits on the proxy mesh.

A splat hangs on the nearest triangle of the proxy mesh: it takes that point's bone weights, and keeps its offset from
the triangle's plane. Blendshapes reach it through the triangle: with F the gradient from the triangle's frame at rest
to its frame now (two edges and the normal), x' = p' + F (x - p). A rig without a mesh carries splats by automatic
weights.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.base.files import write_bytes
from splatfilm.base.hashing import hash_value
from splatfilm.stage.rigs.auto import automatic_weights
from splatfilm.stage.rigs.rig import Ints, ProxyMesh, Rig, best_weights, parts_named
from splatfilm.stage.rigs.skeleton import Array
from splatfilm.stage.rigs.surface import nearest, normals

BINDING_VERSION = 1
"""Raised whenever the same rig and splats would be bound otherwise."""
STRAY_METRES = 0.08
"""A splat farther than this from the proxy mesh is bound, and reported as a stray."""


@dataclass(frozen=True, eq=False)
class Binding:
    """How N splats hang on a rig. `triangle` is -1 for all of them when the rig has no mesh."""

    joints: Ints  # [N, 4]
    weights: NDArray[np.float32]  # [N, 4], the heaviest first, summing to 1
    triangle: Ints  # [N] into the rig's mesh
    barycentric: Array  # [N, 3] of the nearest point on it
    distance: Array  # [N] metres from the mesh

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def strays(self) -> NDArray[np.bool_]:
        """Which splats are so far from the mesh that they likely belong to something else."""
        return self.distance > STRAY_METRES


def bind(rig: Rig, means: NDArray[np.floating], parts: Sequence[str] = ()) -> Binding:  # [N, 3] metres, bind pose
    """Hang splats on the mesh's `parts` (all of them when none is named), or on the bare skeleton.

    Raises `ValueError` for a part that the mesh does not have.
    """
    points = np.asarray(means, dtype=np.float64)
    mesh = rig.mesh
    if mesh is None:
        joints, weights = automatic_weights(rig.skeleton, rig.bind_positions, points)
        count = len(points)
        none = np.full(count, -1, dtype=np.int32)
        return Binding(joints, weights, none, np.zeros((count, 3)), np.zeros(count))
    chosen = np.nonzero(parts_named(mesh, parts))[0]
    corners = mesh.triangles[chosen]
    found = nearest(points, mesh.vertices[corners])
    triangle = chosen[found.triangle]
    held = mesh.triangles[triangle]  # [N, 3]
    shares = (mesh.weights[held] * found.barycentric[..., None]).astype(np.float64)
    kept, share, _ = best_weights(mesh.joints[held].reshape(len(points), -1), shares.reshape(len(points), -1))
    return Binding(kept, share, triangle.astype(np.int32), found.barycentric, found.distance)


def binding_key(rig: Rig, splats_sha256: str, parts: Sequence[str]) -> str:
    """The name of a binding: the hash of all that decides it."""
    return hash_value(["binding", BINDING_VERSION, rig.content, splats_sha256, list(parts)])


def cached_binding(
    folder: str | PathLike[str] | None, key: str, rig: Rig, means: NDArray[np.floating], parts: Sequence[str] = ()
) -> Binding:
    """The binding called `key` from `folder`, or made and kept there; `None` keeps nothing.

    A file that cannot be read is made anew: it holds nothing that cannot be found again.
    """
    if folder is None:
        return bind(rig, means, parts)
    path = Path(folder) / f"binding-{key[:24]}.npz"
    if path.is_file():
        try:
            found = read_binding(path)
        except InputError:
            found = None
        if found is not None and len(found) == len(means):
            return found
    binding = bind(rig, means, parts)
    write_binding(path, binding)
    return binding


def write_binding(path: str | PathLike[str], binding: Binding) -> None:
    """Write a binding, atomically."""
    stream = io.BytesIO()
    np.savez(
        stream,
        joints=binding.joints,
        weights=binding.weights,
        triangle=binding.triangle,
        barycentric=binding.barycentric,
        distance=binding.distance,
    )
    write_bytes(path, stream.getvalue())


def read_binding(path: str | PathLike[str]) -> Binding:
    """A binding as `write_binding` wrote it. Raises `InputError`."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = ("joints", "weights", "triangle", "barycentric", "distance")
            binding = Binding(*(file[name] for name in names))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError.at(path, f"is no binding of splats to a rig: {error}") from None
    except Exception as error:  # zipfile raises its own kinds for a damaged archive
        raise InputError.at(path, f"is damaged: {error}") from None
    if not (np.isfinite(binding.weights).all() and np.isfinite(binding.barycentric).all()):
        raise InputError.at(path, "holds weights that are not finite")
    return binding


@dataclass(frozen=True, eq=False)
class Moved:
    """Splats that blendshapes move at some weights: the rotation and the stretch of the triangle that owns each."""

    rows: NDArray[np.int64]  # [M] of the bound splats
    turns: Array  # [M, 4] wxyz
    stretches: Array  # [M, 6] symmetric xx xy xz yy yz zz

    @staticmethod
    def joined(parts: Sequence[Moved]) -> Moved:
        """What several cages move, one after the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Moved(np.zeros(0, dtype=np.int64), np.zeros((0, 4)), np.zeros((0, 6)))
        names = ("rows", "turns", "stretches")
        return Moved(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class ShapeCage:
    """The part of the mesh that blendshapes move, for the splats on it: what a face costs a frame is decided here.

    Triangles are renumbered 0..T, and vertices 0..V; `offsets` [S, V, 3] are those of the rig's shapes in their order.
    """

    rows: NDArray[np.int64]  # [M] splats that a shape can move
    triangle: NDArray[np.int64]  # [M] into `triangles`
    points: Array  # [M, 3] nearest points at rest, as barycentric coordinates
    away: Array  # [M, 3] from the nearest point to the splat, at rest
    triangles: NDArray[np.int64]  # [T, 3]
    vertices: Array  # [V, 3] at rest
    inverse_frames: Array  # [T, 3, 3]
    offsets: Array  # [S, V, 3]
    still: Array | None = None  # [V, 3] added to `vertices`; those that it is given move even where no shape moves them

    def only(self, place: NDArray[np.int64]) -> ShapeCage | None:  # [N]
        """The cage when of all splats only those with a `place` of 0 or more are left, there; None for none of them."""
        here = place[self.rows] >= 0
        if not here.any():
            return None
        own = (place[self.rows][here], self.triangle[here], self.points[here], self.away[here])
        return ShapeCage(*own, self.triangles, self.vertices, self.inverse_frames, self.offsets, self.still)

    def move(self, weights: Array, means: NDArray[np.float32], most: float) -> Moved:  # [S], [N, 3]
        """Moves splats as these weights say, before bones do, and leaves alone those that they do not reach.

        `means` are written. No stretch has a factor beyond `most` or its inverse: lips that part pull the triangles
        between them to twelve times their length, and splats there would become needles. In the compiled kernels.
        """
        from splatfilm.render.kernels import extension

        offsets = np.zeros_like(self.vertices) if self.still is None else self.still.copy()
        for weight, own in zip(weights.tolist(), self.offsets, strict=True):
            if weight != 0.0:
                offsets += weight * own
        cage = (self.vertices, self.triangles, self.inverse_frames, self.rows, self.triangle, self.points, self.away)
        rows, turns, stretches = extension().shape(cage, offsets, most, means)
        return Moved(rows, turns.reshape(-1, 4), stretches.reshape(-1, 6))


def shape_cage(rig: Rig, binding: Binding, means: NDArray[np.floating]) -> ShapeCage | None:
    """The cage for a binding; None when no blendshape of the rig can move any of the splats."""
    mesh = rig.mesh
    if mesh is None or not mesh.shapes:
        return None
    touched = np.zeros(len(mesh.vertices), dtype=bool)
    for shape in mesh.shapes:
        touched[shape.vertices] = True
    reached = np.asarray(touched[mesh.triangles].any(axis=1))
    rows = np.nonzero(reached[binding.triangle])[0]
    if not len(rows):
        return None
    used, triangle = np.unique(binding.triangle[rows], return_inverse=True)
    vertices, corners = np.unique(mesh.triangles[used], return_inverse=True)
    corners = corners.reshape(-1, 3)
    place = np.full(len(mesh.vertices), -1, dtype=np.int64)
    place[vertices] = np.arange(len(vertices))
    rest = mesh.vertices[vertices]
    points = binding.barycentric[rows]
    at = (points[..., None] * rest[corners[triangle]]).sum(axis=1)
    away = np.asarray(means, dtype=np.float64)[rows] - at
    inverse = np.asarray(np.linalg.inv(frames(rest[corners])), dtype=np.float64)
    offsets = _dense_offsets(mesh, place, len(vertices))
    rows, triangle, corners = (np.ascontiguousarray(part, dtype=np.int64) for part in (rows, triangle, corners))
    return ShapeCage(rows, triangle, points, away, corners, rest, inverse, offsets)


def _dense_offsets(mesh: ProxyMesh, place: NDArray[np.int64], count: int) -> Array:
    offsets = np.zeros((len(mesh.shapes), count, 3))
    for s, shape in enumerate(mesh.shapes):
        here = place[shape.vertices] >= 0
        offsets[s, place[shape.vertices[here]]] = shape.offsets[here]
    return offsets


def frames(corners: Array) -> Array:  # [T, 3, 3] -> [T, 3, 3]
    """Two edges and the unit normal as columns; a triangle without area gets the axes of space, so it never shears."""
    frames = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], normals(corners)], axis=-1)
    flat = np.abs(np.linalg.det(frames)) < 1e-14
    frames[flat] = np.eye(3)
    return frames
