"""Camera rigs: what carries the camera, how fast, where it looks, and through which focal length.

Four things stand apart, so that each can be changed alone: the *mount* (the way in space), the *timing* (how that way
is covered in time), the *aim* (where it looks) and the *zoom* (which may hold a subject's size). A handheld shake
goes on top. A rig is frozen data that becomes plain values for the camera file (`to_value`, `rig_from_value`). `play`
turns it into a pose and a lens setting for every frame; nothing else in Splatfilm needs to know rigs, because a
document writes what was played as keys.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.curves import ConstantSpeed, Curve
from splatfilm.base.errors import did_you_mean
from splatfilm.cameras import Lens
from splatfilm.layout.aiming import CENTRE, aimed, headed, offset_mm, recorded_mm, rolled
from splatfilm.layout.noise import smooth_noise

Array = NDArray[np.float64]
Vector = tuple[float, float, float]
Pair = tuple[float, float]

LARGEST = 1e6
"""No number of a rig lies beyond: metres, degrees, millimetres."""


# ---- mounts: s in 0..1 to a place ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Still:
    """A tripod or a pan/tilt head: the camera stands at `position`."""

    kind: ClassVar[str] = "still"
    position: Vector

    def at(self, s: Array) -> Array:
        return np.tile(np.asarray(self.position, dtype=np.float64), (len(s), 1))


@dataclass(frozen=True)
class Track:
    """Straight rails, a slider or a pedestal, from `start` to `end`."""

    kind: ClassVar[str] = "track"
    start: Vector
    end: Vector

    def at(self, s: Array) -> Array:
        start, end = np.asarray(self.start, dtype=np.float64), np.asarray(self.end, dtype=np.float64)
        way: Array = start + s[:, None] * (end - start)
        return way


@dataclass(frozen=True)
class Rails:
    """Curved rails through at least two `points`, covered by length."""

    kind: ClassVar[str] = "rails"
    points: tuple[Vector, ...]

    def at(self, s: Array) -> Array:
        if len(self.points) < 2:
            raise ValueError("rails need at least two points")
        curve = Curve(range(len(self.points)), np.array(self.points))
        clock, last = ConstantSpeed(curve), len(self.points) - 1
        return np.array([curve.at(clock.time_at(float(one) * last)) for one in s])


@dataclass(frozen=True)
class Arc:
    """A part of a circle of `radius` metres about `centre`, between two headings in degrees, rising if asked.

    A heading says where on the circle the camera stands as seen from the centre: 0 along +X, counter-clockwise.
    """

    kind: ClassVar[str] = "arc"
    centre: Vector
    radius: float
    headings: Pair
    heights: Pair = (0.0, 0.0)  # metres above the centre

    def at(self, s: Array) -> Array:
        angle = np.radians(_between(self.headings, s))
        x, y, z = self.centre
        return np.stack(
            [x + self.radius * np.cos(angle), y + self.radius * np.sin(angle), z + _between(self.heights, s)], axis=-1
        )


@dataclass(frozen=True)
class Crane:
    """An arm of `arm` metres on a pivot; it swings between two headings and two elevations, in degrees."""

    kind: ClassVar[str] = "crane"
    pivot: Vector
    arm: float
    elevations: Pair
    headings: Pair

    def at(self, s: Array) -> Array:
        up, round_ = np.radians(_between(self.elevations, s)), np.radians(_between(self.headings, s))
        x, y, z = self.pivot
        flat = self.arm * np.cos(up)
        return np.stack([x + flat * np.cos(round_), y + flat * np.sin(round_), z + self.arm * np.sin(up)], axis=-1)


Mount = Still | Track | Rails | Arc | Crane


# ---- timing, aim, zoom, shake ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """The speed curve: rest for `wait_s`, `ease_in_s` to get up to speed, even speed, `ease_out_s` to rest again.

    Where the easings are longer than the move they are shortened alike.
    """

    wait_s: float = 0.0
    ease_in_s: float = 0.0
    ease_out_s: float = 0.0

    def progress(self, seconds: Array, duration: float) -> Array:
        """How much of the way is behind the camera, 0..1. The speed ramps are 3u^2-2u^3, so the camera never jolts."""
        moving = max(duration - self.wait_s, 0.0)
        if moving == 0:
            return np.where(seconds >= duration, 1.0, 0.0) if self.wait_s else np.zeros(len(seconds))
        shorten = min(1.0, moving / max(self.ease_in_s + self.ease_out_s, 1e-12))
        a, b = self.ease_in_s * shorten, self.ease_out_s * shorten
        speed = 1.0 / (moving - (a + b) / 2)
        t = np.clip(seconds - self.wait_s, 0.0, moving)
        way = speed * (t - a / 2)
        if a > 0:
            way = np.where(t < a, speed * a * _ramped(t / a), way)
        if b > 0:
            way = np.where(t > moving - b, 1.0 - speed * b * _ramped((moving - t) / b), way)
        return np.clip(way, 0.0, 1.0)


@dataclass(frozen=True)
class Heading:
    """A head that pans and tilts: from the first to the second heading and tilt, in degrees."""

    kind: ClassVar[str] = "heading"
    heading: Pair
    tilt: Pair = (0.0, 0.0)


@dataclass(frozen=True)
class At:
    """Looks at `point`, or at `subject` (a member of the cast) plus `point`, which appears at `place` in the frame."""

    kind: ClassVar[str] = "at"
    point: Vector
    subject: str = ""
    place: Pair = CENTRE


Aim = Heading | At


@dataclass(frozen=True)
class Shake:
    """A camera on a shoulder: `sway` metres, `turn` degrees, about `rate` swings a second, repeatable by `seed`."""

    sway: float = 0.008
    turn: float = 0.35
    rate: float = 0.9
    seed: int = 1


@dataclass(frozen=True)
class Rig:
    """A whole camera move. `focal_mm` and `roll` (degrees) go from their first to their second value along the way.

    `hold_size`: instead of the second focal length, the one that keeps what the camera aims at as large as it is at the
    first frame (the dolly zoom). `follow_focus`: the focus lies on what the camera aims at; needs an `At`.
    """

    mount: Mount
    aim: Aim
    focal_mm: Pair
    roll: Pair = (0.0, 0.0)
    timing: Timing = field(default_factory=Timing)
    hold_size: bool = False
    follow_focus: bool = False
    shake: Shake | None = None

    def __post_init__(self) -> None:
        if min(self.focal_mm) <= 0:
            raise ValueError(f"focal_mm is {list(self.focal_mm)}: expected focal lengths above 0")
        for what, wanted in (("hold_size", self.hold_size), ("follow_focus", self.follow_focus)):
            if wanted and not isinstance(self.aim, At):
                raise ValueError(f"{what} needs an aim at a point or a subject")


@dataclass(frozen=True)
class Take:
    """What a rig must know of the film to be played: frames, rate, picture size, lens and who stands where.

    `follow(name, frame)` gives where a member of the cast stands.
    """

    scene: str
    frames: Sequence[float]
    rate: float
    size: tuple[int, int]
    lens: Lens
    follow: Callable[[str, float], Sequence[float]]


@dataclass(frozen=True, eq=False)
class Played:
    """A rig over a take's frames."""

    positions: Array  # [F, 3] metres
    rotations: Array  # [F, 3, 3] camera-to-world
    focal_mm: Array  # [F]
    focus_m: Array | None  # [F], None where the rig does not say


def play(rig: Rig, take: Take) -> Played:
    """The camera at every frame. Raises `ValueError` where the rig asks for what no camera can do."""
    frames = np.asarray(take.frames, dtype=np.float64)
    seconds = (frames - frames[0]) / take.rate
    s = rig.timing.progress(seconds, float(seconds[-1]))
    positions = rig.mount.at(s)
    roll = np.radians(_between(rig.roll, s))
    focal = np.exp(_between((math.log(rig.focal_mm[0]), math.log(rig.focal_mm[1])), s))
    focus: Array | None = None
    if isinstance(rig.aim, At):
        points = _points(rig.aim, take, frames)
        away = offset_mm(rig.aim.place, recorded_mm(take.lens, take.size))
        if rig.hold_size:
            focal = holding_size(positions, points, rig.focal_mm[0], away)
        rotations = aimed(positions, points, np.tile(away, (len(frames), 1)), focal, roll)
        if rig.follow_focus:
            focus = np.einsum("fi,fi->f", points - positions, rotations[:, :, 2])
    else:
        heading, tilt = (np.radians(_between(pair, s)) for pair in (rig.aim.heading, rig.aim.tilt))
        rotations = rolled(headed(heading, tilt), roll)
    if rig.shake is not None:
        positions, rotations = _shaken(rig.shake, take, positions, rotations)
    return Played(positions, rotations, focal, focus)


def holding_size(positions: Array, points: Array, focal_mm: float, away_mm: Pair) -> Array:  # [F, 3] x2 -> [F] mm
    """The focal lengths that keep something at `points` as large in the picture as it is at the first frame.

    Its size is proportional to f / depth. Seen `away_mm` from the centre, at distance D, its depth is
    D f / sqrt(f^2 + r^2) with r = |away_mm|, so sqrt(f^2 + r^2) / D is kept: f = sqrt((D / D0)^2 (f0^2 + r^2) - r^2).
    Raises `ValueError` where the camera comes so close that no lens is wide enough.
    """
    distance = np.linalg.norm(points - positions, axis=-1)
    if not distance[0] > 0:
        raise ValueError("a camera cannot look at the point where it stands")
    r2 = away_mm[0] ** 2 + away_mm[1] ** 2
    squared = (distance / distance[0]) ** 2 * (focal_mm**2 + r2) - r2
    if np.any(squared < 1.0):
        raise ValueError("the camera comes so close that a focal length under 1 mm would be needed to hold the size")
    focal: Array = np.sqrt(squared)
    return focal


def _points(aim: At, take: Take, frames: Array) -> Array:  # [F, 3]
    points = np.tile(np.asarray(aim.point, dtype=np.float64), (len(frames), 1))
    if aim.subject:
        points += np.array([take.follow(aim.subject, float(frame)) for frame in frames])
    return points


def _shaken(shake: Shake, take: Take, positions: Array, rotations: Array) -> tuple[Array, Array]:
    """Sway and turn on the scene's clock: the same at one scene frame in every shot with this seed."""
    swings = np.asarray(take.frames, dtype=np.float64) / take.rate * shake.rate
    noise = {what: smooth_noise((take.scene, shake.seed, what), swings) for what in _SHAKEN}
    sway = shake.sway * np.stack([noise[what] for what in _SHAKEN[:3]], axis=-1)
    yaw, pitch, lean = (math.radians(shake.turn) * noise[what] for what in _SHAKEN[3:])
    turned = rotations @ _small_turns(pitch, yaw)
    return positions + sway, rolled(turned, 0.5 * lean)


_SHAKEN = ("shake x", "shake y", "shake z", "shake pan", "shake tilt", "shake roll")


def _small_turns(pitch: Array, yaw: Array) -> Array:  # [F] each -> [F, 3, 3]
    """About the camera's own right axis, then about its down axis."""
    turn = np.zeros((len(pitch), 3, 3))
    cp, sp, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 0, 2] = cy, sy * sp, sy * cp
    turn[:, 1, 1], turn[:, 1, 2] = cp, -sp
    turn[:, 2, 0], turn[:, 2, 1], turn[:, 2, 2] = -sy, cy * sp, cy * cp
    return turn


def _between(pair: Pair, s: Array) -> Array:
    return pair[0] + s * (pair[1] - pair[0])


def _ramped(u: Array) -> Array:
    """The integral of 3u^2 - 2u^3 from 0 to u."""
    way: Array = u**3 - u**4 / 2
    return way


# ---- plain values ----------------------------------------------------------------------------------------------------

_KINDS: Mapping[str, Mapping[str, type]] = {
    "mount": {one.kind: one for one in (Still, Track, Rails, Arc, Crane)},
    "aim": {one.kind: one for one in (Heading, At)},
}


def to_value(rig: Rig) -> dict[str, Any]:
    """The rig as plain values, for a camera file or a page."""
    value = _plain(dataclasses.asdict(rig))
    for part in _KINDS:
        value[part] = {"kind": getattr(rig, part).kind, **value[part]}
    if rig.shake is None:
        del value["shake"]
    result: dict[str, Any] = value
    return result


def rig_from_value(value: object) -> Rig:
    """The rig that plain values mean. Raises `ValueError` with the place and what would have been right."""
    given = _only(value, "rig", [f.name for f in dataclasses.fields(Rig)])
    parts: dict[str, Any] = {}
    for name, item in given.items():
        if name in _KINDS:
            parts[name] = _kind(item, name)
        elif name == "timing":
            parts[name] = _filled(Timing, item, name)
        elif name == "shake":
            parts[name] = None if item is None else _filled(Shake, item, name)
        elif name in ("hold_size", "follow_focus"):
            parts[name] = _checked(item, bool, name)
        else:
            parts[name] = _checked(item, Pair, name)
    missing = [name for name in ("mount", "aim", "focal_mm") if name not in parts]
    if missing:
        raise ValueError(f"rig: missing {', '.join(missing)}")
    return Rig(**parts)


def _kind(value: object, part: str) -> Any:
    kinds = _KINDS[part]
    if not isinstance(value, Mapping) or value.get("kind") not in kinds:
        found = value.get("kind") if isinstance(value, Mapping) else value
        near = did_you_mean(found, kinds) if isinstance(found, str) else ""
        raise ValueError(f"{part}.kind: expected one of {', '.join(kinds)}, found {found!r}{near}")
    return _filled(kinds[value["kind"]], {k: v for k, v in value.items() if k != "kind"}, part)


def _filled(made: Any, value: object, place: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(made)}
    given = _only(value, place, list(fields))
    missing = [
        name
        for name, f in fields.items()
        if name not in given and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"{place}: missing {', '.join(missing)}")
    kinds = {"Vector": Vector, "Pair": Pair, "float": float, "int": int, "str": str}
    return made(**{k: _checked(v, kinds.get(str(fields[k].type), tuple), f"{place}.{k}") for k, v in given.items()})


def _checked(value: Any, kind: Any, place: str) -> Any:
    if kind is bool or kind is str:
        if isinstance(value, kind):
            return value
        raise ValueError(f"{place}: expected {'true or false' if kind is bool else 'a text'}, found {value!r}")
    if kind is int:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
            return value
        raise ValueError(f"{place}: expected a whole number, found {value!r}")
    if kind is float:
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:
            return float(value)
        raise ValueError(f"{place}: expected a number, found {value!r}")
    if kind is tuple:
        if isinstance(value, list | tuple) and 2 <= len(value) <= 1000:
            return tuple(_checked(item, Vector, f"{place}[{i}]") for i, item in enumerate(value))
        raise ValueError(f"{place}: expected two points or more, found {value!r}")
    count = 3 if kind == Vector else 2
    if not isinstance(value, list | tuple) or len(value) != count:
        raise ValueError(f"{place}: expected {count} numbers, found {value!r}")
    return tuple(_checked(item, float, f"{place}[{i}]") for i, item in enumerate(value))


def _only(value: object, place: str, names: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place}: expected an object, found {value!r}")
    for name in value:
        if name not in names:
            raise ValueError(f"{place}: unknown {name!r}, known: {', '.join(names)}{did_you_mean(str(name), names)}")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
