"""What can be done to the shot list: shots come, go, are named, ordered and cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from splatfilm.cameras import CameraKey, CameraPath, Lens
from splatfilm.layout import film_text
from splatfilm.layout.editing import EditError, refuse_taken_name, replayed, resting, with_rig
from splatfilm.layout.exchange import imported
from splatfilm.layout.rigs import rig_from_value
from splatfilm.layout.state import State


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
        refuse_taken_name(state, self.name)
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
        refuse_taken_name(state, self.name)
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
            refuse_taken_name(state, self.name)
        return state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"name": self.name}))


@dataclass(frozen=True)
class SetOptics:
    """What of a real lens and shutter the shot shows: `depth_of_field`, and `shutter_angle` in degrees of a frame."""

    label: ClassVar[str] = "Set optics"
    shot: str
    depth_of_field: bool | None = None
    shutter_angle: float | None = None

    def apply(self, state: State) -> State:
        given = {"depth_of_field": self.depth_of_field, "shutter_angle": self.shutter_angle}
        changes = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise EditError("optics: give depth_of_field, shutter_angle, or both")
        return state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"lens": changes}))


@dataclass(frozen=True)
class SetMarker:
    """A remark at a scene frame of the shot: a new one, another name for the one that is there, or none with ""."""

    label: ClassVar[str] = "Set marker"
    shot: str
    frame: int
    name: str

    def apply(self, state: State) -> State:
        shot = state.shot(self.shot)
        if self.frame not in shot.frames:
            raise EditError(f"frame {self.frame} is not in shot {self.shot}: {shot.frames.first} to {shot.frames.last}")
        named = {marker.frame: marker.name for marker in shot.markers}
        if not self.name and self.frame not in named:
            raise EditError(f"there is no marker on frame {self.frame}")
        named[self.frame] = self.name
        values = [{"frame": frame, "name": name} for frame, name in sorted(named.items()) if name]
        return state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"markers": values or None}))


@dataclass(frozen=True)
class SetRefine:
    """How the shot's frames are refined: one of the looks that there are; "" as the film says."""

    label: ClassVar[str] = "Set look"
    shot: str
    look: str

    def apply(self, state: State) -> State:
        look = self.look or None
        value = {"look": look} if self._has_more(state) else look
        return state.with_text(film_text.set_in_shot(state.text, state.index(self.shot), {"refine": value}))

    def _has_more(self, state: State) -> bool:
        """Whether the shot says more of its refinement than a look, which stays."""
        return isinstance(state.reading.source.values["shots"][state.index(self.shot)].get("refine"), Mapping)


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
            return replayed(changed, self.shot)
        rested = resting(file.camera, self.first, self.last)
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


@dataclass(frozen=True)
class ImportCamera:
    """The move in `text`, a camera file of any format that is read, becomes the shot's camera, in its present file.

    A move that ends before the shot does rests where it ends. Another tool's file stays as it is: the shot gets a file
    of its own beside the film.
    """

    label: ClassVar[str] = "Import camera"
    shot: str
    text: str

    def apply(self, state: State) -> State:
        shot = state.shot(self.shot)
        camera = resting(imported(self.text, shot.frames.first), shot.frames.first, shot.frames.last)
        if state.cameras[shot.camera].own:
            return state.with_camera(shot.camera, camera)
        path = state.free_camera_file(self.shot)
        changed = state.with_new_camera(path, camera)
        return changed.with_text(
            film_text.set_in_shot(state.text, state.index(self.shot), {"camera": state.relative(path)})
        )
