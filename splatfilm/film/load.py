"""`film.toml` to `Film`: the whole file read and judged, every mistake reported at once.

The grammar is in docs/film-file.md. What lies in other files (camera paths, photographs, splats) is judged by
`splatfilm.film.check`; here they only have to be there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import cast

from splatfilm.cameras import Lens
from splatfilm.cameras.distortion import COEFFICIENTS, Distortion, DistortionModel, coefficients_problem
from splatfilm.cameras.lens import MOST_OVERSCAN
from splatfilm.film import fields, picture
from splatfilm.film.contact import film_contact, read_contact
from splatfilm.film.continuity import film_continuity
from splatfilm.film.fields import REQUIRED
from splatfilm.film.markers import read_markers
from splatfilm.film.model import (
    COLOURS,
    FILES,
    PASSES,
    Colour,
    Contact,
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
    "overscan": (0, MOST_OVERSCAN, "of the picture's width and height"),
}
FILMBACK_LIMITS = (0.1, 1000)  # mm
GATES = ("horizontal", "vertical")
MOST_DISTORTED = 1e12  # any number: `coefficients_problem` says which of them are no lens'
FILM_LENS_KEYS = ("squeeze", "distortion", "overscan")
"""Fields of a lens that `[film.lens]` may set for every shot: what a whole film is shot with."""
HEAD_KEYS = (
    *("name", "title", "rate", "size", "aspect", "timecode", "files", "colour"),
    *("lens", "refine", "contact", "continuity"),
)
"""What `[film]` may hold."""

LENS_KEYS = tuple(field.name for field in dataclasses.fields(Lens))


_Glass = tuple[dict[str, object], Optics]  # fields of the lens that are replaced, and switches


@dataclass(frozen=True)
class ShotDefaults:
    """What the film says for every shot that says nothing else."""

    glass: _Glass
    refine: Refine
    contact: Contact | None


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
    shots = _shots(table, clocks, ShotDefaults(_film_lens(source), film_refine(source), _film_contact(source)))
    bake = film_bake(source)
    _note_what_png_cannot_hold(table)
    goal = film_continuity(source)
    if source.problems or head is None:
        return Reading(source, None, shots, head)
    film = dataclasses.replace(
        head, assets=assets, scenes=scenes, shots=tuple(shots.values()), continuity=goal, bake=bake
    )
    return Reading(source, film, shots, head)


def _head(source: Source) -> Film | None:
    """The `[film]` table, as a film without anything in it yet."""
    if "film" not in source.values:
        source.table.fail("missing, expected a table [film] with name, rate and size", "film")
        return None
    table = source.table.inside("film")
    if table is None:
        return None
    table.only(HEAD_KEYS)
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


def _film_lens(source: Source) -> _Glass:
    """`[film.lens]`: what holds for every shot that does not say otherwise."""
    head = source.values.get("film")
    if not isinstance(head, dict) or "lens" not in head or (table := source.table.inside("film", "lens")) is None:
        return {}, Optics()
    table.only((*OPTICS_KEYS, *FILM_LENS_KEYS))
    return _lens_fields(table, FILM_LENS_KEYS), read_optics(table, Optics())


def _film_contact(source: Source) -> Contact | None:
    if not isinstance(source.values.get("film"), dict) or (head := source.table.inside("film")) is None:
        return None
    return film_contact(head)


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
    table.only(("name", "scene", "camera", "frames", "lens", "passes", "refine", "contact", "markers"))
    name = fields.name(table, "name", REQUIRED)
    scene = fields.choice(table, "scene", REQUIRED, clocks, "a scene")
    camera = fields.existing(table, "camera", "file", REQUIRED)
    frames = fields.frames(table, "frames", REQUIRED)
    lens, optics = _lens(table, defaults.glass)
    refine = shot_refine(table, defaults.refine)
    contact = read_contact(table, defaults.contact)
    passes = fields.choices(table, "passes", PASSES)
    markers = read_markers(table)
    clock = clocks.get(scene or "")
    if frames is not None and clock is not None:
        fields.note_outside(table, "frames", frames, clock, f'the scene "{scene}"')
    if name is None or scene is None or camera is None or frames is None or passes is None:
        return None
    asked = tuple(one for one in PASSES if one == "beauty" or one in passes)
    if "occlusion" in asked and contact is None:
        table.fail(
            '"occlusion" is the shadow between cast and set: expected contact = true here, or [film.contact]', "passes"
        )
    return Shot(name, scene, camera, frames, lens, asked, optics, refine, contact, markers)


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


def _lens(shot: Table, glass: _Glass) -> _Glass:
    """The fields of the camera file's lens that film and shot replace, and its optics; what is wrong is noted."""
    lens, optics = glass
    if "lens" not in shot.values or (table := shot.inside("lens")) is None:
        return lens, optics
    table.only((*LENS_KEYS, *OPTICS_KEYS))
    return {**lens, **_lens_fields(table, LENS_KEYS)}, read_optics(table, optics)


def _lens_fields(table: Table, keys: Iterable[str]) -> dict[str, object]:
    """What a table says about these fields of a lens; what is wrong is noted and left out."""
    lens: dict[str, object] = {}
    for key in (key for key in table.values if key in keys):
        value: object = None
        if key in LENS_LIMITS:
            value = fields.number(table, key, None, *LENS_LIMITS[key])
        elif key == "filmback_mm":
            value = fields.numbers(table, key, None, 2, *FILMBACK_LIMITS, "[width, height] in mm")
        elif key == "gate":
            value = fields.choice(table, key, None, GATES)
        elif key == "distortion":
            value = _distortion(table)
        if value is not None:
            lens[key] = value
    return lens


def _distortion(lens: Table) -> Distortion | None:
    """`distortion = { model, coefficients }`: how the lens bends straight lines, in OpenCV's terms."""
    table = lens.inside("distortion")
    if table is None:
        return None
    table.only(("model", "coefficients"))
    model = cast(DistortionModel | None, fields.choice(table, "model", REQUIRED, COEFFICIENTS))
    listed = table.values.get("coefficients")
    names = COEFFICIENTS[model] if model is not None else ("k1", "k2", "...")
    wanted = f"[{', '.join(names)}], of which the last may be left out"
    if not isinstance(listed, list):
        there = "missing" if listed is None else f"found {shown(listed)}"
        table.fail(f"{there}, expected {wanted}", "coefficients")
        return None
    numbers = [fields.as_number(item, -MOST_DISTORTED, MOST_DISTORTED) for item in listed]
    found = [number for number in numbers if number is not None]
    problem = "" if model is None else coefficients_problem(model, found)
    if len(found) < len(numbers):
        wrong = shown(listed[numbers.index(None)])
        table.fail(f"found {wrong} among the numbers, expected {wanted}", "coefficients")
    elif problem:
        table.fail(problem, "coefficients")
    elif model is not None:
        return Distortion(model, tuple(found))
    return None
