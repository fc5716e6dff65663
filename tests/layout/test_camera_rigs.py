"""Rigs, held to geometry worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from splatfilm.cameras import Lens, load_path
from splatfilm.layout import Document, command_from_value
from splatfilm.layout.keys import exact_path, fitted_path
from splatfilm.layout.rigs import (
    Arc,
    At,
    Crane,
    Heading,
    Rails,
    Rig,
    Shake,
    Still,
    Take,
    Timing,
    Track,
    play,
    rig_from_value,
    to_value,
)

SIZE = (1920, 1080)


def take(first: int = 1001, last: int = 1240, lens: Lens | None = None, scene: str = "s") -> Take:
    return Take(
        scene, list(range(first, last + 1)), 24.0, SIZE, lens or Lens(), lambda name, frame: (0.01 * frame, 0, 0)
    )


def projected(rig: Rig, one: Take, point: tuple[float, float, float]) -> np.ndarray:
    """Where a point is in the picture at every frame, in parts of its width and height, and the pixels of a metre."""
    path = exact_path(play(rig, one), one.frames, one.lens)
    rows = []
    for frame in one.frames:
        camera = path.at(frame, *SIZE)
        x, y, z = camera.pose[:3, :3].T @ (np.array(point) - camera.position)
        rows.append(
            ((camera.fx * x / z + camera.cx) / SIZE[0], (camera.fy * y / z + camera.cy) / SIZE[1], camera.fx / z)
        )
    return np.array(rows)


def test_a_dolly_zoom_keeps_the_subjects_size_and_place_exactly() -> None:
    subject = (0.2, 3.0, 1.5)
    for place in ((0.5, 0.5), (0.31, 0.4)):
        rig = Rig(Track((0, -4, 1.2), (0.4, 1, 1.8)), At(subject, place=place), (75, 75), hold_size=True)
        seen = projected(rig, take(), subject)
        assert seen[:, 2] == pytest.approx(seen[0, 2], rel=1e-9)
        assert seen[:, 0] == pytest.approx(place[0], abs=1e-9)
        assert seen[:, 1] == pytest.approx(place[1], abs=1e-9)


def test_a_centred_dolly_zoom_from_four_metres_to_two_halves_the_focal_length() -> None:
    played = play(Rig(Track((0, -4, 0), (0, -2, 0)), At((0, 0, 0)), (50, 50), hold_size=True), take())
    assert played.focal_mm[[0, -1]] == pytest.approx([50, 25])


def test_a_dolly_zoom_that_would_need_an_impossible_lens_is_refused() -> None:
    with pytest.raises(ValueError, match="under 1 mm"):
        play(Rig(Track((0, -4, 0), (0, -0.01, 0)), At((0, 0, 0)), (50, 50), hold_size=True), take())


def test_the_aim_holds_its_place_in_the_frame_under_roll_and_shake_free_of_it() -> None:
    rig = Rig(Arc((0, 0, 0), 3, (-90, 0), (1, 2)), At((0, 0, 1.4), place=(0.7, 0.3)), (35, 50), roll=(0, 20))
    seen = projected(rig, take(), (0, 0, 1.4))
    assert seen[:, :2] == pytest.approx(np.tile((0.7, 0.3), (240, 1)), abs=1e-9)


def test_an_eased_move_starts_and_ends_at_rest_and_runs_evenly_between() -> None:
    timing = Timing(wait_s=1, ease_in_s=2, ease_out_s=2)
    t = np.arange(0, 241) / 24
    s = timing.progress(t, 10.0)
    speed = np.diff(s) * 24
    assert (s[:25] == 0).all()
    assert s[-1] == 1
    assert speed.max() == pytest.approx(1 / (9 - 2), rel=1e-6)  # two ramps of two seconds cost two seconds
    assert speed[24] < 0.002
    assert speed[-1] < 0.002
    assert speed[80:180] == pytest.approx(1 / 7)
    assert (speed >= 0).all()


def test_easings_longer_than_the_move_still_arrive() -> None:
    s = Timing(ease_in_s=5, ease_out_s=5).progress(np.array([0, 0.5, 1.0]), 1.0)
    assert s == pytest.approx([0, 0.5, 1])


def test_mounts_go_where_their_names_say() -> None:
    s = np.array([0.0, 0.5, 1.0])
    assert Arc((1, 1, 1), 2, (0, 180), (0, 1)).at(s)[[0, 2]] == pytest.approx(np.array([[3, 1, 1], [-1, 1, 2]]))
    crane = Crane((0, 0, 1), 4, (0, 90), (0, 0)).at(s)
    assert crane[[0, 2]] == pytest.approx(np.array([[4, 0, 1], [0, 0, 5]]))
    assert np.linalg.norm(crane - (0, 0, 1), axis=1) == pytest.approx([4, 4, 4])
    rails = Rails(((0, 0, 0), (1, 0, 0), (3, 0, 0))).at(np.linspace(0, 1, 31))
    assert rails[:, 0] == pytest.approx(np.linspace(0, 3, 31), abs=1e-3)  # by length, whatever the points' spacing


def test_a_pan_turns_by_its_degrees_about_a_camera_that_stands() -> None:
    played = play(Rig(Still((1, 2, 3)), Heading((0, 90), (0, -10)), (35, 35)), take())
    assert (played.positions == (1, 2, 3)).all()
    assert played.rotations[0, :, 2] == pytest.approx([1, 0, 0])
    down = math.radians(-10)
    assert played.rotations[-1, :, 2] == pytest.approx([0, math.cos(down), math.sin(down)])
    assert np.linalg.det(played.rotations) == pytest.approx(1)


def test_a_handheld_camera_shakes_alike_at_one_moment_of_the_scene_in_any_shot() -> None:
    rig = Rig(Still((0, -4, 1.6)), At((0, 0, 1.4)), (35, 35), shake=Shake(seed=7))
    long, late = play(rig, take(1001, 1240)), play(rig, take(1101, 1150))
    assert np.array_equal(long.positions[100:150], late.positions)
    assert np.array_equal(long.rotations[100:150], late.rotations)
    other = play(Rig(rig.mount, rig.aim, (35, 35), shake=Shake(seed=8)), take())
    assert not np.allclose(other.positions, long.positions)
    assert not np.allclose(play(rig, take(scene="t")).positions, long.positions)
    assert np.abs(long.positions - (0, -4, 1.6)).max() <= 0.008 * 1.0001
    assert np.linalg.norm(np.diff(long.positions, axis=0), axis=1).max() < 0.004  # no jumps between frames


def test_the_focus_follows_a_member_of_the_cast() -> None:
    rig = Rig(Still((0, -4, 0)), At((0, 0, 0), subject="ann"), (35, 35), follow_focus=True)
    one = take(1, 300)
    played = play(rig, one)
    assert played.focus_m is not None
    assert played.focus_m[99] == pytest.approx(math.hypot(1.0, 4.0))  # she is at x = 1.00 at frame 100


RIGS = [
    Rig(Still((0, -4, 1)), Heading((80, 100)), (35, 35)),
    Rig(Track((0, -4, 1), (1, -2, 1)), At((0, 0, 1), place=(0.4, 0.5)), (35, 35), timing=Timing(0, 1, 1)),
    Rig(Rails(((0, -4, 1), (1, -3, 1), (1, -2, 1.5))), At((0, 0, 1)), (24, 24)),
    Rig(Arc((0, 0, 0), 3, (-120, -30)), At((0, 0, 1)), (35, 50), follow_focus=True),
    Rig(Crane((0, -5, 0.5), 3, (10, 60), (80, 90)), At((0, 0, 1)), (28, 28), (0, 5), shake=Shake()),
]


@pytest.mark.parametrize("rig", RIGS, ids=lambda rig: rig.mount.kind)
def test_a_rig_comes_back_from_its_plain_values(rig: Rig) -> None:
    assert rig_from_value(to_value(rig)) == rig


@pytest.mark.parametrize("rig", RIGS, ids=lambda rig: rig.mount.kind)
def test_keys_made_from_a_rig_are_exact_and_fitted_ones_few_and_close(rig: Rig) -> None:
    one = take(1001, 1096)
    played = play(rig, one)
    path = exact_path(played, one.frames, one.lens)
    for i, frame in enumerate(one.frames):
        assert path.pose_at(frame)[:3, 3] == pytest.approx(played.positions[i], abs=1e-12)
        assert path.pose_at(frame)[:3, :3] == pytest.approx(played.rotations[i], abs=1e-9)
        assert path.lens_at(frame).focal_mm == pytest.approx(played.focal_mm[i], rel=1e-12)
    fitted = fitted_path(played, one.frames, one.lens)
    worst = max(float(np.linalg.norm(fitted.pose_at(f)[:3, 3] - played.positions[i])) for i, f in enumerate(one.frames))
    assert worst <= 0.0021
    assert len(fitted.keys) <= (60 if rig.shake else 20)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"mount": {"kind": "trakc", "start": [0, 0, 0], "end": [0, 0, 1]}}, "did you mean"),
        ({"mount": {"kind": "still"}}, "missing position"),
        ({"mount": {"kind": "still", "position": [0, 0]}}, "mount.position: expected 3 numbers"),
        ({"mount": {"kind": "still", "position": [0, 0, math.nan]}}, "expected a number"),
        ({"focal_mm": [35, 0]}, "above 0"),
        ({"speed": 3}, "unknown 'speed'"),
        ({"aim": {"kind": "heading", "heading": [0, 0]}, "hold_size": True}, "needs an aim"),
        ({"shake": {"seed": 1.5}}, "whole number"),
    ],
)
def test_a_wrong_rig_is_refused_with_the_place_and_what_is_right(change: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match=place):
        rig_from_value({**to_value(RIGS[1]), **change})


def test_a_rig_is_kept_in_the_camera_file_plays_anew_with_the_shot_and_becomes_keys(talk: Path) -> None:
    document = Document.open(talk)
    rig = to_value(Rig(Track((1, -5, 1.5), (1, -3, 1.5)), At((0, 0, 1.5), subject="bob"), (40, 40)))
    document.do(command_from_value("set-rig", {"shot": "010", "rig": rig}))
    document.do(command_from_value("set-frames", {"shot": "010", "first": 1001, "last": 1096}))
    assert document.bake("010").poses[95, 1, 3] == -3
    document.save()
    again = Document.open(talk)
    assert again.state.camera("010").rig == rig
    again.do(command_from_value("rig-to-keys", {"shot": "010"}))
    assert again.state.camera("010").rig is None
    assert len(load_path(talk.parent / "010.json").keys) == 96
    assert len(again.state.camera("010").keys) < 12


def test_a_camera_that_stands_on_a_tripod_is_one_key(talk: Path) -> None:
    document = Document.open(talk)
    rig = to_value(Rig(Still((1, -5, 1.5)), At((0, 0, 1.5)), (40, 40)))
    document.do(command_from_value("set-rig", {"shot": "010", "rig": rig}))
    assert len(document.state.camera("010").keys) == 1
