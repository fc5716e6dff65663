"""Cameras moved by hand: on keys and on rigs; focus that follows somebody; the shot list; what is known of a set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.rigid import IDENTITY
from splatfilm.film import load
from splatfilm.layout import Document, EditError, command_from_value
from splatfilm.layout.checks import notes
from splatfilm.layout.shot_list import COLUMNS, shot_list, shot_list_csv
from splatfilm.layout.surroundings import known_of, matter_of

ROOT = Path(__file__).resolve().parents[2]


def do(document: Document, name: str, **values: object) -> None:
    document.do(command_from_value(name, values))


@pytest.fixture
def document(tmp_path: Path) -> Document:
    import sys

    sys.path.insert(0, str(ROOT / "tests" / "shots"))
    from tiny_film import build_tiny

    return Document.open(build_tiny(tmp_path / "film").path)


TRACK = {
    "mount": {"kind": "track", "start": [0, -4, 1], "end": [1, -4, 1]},
    "aim": {"kind": "heading", "heading": [90, 80]},
    "focal_mm": [35, 35],
}


def test_a_rig_is_nudged_as_a_whole(document: Document) -> None:
    do(document, "set-rig", shot="010", rig=TRACK)
    before = document.bake("010").poses
    do(document, "nudge", shot="010", frame=1001, truck=0.5, pedestal=0.2)
    after = document.bake("010").poses
    assert after[:, :3, 3] - before[:, :3, 3] == pytest.approx(np.tile([0.5, 0.0, 0.2], (12, 1)))
    assert after[:, :3, :3] == pytest.approx(before[:, :3, :3])


def test_a_pan_turns_a_head_and_moves_the_point_that_is_aimed_at(document: Document) -> None:
    do(document, "set-rig", shot="010", rig=TRACK)
    do(document, "nudge", shot="010", frame=1001, pan=10, tilt=5)
    rig = document.state.camera("010").rig
    assert rig is not None
    assert (rig["aim"]["heading"], rig["aim"]["tilt"]) == ([80, 70], [5, 5])
    do(document, "set-rig", shot="010", rig={**TRACK, "aim": {"kind": "at", "point": [0, 0, 1]}})
    do(document, "nudge", shot="010", frame=1001, pan=90)
    aim = document.state.camera("010").rig
    assert aim is not None
    assert aim["aim"]["point"] == pytest.approx([4, -4, 1])  # four metres away still, now to the right


def test_a_camera_is_stood_somewhere_and_one_key_still_stands_for_the_shot(document: Document) -> None:
    do(document, "stand", shot="020", frame=1020, position=[1, 2, 3], rotation=[0.5, -0.5, 0.5, -0.5])
    baked = document.bake("020")
    assert np.all(baked.poses[:, :3, 3] == (1, 2, 3))
    assert len(document.state.camera("020").keys) == 1
    do(document, "set-rig", shot="010", rig=TRACK)
    do(document, "stand", shot="010", frame=1012, position=[5, 5, 5])
    assert document.bake("010").poses[-1][:3, 3] == pytest.approx((5, 5, 5))


def test_focus_follows_somebody_who_moves(document: Document) -> None:
    do(document, "set-frames", shot="020", first=1016, last=1035)
    poses = document.bake("020").poses
    do(document, "track-focus", shot="020", subject="mug")
    baked = document.bake("020")
    assert baked.poses == pytest.approx(poses, abs=1e-9)
    follow = np.array([[0.5 * min(max((f - 1020) / 10, 0), 1), 0, 0.2] for f in baked.frames])
    depth = np.einsum("fi,fi->f", follow - poses[:, :3, 3], poses[:, :3, 2])
    assert np.abs(baked.focus_m / depth - 1).max() < 0.02
    with pytest.raises(EditError, match="is not in the scene"):
        do(document, "track-focus", shot="020", subject="cup")


def test_a_shot_list_says_what_the_camera_does(document: Document) -> None:
    do(document, "set-rig", shot="010", rig={**TRACK, "aim": {"kind": "heading", "heading": [90, 90]}})
    do(document, "set-lens", shot="020", changes={"t_stop": 2.8, "focus_m": 3})
    first, second = (dict(zip(COLUMNS, row.values, strict=True)) for row in shot_list(document.state))
    assert first["move"] == "track right" and first["focal mm"] == "35"
    assert (second["move"], second["T-stop"], second["focus m"]) == ("still", "2.8", "3.00")
    assert second["timecode in"] == "01:00:00:12"
    assert shot_list_csv(document.state).count("\r\n") == 3


def test_a_broken_camera_file_is_a_remark_in_the_shot_list_and_hides_no_other_shot(document: Document) -> None:
    (document.state.path.parent / "still.json").write_text("{")
    rows = shot_list(Document.open(document.state.path).state)
    assert rows[0].values[-1] == "" and rows[1].values[-1] != ""


def test_a_camera_inside_a_wall_of_splats_and_one_that_nobody_photographed_from_are_remarked(tmp_path: Path) -> None:
    import sys

    sys.path.insert(0, str(ROOT / "tests" / "shots"))
    from tiny_film import build_tiny, write_splats

    film = build_tiny(tmp_path / "film")
    write_splats(film.folder / "room.ply", 3, 4000, 0.25)
    document = Document.open(film.path)
    known = known_of(load(film.path), {})
    assert "kitchen" in known.matter and not known.views
    assert not [n for n in notes(document.state, known) if n.rule == "matter"]
    do(document, "stand", shot="020", frame=1016, position=[0.0, 0.05, 0.0])
    assert [n.shot for n in notes(document.state, known) if n.rule == "matter"] == ["020"]
    assert matter_of(film.folder / "room.ply", IDENTITY).around(np.zeros(3)) > 4


def test_views_of_a_capture_are_put_where_its_set_is() -> None:
    film = load(ROOT / "cameras" / "morning" / "film.toml")
    views = known_of(film, {}).views["morning"]
    assert len(views.positions) > 10
    assert np.linalg.norm(views.forwards, axis=1) == pytest.approx(1)
    assert views.distance(views.positions[3], views.forwards[3])[0] == pytest.approx(0)
