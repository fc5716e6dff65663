"""One film file with every kind of mistake: all of them are reported at once, each where it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.film.model import PASSES

EXPECTED = [
    (3, "film.name", 'found "my film", expected a name (letters, digits, _ and - (not first), at most 64)'),
    (
        4,
        "film.titel",
        "unknown key, expected one of name, title, rate, size, aspect, timecode, files, colour, lens, refine, contact, "
        "continuity; "
        'did you mean "title"?',
    ),
    (5, "film.rate", 'found 23.976, a decimal that only comes near a frame rate; write "24000/1001"'),
    (6, "film.size", "found [641, 360], video needs even sides, such as [642, 360]"),
    (7, "film.aspect", 'found "tall", expected width to height such as "16:9" or "2.39:1"'),
    (10, "asets", 'unknown key, expected one of film, assets, scenes, shots; did you mean "assets"?'),
    (13, 'assets."the flat"', 'found "the flat", expected a name (letters, digits, _ and - (not first), at most 64)'),
    (13, 'assets."the flat".looks', "missing, expected at least one look: [assets.NAME.looks.LOOK]"),
    (14, 'assets."the flat".kind', 'found "sett", expected one of set, character, prop; did you mean "set"?'),
    (15, 'assets."the flat".colour', "unknown key, expected one of kind, looks, rig, layers, studio"),
    (
        20,
        "assets.hall.looks.day.capture",
        'no such folder: "capture/hall" (looked for FOLDER/capture/hall); did you mean "captures"?',
    ),
    (
        21,
        "assets.hall.looks.day.preset",
        'found "drafty", expected one of draft, preview, final; did you mean "draft"?',
    ),
    (24, "assets.hall.looks.night.splats", "capture and splats are both here, expected one of them"),
    (25, "assets.hall.looks.Night", 'differs from "night" only in case; names become file names'),
    (
        25,
        "assets.hall.looks.Night",
        "expected capture (a folder of photographs), splats (a splat file) or, for a character, layers",
    ),
    (27, "assets.hall.looks.dusk.capture", '"mug.ply" is a file, expected a folder'),
    (
        28,
        "assets.hall.looks.dusk.place.positoin",
        'unknown key, expected one of position, heading, rotation, scale; did you mean "position"?',
    ),
    (28, "assets.hall.looks.dusk.place.scale", "found 0, expected a number from 0.000001 to 1000000"),
    (
        33,
        "assets.anna.looks.pyjamas.splats",
        'no such file: "captures\\\\anna.ply" (looked for FOLDER/captures\\anna.ply); '
        "write folders with /, on every system",
    ),
    (36, "assets.anna.looks.gown.preset", "says how a capture is reconstructed; splats are taken as they are"),
    (38, "assets.mug.kind", "missing, expected one of set, character, prop"),
    (42, "scenes.one.set", '"anna" is a character, expected a set'),
    (43, "scenes.one.frames", "found [1120, 1001], the first frame comes after the last"),
    (46, "scenes.two.set.look", 'found "noon", expected a look of "hall" (day, night, Night, dusk)'),
    (49, "scenes.two.cast[0].position", "found an array of 2, expected [x, y, z] in metres"),
    (49, "scenes.two.cast[0].heading", "found nan, expected a number from -360000 to 360000 degrees about Z"),
    (
        50,
        "scenes.two.cast[1].asset",
        'found "anne", expected an asset (the flat, hall, anna, mug); did you mean "anna"?',
    ),
    (50, "scenes.two.cast[1].scale", "found inf, expected a number from 0.000001 to 1000000"),
    (51, "scenes.two.cast[2].rotation", "heading and rotation both say how it is turned, expected one of them"),
    (
        52,
        "scenes.two.cast[2].keys[0].easing",
        'found "smoth", expected one of smooth, linear, hold, ease-in, ease-out, ease-in-out, or four numbers '
        '[x1, y1, x2, y2] of a timing curve, x1 and x2 from 0 to 1; did you mean "smooth"?',
    ),
    (
        53,
        "scenes.two.cast[2].keys[1].position[1]",
        'found "high", expected a number from -1000000 to 1000000: [x, y, z] in metres',
    ),
    (53, "scenes.two.cast[2].keys[1].frame", "found 1005 after 1010, expected frames that rise"),
    (54, "scenes.two.cast[2].keys[2].frame", "found 1101, outside the scene, which has [1001, 1100]"),
    (55, "scenes.two.cast[2].keys[3].frame", "missing, expected a number from 0 to 9999999"),
    (57, "scenes.two.cast[3].look", 'found "gwon", expected a look of "anna" (pyjamas, gown); did you mean "gown"?'),
    (
        57,
        "scenes.two.cast[3].name",
        '"anna" is already the name of the cast member on line 49; give this one a name of its own',
    ),
    (59, "scenes.two.cast[3].looks[1].look", 'found "silk", expected a look of "anna" (pyjamas, gown)'),
    (59, "scenes.two.cast[3].looks[1].frame", "found 1050 after 1050, expected frames that rise"),
    (60, "scenes.two.cast[3].looks[2].look", 'missing, expected a look of "anna" (pyjamas, gown)'),
    (61, "scenes.two.cast[3].looks[3]", "found 7, expected a table"),
    (62, "scenes.two.cast[3].frames", "found [990, 1100], outside the scene, which has [1001, 1100]"),
    (63, "scenes.two.cast[4].keys", "found an empty array, expected at least one { frame = ... }"),
    (63, "scenes.two.cast[4].asset", '"hall" is already the name of the set; give this one a name of its own'),
    (67, "scenes.3.frames", "found [1.0, 2.0], expected [first, last], whole frames from 0 to 9999999"),
    (68, "scenes.3.set", 'found "hal", expected a set (the flat, hall, mug); did you mean "hall"?'),
    (72, "shots[0].scene", 'found "tow", expected a scene (one, two, 3); did you mean "two"?'),
    (73, "shots[0].camera", 'no such file: "wdie.json" (looked for FOLDER/wdie.json); did you mean "wide.json"?'),
    (75, "shots[0].passes[1]", f'found "dept", expected one of {", ".join(PASSES)}; did you mean "depth"?'),
    (75, "shots[0].passes[2]", '"beauty" stands here twice'),
    (80, "shots[1].camera", 'found "", expected a file, as a path from the film file\'s folder'),
    (81, "shots[1].frames", 'found [1001, 1148], outside the scene "two", which has [1001, 1100]'),
    (
        82,
        "shots[1].lens.iris",
        "unknown key, expected one of focal_mm, filmback_mm, squeeze, t_stop, focus_m, gate, distortion, "
        "overscan, depth_of_field, shutter_angle, shutter_phase, samples",
    ),
    (82, "shots[1].lens.focal_mm", "found -24, expected a number from 1 to 5000 mm"),
    (82, "shots[1].lens.filmback_mm", "found an array of 1, expected [width, height] in mm"),
    (82, "shots[1].lens.gate", 'found "diagonal", expected one of horizontal, vertical'),
    (82, "shots[1].lens.t_stop", "found true, expected a number from 0.1 to 256"),
    (82, "shots[1].lens.squeeze", 'found "2x", expected a number from 0.25 to 4'),
    (84, "shots[2].camera", "missing, expected a file, as a path from the film file's folder"),
    (85, "shots[2].name", 'found "020", but the shot on line 77 is "020"'),
    (86, "shots[2].scene", "found 2, expected a scene (one, two, 3)"),
    (87, "shots[2].frames", 'found "1001-1048", expected [first, last], whole frames from 0 to 9999999'),
    (88, "shots[2].passes", f'found "depth", expected an array of {", ".join(PASSES)}'),
    (
        89,
        "shots[2].take",
        "unknown key, expected one of name, scene, camera, frames, lens, passes, refine, contact, markers",
    ),
    (92, "shots[3].name", 'found "-x", expected a name (letters, digits, _ and - (not first), at most 64)'),
    (94, "shots[3].camera", '"captures" is a folder, expected a file'),
    (95, "shots[3].lens", "found 50, expected a table"),
    (96, "shots[3].frames", "found [1001, 99999999], expected [first, last], whole frames from 0 to 9999999"),
    (99, "shots[4].name", 'found "con", expected another name: Windows keeps this one for itself'),
]
"""(line, key, message) in the order of the file; FOLDER stands for the folder that the film file is in."""


@pytest.fixture
def broken_film(tmp_path: Path) -> Path:
    """The broken film file, in a folder with the few files that it names rightly."""
    shutil.copy(Path(__file__).parent / "broken.toml", tmp_path / "film.toml")
    (tmp_path / "captures" / "hall").mkdir(parents=True)
    (tmp_path / "mug.ply").touch()
    (tmp_path / "wide.json").touch()
    return tmp_path / "film.toml"


def test_every_mistake_of_a_broken_film_is_reported_at_once(broken_film: Path) -> None:
    with pytest.raises(InputError) as refusal:
        load(broken_film)
    folder = str(broken_film.parent.resolve())
    found = [(p.line, p.place, p.message.replace(folder, "FOLDER")) for p in refusal.value.problems]
    assert found == EXPECTED
    assert {problem.path for problem in refusal.value.problems} == {str(broken_film)}
