"""A character in a film: two cameras see one performance, and a frame is drawn again only when its pixels change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_film import camera_file, write_splats

from splatfilm.base.errors import InputError
from splatfilm.base.progress import SILENT
from splatfilm.film import load
from splatfilm.shots.assets import Ways, resolve_assets
from splatfilm.shots.drawing import SceneDrawer
from splatfilm.shots.plan import Picture, ShotPlan, load_paths, looks_of, plan_shot
from splatfilm.shots.schedule import RenderOptions, render_shots

RIG = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"
FILM = """
[film]
name = "f"
rate = "24"
size = [96, 54]
[assets.room]
kind = "set"
looks = { day = { splats = "room.ply" } }
[assets.ada]
kind = "character"
rig = "rig.glb"
layers.body = { splats = "body.ply", mesh = ["body", "hair"] }
layers.gown = { splats = "gown.ply", mesh = ["gown"], covers = ["body"] }
looks.night = { layers = ["body"] }
looks.morning = { layers = ["body", "gown"] }
[scenes.one]
set = "room"
frames = [1001, 1040]
[[scenes.one.cast]]
asset = "ada"
clips = [{ frame = 1001, clip = "walk" }, { frame = 1021, clip = "yawn-and-stretch" }]
[[shots]]
name = "010"
scene = "one"
camera = "a.json"
frames = [1001, 1030]
[[shots]]
name = "020"
scene = "one"
camera = "b.json"
frames = [1001, 1030]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cast")
    (place / "rig.glb").write_bytes(RIG.read_bytes())
    for seed, (name, spread) in enumerate({"room": 2.0, "body": 0.4, "gown": 0.3}.items()):
        write_splats(place / f"{name}.ply", seed, 200, spread)
    (place / "a.json").write_text(camera_file((1001, [3, -3, 1])))
    (place / "b.json").write_text(camera_file((1001, [-3, -2, 1.5])))
    return place


def planned(folder: Path, text: str) -> tuple[dict[str, ShotPlan], SceneDrawer]:
    path = folder / "film.toml"
    path.write_text(text)
    film = load(path)
    paths = load_paths(film, film.shots)
    sources = resolve_assets(film, looks_of(film, film.shots), Ways(folder / "assets"), SILENT)
    picture = Picture(film.size, {"name": "cpu"})
    plans = {shot.name: plan_shot(film, shot, paths[shot.name], sources, picture) for shot in film.shots}
    return plans, SceneDrawer(film, sources, (0, 0, 0), "cpu", folder / "bindings")


def test_only_frames_whose_performance_changes_get_other_keys(folder: Path) -> None:
    before, _ = planned(folder, FILM)
    after, _ = planned(folder, FILM.replace('clip = "yawn-and-stretch"', 'clip = "yawn-and-stretch", offset = 0.5'))
    for shot in ("010", "020"):
        changed = {frame for frame in range(1001, 1031) if before[shot].keys[frame] != after[shot].keys[frame]}
        assert changed == set(range(1021, 1031))
    renamed, _ = planned(folder, FILM.replace('asset = "ada"', 'name = "somebody"\nasset = "ada"'))
    assert renamed["010"].keys == before["010"].keys


def test_two_cameras_see_the_same_posed_splats_and_a_gown_changes_nothing_outside_itself(folder: Path) -> None:
    plans, draw = planned(folder, FILM)
    first = draw("one", 1010, plans["010"].cameras[1010])
    posed = draw._stage.at(1010)  # type: ignore[union-attr]
    draw("one", 1010, plans["020"].cameras[1010])
    assert draw._stage.at(1010) is posed  # type: ignore[union-attr]
    _, dressed = planned(folder, FILM.replace('asset = "ada"', 'asset = "ada"\nlook = "morning"'))
    other = dressed("one", 1010, plans["010"].cameras[1010])
    differs = (first.beauty != other.beauty).any(dim=-1).numpy()
    staged = dressed._stage.at(1010)  # type: ignore[union-attr]
    gown = next(span for span in staged.spans if span.layer == "gown")
    body = {span.layer: span for span in posed.spans}["body"], {span.layer: span for span in staged.spans}["body"]
    assert differs.any() and not differs.all()
    shown = np.arange(body[0].stop - body[0].start) if body[1].shown is None else body[1].shown
    assert (posed.splats.means[body[0].rows][shown] == staged.splats.means[body[1].rows]).all()
    hidden = np.setdiff1d(np.arange(body[0].start, body[0].stop), body[0].start + shown)
    camera = plans["010"].cameras[1010]
    footprint = _footprint(staged.splats, np.arange(gown.start, gown.stop), camera)
    footprint |= _footprint(posed.splats, hidden, camera)
    assert not (differs & ~footprint).any()


def test_contact_shadows_are_one_for_all_cameras_and_change_only_keys_and_pixels_that_they_reach(folder: Path) -> None:
    lit = FILM.replace("[assets.room]", "[film.contact]\nradius = 0.1\n[assets.room]")
    plain, draw = planned(folder, FILM)
    plans, shaded = planned(folder, lit)
    assert all(plans[shot].keys[1010] != plain[shot].keys[1010] for shot in ("010", "020"))
    off, _ = planned(folder, lit.replace('camera = "a.json"', 'camera = "a.json"\ncontact = false'))
    assert (off["010"].keys, off["020"].keys) == (plain["010"].keys, plans["020"].keys)
    alone, _ = planned(folder, lit.replace('asset = "ada"', 'asset = "ada"\ncontact = false'))
    assert alone["010"].keys == plain["010"].keys
    stronger, _ = planned(folder, lit.replace("radius = 0.1", "radius = 0.1\nstrength = 0.5"))
    assert stronger["010"].keys[1010] != plans["010"].keys[1010]
    before = draw("one", 1010, plain["010"].cameras[1010])
    after = shaded("one", 1010, plans["010"].cameras[1010], contact=plans["010"].contact)
    staged = shaded._stage.at(1010, contact=plans["010"].contact)  # type: ignore[union-attr]
    shaded("one", 1010, plans["020"].cameras[1010], contact=plans["020"].contact)
    assert shaded._stage.at(1010, contact=plans["020"].contact) is staged  # type: ignore[union-attr]
    differs = (before.beauty != after.beauty).any(dim=-1).numpy()
    assert staged.visibility is not None
    touched = (staged.visibility < 1).nonzero()[:, 0]
    footprint = _footprint(staged.splats, touched.numpy(), plain["010"].cameras[1010])
    assert differs.any() and not (differs & ~footprint).any()
    assert (after.beauty <= before.beauty).all()


def test_the_light_of_the_set_is_one_for_all_cameras_and_changes_only_the_member(folder: Path) -> None:
    own = FILM.replace('asset = "ada"', 'asset = "ada"\nlight = "set"')
    plain, draw = planned(folder, FILM)
    plans, lit = planned(folder, own)
    assert all(plans[shot].keys[1010] != plain[shot].keys[1010] for shot in ("010", "020"))
    said, _ = planned(folder, own.replace('light = "set"', "light = { strength = 1.0, exposure = 0 }"))
    assert said["010"].keys == plans["010"].keys, "the same light, said otherwise"
    brighter, _ = planned(folder, own.replace('light = "set"', "light = { exposure = 0.5 }"))
    assert brighter["010"].keys[1010] != plans["010"].keys[1010]
    before = draw("one", 1010, plain["010"].cameras[1010])
    after = lit("one", 1010, plans["010"].cameras[1010])
    staged = lit._stage.at(1010)  # type: ignore[union-attr]
    lit("one", 1010, plans["020"].cameras[1010])
    assert lit._stage.at(1010) is staged  # type: ignore[union-attr]
    hers = torch.arange(staged.spans[0].stop, len(staged.splats))
    footprint = _footprint(staged.splats, hers.numpy(), plain["010"].cameras[1010])
    differs = (before.beauty != after.beauty).any(dim=-1).numpy()
    assert differs.any() and not (differs & ~footprint).any()
    room = staged.spans[0].rows
    assert torch.equal(staged.splats.sh[room], draw._stage.at(1010).splats.sh[room])  # type: ignore[union-attr]


def test_the_occlusion_pass_is_one_where_nothing_is_hidden_and_needs_contact_shadows(folder: Path) -> None:
    asked = FILM.replace('name = "010"', 'name = "010"\npasses = ["beauty", "normal", "occlusion"]')
    with pytest.raises(InputError, match=r"occlusion.*expected contact = true"):
        planned(folder, asked)
    text = asked.replace("[assets.room]", "[film.contact]\nradius = 0.3\nbeauty = false\n[assets.room]")
    plans, draw = planned(folder, text)
    plan = plans["010"]
    frame = draw("one", 1010, plan.cameras[1010], request=plan.wanted[1010].request, contact=plan.contact)
    plain = draw("one", 1010, plan.cameras[1010])
    assert (frame.beauty == plain.beauty).all()  # only the pass knows of it
    pass_ = frame.layers["occlusion"]  # type: ignore[union-attr]
    assert (pass_[frame.alpha == 0] == 1).all()
    assert 0 < pass_.min() < 0.98 and pass_.max() <= 1
    assert set(plan.keys) == set(planned(folder, FILM)[0]["010"].keys)


def _footprint(splats, rows, camera):  # type: ignore[no-untyped-def]
    """Where some splats could draw anything."""
    import dataclasses

    import torch

    from splatfilm.render import render

    alone = splats.only(torch.from_numpy(rows))
    alone = dataclasses.replace(alone, opacities=torch.full_like(alone.opacities, 0.99))
    return np.asarray((render(alone, camera, backend="cpu").alpha > 0).numpy())


def test_a_film_with_a_character_is_made_on_the_command_line(folder: Path) -> None:
    from click.testing import CliRunner

    from splatfilm.cli.main import cli

    (folder / "film.toml").write_text(FILM.replace("frames = [1001, 1030]", "frames = [1019, 1022]"))
    run = CliRunner()
    done = run.invoke(cli, ["render", str(folder / "film.toml"), "--out", str(folder / "out"), "--backend", "cpu"])
    assert done.exit_code == 0, done.output
    assert len(list((folder / "out").rglob("*.png"))) >= 8
    checked = run.invoke(cli, ["check", str(folder / "film.toml"), "--json"])
    value = json.loads(checked.stdout)
    assert value["problems"] == []
    again = run.invoke(cli, ["render", str(folder / "film.toml"), "--out", str(folder / "out"), "--backend", "cpu"])
    assert again.exit_code == 0


class Heard:
    """A progress that remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, what: str, total: int, unit: str) -> None: ...
    def advance(self, done: int, note: str = "") -> None: ...
    def finish(self, note: str = "") -> None: ...
    def say(self, line: str) -> None:
        self.lines.append(line)


def test_splats_that_do_not_stand_as_their_rig_are_named_and_rendered_and_marked(folder: Path, tmp_path: Path) -> None:
    path = folder / "misfit.toml"
    path.write_text(FILM.replace("frames = [1001, 1030]", "frames = [1001, 1002]"))
    options, heard = RenderOptions(out=tmp_path, shots=("010",), backend="cpu"), Heard()
    result = render_shots(load(path), options, heard)[0]
    assert result.drawn == 2
    said = [line for line in heard.lines if "rig's mesh rests" in line or "from the mesh" in line]
    assert [line.split(": ")[1] for line in said] == ["assets.ada.layers.body"]
    assets = json.loads((result.take.folder / "manifest.json").read_text())["inputs"]["assets"]
    assert assets["ada/layers/body"]["remark"] in said[0] and "remark" not in assets["room/day"]
    again = Heard()
    assert render_shots(load(path), options, again)[0].drawn == 0
    assert [line for line in again.lines if line in said] == said
