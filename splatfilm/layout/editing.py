"""What commands stand on: what a command is, how one is refused, and the steps that several of them take."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Protocol

from splatfilm.base.errors import SplatfilmError
from splatfilm.base.rigid import multiply, quaternion_from_matrix
from splatfilm.cameras import CameraKey, CameraPath, Easings
from splatfilm.film.fields import NAME_RULE, is_name
from splatfilm.layout.keys import exact_path
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


def replayed(state: State, name: str) -> State:
    rig = state.camera(name).rig
    assert rig is not None, "asked only for shots on rigs"
    return with_rig(state, name, rig_from_value(rig))


def editable(state: State, name: str) -> CameraPath:
    camera = state.camera(name)
    if not state.cameras[state.shot(name).camera].own:
        raise EditError(f"shot {name} has another tool's camera file: convert it first (convert-camera)")
    return camera


def keyed(state: State, name: str) -> CameraPath:
    camera = editable(state, name)
    if camera.rig is not None:
        raise EditError(f"shot {name} is on a rig: change the rig, or make it keys first (rig-to-keys)")
    return camera


def with_keys(state: State, name: str, keys: list[CameraKey]) -> State:
    camera = state.camera(name)
    ordered = tuple(sorted(keys, key=lambda key: key.frame))
    return state.with_camera(state.shot(name).camera, dataclasses.replace(camera, keys=ordered))


def chosen_keys(camera: CameraPath, frames: tuple[float, ...]) -> list[CameraKey]:
    there = {key.frame: key for key in camera.keys}
    for frame in frames:
        if frame not in there:
            raise EditError(f"no key at frame {frame:g}; there are keys at {', '.join(f'{f:g}' for f in there)}")
    return [there[frame] for frame in frames]


def key_here(camera: CameraPath, frame: float) -> CameraKey:
    """A key at `frame` that leaves the picture there as it is; easings go on as those of the key before."""
    pose, lens = camera.pose_at(frame), camera.lens_at(frame)
    before = [key for key in camera.keys if key.frame <= frame] or [camera.keys[0]]
    roll = None
    if any(key.roll is not None for key in camera.keys) and camera._roll is not None:
        roll = float(camera._roll.at(frame)[0])
    w, x, y, z = unrolled(quaternion_from_matrix(pose[:3, :3]), roll or 0.0)
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


def unrolled_here(camera: CameraPath, key: CameraKey, pose: Any) -> tuple[float, float, float, float]:
    """The rotation of a pose without the roll that its key adds on top."""
    roll = key.roll or (0.0 if camera._roll is None else float(camera._roll.at(key.frame)[0]))
    return unrolled(quaternion_from_matrix(pose[:3, :3]), roll)


def unrolled(quaternion: Any, roll: float) -> tuple[float, float, float, float]:
    w, x, y, z = multiply(quaternion, (math.cos(roll / 2), 0.0, 0.0, -math.sin(roll / 2))).tolist()
    return w, x, y, z


def resting(camera: CameraPath, first: int, last: int) -> CameraPath:
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


def refuse_taken_name(state: State, name: str) -> None:
    if not is_name(name):
        raise EditError(f"{name[:80]!r} is no name for a shot: expected {NAME_RULE}")
    if name.casefold() in (other.casefold() for other in state.shots):
        raise EditError(f"there is a shot {name!r} already")


def picture_size(state: State) -> tuple[int, int]:
    if state.head is None:
        raise EditError("the film's size is not known: mend [film] in the film file first")
    return state.head.size


def toml_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
