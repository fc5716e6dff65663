"""A skeleton understood as a body: which way it faces, how long its limbs are, and a working pose to bend.

Directions are said in the body's own axes (left, back, up), found from its rest pose, so that the same words move any
rig: a positive turn about `left` bows, about `up` turns to the left. Joints' own axes do not matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.rigid import matrix_from_quaternion
from splatfilm.stage.clips.ik import two_bone
from splatfilm.stage.clips.roles import SIDES, find_roles, missing
from splatfilm.stage.clips.rotations import crossed, exponential, frame, length_of, quaternions, twist, unit
from splatfilm.stage.rigs import Pose, Skeleton, rest_pose, world_transforms
from splatfilm.stage.rigs.skeleton import rotation_matrices

Array = NDArray[np.float64]
NEEDED = ("hips", "chest", "head", *(f"{r}.{s}" for s in SIDES for r in ("arm", "forearm", "hand")))
NEEDED = (*NEEDED, *(f"{r}.{s}" for s in SIDES for r in ("thigh", "shin", "foot", "toes")))
"""The roles that a body must have to be posed."""
_UNEVEN = 1e-3  # a rest scale further from 1 than this is refused: bones would change length as they turn
_WRIST_SHARE = 0.5  # of a hand's twist that the forearm takes, as its two bones do


@dataclass(frozen=True, eq=False)
class Body:
    """A skeleton with its roles. Raises `ValueError` naming roles that nothing fills and joints that are scaled.

    `lips` is where the lips meet at rest, where that is known better than a skeleton can tell.
    """

    skeleton: Skeleton
    names: Mapping[str, str] = field(default_factory=dict)
    lips: tuple[float, float, float] | None = None
    roles: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        roles = find_roles(self.skeleton, self.names)
        gone = missing(roles, NEEDED)
        if gone:
            raise ValueError(f"the skeleton has no joints for {', '.join(gone)}; name them (role: joint)")
        scaled = np.max(np.abs(self.skeleton.rest_scales - 1), axis=1) > _UNEVEN
        if np.any(scaled):
            raise ValueError(
                f"joint {self.skeleton.names[int(np.argmax(scaled))]!r} is scaled at rest: apply its scale"
            )
        object.__setattr__(self, "roles", roles)

    @cached_property
    def rest(self) -> Puppet:
        """The rest pose; do not bend it, bend a `Puppet` of your own."""
        return Puppet(self)

    @cached_property
    def axes(self) -> Array:  # [3, 3]
        """Columns left, back and up, in the rig's space: up is Z, left is from the right thigh to the left one."""
        left = self.at_rest("thigh.left") - self.at_rest("thigh.right")
        left = unit(left * (1, 1, 0))
        return np.stack([left, np.cross([0.0, 0.0, 1.0], left), [0.0, 0.0, 1.0]], axis=-1)

    def at_rest(self, role: str) -> Array:  # [3]
        """Where the joint of a role stands at rest, in the rig's space."""
        return np.asarray(self._rest_globals[self.roles[role], :3, 3])

    @cached_property
    def _rest_globals(self) -> Array:  # [J, 4, 4]
        return world_transforms(self.skeleton, rest_pose(self.skeleton))

    @cached_property
    def rest_rotations(self) -> Array:  # [J, 3, 3]
        """Every joint's rotation at rest in the rig's space, free of scale."""
        m = self._rest_globals[:, :3, :3]
        return rotation_matrices(quaternions(m / np.linalg.norm(m, axis=1, keepdims=True)))

    def lengths(self, *roles: str) -> tuple[float, ...]:
        """The lengths of the bones between the joints of `roles`, metres."""
        places = [self.at_rest(role) for role in roles]
        return tuple(float(np.linalg.norm(b - a)) for a, b in itertools.pairwise(places))

    @cached_property
    def leg(self) -> float:
        """The length of a leg from hip to ankle."""
        return sum(self.lengths("thigh.left", "shin.left", "foot.left"))

    @cached_property
    def arm(self) -> float:
        """The length of an arm from shoulder to wrist."""
        return sum(self.lengths("arm.left", "forearm.left", "hand.left"))

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The joints that hang on each joint."""
        return tuple(self.skeleton.children(i) for i in range(len(self.skeleton)))

    @cached_property
    def mouth(self) -> Array:  # [3]
        """Where the lips meet, at rest. Faces have it 0.8 of the eyes' distance below them."""
        if self.lips is not None:
            return np.array(self.lips)
        if {"eye.left", "eye.right"} <= self.roles.keys():
            left, right = self.at_rest("eye.left"), self.at_rest("eye.right")
            apart = float(np.linalg.norm(left - right))
            return np.asarray((left + right) / 2 - self.axes[:, 2] * 0.82 * apart - self.axes[:, 1] * 0.32 * apart)
        head = self.at_rest("head")
        return np.asarray(head + self.axes @ (0.0, -0.13 * self.leg, 0.06 * self.leg))

    def delta(self, degrees: ArrayLike) -> Array:  # [3] -> [3, 3]
        """A turn by a rotation vector in degrees about (left, back, up), as a matrix in the rig's space."""
        vector = self.axes @ np.radians(np.asarray(degrees, dtype=np.float64))
        return matrix_from_quaternion(exponential(vector))

    def mirrored(self, vector: ArrayLike, side: str) -> Array:  # [3] -> [3]
        """A direction in body axes, written for the left, for `side`."""
        return np.asarray(vector, dtype=np.float64) * (1.0 if side == "left" else -1.0, 1.0, 1.0)


class Puppet:
    """A pose being made: what is set, and where joints then stand in the rig's space. Starts from `pose`.

    Where a joint stands is worked out when it is asked for, along its own chain only: fingers cost nothing while a
    back is bent.
    """

    def __init__(self, body: Body, pose: Pose | None = None) -> None:
        self.body = body
        start = pose or rest_pose(body.skeleton)
        self._parents = body.skeleton.parents
        self._local = rotation_matrices(start.rotations)  # [J, 3, 3]
        self._offsets = start.translations.copy()  # [J, 3]
        self.shapes: dict[str, float] = dict(start.shapes)
        self._turns = np.empty_like(self._local)  # [J, 3, 3] in the rig's space
        self._places = np.empty_like(self._offsets)  # [J, 3] metres
        # Joints that must be worked out again, and with them all that hangs on them.
        self._stale = {joint for joint, parent in enumerate(self._parents) if parent < 0}

    @property
    def turns(self) -> Array:  # [J, 3, 3]
        """Every joint's orientation in the rig's space."""
        self._refresh_all()
        return self._turns

    @property
    def places(self) -> Array:  # [J, 3]
        """Where every joint stands, metres."""
        self._refresh_all()
        return self._places

    def pose(self) -> Pose:
        """What has been made so far."""
        return Pose(self._offsets, quaternions(self._local), MappingProxyType(dict(self.shapes)))

    def place(self, role: str) -> Array:  # [3]
        """Where the joint of a role stands."""
        joint = self.body.roles[role]
        self._refresh(joint)
        return np.array(self._places[joint])

    def turn(self, role: str) -> Array:  # [3, 3]
        """How far the joint of a role is turned from rest, in the rig's space."""
        j = self.body.roles[role]
        self._refresh(j)
        return np.asarray(self._turns[j] @ self.body.rest_rotations[j].T)

    def bend(self, role: str, by: Array) -> None:
        """Set the joint of a role to be turned by `by` [3, 3] (rig's axes) against its parent, counted from rest."""
        j = self.body.roles.get(role)
        if j is not None:
            parent = self._parents[j]
            rest = self.body.rest_rotations
            before = rest[parent].T if parent >= 0 else np.eye(3)
            self._local[j] = before @ by @ rest[j]
            self._stale.add(j)

    def set_turn(self, role: str, turn: Array) -> None:
        """Turn the joint of a role so that it is turned from rest by `turn` [3, 3] in the rig's space."""
        j = self.body.roles[role]
        self.set_global(j, turn @ self.body.rest_rotations[j])

    def set_place(self, role: str, place: ArrayLike) -> None:
        """Move the joint of a role to a point of the rig's space (only sensible where nothing holds it: the hips)."""
        self.move(self.body.roles[role], np.asarray(place, dtype=np.float64))

    def move(self, joint: int, place: Array) -> None:
        """Move a joint, by number, to a point of the rig's space."""
        parent = self._parents[joint]
        if parent >= 0:
            self._refresh(parent)
            place = self._turns[parent].T @ (place - self._places[parent])
        self._offsets[joint] = place
        self._stale.add(joint)

    def reach(self, limb: tuple[str, str, str], target: ArrayLike, pole: ArrayLike, hinge: ArrayLike) -> Array:
        """Bend a limb of two bones so that its end is at `target`; -> [3] where it arrived.

        `pole` is where the middle joint points, `hinge` the axis (rest pose, rig's space) about which it bends.
        """
        a, b, c = (self.body.roles[role] for role in limb)
        rest = [self.body.at_rest(role) for role in limb]
        lengths = length_of(self._offsets[b]), length_of(self._offsets[c])
        start_at = self.place(limb[0])
        bend = two_bone(start_at, target, lengths, pole)
        ways = (bend.middle - start_at, bend.end - bend.middle)
        for joint, way, (start, end) in ((a, ways[0], (rest[0], rest[1])), (b, ways[1], (rest[1], rest[2]))):
            turn = frame(way, bend.normal) @ frame(end - start, hinge).T
            self.set_global(joint, turn @ self.body.rest_rotations[joint])
        return bend.end

    def leg(self, side: str, ankle: ArrayLike, foot: Array, pole: ArrayLike) -> None:
        """Put a leg's ankle at a point and the foot's turn from rest to `foot` [3, 3]; the knee points to `pole`."""
        limb = (f"thigh.{side}", f"shin.{side}", f"foot.{side}")
        self.reach(limb, ankle, pole, self.body.axes[:, 0])
        self.set_turn(f"foot.{side}", foot)

    def hand(self, side: str, wrist: ArrayLike, pole: ArrayLike, turn: Array | None = None) -> None:
        """Put a wrist at a point, the elbow towards `pole`; `turn` [3, 3] is the hand's turn from rest, if any.

        Half of the hand's twist goes into the forearm, so that the wrist is not wrung.
        """
        limb = (f"arm.{side}", f"forearm.{side}", f"hand.{side}")
        straight = unit(self.body.at_rest(limb[1]) - self.body.at_rest(limb[0]))
        ahead = -self.body.axes[:, 1]
        hinge = crossed(straight, ahead)
        self.reach(limb, wrist, pole, hinge if length_of(hinge) > 0.1 else self.body.axes[:, 2])
        if turn is None:
            self.bend(limb[2], np.eye(3))
            return
        axis = unit(self.place(limb[2]) - self.place(limb[1]))
        against = turn @ self.turn(limb[1]).T
        share = _WRIST_SHARE * twist(quaternions(against), axis)
        self.set_turn(limb[1], matrix_from_quaternion(exponential(axis * share)) @ self.turn(limb[1]))
        self.set_turn(limb[2], turn)

    def set_global(self, joint: int, turn: Array) -> None:
        """Orient a joint, by number, in the rig's space."""
        parent = self._parents[joint]
        if parent >= 0:
            self._refresh(parent)
            turn = self._turns[parent].T @ turn
        self._local[joint] = turn
        self._stale.add(joint)

    def _refresh(self, joint: int) -> None:
        """Work out a joint and what it hangs on, where they are stale; what hangs beside stays stale."""
        chain = [joint]
        while (parent := self._parents[chain[-1]]) >= 0:
            chain.append(parent)
        chain.reverse()
        first = next((k for k, j in enumerate(chain) if j in self._stale), None)
        if first is not None:
            for j in chain[first:]:
                self._work_out(j)
                self._stale.discard(j)
                self._stale.update(self.body.children[j])

    def _refresh_all(self) -> None:
        stale = self._stale
        for j, parent in enumerate(self._parents) if stale else ():
            if j in stale or parent in stale:
                self._work_out(j)
                stale.add(j)
        stale.clear()

    def _work_out(self, joint: int) -> None:
        parent = self._parents[joint]
        if parent < 0:
            self._turns[joint], self._places[joint] = self._local[joint], self._offsets[joint]
        else:
            self._turns[joint] = self._turns[parent] @ self._local[joint]
            self._places[joint] = self._places[parent] + self._turns[parent] @ self._offsets[joint]
