"""`film.toml` to `Film`: the whole file read and judged, every mistake reported at once.

The grammar is in docs/film-file.md. What lies in other files (camera paths, photographs, splats) is judged by
`splatfilm.film.check`; here they only have to be there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import cast

from splatfilm.cameras import Lens
from splatfilm.film import fields, picture
from splatfilm.film.fields import REQUIRED
from splatfilm.film.model import (
    COLOURS,
    FILES,
    PASSES,
    Colour,
    Files,
    Film,
    FrameRange,
    Optics,
    Refine,
    Shot,
    png_problem,
)
from splatfilm.film.optics import OPTICS_KEYS, read_optics
from splatfilm.film.positions import Place
from splatfilm.film.refine import film_bake, film_refine, shot_refine
from splatfilm.film.scenery import read_assets, read_scenes
from splatfilm.film.source import Source, Table, read_toml, shown

LENS_LIMITS: Mapping[str, tuple[float, float, str]] = {
    "focal_mm": (1, 5000, "mm"),
    "squeeze": (0.25, 4, ""),
    "t_stop": (0.1, 256, ""),
    "focus_m": (0.001, 1e6, "metres"),
}
FILMBACK_LIMITS = (0.1, 1000)  # mm
GATES = ("horizontal", "vertical")
LENS_KEYS = tuple(field.name for field in dataclasses.fields(Lens))


@dataclass(frozen=True)
class ShotDefaults:
    """What the film says for every shot that says nothing else."""

    optics: Optics
    refine: Refine


@dataclass(frozen=True)
class Reading:
    """A film file as far as it could be understood. `film` is None when there are problems in it."""

    source: Source
    film: Film | None
    shots: Mapping[Place, Shot]  # the shots that are right, by where they stand
    head: Film | None = None  # what `[film]` says, when that is right


def load(path: str | PathLike[str]) -> Film:
    """Read a film file. Raises one `InputError` with every problem in it, in the order of the file."""
    reading = read_film(path)
    reading.source.raise_problems()
    assert reading.film is not None, "a film without problems is whole"
    return reading.film


def read_film(path: str | PathLike[str]) -> Reading:
    """Read a film file, its problems noted and not raised. Raises `InputError` only when it is no TOML file."""
    return judge_film(read_toml(path))


def judge_film(source: Source) -> Reading:
    """The film that a TOML text in hand describes, its problems noted and not raised."""
    table = source.table
    table.only(("film", "assets", "scenes", "shots"))
    for section, what in (("assets", "[assets.NAME]"), ("scenes", "[scenes.NAME]"), ("shots", "[[shots]]")):
        if table.values.get(section, {}) in ({}, []):
            table.fail(f"missing, a film needs at least one {what}", section)
    head = _head(source)
    assets, known = read_assets(table)
    scenes, clocks = read_scenes(table, known)
    shots = _shots(table, clocks, ShotDefaults(_film_optics(source), film_refine(source)))
    bake = film_bake(source)
    _note_what_png_cannot_hold(table)
    if source.problems or head is None:
        return Reading(source, None, shots, head)
    film = dataclasses.replace(head, assets=assets, scenes=scenes, shots=tuple(shots.values()), bake=bake)
    return Reading(source, film, shots, head)


def _head(source: Source) -> Film | None:
    """The `[film]` table, as a film without anything in it yet."""
    if "film" not in source.values:
        source.table.fail("missing, expected a table [film] with name, rate and size", "film")
        return None
    table = source.table.inside("film")
    if table is None:
        return None
    table.only(("name", "title", "rate", "size", "aspect", "timecode", "files", "colour", "lens", "refine"))
    name = fields.name(table, "name", REQUIRED)
    title = fields.text(table, "title", name)
    rate = picture.rate(table)
    size = picture.size(table)
    picture.aspect(table, size)
    timecode = picture.first_timecode(table, rate)
    files = fields.choice(table, "files", FILES[0], FILES)
    colour = fields.choice(table, "colour", COLOURS[0], COLOURS)
    if name is None or title is None or rate is None or size is None or files is None or colour is None:
        return None
    return Film(
        Path(source.path), name, title, rate, size, {}, {}, (), timecode, cast(Files, files), cast(Colour, colour)
    )


def _film_optics(source: Source) -> Optics:
    """`[film.lens]`: what holds for every shot that does not say otherwise."""
    head = source.values.get("film")
    if not isinstance(head, dict) or "lens" not in head or (table := source.table.inside("film", "lens")) is None:
        return Optics()
    table.only(OPTICS_KEYS)
    return read_optics(table, Optics())


def _shots(film: Table, clocks: Mapping[str, FrameRange | None], defaults: ShotDefaults) -> dict[Place, Shot]:
    shots: dict[Place, Shot] = {}
    first_of: dict[str, Table] = {}
    for table in fields.array(film, "shots"):
        shot = _shot(table, clocks, defaults)
        if shot is not None:
            shots[table.place] = shot
        name = table.values.get("name")
        if not fields.is_name(name):
            continue
        twin = first_of.setdefault(name.casefold(), table)
        if twin is not table:
            table.fail(f"found {shown(name)}, but the shot on line {twin.line} is {shown(twin.values['name'])}", "name")
    return shots


def _shot(table: Table, clocks: Mapping[str, FrameRange | None], defaults: ShotDefaults) -> Shot | None:
    table.only(("name", "scene", "camera", "frames", "lens", "passes", "refine"))
    name = fields.name(table, "name", REQUIRED)
    scene = fields.choice(table, "scene", REQUIRED, clocks, "a scene")
    camera = fields.existing(table, "camera", "file", REQUIRED)
    frames = fields.frames(table, "frames", REQUIRED)
    lens, optics = _lens(table, defaults.optics)
    refine = shot_refine(table, defaults.refine)
    passes = fields.choices(table, "passes", PASSES)
    clock = clocks.get(scene or "")
    if frames is not None and clock is not None:
        fields.note_outside(table, "frames", frames, clock, f'the scene "{scene}"')
    if name is None or scene is None or camera is None or frames is None or passes is None:
        return None
    asked = tuple(one for one in PASSES if one == "beauty" or one in passes)
    return Shot(name, scene, camera, frames, lens, asked, optics, refine)


def _note_what_png_cannot_hold(film: Table) -> None:
    """Passes that need another kind of file than the one the film asks for."""
    head = film.values.get("film")
    files = head.get("files") if isinstance(head, Mapping) else None
    listed = film.values.get("shots")
    for number, shot in enumerate(listed if isinstance(listed, list) else ()):
        asked = shot.get("passes") if isinstance(shot, Mapping) else None
        for index, name in enumerate(asked if isinstance(asked, list) else ()):
            if isinstance(name, str) and isinstance(files, str) and (problem := png_problem(files, name)):
                film.fail(problem, "shots", number, "passes", index)


def _lens(shot: Table, optics: Optics) -> tuple[dict[str, object], Optics]:
    """The fields of the camera file's lens that the shot replaces, and its optics; what is wrong is noted, left out."""
    if "lens" not in shot.values or (table := shot.inside("lens")) is None:
        return {}, optics
    table.only((*LENS_KEYS, *OPTICS_KEYS))
    lens: dict[str, object] = {}
    for key in table.values:
        value: object = None
        if key in LENS_LIMITS:
            value = fields.number(table, key, None, *LENS_LIMITS[key])
        elif key == "filmback_mm":
            value = fields.numbers(table, key, None, 2, *FILMBACK_LIMITS, "[width, height] in mm")
        elif key == "gate":
            value = fields.choice(table, key, None, GATES)
        if value is not None:
            lens[key] = value
    return lens, read_optics(table, optics)
