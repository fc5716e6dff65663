"""Inverse kinematics: where joints go so that an end arrives.

Limbs of two bones have a closed form (law of cosines) with a pole that says where the knee or the elbow points. Longer
chains use FABRIK (A. Aristidou, J. Lasenby, "FABRIK: a fast, iterative solver for the inverse kinematics problem",
Graphical Models 73, 2011), followed by one exact pass that restores every bone's length. Nothing here stretches a bone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.stage.clips.rotations import crossed, length_of, unit

Array = NDArray[np.float64]
_STRAIGHTEST = 1 - 1e-9  # of the full reach; a limb that is exactly straight has no bend to aim


class Bend(NamedTuple):
    """A solved limb of two bones."""

    middle: Array  # [3] the knee or elbow
    end: Array  # [3] where the end arrives: the target, or the nearest point that the limb reaches
    normal: Array  # [3] unit: turning about it by a positive angle brings the first bone's direction to the second's


def two_bone(start: ArrayLike, target: ArrayLike, lengths: tuple[float, float], pole: ArrayLike) -> Bend:
    """Bend two bones of `lengths` from `start` to `target`, the middle joint towards the direction `pole`.

    A target out of reach is approached in a straight line (or folded as far as it goes, when it is too near). A pole
    along the limb leaves the plane open; it is then taken from the axis most square to the limb.
    """
    a, t = np.asarray(start, dtype=np.float64), np.asarray(target, dtype=np.float64)
    first, second = lengths
    way = t - a
    far = length_of(way)
    direction = way / far if far > 1e-9 else np.array([0.0, 0.0, -1.0])
    reach = min(max(far, abs(first - second) / _STRAIGHTEST + 1e-12), (first + second) * _STRAIGHTEST)
    along = (reach * reach + first * first - second * second) / (2 * reach)
    height = math.sqrt(max(first * first - along * along, 0.0))
    aim = np.asarray(pole, dtype=np.float64)
    side = aim - direction * float(aim @ direction)
    if length_of(side) < 1e-9:
        aim = np.eye(3)[int(np.argmin(np.abs(direction)))]
        side = aim - direction * float(aim @ direction)
    side = unit(side)
    return Bend(a + direction * along + side * height, a + direction * reach, crossed(side, direction))


def fabrik(points: ArrayLike, target: ArrayLike, tolerance: float = 1e-6, steps: int = 400) -> Array:  # [N, 3]
    """Move a chain of `points` [N, 3] so that its last arrives at `target` [3]; the first stays, bones keep lengths.

    A target out of reach straightens the chain towards it. Ends within `tolerance` metres or after `steps` rounds.
    """
    p = np.array(points, dtype=np.float64)
    goal = np.asarray(target, dtype=np.float64)
    lengths = np.linalg.norm(np.diff(p, axis=0), axis=1)
    start = p[0].copy()
    way = goal - start
    far = float(np.linalg.norm(way))
    if far >= lengths.sum() or far < 1e-12:
        direction = way / far if far >= 1e-12 else unit(p[-1] - p[0])
        if far >= lengths.sum():
            return np.asarray(start + np.concatenate([[0.0], np.cumsum(lengths)])[:, None] * direction)
    if np.linalg.norm(np.cross(p[1:] - start, way)) < 1e-9 * far:
        p[1:-1] += 0.05 * lengths.sum() * np.eye(3)[int(np.argmin(np.abs(way)))]  # a straight chain cannot fold
    for _ in range(steps):
        p[-1] = goal
        for i in range(len(p) - 2, -1, -1):
            p[i] = p[i + 1] + lengths[i] * unit(p[i] - p[i + 1])
        p[0] = start
        for i in range(len(lengths)):
            p[i + 1] = p[i] + lengths[i] * unit(p[i + 1] - p[i])
        if float(np.linalg.norm(p[-1] - goal)) <= tolerance:
            break
    return p


def limited(angles: ArrayLike, limits: ArrayLike) -> Array:  # [N], [N] -> [N]
    """`angles` brought softly within plus and minus `limits`: free up to 0.7 of a limit, never beyond it.

    A hard stop shows in a film as a head that hits a wall; this slows down instead (C1).
    """
    a, limit = np.asarray(angles, dtype=np.float64), np.asarray(limits, dtype=np.float64)
    knee = 0.7 * limit
    over = np.maximum(np.abs(a) - knee, 0.0) / (limit - knee)
    return np.asarray(np.sign(a) * (np.minimum(np.abs(a), knee) + (limit - knee) * np.tanh(over)))
