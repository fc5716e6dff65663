"""Footsteps: walking along a path and turning on the spot, with feet that stay where they are put.

Footfalls are planned first: which foot lands where and when. Feet follow them exactly: flat and still from the moment
the sole is down until the heel rises, then turning about the ball of the foot, which stays. The body goes where the
path says; the hips sink as far as the legs need. Everything is a function of time, so any moment can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.curves import Curve
from splatfilm.base.rigid import matrix_from_quaternion, quaternion_about
from splatfilm.stage.clips.body import Body
from splatfilm.stage.clips.posing import Foot, Goals, Hand, posed
from splatfilm.stage.clips.roles import SIDES
from splatfilm.stage.rigs import Pose, Skeleton

Array = NDArray[np.float64]
STRIDE = 0.62  # of a leg's length: one step at an easy pace
PACE = 1.75  # steps a second
_BOTH_DOWN = 0.22  # of a step's time: both feet on the ground
_ROLL = np.radians(34)  # how far the heel rises before the toes leave the ground
_STRIKE = np.radians(14)  # how far the toes are up when the heel lands
_SETTLE = 0.12  # of a step's time: from heel to sole
_SAMPLES = 512


@dataclass(frozen=True)
class Placement:
    """Where a rig stands: metres, and the turn about the vertical (radians) that its rest pose is given."""

    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    heading: float = 0.0

    def turn(self) -> Array:  # [3, 3]
        """The heading as a matrix."""
        return matrix_from_quaternion(quaternion_about((0, 0, 1), self.heading))

    def apply(self, points: Array) -> Array:  # [..., 3] -> [..., 3]
        """Points of the rig's space in the space that it stands in."""
        return np.asarray(points @ self.turn().T + self.position)


@dataclass(frozen=True)
class Footfall:
    """One foot's way to a new place: it leaves at `leave` seconds, lands at `land`, and stands at `at`."""

    side: str
    leave: float
    land: float
    at: Placement


@dataclass(frozen=True)
class Planted:
    """A foot that stands: from when to when (seconds), and where the ball of the foot is (metres)."""

    side: str
    start: float
    end: float
    ball: Array  # [3]


@dataclass(frozen=True, eq=False)
class Steps:
    """A motion over footfalls. `ground` runs through (x, y, heading) of the body over time, `falls` in order of time.

    Before its first footfall a foot stands where the body starts. `energy` scales arms and hips: 0 shuffles, 1 walks.
    """

    body: Body
    ground: Curve  # [x, y, heading]
    falls: tuple[Footfall, ...]
    duration: float
    energy: float = 1.0
    step_time: float = 1 / PACE
    _tracks: dict[str, tuple[Footfall, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        start = self.placement(0.0)
        tracks = {
            side: (Footfall(side, -1.0, -1.0, start), *(f for f in self.falls if f.side == side)) for side in SIDES
        }
        object.__setattr__(self, "_tracks", tracks)

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    def placement(self, seconds: float) -> Placement:
        """Where the body stands over the ground."""
        x, y, heading = self.ground.at(seconds).tolist()
        return Placement((x, y, 0.0), heading)

    def planted(self) -> tuple[Planted, ...]:
        """When and where each foot stands flat on the ground."""
        result = []
        for side, falls in self._tracks.items():
            ball = self.body.at_rest(f"toes.{side}")
            for i, fall in enumerate(falls):
                down = max(fall.land + _SETTLE * self.step_time, 0.0) if i else 0.0
                up = self._lift(falls, i)
                if up > down:
                    result.append(Planted(side, down, up, fall.at.apply(ball)))
        return tuple(result)

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`, in the space of the ground."""
        return posed(self.body, self.goals(min(max(seconds, 0.0), self.duration)))

    def goals(self, seconds: float) -> Goals:
        """The goals at `seconds`."""
        body, place = self.body, self.placement(seconds)
        feet = {side: self._foot(side, seconds) for side in SIDES}
        swing = self._swing(seconds)
        axes = place.turn() @ body.axes
        yaw = np.radians(-5.0) * swing * self.energy
        turn = place.turn() @ body.delta((0, 0, np.degrees(yaw)))
        weight = self._weight(seconds)
        hips = place.apply(body.at_rest("hips")) + axes[:, 0] * (0.018 * body.leg * weight * self.energy)
        hips[2] = self._height(hips, turn, feet)
        arms = {
            side: Hand((0.20, -0.06 - sign * 0.30 * swing * self.energy, -0.935 + 0.03 * abs(swing) * self.energy))
            for side, sign in (("left", -1.0), ("right", 1.0))
        }
        bends = {
            "spine": (2.0 * self.energy, 0, 0),
            "chest": (0, 0, 9.0 * swing * self.energy),
            "head": (0, 0, -4.0 * swing * self.energy),
        }
        return Goals(hips, turn, feet, arms, bends)

    def _foot(self, side: str, seconds: float) -> Foot:
        falls = self._tracks[side]
        i = max(k for k, f in enumerate(falls) if f.leave <= seconds or k == 0)
        here = falls[i]
        if i and seconds < here.land:
            return self._swinging(side, falls[i - 1].at, here, seconds)
        if i and seconds < here.land + _SETTLE * self.step_time:
            u = (seconds - here.land) / (_SETTLE * self.step_time)
            return self._tilted(side, here.at, -_STRIKE * self._vigour(falls, i) * (1 - u * u * (3 - 2 * u)))
        lift = self._lift(falls, i)
        if seconds > lift:
            u = (seconds - lift) / (falls[i + 1].leave - lift)
            return self._tilted(side, here.at, _ROLL * self._vigour(falls, i + 1) * u * u)
        return self._tilted(side, here.at, 0.0)

    def _lift(self, falls: tuple[Footfall, ...], i: int) -> float:
        """When the heel rises from footfall `i`."""
        if i + 1 == len(falls):
            return self.duration
        leave, landed = falls[i + 1].leave, falls[i].land + _SETTLE * self.step_time
        return max(leave - 0.45 * self.step_time, min(landed, leave), 0.0)

    def _vigour(self, falls: tuple[Footfall, ...], i: int) -> float:
        """How large footfall `i` is against a full stride of two steps: small steps hardly roll."""
        if i == 0 or i >= len(falls):
            return 0.0
        a, b = np.array(falls[i - 1].at.position), np.array(falls[i].at.position)
        return min(1.0, float(np.linalg.norm(b - a)) / (1.4 * STRIDE * self.body.leg))

    def _swinging(self, side: str, old: Placement, fall: Footfall, seconds: float) -> Foot:
        falls = self._tracks[side]
        i = falls.index(fall)
        vigour = self._vigour(falls, i)
        u = (seconds - fall.leave) / (fall.land - fall.leave)
        start = self._tilted(side, old, _ROLL * vigour if self._lift(falls, i - 1) < fall.leave else 0.0)
        end = self._tilted(side, fall.at, -_STRIKE * vigour)
        s = u * u * u * (10 + u * (6 * u - 15))
        share = 0.5 * (s + u * u * (3 - 2 * u))
        lift = self.body.leg * (0.035 + 0.055 * vigour) * 16 * (u * (1 - u)) ** 2
        ankle = start.ankle + share * (end.ankle - start.ankle) + (0, 0, lift)
        pitch = _ROLL * vigour * (1 - u) ** 2 * (1 + 2 * u) - _STRIKE * vigour * u * u * (3 - 2 * u)
        away = fall.at.heading - old.heading
        heading = old.heading + share * ((away + np.pi) % (2 * np.pi) - np.pi)
        return Foot(ankle, self._turned(heading, pitch), max(pitch, 0.0) * (1 - u))  # toes leave the floor last

    def _tilted(self, side: str, at: Placement, pitch: float) -> Foot:
        """A foot on the ground turned about its ball (heel up, positive `pitch`) or about its heel (toes up)."""
        body = self.body
        ankle, ball = body.at_rest(f"foot.{side}"), body.at_rest(f"toes.{side}")
        heel = ankle + body.axes[:, 1] * 0.35 * float((ankle - ball) @ body.axes[:, 1])
        pivot = np.array(ball if pitch > 0 else heel)
        if pitch <= 0:
            pivot[2] = 0.0
        turn = self._turned(at.heading, pitch)
        return Foot(at.apply(pivot) + turn @ (ankle - pivot), turn, max(pitch, 0.0))

    def _turned(self, heading: float, pitch: float) -> Array:
        return Placement(heading=heading).turn() @ self.body.delta((np.degrees(pitch), 0, 0))

    def _height(self, hips: Array, turn: Array, feet: dict[str, Foot]) -> float:
        """As high as the hips can be with both legs a little bent; a soft minimum, so that it has no corner."""
        body = self.body
        rest = float(body.at_rest("hips")[2])
        highest = [rest - 0.008 * body.leg]
        for side in SIDES:
            joint = hips + turn @ (body.at_rest(f"thigh.{side}") - body.at_rest("hips"))
            apart = feet[side].ankle - joint
            square = (0.993 * body.leg) ** 2 - float(apart[0] ** 2 + apart[1] ** 2)
            drop = float(hips[2] - joint[2])
            highest.append(float(feet[side].ankle[2]) + np.sqrt(max(square, 0.1 * body.leg**2)) + drop)
        sharp = 120.0 / body.leg
        lowest = min(highest)
        return lowest - float(np.log(np.sum(np.exp(-sharp * (np.array(highest) - lowest))))) / sharp

    def _swing(self, seconds: float) -> float:
        """-1 .. 1: how far the left foot is ahead of the right one, in steps; what arms and hips answer to."""
        place = self.placement(seconds)
        ahead = -(place.turn() @ self.body.axes)[:, 1]
        left, right = (self._foot(side, seconds).ankle for side in SIDES)
        return float(np.tanh((left - right) @ ahead / (STRIDE * self.body.leg)))

    def _weight(self, seconds: float) -> float:
        """-1 .. 1: towards which foot the hips lean, the left one positive; smooth between footfalls."""
        total = 0.0
        for fall in self.falls:
            u = (seconds - fall.leave + 0.1 * self.step_time) / (fall.land - fall.leave + 0.2 * self.step_time)
            if 0 < u < 1:
                total += (-1.0 if fall.side == "left" else 1.0) * float(np.sin(np.pi * u)) ** 2
        return total


def heading_of(body: Body, direction: ArrayLike) -> float:
    """The heading, radians, at which a body at rest faces along `direction` (x, y)."""
    ahead = -body.axes[:, 1]
    x, y = np.asarray(direction, dtype=np.float64)[:2]
    return float(np.arctan2(y, x) - np.arctan2(ahead[1], ahead[0]))


def walk(
    body: Body,
    path: Sequence[tuple[float, float]],
    speed: float = 1.0,
    first: str = "right",
    heading: float | None = None,
) -> Steps:
    """Walk along the curve through the points of `path` (x, y metres), from standing to standing.

    `speed` scales an easy pace; `first` is the foot that sets off. The body faces along the curve; `heading` is the way
    it stands before, when that is another, and it turns with the first step. Raises `ValueError` for fewer than two
    points or a path shorter than a hand.
    """
    fine, arc = _along(path)
    length = float(arc[-1])
    count = max(int(np.ceil(length / (STRIDE * body.leg) - 0.25)), 1)
    step, tempo = length / count, 1 / (PACE * speed)
    headings = _headings(body, fine, arc)
    if heading is not None:
        away = (heading - headings[0] + np.pi) % (2 * np.pi) - np.pi
        part = np.clip(arc / min(1.5 * step, length), 0, 1)
        headings = headings + away * (1 - part * part * (3 - 2 * part))

    def place(s: float) -> Placement:
        x, y = (float(np.interp(s, arc, fine[:, k])) for k in (0, 1))
        return Placement((x, y, 0.0), float(np.interp(s, arc, headings)))

    total = (count + 1) * tempo
    clock = np.linspace(0, total, _SAMPLES)
    gone = _travelled(clock, min(1.3 * tempo, total / 2), length)
    ground = Curve(clock.tolist(), np.array([[*place(s).position[:2], place(s).heading] for s in gone]))
    falls: list[Footfall] = []
    side = first
    for k in range(1, count + 2):
        # A foot lands half a step ahead of the body; the last one closes up when the body is all but there.
        at = k * step - step / 2 if k <= count else length - 0.03 * step
        land = float(np.interp(np.clip(at, 0, length), gone, clock))
        leave = (falls[-1].land if falls else 0.0) + _BOTH_DOWN * tempo
        falls.append(Footfall(side, leave, max(land, leave + 0.35 * tempo), place(min(k, count) * step)))
        side = "left" if side == "right" else "right"
    duration = max(total, falls[-1].land + _SETTLE * tempo)
    return Steps(body, ground, tuple(falls), duration, min(1.0, speed), tempo)


def _along(path: Sequence[tuple[float, float]]) -> tuple[Array, Array]:  # -> [M, 2], [M]
    """Points close to one another along the curve through `path`, and their way along it, metres."""
    points = np.asarray(path, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.all(np.isfinite(points)):
        raise ValueError("a path needs at least two points (x, y)")
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if not np.all(np.diff(knots) > 0) or knots[-1] < 0.1:
        raise ValueError("a path must be longer than 0.1 m and must not stand still")
    curve = Curve(knots.tolist(), points)
    fine = np.stack([curve.at(float(s)) for s in np.linspace(0, knots[-1], _SAMPLES)])
    return fine, np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])


def _headings(body: Body, fine: Array, arc: Array) -> Array:  # [M, 2], [M] -> [M]
    """The way a body faces along a curve: no body turns within a hand's breadth, so they are smoothed over one."""
    headings = np.unwrap([heading_of(body, d.tolist()) for d in np.gradient(fine, arc, axis=0)])
    width = max(int(0.2 / (float(arc[-1]) / len(arc))), 1)
    padded = np.pad(headings, width, mode="edge")
    return np.convolve(padded, np.full(2 * width + 1, 1 / (2 * width + 1)), mode="valid")


def _travelled(clock: Array, flank: float, length: float) -> Array:  # [M] -> [M]
    """How far one has gone at each time of `clock` at a pace that rises and falls within `flank` seconds."""
    rise = np.clip(clock / flank, 0, 1)
    fall = np.clip((clock[-1] - clock) / flank, 0, 1)
    speeds = (rise * rise * (3 - 2 * rise)) * (fall * fall * (3 - 2 * fall))
    gone = np.concatenate([[0.0], np.cumsum((speeds[1:] + speeds[:-1]) / 2)])
    return np.asarray(gone * (length / gone[-1]))


def turn(body: Body, start: Placement, heading: float, speed: float = 1.0) -> Steps:
    """Turn on the spot from `start` to `heading` (radians, the short way) by small steps; the inner foot goes first."""
    away = (heading - start.heading + np.pi) % (2 * np.pi) - np.pi
    count = max(int(np.ceil(abs(away) / np.radians(50))), 1)
    tempo = 0.85 / (PACE * speed)
    first = "left" if away > 0 else "right"
    falls: list[Footfall] = []
    for k in range(count):
        to = Placement(start.position, start.heading + away * (k + 1) / count)
        for j, side in enumerate((first, "right" if first == "left" else "left")):
            leave = (2 * k + j + 0.3) * tempo
            falls.append(Footfall(side, leave, leave + 0.72 * tempo, to))
    duration = (2 * count + 0.5) * tempo
    x, y, _ = start.position
    keys = [0.0, duration]
    ground = Curve(keys, np.array([[x, y, start.heading], [x, y, start.heading + away]]), ["ease-in-out"] * 2)
    return Steps(body, ground, tuple(falls), duration, 0.4, tempo)
