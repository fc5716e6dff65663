"""What hands do to a camera: nudge it, stand it somewhere, focus it on something. Cameras on rigs move as a whole."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.rigid import matrix_from_quaternion, multiply, quaternion_about
from splatfilm.cameras import CameraKey, CameraPath
from splatfilm.layout.editing import (
    EditError,
    Vector,
    editable,
    key_here,
    keyed,
    take_of,
    unrolled_here,
    with_keys,
    with_rig,
)
from splatfilm.layout.moved_rigs import leant, shifted, target_of, turn_between, turned
from splatfilm.layout.rigs import At, Rig, rig_from_value
from splatfilm.layout.state import State, bake

Array = NDArray[np.float64]

FOCUS_TOLERANCE = 0.02
"""How far a pulled focus may be off between its keys, as a part of the distance: within any lens' depth of field."""
MOST_FOCUS_KEYS = 48


@dataclass(frozen=True)
class Nudge:
    """Move the camera from where it is at a frame, as an operator would, and key it there.

    `pan` (right), `tilt` (up) and `roll` in degrees; `truck` (right), `pedestal` (up) and `dolly` (forward) in metres.
    A camera of one key, which stands still over the whole shot, still does so afterwards; a rig moves as a whole.
    """

    label: ClassVar[str] = "Move camera"
    shot: str
    frame: float
    pan: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    truck: float = 0.0
    pedestal: float = 0.0
    dolly: float = 0.0

    def apply(self, state: State) -> State:
        camera = editable(state, self.shot)
        if camera.rig is not None:
            return self._rigged(state, rig_from_value(camera.rig))
        keys = {key.frame: key for key in camera.keys}
        frame = camera.keys[0].frame if len(keys) == 1 else self.frame
        key = keys.get(frame) or key_here(camera, frame)
        pose = camera.pose_at(frame)
        changes: dict[str, Any] = {"position": tuple((pose[:3, 3] + self._way(pose)).tolist())}
        if self.pan or self.tilt or key.look_at is None:
            around = multiply(quaternion_about((0, 0, 1), -math.radians(self.pan)), unrolled_here(camera, key, pose))
            around = multiply(around, quaternion_about((1, 0, 0), math.radians(self.tilt)))
            changes |= {"rotation": tuple(around.tolist()), "look_at": None}
        if self.roll:
            changes["roll"] = (key.roll or 0.0) + math.radians(self.roll)
        keys[frame] = dataclasses.replace(key, **changes)
        return with_keys(state, self.shot, list(keys.values()))

    def _way(self, pose: Array) -> Array:
        right, _, forward = pose[:3, :3].T
        way: Array = self.truck * right + self.dolly * forward + np.array([0.0, 0.0, self.pedestal])
        return way

    def _rigged(self, state: State, rig: Rig) -> State:
        pose, target = _now(state, self.shot, rig, self.frame)
        if self.pan or self.tilt:
            rig = turned(rig, pose, target, self.pan, self.tilt)
        if self.roll:
            rig = leant(rig, self.roll)
        return with_rig(state, self.shot, shifted(rig, self._way(pose)))


@dataclass(frozen=True)
class Stand:
    """Stand the camera at `position`, turned to `rotation` where given, at a frame; it is keyed there.

    A rig moves as a whole, so that it passes `position` at that frame; one that aims at something goes on doing so.
    """

    label: ClassVar[str] = "Stand camera"
    shot: str
    frame: float
    position: Vector
    rotation: tuple[float, float, float, float] | None = None

    def apply(self, state: State) -> State:
        camera = editable(state, self.shot)
        if camera.rig is not None:
            return self._rigged(state, rig_from_value(camera.rig))
        keys = {key.frame: key for key in camera.keys}
        frame = camera.keys[0].frame if len(keys) == 1 else self.frame
        key = keys.get(frame) or key_here(camera, frame)
        changes: dict[str, Any] = {"position": self.position}
        if self.rotation is not None and (key.look_at is None or self._is_turned(camera.pose_at(frame))):
            pose = np.eye(4)
            pose[:3, :3] = matrix_from_quaternion(self.rotation)
            changes |= {"rotation": unrolled_here(camera, key, pose), "look_at": None}
        keys[frame] = dataclasses.replace(key, **changes)
        return with_keys(state, self.shot, list(keys.values()))

    def _is_turned(self, pose: Array) -> bool:
        assert self.rotation is not None, "asked only where one is given"
        cosine = (float(np.trace(pose[:3, :3].T @ matrix_from_quaternion(self.rotation))) - 1) / 2
        return math.acos(min(max(cosine, -1.0), 1.0)) > math.radians(0.01)

    def _rigged(self, state: State, rig: Rig) -> State:
        pose, target = _now(state, self.shot, rig, self.frame)
        if self.rotation is not None and not isinstance(rig.aim, At):
            rig = turned(rig, pose, target, *turn_between(pose[:3, :3], matrix_from_quaternion(self.rotation)))
        return with_rig(state, self.shot, shifted(rig, np.asarray(self.position) - pose[:3, 3]))


@dataclass(frozen=True)
class TrackFocus:
    """Keep the focus on a member of the cast, `height` metres above where it stands, through the whole shot.

    On a rig that aims at the same member the rig follows focus. Otherwise the distance is keyed at the camera's keys
    and wherever else the straight way between them would be off by more than 2 percent.
    """

    label: ClassVar[str] = "Track focus"
    shot: str
    subject: str
    height: float = 0.0

    def apply(self, state: State) -> State:
        camera = editable(state, self.shot)
        if camera.rig is not None:
            rig = rig_from_value(camera.rig)
            if not (isinstance(rig.aim, At) and rig.aim.subject == self.subject):
                raise EditError(f"the rig does not aim at {self.subject!r}: aim it there, or make it keys first")
            return with_rig(state, self.shot, dataclasses.replace(rig, follow_focus=True))
        take = take_of(state, self.shot)
        frames = [int(frame) for frame in take.frames]
        poses = bake(camera, tuple(frames)).poses
        subject = np.array([take.follow(self.subject, frame) for frame in frames])
        subject[:, 2] += self.height
        depth = np.einsum("fi,fi->f", subject - poses[:, :3, 3], poses[:, :3, 2])
        if behind := [frame for frame, metres in zip(frames, depth, strict=True) if metres < 0.05]:
            raise EditError(f"{self.subject!r} is not before the camera at frame {behind[0]}: there is no such focus")
        focus = dict(zip(frames, depth.tolist(), strict=True))
        keys = {key.frame: key for key in keyed(state, self.shot).keys}
        return with_keys(state, self.shot, _pulled(camera, keys, focus))


def _pulled(camera: CameraPath, keys: dict[float, CameraKey], focus: dict[int, float]) -> list[CameraKey]:
    """The keys with focus, and as many more as it takes; more keys only where the picture does not change by them."""
    first, last = min(focus), max(focus)
    chosen = sorted(
        {f for f in focus if float(f) in keys} | ({first, last} if np.ptp(list(focus.values())) else {first})
    )
    while len(chosen) < MOST_FOCUS_KEYS:
        straight = np.interp(list(focus), chosen, [focus[f] for f in chosen])
        off = np.abs(straight / np.array(list(focus.values())) - 1)
        if float(off.max()) <= FOCUS_TOLERANCE:
            break
        chosen = sorted({*chosen, list(focus)[int(off.argmax())]})
    for frame in chosen:
        key = keys.get(float(frame)) or key_here(camera, float(frame))
        keys[float(frame)] = dataclasses.replace(
            key, focus_m=focus[frame], easing=dataclasses.replace(key.easing, focus="linear")
        )
    return list(keys.values())


def _now(state: State, shot: str, rig: Rig, frame: float) -> tuple[Array, Array]:
    """Where a rigged camera stands at a frame [4, 4], and what it looks at [3]."""
    frames = state.shot(shot).frames
    at = min(max(frame, frames.first), frames.last)
    subject = rig.aim.subject if isinstance(rig.aim, At) else ""
    there = take_of(state, shot).follow(subject, at) if subject else None
    return state.camera(shot).pose_at(at), target_of(rig, there)
