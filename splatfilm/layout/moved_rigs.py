"""A rig put somewhere else by hand: the whole of it moves, or what it aims at does. Its timing and zoom stay."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.layout.aiming import heading_and_tilt
from splatfilm.layout.rigs import Arc, At, Crane, Heading, Mount, Rails, Rig, Still, Track, Vector

Array = NDArray[np.float64]


def shifted(rig: Rig, offset: ArrayLike) -> Rig:  # [3] metres
    """The rig with its mount `offset` away: every place of the move by the same way."""
    by = np.asarray(offset, dtype=np.float64)

    def there(place: Vector) -> Vector:
        x, y, z = (np.asarray(place, dtype=np.float64) + by).tolist()
        return x, y, z

    mount: Mount
    match rig.mount:
        case Still(position):
            mount = Still(there(position))
        case Track(start, end):
            mount = Track(there(start), there(end))
        case Rails(points):
            mount = Rails(tuple(there(point) for point in points))
        case Arc():
            mount = dataclasses.replace(rig.mount, centre=there(rig.mount.centre))
        case Crane():
            mount = dataclasses.replace(rig.mount, pivot=there(rig.mount.pivot))
    return dataclasses.replace(rig, mount=mount)


def turned(rig: Rig, pose: Array, target: Array, pan: float, tilt: float) -> Rig:
    """The rig looking `pan` degrees further right and `tilt` further up.

    `pose` [4, 4] is the camera now and `target` [3] what an `At` looks at now: the point moves around the camera at its
    distance, and a subject that is followed is then seen with that offset.
    """
    if isinstance(rig.aim, Heading):
        a, b = rig.aim.heading
        c, d = rig.aim.tilt
        return dataclasses.replace(rig, aim=Heading((a - pan, b - pan), (_steep(c + tilt), _steep(d + tilt))))
    way = target - pose[:3, 3]
    distance = float(np.linalg.norm(way))
    heading, up = math.atan2(way[1], way[0]), math.asin(min(max(float(way[2]) / max(distance, 1e-9), -1.0), 1.0))
    heading -= math.radians(pan)
    up = math.radians(_steep(math.degrees(up) + tilt))
    sight = np.array([math.cos(up) * math.cos(heading), math.cos(up) * math.sin(heading), math.sin(up)])
    x, y, z = (np.asarray(rig.aim.point) + pose[:3, 3] + distance * sight - target).tolist()
    return dataclasses.replace(rig, aim=dataclasses.replace(rig.aim, point=(x, y, z)))


def leant(rig: Rig, roll: float) -> Rig:
    """The rig rolled by `roll` degrees more."""
    return dataclasses.replace(rig, roll=(rig.roll[0] + roll, rig.roll[1] + roll))


def turn_between(before: Array, after: Array) -> tuple[float, float]:  # [3, 3] each -> degrees
    """Pan (right) and tilt (up) from one camera rotation to another."""
    (h0, t0), (h1, t1) = heading_and_tilt(before), heading_and_tilt(after)
    pan = math.degrees(h0 - h1)
    return (pan + 180) % 360 - 180, math.degrees(t1 - t0)


def target_of(rig: Rig, subject_place: ArrayLike | None) -> Array:  # [3]
    """What an `At` looks at, given where its subject stands; the origin for a `Heading`."""
    if not isinstance(rig.aim, At):
        return np.zeros(3)
    point = np.asarray(rig.aim.point, dtype=np.float64)
    return point if subject_place is None else point + np.asarray(subject_place, dtype=np.float64)


def _steep(tilt: float) -> float:
    return min(max(tilt, -89.0), 89.0)
