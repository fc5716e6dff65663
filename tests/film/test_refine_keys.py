"""`[film.refine]`, a shot's `refine` and `[[scenes.NAME.ambient]]`: what they say, and every mistake in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.film.model import Refine

FILM = """\
[film]
name = "tiny"
rate = "24"
size = [96, 54]
{film}
[assets.room]
kind = "set"
[assets.room.looks.day]
splats = "room.ply"

[scenes.kitchen]
set = "room"
frames = [1001, 1100]
{scene}
[[shots]]
name = "010"
scene = "kitchen"
camera = "camera.json"
frames = [1001, 1012]
{shot}
"""


def written(folder: Path, film: str = "", scene: str = "", shot: str = "") -> Path:
    (folder / "room.ply").touch()
    (folder / "camera.json").write_text(json.dumps({}))
    path = folder / "film.toml"
    path.write_text(FILM.format(film=film, scene=scene, shot=shot))
    return path


def problems(path: Path) -> dict[str, str]:
    with pytest.raises(InputError) as refusal:
        load(path)
    return {problem.place: problem.message for problem in refusal.value.problems}


def test_a_film_that_says_nothing_is_not_refined(tmp_path: Path) -> None:
    film = load(written(tmp_path))
    assert film.shots[0].refine == Refine("off")
    assert film.scenes["kitchen"].ambient == ()


def test_a_table_alone_asks_for_natural(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[film.refine]")).shots[0].refine == Refine("natural")


def test_a_shot_replaces_what_it_says_and_keeps_the_rest(tmp_path: Path) -> None:
    film = '[film.refine]\nlook = "natural"\ngrain = 0.5\nseed = "night"'
    shot = 'refine = { look = "sixteen-mm", strength = 0.25 }'
    assert load(written(tmp_path, film, shot=shot)).shots[0].refine == Refine("sixteen-mm", 0.25, 0.5, "night")
    shot = 'refine = "off"'
    assert load(written(tmp_path, film, shot=shot)).shots[0].refine.look == "off"


def test_several_steps_are_two_to_eight_and_the_scene_refiners(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[film.refine]\nsteps = 4")).shots[0].refine.steps == 4
    assert load(written(tmp_path, "[film.refine]")).shots[0].refine.steps is None
    for wrong in ("1", "9", "2.5", '"many"'):
        assert "2 to 8" in problems(written(tmp_path, f"[film.refine]\nsteps = {wrong}"))["film.refine.steps"]
    model = '[film.refine]\nsteps = 4\n[film.refine.model]\nmodel = "weights"'
    assert "takes its place" in problems(written(tmp_path, model))["film.refine.steps"]


def test_mistakes_in_looks_are_named_with_what_is_allowed(tmp_path: Path) -> None:
    film = '[film.refine]\nlook = "naturel"\nstrength = 2\ngrian = 1'
    found = problems(written(tmp_path, film, shot="refine = 3"))
    assert 'did you mean "natural"' in found["film.refine.look"]
    assert "from 0 to 1" in found["film.refine.strength"]
    assert 'did you mean "grain"' in found["film.refine.grian"]
    assert "off, clean, natural, sixteen-mm" in found["shots[0].refine"]


def test_ambient_motion_is_read_with_a_direction_of_length_one(tmp_path: Path) -> None:
    scene = (
        '[[scenes.kitchen.ambient]]\nkind = "sway"\nbox = { from = [0, 0, 0], to = [1, 2, 3] }\ndirection = [0, 3, 4]'
    )
    (one,) = load(written(tmp_path, scene=scene)).scenes["kitchen"].ambient
    assert (one.kind, one.member, one.amount, one.held) == ("sway", "room", 0.02, "top")
    assert one.box == ((0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
    assert one.direction == pytest.approx((0.0, 0.6, 0.8))


def test_mistakes_in_ambient_motion_are_named(tmp_path: Path) -> None:
    scene = """
[[scenes.kitchen.ambient]]
kind = "wobble"
box = { from = [0, 0, 0], to = [1, -2, 3] }
member = "cat"
[[scenes.kitchen.ambient]]
kind = "sway"
direction = [0, 0, 0]
"""
    found = problems(written(tmp_path, scene=scene))
    assert "sway, flicker, steam" in found["scenes.kitchen.ambient[0].kind"]
    assert "greater than the one of `from`" in found["scenes.kitchen.ambient[0].box.to"]
    assert "room" in found["scenes.kitchen.ambient[0].member"]
    assert "a box" in found["scenes.kitchen.ambient[1].box"]
    assert "expected a direction" in found["scenes.kitchen.ambient[1].direction"]
