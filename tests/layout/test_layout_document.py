"""The open document: edits, undo, files that are whole and never overwritten unseen."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from splatfilm.cameras import load_path
from splatfilm.film import load
from splatfilm.layout import COMMANDS, ChangedOnDiskError, Document, EditError, command_from_value


def do(document: Document, command: str, group: str | None = None, /, **values: object) -> None:
    document.do(command_from_value(command, values), group)


def test_an_edit_is_saved_into_the_camera_file_and_nothing_else_is_touched(talk: Path) -> None:
    document = Document.open(talk)
    film_before, other = talk.read_bytes(), (talk.parent / "020.json").read_bytes()
    do(document, "set-lens", shot="010", changes={"focal_mm": 50, "t_stop": 2})
    assert document.dirty
    assert document.save() == (talk.parent / "010.json",)
    assert not document.dirty
    saved = load_path(talk.parent / "010.json")
    assert (saved.lens.focal_mm, saved.lens.t_stop) == (50, 2)
    assert talk.read_bytes() == film_before
    assert (talk.parent / "020.json").read_bytes() == other


def test_what_is_baked_is_what_the_saved_file_gives_to_the_bit(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "set-key", shot="010", frame=1020, position=[2, -3, 1.2], focal_mm=42)
    baked = document.bake("010")
    document.save()
    film = load(talk)
    path = load_path(film.shot("010").camera, film.shot("010").lens)
    for i, frame in enumerate(film.shot("010").frames):
        camera = path.at(frame, *film.size)
        assert np.array_equal(baked.poses[i], camera.pose)
        assert camera.lens is not None
        assert baked.focal_mm[i] == camera.lens.focal_mm


def test_a_lens_field_that_the_shot_replaces_is_changed_in_the_film_file(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "set-lens", shot="020", changes={"t_stop": 4.0})
    document.save()
    assert load(talk).shot("020").lens == {"t_stop": 4.0}
    assert talk.read_text().startswith("# The talk. Nobody may lose this comment.\n")


def test_a_drag_is_one_step_of_undo_and_redo_brings_it_back(talk: Path) -> None:
    document = Document.open(talk)
    start = document.bake("010").poses
    for y in (-4.5, -4.2, -3.9):
        do(document, "set-key", "drag-1", shot="010", frame=1048, position=[1, y, 1.6])
    assert document.bake("010").poses[-1, 1, 3] == -3.9
    assert document.undo() == "Set key"
    assert np.array_equal(document.bake("010").poses, start)
    assert document.undo() is None
    assert document.redo() == "Set key"
    assert document.bake("010").poses[-1, 1, 3] == -3.9


def test_undoing_to_what_was_saved_leaves_nothing_to_save(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "rename-shot", shot="010", name="011")
    document.undo()
    assert not document.dirty
    assert document.save() == ()


def test_keys_are_moved_copied_scaled_and_deleted(talk: Path) -> None:
    document = Document.open(talk)
    frames = lambda: [key.frame for key in document.state.camera("010").keys]  # noqa: E731
    do(document, "set-key", shot="010", frame=1021)
    do(document, "move-keys", shot="010", frames=[1021], by=4)
    assert frames() == [1001, 1025, 1048]
    do(document, "move-keys", shot="010", frames=[1025], by=10, copy=True)
    assert frames() == [1001, 1025, 1035, 1048]
    do(document, "scale-keys", shot="010", frames=[1025, 1035], factor=0.5, about=1025)
    assert frames() == [1001, 1025, 1030, 1048]
    do(document, "delete-keys", shot="010", frames=[1025, 1030])
    assert frames() == [1001, 1048]


def test_a_key_set_without_values_does_not_move_the_picture_there(talk: Path) -> None:
    document = Document.open(talk)
    before = document.bake("010").poses[19]
    do(document, "set-key", shot="010", frame=1020)
    assert document.bake("010").poses[19] == pytest.approx(before, abs=1e-9)


def test_easing_is_set_for_one_channel_alone(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "set-easing", shot="010", frames=[1001], easing="ease-in-out", channels=["position"])
    key = document.state.camera("010").keys[0]
    assert (key.easing.position, key.easing.rotation) == ("ease-in-out", "smooth")
    middle = document.bake("010").poses[:, 1, 3]
    assert middle[1] - middle[0] < (middle[24] - middle[23]) / 4  # it starts from rest


def test_shots_are_reordered_with_the_comments_above_them(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "move-shot", shot="020", to=0)
    document.save()
    text = talk.read_text()
    assert [shot.name for shot in load(talk).shots] == ["020", "010"]
    assert text.index("# the single") < text.index('name = "020"') < text.index("# the wide") < text.index('"010"')
    assert text.startswith("# The talk. Nobody may lose this comment.\n")
    assert 'name = "010"                # master' in text


def test_a_duplicated_shot_has_a_camera_file_of_its_own_which_is_written_before_the_film(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "duplicate-shot", shot="010", name="015")
    do(document, "set-lens", shot="015", changes={"focal_mm": 85})
    assert not (talk.parent / "015.json").exists()
    assert document.save()[-1] == talk
    film = load(talk)
    assert [shot.name for shot in film.shots] == ["010", "015", "020"]
    assert load_path(film.shot("015").camera).lens.focal_mm == 85
    assert load_path(film.shot("010").camera).lens.focal_mm == 35


def test_a_shot_added_deleted_and_added_again_leaves_valid_film_files(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "add-shot", name="030", scene="talk", first=1100, last=1123, after="010")
    assert list(document.state.shots) == ["010", "030", "020"]
    document.save()
    load(talk)
    do(document, "delete-shot", shot="030")
    document.save()
    assert [shot.name for shot in load(talk).shots] == ["010", "020"]
    assert (talk.parent / "030.json").exists()
    do(document, "add-shot", name="030", scene="talk", first=1100, last=1123)
    document.save()
    assert load(talk).shot("030").camera.name == "030-2.json"


def test_a_longer_shot_rests_at_the_end_of_its_move_and_moves_as_before(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "set-key", shot="010", frame=1030, position=[2, -3, 1.5])
    before = document.bake("010").poses
    do(document, "set-frames", shot="010", first=1001, last=1072)
    after = document.bake("010").poses
    assert len(after) == 72
    assert np.array_equal(after[:48], before)
    assert np.array_equal(after[71], before[47])


def test_an_edit_that_would_break_the_film_is_refused_and_changes_nothing(talk: Path) -> None:
    document = Document.open(talk)
    state = document.state
    for name, values in {
        "set-frames": {"shot": "010", "first": 1001, "last": 9999},  # beyond the scene
        "rename-shot": {"shot": "010", "name": "../evil"},
        "set-lens": {"shot": "010", "changes": {"focal_mm": -3}},
        "set-key": {"shot": "nope", "frame": 1},
        "move-keys": {"shot": "010", "frames": [5.0], "by": 1},
        "delete-keys": {"shot": "010", "frames": [1001, 1048]},
        "add-shot": {"name": "010", "scene": "talk", "first": 1001, "last": 1002},
        "move-shot": {"shot": "010", "to": 7},
    }.items():
        with pytest.raises(EditError):
            do(document, name, **values)
    assert document.state is state
    assert document.undo_label is None


def test_a_move_of_keys_that_leaves_the_shot_uncovered_is_refused_with_the_reason(talk: Path) -> None:
    document = Document.open(talk)
    with pytest.raises(EditError, match="ends before the shot does"):
        do(document, "move-keys", shot="010", frames=[1048], by=-10)


def test_unseen_changes_on_disk_are_never_overwritten(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "set-lens", shot="010", changes={"focal_mm": 50})
    theirs = (talk.parent / "010.json").read_text().replace("35.0", "99.0")
    (talk.parent / "010.json").write_text(theirs)
    with pytest.raises(ChangedOnDiskError):
        document.save()
    with pytest.raises(ChangedOnDiskError):
        document.refresh()
    assert (talk.parent / "010.json").read_text() == theirs
    document.reload()
    assert document.state.camera("010").lens.focal_mm == 99
    document.undo()
    assert document.state.camera("010").lens.focal_mm == 50  # our edit is one undo away
    document.save()
    assert load_path(talk.parent / "010.json").lens.focal_mm == 50


def test_a_change_on_disk_is_taken_over_and_edits_of_other_files_stay(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "set-lens", shot="020", changes={"focal_mm": 65})
    talk.write_text(talk.read_text().replace('name = "010"', 'name = "005"'))
    assert document.refresh() == (talk,)
    assert list(document.state.shots) == ["005", "020"]
    assert document.state.camera("020").lens.focal_mm == 65
    assert document.save() == (talk.parent / "020.json",)


def test_a_broken_camera_file_is_told_by_line_and_does_not_take_the_others_down(talk: Path) -> None:
    (talk.parent / "020.json").write_text('{"format": "splatfilm-camera",\n "version": 1,\n "keys": []}')
    document = Document.open(talk)
    assert [(Path(p.path).name, p.line) for p in document.problems] == [("020.json", 3)]
    assert len(document.bake("010").frames) == 48
    do(document, "set-lens", shot="010", changes={"focal_mm": 50})
    document.save()


def test_a_film_with_errors_opens_and_its_good_shots_can_be_edited(talk: Path) -> None:
    text = (
        talk.read_text()
        .replace("frames = [1049, 1096]", "frames = [1049, 1040]")
        .replace('kind = "set"', 'kind = "sett"')
    )
    talk.write_text(text)
    document = Document.open(talk)
    assert document.state.film is None
    assert {p.line for p in document.problems} >= {text[: text.index("sett")].count("\n") + 1}
    assert list(document.state.shots) == ["010"]
    do(document, "set-lens", shot="010", changes={"focal_mm": 50})
    assert document.save() == (talk.parent / "010.json",)


def test_aiming_off_centre_puts_the_point_where_it_was_asked_for(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "aim", shot="020", point=[2, 0.5, 1.6], place=[0.3, 0.4])
    camera = document.state.seen("020").at(1060, 1920, 1080)
    x, y, z = camera.pose[:3, :3].T @ (np.array([2, 0.5, 1.6]) - camera.position)
    assert camera.fx * x / z + camera.cx == pytest.approx(0.3 * 1920, abs=1e-6)
    assert camera.fy * y / z + camera.cy == pytest.approx(0.4 * 1080, abs=1e-6)
    assert camera.pose[2, 0] == pytest.approx(0, abs=1e-12)  # the horizon is level


def test_a_command_with_a_wrong_field_is_refused_before_anything_happens() -> None:
    for name, values in (
        ("set-focal", {}),
        ("set-key", {"shot": "010"}),
        ("set-key", {"shot": "010", "frame": "x"}),
        ("set-key", {"shot": "010", "frame": math.nan}),
        ("set-key", {"shot": "010", "frame": 1, "position": [1, 2]}),
        ("set-key", {"shot": "010", "frame": 1, "colour": 3}),
        ("set-frames", {"shot": "010", "first": 1.5, "last": 3}),
        ("set-key", []),
    ):
        with pytest.raises(EditError):
            command_from_value(name, values)
    assert all(command.__doc__ for command in COMMANDS.values())


def test_another_tools_camera_is_converted_and_shows_the_same(talk: Path) -> None:
    pose = [1, 0, 0, 0, 0, 0, -1, -4, 0, 1, 0, 1.5, 0, 0, 0, 1]
    path = {"camera_type": "perspective", "render_height": 1080, "render_width": 1920, "fps": 24, "seconds": 2}
    frames = [{"camera_to_world": [*pose[:3], 0.01 * i, *pose[4:]], "fov": 40, "aspect": 1.78} for i in range(48)]
    (talk.parent / "010.json").write_text(json.dumps({**path, "camera_path": frames}))
    document = Document.open(talk)
    before = document.bake("010")
    with pytest.raises(EditError, match="convert"):
        do(document, "set-key", shot="010", frame=1010)
    do(document, "convert-camera", shot="010")
    assert np.array_equal(document.bake("010").poses, before.poses)
    do(document, "set-key", shot="010", frame=1010, position=[0, -3, 1])
    document.save()
    assert load(talk).shot("010").camera.name == "010-2.json"


def test_a_nudged_camera_moves_along_its_own_axes_and_stays_level(talk: Path) -> None:
    document = Document.open(talk)
    do(document, "nudge", shot="020", frame=1060, truck=0.5, pedestal=0.2, dolly=1.0)
    assert [key.frame for key in document.state.camera("020").keys] == [1049]  # it still stands
    before = Document.open(talk).bake("020").poses[0]
    after = document.bake("020").poses[0]
    assert after[:3, 3] == pytest.approx(before[:3, 3] + 0.5 * before[:3, 0] + before[:3, 2] + [0, 0, 0.2])
    do(document, "nudge", shot="010", frame=1020, pan=10, tilt=5)
    start, turned = Document.open(talk).bake("010").poses[19], document.bake("010").poses[19]
    heading = [math.atan2(pose[1, 2], pose[0, 2]) for pose in (start, turned)]
    assert math.degrees(heading[0] - heading[1]) == pytest.approx(10)
    assert math.degrees(math.asin(turned[2, 2]) - math.asin(start[2, 2])) == pytest.approx(5)
    assert turned[2, 0] == pytest.approx(0, abs=1e-12)


def test_a_shots_shutter_and_depth_of_field_stand_in_the_film_file_and_nowhere_else(talk: Path) -> None:
    document = Document.open(talk)
    name = next(iter(document.state.shots))
    cameras = dict(document.state.cameras)
    do(document, "set-optics", shot=name, shutter_angle=180.0)
    do(document, "set-optics", shot=name, depth_of_field=True)
    optics = document.state.shot(name).optics
    assert (optics.shutter_angle, optics.depth_of_field) == (180.0, True)
    assert dict(document.state.cameras) == cameras
    with pytest.raises(EditError, match="shutter_angle"):
        do(document, "set-optics", shot=name, shutter_angle=400.0)
    with pytest.raises(EditError, match="give"):
        do(document, "set-optics", shot=name)
    document.undo()
    assert not document.state.shot(name).optics.depth_of_field


def test_markers_and_looks_stand_in_the_film_file_and_go_with_undo(talk: Path) -> None:
    document = Document.open(talk)
    name, shot = next(iter(document.state.shots.items()))
    first, last = shot.frames.first, shot.frames.last
    do(document, "set-marker", shot=name, frame=last, name="the look back")
    do(document, "set-marker", shot=name, frame=first, name="enters")
    do(document, "set-marker", shot=name, frame=last, name="turns")
    do(document, "set-look", shot=name, look="natural")
    document.save()
    saved = load(talk).shot(name)
    assert [(one.frame, one.name) for one in saved.markers] == [(first, "enters"), (last, "turns")]
    assert saved.refine.look == "natural"
    do(document, "set-marker", shot=name, frame=first, name="")
    do(document, "set-marker", shot=name, frame=last, name="")
    do(document, "set-look", shot=name, look="")
    assert (document.state.shot(name).markers, document.state.shot(name).refine.look) == ((), shot.refine.look)
    document.undo()
    assert document.state.shot(name).refine.look == "natural"
    talk.write_text(talk.read_text().replace('refine = "natural"', 'refine = { look = "natural", strength = 0.4 }'))
    told = Document.open(talk)
    do(told, "set-look", shot=name, look="clean")
    assert (told.state.shot(name).refine.look, told.state.shot(name).refine.strength) == ("clean", 0.4)
    do(told, "set-look", shot=name, look="")
    assert (told.state.shot(name).refine.look, told.state.shot(name).refine.strength) == (shot.refine.look, 0.4)
    with pytest.raises(EditError, match="no marker on frame"):
        do(document, "set-marker", shot=name, frame=first, name="")
    with pytest.raises(EditError, match="is not in shot"):
        do(document, "set-marker", shot=name, frame=last + 1, name="late")
    with pytest.raises(EditError, match="expected one of off, clean"):
        do(document, "set-look", shot=name, look="matte")
