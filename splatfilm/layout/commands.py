"""Everything that can be done to a film that is open: frozen commands, each a function from a state to a state.

A command says what a person meant ("move these keys by four frames"), so it can be named in an undo menu, sent over a
wire and tried again. `command_from_value` makes one from plain values and checks every field; `COMMANDS` lists them.
Commands raise `EditError` where they make no sense, and the state stays as it was.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, ClassVar, Protocol

import numpy as np

from splatfilm.base.curves import easing as checked_easing
from splatfilm.base.errors import SplatfilmError, did_you_mean
from splatfilm.base.rigid import multiply, quaternion_about, quaternion_from_matrix
from splatfilm.cameras import CameraKey, CameraPath, Easings, Lens
from splatfilm.film.fields import NAME_RULE, is_name
from splatfilm.layout import film_text
from splatfilm.layout.aiming import aimed, offset_mm, recorded_mm
from splatfilm.layout.keys import exact_path, fitted_path
from splatfilm.layout.rigs import Rig, Take, play, rig_from_value, to_value
from splatfilm.layout.state import State
from splatfilm.stage.placement import Placements

Vector = tuple[float, float, float]
CHANNELS = tuple(f.name for f in dataclasses.fields(Easings))
MOST_NUMBER = 1e9


class EditError(SplatfilmError):
    """A command that cannot be done as asked; nothing has changed."""

    exit_code = 3


class Command(Protocol):
    """What a person does, as data."""

    label: ClassVar[str]

    def apply(self, state: State) -> State:
        """The state after it. Raises `EditError`, `InputError`, `KeyError` or `ValueError`."""


# ---- lens and keys ---------------------------------------------------------------------------------------------------


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
        shot, camera = state.shot(self.shot), _editable(state, self.shot)
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
        in_film = {name: _toml(self.changes[name]) for name in self.changes if name in shot.lens}
        if in_film:
            state = state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"lens": in_film}))
        state = state.with_camera(shot.camera, changed)
        return _replayed(state, self.shot) if changed.rig is not None else state


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
        camera = _keyed(state, self.shot)
        keys = {key.frame: key for key in camera.keys}
        key = keys.get(self.frame) or _key_here(camera, self.frame)
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
        return _with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class Nudge:
    """Move the camera from where it is at a frame, as an operator would, and key it there.

    `pan` (right), `tilt` (up) and `roll` in degrees; `truck` (right), `pedestal` (up) and `dolly` (forward) in metres.
    A camera of one key, which stands still over the whole shot, still does so afterwards.
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
        camera = _keyed(state, self.shot)
        keys = {key.frame: key for key in camera.keys}
        frame = camera.keys[0].frame if len(keys) == 1 else self.frame
        key = keys.get(frame) or _key_here(camera, frame)
        pose = camera.pose_at(frame)
        right, _, forward = pose[:3, :3].T
        position = pose[:3, 3] + self.truck * right + self.dolly * forward + (0.0, 0.0, self.pedestal)
        changes: dict[str, Any] = {"position": tuple(position.tolist())}
        if self.pan or self.tilt or key.look_at is None:
            turned = multiply(quaternion_about((0, 0, 1), -math.radians(self.pan)), _unrolled_here(camera, key, pose))
            turned = multiply(turned, quaternion_about((1, 0, 0), math.radians(self.tilt)))
            changes |= {"rotation": tuple(turned.tolist()), "look_at": None}
        if self.roll:
            changes["roll"] = (key.roll or 0.0) + math.radians(self.roll)
        keys[frame] = dataclasses.replace(key, **changes)
        return _with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class MoveKeys:
    """The keys at `frames`, `by` frames later, or copies of them; a key that stood where one lands is replaced."""

    label: ClassVar[str] = "Move keys"
    shot: str
    frames: tuple[float, ...]
    by: float
    copy: bool = False

    def apply(self, state: State) -> State:
        camera = _keyed(state, self.shot)
        chosen = _chosen(camera, self.frames)
        stay = camera.keys if self.copy else [key for key in camera.keys if key not in chosen]
        keys = {key.frame: key for key in stay}
        keys |= {key.frame + self.by: dataclasses.replace(key, frame=key.frame + self.by) for key in chosen}
        return _with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class ScaleKeys:
    """The keys at `frames`, spread by `factor` about the frame `about`, on whole frames."""

    label: ClassVar[str] = "Scale keys"
    shot: str
    frames: tuple[float, ...]
    factor: float
    about: float

    def apply(self, state: State) -> State:
        camera = _keyed(state, self.shot)
        if not self.factor > 0:
            raise EditError(f"keys are scaled by a factor above 0, not {self.factor:g}")
        chosen = _chosen(camera, self.frames)
        frames = [float(round(self.about + (key.frame - self.about) * self.factor)) for key in chosen]
        if len(set(frames)) < len(frames):
            raise EditError("so close together two keys would share a frame")
        keys = {key.frame: key for key in camera.keys if key not in chosen}
        keys |= {to: dataclasses.replace(key, frame=to) for to, key in zip(frames, chosen, strict=True)}
        return _with_keys(state, self.shot, list(keys.values()))


@dataclass(frozen=True)
class DeleteKeys:
    """Take the keys at `frames` out; the last key of a camera stays."""

    label: ClassVar[str] = "Delete keys"
    shot: str
    frames: tuple[float, ...]

    def apply(self, state: State) -> State:
        camera = _keyed(state, self.shot)
        chosen = _chosen(camera, self.frames)
        keys = [key for key in camera.keys if key not in chosen]
        if not keys:
            raise EditError("a camera needs at least one key")
        return _with_keys(state, self.shot, keys)


@dataclass(frozen=True)
class SetEasing:
    """How `channels` go on from the keys at `frames`: a name, or four numbers of a timing curve."""

    label: ClassVar[str] = "Set easing"
    shot: str
    frames: tuple[float, ...]
    easing: Any
    channels: tuple[str, ...] = CHANNELS

    def apply(self, state: State) -> State:
        camera = _keyed(state, self.shot)
        how = checked_easing(self.easing)
        for channel in self.channels:
            if channel not in CHANNELS:
                raise EditError(f"no channel {channel!r}; there is {', '.join(CHANNELS)}")
        chosen = _chosen(camera, self.frames)
        changes: dict[str, Any] = dict.fromkeys(self.channels, how)
        keys = [
            dataclasses.replace(key, easing=dataclasses.replace(key.easing, **changes)) if key in chosen else key
            for key in camera.keys
        ]
        return _with_keys(state, self.shot, keys)


@dataclass(frozen=True)
class SetSpeed:
    """Whether the way is covered as keyed, or at one speed: `keyed` or `constant`."""

    label: ClassVar[str] = "Set speed"
    shot: str
    speed: str

    def apply(self, state: State) -> State:
        camera = _keyed(state, self.shot)
        return state.with_camera(state.shot(self.shot).camera, dataclasses.replace(camera, speed=self.speed))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Aim:
    """Turn the camera, at every key, so that `point` appears at `place` in the frame (0..1 from left and top)."""

    label: ClassVar[str] = "Aim"
    shot: str
    point: Vector
    place: tuple[float, float] = (0.5, 0.5)

    def apply(self, state: State) -> State:
        camera = _keyed(state, self.shot)
        seen, size = state.seen(self.shot), _size(state)
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
            w, x, y, z = _unrolled(quaternion_from_matrix(turned), roll)
            keys.append(dataclasses.replace(key, rotation=(w, x, y, z), look_at=None))
        return _with_keys(state, self.shot, keys)


# ---- rigs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SetRig:
    """Put the shot's camera on a rig (plain values, see `rigs.rig_from_value`); its keys are made from it."""

    label: ClassVar[str] = "Set rig"
    shot: str
    rig: Mapping[str, Any]

    def apply(self, state: State) -> State:
        _editable(state, self.shot)
        return with_rig(state, self.shot, rig_from_value(self.rig))


@dataclass(frozen=True)
class RigToKeys:
    """Take the camera off its rig and keep the move as a few keys, to be edited by hand."""

    label: ClassVar[str] = "Rig to keys"
    shot: str

    def apply(self, state: State) -> State:
        camera = _editable(state, self.shot)
        if camera.rig is None:
            raise EditError(f"shot {self.shot} is on no rig: it has keys already")
        take = take_of(state, self.shot)
        played = play(rig_from_value(camera.rig), take)
        return state.with_camera(state.shot(self.shot).camera, fitted_path(played, take.frames, camera.lens))


# ---- shots -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AddShot:
    """A new shot behind `after` (or at the end), with a camera file of its own, on `rig` where given."""

    label: ClassVar[str] = "Add shot"
    name: str
    scene: str
    first: int
    last: int
    after: str | None = None
    rig: Mapping[str, Any] | None = None

    def apply(self, state: State) -> State:
        _free_name(state, self.name)
        at = state.index(self.after) + 1 if self.after else len(state.reading.source.values.get("shots", []))
        path = state.free_camera_file(self.name)
        start = CameraPath((CameraKey(float(self.first), (0.0, -3.0, 1.6), look_at=(0.0, 0.0, 1.4)),), Lens())
        values = {"name": self.name, "scene": self.scene, "camera": state.relative(path)}
        changed = state.with_new_camera(path, start)
        changed = changed.with_text(film_text.add_shot(state.text, at, {**values, "frames": [self.first, self.last]}))
        return with_rig(changed, self.name, rig_from_value(self.rig)) if self.rig is not None else changed


@dataclass(frozen=True)
class DuplicateShot:
    """A copy of a shot right behind it, with a copy of its camera file."""

    label: ClassVar[str] = "Duplicate shot"
    shot: str
    name: str

    def apply(self, state: State) -> State:
        _free_name(state, self.name)
        camera, path = state.camera(self.shot), state.free_camera_file(self.name)
        changed = state.with_new_camera(path, dataclasses.replace(camera, notes=()))
        values = {"name": self.name, "camera": state.relative(path)}
        return changed.with_text(film_text.duplicate_shot(state.text, state.index(self.shot), values))


@dataclass(frozen=True)
class MoveShot:
    """The shot at place `to` in the cut, counted from 0."""

    label: ClassVar[str] = "Move shot"
    shot: str
    to: int

    def apply(self, state: State) -> State:
        count = len(state.reading.source.values["shots"])
        if not 0 <= self.to < count:
            raise EditError(f"a cut of {count} shots has places 0 to {count - 1}, not {self.to}")
        return state.with_text(film_text.move_shot(state.text, state.index(self.shot), self.to))


@dataclass(frozen=True)
class DeleteShot:
    """Take a shot out of the film. Its camera file stays on the disk."""

    label: ClassVar[str] = "Delete shot"
    shot: str

    def apply(self, state: State) -> State:
        return state.with_text(film_text.delete_shot(state.text, state.index(self.shot)))


@dataclass(frozen=True)
class RenameShot:
    """Another name for a shot. Its takes stay under the old one."""

    label: ClassVar[str] = "Rename shot"
    shot: str
    name: str

    def apply(self, state: State) -> State:
        if self.name.casefold() != self.shot.casefold():
            _free_name(state, self.name)
        return state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"name": self.name}))


@dataclass(frozen=True)
class SetFrames:
    """The shot's in and out, scene frames, both included. A rig plays anew over them.

    A keyed camera that ends before rests where it stands; nothing of its move before changes.
    """

    label: ClassVar[str] = "Set in and out"
    shot: str
    first: int
    last: int

    def apply(self, state: State) -> State:
        shot = state.shot(self.shot)
        frames = [self.first, self.last]
        changed = state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"frames": frames}))
        if self.shot not in changed.shots:
            return changed  # the frames make no sense; whoever applies this sees the problem
        file = changed.cameras[shot.camera]
        if file.camera is None or not file.own:
            return changed
        if file.camera.rig is not None:
            return _replayed(changed, self.shot)
        rested = _resting(file.camera, self.first, self.last)
        return changed if rested is file.camera else changed.with_camera(shot.camera, rested)


@dataclass(frozen=True)
class ConvertCamera:
    """A camera file of another tool's becomes a Splatfilm camera file beside the film, and the shot uses that."""

    label: ClassVar[str] = "Convert camera"
    shot: str

    def apply(self, state: State) -> State:
        camera = state.camera(self.shot)
        path = state.free_camera_file(self.shot)
        changed = state.with_new_camera(path, dataclasses.replace(camera, notes=()))
        return changed.with_text(
            film_text.set_in_shot(state.text, state.index(self.shot), {"camera": state.relative(path)})
        )


COMMANDS: Mapping[str, Any] = {
    "set-lens": SetLens,
    "set-key": SetKey,
    "nudge": Nudge,
    "move-keys": MoveKeys,
    "scale-keys": ScaleKeys,
    "delete-keys": DeleteKeys,
    "set-easing": SetEasing,
    "set-speed": SetSpeed,
    "aim": Aim,
    "set-rig": SetRig,
    "rig-to-keys": RigToKeys,
    "add-shot": AddShot,
    "duplicate-shot": DuplicateShot,
    "move-shot": MoveShot,
    "delete-shot": DeleteShot,
    "rename-shot": RenameShot,
    "set-frames": SetFrames,
    "convert-camera": ConvertCamera,
}
"""Every command by the name that it has outside Python."""


def command_from_value(name: object, values: object) -> Command:
    """The command that plain values mean. Raises `EditError` with the field and what would have been right."""
    if not isinstance(name, str) or name not in COMMANDS:
        near = did_you_mean(name, COMMANDS) if isinstance(name, str) else ""
        raise EditError(f"no command {str(name)[:60]!r}{near}")
    made = COMMANDS[name]
    if not isinstance(values, Mapping):
        raise EditError(f"{name}: expected its fields as an object")
    hints = typing.get_type_hints(made)
    fields = {f.name: f for f in dataclasses.fields(made)}
    for key in values:
        if key not in fields:
            raise EditError(f"{name}: unknown field {str(key)[:60]!r}; it has {', '.join(fields)}")
    missing = [k for k, f in fields.items() if k not in values and f.default is dataclasses.MISSING]
    if missing:
        raise EditError(f"{name}: missing {', '.join(missing)}")
    command: Command = made(**{key: _typed(value, hints[key], f"{name}.{key}") for key, value in values.items()})
    return command


def _typed(value: Any, kind: Any, place: str) -> Any:
    """`value` as the field's type, checked."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, UnionType):
        return None if value is None and NoneType in inside else _typed(value, inside[0], place)
    if origin is tuple and isinstance(value, list | tuple) and len(value) <= 10_000:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return tuple(_typed(item, inside[0], f"{place}[{i}]") for i, item in enumerate(value))
        if len(inside) == len(value):
            return tuple(_typed(item, inside[0], f"{place}[{i}]") for i, item in enumerate(value))
    elif origin is not None and origin is not tuple and isinstance(value, Mapping):
        return value
    elif kind is bool or kind is str:
        if isinstance(value, kind):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER:
        if kind is float:
            return float(value)
        if kind is int and float(value).is_integer():
            return int(value)
    raise EditError(f"{place}: {str(value)[:60]!r} is not {_in_words(kind)}")


def _in_words(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        inside = typing.get_args(kind)
        return "a list" if Ellipsis in inside else f"a list of {len(inside)} numbers"
    return {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}.get(kind, "an object")


# ---- what commands share ---------------------------------------------------------------------------------------------


def take_of(state: State, name: str) -> Take:
    """What a rig must know to be played in a shot. Raises `EditError` while the film itself is not whole."""
    shot, film = state.shot(name), state.film
    if film is None:
        head = state.head
        if head is None:
            raise EditError("a rig needs the film's rate and size: mend [film] in the film file first")
        film = head
    placements = Placements(film, shot.scene) if shot.scene in film.scenes else None

    def follow(member: str, frame: float) -> Vector:
        places = {p.member: p.place.translation for p in placements.at(frame)} if placements is not None else {}
        if member not in places:
            raise EditError(
                f"{member!r} is not in the scene at frame {frame:g}; there is {', '.join(places) or 'nobody'}"
            )
        return places[member]

    lens = state.seen(name).lens
    return Take(shot.scene, list(shot.frames), float(film.rate), film.size, lens, follow)


def with_rig(state: State, name: str, rig: Rig) -> State:
    """The state with a shot's camera on `rig`, its keys made from it."""
    shot = state.shot(name)
    if "focal_mm" in shot.lens:
        raise EditError(f"shot {name} sets its focal length in the film file: take it out there to use a rig")
    take = take_of(state, name)
    path = exact_path(play(rig, take), take.frames, state.camera(name).lens)
    return state.with_camera(shot.camera, dataclasses.replace(path, rig=to_value(rig)))


def _replayed(state: State, name: str) -> State:
    rig = state.camera(name).rig
    assert rig is not None, "asked only for shots on rigs"
    return with_rig(state, name, rig_from_value(rig))


def _editable(state: State, name: str) -> CameraPath:
    camera = state.camera(name)
    if not state.cameras[state.shot(name).camera].own:
        raise EditError(f"shot {name} has another tool's camera file: convert it first (convert-camera)")
    return camera


def _keyed(state: State, name: str) -> CameraPath:
    camera = _editable(state, name)
    if camera.rig is not None:
        raise EditError(f"shot {name} is on a rig: change the rig, or make it keys first (rig-to-keys)")
    return camera


def _with_keys(state: State, name: str, keys: list[CameraKey]) -> State:
    camera = state.camera(name)
    ordered = tuple(sorted(keys, key=lambda key: key.frame))
    return state.with_camera(state.shot(name).camera, dataclasses.replace(camera, keys=ordered))


def _chosen(camera: CameraPath, frames: tuple[float, ...]) -> list[CameraKey]:
    there = {key.frame: key for key in camera.keys}
    for frame in frames:
        if frame not in there:
            raise EditError(f"no key at frame {frame:g}; there are keys at {', '.join(f'{f:g}' for f in there)}")
    return [there[frame] for frame in frames]


def _key_here(camera: CameraPath, frame: float) -> CameraKey:
    """A key at `frame` that leaves the picture there as it is; easings go on as those of the key before."""
    pose, lens = camera.pose_at(frame), camera.lens_at(frame)
    before = [key for key in camera.keys if key.frame <= frame] or [camera.keys[0]]
    roll = None
    if any(key.roll is not None for key in camera.keys) and camera._roll is not None:
        roll = float(camera._roll.at(frame)[0])
    w, x, y, z = _unrolled(quaternion_from_matrix(pose[:3, :3]), roll or 0.0)
    px, py, pz = pose[:3, 3].tolist()
    keyed = {name: any(getattr(key, name) is not None for key in camera.keys) for name in ("focal_mm", "focus_m")}
    return CameraKey(
        frame,
        (px, py, pz),
        rotation=(w, x, y, z),
        roll=roll,
        focal_mm=lens.focal_mm if keyed["focal_mm"] else None,
        focus_m=lens.focus_m if keyed["focus_m"] else None,
        easing=before[-1].easing,
    )


def _unrolled_here(camera: CameraPath, key: CameraKey, pose: Any) -> tuple[float, float, float, float]:
    """The rotation of a pose without the roll that its key adds on top."""
    roll = key.roll or (0.0 if camera._roll is None else float(camera._roll.at(key.frame)[0]))
    return _unrolled(quaternion_from_matrix(pose[:3, :3]), roll)


def _unrolled(quaternion: Any, roll: float) -> tuple[float, float, float, float]:
    w, x, y, z = multiply(quaternion, (math.cos(roll / 2), 0.0, 0.0, -math.sin(roll / 2))).tolist()
    return w, x, y, z


def _resting(camera: CameraPath, first: int, last: int) -> CameraPath:
    """The camera with a resting key at an end that lies beyond its move; `hold` leaves the move itself untouched."""
    if len(camera.keys) == 1 or (camera.first <= first and last <= camera.last):
        return camera
    hold = Easings.alike("hold")
    keys = list(camera.keys)
    if last > camera.last:
        keys[-1] = dataclasses.replace(keys[-1], easing=hold)
        keys.append(dataclasses.replace(keys[-1], frame=float(last)))
    if first < camera.first:
        keys.insert(0, dataclasses.replace(keys[0], frame=float(first), easing=hold))
    return dataclasses.replace(camera, keys=tuple(keys))


def _free_name(state: State, name: str) -> None:
    if not is_name(name):
        raise EditError(f"{name[:80]!r} is no name for a shot: expected {NAME_RULE}")
    if name.casefold() in (other.casefold() for other in state.shots):
        raise EditError(f"there is a shot {name!r} already")


def _size(state: State) -> tuple[int, int]:
    if state.head is None:
        raise EditError("the film's size is not known: mend [film] in the film file first")
    return state.head.size


def _toml(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
