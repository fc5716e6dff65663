"""Procedural clips: idling, getting out of bed, reaching, yawning, leaning on a sill, brushing teeth.

Every one is a plain function of time, in the body's own measures, standing at the rig's origin with the feet where they
rest, so that clips that follow one another meet without a step. Walking and turning are in `stepping.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.rigid import matrix_from_quaternion, quaternion_about, quaternion_from_matrix, slerp
from splatfilm.stage.clips.address import random_at
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.posing import ELBOW, HANGING, Foot, Goals, Key, Keyed, posed
from splatfilm.stage.clips.roles import SIDES
from splatfilm.stage.clips.rotations import exponential, frame, quaternions, unit
from splatfilm.stage.rigs import Pose, Skeleton

Array = NDArray[np.float64]
_MIDDLE = (0.0, 0.0, 0.0)
_BREATH = 4.2  # seconds from one breath to the next, at rest


@dataclass(frozen=True, eq=False)
class Idle:
    """Standing still, alive: breathing, and the weight going from one leg to the other; feet do not move.

    `address` names who idles where (scene, actor), so that no two people sway alike and every run is the same.
    """

    body: Body
    duration: float
    address: tuple[str, ...] = ()
    amount: float = 1.0

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`; it goes on beyond the duration."""
        body, size = self.body, self.body.leg
        phases = [2 * np.pi * random_at(*self.address, "idle", k) for k in range(4)]
        settle = _smooth(seconds / 0.8)
        breath = float(np.sin(2 * np.pi * seconds / _BREATH + phases[0])) * self.amount * settle
        sway = float(np.sin(2 * np.pi * seconds / 7.3 + phases[1])) * self.amount * settle
        nod = float(np.sin(2 * np.pi * seconds / 5.9 + phases[2])) * self.amount * settle
        shift = body.axes @ (0.022 * sway * size, 0.004 * nod * size, (-0.006 - 0.006 * sway * sway) * settle * size)
        lean = body.delta((0, 1.6 * sway, 1.2 * nod))
        bends = {
            "spine": (1.0 * settle + 0.4 * breath, -1.2 * sway, 0),
            "chest": (-0.9 * breath, -0.4 * sway, -0.8 * nod),
            "head": (0.7 * breath + 1.0 * nod, 0, 1.5 * sway),
            "shoulder.left": (0, -0.8 * breath, 0),
            "shoulder.right": (0, 0.8 * breath, 0),
        }
        return posed(body, Goals(body.at_rest("hips") + shift, lean, _standing(body), {}, bends))


def get_up(
    body: Body,
    mattress: float,
    edge: float = 0.28,
    head: Literal["left", "right"] = "left",
    seconds: float = 6.0,
    pillow: float = 0.0,
) -> Keyed:
    """From lying on the back to standing at the bed's side, by way of sitting up and sitting on its edge.

    The body ends standing at the rig's origin, the bed behind it: its top at `mattress` metres, its side `edge` behind
    the ankles. Lying, the head is towards `head` as seen by the one who stands, raised by `pillow` metres. Raises
    `ValueError` for a mattress that hips of this height cannot sit on.
    """
    hips, size = float(body.at_rest("hips")[2]), body.leg
    if not 0.25 * hips < mattress < 0.85 * hips:
        raise ValueError(
            f"a mattress at {mattress:g} m is nothing to sit up from for hips at {hips:.2f} m: "
            f"expected {0.25 * hips:.2f} to {0.85 * hips:.2f}"
        )
    s = 1.0 if head == "left" else -1.0
    t = np.array([0.0, 0.16, 0.36, 0.52, 0.64, 0.80, 1.0]) * seconds
    bent = float(np.degrees(pillow / (0.42 * size)))  # of spine, chest and neck together: it lifts the head so far
    lying = mattress + 0.125 * size - hips  # an eighth of a leg lies between the hips' joints and the mattress
    sitting = lying + 0.02 * size
    back = edge + 0.58 * size  # where on the bed's depth one lies
    on_edge = edge + 0.13 * size
    ahead = np.array([1.0, 0, 0, 0])
    flat = _basis((0, -s, 0), (0, 0, -1), (s, 0, 0))
    along = _basis((0, -s, 0), (s, 0, 0), (0, 0, 1))
    bowed = quaternion_about((1, 0, 0), np.radians(38))
    beside, behind = (0.24, -0.20, -0.90), (0.42, 0.26, -0.66)
    blink = {0: 1.0, 1: 1.0, 2: 0.45, 4: 0.5, 6: 0.15}
    channels = _timed(
        t,
        {
            "hips": {
                0: (0, back, lying),
                1: (0, back, lying),
                2: (0.05 * s * size, back - 0.05 * size, sitting),
                3: (0, on_edge + 0.10 * size, sitting + 0.02 * size),
                4: (0, on_edge, sitting),
                5: (0, on_edge * 0.62, sitting + 0.045 * size),
                6: _MIDDLE,
            },
            "turn": {
                0: flat,
                1: flat,
                2: slerp(along, flat, 0.42),
                3: slerp(along, ahead, 0.62),
                4: ahead,
                5: bowed,
                6: ahead,
            },
            "spine": {
                0: (0.3 * bent, 0, 0),
                1: (0.3 * bent, 0, 0),
                2: (20, 0, 0),
                4: (8, 0, 0),
                5: (14, 0, 0),
                6: _MIDDLE,
            },
            "chest": {0: (2 + 0.4 * bent, 0, 0), 2: (14, 0, 0), 4: (6, 0, 0), 5: (4, 0, 0), 6: _MIDDLE},
            "neck": {0: (0.3 * bent, 0, 0), 1: (0.3 * bent, 0, 0), 2: _MIDDLE, 6: _MIDDLE},
            "head": {0: (10, 0, 0), 2: (12, 0, 0), 3: (2, 0, 0), 4: (10, 0, 0), 5: (-24, 0, 0), 6: _MIDDLE},
            "hand.*": {0: beside, 1: beside, 2: behind, 4: (0.34, 0.02, -0.80), 5: (0.22, -0.52, -0.66), 6: HANGING},
            "elbow.*": {0: (0.9, 0.1, -0.1), 1: (0.9, 0.1, -0.1), 2: ELBOW, 6: ELBOW},
            "shape:eyeBlinkLeft": blink,
            "shape:eyeBlinkRight": blink,
        },
    )
    for side in SIDES:
        channels |= _legs_over(body, side, t, s, (lying + hips, back, flat, along))
    return Keyed(body, channels, seconds)


def _legs_over(
    body: Body, side: str, t: Array, s: float, bed: tuple[float, float, Array, Array]
) -> dict[str, list[Key]]:
    """A foot's way from the foot of the bed over its edge to the floor."""
    height, back, flat, along = bed
    size = body.leg
    rest = body.axes.T @ body.at_rest(f"foot.{side}")
    apart = (1.0 if side == "left" else -1.0) * 0.11 * size
    lain = np.array([-s * 0.985 * size, back - s * apart, height - 0.02 * size])
    bent = lain + np.array([s * 0.12 * size, 0.0, 0.03 * size])
    lead = 0.06 if (side == "left") == (s > 0) else 0.0  # the leg nearer to the edge goes first
    over = np.array([-s * 0.42 * size + 0.8 * apart, -0.10 * size - 0.8 * s * apart, height + 0.10 * size])
    ways = [(t[0], lain), (t[1], lain), (t[2], bent), (t[3] - lead, over), (t[4], rest), (t[6], rest)]
    ahead = np.array([1.0, 0, 0, 0])
    turns = [(t[0], flat), (t[2], flat), (t[3] - lead, slerp(along, ahead, 0.6)), (t[4], ahead), (t[6], ahead)]
    return {f"foot.{side}": [(k, p - rest) for k, p in ways], f"foot.{side}.turn": list(turns)}


def yawn(body: Body, seconds: float = 4.6, side: Literal["left", "right"] = "left") -> Keyed:
    """A yawn behind the hand of `side`, then both arms stretched up and down again."""
    t = np.array([0.0, 0.2, 0.3, 0.46, 0.6, 0.74, 1.0]) * seconds  # slowly in, held, quickly out
    other = "right" if side == "left" else "left"
    sign = 1.0 if side == "left" else -1.0
    mouth, up, aside = _mouth_offset(body), (0.30, 0.06, 0.93), (0.45, -0.1, -0.72)
    raised, spread, turned = (0.9, -0.1, -0.7), (1.0, 0.2, 0.0), (0, -35, -25)
    blink: Mapping[int, ArrayLike] = {0: 0.2, 1: 0.8, 2: 1.0, 3: 1.0, 4: 0.9, 5: 0.5, 6: 0.1}
    squeezed: Mapping[int, ArrayLike] = {0: 0.0, 1: 0.4, 2: 0.9, 3: 1.0, 4: 0.3, 5: 0.0}
    keys: dict[str, Mapping[int, ArrayLike]] = {
        f"hand.{side}": {0: HANGING, 1: mouth, 3: mouth, 4: up, 5: up, 6: HANGING},
        f"elbow.{side}": {0: ELBOW, 1: raised, 3: raised, 4: spread, 6: ELBOW},
        f"hand.{side}.bend": {0: _MIDDLE, 1: turned, 3: turned, 4: _MIDDLE, 6: _MIDDLE},
        f"hand.{other}": {0: HANGING, 1: aside, 3: aside, 4: up, 5: up, 6: HANGING},
        f"elbow.{other}": {0: ELBOW, 3: (0.5, 0.8, -0.2), 4: spread, 6: ELBOW},
        "shoulder.*": {0: _MIDDLE, 3: (0, -4, 0), 4: (0, -16, 0), 5: (0, -16, 0), 6: _MIDDLE},
        "spine": {0: _MIDDLE, 1: (-2, 0, 0), 4: (-6, 0, 0), 5: (-7, 0, 3 * sign), 6: _MIDDLE},
        "chest": {0: _MIDDLE, 1: (-7, 0, 0), 4: (-11, 0, 0), 5: (-13, 0, 4 * sign), 6: _MIDDLE},
        "head": {0: _MIDDLE, 1: (-12, 0, 3 * sign), 3: (-16, 0, 5 * sign), 5: (-14, 0, 0), 6: _MIDDLE},
        "hips": {0: _MIDDLE, 4: (0, -0.02 * body.leg, 0), 6: _MIDDLE},
        "shape:jawOpen": {0: 0.0, 1: 0.6, 2: 1.0, 3: 1.0, 4: 0.06, 5: 0.0, 6: 0.0},
        "shape:mouthFunnel": {0: 0.0, 1: 0.25, 3: 0.2, 4: 0.0},
        "shape:eyeBlinkLeft": blink,
        "shape:eyeBlinkRight": blink,
        "shape:eyeSquintLeft": squeezed,
        "shape:eyeSquintRight": squeezed,
        "shape:browInnerUp": {0: 0.1, 1: 0.7, 3: 0.9, 4: 0.2, 6: 0.0},
    }
    return Keyed(body, _timed(t, keys), seconds)


def lean_on_sill(body: Body, seconds: float = 4.0, look: float = 22.0) -> Keyed:
    """Both hands on a sill ahead, a look to the left and one to the right by `look` degrees, upright at both ends."""
    t = np.array([0.0, 0.2, 0.42, 0.66, 0.82, 1.0]) * seconds
    sill, out, hips = (0.10, -0.72, -0.505), (0.7, 0.5, -0.4), (0, -0.028 * body.leg, -0.011 * body.leg)
    smile: Mapping[int, ArrayLike] = {0: 0.0, 3: 0.1, 4: 0.7, 5: 0.4}
    left, right = (np.add(hips, (side * body.leg, 0, 0)) for side in (0.014, -0.012))
    keys: dict[str, Mapping[int, ArrayLike]] = {
        "hand.*": {0: HANGING, 1: sill, 4: sill, 5: HANGING},
        "hand.*.bend": {0: _MIDDLE, 1: (-32, 0, 0), 4: (-32, 0, 0), 5: _MIDDLE},
        "elbow.*": {0: ELBOW, 1: out, 4: out, 5: ELBOW},
        "hips": {0: _MIDDLE, 1: hips, 2: left, 3: right, 4: hips, 5: _MIDDLE},  # the weight, from leg to leg
        "spine": {0: _MIDDLE, 1: (9, 0, 0), 2: (9, -1, 0), 3: (9, 1, 0), 4: (9, 0, 0), 5: _MIDDLE},
        "chest": {0: _MIDDLE, 1: (5, 0, 0), 2: (5, 0, look / 4), 3: (5, 0, -look / 5), 4: (5, 0, 0), 5: _MIDDLE},
        "head": {0: _MIDDLE, 1: (-10, 0, 0), 2: (-9, 0, look), 3: (-11, 0, -0.8 * look), 4: (-10, 0, 0), 5: _MIDDLE},
        "shape:browInnerUp": {0: 0.0, 1: 0.5, 2: 0.1, 5: 0.0},
        "shape:mouthSmileLeft": smile,
        "shape:mouthSmileRight": smile,
    }
    return Keyed(body, _timed(t, keys), seconds)


@dataclass(frozen=True, eq=False)
class Reach:
    """A hand to a point of the rig's space and back: there from `arrive` to `leave` seconds. Legs stay.

    The back helps: a point beyond the arm bends the spine towards it. `base` is what the rest of the body does.
    """

    body: Body
    base: Keyed | Idle
    side: str
    target: tuple[float, float, float]
    arrive: float
    leave: float

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    @property
    def duration(self) -> float:
        return self.base.duration

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        body, pose = self.body, self.base.at(seconds)
        weight = _smooth(seconds / self.arrive) * _smooth((self.duration - seconds) / (self.duration - self.leave))
        if weight == 0:
            return pose
        puppet = Puppet(body, pose)
        goal = np.array(self.target)
        short = float(np.linalg.norm(goal - puppet.place(f"arm.{self.side}"))) - 0.96 * body.arm
        if short > 0:
            way = body.axes.T @ (goal - puppet.place("spine" if "spine" in body.roles else "hips"))
            bow = np.degrees(min(short / (0.5 * body.leg), 0.9)) * weight
            lean = unit((-way[1], way[0], 0.0)) * bow
            for role, share in (("spine", 0.6), ("chest", 0.4)):
                if role in body.roles:
                    now = body.axes.T @ puppet.turn(role) @ body.axes
                    puppet.set_turn(role, body.delta(lean * share * 1.6) @ body.axes @ now @ body.axes.T)
        hand = puppet.place(f"hand.{self.side}")
        pole = puppet.turn("chest") @ body.axes @ body.mirrored((0.7, 0.5, -0.5), self.side)
        puppet.hand(self.side, hand + weight * (goal - hand), pole)
        return puppet.pose()


@dataclass(frozen=True)
class Held:
    """A stick in a fist: `tip` metres from the wrist, the stick's direction `along`, and `away` from the knuckles.

    All in the rig's space with the hand at rest (the hand joint's rest turn taken out again, it is how a prop hangs on
    the hand: the prop's own axes to these).
    """

    tip: Array  # [3]
    along: Array  # [3] unit, from the stick's end to its tip, leaving the fist at the thumb
    away: Array  # [3] unit, out of the palm


def held(body: Body, side: str, length: float) -> Held:
    """How a stick lies in the fist of `side` with its tip `length` metres from the middle of the palm."""
    finger = unit(body.at_rest(f"hand.{side}") - body.at_rest(f"forearm.{side}"))
    across = body.axes[:, 1] if f"index1.{side}" not in body.roles else _knuckles(body, side)
    along = unit(-across + finger * float(across @ finger))
    away = np.cross(finger, -along) * (1.0 if side == "right" else -1.0)
    palm = finger * 0.15 * body.arm + away * 0.045 * body.arm
    return Held(palm + along * length, along, away)


def grip(puppet: Puppet, side: str, degrees: float) -> None:
    """Curl the fingers of a hand by `degrees` a joint; a skeleton without fingers keeps its hand."""
    body = puppet.body
    if f"index1.{side}" not in body.roles or f"little1.{side}" not in body.roles:
        return
    finger = unit(body.at_rest(f"middle1.{side}") - body.at_rest(f"hand.{side}"))
    across = _knuckles(body, side)
    palm = np.cross(finger, across) * (1.0 if side == "right" else -1.0)
    curl = matrix_from_quaternion(exponential(unit(np.cross(finger, palm)) * np.radians(degrees)))
    for name in ("index", "middle", "ring", "little"):
        for k in (1, 2, 3):
            puppet.bend(f"{name}{k}.{side}", curl)


def _knuckles(body: Body, side: str) -> Array:  # [3]
    """From the index finger's knuckle to the little one's."""
    return unit(body.at_rest(f"little1.{side}") - body.at_rest(f"index1.{side}"))


@dataclass(frozen=True, eq=False)
class Brush:
    """Brushing teeth with a brush in the fist of `side`, over `base` (what the rest of the body does).

    The brush's tip, `length` metres from the palm, is brought to the mouth and goes to and fro over the teeth by
    `stroke` metres either way, `pace` times a second; the hand rises until `arrive` and sinks from `leave` seconds on.
    """

    body: Body
    base: Keyed | Idle
    length: float = 0.108
    side: str = "right"
    arrive: float = 0.9
    leave: float = 1e9
    stroke: float = 0.007
    pace: float = 2.2

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    @property
    def duration(self) -> float:
        return self.base.duration

    def weight(self, seconds: float) -> float:
        """How far the hand is at the mouth: 0 hanging, 1 brushing."""
        up = _smooth(seconds / self.arrive)
        if self.leave >= self.duration:
            return up
        return up * _smooth((self.duration - seconds) / (self.duration - self.leave))

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        body, weight = self.body, self.weight(seconds)
        puppet = Puppet(body, self.base.at(seconds))
        grip(puppet, self.side, 68.0)
        if weight == 0:
            return puppet.pose()
        stick = held(body, self.side, self.length)
        outward = 1.0 if self.side == "left" else -1.0
        head = puppet.turn("head") @ body.axes
        mouth = puppet.place("head") + puppet.turn("head") @ (body.mouth - body.at_rest("head"))
        strokes = self.stroke * float(np.sin(2 * np.pi * self.pace * max(seconds - self.arrive, 0.0)))
        way = head @ unit((-outward, 0.42, 0.12))  # across the cheek: from the side, a little from the front and below
        raised = head @ unit((-0.3 * outward, 0.15, 1.0))  # the forearm comes up from below
        finger = unit(body.at_rest(f"hand.{self.side}") - body.at_rest(f"forearm.{self.side}"))
        turn = frame(way, raised) @ frame(stick.along, finger).T
        wrist = mouth + way * strokes - turn @ stick.tip
        pole = puppet.turn("chest") @ body.axes @ body.mirrored((0.75, 0.25, -0.75), self.side)
        if weight < 1:
            hand, start = puppet.place(f"hand.{self.side}"), puppet.turn(f"hand.{self.side}")
            bow = puppet.turn("chest") @ body.axes @ body.mirrored((0.3, -1.0, 0.1), self.side)
            turn = _turned_toward(start, turn, weight)
            wrist = hand + weight * (wrist - hand) + bow * (0.10 * body.arm * np.sin(np.pi * weight))
        puppet.hand(self.side, wrist, pole, turn)
        for name, amount in (("jawOpen", 0.18), ("mouthFunnel", 0.5)):
            puppet.shapes[name] = max(puppet.shapes.get(name, 0.0), amount * _smooth(2 * weight - 1))
        return puppet.pose()

    def tip(self, pose: Pose) -> Array:  # [3]
        """Where the brush's tip is in a pose."""
        puppet = Puppet(self.body, pose)
        stick = held(self.body, self.side, self.length)
        return np.asarray(puppet.place(f"hand.{self.side}") + puppet.turn(f"hand.{self.side}") @ stick.tip)


def mouth_of(body: Body, pose: Pose) -> Array:  # [3]
    """Where the lips meet in a pose."""
    puppet = Puppet(body, pose)
    return np.asarray(puppet.place("head") + puppet.turn("head") @ (body.mouth - body.at_rest("head")))


def _timed(times: Array, keys: Mapping[str, Mapping[int, ArrayLike]]) -> dict[str, list[Key]]:
    """Channels whose keys are said by their number in `times`."""
    return {name: [(float(times[i]), value) for i, value in row.items()] for name, row in keys.items()}


def _standing(body: Body) -> dict[str, Foot]:
    return {side: Foot(body.at_rest(f"foot.{side}")) for side in SIDES}


def _mouth_offset(body: Body) -> tuple[float, float, float]:
    """The mouth from the left shoulder in arm lengths, short of the lips by a hand."""
    way = body.axes.T @ (body.mouth - body.at_rest("arm.left")) / body.arm
    return float(way[0]) + 0.10, float(way[1]) - 0.22, float(way[2]) - 0.27


def _basis(left: ArrayLike, back: ArrayLike, up: ArrayLike) -> Array:  # -> [4]
    """The turn, in body axes, that brings left, back and up to these directions."""
    return quaternions(np.stack([np.asarray(v, dtype=np.float64) for v in (left, back, up)], axis=-1))


def _turned_toward(a: Array, b: Array, share: float) -> Array:  # [3, 3], [3, 3] -> [3, 3]
    return matrix_from_quaternion(slerp(quaternion_from_matrix(a), quaternion_from_matrix(b), share))


def _smooth(u: float) -> float:
    u = min(max(float(u), 0.0), 1.0)
    return u * u * (3 - 2 * u)
