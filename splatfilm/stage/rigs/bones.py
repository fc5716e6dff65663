"""From a pose to the dual quaternions that carry splats.

A bone moves a splat by B = G(now) G(rest)^-1, the joint's transform now after the inverse of the one it was bound with.
Scales that are even in every direction cancel out of B; what does not cancel is no rigid motion, and its nearest
rotation is used (`uneven_bones` says which bones those are).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import Similarity, multiply
from splatfilm.stage.rigs.skeleton import Array, Pose, Skeleton, world_transforms

UNEVEN = 1e-3
"""How far a bone's matrix may be from a rotation times a scale before it counts as unevenly scaled."""


_POLISHING = 3  # steps, of which each squares the error: from 1e-3 to rounding


def bone_matrices(skeleton: Skeleton, inverse_binds: Array, pose: Pose) -> Array:  # [J, 4, 4] -> [J, 4, 4]
    """Every joint's motion from the pose that splats were bound in, as homogeneous matrices in the rig's space."""
    result: Array = world_transforms(skeleton, pose) @ inverse_binds
    return result


def rigid_parts(matrices: Array) -> tuple[Array, NDArray[np.bool_]]:  # [J, 4, 4] -> [J, 3, 3], [J]
    """The rotation of each matrix, and which of them are more than a rotation and a scale."""
    linear = matrices[:, :3, :3]
    sizes = np.cbrt(np.abs(np.linalg.det(linear)))[:, None, None]
    rotation = linear / np.maximum(sizes, 1e-12)
    error = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    mirrored = np.linalg.det(linear) <= 0
    uneven = (error > UNEVEN) | mirrored
    if uneven.any():
        u, _, vt = np.linalg.svd(linear[uneven])
        u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
        rotation[uneven] = u @ vt
    for _ in range(_POLISHING):  # the nearest rotation of what nearly is one: Newton's iteration without an inverse
        rotation = 0.5 * rotation @ (3 * np.eye(3) - rotation.transpose(0, 2, 1) @ rotation)
    return rotation, uneven


def dual_quaternions(matrices: Array, place: Similarity) -> NDArray[np.float32]:  # [J, 4, 4] -> [J, 8]
    """Unit dual quaternions of bones' motions followed by `place`, for splats at rest times the scale of `place`.

    Real part wxyz, dual part wxyz = 1/2 (0, t) q. Neighbours in sign: the real parts' w is never negative.
    """
    rotation, _ = rigid_parts(matrices)
    real = quaternions_from_matrices(rotation)
    shift = place.matrix()[:3, :3] @ matrices[:, :3, 3, None]
    shift = shift[..., 0] + np.asarray(place.translation)
    real = multiply(np.broadcast_to(place.rotation, real.shape), real)
    real /= np.linalg.norm(real, axis=-1, keepdims=True)
    dual = 0.5 * multiply(np.concatenate([np.zeros((len(real), 1)), shift], axis=-1), real)
    return np.concatenate([real, dual], axis=-1).astype(np.float32)


def quaternions_from_matrices(rotations: Array) -> Array:  # [J, 3, 3] -> [J, 4] wxyz, w >= 0
    """Quaternions of rotation matrices, by the largest component (S. Sheppard 1978)."""
    m = np.asarray(rotations, dtype=np.float64)
    diagonal = np.diagonal(m, axis1=1, axis2=2)
    trace = diagonal.sum(axis=1)
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    squares = np.stack([1 + trace, *(1 + 2 * diagonal[:, i] - trace for i in range(3))], axis=-1)
    table = np.stack(
        [
            np.stack([squares[:, 0], wx, wy, wz], axis=-1),
            np.stack([wx, squares[:, 1], xy, xz], axis=-1),
            np.stack([wy, xy, squares[:, 2], yz], axis=-1),
            np.stack([wz, xz, yz, squares[:, 3]], axis=-1),
        ],
        axis=1,
    )
    q = table[np.arange(len(m)), squares.argmax(axis=1)]
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return np.asarray(np.where(q[:, :1] < 0, -q, q), dtype=np.float64)


def uneven_bones(skeleton: Skeleton, inverse_binds: Array, pose: Pose) -> tuple[str, ...]:
    """The joints whose motion is no rotation: somewhere above them a scale differs from axis to axis."""
    _, uneven = rigid_parts(bone_matrices(skeleton, inverse_binds, pose))
    return tuple(name for name, bad in zip(skeleton.names, uneven, strict=True) if bad)
