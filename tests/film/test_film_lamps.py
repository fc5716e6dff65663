"""Lamps in a film file: of scenes, and of the studios that assets were photographed in."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.stage.placement import light_at, light_value

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


def test_a_lamp_of_a_scene_is_on_for_some_of_its_frames(tmp_path: Path) -> None:
    light = load(film_with(tmp_path, '{ kind = "sky", strength = 3, frames = [2, 4] }')).scenes["one"].cast[0].light
    assert light is not None
    on, off = light_at(light, 4.5), light_at(light, 5)
    assert on is not None and off is not None
    assert [lamp.strength for lamp in on.lamps] == [3]
    assert [lamp.strength for lamp in off.lamps] == [0], "where every lamp is off it is dark"
    assert light_value(on) == light_value(light_at(dataclasses.replace(light), 2)), "when it is on is not how bright"


def test_a_lamp_cannot_be_on_outside_of_its_scene_nor_a_studio_lamp_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"outside the scene"):
        load(film_with(tmp_path, '{ kind = "sky", strength = 3, frames = [2, 40] }'))
    file = film_with(tmp_path, '{ kind = "sky", strength = 3 }')
    file.write_text(file.read_text().replace("strength = 0.5 }", "strength = 0.5, frames = [1, 2] }"))
    with pytest.raises(InputError, match="frames"):
        load(file)


def test_what_surfaces_send_is_a_share(tmp_path: Path) -> None:
    sky = '{ kind = "sky", strength = 3 }'
    light = load(film_with(tmp_path, sky, light="light = { bounce = 0.25 }")).scenes["one"].cast[0].light
    assert light is not None and light.bounce == 0.25
    with pytest.raises(InputError, match="bounce"):
        load(film_with(tmp_path, sky, light="light = { bounce = 2 }"))


def test_worn_shadows_are_a_switch_that_decides_a_frames_key(tmp_path: Path) -> None:
    sky = '{ kind = "sky", strength = 3 }'
    found = []
    for said in ("light = { worn_shadows = true }", 'light = "set"'):
        light = load(film_with(tmp_path, sky, light=said)).scenes["one"].cast[0].light
        assert light is not None
        found.append(light)
    assert found[0].worn_shadows and not found[1].worn_shadows
    assert light_value(found[0]) != light_value(found[1])
    with pytest.raises(InputError, match="expected true or false"):
        load(film_with(tmp_path, sky, light="light = { worn_shadows = 1 }"))
