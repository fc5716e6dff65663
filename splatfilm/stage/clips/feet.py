"""Feet that stand still: where a motion means its feet to be planted, and holding them there.

A foot is down while its ball is low and slow. Captured and retargeted motions nearly stand; the lock finds those spans
once, at a fixed rate, and puts the feet where they stood on average, easing in and out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import matrix_from_quaternion, quaternion_from_matrix
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.clip import Motion
from splatfilm.stage.clips.posing import refooted
from splatfilm.stage.clips.roles import SIDES
from splatfilm.stage.clips.rotations import slerped
from splatfilm.stage.clips.stepping import Planted
from splatfilm.stage.rigs import Pose, Skeleton

Array = NDArray[np.float64]
RATE = 60.0  # samples a second at which contacts are looked for
SLOW, LOW = 0.25, 0.05  # of a leg's length a second, and of it: what counts as standing
_SHORTEST = 0.08  # seconds; a shorter touch is not a step


def contacts(body: Body, motion: Motion, slow: float = SLOW, low: float = LOW) -> tuple[Planted, ...]:
    """When and where each foot of `motion` stands, from the speed and the height of the ball of the foot.

    `slow` and `low` are in leg lengths (a second). The floor is z = 0, or as low as the feet ever get when that is
    higher or lower, so that motions over another floor work as well.
    """
    count = max(int(np.ceil(motion.duration * RATE)) + 1, 2)
    times = np.linspace(0.0, motion.duration, count)
    rows = {side: np.empty((count, 3)) for side in SIDES}
    for i, t in enumerate(times):
        puppet = Puppet(body, motion.at(float(t)))
        for side in SIDES:
            rows[side][i] = puppet.place(f"toes.{side}")
    floor = min(float(rows[side][:, 2].min()) for side in SIDES)
    found = []
    for side in SIDES:
        balls = rows[side]
        step = times[1] - times[0]
        speed = np.linalg.norm(np.gradient(balls, step, axis=0), axis=1) if step > 0 else np.zeros(count)
        down = (speed < slow * body.leg) & (balls[:, 2] - floor < low * body.leg)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], down.astype(np.int8), [0]])))
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            if times[b - 1] - times[a] >= min(_SHORTEST, motion.duration):
                found.append(Planted(side, float(times[a]), float(times[b - 1]), np.median(balls[a:b], axis=0)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class FootLock:
    """`motion` with every foot held while it stands: ball and turn of the foot do not move at all in between.

    `ease` seconds around a contact the foot goes from the motion's own way to where it is held, and back.
    """

    body: Body
    motion: Motion
    ease: float = 0.12
    slow: float = SLOW

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    @property
    def duration(self) -> float:
        return self.motion.duration

    @cached_property
    def planted(self) -> tuple[Planted, ...]:
        """When and where feet stand."""
        return contacts(self.body, self.motion, self.slow)

    @cached_property
    def _held(self) -> tuple[tuple[Planted, Array, Array], ...]:
        """Of every contact its ankle [3] and the foot's turn [3, 3], from the middle of it, over the held ball."""
        held = []
        for contact in self.planted:
            puppet = Puppet(self.body, self.motion.at((contact.start + contact.end) / 2))
            ball = puppet.place(f"toes.{contact.side}")
            ankle = puppet.place(f"foot.{contact.side}") + contact.ball - ball
            held.append((contact, ankle, puppet.turn(f"foot.{contact.side}")))
        return tuple(held)

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`, feet held."""
        time = min(max(seconds, 0.0), self.duration)
        pose = self.motion.at(time)
        puppet = Puppet(self.body, pose)
        feet = {}
        for side in SIDES:
            ankle, turn = puppet.place(f"foot.{side}"), puppet.turn(f"foot.{side}")
            for contact, held, flat in self._held:
                weight = self._weight(contact, time) if contact.side == side else 0.0
                if weight > 0:
                    ankle = ankle + weight * (held - ankle)
                    between = slerped(quaternion_from_matrix(turn), quaternion_from_matrix(flat), weight)
                    turn = matrix_from_quaternion(between)
            feet[side] = (ankle, turn)
        return refooted(self.body, pose, feet)

    def _weight(self, contact: Planted, time: float) -> float:
        u = 1 - max(contact.start - time, time - contact.end, 0.0) / self.ease
        return u * u * (3 - 2 * u) if u > 0 else 0.0
