"""Weights for a bare skeleton: no mesh, no painting.

A bone is the segment from a joint to each of its children; a joint without children is a point. A splat is carried by
the bones around it with weights that fall off as the inverse fourth power of the distance, measured against the nearest
one, so that a limb is rigid along its length and bends over a band around its joints whose width follows its thickness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splatfilm.stage.rigs.rig import Ints, best_weights
from splatfilm.stage.rigs.skeleton import ROOT, Array, Skeleton

_FALL_OFF = 4
_FLOOR = 0.005  # metres: nearer than this to a bone's line makes no difference
_BLOCK = 20_000


def automatic_weights(
    skeleton: Skeleton, positions: Array, points: Array
) -> tuple[Ints, NDArray[np.float32]]:  # [J, 3], [N, 3] -> [N, 4], [N, 4]
    """Four joints and weights for each point. `positions` are the joints' places in the pose of the points."""
    owner, start, end = _segments(skeleton, positions)
    joints, weights = [], []
    for block in np.array_split(points, max(1, len(points) // _BLOCK)):
        away = np.maximum(_distances(block, start, end), _FLOOR)
        nearest = np.full((len(block), len(skeleton)), np.inf)
        for bone, joint in enumerate(owner):
            nearest[:, joint] = np.minimum(nearest[:, joint], away[:, bone])
        share = (nearest.min(axis=1, keepdims=True) / nearest) ** _FALL_OFF
        numbers = np.broadcast_to(np.arange(len(skeleton)), share.shape)
        order = np.argsort(-share, axis=1, kind="stable")[:, :4]
        rows = np.arange(len(block))[:, None]
        kept, four, _ = best_weights(numbers[rows, order], share[rows, order])
        joints.append(kept)
        weights.append(four)
    return np.concatenate(joints), np.concatenate(weights)


def _segments(skeleton: Skeleton, positions: Array) -> tuple[list[int], Array, Array]:
    """Bones as (joint that moves them, from, to). A root with children carries nothing but what is nearest to it."""
    owner, start, end = [], [], []
    for joint, parent in enumerate(skeleton.parents):
        children = skeleton.children(joint)
        for child in children:
            owner.append(joint)
            start.append(positions[joint])
            end.append(positions[child])
        if not children:
            owner.append(joint)
            # A last joint reaches on as far as half of the bone that led to it.
            back = positions[joint] - positions[parent] if parent != ROOT else np.zeros(3)
            start.append(positions[joint])
            end.append(positions[joint] + 0.5 * back)
    return owner, np.array(start), np.array(end)


def _distances(points: Array, start: Array, end: Array) -> Array:  # [n, 3], [B, 3], [B, 3] -> [n, B]
    along = end - start
    length = np.maximum(np.square(along).sum(axis=1), 1e-12)
    t = np.clip((points @ along.T - (start * along).sum(axis=1)) / length, 0.0, 1.0)
    nearest = start + t[..., None] * along
    result: Array = np.linalg.norm(points[:, None] - nearest, axis=-1)
    return result
