"""Who is in a scene at a scene frame, in which look, where and in which pose, in plain numbers.

Apart from `stage`, because a plan of what must be rendered again needs this for every frame and must not wait for torch
or for splats to be read.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from splatfilm.base.curves import Curve, RotationCurve
from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.base.rigid import Similarity
from splatfilm.film.model import Ambient, Attachment, CastMember, Film, FrameRange, Lamp, Light, Scene
from splatfilm.stage.performance import Performer, pose_hash
from splatfilm.stage.rigs.bones import quaternions_from_matrices, rigid_parts
from splatfilm.stage.rigs.skeleton import Pose, world_transforms

POSING_VERSION = 9
"""Raised whenever the same splats in the same pose would stand otherwise, or be hidden otherwise by what is worn."""


STIRRING_VERSION = 1
"""Raised whenever the same ambient motion would stir the same splats otherwise."""


CONTACT_VERSION = 5
"""Raised whenever the same splats would darken one another otherwise."""


LIGHT_VERSION = 6
"""Raised whenever the same member would be lit otherwise by the same set."""


LAMPS_VERSION = 6
"""Raised whenever the same member would be lit otherwise by the same lamps."""
_DARKNESS = Lamp("sky", 0.0)


@dataclass(frozen=True)
class Stir:
    """An ambient motion at a moment of the scene's clock."""

    ambient: Ambient
    seconds: float

    def value(self) -> dict[str, Any]:
        """What of it decides where splats are, ready to be hashed; the name of the member is not in it."""
        own = asdict(self.ambient)
        del own["member"]
        return {"version": STIRRING_VERSION, "seconds": self.seconds, **own}


@dataclass(frozen=True)
class Placed:
    """A member of the scene at one scene frame. `place` brings the splats of its file into the scene.

    `worn` are the sources that its look shows. A character that performs also has a `pose`; then `place` brings the
    rig's space into the scene. `pose_key` is the hash of rig and pose: equal keys, equal poses.
    """

    member: str
    asset: str
    look: str
    place: Similarity
    worn: tuple[str, ...] = ()
    pose_key: str = ""
    pose: Pose | None = field(default=None, compare=False)
    stirs: tuple[Stir, ...] = ()
    light: Light | None = None

    @property
    def sways(self) -> bool:
        """Whether splats are moved one by one by what stirs."""
        return any(stir.ambient.kind == "sway" for stir in self.stirs)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names under which the asset's splats are found, in order: layers, or the look itself."""
        return self.worn or (self.look,)


class Placements:
    """The set and the cast of a scene over its frames, always in the order of composition: set first, then the cast.

    Pure: the same film and frame give the same numbers to the bit, in any order of calls.
    """

    def __init__(self, film: Film, scene_name: str) -> None:
        """Raises `KeyError` when the film has no such scene."""
        if scene_name not in film.scenes:
            raise KeyError(f"no scene {scene_name!r}; there is {', '.join(film.scenes) or 'none'}")
        self.film = film
        self.scene: Scene = film.scenes[scene_name]
        self._members = {member.name: member for member in self.scene.cast}
        self._tracks = {member.name: _Track(member) for member in self.scene.cast}
        self.performers = {
            member.name: Performer(film, self.scene, member)
            for member in self.scene.cast
            if film.assets[member.asset].rig is not None
        }

    def at(self, frame: float, shown: float | None = None) -> tuple[Placed, ...]:
        """Everything present at a scene frame; between whole frames things are on their way.

        A member is there until the frame after its last one begins. `shown` is the whole frame that a moment of an
        open shutter belongs to: who is there and what they wear is then the same for the whole of its exposure.
        Raises `InputError` for rigs and clips that cannot be read, and joints that are not there.
        """
        shown = frame if shown is None else shown
        scene = self.scene
        set_look = self.film.assets[scene.set].looks[scene.set_look]
        placed = [Placed(scene.set, scene.set, scene.set_look, set_look.place, stirs=self._stirs(scene.set, frame))]
        poses: dict[str, Pose] = {}
        for member in scene.cast:
            if not _within(member.frames, shown):
                continue
            asset, look = self.film.assets[member.asset], self.look_of(member, shown)
            worn = asset.worn(look) if asset.looks[look].layers else ()
            place = self._place(member, frame, poses)
            pose = self._pose(member.name, frame, poses)
            if pose is None and not worn:
                place = _after(asset.looks[look].place, place)
            key = "" if pose is None else pose_hash(self.performers[member.name].rig, pose)
            stirs = self._stirs(member.name, frame)
            light = light_at(member.light, shown)
            placed.append(Placed(member.name, member.asset, look, place, worn, key, pose, stirs=stirs, light=light))
        return tuple(placed)

    def _stirs(self, member: str, frame: float) -> tuple[Stir, ...]:
        """What stirs in a member at a scene frame; the clock's zero is scene frame 0."""
        seconds = frame / float(self.film.rate)
        return tuple(Stir(one, seconds) for one in self.scene.ambient if one.member == member)

    def _pose(self, name: str, frame: float, poses: dict[str, Pose]) -> Pose | None:
        """The pose of a cast member; None for one that does not perform. `poses` are this frame's, found so far."""
        if name not in self.performers:
            return None
        if name not in poses:
            poses[name] = self.performers[name].at(frame)
        return poses[name]

    def _place(self, member: CastMember, frame: float, poses: dict[str, Pose]) -> Similarity:
        """Where a member stands: on its own track, or from the joint that holds it."""
        own, held = self._tracks[member.name].at(frame), member.attach
        if member.name in self.performers:
            own = _after(self.performers[member.name].stands(frame), own)
        if held is None or not _within(held.frames, frame):
            return own
        holder = self._members[held.to]
        if not _within(holder.frames, frame):
            return own
        return own.then(self._joint(member, held, frame, poses)).then(self._place(holder, frame, poses))

    def _joint(self, member: CastMember, held: Attachment, frame: float, poses: dict[str, Pose]) -> Similarity:
        """A joint's place in its rig's space."""
        pose = self._pose(held.to, frame, poses)
        if pose is None:
            self._refuse(member, f'"{held.to}" has no rig, and only joints of a rig can hold')
        assert pose is not None
        skeleton = self.performers[held.to].rig.skeleton
        if held.joint not in skeleton.names:
            near = did_you_mean(held.joint, skeleton.names)
            self._refuse(member, f'"{held.to}" has no joint "{held.joint}"{near}')
        world = world_transforms(skeleton, pose)[skeleton.index(held.joint)]
        rotation, _ = rigid_parts(world[None])
        w, i, j, k = quaternions_from_matrices(rotation)[0].tolist()
        x, y, z = world[:3, 3].tolist()
        return Similarity((w, i, j, k), (x, y, z))

    def _refuse(self, member: CastMember, message: str) -> None:
        told = member.directions
        raise InputError.at(self.film.path, message, f"{told.place}.attach", told.line)

    def look_of(self, member: CastMember, frame: float) -> str:
        """The look that a cast member wears at a scene frame."""
        if not member.looks:
            return self.film.assets[member.asset].default_look.name
        changed = bisect_right([change.frame for change in member.looks], frame)
        return member.looks[max(changed - 1, 0)].look

    def knots(self, first: float, last: float) -> tuple[float, ...]:
        """The scene frames between two others at which something is keyed, ascending."""
        return tuple(sorted({k.frame for member in self.scene.cast for k in member.keys if first < k.frame < last}))

    def describe(self, frame: float) -> dict[str, Any]:
        """What decides the staged splats at a frame, apart from the splat files' contents: plain values, to be hashed.

        Names of cast members are not in it: giving one another name renders nothing again.
        """
        return {"members": [_plain(placed) for placed in self.at(frame)]}

    def sources(self) -> tuple[tuple[str, str], ...]:
        """Every (asset, look or layer) that the scene shows at some frame, each once, in the order of composition."""
        found: dict[tuple[str, str], None] = {(self.scene.set, self.scene.set_look): None}
        for member in self.scene.cast:
            asset = self.film.assets[member.asset]
            looks = [change.look for change in member.looks] or [asset.default_look.name]
            found |= {(member.asset, source): None for look in looks for source in asset.worn(look)}
        return tuple(found)

    def notes(self) -> tuple[str, ...]:
        """What the scene will show otherwise than it was asked for. Raises `InputError` for what it cannot show."""
        found = [f"{self.scene.name}: {name}: {note}" for name, one in self.performers.items() for note in one.notes()]
        middle = math.floor((self.scene.frames.first + self.scene.frames.last) / 2)
        for member in self.scene.cast:
            if member.attach is not None:
                frame = member.attach.frames.first if member.attach.frames else middle
                self._place(member, frame, {})
        return tuple(found)


class _Track:
    """Where a cast member stands over time: position, rotation and scale each on a curve of its own."""

    def __init__(self, member: CastMember) -> None:
        keys = member.keys
        times, easings = [key.frame for key in keys], [key.easing for key in keys]
        places = [key.place for key in keys]
        self._times, self._places = times, places
        self._position = Curve(times, np.array([place.translation for place in places]), easings)
        self._rotation = RotationCurve(times, np.array([place.rotation for place in places]), easings)
        self._scale = Curve(times, np.array([(place.scale,) for place in places]), easings)

    def at(self, frame: float) -> Similarity:
        """The placement at a scene frame; at a key, before the first and after the last it is the key's, to the bit."""
        key = max(bisect_right(self._times, frame) - 1, 0)
        if frame <= self._times[key] or key == len(self._times) - 1:
            return self._places[key]
        x, y, z = self._position.at(frame).tolist()
        w, i, j, k = self._rotation.at(frame).tolist()
        return Similarity((w, i, j, k), (x, y, z), float(self._scale.at(frame)[0]))


def _within(frames: FrameRange | None, frame: float) -> bool:
    """Whether a range holds at a frame: until the frame after its last one begins. None always does."""
    return frames is None or frames.first <= frame < frames.last + 1


def _after(own: Similarity, place: Similarity) -> Similarity:
    """`own` followed by `place`; when one of them does nothing the other comes back untouched."""
    if own.is_identity:
        return place
    return own if place.is_identity else own.then(place)


def _plain(placed: Placed) -> Mapping[str, Any]:
    place = placed.place
    value: dict[str, Any] = {
        "asset": placed.asset,
        "look": placed.look,
        "rotation": list(place.rotation),
        "translation": list(place.translation),
        "scale": place.scale,
    }
    if placed.pose_key:
        value["pose"] = placed.pose_key
    if placed.worn:
        value["layers"] = list(placed.worn)
    if placed.stirs:
        value["ambient"] = [stir.value() for stir in placed.stirs]
    return value | light_value(placed.light)


def light_at(light: Light | None, frame: float) -> Light | None:
    """A member's light with the lamps that are on at a scene frame; where all are off, it is dark."""
    if light is None or all(lamp.frames is None for lamp in light.lamps):
        return light
    on = tuple(dataclasses.replace(lamp, frames=None) for lamp in light.lamps if _within(lamp.frames, frame))
    return dataclasses.replace(light, lamps=on or (_DARKNESS,))


def light_value(light: Light | None) -> dict[str, Any]:
    """What of a member's light decides pixels, beside the set."""
    if light is None:
        return {}
    value: list[Any] = [LIGHT_VERSION, light.strength, light.exposure, light.highlights]
    if light.lamps:
        value += [
            LAMPS_VERSION,
            light.bounce,
            light.worn_shadows,
            [asdict(lamp) for lamp in light.lamps],
            [asdict(lamp) for lamp in light.studio],
        ]
    return {"light": value}
