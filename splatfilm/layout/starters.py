"""A first version of every kind of rig, from where the camera stands: something to change, never an empty form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import did_you_mean
from splatfilm.layout.aiming import heading_and_tilt
from splatfilm.layout.rigs import Arc, At, Crane, Heading, Rig, Shake, Still, Timing, Track, Vector

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class From:
    """Where a rig starts: a pose [4, 4], a focal length, and how far away what the camera looks at is, in metres."""

    pose: Array
    focal_mm: float
    distance: float

    @property
    def position(self) -> Vector:
        return _vector(self.pose[:3, 3])

    @property
    def target(self) -> Vector:
        return _vector(self.pose[:3, 3] + self.distance * self.pose[:3, 2])

    def moved(self, right: float = 0.0, forward: float = 0.0) -> Vector:
        return _vector(self.pose[:3, 3] + right * self.pose[:3, 0] + forward * self.pose[:3, 2])


def starting(kind: str, start: From) -> Rig:
    """A rig of a kind in `STARTERS`, beginning with the present picture. Raises `ValueError` for no such kind."""
    if kind not in STARTERS:
        raise ValueError(f"no rig {kind!r}; there is {', '.join(STARTERS)}{did_you_mean(kind, STARTERS)}")
    return STARTERS[kind](start)


def _locked_off(start: From) -> Rig:
    return Rig(Still(start.position), At(start.target), (start.focal_mm, start.focal_mm))


def _pan_tilt(start: From) -> Rig:
    heading, tilt = (math.degrees(angle) for angle in heading_and_tilt(start.pose[:3, :3]))
    aim = Heading((heading, heading - 15), (tilt, tilt))
    return Rig(Still(start.position), aim, (start.focal_mm, start.focal_mm), timing=_EASED)


def _dolly(start: From) -> Rig:
    mount = Track(start.position, start.moved(right=0.25 * start.distance))
    return Rig(mount, At(start.target), (start.focal_mm, start.focal_mm), timing=_EASED)


def _push_in(start: From) -> Rig:
    mount = Track(start.position, start.moved(forward=0.35 * start.distance))
    return Rig(mount, At(start.target), (start.focal_mm, start.focal_mm), timing=_EASED)


def _dolly_zoom(start: From) -> Rig:
    return replace(_push_in(start), hold_size=True)


def _arc(start: From) -> Rig:
    way = np.asarray(start.position) - np.asarray(start.target)
    radius, heading = float(np.hypot(way[0], way[1])), math.degrees(math.atan2(way[1], way[0]))
    x, y, z = start.target
    mount = Arc((x, y, z), max(radius, 0.1), (heading, heading + 30), (float(way[2]), float(way[2])))
    return Rig(mount, At(start.target), (start.focal_mm, start.focal_mm), timing=_EASED)


def _crane(start: From) -> Rig:
    """The arm lies level at the start, its pivot behind the camera, and rises by 25 degrees."""
    heading, _ = heading_and_tilt(start.pose[:3, :3])
    arm = 3.0
    x, y, z = start.position
    pivot = (x - arm * math.cos(heading), y - arm * math.sin(heading), z)
    angle = math.degrees(heading)
    mount = Crane(pivot, arm, (0.0, 25.0), (angle, angle))
    return Rig(mount, At(start.target), (start.focal_mm, start.focal_mm), timing=_EASED)


def _handheld(start: From) -> Rig:
    return replace(_locked_off(start), shake=Shake())


_EASED = Timing(0.0, 0.5, 0.5)

STARTERS: Mapping[str, Callable[[From], Rig]] = {
    "locked-off": _locked_off,
    "pan-tilt": _pan_tilt,
    "dolly": _dolly,
    "push-in": _push_in,
    "dolly-zoom": _dolly_zoom,
    "arc": _arc,
    "crane": _crane,
    "handheld": _handheld,
}


def _vector(values: Array) -> Vector:
    x, y, z = values.tolist()
    return x, y, z
