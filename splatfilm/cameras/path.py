"""A camera's move on a scene's clock.

Every channel is keyed for itself and interpolated in the quantity that looks even on screen:

- position: metres, by the spline of `base.curves` through every key;
- rotation: quaternions the short way round, by the spline of the same rules; where two neighbouring keys both look at a
  point, the point moves instead, as a position does, and the camera follows it with its horizon level;
- roll: radians about the line of sight on top of either, positive lowers the right side of the camera;
- focal length: by its logarithm, so that a zoom magnifies by the same factor every frame;
- focus: by its reciprocal (dioptres), so that the blur of anything changes evenly during a pull.

Before the first key and after the last the camera stands still. `at` is a pure function: the same bits every time.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.curves import ConstantSpeed, Curve, Easing, RotationCurve
from splatfilm.base.errors import did_you_mean
from splatfilm.base.rigid import matrix_from_quaternion, multiply, quaternion_from_matrix
from splatfilm.cameras.camera import Camera
from splatfilm.cameras.lens import Lens

Array = NDArray[np.float64]
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Speed = Literal["keyed", "constant"]
SPEEDS = ("keyed", "constant")

# Only a timing curve that overshoots gets here: it must not push focus past infinity, or a zoom past all numbers.
_FARTHEST_M = 1e6
_STRONGEST_ZOOM = 30.0  # natural logarithm of a factor

_STRAIGHT_DOWN = 1e-9  # horizontal part of a line of sight below which a horizon has no meaning


@dataclass(frozen=True)
class Easings:
    """How each channel goes from one key to the next; see `splatfilm.base.curves.EASINGS`."""

    position: Easing = "smooth"
    rotation: Easing = "smooth"
    roll: Easing = "smooth"
    focal: Easing = "smooth"
    focus: Easing = "smooth"

    @classmethod
    def alike(cls, easing: Easing) -> Easings:
        """The same easing for every channel."""
        return cls(easing, easing, easing, easing, easing)


SMOOTH = Easings()


@dataclass(frozen=True)
class CameraKey:
    """Where the camera stands at one scene frame, and through which lens setting it looks.

    Exactly one of `rotation` (camera-to-world, OpenCV axes, wxyz) and `look_at` (a point) is given. A channel that is
    None here is not keyed here: it passes through on its way between the keys that have it.
    """

    frame: float  # scene frame
    position: Vector  # metres
    rotation: Quaternion | None = None
    look_at: Vector | None = None  # metres
    roll: float | None = None  # radians
    focal_mm: float | None = None
    focus_m: float | None = None
    easing: Easings = SMOOTH

    def __post_init__(self) -> None:
        if (self.rotation is None) == (self.look_at is None):
            raise ValueError("a camera key needs either a rotation or a point to look at, and not both")
        if self.look_at is not None and self.look_at == self.position:
            raise ValueError("a camera cannot look at the point where it stands")
        for name in ("focal_mm", "focus_m"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}: expected a positive finite number")
        for number in (self.frame, *(self.look_at or ()), *(self.rotation or ()), self.roll or 0.0, *self.position):
            if not math.isfinite(number):
                raise ValueError(f"a camera key holds {number}: every number must be finite")


@dataclass(frozen=True)
class CameraPath:
    """Keys in ascending order of frame, at least one, behind one `lens`.

    `speed` "constant" keeps the first and the last key's frames and lets the camera cover equal lengths of its way in
    equal times between them; every other channel stays with its place on the way. `notes` are what a careful reader of
    the file would tell the user. `rig` is the recipe that the keys were made from, where there is one: plain values
    that only an editor of rigs understands, and that no camera depends on.
    """

    keys: tuple[CameraKey, ...]
    lens: Lens = field(default_factory=Lens)
    speed: Speed = "keyed"
    notes: tuple[str, ...] = field(default=(), compare=False)
    rig: Mapping[str, Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("a camera path needs at least one key")
        if self.speed not in SPEEDS:
            raise ValueError(f'speed is "{self.speed}": expected {" or ".join(SPEEDS)}')
        _ = self._position, self._clock  # their rules are the path's: refused here, and not when a frame is asked for

    @property
    def first(self) -> float:
        """The scene frame of the first key."""
        return self.keys[0].frame

    @property
    def last(self) -> float:
        """The scene frame of the last key."""
        return self.keys[-1].frame

    def at(self, frame: float, width: int, height: int) -> Camera:
        """The camera at scene frame `frame` (between frames too), recording `width` x `height` pixels."""
        return Camera.through(self.lens_at(frame), self.pose_at(frame), width, height)

    def bake(self, frames: Iterable[float], width: int, height: int) -> tuple[Camera, ...]:
        """The cameras at each of `frames`."""
        return tuple(self.at(frame, width, height) for frame in frames)

    def pose_at(self, frame: float) -> Array:  # -> [4, 4] camera-to-world
        """Where the camera stands and how it is turned at scene frame `frame`."""
        time = self._time(frame)
        pose = np.eye(4)
        pose[:3, 3] = self._position.at(time)
        rotation = self._rotation_at(time, pose[:3, 3])
        if self._roll is not None:
            half = float(self._roll.at(time)[0]) / 2
            rotation = multiply(rotation, (math.cos(half), 0.0, 0.0, math.sin(half)))
        pose[:3, :3] = matrix_from_quaternion(rotation)
        return pose

    def lens_at(self, frame: float) -> Lens:
        """The lens as it is set at scene frame `frame`."""
        time = self._time(frame)
        i = max(bisect_right(self._frames, time) - 1, 0)
        here = self.keys[i] if self._frames[i] == time else None
        focal = here.focal_mm if here else None  # keys are met to the bit, in spite of the logarithm
        focus = here.focus_m if here else None
        if focal is None and self._focal is not None:
            exponent = float(self._focal.curve.at(time)[0])
            focal = self._focal.unit * math.exp(min(max(exponent, -_STRONGEST_ZOOM), _STRONGEST_ZOOM))
        if focus is None and self._focus is not None:
            dioptres = float(self._focus.curve.at(time)[0]) / self._focus.unit
            focus = 1 / max(dioptres, 1 / _FARTHEST_M)
        return self.lens.replaced(focal_mm=focal, focus_m=focus)

    def knots(self, first: float, last: float) -> tuple[float, ...]:
        """Where the keys between two scene frames lie: 0 at the first and 1 at the last of them, by the path's time."""
        begin, end = self._time(first), self._time(last)
        return tuple((frame - begin) / (end - begin) for frame in self._frames if begin < frame < end)

    def with_lens(self, changes: Mapping[str, object]) -> CameraPath:
        """The same move with fields of its lens replaced; a replaced focal length or focus is no longer keyed.

        Raises `ValueError` for a field that no lens has, or a value that it cannot have.
        """
        fields = [f.name for f in dataclasses.fields(Lens)]
        for name in changes:
            if name not in fields:
                raise ValueError(f'a lens has no "{name}": it has {", ".join(fields)}{did_you_mean(name, fields)}')
        drop = {name: None for name in ("focal_mm", "focus_m") if changes.get(name) is not None}
        keys = tuple(dataclasses.replace(key, **drop) for key in self.keys)  # type: ignore[arg-type]
        return dataclasses.replace(self, keys=keys, lens=self.lens.replaced(**changes))

    # ---- channels ----------------------------------------------------------------------------------------------------

    def _time(self, frame: float) -> float:
        if not math.isfinite(frame):
            raise ValueError(f"a scene frame must be a finite number, not {frame}")
        return self._clock.time_at(frame) if self._clock is not None else frame

    @cached_property
    def _frames(self) -> tuple[float, ...]:
        return tuple(key.frame for key in self.keys)

    @cached_property
    def _position(self) -> Curve:
        return Curve(self._frames, np.array([k.position for k in self.keys]), [k.easing.position for k in self.keys])

    @cached_property
    def _clock(self) -> ConstantSpeed | None:
        return ConstantSpeed(self._position) if self.speed == "constant" else None

    @cached_property
    def _roll(self) -> Curve | None:
        keyed = [(k.frame, k.roll, k.easing.roll) for k in self.keys if k.roll is not None]
        return _curve_of_numbers(keyed) if keyed else None

    @cached_property
    def _focal(self) -> _Scaled | None:
        keyed = [(k.frame, k.focal_mm, k.easing.focal) for k in self.keys if k.focal_mm is not None]
        if not keyed:
            return None
        unit = keyed[0][1]
        return _Scaled(unit, _curve_of_numbers([(t, math.log(v / unit), e) for t, v, e in keyed]))

    @cached_property
    def _focus(self) -> _Scaled | None:
        keyed = [(k.frame, k.focus_m, k.easing.focus) for k in self.keys if k.focus_m is not None]
        if not keyed:
            return None
        unit = keyed[0][1]
        return _Scaled(unit, _curve_of_numbers([(t, unit / v, e) for t, v, e in keyed]))

    @cached_property
    def _rotation(self) -> RotationCurve:
        """Through every key; a key that looks at a point counts with the rotation that this gives it."""
        turns = [k.rotation or facing(k.position, k.look_at) for k in self.keys]  # type: ignore[arg-type]
        return RotationCurve(self._frames, np.array(turns), [k.easing.rotation for k in self.keys])

    @cached_property
    def _aims(self) -> tuple[Curve | None, ...]:
        """For each key the curve of the point looked at, over the run of neighbours that look at points."""
        result: list[Curve | None] = []
        while len(result) < len(self.keys):
            start = stop = len(result)
            while stop < len(self.keys) and self.keys[stop].look_at is not None:
                stop += 1
            run = self.keys[start:stop]
            if run:
                points = np.array([key.look_at for key in run])
                curve = Curve([k.frame for k in run], points, [k.easing.rotation for k in run])
                result += [curve] * len(run)
            else:
                result.append(None)
        return tuple(result)

    def _rotation_at(self, time: float, position: Array) -> ArrayLike:
        i = min(max(bisect_right(self._frames, time) - 1, 0), len(self.keys) - 1)
        aim = self._aims[i]
        following = self._aims[min(i + 1, len(self.keys) - 1)]
        if aim is not None and (aim is following or time <= self._frames[i]):
            point = aim.at(time)
            if not np.array_equal(point, position):
                return facing(position, point)
        return self._rotation.at(time)


def facing(position: ArrayLike, point: ArrayLike) -> Quaternion:
    """The rotation of a camera at `position` that looks at `point` with a level horizon, wxyz.

    Straight down or up there is no horizon; the top of the picture is then +Y. Raises `ValueError` when both are one
    point.
    """
    sight = np.asarray(point, dtype=np.float64) - np.asarray(position, dtype=np.float64)
    length = math.hypot(*sight.tolist())
    if length == 0:
        raise ValueError("a camera cannot look at the point where it stands")
    x, y, z = (sight / length).tolist()
    level = math.hypot(x, y)
    right = (y / level, -x / level, 0.0) if level > _STRAIGHT_DOWN else (math.copysign(1.0, -z), 0.0, 0.0)
    r, s, t = right
    down = (
        y * t - z * s,
        z * r - x * t,
        x * s - y * r,
    )  # forward x right, written out: np.cross takes ten times longer
    columns = np.array([right, down, (x, y, z)]).T
    w, i, j, k = quaternion_from_matrix(columns).tolist()
    return w, i, j, k


class _Scaled(NamedTuple):
    """A curve of a quantity as a multiple of its first value, so that a value that rests does so to the bit."""

    unit: float
    curve: Curve


def _curve_of_numbers(keyed: list[tuple[float, float, Easing]]) -> Curve:
    frames, values, easings = zip(*keyed, strict=True)
    return Curve(frames, np.array(values)[:, None], easings)
