"""A film on paper: the shot list with durations and timecodes, the assets and the scenes, as plain values."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.cameras import Lens, load_path
from splatfilm.film.model import Film, Look, Scene, Shot
from splatfilm.film.timecode import count_of, timecode


def film_report(film: Film) -> dict[str, Any]:
    """All of `film`, ready for JSON. Lengths in seconds; `out` timecodes are the frame after the last, as in EDLs.

    The lens of a shot is the one of its first and of its last frame; None when its camera file cannot be read.
    """
    counts = [len(shot.frames) for shot in film.shots]
    begins = itertools.accumulate(counts, initial=0)
    return {
        "film": str(film.path),
        "name": film.name,
        "title": film.title,
        "rate": str(film.rate),
        "size": list(film.size),
        "frames": sum(counts),
        "seconds": float(sum(counts) / film.rate),
        "timecode": _labels(film, 0, sum(counts)),
        "assets": [
            {"name": asset.name, "kind": asset.kind, "looks": [_look(film, look) for look in asset.looks.values()]}
            for asset in film.assets.values()
        ],
        "scenes": [_scene(scene) for scene in film.scenes.values()],
        "shots": [_shot(film, shot, begin) for shot, begin in zip(film.shots, begins, strict=False)],
    }


def _labels(film: Film, begin: int, end: int) -> dict[str, str]:
    """The timecodes of the cut's frames `begin` and `end`, counted from 0."""
    drop = ";" in film.timecode
    first = count_of(film.timecode, film.rate)
    return {"in": timecode(first + begin, film.rate, drop), "out": timecode(first + end, film.rate, drop)}


def _shot(film: Film, shot: Shot, begin: int) -> dict[str, Any]:
    return {
        "name": shot.name,
        "scene": shot.scene,
        "frames": [shot.frames.first, shot.frames.last],
        "count": len(shot.frames),
        "seconds": float(len(shot.frames) / film.rate),
        "timecode": _labels(film, begin, begin + len(shot.frames)),
        "camera": _path(film, shot.camera),
        "lens": _lenses(shot),
        "passes": list(shot.passes),
    }


def _lenses(shot: Shot) -> list[dict[str, Any]] | None:
    """The lens at the first and at the last frame of the shot."""
    try:
        camera = load_path(shot.camera, shot.lens)
    except InputError:
        return None
    return [lens_report(camera.lens_at(frame)) for frame in (shot.frames.first, shot.frames.last)]


def lens_report(lens: Lens) -> dict[str, Any]:
    """A lens, ready for JSON, in the words of the film file."""
    return {
        "focal_mm": lens.focal_mm,
        "filmback_mm": list(lens.filmback_mm),
        "squeeze": lens.squeeze,
        "t_stop": lens.t_stop,
        "focus_m": lens.focus_m,
        "gate": lens.gate,
    }


def _look(film: Film, look: Look) -> dict[str, Any]:
    if look.capture is not None:
        return {"name": look.name, "capture": _path(film, look.capture), "preset": look.care.preset}
    if look.layers:
        return {"name": look.name, "layers": list(look.layers)}
    assert look.splats is not None, "a look comes from a capture, from splats or from layers"
    return {"name": look.name, "splats": _path(film, look.splats)}


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "name": scene.name,
        "set": scene.set,
        "look": scene.set_look,
        "frames": [scene.frames.first, scene.frames.last],
        "cast": [
            {
                "name": member.name,
                "asset": member.asset,
                "keys": len(member.keys),
                "looks": [{"frame": change.frame, "look": change.look} for change in member.looks],
                "frames": None if member.frames is None else [member.frames.first, member.frames.last],
            }
            for member in scene.cast
        ],
    }


def _path(film: Film, path: Path) -> str:
    """A path as the film file would write it."""
    return Path(os.path.relpath(path, film.path.parent.resolve())).as_posix()
