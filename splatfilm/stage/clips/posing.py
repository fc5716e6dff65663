"""Poses said as goals: where hips, feet and hands are and how the back bends, instead of 53 joints' rotations.

Goals are in the body's axes (left, back, up) and in its own measures, so that one performance moves any rig. `Keyed` is
a motion whose goals run along curves through keys; walking and turning make their goals from footsteps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.curves import Curve, RotationCurve
from splatfilm.base.rigid import matrix_from_quaternion
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.roles import SIDES
from splatfilm.stage.clips.rotations import length_of, unit
from splatfilm.stage.rigs import Pose, Skeleton

Array = NDArray[np.float64]
HANGING = (0.20, -0.06, -0.945)
"""Where a hand hangs: from its shoulder, outward, back and up, in arm lengths."""
ELBOW = (0.28, 0.90, -0.20)
"""Where an elbow points when nothing else is said: outward, back, up."""
_MIDDLE = (0.0, 0.0, 0.0)
_STRETCHED = 0.9995  # of a leg's length: as straight as legs are made


@dataclass(frozen=True)
class Foot:
    """Where a foot is: its ankle (metres, rig's space), its turn from rest, and how far the toes bend up (radians)."""

    ankle: Array  # [3]
    turn: Array = field(default_factory=lambda: np.eye(3))  # [3, 3]
    toes: float = 0.0


@dataclass(frozen=True)
class Hand:
    """Where a hand is: the wrist from its shoulder in arm lengths (outward, back, up, turning with the chest).

    `bend` turns the hand against its forearm, degrees about (left, back, up) as for the left hand.
    """

    offset: ArrayLike = HANGING
    bend: ArrayLike = _MIDDLE
    elbow: ArrayLike = ELBOW


@dataclass(frozen=True)
class Goals:
    """One moment of a body. `bends` are degrees about (left, back, up) against the parent, by role."""

    hips: Array  # [3] metres, rig's space
    turn: Array  # [3, 3] the hips' turn from rest
    feet: Mapping[str, Foot]
    hands: Mapping[str, Hand] = field(default_factory=dict)
    bends: Mapping[str, ArrayLike] = field(default_factory=dict)
    shapes: Mapping[str, float] = field(default_factory=dict)


def posed(body: Body, goals: Goals) -> Pose:
    """The pose that meets `goals`. Feet are met exactly: the hips sink where legs are too short for them."""
    puppet = Puppet(body)
    puppet.set_place("hips", goals.hips)
    puppet.set_turn("hips", goals.turn)
    sink = max(_short(body, puppet, side, goals.feet[side].ankle) for side in SIDES)
    if sink > 0:
        puppet.set_place("hips", np.asarray(goals.hips) - (0.0, 0.0, sink))
    for role in ("spine", "chest", "neck", "head", *(r for r in goals.bends if "." in r)):
        if role in goals.bends:
            puppet.bend(role, body.delta(goals.bends[role]))
    for side in SIDES:
        hand = goals.hands.get(side, Hand())
        chest = puppet.turn("chest") @ body.axes
        wrist = puppet.place(f"arm.{side}") + body.arm * (chest @ body.mirrored(hand.offset, side))
        puppet.hand(side, wrist, chest @ body.mirrored(hand.elbow, side))
        x, y, z = np.asarray(hand.bend, dtype=np.float64)
        sign = 1.0 if side == "left" else -1.0
        if x or y or z:
            puppet.bend(f"hand.{side}", body.delta((x, sign * y, sign * z)))
        foot = goals.feet[side]
        # Knees go ahead and, where a leg points ahead as in sitting, up.
        ahead = goals.turn @ (body.axes[:, 2] - body.axes[:, 1]) - 0.8 * foot.turn @ body.axes[:, 1]
        puppet.leg(side, foot.ankle, foot.turn, ahead)
        if foot.toes:
            puppet.bend(f"toes.{side}", body.delta((-np.degrees(foot.toes), 0, 0)))
    puppet.shapes.update(goals.shapes)
    return puppet.pose()


Key = tuple[float, ArrayLike]


@dataclass(frozen=True, eq=False)
class Keyed:
    """A motion through keys of goals, `channels` by name, each a list of (seconds, value).

    - `hips`: metres from where the hips rest (left, back, up); `turn`: a wxyz quaternion in body axes
    - `foot.left`: metres of the ankle from rest; `foot.left.turn`: a quaternion
    - `hand.left`, `hand.left.bend`, `elbow.left`: as in `Hand`
    - `spine`, `chest`, `neck`, `head`, `shoulder.left`, fingers: degrees about (left, back, up)
    - `shape:jawOpen`: a blendshape's weight
    - a side written `*` means both, the right mirrored

    What has no channel rests; feet stay where they stand.
    """

    body: Body
    channels: Mapping[str, Sequence[Key]]
    duration: float
    _curves: Mapping[str, Curve | RotationCurve] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        curves: dict[str, Curve | RotationCurve] = {}
        for name, keys in self.channels.items():
            for side in SIDES if "*" in name else ("",):
                values = [np.atleast_1d(np.asarray(v, dtype=np.float64)) for _, v in keys]
                if side == "right":
                    values = [_mirror(name, v) for v in values]
                kind = RotationCurve if name.endswith("turn") else Curve
                curves[name.replace("*", side)] = kind([t for t, _ in keys], np.stack(values), _eased(len(keys)))
        object.__setattr__(self, "_curves", MappingProxyType(curves))

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        return posed(self.body, self.goals(seconds))

    def goals(self, seconds: float) -> Goals:
        """The goals at `seconds`."""
        values = {name: curve.at(seconds) for name, curve in self._curves.items()}
        axes = self.body.axes

        def turned(name: str) -> Array:
            quaternion = values.get(name)
            return np.eye(3) if quaternion is None else axes @ matrix_from_quaternion(quaternion) @ axes.T

        feet, hands = {}, {}
        for side in SIDES:
            ankle = self.body.at_rest(f"foot.{side}") + axes @ values.get(f"foot.{side}", _MIDDLE)
            feet[side] = Foot(ankle, turned(f"foot.{side}.turn"))
            hands[side] = Hand(
                values.get(f"hand.{side}", HANGING),
                values.get(f"hand.{side}.bend", _MIDDLE),
                values.get(f"elbow.{side}", ELBOW),
            )
        taken = ("hips", "turn", "foot", "hand", "elbow")
        bends = {n: v for n, v in values.items() if n.split(".")[0] not in taken and not n.startswith("shape:")}
        shapes = {n[6:]: float(v[0]) for n, v in values.items() if n.startswith("shape:")}
        hips = self.body.at_rest("hips") + axes @ values.get("hips", _MIDDLE)
        return Goals(hips, turned("turn"), feet, hands, bends, shapes)


def _eased(count: int) -> list[str]:
    """Easings of keys that start from rest, pass what lies between, and come to rest."""
    if count < 3:
        return ["ease-in-out"] * count
    return ["ease-in", *["smooth"] * (count - 3), "ease-out", "smooth"]


def _mirror(name: str, value: Array) -> Array:
    """A left value as its mirror image: places turn their first number, rotations their second and third."""
    if name.endswith("turn"):
        return value * (1, 1, -1, -1)
    if name.startswith("foot"):
        return value * (-1, 1, 1)
    if name.startswith(("hand", "elbow")):
        return value  # outward is outward on either side
    return value * (1, -1, -1)


def _short(body: Body, puppet: Puppet, side: str, ankle: Array) -> float:
    """How far the hips must sink for a leg to reach an ankle; 0 when it does."""
    apart = ankle - puppet.place(f"thigh.{side}")
    square = (_STRETCHED * body.leg) ** 2 - float(apart[0] ** 2 + apart[1] ** 2)
    return max(-float(apart[2]) - float(np.sqrt(max(square, 0.0))), 0.0)


def refooted(body: Body, pose: Pose, feet: Mapping[str, tuple[Array, Array]]) -> Pose:
    """`pose` with its feet put where `feet` says (side -> ankle [3], turn from rest [3, 3]); knees keep their plane.

    Where a leg is too short for that the hips sink, by no more than it takes.
    """
    puppet = Puppet(body, pose)
    sink = max(_short(body, puppet, side, ankle) for side, (ankle, _) in feet.items()) if feet else 0.0
    if sink > 0:
        puppet.set_place("hips", puppet.place("hips") - (0.0, 0.0, sink))
    for side, (ankle, turn) in feet.items():
        knee = puppet.place(f"shin.{side}") - (puppet.place(f"thigh.{side}") + puppet.place(f"foot.{side}")) / 2
        ahead = -puppet.turn("hips") @ body.axes[:, 1]
        bent = length_of(knee)
        # A nearly straight leg has no plane to keep: then, and the more so the straighter, forward is taken.
        pole = unit(knee / max(bent, 1e-9) + max(0.0, 1 - bent / 0.05) * ahead) if bent > 1e-6 else ahead
        puppet.leg(side, ankle, turn, pole)
    return puppet.pose()
