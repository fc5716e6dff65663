"""A film opened for editing, at one moment: the film file's text and every camera file, as immutable data.

Commands make a new state from an old one; undo is going back to an old one. Nothing here writes files.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from splatfilm.base.errors import InputError, Problem
from splatfilm.cameras import CameraPath, load_path
from splatfilm.cameras.camera_file import recognises
from splatfilm.cameras.document import open_document
from splatfilm.film import Film, Shot
from splatfilm.film.check import uncovered
from splatfilm.film.load import Reading, judge_film
from splatfilm.film.positions import Place
from splatfilm.film.source import parse_toml
from splatfilm.layout.aiming import Array


@dataclass(frozen=True, eq=False)
class CameraFile:
    """A camera file: its path, or why there is none. `own`: Splatfilm's format, so that edits can be written back."""

    camera: CameraPath | None
    problems: tuple[Problem, ...] = ()
    own: bool = True


@dataclass(frozen=True, eq=False)
class State:
    """What is being edited. `cameras` holds every camera file that some shot names, by absolute path.

    `fresh` are camera files that exist only here until they are saved.
    """

    path: Path
    text: str
    cameras: Mapping[Path, CameraFile]
    fresh: frozenset[Path] = frozenset()
    _reading: Reading | None = field(default=None, repr=False)

    @cached_property
    def reading(self) -> Reading:
        """The film that the text describes, as far as it is right. Raises `InputError` when it is no TOML."""
        if self._reading is not None:
            return self._reading
        source = parse_toml(self.path, self.text)
        source.pending = self.fresh
        return judge_film(source)

    @property
    def film(self) -> Film | None:
        """The film, None while its file has problems."""
        return self.reading.film

    @property
    def head(self) -> Film | None:
        """Name, rate and size of the film: there as long as `[film]` is right."""
        return self.reading.head

    @cached_property
    def shots(self) -> Mapping[str, Shot]:
        """The shots that are right, by name, in the order of the cut."""
        return {shot.name: shot for shot in self.reading.shots.values()}

    def index(self, name: str) -> int:
        """Where a shot stands in the film file. Raises `KeyError` for a shot that is not there or not right."""
        for place, shot in self.reading.shots.items():
            if shot.name == name:
                return int(place[1])
        raise KeyError(f"no shot {name!r}; there is {', '.join(self.shots) or 'none'}")

    def shot(self, name: str) -> Shot:
        """The shot of that name. Raises `KeyError` listing what there is."""
        if name not in self.shots:
            raise KeyError(f"no shot {name!r}; there is {', '.join(self.shots) or 'none'}")
        return self.shots[name]

    def camera(self, name: str) -> CameraPath:
        """The camera file's path of a shot. Raises `InputError` with what is wrong in the file."""
        found = self.cameras[self.shot(name).camera]
        if found.camera is None:
            raise InputError(found.problems)
        return found.camera

    def seen(self, name: str) -> CameraPath:
        """The shot's camera as it is rendered: with the lens fields that the shot replaces."""
        return self.camera(name).with_lens(self.shot(name).lens)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong in the film file, in its camera files, and between them."""
        source = self.reading.source
        problems = list(source.in_order())
        for file in self.cameras.values():
            problems += file.problems
        for place, shot in self.reading.shots.items():
            file = self.cameras[shot.camera]
            if file.camera is not None and (reason := uncovered(file.camera, shot.frames)):
                problems.append(source.problem((*place, "camera"), reason))
        return tuple(dict.fromkeys(problems))

    def with_text(self, text: str) -> State:
        """The state with another film text; camera files that it newly names are read."""
        changed = State(self.path, text, self.cameras, self.fresh)
        named = camera_files(changed.reading)
        more = {path: read_camera(path) for path in named if path not in self.cameras}
        return dataclasses.replace(changed, cameras={**self.cameras, **more}, _reading=changed.reading)

    def with_camera(self, path: Path, camera: CameraPath) -> State:
        """The state with another camera in an existing camera file."""
        cameras = {**self.cameras, path: CameraFile(camera)}
        return dataclasses.replace(self, cameras=cameras, _reading=self.reading)

    def with_new_camera(self, path: Path, camera: CameraPath) -> State:
        """The state with a camera file that is not on the disk yet."""
        cameras = {**self.cameras, path: CameraFile(camera)}
        return State(self.path, self.text, cameras, self.fresh | {path})

    def free_camera_file(self, stem: str) -> Path:
        """A path beside the film file for a new camera file that takes nobody's place."""
        folder = self.path.resolve().parent
        number = 1
        while True:
            path = folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
            if path not in self.cameras and not path.exists():
                return path
            number += 1

    def relative(self, path: Path) -> str:
        """A file as the film file spells it."""
        folder = self.path.resolve().parent
        return Path(os.path.relpath(path, folder)).as_posix()


def camera_files(reading: Reading) -> tuple[Path, ...]:
    """The camera files that a film names and that are there, each once."""
    found: dict[Path, None] = {}
    place: Place
    for place, path in reading.source.files.items():
        if place[-1] == "camera":
            found[path] = None
    return tuple(found)


def read_camera(path: Path) -> CameraFile:
    """A camera file from the disk; what is wrong with it is kept and not raised."""
    try:
        return CameraFile(load_path(path), own=recognises(open_document(path).value))
    except InputError as error:
        return CameraFile(None, error.problems)


@dataclass(frozen=True, eq=False)
class Baked:
    """A shot's camera at every one of its frames: what pages play, to the bit what is rendered."""

    frames: tuple[int, ...]
    poses: Array  # [F, 4, 4] camera-to-world, metres
    focal_mm: Array  # [F]
    focus_m: Array  # [F], NaN where the lens has no focus


def bake(camera: CameraPath, frames: tuple[int, ...]) -> Baked:
    """Ask the path for every frame, as the renderer does."""
    import numpy as np

    lenses = [camera.lens_at(frame) for frame in frames]
    return Baked(
        frames,
        np.array([camera.pose_at(frame) for frame in frames]),
        np.array([lens.focal_mm for lens in lenses]),
        np.array([np.nan if lens.focus_m is None else lens.focus_m for lens in lenses]),
    )
