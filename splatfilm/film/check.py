"""What only the files that a film names can tell: do they parse, and does each camera's move last as long as its shot?

Captures and splats are other rooms' business; how to look into them is handed in as `Readers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from splatfilm.base.errors import InputError, Problem
from splatfilm.cameras import CameraPath, load_path
from splatfilm.film.load import Reading, read_film
from splatfilm.film.model import Film, FrameRange


@dataclass(frozen=True)
class Readers:
    """How to look into an asset's files. Each raises `InputError` for a file that is not right and gives remarks."""

    capture: Callable[[Path], Iterable[str]]
    splats: Callable[[Path], Iterable[str]]


@dataclass(frozen=True)
class Findings:
    """What a check has found: `problems` must be mended, `remarks` (file, what) are worth a thought."""

    film: Film | None  # None when the film file itself has problems
    problems: tuple[Problem, ...]
    remarks: tuple[tuple[str, str], ...]


def check(path: str | PathLike[str], readers: Readers) -> Findings:
    """Judge a film file and every file that it names, all problems at once; the film file's own come first.

    Raises `InputError` only when the film file cannot be read at all.
    """
    reading = read_film(path)
    problems = list(reading.source.in_order())
    remarks: list[tuple[str, str]] = []
    for file, reader in _assets_files(reading, readers).items():
        try:
            remarks += [(str(file), remark) for remark in reader(file)]
        except InputError as error:
            problems += error.problems
    camera_problems, camera_remarks = _camera_findings(reading)
    problems += camera_problems
    remarks += camera_remarks
    if reading.film is not None:
        remarks += [(str(path), remark) for remark in _idle(reading.film)]
    return Findings(reading.film, tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(remarks)))


def uncovered(camera: CameraPath, frames: FrameRange) -> str | None:
    """Why a camera's move cannot show all of `frames`; None when it can, as a move of one key always does."""
    if len(camera.keys) == 1 or (camera.first <= frames.first and frames.last <= camera.last):
        return None
    end = "ends before the shot does" if camera.last < frames.last else "begins after the shot does"
    return (
        f"the camera's move {end}: it is keyed on scene frames {camera.first:.10g} to {camera.last:.10g}, "
        f"the shot shows {frames.first} to {frames.last}"
    )


def _assets_files(reading: Reading, readers: Readers) -> dict[Path, Callable[[Path], Iterable[str]]]:
    """Each capture and splat file that is there, once, with what reads it."""
    by_key = {"capture": readers.capture, "splats": readers.splats}
    return {file: by_key[str(place[-1])] for place, file in reading.source.files.items() if place[-1] in by_key}


def _camera_findings(reading: Reading) -> tuple[list[Problem], list[tuple[str, str]]]:
    """Problems of the camera files, in the files' own terms, and of shots that outlast them, in the film file's."""
    source = reading.source
    problems: list[Problem] = []
    remarks: list[tuple[str, str]] = []
    for place, file in source.files.items():
        if place[-1] != "camera":
            continue
        shot = reading.shots.get(place[:-1])
        try:
            camera = load_path(file, shot.lens if shot else {})
        except InputError as error:
            problems += error.problems
            continue
        remarks += [(str(file), note) for note in camera.notes]
        if shot is not None and (reason := uncovered(camera, shot.frames)):
            problems.append(source.problem(place, reason))
    return problems, remarks


def _idle(film: Film) -> list[str]:
    """What the film holds and never uses."""
    shown = {shot.scene for shot in film.shots}
    placed: set[str] = set()
    for scene in film.scenes.values():
        placed |= {scene.set, *(member.asset for member in scene.cast)}
    return [
        *(f'the asset "{name}" stands in no scene' for name in film.assets if name not in placed),
        *(f'the scene "{name}" is in no shot' for name in film.scenes if name not in shown),
    ]
