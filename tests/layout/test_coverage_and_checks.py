"""Coverage set-ups, camera bodies, and what the checks say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from splatfilm.cameras import CameraKey, CameraPath, Lens
from splatfilm.layout import Document, command_from_value
from splatfilm.layout.bodies import BODIES, body
from splatfilm.layout.checks import Known, Matter, Views, notes, pan_speeds
from splatfilm.layout.coverage import SHOT_SIZES, Setting, Subject, coverage, presets
from splatfilm.layout.keys import exact_path
from splatfilm.layout.rigs import Take, play
from splatfilm.layout.state import bake

A, B = Subject("ann", (0, 0, 0), 1.7), Subject("bob", (2, 0, 0), 1.8)
SIZE = (1920, 1080)


def setting(side: str = "right", focal: float = 35) -> Setting:
    return Setting(A, B, side, Lens(focal, (24.89, 18.66)), SIZE)  # type: ignore[arg-type]


def camera_of(one: Setting, name: str):  # type: ignore[no-untyped-def]
    take = Take("s", [1001], 24, SIZE, one.lens, lambda n, f: (0, 0, 0))
    return exact_path(play(coverage(one, name), take), take.frames, one.lens).at(1001, *SIZE)


def place(camera, point) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    x, y, z = camera.pose[:3, :3].T @ (np.asarray(point, float) - camera.position)
    assert z > 0
    return (camera.fx * x / z + camera.cx) / SIZE[0], (camera.fy * y / z + camera.cy) / SIZE[1]


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_set_up_stands_on_the_chosen_side_and_sees_its_subject(side: str) -> None:
    one = setting(side)
    sign = 1 if side == "left" else -1  # walking along +x, left is +y
    for name in presets(one):
        camera = camera_of(one, name)
        assert camera.position[1] * sign > 0, name
        who = B if "bob" in name else A
        height = 0.5 if name.split("-")[0] in ("insert", "top", "master") else 0.9
        x, y = place(camera, who.at(height))
        assert 0 < x < 1, name
        assert 0 < y < 1, name


def test_screen_direction_holds_over_the_coverage_of_one_side() -> None:
    one = setting("right")
    for name in ("master", "two-shot", "ots-ann", "ots-bob", "top"):
        camera = camera_of(one, name)
        assert place(camera, A.at(0.9))[0] < place(camera, B.at(0.9))[0], name


@pytest.mark.parametrize("size", SHOT_SIZES)
def test_a_single_frames_as_much_of_the_subject_as_its_size_says(size: str) -> None:
    camera = camera_of(setting(), f"single-bob-{size}")
    part, centre = SHOT_SIZES[size]
    top, bottom = place(camera, B.at(centre + part / 2)), place(camera, B.at(centre - part / 2))
    assert top[1] == pytest.approx(0, abs=1e-9)
    assert bottom[1] == pytest.approx(1, abs=1e-9)


def test_a_longer_lens_takes_the_same_single_from_further_away() -> None:
    near, far = camera_of(setting(focal=35), "single-ann-cu"), camera_of(setting(focal=70), "single-ann-cu")
    eyes = A.at(SHOT_SIZES["cu"][1])
    assert np.linalg.norm(far.position - eyes) == pytest.approx(2 * np.linalg.norm(near.position - eyes))


def test_two_subjects_in_one_place_have_no_line() -> None:
    with pytest.raises(ValueError, match="no line"):
        Setting(A, Subject("twin", (0, 0, 0)), "left", Lens(), SIZE)
    with pytest.raises(ValueError, match="did you mean"):
        coverage(setting(), "mastr")


def test_every_body_has_a_name_of_its_own_and_a_source() -> None:
    assert len({one.name for one in BODIES}) == len(BODIES) >= 15
    assert all(one.source and one.filmback_mm[0] > one.filmback_mm[1] > 5 for one in BODIES)
    assert body("alexa-35").filmback_mm == (27.99, 19.22)
    with pytest.raises(ValueError, match="alexa-35"):
        body("alexa-36")


# ---- checks ----------------------------------------------------------------------------------------------------------


def rules(document: Document) -> list[tuple[str, str]]:
    return [(note.rule, note.shot) for note in notes(document.state)]


def stand(document: Document, shot: str, frame: int, position: list[float], at: list[float], focal: float = 35) -> None:
    keys = {"frame": frame, "position": position, "look_at": at}
    path = document.state.shot(shot).camera
    path.write_text(
        json.dumps({"format": "splatfilm-camera", "version": 1, "lens": {"focal_mm": focal}, "keys": [keys]})
    )
    document.refresh()


def test_a_cut_across_the_line_is_told_and_one_by_way_of_the_line_is_not(talk: Path) -> None:
    document = Document.open(talk)
    stand(document, "010", 1001, [1, -4, 1.6], [1, 0, 1.4])
    stand(document, "020", 1049, [1, 5, 1.6], [1, 0, 1.4])
    assert ("line", "020") in rules(document)
    stand(document, "020", 1049, [1, -2, 1.6], [2, 0, 1.4])
    assert ("line", "020") not in rules(document)
    stand(document, "020", 1049, [-4, -0.9, 1.6], [2, 0, 1.4])  # on the line, which bob has turned by then
    assert ("line", "020") not in rules(document)


def test_a_jump_cut_is_told_until_the_camera_turns_thirty_degrees_or_changes_size(talk: Path) -> None:
    document = Document.open(talk)
    stand(document, "010", 1001, [0, -4, 1.6], [0, 0, 1.5])

    def turned(degrees: float, away: float = 4.0) -> list[tuple[str, str]]:
        angle = math.radians(degrees - 90)
        stand(document, "020", 1049, [away * math.cos(angle), away * math.sin(angle), 1.6], [0, 0, 1.5])
        return [one for one in rules(document) if one[0] == "30-degrees"]

    assert turned(15) == [("30-degrees", "020")]
    assert turned(33) == []
    assert turned(15, away=2.0) == []


def test_focal_height_and_size_jumps_are_told(talk: Path) -> None:
    document = Document.open(talk)
    stand(document, "010", 1001, [0, -6, 1.6], [0, 0, 1.5], focal=24)
    stand(document, "020", 1049, [0, -2, 2.4], [0, 0, 1.5], focal=100)
    assert {rule for rule, _ in rules(document)} == {"focal", "height", "size"}


def test_a_pan_faster_than_a_frame_width_in_seven_seconds_is_told(talk: Path) -> None:
    document = Document.open(talk)
    across = 2 * math.degrees(math.atan(18 / 35))  # what 35 mm sees on 36 mm

    def pan(degrees: float) -> list[str]:
        rig = {
            "mount": {"kind": "still", "position": [1, -5, 1.6]},
            "aim": {"kind": "heading", "heading": [90 - degrees / 2, 90 + degrees / 2]},
            "focal_mm": [35, 35],
        }
        document.do(command_from_value("set-rig", {"shot": "010", "rig": rig}))
        return [note.rule for note in notes(document.state) if note.shot == "010"]

    assert pan(across / 7 * 2 * 0.8) == []  # 48 frames are two seconds
    assert pan(across / 7 * 2 * 1.3) == ["pan"]


def test_the_speed_of_a_pan_is_in_frame_widths_a_second() -> None:
    turn = CameraPath(
        (
            CameraKey(1.0, (0, 0, 0), look_at=(0, 1, 0)),
            CameraKey(2.0, (0, 0, 0), look_at=(math.sin(0.01), math.cos(0.01), 0)),
        )
    )
    assert pan_speeds(bake(turn, (1, 2)), 36.0, 24.0) == pytest.approx([0.01 * 24 * 35 / 36], rel=1e-4)


def test_a_camera_inside_matter_or_where_nobody_photographed_is_told(talk: Path) -> None:
    document = Document.open(talk)
    rng = np.random.default_rng(3)
    wall = rng.uniform((-3, -4.7, 0), (3, -4.5, 3), (20000, 3))
    matter = Matter(wall, np.full(len(wall), 0.9))
    assert matter.around(np.array([0, -4.6, 1.5])) > 4
    assert matter.around(np.array([0, -3.0, 1.5])) == 0
    views = Views(np.array([[1.0, -5, 1.6]]), np.array([[0.0, 1, 0]]))
    found = {note.rule: note for note in notes(document.state, Known({"talk": matter}, {"talk": views}))}
    assert found["matter"].shot == "010"  # it dollies from y = -5 to -4 through the wall
    assert 1001 < found["matter"].frame < 1048
    assert found["capture"].shot == "010" or found["capture"].shot == "020"
    assert views.distance(np.array([1.0, -4, 1.6]), np.array([0.0, 1, 0])) == pytest.approx((1.0, 0.0))
