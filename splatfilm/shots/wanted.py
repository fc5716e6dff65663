"""What becomes of a drawn frame: its files, their keys and headers, and what is drawn beside beauty, alpha and depth.

The frame's key decides beauty, alpha, depth and everything else that its camera and its splats alone decide. An EXR
file also says things that other frames with the same pixels say differently (timecode, names), and motion looks at the
frames before and after; so such a file has a key of its own, which a take must match as well.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from splatfilm.base.hashing import hash_value
from splatfilm.cameras import Camera, CameraPath
from splatfilm.film.model import Film, Shot
from splatfilm.film.timecode import count_of
from splatfilm.shots.files import PictureFile, files_of
from splatfilm.shots.headers import Shown, hash_header, header_of, with_passes
from splatfilm.shots.layers import LAYERS_VERSION
from splatfilm.stage import Placed, Placements

PLAIN_PASSES = ("beauty", "alpha", "depth")
"""What every drawn frame has."""


@dataclass(frozen=True, eq=False)
class PassRequest:
    """What is to be drawn beside beauty, alpha and depth.

    `before` and `after` are the cameras one frame earlier and later, for motion; `objects` the names that ids stand
    for, the set first and then the whole cast of the scene.
    """

    passes: tuple[str, ...]
    objects: tuple[str, ...] = ()
    before: Camera | None = None
    after: Camera | None = None


@dataclass(frozen=True, eq=False)
class Wanted:
    """What becomes of one frame. `drawing` is alike for frames whose every drawn value is alike."""

    drawing: str
    keys: Mapping[str, str] = field(default_factory=dict)  # of the pictures that the frame's key does not decide alone
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the EXR files, by picture
    request: PassRequest | None = None


@dataclass(frozen=True, eq=False)
class Moments:
    """What of a shot's neighbouring moments decides pixels: the values that go into keys."""

    camera_value: Callable[[Camera], Mapping[str, Any]]
    placed_value: Callable[[Placed], Mapping[str, Any]]
    placements: Placements
    path: CameraPath
    size: tuple[int, int]
    renderer: Mapping[str, Any]

    def camera(self, frame: float) -> Camera:
        return self.path.at(frame, *self.size)

    def value(self, time: float, frame: int) -> dict[str, Any]:
        """The camera at a moment, and where everything that is there at a scene frame is at that moment."""
        splats = [self.placed_value(item) for item in self.placements.at(time, frame)]
        return {"camera": self.camera_value(self.camera(time)), "splats": splats}


def pictures_of(film: Film, shot: Shot) -> tuple[PictureFile, ...]:
    """The files that every frame of the shot becomes."""
    return files_of(shot.passes, film.files)


def objects_of(placements: Placements) -> tuple[str, ...]:
    """The names that ids stand for: the same for every frame of a scene, so that layers and manifest stay the same."""
    scene = placements.scene
    return tuple(dict.fromkeys([scene.set, *(member.name for member in scene.cast)]))


def wanted_of(
    film: Film, shot: Shot, frames: Mapping[int, tuple[str, Camera]], moments: Moments, exposed: Container[int] = ()
) -> dict[int, Wanted]:
    """What becomes of each frame, given its key and its camera; `exposed` are those that lens or shutter may blur."""
    before = frames_before(film, shot)
    objects = objects_of(moments.placements) if "id" in shot.passes else ()
    pictures = pictures_of(film, shot)
    result = {}
    for frame, (key, camera) in frames.items():
        motion = [moments.value(frame - 1, frame), moments.value(frame + 1, frame)] if "motion" in shot.passes else []
        shown = Shown(
            camera,
            moments.camera_value(camera),
            frame,
            before + frame - shot.frames.first,
            film.rate,
            ";" in film.timecode,
            film.colour,
            moments.renderer,
        )
        header = header_of(shown) if any(picture.is_exr for picture in pictures) else {}
        headers = {p.name: with_passes(header, p.passes, film.colour, objects) for p in pictures if p.is_exr}
        more = {"colour": film.colour, "motion": motion, "exposed": frame in exposed}
        keys = {p.name: _key(p, key, headers.get(p.name), more) for p in pictures if not p.is_plain}
        drawing = hash_value({"frame": key, "motion": motion}) if motion else key
        result[frame] = Wanted(drawing, keys, headers, _request(shot.passes, objects, frame, moments))
    return result


def frames_before(film: Film, shot: Shot) -> int:
    """The number, from 00:00:00:00, of a shot's first frame in the cut."""
    before = 0
    for other in film.shots:
        if other.name == shot.name:
            break
        before += len(other.frames)
    return count_of(film.timecode, film.rate) + before


def _request(passes: Sequence[str], objects: tuple[str, ...], frame: int, moments: Moments) -> PassRequest | None:
    more = tuple(name for name in passes if name not in PLAIN_PASSES)
    if not more:
        return None
    if "motion" not in more:
        return PassRequest(more, objects)
    return PassRequest(more, objects, moments.camera(frame - 1), moments.camera(frame + 1))


def _key(picture: PictureFile, key: str, header: Mapping[str, Any] | None, more: Mapping[str, Any]) -> str:
    """The hash of everything that decides a file beside the frame's key."""
    value: dict[str, Any] = {"frame": key, "kind": picture.kind, "passes": list(picture.passes)}
    if header is not None:
        value |= {"version": LAYERS_VERSION, "header": hash_header(header)}
    if "beauty" in picture.passes and picture.is_exr:
        value["colour"] = more["colour"]
    if "motion" in picture.passes:
        value["motion"] = more["motion"]
    if "id" in picture.passes and more["exposed"]:
        value["ids"] = "of the exposure"  # and not of the scene frame, as they once were
    return hash_value(value)
