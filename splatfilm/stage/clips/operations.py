"""Motions made of motions: trimmed, looped, warped in time, cross-faded, layered, mirrored.

Each is a small value with the motions it is made of; none of them bakes, so nothing is lost however many are stacked,
and any moment can be asked for. `clip.baked` turns the outcome into a clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.curves import Curve
from splatfilm.base.rigid import multiply, normalised
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.clip import Motion
from splatfilm.stage.clips.rotations import conjugate, rotate, slerped
from splatfilm.stage.rigs import Pose, Skeleton

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Over:
    """What is made of one motion has its skeleton, and by default its duration."""

    motion: Motion

    @property
    def skeleton(self) -> Skeleton:
        return self.motion.skeleton

    @property
    def duration(self) -> float:
        return self.motion.duration


@dataclass(frozen=True, eq=False)
class Trim(_Over):
    """The motion from `start` to `end` seconds, beginning at 0. Raises `ValueError` for a part that is not in it."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= self.motion.duration + 1e-9:
            raise ValueError(
                f"{self.start:g} to {self.end:g} s is no part of a motion of {self.motion.duration:g} s: "
                "expected 0 <= start < end <= its length"
            )

    @property
    def duration(self) -> float:
        return self.end - self.start

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds` from the start of the part."""
        return self.motion.at(self.start + min(max(seconds, 0.0), self.duration))


@dataclass(frozen=True, eq=False)
class Loop(_Over):
    """The motion `count` times over. Where it travels it goes on from where it came: a step never jumps back.

    `travel` carries the ground from one round to the next: the joint `mover` (the hips, or the root that moves) ends a
    round displaced and turned about the vertical against its start, and the next round begins there. `blend` seconds
    at the end of each round fade into the next one's beginning, for motions whose ends do not quite meet.
    """

    count: int
    mover: str | None = None
    blend: float = 0.0
    _rounds: tuple[tuple[Array, Array], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.blend < self.motion.duration / 2:
            raise ValueError(f"a loop needs a count of 1 or more and a blend below half a round, found {self.count}")
        rounds = [(np.array([1.0, 0, 0, 0]), np.zeros(3))]
        if self.mover is not None:
            step = _travel(self.motion, self.motion.skeleton.index(self.mover), self.motion.duration - self.blend)
            for _ in range(self.count):
                turn, shift = rounds[-1]
                rounds.append((normalised(multiply(turn, step[0])), shift + rotate(turn, step[1])))
        else:
            rounds *= self.count + 1
        object.__setattr__(self, "_rounds", tuple(rounds))

    @property
    def duration(self) -> float:
        return self.count * (self.motion.duration - self.blend) + self.blend

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        period = self.motion.duration - self.blend
        time = min(max(seconds, 0.0), self.duration)
        k = min(int(time / period), self.count - 1)
        local = time - k * period
        pose = _moved(self._rounds[k], self.motion.at(local), self.skeleton)
        if k and self.blend > 0 and local < self.blend:
            before = _moved(self._rounds[k - 1], self.motion.at(local + period), self.skeleton)
            u = local / self.blend
            return mixed(before, pose, u * u * (3 - 2 * u))
        return pose


@dataclass(frozen=True, eq=False)
class Warp(_Over):
    """The motion's time by a curve: `clock` gives its seconds (one value) for the seconds that are asked for.

    A curve through (0, 0) and (2, 1) runs at half speed; equal neighbouring keys freeze. The curves of
    `base.curves` never overshoot in one dimension, so time does not run backwards between rising keys.
    """

    clock: Curve

    def __post_init__(self) -> None:
        if self.clock.values.shape[1] != 1:
            raise ValueError(f"a clock is a curve of one value, found {self.clock.values.shape[1]}")

    @property
    def duration(self) -> float:
        return self.clock.times[-1]

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds` of the new time."""
        return self.motion.at(float(self.clock.at(seconds)[0]))


@dataclass(frozen=True, eq=False)
class Crossfade:
    """`first`, then `second` from `start` seconds on, fading over `length` seconds. Raises `ValueError` if they differ.

    Joints only: where feet must not slide use a `Performance`, which puts them back.
    """

    first: Motion
    second: Motion
    start: float
    length: float

    def __post_init__(self) -> None:
        _alike(self.first, self.second)
        if not (self.start >= 0 and self.length > 0):
            raise ValueError(f"a fade of {self.length:g} s at {self.start:g} s: expected a length above 0 and a start")

    @property
    def skeleton(self) -> Skeleton:
        return self.first.skeleton

    @property
    def duration(self) -> float:
        return self.start + self.second.duration

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        u = (seconds - self.start) / self.length
        if u <= 0:
            return self.first.at(seconds)
        after = self.second.at(seconds - self.start)
        return after if u >= 1 else mixed(self.first.at(seconds), after, u * u * (3 - 2 * u))


@dataclass(frozen=True, eq=False)
class Layer(_Over):
    """`motion` with `over` on top, by `weight`, on the joints of `mask` (all when empty).

    `additive` adds to the motion what `over` differs from its own pose at 0; otherwise `over` replaces. Blendshapes
    are layered when `shapes` says so: added, or replaced where `over` names them.
    """

    over: Motion
    weight: float = 1.0
    mask: frozenset[str] = frozenset()
    additive: bool = False
    shapes: bool = True

    def __post_init__(self) -> None:
        _alike(self.motion, self.over)
        object.__setattr__(self, "mask", frozenset(self.mask))
        unknown = sorted(self.mask - set(self.skeleton.names))
        if unknown:
            raise ValueError(f"the mask names joints that are not there: {', '.join(unknown)}")

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`; `over` holds its last pose when it is shorter."""
        base, top = self.motion.at(seconds), self.over.at(seconds)
        names = self.skeleton.names
        rows = np.array([not self.mask or name in self.mask for name in names])
        translations, rotations = base.translations.copy(), base.rotations.copy()
        shapes = dict(base.shapes)
        if self.additive:
            start = self.over.at(0.0)
            by = multiply(conjugate(start.rotations), top.rotations)
            part = slerped(np.tile([1.0, 0, 0, 0], (len(names), 1)), by, np.full(len(names), self.weight))
            rotations[rows] = multiply(rotations, part)[rows]
            translations[rows] += self.weight * (top.translations - start.translations)[rows]
            for name in top.shapes.keys() | start.shapes.keys() if self.shapes else ():
                change = top.shapes.get(name, 0.0) - start.shapes.get(name, 0.0)
                shapes[name] = shapes.get(name, 0.0) + self.weight * change
        else:
            rotations[rows] = slerped(rotations, top.rotations, np.full(len(names), self.weight))[rows]
            translations[rows] += self.weight * (top.translations - translations)[rows]
            for name, value in top.shapes.items() if self.shapes else ():
                shapes[name] = shapes.get(name, 0.0) + self.weight * (value - shapes.get(name, 0.0))
        return Pose(translations, rotations, shapes)


@dataclass(frozen=True, eq=False)
class Mirror:
    """The motion as in a mirror: left is right. The body's roles say which joints are pairs; shapes by their names."""

    body: Body
    motion: Motion

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    @property
    def duration(self) -> float:
        return self.motion.duration

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        body = self.body
        source = Puppet(body, self.motion.at(seconds))
        result = Puppet(body)
        across = np.eye(3) - 2 * np.outer(body.axes[:, 0], body.axes[:, 0])
        centre = body.at_rest("hips") * (1, 1, 0)
        partner = _partners(body)
        hips = body.roles["hips"]
        for j, other in enumerate(partner):
            parent = body.skeleton.parents[j]
            turned = source.turns[other] @ body.rest_rotations[other].T
            result.set_global(j, across @ turned @ across @ body.rest_rotations[j])
            if parent < 0 or j == hips:
                result.move(j, across @ (source.places[other] - centre) + centre)
        result.shapes = {_other_side(name): value for name, value in source.shapes.items()}
        return result.pose()


def joints_below(skeleton: Skeleton, names: Iterable[str]) -> frozenset[str]:
    """The joints called `names` and everything that hangs on them: a mask of an arm, or of the upper body."""
    wanted = set(names)
    unknown = sorted(wanted - set(skeleton.names))
    if unknown:
        raise ValueError(f"no such joints: {', '.join(unknown)}")
    for i, parent in enumerate(skeleton.parents):
        if parent >= 0 and skeleton.names[parent] in wanted:
            wanted.add(skeleton.names[i])
    return frozenset(wanted)


def mixed(a: Pose, b: Pose, share: float) -> Pose:
    """From pose `a` (0) to `b` (1): rotations the short way, the rest straight."""
    names = sorted(a.shapes.keys() | b.shapes.keys())
    return Pose(
        a.translations + share * (b.translations - a.translations),
        slerped(a.rotations, b.rotations, np.full(len(a.rotations), share)),
        {n: (1 - share) * a.shapes.get(n, 0.0) + share * b.shapes.get(n, 0.0) for n in names},
    )


def _alike(a: Motion, b: Motion) -> None:
    if a.skeleton != b.skeleton:
        raise ValueError("motions of two skeletons cannot be put together: retarget one of them first")


def _global(skeleton: Skeleton, pose: Pose, joint: int) -> tuple[Array, Array]:  # -> [4], [3]
    turn, place = pose.rotations[joint], pose.translations[joint]
    parent = skeleton.parents[joint]
    while parent >= 0:
        place = pose.translations[parent] + rotate(pose.rotations[parent], place)
        turn = multiply(pose.rotations[parent], turn)
        parent = skeleton.parents[parent]
    return turn, place


def _travel(motion: Motion, mover: int, end: float) -> tuple[Array, Array]:  # -> [4], [3]
    """The planar motion that brings the mover's place on the ground from the start to the end of a round."""
    (q0, p0), (q1, p1) = (_global(motion.skeleton, motion.at(t), mover) for t in (0.0, end))
    w, _, _, z = multiply(q1, conjugate(q0))
    turn = normalised([w, 0.0, 0.0, z]) if w * w + z * z > 1e-12 else np.array([1.0, 0, 0, 0])
    flat = np.array([1.0, 1.0, 0.0])
    return turn, p1 * flat - rotate(turn, p0 * flat)


def _moved(by: tuple[Array, Array], pose: Pose, skeleton: Skeleton) -> Pose:
    translations, rotations = pose.translations.copy(), pose.rotations.copy()
    for root in (i for i, parent in enumerate(skeleton.parents) if parent < 0):
        translations[root] = rotate(by[0], translations[root]) + by[1]
        rotations[root] = multiply(by[0], rotations[root])
    return Pose(translations, rotations, pose.shapes)


def _partners(body: Body) -> list[int]:
    """Of every joint the one on the other side; of the middle ones themselves."""
    result = list(range(len(body.skeleton)))
    for role, joint in body.roles.items():
        if role.endswith(".left") and (other := body.roles.get(role[:-5] + ".right")) is not None:
            result[joint], result[other] = other, joint
    return result


_SIDES: Mapping[str, str] = {"Left": "Right", "Right": "Left"}


def _other_side(name: str) -> str:
    for side, other in _SIDES.items():
        if name.endswith(side):
            return name[: -len(side)] + other
    return name
