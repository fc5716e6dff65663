"""Lamps in a film file: of scenes, and of the studios that assets were photographed in."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load

HEAD = """
[film]
name = "f"
rate = "24"
size = [64, 36]
[assets.room]
kind = "set"
looks.day = { splats = "s.ply" }
[assets.ball]
kind = "prop"
looks.plain = { splats = "s.ply" }
studio = [{ kind = "sky", strength = 0.5 }]
[scenes.one]
set = "room"
frames = [1, 9]
lamps = [LAMPS]
[[scenes.one.cast]]
asset = "ball"
LIGHT
[[shots]]
name = "a"
scene = "one"
camera = "c.json"
frames = [1, 9]
"""


def film_with(folder: Path, lamps: str, light: str = 'light = "set"') -> Path:
    (folder / "s.ply").write_text("ply\n")
    (folder / "c.json").write_text("{}")
    file = folder / "film.toml"
    file.write_text(HEAD.replace("LAMPS", lamps).replace("LIGHT", light))
    return file


def test_who_is_lit_from_the_set_is_lit_by_its_lamps_and_knows_its_studio(tmp_path: Path) -> None:
    film = load(film_with(tmp_path, '{ kind = "sun", strength = 3, direction = [0, -3, -4] }'))
    light = film.scenes["one"].cast[0].light
    assert light is not None
    assert light.lamps[0].direction == pytest.approx((0, -0.6, -0.8))
    assert light.lamps[0].facing is None
    assert [lamp.kind for lamp in light.studio] == ["sky"]


def test_who_keeps_its_own_light_is_not_touched_by_lamps(tmp_path: Path) -> None:
    film = load(film_with(tmp_path, '{ kind = "sky", strength = 3 }', light=""))
    assert film.scenes["one"].cast[0].light is None


def test_without_lamps_in_the_scene_nothing_is_asked_of_the_studio(tmp_path: Path) -> None:
    light = load(film_with(tmp_path, "")).scenes["one"].cast[0].light
    assert light is not None
    assert light.lamps == () == light.studio


def test_a_window_stands_upright_and_lets_the_sun_in(tmp_path: Path) -> None:
    sun = '{ kind = "sun", strength = 3, direction = [0, -1, -1], window = { position = [1, 4, 2], '
    film = load(film_with(tmp_path, sun + "facing = [0, -2], size = [1, 2] } }"))
    light = film.scenes["one"].cast[0].light
    assert light is not None
    assert light.lamps[0].facing == (0.0, -1.0, 0.0)
    assert light.lamps[0].position == (1.0, 4.0, 2.0)
    assert math.hypot(*light.lamps[0].direction) == pytest.approx(1)


@pytest.mark.parametrize(
    ("lamp", "said"),
    [
        ('{ kind = "candle", strength = 1 }', "sun, point, panel, sky"),
        ('{ kind = "point", strength = 1 }', "position"),
        ('{ kind = "sun", strength = 1, direction = [0, 0, 0] }', "no length"),
        ('{ kind = "sky", strength = 1, position = [0, 0, 0] }', "position"),
        ('{ kind = "sun", strength = -1, direction = [0, 0, -1] }', "strength"),
        (
            '{ kind = "sun", strength = 1, direction = [0, -1, 0], '
            "window = { position = [0, 0, 0], facing = [0, 1], size = [1, 1] } }",
            "a way into the room",
        ),
    ],
)
def test_a_lamp_that_cannot_be_is_refused_by_name(tmp_path: Path, lamp: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load(film_with(tmp_path, lamp))
