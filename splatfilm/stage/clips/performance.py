"""A performance: what an actor does on the scene's clock, made of spans of motion, gazes and blinks.

Spans follow one another with cross-fades. Poses are faded joint by joint and then their feet are put back where both
sides of the fade have them: a foot that stands in both does not slide. A performance is a plain value and a function of
the scene frame alone, so every shot of a moment sees the same actor to the last bit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import (
    Similarity,
    matrix_from_quaternion,
    multiply,
    quaternion_about,
    quaternion_from_matrix,
)
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.clip import Clip, Motion
from splatfilm.stage.clips.face import Blinks, looking
from splatfilm.stage.clips.operations import mixed
from splatfilm.stage.clips.posing import refooted
from splatfilm.stage.clips.roles import SIDES
from splatfilm.stage.clips.rotations import rotate, slerped
from splatfilm.stage.clips.stepping import Placement
from splatfilm.stage.rigs import Pose

Array = NDArray[np.float64]
_STANDING = Placement()


@dataclass(frozen=True, eq=False)
class Span:
    """A motion from scene frame `start` on, in the space that `placement` puts it in.

    `since` is the motion's time at the start, seconds; `speed` how fast it runs. `fade` frames long it comes in over
    the span before it. After its end a motion holds its last pose until the next span.
    """

    motion: Motion
    start: float
    placement: Placement = _STANDING
    fade: float = 0.0
    since: float = 0.0
    speed: float = 1.0
    name: str = ""

    def seconds(self, frame: float, rate: Fraction) -> float:
        """The motion's time at a scene frame."""
        return self.since + self.speed * (frame - self.start) / float(rate)

    def end(self, rate: Fraction) -> float:
        """The scene frame at which the motion is over."""
        return self.start + (self.motion.duration - self.since) / self.speed * float(rate)


@dataclass(frozen=True)
class Gaze:
    """Looking at a point of the scene (metres) from frame `start` to `end`, taking `ease` frames to turn and return."""

    target: tuple[float, float, float]
    start: float
    end: float
    ease: float = 10.0
    strength: float = 1.0

    def weight(self, frame: float) -> float:
        """How much of the way the gaze turns at a frame, 0..strength."""
        up = _smooth((frame - self.start) / self.ease)
        return self.strength * up * _smooth((self.end - frame) / self.ease)


@dataclass(frozen=True)
class Performed:
    """One moment: the pose relative to where the actor stands, and the placement on the floor under the hips."""

    pose: Pose
    placement: Similarity


@dataclass(frozen=True, eq=False)
class Performance:
    """What `actor` does in `scene`. Raises `ValueError` for no spans, spans out of order, fades longer than spans."""

    body: Body
    spans: tuple[Span, ...]
    scene: str
    actor: str
    gazes: tuple[Gaze, ...] = ()
    blinks: bool = True
    _blinks: Blinks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        spans = tuple(self.spans)
        if not spans:
            raise ValueError("a performance needs at least one span")
        for k, span in enumerate(spans):
            if span.motion.skeleton != self.body.skeleton:
                raise ValueError(f"span {k} ({span.name}): its motion is of another skeleton; retarget it first")
            if k and span.start <= spans[k - 1].start:
                raise ValueError(f"span {k} ({span.name}) starts at {span.start:g}, not after {spans[k - 1].start:g}")
            if span.fade < 0 or (k + 1 < len(spans) and span.start + span.fade > spans[k + 1].start):
                raise ValueError(f"span {k} ({span.name}): a fade of {span.fade:g} frames does not fit into it")
            if not (span.speed > 0 and np.isfinite(span.speed)):
                raise ValueError(f"span {k} ({span.name}): a speed must be above 0, found {span.speed:g}")
        object.__setattr__(self, "spans", spans)
        object.__setattr__(self, "_blinks", Blinks(self.scene, self.actor))

    def at(self, scene_frame: float, rate: Fraction) -> Performed:
        """The actor at a scene frame of a scene that runs at `rate`."""
        pose = self.world(scene_frame, rate)
        where = _ground(Puppet(self.body, pose))
        w, i, j, k = (float(v) for v in quaternion_about((0, 0, 1), where.heading))
        return Performed(placed(self.body, pose, where, inverse=True), Similarity((w, i, j, k), where.position))

    def notes(self, last_frame: float, rate: Fraction, shapes: Collection[str] = ()) -> tuple[str, ...]:
        """What a person should know before filming up to `last_frame` with a rig that has `shapes`; none is an error.

        Motions that end before something follows them, clips made at another rate, and blendshapes that the rig does
        not have.
        """
        found = []
        ends = [*(span.start for span in self.spans[1:]), last_frame]  # a fade may begin on a pose that is held
        for span, until in zip(self.spans, ends, strict=True):
            name, over = span.name or "a span", span.end(rate)
            if over < until - 1e-6:
                found.append(f"{self.actor}: {name} is over at frame {over:g} and holds its last pose until {until:g}")
            clip = getattr(span.motion, "motion", span.motion)
            if isinstance(clip, Clip) and clip.rate != rate:
                found.append(f"{self.actor}: {name} was made at {clip.rate} frames a second; it plays at its own speed")
        if shapes:
            wanted: set[str] = set()
            for span in self.spans:
                wanted |= self.world(span.start + span.fade, rate).shapes.keys()
            absent = sorted(wanted - set(shapes))
            if absent:
                found.append(f"{self.actor}: the rig has no blendshapes {', '.join(absent)}; they do nothing")
        return tuple(found)

    def world(self, scene_frame: float, rate: Fraction) -> Pose:
        """The pose at a scene frame in the scene's own space."""
        pose = self._faded(len(self.spans) - 1, scene_frame, rate)
        for gaze in self.gazes:
            weight = gaze.weight(scene_frame)
            if weight > 0:
                pose = looking(self.body, pose, np.array(gaze.target), weight)
        return self._blinks.apply(pose, scene_frame, rate) if self.blinks else pose

    def _faded(self, k: int, frame: float, rate: Fraction) -> Pose:
        """The pose when only spans 0 .. k are there."""
        while k and frame < self.spans[k].start:
            k -= 1
        span = self.spans[k]
        pose = rooted(self.body, placed(self.body, span.motion.at(span.seconds(frame, rate)), span.placement))
        if k and frame < span.start + span.fade:
            before = self._faded(k - 1, frame, rate)
            return crossfaded(self.body, before, pose, _smooth((frame - span.start) / span.fade))
        return pose


def crossfaded(body: Body, before: Pose, after: Pose, share: float) -> Pose:
    """From `before` (0) to `after` (1): joints the short way, then each foot where the fade of both has it.

    Feet that stand in one place in both stay there to the bit of the legs' solver.
    """
    if share <= 0 or share >= 1:
        return before if share <= 0 else after
    pose = mixed(before, after, share)
    one, other = Puppet(body, before), Puppet(body, after)
    feet = {}
    for side in SIDES:
        a, b = one.place(f"foot.{side}"), other.place(f"foot.{side}")
        turns = [quaternion_from_matrix(p.turn(f"foot.{side}")) for p in (one, other)]
        turn = slerped(turns[0], turns[1], share)
        feet[side] = (a + share * (b - a), matrix_from_quaternion(turn))
    return refooted(body, pose, feet)


def placed(body: Body, pose: Pose, placement: Placement, inverse: bool = False) -> Pose:
    """`pose` moved as a whole into the space that `placement` stands in, or back out of it."""
    if placement == _STANDING:
        return pose
    turn = quaternion_about((0, 0, 1), -placement.heading if inverse else placement.heading)
    translations, rotations = pose.translations.copy(), pose.rotations.copy()
    for root in (i for i, parent in enumerate(body.skeleton.parents) if parent < 0):
        at = translations[root] - placement.position if inverse else translations[root]
        translations[root] = rotate(turn, at) + (0.0 if inverse else np.array(placement.position))
        rotations[root] = multiply(turn, rotations[root])
    return Pose(translations, rotations, pose.shapes)


def rooted(body: Body, pose: Pose) -> Pose:
    """The same pose with its topmost joint on the floor under the hips, facing as they do.

    Some motions move a rig's root and some its hips; fading joint by joint between the two would swing the body about
    a point far away.
    """
    top = body.roles["hips"]
    while body.skeleton.parents[top] >= 0:
        top = body.skeleton.parents[top]
    if top == body.roles["hips"]:
        return pose
    puppet = Puppet(body, pose)
    place, turn = puppet.place("hips"), puppet.turn("hips")
    where = _ground(puppet)
    puppet.move(top, np.array(where.position))
    puppet.set_global(top, where.turn() @ body.rest_rotations[top])
    puppet.set_place("hips", place)
    puppet.set_turn("hips", turn)
    return puppet.pose()


def _ground(puppet: Puppet) -> Placement:
    """Where a body is on the floor: under its hips, facing as its left hip says, level even when it lies or bows."""
    left, rest = puppet.turn("hips") @ puppet.body.axes[:, 0], puppet.body.axes[:, 0]
    heading = float(np.arctan2(left[1], left[0]) - np.arctan2(rest[1], rest[0]))
    x, y, _ = puppet.place("hips").tolist()
    return Placement((x, y, 0.0), heading)


def _smooth(u: float) -> float:
    u = min(max(float(u), 0.0), 1.0)
    return u * u * (3 - 2 * u)
