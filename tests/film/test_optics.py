"""The switches of lens and shutter in a film file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.film.model import Film, Optics

TEXT = """\
[film]
name = "kitchen"
rate = 24
size = [64, 36]
{film}
[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[scenes.day]
set = "room"
frames = [1001, 1010]

[[shots]]
name = "010"
scene = "day"
camera = "camera.json"
frames = [1001, 1002]

[[shots]]
name = "020"
scene = "day"
camera = "camera.json"
frames = [1001, 1002]
{shot}
"""

Write = Callable[[str, str], Film]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    for name in ("room.ply", "camera.json"):
        (tmp_path / name).touch()

    def make(film: str = "", shot: str = "") -> Film:
        (tmp_path / "film.toml").write_text(TEXT.format(film=film, shot=shot), encoding="utf-8")
        return load(tmp_path / "film.toml")

    return make


def test_a_film_that_says_nothing_has_a_pinhole_and_no_shutter(write: Write) -> None:
    assert [shot.optics for shot in write("", "").shots] == [Optics(), Optics()]
    assert Optics() == Optics(False, 0.0, 0.0, None)


def test_a_shot_replaces_what_the_film_says_key_by_key(write: Write) -> None:
    film = write(
        "[film.lens]\ndepth_of_field = true\nshutter_angle = 180\nshutter_phase = -90\nsamples = 64",
        'lens = { t_stop = 2.8, shutter_angle = 45, samples = "auto" }',
    )
    first, second = film.shots
    assert first.optics == Optics(True, 180.0, -90.0, 64)
    assert second.optics == Optics(True, 45.0, -45.0, None)  # the phase is kept as far as the shutter stays open
    assert second.lens == {"t_stop": 2.8}  # what the camera file's lens takes


@pytest.mark.parametrize(
    ("film", "place", "message"),
    [
        ("shutter = 180", "film.lens.shutter", "unknown key, expected one of depth_of_field, shutter_angle"),
        ("shuter_angle = 180", "film.lens.shuter_angle", 'did you mean "shutter_angle"?'),
        ("shutter_angle = 361", "film.lens.shutter_angle", "found 361, expected a number from 0 to 360 degrees"),
        ("depth_of_field = 1", "film.lens.depth_of_field", "found 1, expected true or false"),
        ("samples = 0", "film.lens.samples", 'found 0, expected "auto" or a whole number from 1 to 4096'),
        ("samples = true", "film.lens.samples", "found true"),
        ("shutter_angle = 90\nshutter_phase = -120", "film.lens.shutter_phase", "would be closed at the frame"),
    ],
)
def test_mistakes_are_told_where_they_stand(write: Write, film: str, place: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        write(f"[film.lens]\n{film}", "")
    (problem,) = refusal.value.problems
    assert problem.place == place
    assert message in problem.message
