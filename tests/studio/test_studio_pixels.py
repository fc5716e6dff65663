"""The look-through's full picture is what `splatfilm render` writes: with an actor, contact shadows and a real lens."""

from __future__ import annotations

import io
import json
import queue
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_film import REPOSITORY, TinyFilm, environment
from tiny_film import camera_file, write_splats

from splatfilm.layout import Document
from splatfilm.shots.pictures import read_picture
from splatfilm.studio.lookthrough import Look, LookThrough, Seen, seen_contact

FILM = """\
[film]
name = "tiny"
rate = "24"
size = [96, 54]
[film.contact]
radius = 0.5
[assets.room]
kind = "set"
looks = { day = { splats = "room.ply" } }
[assets.ada]
kind = "character"
rig = "rig.glb"
layers.body = { splats = "body.ply", mesh = ["body", "hair"] }
layers.gown = { splats = "gown.ply", mesh = ["gown"], covers = ["body"] }
looks.morning = { layers = ["body", "gown"] }
[scenes.one]
set = "room"
frames = [1001, 1040]
[[scenes.one.cast]]
asset = "ada"
clips = [{ frame = 1001, clip = "walk" }]
[[shots]]
name = "010"
scene = "one"
camera = "a.json"
frames = [1001, 1030]
"""


@pytest.fixture
def acted(tmp_path: Path) -> TinyFilm:
    """An actor in a gown who walks in a room, and darkens it where she stands."""
    folder = tmp_path / "film"
    folder.mkdir()
    shutil.copy(REPOSITORY / "captures" / "ada" / "rig.glb", folder / "rig.glb")
    for seed, (name, spread) in enumerate({"room": 2.0, "body": 0.4, "gown": 0.3}.items()):
        write_splats(folder / f"{name}.ply", seed, 200, spread)
    (folder / "a.json").write_text(camera_file((1001, [3, -3, 1])))
    (folder / "film.toml").write_text(FILM)
    return TinyFilm(folder)


def seen(film: TinyFilm, frame: int) -> np.ndarray:
    """The full picture of 010, as a window would get it."""
    document = Document.open(film.path)
    state, shot = document.state, document.state.shot("010")
    assert state.film is not None, document.problems
    got: queue.Queue[Seen] = queue.Queue()
    looker = LookThrough(film.out, "cpu", got.put)
    try:
        path = state.seen("010")
        looker.want(
            Look("w", state.film, shot.scene, frame, path, state.film.size, True, shot.optics, seen_contact(shot))
        )
        told = got.get(timeout=120)
    finally:
        looker.close()
    assert not told.problem
    return np.asarray(Image.open(io.BytesIO(told.picture)).convert("RGB"))


def rendered(film: TinyFilm, frame: int) -> np.ndarray:
    """The same frame from the command line."""
    words = ["render", str(film.path), "--shot", "010", "--frames", str(frame), "--out", str(film.out)]
    command = [sys.executable, "-m", "splatfilm", *words, "--backend", "cpu"]
    subprocess.run(command, check=True, env=environment(), capture_output=True)
    return read_picture(film.frames("010", len(list((film.out / "tiny" / "shots" / "010").glob("v*"))))[0])[0]


def test_an_actor_in_contact_with_the_set_is_seen_as_she_is_rendered(acted: TinyFilm) -> None:
    shaded = seen(acted, 1010)
    assert np.array_equal(shaded, rendered(acted, 1010))
    acted.edit("[film.contact]\nradius = 0.5\n", "")
    plain = seen(acted, 1010)
    assert np.array_equal(plain, rendered(acted, 1010))
    assert (shaded != plain).any()


def test_contact_that_is_only_a_pass_does_not_darken_what_is_seen(acted: TinyFilm) -> None:
    acted.edit("radius = 0.5\n", "radius = 0.5\nbeauty = false\n")
    only_written = seen(acted, 1010)
    acted.edit("[film.contact]\nradius = 0.5\nbeauty = false\n", "")
    assert np.array_equal(only_written, seen(acted, 1010))


def test_a_bent_lens_with_overscan_and_an_open_shutter_is_seen_as_it_is_rendered(acted: TinyFilm) -> None:
    straight = seen(acted, 1010)
    camera = json.loads((acted.folder / "a.json").read_text())
    camera["lens"] |= {"distortion": {"model": "brown-conrady", "coefficients": [-0.08, 0, 0, 0]}, "overscan": 0.1}
    (acted.folder / "a.json").write_text(json.dumps(camera))
    acted.edit("frames = [1001, 1030]\n", "frames = [1001, 1030]\nlens = { shutter_angle = 180, samples = 4 }\n")
    bent = seen(acted, 1010)
    assert bent.shape == straight.shape and (bent != straight).any()
    assert np.array_equal(bent, rendered(acted, 1010))


def test_moving_pictures_show_contact_shadows_where_hands_have_rested_and_boards_always(acted: TinyFilm) -> None:
    document = Document.open(acted.path)
    state, shot = document.state, document.state.shot("010")
    assert state.film is not None, document.problems
    path, contact, got = state.seen("010"), seen_contact(shot), queue.Queue[Seen]()
    assert contact is not None
    looker = LookThrough(acted.out, "cpu", got.put)

    def look(frame: int, **more: object) -> bytes:
        looker.want(Look("w", state.film, "one", frame, path, (96, 54), **more))  # type: ignore[arg-type]
        told = got.get(timeout=120)
        assert not told.problem
        return told.picture

    try:
        bare = look(1012)
        assert look(1012, contact=contact) == bare  # hands are moving: going through frames waits for nothing
        shaded = look(1012, contact=contact, whole=True)
        assert shaded != bare
        look(1012, contact=contact, exact=True)
        assert look(1012, contact=contact) == shaded  # and now they have rested here
    finally:
        looker.close()


def test_a_full_picture_is_given_up_when_something_newer_is_wanted(acted: TinyFilm) -> None:
    """256 pictures through an open lens at 4K: minutes, unless the next wish ends them."""
    lens = "[film.lens]\ndepth_of_field = true\nsamples = 256\n[film.contact]"
    acted.edit("[film.contact]", lens)
    camera = json.loads((acted.folder / "a.json").read_text())
    camera["lens"] |= {"t_stop": 1.4, "focus_m": 2.0}
    (acted.folder / "a.json").write_text(json.dumps(camera))
    document = Document.open(acted.path)
    state, shot = document.state, document.state.shot("010")
    assert state.film is not None, document.problems
    got: queue.Queue[Seen] = queue.Queue()
    looker = LookThrough(acted.out, "cpu", got.put)
    try:
        path, told = state.seen("010"), {"slot": "look"}
        looker.want(Look("w", state.film, "one", 1012, path, (64, 36), header=told))
        assert got.get(timeout=120).picture
        big = Look("w", state.film, "one", 1012, path, (3840, 2160), True, shot.optics, header=told)
        looker.want(big)
        while ("w", "look") in looker._wishes:  # until the thread has taken it up
            time.sleep(0.01)
        looker.want(Look("w", state.film, "one", 1013, path, (64, 36), header=told))
        assert got.get(timeout=60).look.frame == 1013
        looker.want(big)
    finally:
        looker.close()  # which gives up as well
    assert not looker._thread.is_alive()
    assert got.empty()
