"""What windows see of an open film: plain values, made anew only for what changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from splatfilm.base.errors import InputError
from splatfilm.cameras.camera_file import to_value
from splatfilm.film import Film, Shot
from splatfilm.film.model import CastMember, Scene
from splatfilm.layout import Document
from splatfilm.layout.aiming import heading_and_tilt, recorded_mm
from splatfilm.layout.checks import Note
from splatfilm.layout.state import Baked, State, bake


class StateValues:
    """The state as windows get it; shots are remembered while their camera and their entry in the film stay."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = {}

    def of(self, document: Document, conflict: Sequence[Path], remarks: Sequence[Note]) -> dict[str, Any]:
        """The whole state as every window sees it."""
        state = document.state
        head: Film | None = state.head
        value: dict[str, Any] = {
            "type": "state",
            "revision": document.revision,
            "title": head.title if head else state.path.name,
            "rate": float(head.rate) if head else 24.0,
            "size": list(head.size) if head else [1920, 1080],
            "dirty": document.dirty,
            "undo": document.undo_label,
            "redo": document.redo_label,
            "conflict": [path.name for path in conflict],
            "problems": [
                {"file": Path(p.path).name, "line": p.line, "place": p.place, "message": p.message}
                for p in document.problems
            ],
            "notes": note_values(remarks),
            "shots": [self._shot_value(document, shot) for shot in state.shots.values()],
            "scenes": self._scenes(state.film),
        }
        return value

    def _shot_value(self, document: Document, shot: Shot) -> dict[str, Any]:
        """A shot as windows see it, remembered while its camera and its entry in the film stay."""
        state = document.state
        head = state.head
        key = (shot, _own_look(state, shot.name), state.cameras[shot.camera], (head.size, head.rate) if head else None)
        known = self._values.get(shot.name)
        if known is None or known[0] != key:
            known = self._values[shot.name] = key, self._made_value(document, shot)
        return known[1]

    @staticmethod
    def _made_value(document: Document, shot: Shot) -> dict[str, Any]:
        state = document.state
        file = state.cameras[shot.camera]
        value: dict[str, Any] = {
            "name": shot.name,
            "scene": shot.scene,
            "first": shot.frames.first,
            "last": shot.frames.last,
            "file": shot.camera.name,
            "own": file.own,
            "look": shot.refine.look,
            "ownLook": _own_look(state, shot.name),
            "markers": [{"frame": marker.frame, "name": marker.name} for marker in shot.markers],
            "problem": "; ".join(p.message for p in file.problems) or None,
        }
        if file.camera is None:
            return value
        try:
            seen = file.camera.with_lens(shot.lens)
            baked = document.bake(shot.name)
        except (ValueError, InputError) as error:
            return {**value, "problem": str(error)}
        plain = to_value(file.camera)
        lens = {**to_value(seen)["lens"]}
        keys = plain["keys"] if file.camera.rig is None else []
        size = state.head.size if state.head else (1920, 1080)
        return {
            **value,
            "lens": lens,
            "optics": {"depth_of_field": shot.optics.depth_of_field, "shutter_angle": shot.optics.shutter_angle},
            "recorded_mm": recorded_mm(seen.lens, size),
            "speed": plain["speed"],
            "rig": plain.get("rig"),
            "keys": keys,
            "hud": _hud(baked, float(state.head.rate) if state.head else 24.0),
        }

    @staticmethod
    def _scenes(film: Film | None) -> dict[str, Any]:
        if film is None:
            return {}
        value: dict[str, Any] = {}
        for name, scene in film.scenes.items():
            cast = [member.name for member in scene.cast]
            kinds = {member.name: film.assets[member.asset].kind for member in scene.cast}
            value[name] = {
                "first": scene.frames.first,
                "last": scene.frames.last,
                "cast": cast,
                "people": [who for who in cast if kinds[who] == "character"],
                "performance": [spans_of(member, scene) for member in scene.cast],
            }
        return value


def reading_at(document: Document, shot: str, frame: int) -> list[float | None]:
    """One row of a shot's `hud`, without baking the others. Raises what `State.seen` does."""
    state, frames = document.state, document.state.shot(shot).frames
    ahead = frame < frames.last  # speed is that of the step to the next frame, at the end of the one before
    asked = (frame, frame + 1) if ahead else (max(frame - 1, frames.first), frame)
    rows = _hud(bake(state.seen(shot), asked), float(state.head.rate) if state.head else 24.0)
    return rows[0] if ahead else rows[-1]


def _hud(baked: Baked, rate: float) -> list[list[float | None]]:
    """What a HUD shows at every frame: `_reading`, focal length (mm) and focus (metres, None without)."""
    hud = np.column_stack([_reading(baked.poses, rate), baked.focal_mm, baked.focus_m])
    return [[None if math.isnan(x) else round(x, 4) for x in row] for row in hud.tolist()]


def note_values(remarks: Sequence[Note]) -> list[dict[str, Any]]:
    """Remarks as windows get them."""
    return [
        {"shot": n.shot, "before": n.before, "frame": n.frame, "rule": n.rule, "message": n.message} for n in remarks
    ]


def spans_of(member: CastMember, scene: Scene) -> dict[str, Any]:
    """When a member of the cast is there, moves and performs, in scene frames: a lane of the timeline."""
    there = member.frames or scene.frames
    clips = [{"name": Path(cue.clip).stem, "first": cue.frame} for cue in member.directions.cues]
    if member.directions.score is not None:
        clips = [{"name": member.directions.score.stem, "first": there.first}]
    return {
        "name": member.name,
        "first": there.first,
        "last": there.last,
        "keys": [key.frame for key in member.keys] if len(member.keys) > 1 else [],
        "looks": [{"frame": change.frame, "look": change.look} for change in member.looks],
        "clips": clips,
    }


def _reading(poses: np.ndarray[Any, Any], rate: float) -> np.ndarray[Any, Any]:
    """What a HUD shows, a row a frame: x, y, z, heading, tilt, roll (degrees), speed (metres a second)."""
    rows = []
    for pose in poses:
        heading, tilt = heading_and_tilt(pose[:3, :3])
        right = np.array([math.sin(heading), -math.cos(heading), 0.0])
        down = np.cross(pose[:3, 2], right)
        roll = math.atan2(float(pose[:3, 0] @ down), float(pose[:3, 0] @ right))
        rows.append([*pose[:3, 3].tolist(), math.degrees(heading), math.degrees(tilt), math.degrees(roll)])
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=-1) * rate
    return np.column_stack([np.array(rows), np.append(steps, steps[-1:] if len(steps) else 0.0)])


def _own_look(state: State, name: str) -> str | None:
    """The look that a shot itself asks for; None where it is as the film says."""
    said = state.reading.source.values["shots"][state.index(name)].get("refine")
    return said.get("look") if isinstance(said, Mapping) else said
