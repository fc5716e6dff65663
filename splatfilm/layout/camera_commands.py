"""What can be done to the camera of a shot: lens, keys, aim and rig."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from splatfilm.base.curves import easing as checked_easing
from splatfilm.base.rigid import quaternion_from_matrix
from splatfilm.layout import film_text
from splatfilm.layout.aiming import aimed, offset_mm, recorded_mm
from splatfilm.layout.editing import (
    CHANNELS,
    EditError,
    Vector,
    chosen_keys,
    editable,
    key_here,
    keyed,
    picture_size,
    replayed,
    take_of,
    toml_value,
    unrolled,
    with_keys,
    with_rig,
)
from splatfilm.layout.keys import fitted_path
from splatfilm.layout.rigs import play, rig_from_value
from splatfilm.layout.state import State


@dataclass(frozen=True)
class SetLens:
    """Fields of the lens, for the whole shot: `focal_mm`, `filmback_mm`, `squeeze`, `t_stop`, `focus_m`, `gate`.

    None takes a T-stop or a focus away. A keyed focal length or focus is keyed no longer. What the shot itself replaces
    in the film file is changed there.
    """

    label: ClassVar[str] = "Set lens"
    shot: str
    changes: Mapping[str, Any]

    def apply(self, state: State) -> State:
        shot, camera = state.shot(self.shot), editable(state, self.shot)
        cleared = {name: None for name in ("t_stop", "focus_m") if name in self.changes and self.changes[name] is None}
        given = {k: tuple(v) if isinstance(v, list) else v for k, v in self.changes.items() if v is not None}
        if len(given.get("filmback_mm", (1, 1))) != 2:
            raise EditError(f"filmback_mm is [width, height] in mm, not {self.changes['filmback_mm']!r}")
        if unknown := [k for k, v in self.changes.items() if v is None and k not in cleared]:
            raise EditError(f"{unknown[0]} cannot be taken away: only t_stop and focus_m can")
        if camera.rig is not None and "focal_mm" in given:
            raise EditError(f"shot {self.shot} is on a rig: change the rig's focal length, or make it keys first")
        changed = camera.with_lens(given)
        if "focus_m" in cleared:
            changed = dataclasses.replace(
                changed, keys=tuple(dataclasses.replace(k, focus_m=None) for k in changed.keys)
            )
        changed = dataclasses.replace(changed, lens=dataclasses.replace(changed.lens, **cleared))  # type: ignore[arg-type]
        in_film = {name: toml_value(self.changes[name]) for name in self.changes if name in shot.lens}
        if in_film:
            state = state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"lens": in_film}))
        state = state.with_camera(shot.camera, changed)
        return replayed(state, self.shot) if changed.rig is not None else state


@dataclass(frozen=True)
class SetKey:
    """A key at a scene frame: what is not given is as the camera is there now. `roll` in degrees.

    Give `rotation` (a quaternion) or `look_at` (a point), not both.
    """

    label: ClassVar[str] = "Set key"
    shot: str
    frame: float
    position: Vector | None = None
    rotation: tuple[float, float, float, float] | None = None
    look_at: Vector | None = None
    roll: float | None = None
    focal_mm: float | None = None
    focus_m: float | None = None

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        keys = {key.frame: key for key in camera.keys}
        key = keys.get(self.frame) or key_here(camera, self.frame)
        changes: dict[str, Any] = {}
        if self.position is not None:
            changes["position"] = self.position
        if self.rotation is not None or self.look_at is not None:
            changes["rotation"], changes["look_at"] = self.rotation, self.look_at
        if self.roll is not None:
            changes["roll"] = math.radians(self.roll)
        if self.focal_mm is not None:
            changes["focal_mm"] = self.focal_mm
        if self.focus_m is not None:
            changes["focus_m"] = self.focus_m
        keys[self.frame] = dataclasses.replace(key, **changes)
        return with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class MoveKeys:
    """The keys at `frames`, `by` frames later, or copies of them; a key that stood where one lands is replaced."""

    label: ClassVar[str] = "Move keys"
    shot: str
    frames: tuple[float, ...]
    by: float
    copy: bool = False

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        chosen = chosen_keys(camera, self.frames)
        stay = camera.keys if self.copy else [key for key in camera.keys if key not in chosen]
        keys = {key.frame: key for key in stay}
        keys |= {key.frame + self.by: dataclasses.replace(key, frame=key.frame + self.by) for key in chosen}
        return with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class ScaleKeys:
    """The keys at `frames`, spread by `factor` about the frame `about`, on whole frames."""

    label: ClassVar[str] = "Scale keys"
    shot: str
    frames: tuple[float, ...]
    factor: float
    about: float

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        if not self.factor > 0:
            raise EditError(f"keys are scaled by a factor above 0, not {self.factor:g}")
        chosen = chosen_keys(camera, self.frames)
        frames = [float(round(self.about + (key.frame - self.about) * self.factor)) for key in chosen]
        if len(set(frames)) < len(frames):
            raise EditError("so close together two keys would share a frame")
        keys = {key.frame: key for key in camera.keys if key not in chosen}
        keys |= {to: dataclasses.replace(key, frame=to) for to, key in zip(frames, chosen, strict=True)}
        return with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class DeleteKeys:
    """Take the keys at `frames` out; the last key of a camera stays."""

    label: ClassVar[str] = "Delete keys"
    shot: str
    frames: tuple[float, ...]

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        chosen = chosen_keys(camera, self.frames)
        keys = [key for key in camera.keys if key not in chosen]
        if not keys:
            raise EditError("a camera needs at least one key")
        return with_keys(state, self.shot, keys)


@dataclass(frozen=True)
class SetEasing:
    """How `channels` go on from the keys at `frames`: a name, or four numbers of a timing curve."""

    label: ClassVar[str] = "Set easing"
    shot: str
    frames: tuple[float, ...]
    easing: Any
    channels: tuple[str, ...] = CHANNELS

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        how = checked_easing(self.easing)
        for channel in self.channels:
            if channel not in CHANNELS:
                raise EditError(f"no channel {channel!r}; there is {', '.join(CHANNELS)}")
        chosen = chosen_keys(camera, self.frames)
        changes: dict[str, Any] = dict.fromkeys(self.channels, how)
        keys = [
            dataclasses.replace(key, easing=dataclasses.replace(key.easing, **changes)) if key in chosen else key
            for key in camera.keys
        ]
        return with_keys(state, self.shot, keys)


@dataclass(frozen=True)
class SetSpeed:
    """Whether the way is covered as keyed, or at one speed: `keyed` or `constant`."""

    label: ClassVar[str] = "Set speed"
    shot: str
    speed: str

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        return state.with_camera(state.shot(self.shot).camera, dataclasses.replace(camera, speed=self.speed))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Aim:
    """Turn the camera, at every key, so that `point` appears at `place` in the frame (0..1 from left and top)."""

    label: ClassVar[str] = "Aim"
    shot: str
    point: Vector
    place: tuple[float, float] = (0.5, 0.5)

    def apply(self, state: State) -> State:
        camera = keyed(state, self.shot)
        seen, size = state.seen(self.shot), picture_size(state)
        keys = []
        for key in camera.keys:
            if self.place == (0.5, 0.5):
                keys.append(dataclasses.replace(key, rotation=None, look_at=self.point))
                continue
            lens = seen.lens_at(key.frame)
            away = np.array([offset_mm(self.place, recorded_mm(lens, size))])
            roll = key.roll or 0.0  # the file keeps roll apart from the rotation: both together put the point there
            position, point, focal = np.array([key.position]), np.array([self.point]), np.array([lens.focal_mm])
            turned = aimed(position, point, away, focal, np.array([roll]))[0]
            w, x, y, z = unrolled(quaternion_from_matrix(turned), roll)
            keys.append(dataclasses.replace(key, rotation=(w, x, y, z), look_at=None))
        return with_keys(state, self.shot, keys)


@dataclass(frozen=True)
class SetRig:
    """Put the shot's camera on a rig (plain values, see `rigs.rig_from_value`); its keys are made from it."""

    label: ClassVar[str] = "Set rig"
    shot: str
    rig: Mapping[str, Any]

    def apply(self, state: State) -> State:
        editable(state, self.shot)
        return with_rig(state, self.shot, rig_from_value(self.rig))


@dataclass(frozen=True)
class RigToKeys:
    """Take the camera off its rig and keep the move as a few keys, to be edited by hand."""

    label: ClassVar[str] = "Rig to keys"
    shot: str

    def apply(self, state: State) -> State:
        camera = editable(state, self.shot)
        if camera.rig is None:
            raise EditError(f"shot {self.shot} is on no rig: it has keys already")
        take = take_of(state, self.shot)
        played = play(rig_from_value(camera.rig), take)
        return state.with_camera(state.shot(self.shot).camera, fitted_path(played, take.frames, camera.lens))
