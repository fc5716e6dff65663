"""What every frame of a shot will be, before anything is rendered: its camera, what it shows, and its key.

A frame's key is a hash of exactly what decides its pixels: the camera's numbers, the splats in composition order with
their places, the background, the size, the renderer and the way pictures are written. The names of film, scene, shot
and take are not in it, nor are the passes: a moment seen through one camera is one picture, wherever it is used.
Planning needs no torch, so a film in which nothing changed is found to be so within a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.base.rigid import Similarity
from splatfilm.cameras import Camera, CameraPath, load_path
from splatfilm.cameras.aperture import aperture_of
from splatfilm.film.check import uncovered
from splatfilm.film.model import LAYER_PREFIX, Colour, Contact, Film, Layer, Shot
from splatfilm.film.timecode import timecode
from splatfilm.shots.exposure import Exposure, expose_frame, exposure_value, settle
from splatfilm.shots.files import PictureFile
from splatfilm.shots.names import spell_frames
from splatfilm.shots.pictures import PICTURES_VERSION
from splatfilm.shots.wanted import Moments, Wanted, frames_before, pictures_of, wanted_of
from splatfilm.stage import BINDING_VERSION, CONTACT_VERSION, POSING_VERSION, Placed, Placements, light_value

BACKGROUND = (0.0, 0.0, 0.0)
"""Where a scene leaves the picture empty it is black, so beauty is premultiplied by alpha."""


@dataclass(frozen=True)
class SplatSource:
    """The splat file of one look: `sha256` of the file, and where it came from for the manifest.

    `stamp` is the file's size and time before it was hashed; a frame whose splats were read from a file with another
    stamp is not the frame that was planned.
    """

    path: Path
    sha256: str
    stamp: tuple[int, int]
    origin: Mapping[str, Any] = field(default_factory=dict)


def stamp_of(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds. Raises `InputError` when the file is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    return found.st_size, found.st_mtime_ns


Sources = Mapping[tuple[str, str], SplatSource]  # by (asset, look)


@dataclass(frozen=True)
class Picture:
    """What decides a picture beside camera and splats."""

    size: tuple[int, int]  # width, height in pixels
    renderer: Mapping[str, Any]  # the backend's manifest
    background: tuple[float, float, float] = BACKGROUND


@dataclass(frozen=True, eq=False)
class ShotPlan:
    """One shot, planned: a camera and a key for each of its scene frames, in order."""

    film: str
    shot: str
    scene: str
    passes: tuple[str, ...]
    frames: tuple[int, ...]
    cameras: Mapping[int, Camera]
    keys: Mapping[int, str]
    inputs: Mapping[str, Any]  # for the manifest, and to say what changed
    header: Mapping[str, Any]  # the rest of the manifest but its frames
    pictures: tuple[PictureFile, ...] = ()  # the files that every frame becomes
    colour: Colour = "linear-srgb"  # of beauty in EXR files
    wanted: Mapping[int, Wanted] = field(default_factory=dict)  # what becomes of each frame
    exposures: Mapping[int, Exposure] = field(default_factory=dict)  # of frames that lens or shutter may blur
    contact: Contact | None = None  # the shadows between cast and set


def load_paths(film: Film, shots: Iterable[Shot]) -> dict[str, CameraPath]:
    """The camera path of every shot, by the shot's name.

    Raises one `InputError` with every problem: camera files that cannot be read or do not last as long as their shot.
    """
    problems: list[Problem] = []
    paths: dict[str, CameraPath] = {}
    for shot in shots:
        try:
            path = load_path(shot.camera, lens_changes=shot.lens)
        except InputError as error:
            problems += error.problems
            continue
        paths[shot.name] = path
        if missing := uncovered(path, shot.frames):
            problems.append(Problem(str(shot.camera), "", f"shot {shot.name}: {missing}"))
        if shot.optics.depth_of_field and (unfocused := _unfocused(path, shot)):
            problems.append(Problem(str(shot.camera), "", f"shot {shot.name}: {unfocused}"))
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return paths


def looks_of(film: Film, shots: Iterable[Shot]) -> list[tuple[str, str]]:
    """Every (asset, look) in the scenes of the shots, each once, in the order of composition."""
    scenes = dict.fromkeys(shot.scene for shot in shots)
    return list(dict.fromkeys(source for scene in scenes for source in Placements(film, scene).sources()))


def plan_shot(film: Film, shot: Shot, path: CameraPath, sources: Sources, picture: Picture) -> ShotPlan:
    """Plan one shot whose camera file and splats are there."""
    width, height = picture.size
    placements = Placements(film, shot.scene)
    base = {
        "pictures": PICTURES_VERSION,
        "renderer": dict(picture.renderer),
        "background": list(picture.background),
    }
    cameras = {frame: path.at(frame, width, height) for frame in shot.frames}
    untouched = {member.name for member in placements.scene.cast if not member.contact}
    keys: dict[int, str] = {}
    exposures: dict[int, Exposure] = {}
    shown: dict[tuple[str, str], None] = {}
    for frame, camera in cameras.items():
        placed = placements.at(frame)
        shown.update({(item.asset, source): None for item in placed for source in item.sources})
        splats = [_placed_value(film, item, sources) for item in placed]
        exposure = settle(expose_frame(path, picture.size, frame, shot.optics), placements)
        blur = exposure_value(exposure, placements, camera_value, lambda item: _placed_value(film, item, sources))
        if blur:
            exposures[frame] = exposure
        shadows = _contact_value(shot, placed, untouched)
        keys[frame] = hash_value({**base, "camera": camera_value(camera), "splats": splats, **shadows, **blur})
    moments = Moments(
        camera_value, lambda item: _placed_value(film, item, sources), placements, path, picture.size, picture.renderer
    )
    inputs = _inputs(film, shot, sources, list(shown), picture)
    return ShotPlan(
        film=film.name,
        shot=shot.name,
        scene=shot.scene,
        passes=shot.passes,
        frames=tuple(cameras),
        cameras=cameras,
        keys=keys,
        inputs=inputs,
        header=_header(film, shot, inputs, picture),
        pictures=pictures_of(film, shot),
        colour=film.colour,
        wanted=wanted_of(film, shot, {frame: (keys[frame], cameras[frame]) for frame in cameras}, moments, exposures),
        exposures=exposures,
        contact=shot.contact,
    )


def _contact_value(shot: Shot, placed: Sequence[Placed], untouched: Set[str]) -> dict[str, Any]:
    """What of contact shadows decides pixels: nothing where none are drawn, or nobody is there to cast one."""
    contact = shot.contact
    taking_part = [item.member not in untouched for item in placed[1:]]
    if contact is None or not any(taking_part) or not (contact.beauty or "occlusion" in shot.passes):
        return {}
    return {"contact": [CONTACT_VERSION, contact.strength, contact.radius, contact.beauty, taking_part]}


def _unfocused(path: CameraPath, shot: Shot) -> str | None:
    """Why the lens cannot be focused as it is set at some frame of the shot; None when it can."""
    for frame in shot.frames:
        try:
            aperture_of(path.lens_at(frame))
        except ValueError as error:
            return f"at scene frame {frame}, {error}"
    return None


def camera_value(camera: Camera) -> dict[str, Any]:
    """What of a camera decides pixels, exactly. Its lens does so through the focal lengths in pixels, and through its
    pupil where the shot shows depth of field (`exposure_value`)."""
    value: dict[str, Any] = {
        "pose": camera.pose.reshape(-1).tolist(),
        "intrinsics": [camera.fx, camera.fy, camera.cx, camera.cy],
        "size": [camera.width, camera.height],
    }
    if camera.distortion is not None and not camera.distortion.is_zero:
        value["distortion"] = [camera.distortion.model, list(camera.distortion.coefficients)]
    if any(camera.overscan):
        value["overscan"] = list(camera.overscan)
    return value


def select_frames(plan_frames: Mapping[str, Sequence[int]], wanted: Sequence[int] | None) -> dict[str, list[int]]:
    """The frames of each shot that were asked for; None asks for all. Raises `InputError` for frames no shot has."""
    if wanted is None:
        return {shot: list(frames) for shot, frames in plan_frames.items()}
    selected = {shot: [frame for frame in wanted if frame in set(frames)] for shot, frames in plan_frames.items()}
    nowhere = sorted(set(wanted) - {frame for frames in selected.values() for frame in frames})
    if nowhere:
        there = "; ".join(f"{shot} has {spell_frames(list(frames))}" for shot, frames in plan_frames.items())
        raise InputError.at("--frames", f"{spell_frames(nowhere)}: in none of the chosen shots ({there})")
    return selected


def shot_timecode(film: Film, shot: Shot) -> str:
    """The timecode of a shot's first frame in the cut, counted from the film's first timecode."""
    return timecode(frames_before(film, shot), film.rate, drop=";" in film.timecode)


def _placed_value(film: Film, item: Placed, sources: Sources) -> dict[str, Any]:
    """What of a member decides pixels: the bytes of its splats, its place and its pose, not its names."""
    value: dict[str, Any] = {"place": _place_value(item.place), **light_value(item.light)}
    if item.stirs:
        value["ambient"] = [stir.value() for stir in item.stirs]
    if not item.pose_key and not item.worn:
        return {"splats": sources[item.asset, item.look].sha256, **value}
    layers = []
    for source in item.sources:
        layer = film.source(item.asset, source)
        own = {"splats": sources[item.asset, source].sha256, "place": _place_value(layer.place)}
        if isinstance(layer, Layer):
            covers = [item.worn.index(LAYER_PREFIX + c) for c in layer.covers if LAYER_PREFIX + c in item.worn]
            own |= {"mesh": list(layer.mesh), "covers": covers}
        layers.append(own)
    return {"layers": layers, "pose": item.pose_key, "posing": POSING_VERSION, "binding": BINDING_VERSION, **value}


def _place_value(place: Similarity) -> list[float]:
    return [*place.rotation, *place.translation, place.scale]


def _inputs(film: Film, shot: Shot, sources: Sources, shown: list[tuple[str, str]], picture: Picture) -> dict[str, Any]:
    folder = film.path.parent
    return {
        "film": {"file": film.path.name, "sha256": hash_file(film.path)},
        "camera": {"file": _relative(shot.camera, folder), "sha256": hash_file(shot.camera)},
        "assets": {
            f"{asset}/{look}": {
                "splats": _relative(sources[asset, look].path, folder),
                "sha256": sources[asset, look].sha256,
                **sources[asset, look].origin,
            }
            for asset, look in shown
        },
        "renderer": dict(picture.renderer),
        "size": list(picture.size),
        "background": list(picture.background),
    }


def _header(film: Film, shot: Shot, inputs: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
    return {
        "film": film.name,
        "title": film.title,
        "shot": shot.name,
        "scene": shot.scene,
        "range": [shot.frames.first, shot.frames.last],
        "rate": str(film.rate),
        "timecode": shot_timecode(film, shot),
        "size": list(picture.size),
        "passes": list(shot.passes),
        "files": film.files,
        "colour": film.colour,
        "inputs": dict(inputs),
    }


def _relative(path: Path, folder: Path) -> str:
    """A path as seen from the film file, so that manifests do not depend on where a production lies."""
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
