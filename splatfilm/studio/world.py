"""What the overview shows of an open film, in numbers: cameras at the playhead, ways, marks, the 180-degree line."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError
from splatfilm.film import Shot
from splatfilm.layout import Document
from splatfilm.layout.aiming import recorded_mm
from splatfilm.layout.checks import line_of
from splatfilm.stage.placement import Placements
from splatfilm.studio.overview import CameraView, World

Pictures = Mapping[str, tuple[str, NDArray[np.uint8]]]


def world_of(document: Document, chosen: str, frame: int, pictures: Pictures) -> World:
    """The scene of the shot `chosen` at a scene frame. Shots of other scenes are elsewhere and not shown."""
    state = document.state
    shot = state.shot(chosen)
    cameras = [
        view
        for other in state.shots.values()
        if other.scene == shot.scene and (view := _view(document, other, frame, other is shot, pictures)) is not None
    ]
    film = state.film
    if film is None:
        return World(cameras, {}, None)
    try:
        placed = Placements(film, shot.scene).at(frame)[1:]
        line = line_of(film, film.scenes[shot.scene], frame)
    except SplatfilmError:  # a rig that cannot be read: the cameras are shown all the same
        return World(cameras, {}, None)
    return World(cameras, {one.member: one.place.translation for one in placed}, line)


def _view(document: Document, shot: Shot, frame: int, chosen: bool, pictures: Pictures) -> CameraView | None:
    """A shot's camera at the frame, or where it waits before and after its shot; None when it is broken."""
    state = document.state
    try:
        baked = document.bake(shot.name)
        path = state.seen(shot.name)
    except (SplatfilmError, ValueError):
        return None
    size = state.head.size if state.head else (1920, 1080)
    at = min(max(frame, baked.frames[0]), baked.frames[-1]) - baked.frames[0]
    height = recorded_mm(path.lens, size)[1]
    rigged = path.rig is not None
    keys = {} if rigged or not chosen else {round(key.frame): np.array(key.position) for key in path.keys}
    return CameraView(
        name=shot.name,
        pose=baked.poses[at],
        fov=2 * math.atan2(height / 2, float(baked.focal_mm[at])),
        aspect=size[0] / size[1],
        way=baked.poses[:, :3, 3],
        keys=keys if len(keys) > 1 else {},
        chosen=chosen,
        movable=chosen and state.cameras[shot.camera].own and _movable(path.rig),
        picture=pictures.get(shot.name),
    )


def _movable(rig: object) -> bool:
    """Cameras on keys, and those that stand still on their rig, can be put somewhere else by hand."""
    return rig is None or (isinstance(rig, Mapping) and rig.get("mount", {}).get("kind") == "still")
