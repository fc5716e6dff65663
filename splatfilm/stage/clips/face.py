"""Faces over any clip: blinks and gaze, as layers that know nothing of what the rest of the body does.

Blinks are drawn from an address (scene, actor, scene frame), so every shot of a moment sees the same ones. A gaze turns
eyes, head, neck and chest towards a point of the scene, each within its limits, each its share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import matrix_from_quaternion, quaternion_about
from splatfilm.stage.clips.address import random_at
from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.ik import limited
from splatfilm.stage.clips.roles import SIDES
from splatfilm.stage.rigs import Pose

Array = NDArray[np.float64]
_CLOSING, _SHUT, _OPENING = 0.08, 0.04, 0.16  # seconds; lids close twice as fast as they open
_SLOT = 3.6  # seconds; one blink falls somewhere in each
_TWICE = 0.15  # of blinks come in pairs
_FIRST_FRAME = 1001
HEAD_LIMITS = (math.radians(70), math.radians(40))  # aside, up and down, of head, neck and chest together
EYE_LIMITS = (math.radians(32), math.radians(22))
_SHARES = {"chest": 0.12, "neck": 0.30, "head": 0.58}
_HEAD_PART = 0.75  # of the way that the head turns; eyes do the rest, as they do in people


@dataclass(frozen=True)
class Blinks:
    """When an actor's eyes blink: once in every slot of time of the scene's clock, now and then twice."""

    scene: str
    actor: str

    def weight(self, scene_frame: float, rate: Fraction) -> float:
        """How far the lids are closed at a scene frame, 0..1."""
        seconds = (scene_frame - _FIRST_FRAME) / float(rate)
        slot = math.floor(seconds / _SLOT)
        return max(self._blink(k, seconds, rate) for k in (slot - 1, slot))

    def _blink(self, slot: int, seconds: float, rate: Fraction) -> float:
        frame = _FIRST_FRAME + math.floor(slot * _SLOT * float(rate))
        start = (slot + 0.85 * random_at(self.scene, self.actor, frame, "blink")) * _SLOT
        starts = [start]
        if random_at(self.scene, self.actor, frame, "blink twice") < _TWICE:
            starts.append(start + 0.34)
        return max(_lid(seconds - s) for s in starts)

    def apply(self, pose: Pose, scene_frame: float, rate: Fraction) -> Pose:
        """`pose` with its lids closed as far as the blink wants; lids that a clip has closed further stay."""
        weight = self.weight(scene_frame, rate)
        if weight == 0:
            return pose
        shapes = dict(pose.shapes)
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            shapes[name] = max(shapes.get(name, 0.0), weight)
        return Pose(pose.translations, pose.rotations, shapes)


def looking(
    body: Body, pose: Pose, target: Array, weight: float = 1.0, limits: Mapping[str, tuple[float, float]] | None = None
) -> Pose:
    """`pose` with eyes and head turned towards `target` [3] (the rig's space), by `weight` 0..1.

    `limits` are the largest turns (aside, up and down; radians) of "head", which chest, neck and head share, and of
    "eyes", against the way the clip holds the head. They are met softly and never passed.
    """
    if weight <= 0:
        return pose
    allowed = {"head": HEAD_LIMITS, "eyes": EYE_LIMITS, **(limits or {})}
    puppet = Puppet(body, pose)
    goal = np.asarray(target, dtype=np.float64)
    forward = puppet.turn("head") @ body.axes  # how the clip holds the head
    aside, up = limited(_angles(forward, goal - _between_eyes(puppet)), allowed["head"]) * (_HEAD_PART * weight)
    whole = sum(share for role, share in _SHARES.items() if role in body.roles)
    for role, share in _SHARES.items():
        if role in body.roles:
            part = share / whole
            about_up = quaternion_about((0, 0, 1), aside * part)
            across = np.cross((0.0, 0.0, 1.0), -(forward[:, 1]))
            about_left = quaternion_about(across if np.linalg.norm(across) > 0.1 else forward[:, 0], -up * part)
            turn = matrix_from_quaternion(about_up) @ matrix_from_quaternion(about_left)
            puppet.set_turn(role, turn @ puppet.turn(role))
    held = puppet.turn("head") @ body.axes
    for side in SIDES:
        role = f"eye.{side}"
        if role in body.roles:
            left, raised = limited(_angles(held, goal - puppet.place(role)), allowed["eyes"]) * weight
            puppet.bend(role, body.delta((0, 0, np.degrees(left))) @ body.delta((-np.degrees(raised), 0, 0)))
    return puppet.pose()


def gaze_of(body: Body, pose: Pose, side: str) -> tuple[Array, Array]:  # -> [3], [3]
    """Where an eye is and where it looks, in the rig's space."""
    puppet = Puppet(body, pose)
    return puppet.place(f"eye.{side}"), -(puppet.turn(f"eye.{side}") @ body.axes)[:, 1]


def _angles(axes: Array, way: Array) -> Array:  # [3, 3], [3] -> [2]
    """How far `way` lies to the left of and above the direction that `axes` face, radians."""
    left, back, up = (float(way @ axes[:, k]) for k in range(3))
    return np.array([math.atan2(left, -back), math.atan2(up, math.hypot(left, back))])


def _between_eyes(puppet: Puppet) -> Array:
    if {"eye.left", "eye.right"} <= puppet.body.roles.keys():
        return (puppet.place("eye.left") + puppet.place("eye.right")) / 2
    return puppet.place("head")


def _lid(seconds: float) -> float:
    """How far a lid is closed so long after a blink began."""
    if seconds <= 0 or seconds >= _CLOSING + _SHUT + _OPENING:
        return 0.0
    if seconds < _CLOSING:
        u = seconds / _CLOSING
    elif seconds < _CLOSING + _SHUT:
        return 1.0
    else:
        u = 1 - (seconds - _CLOSING - _SHUT) / _OPENING
    return u * u * (3 - 2 * u)
