"""A rig in hand: skeleton, bind pose, proxy mesh, blendshapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import did_you_mean
from splatfilm.base.hashing import hash_bytes, hash_value
from splatfilm.stage.rigs.skeleton import Array, Skeleton

Ints = NDArray[np.int32]
INFLUENCES = 4
"""Bones that may carry one vertex or splat: what every engine and file format agrees on."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A blendshape: where a few vertices go at weight 1."""

    name: str
    vertices: Ints  # [K] ascending
    offsets: Array  # [K, 3] metres


@dataclass(frozen=True, eq=False)
class ProxyMesh:
    """The surface that stands for the actor, in the pose that it is bound in, Z up, metres.

    `parts` are the names of the meshes it is made of (body, hair, a garment); `part` says which one a triangle is of.
    """

    vertices: Array  # [V, 3]
    triangles: Ints  # [T, 3]
    joints: Ints  # [V, 4]
    weights: NDArray[np.float32]  # [V, 4], the heaviest first, summing to 1
    parts: tuple[str, ...]
    part: Ints  # [T]
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True, eq=False)
class Rig:
    """A skeleton with the transforms that its joints had when the mesh (and the splats) were bound to them.

    `inverse_binds` bring the rig's space into each joint's. `notes` are things about the file that its author should
    know; they stop nothing. `content` is a hash of all that decides how splats move.
    """

    skeleton: Skeleton
    inverse_binds: Array  # [J, 4, 4]
    mesh: ProxyMesh | None = None
    clips: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def shape_names(self) -> tuple[str, ...]:
        """The blendshapes that the mesh has."""
        return () if self.mesh is None else tuple(shape.name for shape in self.mesh.shapes)

    @cached_property
    def content(self) -> str:
        """SHA-256 over joints, bind pose, mesh, weights and shapes."""
        arrays: list[NDArray[np.generic]] = [self.inverse_binds]
        names: list[str] = []
        if self.mesh is not None:
            mesh = self.mesh
            arrays += [mesh.vertices, mesh.triangles, mesh.joints, mesh.weights, mesh.part]
            names = [*mesh.parts, *self.shape_names]
            for shape in mesh.shapes:
                arrays += [shape.vertices, shape.offsets]
        joints = [[j.name, j.parent, j.translation, j.rotation, j.scale] for j in self.skeleton.joints]
        digests = [hash_bytes(np.ascontiguousarray(array).tobytes()) for array in arrays]
        return hash_value([joints, names, digests])

    @cached_property
    def bind_positions(self) -> Array:  # [J, 3]
        """Where the joints stand in the bind pose."""
        return np.array(np.linalg.inv(self.inverse_binds)[:, :3, 3], dtype=np.float64)

    def unknown_shapes(self, names: Sequence[str]) -> tuple[str, ...]:
        """What is wrong with blendshapes that were asked for: a sentence for each that the rig does not have."""
        return tuple(
            f'the rig has no blendshape "{name}"{did_you_mean(name, self.shape_names)}'
            for name in names
            if name not in self.shape_names
        )


def best_weights(joints: NDArray[np.integer], weights: Array) -> tuple[Ints, NDArray[np.float32], int]:
    """The four heaviest of K influences, normalised, heaviest first; and how many rows lost more than 1 % by it.

    [V, K], [V, K] -> [V, 4], [V, 4]. A joint that is named twice counts once, with both weights. Rows without any
    weight hang on joint 0.
    """
    count, width = weights.shape
    joints, weights = np.array(joints, dtype=np.int64), np.maximum(weights, 0.0)
    for k in range(1, width):
        for earlier in range(k):
            same = (joints[:, earlier] == joints[:, k]) & (weights[:, k] > 0)
            weights[same, earlier] += weights[same, k]
            weights[same, k] = 0.0
    order = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    rows = np.arange(count)[:, None]
    kept_joints, kept = joints[rows, order], weights[rows, order]
    if width < INFLUENCES:
        kept_joints = np.pad(kept_joints, ((0, 0), (0, INFLUENCES - width)))
        kept = np.pad(kept, ((0, 0), (0, INFLUENCES - width)))
    total, all_of_it = kept.sum(axis=1), weights.sum(axis=1)
    lost = int(np.count_nonzero(total < 0.99 * all_of_it))
    empty = total <= 0
    kept[empty, 0], kept_joints[empty] = 1.0, 0
    total[empty] = 1.0
    kept_joints[kept <= 0] = 0
    return kept_joints.astype(np.int32), (kept / total[:, None]).astype(np.float32), lost


def parts_named(mesh: ProxyMesh, wanted: Sequence[str]) -> NDArray[np.bool_]:  # -> [T]
    """Which triangles belong to the parts called `wanted`; all of them when none is named.

    Raises `ValueError` naming a part that is not there.
    """
    if not wanted:
        return np.ones(len(mesh.triangles), dtype=bool)
    for name in wanted:
        if name not in mesh.parts:
            known = ", ".join(mesh.parts)
            raise ValueError(f'the proxy mesh has no part "{name}" ({known}){did_you_mean(name, mesh.parts)}')
    return np.isin(mesh.part, [mesh.parts.index(name) for name in wanted])


def offsets_of(mesh: ProxyMesh, weights: Mapping[str, float]) -> Array:  # -> [V, 3]
    """Every vertex's offset under the given blendshape weights."""
    total = np.zeros_like(mesh.vertices)
    for shape in mesh.shapes:
        weight = weights.get(shape.name, 0.0)
        if weight != 0.0:
            total[shape.vertices] += weight * shape.offsets
    return total
