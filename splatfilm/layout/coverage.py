"""Coverage: the set-ups that a dialogue or an object is usually shot with, computed from where the subjects stand.

The line runs through the two subjects; every set-up stands on one side of it, so that whatever is cut together keeps
its screen direction (the 180-degree rule). Distances follow from the lens: a piece of the subject H metres high fills
the picture's height at H f / h, where h is the height in mm that the picture records. Everything comes back as a `Rig`
that stands still, to be changed like any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import did_you_mean
from splatfilm.cameras import Lens
from splatfilm.layout.aiming import recorded_mm
from splatfilm.layout.rigs import At, Rig, Still

Array = NDArray[np.float64]
Side = Literal["left", "right"]

EYES = 0.936
"""Height of the eyes as a part of a standing person's (mean of adults: 1.63 m of 1.74 m, ISO 7250-2)."""

SHOT_SIZES: Mapping[str, tuple[float, float]] = {
    "ws": (1.25, 0.50),
    "fs": (1.08, 0.50),
    "mls": (0.78, 0.64),
    "ms": (0.56, 0.75),
    "mcu": (0.38, 0.84),
    "cu": (0.24, 0.90),
    "ecu": (0.13, 0.93),
}
"""How much of a standing subject's height the frame shows, and the height (as a part) of the frame's centre.

Wide, full, medium long (knees), medium (waist), medium close-up (chest), close-up (collar), extreme close-up.
"""


@dataclass(frozen=True)
class Subject:
    """Who or what is covered: where it stands on the floor (metres), how tall it is, and whether it is somebody."""

    name: str
    position: tuple[float, float, float]
    height: float = 1.7
    person: bool = True

    def at(self, part: float) -> Array:
        """A point on its axis at a part of its height."""
        x, y, z = self.position
        return np.array([x, y, z + part * self.height])


@dataclass(frozen=True)
class Setting:
    """What every set-up is computed for: the line from `a` to `b`, the side of it, lens and picture size.

    `side` is seen by somebody who walks from a to b.
    """

    a: Subject
    b: Subject
    side: Side
    lens: Lens
    size: tuple[int, int]

    def __post_init__(self) -> None:
        if self.side not in ("left", "right"):
            raise ValueError(f"side is {self.side!r}: expected left or right")
        if np.linalg.norm((self.b.at(0) - self.a.at(0))[:2]) < 1e-3:
            raise ValueError(f"{self.a.name} and {self.b.name} stand in one place: there is no line between them")

    @property
    def along(self) -> Array:  # [3] unit, level
        way = self.b.at(0) - self.a.at(0)
        way[2] = 0
        unit: Array = way / np.linalg.norm(way)
        return unit

    @property
    def across(self) -> Array:  # [3] unit, level, towards the chosen side
        x, y, _ = self.along
        left = np.array([-y, x, 0.0])
        return left if self.side == "left" else -left

    def distance(self, height: float) -> float:
        """From where a piece of `height` metres fills the picture's height."""
        return height * self.lens.focal_mm / recorded_mm(self.lens, self.size)[1]

    def distance_across(self, width: float) -> float:
        """From where a piece of `width` metres fills the picture's width."""
        return width * self.lens.focal_mm / recorded_mm(self.lens, self.size)[0]


def master(setting: Setting) -> Rig:
    """Both subjects whole, with air around them, from the side."""
    return _of_both(setting, 1.35, 1.6, 0.5)


def two_shot(setting: Setting) -> Rig:
    """Both subjects from the waist up, from the side."""
    return _of_both(setting, 0.58, 1.3, 0.76)


def over_the_shoulder(setting: Setting, of: str) -> Rig:
    """`of`, seen past the other one's shoulder: the camera 0.6 m behind it, turned 25 degrees off the line."""
    shown, shoulder = _pair(setting, of)
    way = (shown.at(0) - shoulder.at(0)) * (1, 1, 0)
    length = float(np.linalg.norm(way))
    back = way / length
    reach = length + 0.6
    off = reach * math.tan(math.radians(25.0)) * 0.6
    position = shoulder.at(EYES) - 0.6 * back + off * setting.across
    return _standing(setting, position, shown.at(EYES - 0.04), (0.5, 0.42))


def single(setting: Setting, of: str, shot_size: str = "mcu") -> Rig:
    """`of` alone in one of `SHOT_SIZES`, 30 degrees off the line, from the other's side of it."""
    if shot_size not in SHOT_SIZES:
        sizes = ", ".join(SHOT_SIZES)
        raise ValueError(f"no shot size {shot_size!r}; there is {sizes}{did_you_mean(shot_size, SHOT_SIZES)}")
    shown, other = _pair(setting, of)
    part, centre = SHOT_SIZES[shot_size]
    towards = (other.at(0) - shown.at(0)) * (1, 1, 0)
    towards = towards / np.linalg.norm(towards)
    sight = math.cos(math.radians(30)) * towards + math.sin(math.radians(30)) * setting.across
    middle = shown.at(centre)
    return _standing(setting, middle + setting.distance(part * shown.height) * sight, middle)


def insert(setting: Setting, of: str) -> Rig:
    """`of` filling two thirds of the frame's height, from the side and 35 degrees above."""
    shown, _ = _pair(setting, of)
    middle = shown.at(0.5)
    up = math.radians(35)
    sight = math.cos(up) * setting.across + np.array([0.0, 0.0, math.sin(up)])
    return _standing(setting, middle + setting.distance(shown.height * 1.5) * sight, middle)


def top(setting: Setting) -> Rig:
    """Both subjects from straight above (a hair off, so that the line lies level in the frame)."""
    middle = (setting.a.at(0.5) + setting.b.at(0.5)) / 2
    length = float(np.linalg.norm((setting.b.at(0) - setting.a.at(0))[:2]))
    away = max(setting.distance_across(length + 1.2), setting.distance(1.6))
    tallest = max(setting.a.height, setting.b.height)
    position = middle + (0.0, 0.0, away + tallest / 2) + 0.001 * setting.across
    return _standing(setting, position, middle)


def set_ups(a: Subject, b: Subject) -> tuple[str, ...]:
    """What the two are usually covered by, best first: two people by `master`, `two-shot`, `ots-A`, `single-A-mcu`.

    A thing is an `insert`, or seen past a person's shoulder; nobody is seen past a thing. `top` is there for everybody.
    """
    people, both = [one for one in (a, b) if one.person], (a, b)
    things = [one for one in both if not one.person]
    names = ["master", "two-shot"] if len(people) == 2 else []
    names += [f"insert-{one.name}" for one in things]
    names += [f"ots-{one.name}" for one, other in (both, both[::-1]) if other.person]
    names += [f"single-{one.name}-{size}" for one in people for size in SHOT_SIZES]
    return (*names, "top", *(f"insert-{one.name}" for one in people))


def presets(setting: Setting) -> Mapping[str, Callable[[], Rig]]:
    """Every one of the `set_ups` of a setting by name; made when called."""
    made: dict[str, Callable[[], Rig]] = {
        "master": lambda: master(setting),
        "two-shot": lambda: two_shot(setting),
        "top": lambda: top(setting),
    }
    for name in (setting.a.name, setting.b.name):
        made[f"ots-{name}"] = lambda name=name: over_the_shoulder(setting, name)  # type: ignore[misc]
        made[f"insert-{name}"] = lambda name=name: insert(setting, name)  # type: ignore[misc]
        for size in SHOT_SIZES:
            made[f"single-{name}-{size}"] = lambda name=name, size=size: single(setting, name, size)  # type: ignore[misc]
    return {name: made[name] for name in set_ups(setting.a, setting.b)}


def coverage(setting: Setting, name: str) -> Rig:
    """The set-up of that name (see `presets`). Raises `ValueError` with what there is."""
    known = presets(setting)
    if name not in known:
        raise ValueError(f"no set-up {name!r}; there is {', '.join(known)}{did_you_mean(name, known)}")
    return known[name]()


def _of_both(setting: Setting, part: float, air: float, centre: float) -> Rig:
    middle = (setting.a.at(centre) + setting.b.at(centre)) / 2
    length = float(np.linalg.norm((setting.b.at(0) - setting.a.at(0))[:2]))
    tallest = max(setting.a.height, setting.b.height)
    away = max(setting.distance(part * tallest), setting.distance_across(length * air + 0.5))
    return _standing(setting, middle + away * setting.across, middle)


def _pair(setting: Setting, of: str) -> tuple[Subject, Subject]:
    if of == setting.a.name:
        return setting.a, setting.b
    if of == setting.b.name:
        return setting.b, setting.a
    raise ValueError(f"{of!r} is not on the line: it runs from {setting.a.name} to {setting.b.name}")


def _standing(setting: Setting, position: Array, point: Array, place: tuple[float, float] = (0.5, 0.5)) -> Rig:
    px, py, pz = position.tolist()
    x, y, z = point.tolist()
    focal = setting.lens.focal_mm
    return Rig(Still((px, py, pz)), At((x, y, z), place=place), (focal, focal), follow_focus=True)
