"""Curves through keys in time, for cameras and for whatever else moves: values in R^n and rotations.

Why not plain Catmull-Rom: at unevenly spaced keys it swings metres past them, and a camera that should rest between two
equal keys drifts. The curves here are cubic Hermite in time with velocities at the keys chosen so that

- every key is met exactly and the velocity is continuous (C1) wherever no easing says otherwise;
- a key moves only the two segments on either side of it and, at the ends of the curve, none further;
- two keys give a straight line at even speed; equal neighbouring keys give rest, to the bit;
- in one dimension nothing ever leaves the interval between two keys: the velocities are those of F. Fritsch and
  J. Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5
  (1984);
- in more dimensions the same rule is applied to speeds, so that no key is passed much faster than three times the mean
  speed of its slower neighbour, at any spacing and whatever the axes; the direction is that of the circle through the
  three keys, and evenly timed keys on a circle, 90 degrees apart or closer, give that circle to 0.03 %;
- a turn back of 180 degrees comes to rest at the key.

Rotations take the short way round and follow the same rule on angular velocities (cumulative cubic Bezier curves on
unit quaternions: M.-J. Kim, M.-S. Kim, S. Shin, "A general construction scheme for unit quaternion curves", SIGGRAPH
1995): a pan about one axis behaves exactly like a one-dimensional curve of its angle, and two keys give slerp.

Everything is float64 on one key at a time, with no reduction whose order could change: the same bits at every call.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import did_you_mean
from splatfilm.base.rigid import multiply, normalised

Array = NDArray[np.float64]

Easing = str | tuple[float, float, float, float]
"""A name in `EASINGS`, or the (x1, y1, x2, y2) of a cubic Bezier timing curve from (0, 0) to (1, 1)."""

EASINGS: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "smooth": lambda u: u,
        "linear": lambda u: u,
        "hold": lambda u: 0.0,
        "ease-in": lambda u: u * u * (2 - u),
        "ease-out": lambda u: u * (1 + u * (1 - u)),
        "ease-in-out": lambda u: u * u * (3 - 2 * u),
    }
)
"""How time passes from one key to the next, 0..1 to 0..1. An easing belongs to the key that a segment starts from.

`smooth` follows the curve as it is. `linear` goes straight to the next key at even speed. `hold` stays, then jumps. The
others stay on the smooth curve and change its timing: `ease-in` starts from rest and arrives at the curve's own speed,
`ease-out` leaves at the curve's own speed and comes to rest, so that both join a smooth neighbour without a jolt;
`ease-in-out` rests at both ends.
"""

_TOLERATED_TURN = math.sqrt(0.5)  # cosine of half of a 90 degree turn; sharper turns slow down, to rest at 180 degrees
_WILDEST = 100  # how far the y of a timing curve may lie from its ends at 0 and 1
_STEEPEST = 3.0  # times the chord's speed: within it a cubic segment stays monotone (Fritsch and Carlson 1980)


def easing(value: object) -> Easing:
    """The easing that a file's `value` means: a name or four numbers. Raises `ValueError` with what is valid."""
    if isinstance(value, str):
        if value in EASINGS:
            return value
        raise ValueError(f'"{value}" is no easing: expected {_expected_easings()}{did_you_mean(value, EASINGS)}')
    if isinstance(value, Sequence) and len(value) == 4:
        numbers = [v for v in value if isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= _WILDEST]
        if len(numbers) == 4:
            x1, y1, x2, y2 = map(float, numbers)
            if not (0 <= x1 <= 1 and 0 <= x2 <= 1):
                raise ValueError(f"x1 and x2 of a timing curve must lie in 0..1, found {x1:g} and {x2:g}")
            return x1, y1, x2, y2
    raise ValueError(f"{value!r} is no easing: expected {_expected_easings()}")


def eased(how: Easing, u: float) -> float:
    """Where in its segment a curve stands when `u` of its time is over: 0..1, or beyond when a timing curve says so."""
    return EASINGS[how](u) if isinstance(how, str) else _bezier(how, u)


@dataclass(frozen=True, eq=False)
class _Keyed:
    """Keys in time: strictly ascending finite `times`, an easing each (the last one's has nothing to shape)."""

    times: Sequence[float]
    values: Array  # [K, n]
    easings: Sequence[Easing] = ()
    _known: dict[int, tuple[Array, Array]] = field(init=False, repr=False, default_factory=dict)  # tangents by segment

    def __post_init__(self) -> None:
        times = tuple(float(t) for t in self.times)
        values = np.array(self.values, dtype=np.float64)
        easings = tuple(self.easings) or ("smooth",) * len(times)
        if not times:
            raise ValueError("a curve needs at least one key")
        if not (len(times) == len(values) == len(easings)) or values.ndim != 2:
            raise ValueError(
                f"{len(times)} times, values of shape {values.shape} and {len(easings)} easings do not match"
            )
        if not (all(map(math.isfinite, times)) and np.all(np.isfinite(values))):
            raise ValueError("times and values of keys must be finite")
        if any(b <= a for a, b in itertools.pairwise(times)):
            raise ValueError("keys must be in ascending order of time, no two at one time")
        values.flags.writeable = False
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "easings", tuple(map(easing, easings)))

    def _segment(self, time: float) -> tuple[int, float] | None:
        """The segment that holds `time` and the eased place in it; None before the first key and from the last on."""
        if not self.times[0] <= time < self.times[-1]:
            return None
        i = bisect_right(self.times, time) - 1
        u = (time - self.times[i]) / (self.times[i + 1] - self.times[i])
        return i, eased(self.easings[i], u)

    def _duration(self, i: int) -> float:
        return self.times[i + 1] - self.times[i]

    def _velocity(self, i: int) -> Array:
        """The mean velocity of segment `i`, [n] a unit of time."""
        raise TypeError("only curves of values and of rotations have velocities")

    def _joint(self, key: int) -> _Joint | None:
        """How the curve passes `key`; None where it starts or ends there."""
        if not 0 < key < len(self.times) - 1:
            return None
        before, after = self.easings[key - 1], self.easings[key]
        if "hold" in (before, after):
            return None
        incoming, outgoing = self._velocity(key - 1), self._velocity(key)
        if before == "linear":
            return _off_a_straight(incoming, outgoing)
        if after == "linear":
            return _off_a_straight(outgoing, incoming)
        return _smooth_joint(incoming, self._duration(key - 1), outgoing, self._duration(key))

    def _tangents(self, i: int) -> tuple[Array, Array]:
        """The velocities at the start and at the end of the curved segment `i`, worked out once."""
        known = self._known.get(i)
        if known is None:
            known = self._known[i] = self._worked_out(i)
        return known

    def _worked_out(self, i: int) -> tuple[Array, Array]:
        chord = self._velocity(i)
        start, end = self._joint(i), self._joint(i + 1)
        if start is None:
            return (chord if end is None else self._free_end(chord, end)), (chord if end is None else end.velocity)
        return start.velocity, (self._free_end(chord, start) if end is None else end.velocity)

    def _free_end(self, chord: Array, other: _Joint) -> Array:
        """The velocity at an end of the curve, from the joint at the segment's other end.

        Speed as for a natural spline (no acceleration at the end); direction as if the segment were a symmetric arc.
        """
        length = _norm(chord)
        if length == 0:
            return chord
        axis = chord / length
        speed = max(0.0, 1.5 * length - 0.5 * _norm(other.velocity) / other.bend) * other.bend
        mirrored = 2 * _dot(other.velocity, axis) * axis - other.velocity
        direction = other.openness * _unit(mirrored) + (1 - other.openness) * axis
        return speed * _unit(direction)


@dataclass(frozen=True, eq=False)
class Curve(_Keyed):
    """A curve through `values` [K, n] at `times` [K]. Before the first key and after the last it holds their values."""

    def at(self, time: float) -> Array:  # -> [n]
        """The value at `time`."""
        place = self._segment(time)
        if place is None:
            return np.array(self.values[0 if time < self.times[0] else -1])
        i, u = place
        return np.array(self.values[i]) if u == 0 else self._point(i, u)

    def _velocity(self, i: int) -> Array:
        return self._offset(i) / self._duration(i)

    def _offset(self, i: int) -> Array:
        offset: Array = self.values[i + 1] - self.values[i]
        return offset

    def _point(self, i: int, u: float) -> Array:
        """The point at `u` of segment `i`; written as an offset, so that a rest is met to the bit."""
        here: Array = self.values[i]
        offset = self._offset(i)
        if self.easings[i] == "linear":
            return here + u * offset
        start, end = (self._duration(i) * tangent for tangent in self._tangents(i))
        u2, v = u * u, 1 - u
        return here + u2 * (3 - 2 * u) * offset + u * v * v * start - u2 * v * end

    def _handles(self, i: int) -> tuple[Array, Array, Array]:
        """Derivatives of segment `i` over u in 0..1: at its start, its chord, at its end."""
        offset = self._offset(i)
        if self.easings[i] == "linear":
            return offset, offset, offset
        start, end = self._tangents(i)
        return self._duration(i) * start, offset, self._duration(i) * end


@dataclass(frozen=True, eq=False)
class RotationCurve(_Keyed):
    """A curve through rotations: `values` [K, 4] are wxyz quaternions, not zero, of any length; q and -q are the same.

    Between two keys the rotation takes the short way; a turn of 180 degrees or more needs a key in between.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.values.shape[1] != 4:
            raise ValueError(f"rotations are quaternions of four numbers, found {self.values.shape[1]}")
        values = normalised(self.values)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def at(self, time: float) -> Array:  # -> [4] unit, wxyz
        """The rotation at `time`."""
        place = self._segment(time)
        if place is None:
            return np.array(self.values[0 if time < self.times[0] else -1])
        i, u = place
        if u == 0:
            return np.array(self.values[i])
        duration, whole = self._duration(i), self._turn(i)
        if not whole.any():
            return np.array(self.values[i])
        if self.easings[i] == "linear":
            return normalised(multiply(self.values[i], _exponential(u * whole)))
        start, end = (duration / 3 * tangent for tangent in self._tangents(i))
        middle = _logarithm(multiply(multiply(_exponential(-start), _exponential(whole)), _exponential(-end)))
        u2 = u * u
        result = multiply(self.values[i], _exponential((1 - (1 - u) ** 3) * start))
        result = multiply(result, _exponential(u2 * (3 - 2 * u) * middle))
        return normalised(multiply(result, _exponential(u2 * u * end)))

    def _velocity(self, i: int) -> Array:
        return self._turn(i) / self._duration(i)

    def _turn(self, i: int) -> Array:
        """The rotation vector, in the axes of key `i` and of key `i + 1` alike, that turns one into the other."""
        if np.array_equal(self.values[i], self.values[i + 1]):
            return np.zeros(3)  # a rest, to the bit
        w, x, y, z = self.values[i]
        return _logarithm(multiply((w, -x, -y, -z), self.values[i + 1]))

    def _free_end(self, chord: Array, other: _Joint) -> Array:
        """Along the chord: mirroring would compare vectors in the axes of two different keys."""
        length = _norm(chord)
        if length == 0:
            return chord
        return chord / length * max(0.0, 1.5 * length - 0.5 * abs(_dot(other.velocity, chord)) / length)


@dataclass(frozen=True, eq=False)
class ConstantSpeed:
    """The clock on which a curve of values runs at one speed from its first key to its last.

    `time_at(t)` is the time of the curve whose point lies as far along the curve's length as `t` lies between the first
    and the last key's time. Segments must be `smooth` or `linear` (any other timing would be undone) and have a length:
    a curve that rests has no constant speed. Raises `ValueError` naming the first key that breaks this.
    """

    curve: Curve
    _lengths: Array = field(init=False, repr=False)  # [S, _PARTS + 1] length from the segment's start to each part's
    _ends: tuple[float, ...] = field(init=False, repr=False)  # length of the curve up to each key

    def __post_init__(self) -> None:
        curve = self.curve
        rows = np.zeros((max(len(curve.times) - 1, 0), _PARTS + 1))
        for i in range(len(rows)):
            if curve.easings[i] not in ("smooth", "linear"):
                raise ValueError(f"key {i} has the easing {curve.easings[i]}: at constant speed only smooth and linear")
            handles = curve._handles(i)
            parts = [_length(handles, p / _PARTS, (p + 1) / _PARTS) for p in range(_PARTS)]
            rows[i, 1:] = np.cumsum(parts)
            if not min(parts) > 0:
                raise ValueError(f"keys {i} and {i + 1} are in one place: at constant speed nothing may rest")
        object.__setattr__(self, "_lengths", rows)
        object.__setattr__(self, "_ends", tuple(np.concatenate([[0.0], np.cumsum(rows[:, -1])]).tolist()))

    def time_at(self, time: float) -> float:
        """The curve's time at clock time `time`; both agree at the first and the last key and beyond."""
        times, ends = self.curve.times, self._ends
        if not times[0] < time < times[-1]:
            return time
        target = ends[-1] * (time - times[0]) / (times[-1] - times[0])
        i = min(bisect_right(ends, target) - 1, len(ends) - 2)
        u = self._place(i, target - ends[i])
        return float(times[i] + u * (times[i + 1] - times[i]))

    def _place(self, i: int, target: float) -> float:
        """u in segment `i` at `target` of its length: Newton inside a shrinking bracket, a fixed number of steps."""
        row, handles = self._lengths[i], self.curve._handles(i)
        part = min(max(bisect_right(row.tolist(), target) - 1, 0), _PARTS - 1)
        start = low = part / _PARTS
        high = (part + 1) / _PARTS
        u = low + (high - low) * (target - float(row[part])) / float(row[part + 1] - row[part])
        for _ in range(_NEWTON_STEPS):
            u = min(max(u, low), high)
            error = float(row[part]) + _length(handles, start, u) - target
            low, high = (low, u) if error > 0 else (u, high)
            speed = _norm(_derivative(handles, u))
            step = u - error / speed if speed > 0 else math.nan
            u = step if low <= step <= high else (low + high) / 2
        return min(max(u, 0.0), 1.0)


# ---- velocities at keys ----------------------------------------------------------------------------------------------


class _Joint(NamedTuple):
    """How a curve passes a key."""

    velocity: Array
    openness: float  # 1 up to a turn of 90 degrees, falling to 0 at 180
    bend: float  # how much longer an arc's tangents are than its chords


def _smooth_joint(incoming: Array, before: float, outgoing: Array, after: float) -> _Joint:
    """The velocity at a key between mean velocities `incoming` over `before` and `outgoing` over `after` of time."""
    slow, fast = _norm(incoming), _norm(outgoing)
    if slow == 0 or fast == 0:
        return _Joint(np.zeros_like(incoming), 0.0, 1.0)
    weight_in, weight_out = before + 2 * after, 2 * before + after
    speed = (weight_in + weight_out) / (weight_in / slow + weight_out / fast)
    here, there = incoming / slow, outgoing / fast
    half_turn = min(_norm(here + there) / 2, 1.0)  # cosine of half the turn
    openness = min(1.0, half_turn / _TOLERATED_TURN)
    # An arc's Bezier tangents are 1 / cos^2(quarter turn) = 2 / (1 + cos(half turn)) chords long.
    bend = 1 + openness * (1 - half_turn) / (1 + half_turn)
    # Tangent of the circle through three points: each chord's direction weighs by the other's length.
    direction = _unit(here * (fast * after) + there * (slow * before))
    return _Joint(direction * (speed * bend * openness), openness, bend)


def _off_a_straight(straight: Array, curved: Array) -> _Joint:
    """The velocity that a curved segment has where a straight one leads into it, or out of it: the straight one's."""
    speed, other = _norm(straight), _norm(curved)
    if speed == 0 or other == 0:
        return _Joint(np.zeros_like(straight), 0.0, 1.0)
    openness = min(1.0, _norm(straight / speed + curved / other) / 2 / _TOLERATED_TURN)
    return _Joint(straight * (min(1.0, _STEEPEST * other / speed) * openness), openness, 1.0)


# ---- small maths -----------------------------------------------------------------------------------------------------

_PARTS = 8  # pieces of a segment whose lengths are tabulated
_NEWTON_STEPS = 12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)  # on -1..1


def _norm(vector: Array) -> float:
    return math.hypot(*vector.tolist())


def _dot(a: Array, b: Array) -> float:
    return math.fsum((a * b).tolist())


def _unit(vector: Array) -> Array:
    """`vector` at length one; zero stays zero."""
    length = _norm(vector)
    return vector / length if length > 0 else vector


def _exponential(vector: Array) -> Array:  # [3] rotation vector, radians -> [4]
    angle = _norm(vector)
    x, y, z = (vector * (0.5 * _sinc(angle / 2))).tolist()
    return np.array([math.cos(angle / 2), x, y, z])


def _logarithm(quaternion: Array) -> Array:  # [4] unit -> [3] rotation vector of at most pi
    w, x, y, z = quaternion.tolist()
    if w < 0:
        w, x, y, z = -w, -x, -y, -z
    sine = math.hypot(x, y, z)
    factor = 2.0 * math.atan2(sine, w) / sine if sine > 0 else 2.0
    return np.array([x, y, z]) * factor


def _sinc(x: float) -> float:
    return math.sin(x) / x if x != 0 else 1.0


def _derivative(handles: tuple[Array, Array, Array], u: float | Array) -> Array:
    """d/du of a Hermite segment with end derivatives and chord `handles`; [M, 1] places give [M, n]."""
    start, chord, end = handles
    return 6 * u * (1 - u) * chord + (1 - u) * (1 - 3 * u) * start + u * (3 * u - 2) * end


def _length(handles: tuple[Array, Array, Array], start: float, end: float) -> float:
    """Length of a segment from u = `start` to `end`, by Gauss-Legendre quadrature."""
    middle, half = (start + end) / 2, (end - start) / 2
    derivatives = _derivative(handles, middle + half * _NODES[:, None])
    return half * math.fsum((_WEIGHTS * np.sqrt((derivatives * derivatives).sum(axis=1))).tolist())


def _bezier(points: tuple[float, float, float, float], u: float) -> float:
    """y of the timing curve (0, 0), (x1, y1), (x2, y2), (1, 1) at x = u; x is monotone, so bisection finds it."""
    if u <= 0 or u >= 1:
        return min(max(u, 0.0), 1.0)
    x1, y1, x2, y2 = points
    low, high = 0.0, 1.0
    for _ in range(60):
        s = (low + high) / 2
        x = s * (3 * (1 - s) * ((1 - s) * x1 + s * x2) + s * s)
        low, high = (s, high) if x < u else (low, s)
    s = (low + high) / 2
    return s * (3 * (1 - s) * ((1 - s) * y1 + s * y2) + s * s)


def _expected_easings() -> str:
    return ", ".join(EASINGS) + f", or four numbers [x1, y1, x2, y2] of a timing curve, within -{_WILDEST}..{_WILDEST}"
