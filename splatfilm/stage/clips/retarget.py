"""A motion of one skeleton on another: joints are paired by what they are for, and turn as they turn.

What is carried over is how far each joint has turned since a reference pose, in the space of the body, not its numbers:
joints' own axes, rest poses (T, A, or none at all) and proportions may differ. Before, the target is brought into the
source's reference pose by swinging each of its bones along the source's, so that an arm that hangs there hangs here.
The path of the hips is scaled by the ratio of their heights. Feet then nearly stand; `feet.FootLock` plants them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import matrix_from_quaternion
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.clip import Motion
from splatfilm.stage.clips.roles import ROLES, SIDES, find_roles, missing
from splatfilm.stage.clips.rotations import between, quaternions, unit
from splatfilm.stage.rigs import Pose, Skeleton, rest_pose, world_transforms
from splatfilm.stage.rigs.skeleton import rotation_matrices

Array = NDArray[np.float64]
_ARM = (("shoulder", "arm"), ("arm", "forearm"), ("forearm", "hand"))
_LEG = (("thigh", "shin"), ("shin", "foot"), ("foot", "toes"))
_BONES: tuple[tuple[str, str], ...] = (
    ("spine", "chest"),
    ("chest", "neck"),
    ("neck", "head"),
    *((f"{a}.{side}", f"{b}.{side}") for side in SIDES for a, b in (*_ARM, *_LEG)),
)
"""Bones, parents first, that are swung into the source's reference pose: from the joint of a role to another's."""
_WANTED = ("hips", *(f"{r}.{s}" for s in SIDES for r in ("thigh", "shin", "foot", "arm", "forearm", "hand")))


@dataclass(frozen=True)
class Match:
    """Which joint of a source plays which joint of a target, and what plays nothing."""

    pairs: tuple[tuple[str, str, str], ...]  # (role, source joint, target joint)
    source_left: tuple[str, ...]  # joints of the source that move nothing
    target_left: tuple[str, ...]  # joints of the target that stay at rest

    def __str__(self) -> str:
        lines = [f"{role}: {source} -> {target}" for role, source, target in self.pairs]
        if self.source_left:
            lines.append(f"not used: {', '.join(self.source_left)}")
        if self.target_left:
            lines.append(f"stay at rest: {', '.join(self.target_left)}")
        return "\n".join(lines)


def match(source: Skeleton, target: Skeleton, names: Mapping[str, str] | None = None) -> Match:
    """The joints of two skeletons paired by role; `names` (role -> joint of the source) settles what is not guessed."""
    a, b = find_roles(source, names), find_roles(target)
    pairs = tuple((r, source.names[a[r]], target.names[b[r]]) for r in ROLES if r in a and r in b)
    used, moved = {p[1] for p in pairs}, {p[2] for p in pairs}
    return Match(
        pairs,
        tuple(n for n in source.names if n not in used),
        tuple(n for n in target.names if n not in moved),
    )


@dataclass(frozen=True, eq=False)
class Retarget:
    """`motion` on the skeleton of `body`. It begins at the body's origin, facing as the body faces at rest.

    `reference` is a pose of the source in which it stands as a person does; None takes its rest pose, or the motion's
    first pose where the rest pose is no body at all (motion capture often has every offset along one axis).
    Blendshapes go over by name. Raises `ValueError` naming the roles that the source must have and has not.
    """

    body: Body
    motion: Motion
    names: Mapping[str, str] = field(default_factory=dict)  # role -> joint of the source
    reference: Pose | None = None
    _plan: _Plan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        roles = find_roles(self.motion.skeleton, self.names)
        gone = missing(roles, _WANTED)
        if gone:
            raise ValueError(f"the motion's skeleton has no joints for {', '.join(gone)}; name them (role: joint)")
        pose = self.reference or _reference(self.motion, roles)
        object.__setattr__(self, "_plan", _planned(self.body, self.motion.skeleton, roles, pose))

    @property
    def skeleton(self) -> Skeleton:
        return self.body.skeleton

    @property
    def duration(self) -> float:
        return self.motion.duration

    def at(self, seconds: float) -> Pose:
        """The pose at `seconds`."""
        plan, source = self._plan, self.motion.at(seconds)
        turns, places = _globals(self.motion.skeleton, source)
        puppet = Puppet(self.body)
        for role, s, t in plan.pairs:
            turned = plan.facing @ turns[s] @ plan.source_turns[s].T @ plan.facing.T
            if role == "hips":
                puppet.move(t, plan.origin + plan.size * (plan.facing @ (places[s] - plan.ground)))
            puppet.set_global(t, turned @ plan.target_turns[t])
        puppet.shapes.update(source.shapes)
        return puppet.pose()


@dataclass(frozen=True, eq=False)
class _Plan:
    pairs: tuple[tuple[str, int, int], ...]  # role, source joint, target joint; parents first in the target
    facing: Array  # [3, 3] from the source's space to the target's
    source_turns: Array  # [S, 3, 3] in the reference pose
    target_turns: Array  # [T, 3, 3] in the same pose
    ground: Array  # [3] below the source's hips in the reference pose
    origin: Array  # [3] below the target's hips at rest
    size: float


def _reference(motion: Motion, roles: Mapping[str, int]) -> Pose:
    rest = rest_pose(motion.skeleton)
    return rest if _stands(_globals(motion.skeleton, rest)[1], roles) else motion.at(0.0)


def _stands(places: Array, roles: Mapping[str, int]) -> bool:
    """Whether this is a body on its feet: hips above both feet by most of the legs, and a left and a right side."""
    legs = [sum(_apart(places, roles, s, a, b) for a, b in (("thigh", "shin"), ("shin", "foot"))) for s in SIDES]
    drops = [float(places[roles[f"thigh.{s}"], 2] - places[roles[f"foot.{s}"], 2]) for s in SIDES]
    across = np.linalg.norm((places[roles["thigh.left"]] - places[roles["thigh.right"]])[:2])
    return all(d > 0.8 * leg > 0 for d, leg in zip(drops, legs, strict=True)) and float(across) > 0.05 * max(legs)


def _apart(places: Array, roles: Mapping[str, int], side: str, a: str, b: str) -> float:
    return float(np.linalg.norm(places[roles[f"{b}.{side}"]] - places[roles[f"{a}.{side}"]]))


def _globals(skeleton: Skeleton, pose: Pose) -> tuple[Array, Array]:  # -> [J, 3, 3], [J, 3]
    """Orientations, free of scale, and places of all joints."""
    m = world_transforms(skeleton, pose)
    linear = m[:, :3, :3] / np.linalg.norm(m[:, :3, :3], axis=1, keepdims=True)
    return rotation_matrices(quaternions(linear)), m[:, :3, 3]


def _planned(body: Body, skeleton: Skeleton, roles: Mapping[str, int], reference: Pose) -> _Plan:
    turns, places = _globals(skeleton, reference)
    left = unit((places[roles["thigh.left"]] - places[roles["thigh.right"]]) * (1, 1, 0))
    axes = np.stack([left, np.cross([0.0, 0.0, 1.0], left), [0.0, 0.0, 1.0]], axis=-1)
    facing = body.axes @ axes.T
    puppet = Puppet(body)
    for a, b in _BONES:
        if {a, b} <= roles.keys() and {a, b} <= body.roles.keys():
            wanted = facing @ (places[roles[b]] - places[roles[a]])
            now = puppet.place(b) - puppet.place(a)
            if np.linalg.norm(wanted) > 1e-6 and np.linalg.norm(now) > 1e-6:
                joint = body.roles[a]
                swing = matrix_from_quaternion(between(now, wanted))
                puppet.set_global(joint, swing @ puppet.turns[joint])
    floor = min(float(places[roles[f"foot.{s}"], 2]) for s in SIDES)
    ankle = min(float(body.at_rest(f"foot.{s}")[2]) for s in SIDES)
    hips, own = places[roles["hips"]], body.at_rest("hips")
    legs = (_leg(places, roles), body.leg)
    size = legs[1] / legs[0]
    ground = np.array([hips[0], hips[1], floor])
    pairs = sorted(((r, roles[r], body.roles[r]) for r in ROLES if r in roles and r in body.roles), key=lambda p: p[2])
    return _Plan(tuple(pairs), facing, turns, puppet.turns.copy(), ground, np.array([own[0], own[1], ankle]), size)


def _leg(places: Array, roles: Mapping[str, int]) -> float:
    return sum(_apart(places, roles, "left", a, b) for a, b in (("thigh", "shin"), ("shin", "foot")))
