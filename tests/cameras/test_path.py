"""Camera moves: positions, aims, rolls, zooms and focus pulls, with values worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from splatfilm.base.rigid import matrix_from_quaternion, quaternion_about
from splatfilm.cameras import CameraKey, CameraPath, Easings, Lens
from splatfilm.cameras.path import facing

EXACT = 1e-12
LEVEL = (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)  # looks along +Y with a level horizon: down is -Z


def key(frame, position=(0.0, 0.0, 0.0), **more) -> CameraKey:
    if "look_at" not in more:
        more.setdefault("rotation", LEVEL)
    return CameraKey(frame, position, **more)


def path(*keys, **more) -> CameraPath:
    return CameraPath(tuple(keys), **more)


# ---- poses -----------------------------------------------------------------------------------------------------------


def test_a_level_camera_looking_north_has_east_to_its_right_and_the_ground_below():
    pose = path(key(1001)).pose_at(1001)
    assert pose[:3, 0] == pytest.approx([1, 0, 0], abs=EXACT)
    assert pose[:3, 1] == pytest.approx([0, 0, -1], abs=EXACT)
    assert pose[:3, 2] == pytest.approx([0, 1, 0], abs=EXACT)


def test_looking_at_a_point_is_looking_north_when_it_lies_north():
    assert matrix_from_quaternion(facing((1, 2, 3), (1, 9, 3))) == pytest.approx(
        matrix_from_quaternion(LEVEL), abs=EXACT
    )


def test_looking_down_at_a_point_keeps_the_horizon_level():
    rotation = matrix_from_quaternion(facing((0, -3, 4), (0, 0, 0)))
    assert rotation[:, 2] == pytest.approx([0, 0.6, -0.8], abs=EXACT)
    assert rotation[:, 0] == pytest.approx([1, 0, 0], abs=EXACT)


@pytest.mark.parametrize(("height", "forward"), [(5.0, -1.0), (-5.0, 1.0)])
def test_straight_down_and_straight_up_the_top_of_the_picture_is_plus_y(height, forward):
    rotation = matrix_from_quaternion(facing((0, 0, height), (0, 0, 0)))
    assert rotation[:, 2] == pytest.approx([0, 0, forward], abs=EXACT)
    assert -rotation[:, 1] == pytest.approx([0, 1, 0], abs=EXACT)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=EXACT)


def test_a_dolly_between_two_keys_is_even():
    move = path(key(1001, (0.0, 0.0, 1.6)), key(1025, (2.4, 0.0, 1.6)))
    for frame in (1001, 1006, 1012.5, 1025):
        assert move.pose_at(frame)[:3, 3] == pytest.approx([0.1 * (frame - 1001), 0, 1.6], abs=EXACT)


def test_before_and_after_its_keys_a_camera_stands_still():
    move = path(key(1001, focal_mm=24.0), key(1010, (1.0, 1.0, 1.0), focal_mm=50.0))
    assert (move.first, move.last) == (1001, 1010)
    assert np.array_equal(move.at(900, 64, 36).pose, move.at(1001, 64, 36).pose)
    assert np.array_equal(move.at(2000, 64, 36).pose, move.at(1010, 64, 36).pose)
    assert move.lens_at(900).focal_mm == 24
    assert move.lens_at(2000).focal_mm == 50


def test_between_two_keys_that_look_at_points_the_point_moves():
    move = path(
        key(1, (0.0, -4.0, 0.0), look_at=(0.0, 0.0, 0.0)),
        key(3, (0.0, -4.0, 0.0), look_at=(8.0, 0.0, 0.0)),
    )
    # Half-way the camera looks at (4, 0, 0): 45 degrees to the right, not half of the turn of atan(2).
    assert move.pose_at(2)[:3, 2] == pytest.approx([math.sqrt(0.5), math.sqrt(0.5), 0], abs=EXACT)


def test_an_orbit_keeps_its_subject_in_the_middle_on_every_frame():
    keys = [
        key(1001 + 12 * i, (3 * math.cos(a), 3 * math.sin(a), 1.5), look_at=(0.1, 0.2, 1.0))
        for i, a in enumerate(np.linspace(0, 2 * math.pi, 9))
    ]
    move = path(*keys)
    for frame in np.linspace(1001, 1097, 60):
        camera = move.at(frame, 640, 360)
        x, y, depth = camera.world_to_camera()[:3] @ np.array([0.1, 0.2, 1.0, 1.0])
        assert (x, y) == pytest.approx((0, 0), abs=1e-12)
        assert depth > 0
        assert math.hypot(*camera.position[:2]) == pytest.approx(3, rel=1e-3)


def test_from_a_look_at_key_to_a_rotation_key_the_camera_turns_the_short_way():
    east = tuple(quaternion_about([0, 0, 1], -math.pi / 2) @ np.array(_left(LEVEL)))
    move = path(key(1, look_at=(0.0, 5.0, 0.0)), key(3, rotation=east))
    assert move.pose_at(3)[:3, 2] == pytest.approx([1, 0, 0], abs=EXACT)
    assert move.pose_at(2)[:3, 2] == pytest.approx([math.sqrt(0.5), math.sqrt(0.5), 0], abs=EXACT)
    assert move.pose_at(1)[:3, 2] == pytest.approx([0, 1, 0], abs=EXACT)


def _left(q):
    """The matrix that multiplies a quaternion p from the right by q: p @ matrix == p * q."""
    w, x, y, z = q
    return [[w, x, y, z], [-x, w, -z, y], [-y, z, w, -x], [-z, -y, x, w]]


def test_positive_roll_lowers_the_right_side_of_the_camera():
    pose = path(key(1, roll=math.radians(30))).pose_at(1)
    assert pose[:3, 0] == pytest.approx([math.cos(math.radians(30)), 0, -0.5], abs=EXACT)
    assert pose[:3, 2] == pytest.approx([0, 1, 0], abs=EXACT)


def test_roll_is_a_channel_of_its_own_and_may_turn_more_than_once():
    move = path(key(0, look_at=(0.0, 9.0, 0.0), roll=0.0), key(4, look_at=(0.0, 9.0, 0.0), roll=4 * math.pi))
    assert move.pose_at(1)[:3, 0] == pytest.approx([-1, 0, 0], abs=EXACT)  # 180 degrees
    assert move.pose_at(2)[:3, 0] == pytest.approx([1, 0, 0], abs=EXACT)


# ---- lens ------------------------------------------------------------------------------------------------------------


def test_a_zoom_magnifies_by_the_same_factor_every_frame():
    move = path(key(1, focal_mm=24.0), key(5, focal_mm=96.0))
    assert [move.lens_at(f).focal_mm for f in (1, 3, 5)] == [24.0, pytest.approx(48, abs=1e-12), 96.0]
    ratios = [move.lens_at(f + 1).focal_mm / move.lens_at(f).focal_mm for f in range(1, 5)]
    assert ratios == pytest.approx([math.sqrt(2)] * 4, abs=EXACT)


def test_a_focus_pull_is_even_in_dioptres():
    move = path(key(1, focus_m=1.0), key(3, focus_m=4.0))
    assert move.lens_at(2).focus_m == pytest.approx(1 / 0.625, abs=EXACT)  # 1 and 0.25 dioptres: half-way 0.625


def test_an_overshooting_pull_stops_at_infinity_and_an_overshooting_zoom_stays_a_lens():
    wild = Easings.alike((0.0, 0.0, 0.5, 100.0))
    move = path(key(1, focus_m=1.0, focal_mm=1.0, easing=wild), key(3, focus_m=100.0, focal_mm=1000.0))
    for frame in np.linspace(1, 3, 50):
        lens = move.lens_at(frame)
        assert 0 < lens.focus_m <= 1e6
        assert 0 < lens.focal_mm < math.inf


def test_a_channel_passes_through_keys_that_do_not_name_it():
    move = path(key(1, focal_mm=20.0), key(2), key(3, focal_mm=80.0), key(9))
    assert move.lens_at(2).focal_mm == pytest.approx(40, abs=1e-12)
    assert move.lens_at(8).focal_mm == pytest.approx(80, abs=1e-12)


def test_a_camera_at_rest_is_the_same_to_the_bit_on_every_frame():
    still = CameraKey(1, (0.1, 0.2, 0.3), (0.3, 0.5, 0.7, 0.9), None, 0.1, 33.3, 2.7)
    move = path(still, dataclasses.replace(still, frame=50), CameraKey(73, (5.0, 5.0, 5.0), (1.0, 0.0, 0.0, 0.0)))
    first = move.at(1, 640, 360)
    for frame in (2, 17.37, 49, 50):
        camera = move.at(frame, 640, 360)
        assert np.array_equal(camera.pose, first.pose)
        assert camera.lens == first.lens
        assert camera.fx == first.fx


def test_a_lens_of_its_own_replaces_what_the_file_keyed():
    move = path(key(1, focal_mm=20.0, focus_m=1.0), key(3, focal_mm=80.0, focus_m=2.0), lens=Lens(t_stop=2.8))
    changed = move.with_lens({"focal_mm": 50.0, "filmback_mm": (24.89, 18.66)})
    assert [changed.lens_at(f).focal_mm for f in (1, 2, 3)] == [50, 50, 50]
    assert changed.lens_at(3).focus_m == 2
    assert changed.lens_at(1).t_stop == 2.8
    assert changed.at(1, 2489, 1866).fx == pytest.approx(5000, abs=1e-9)


def test_a_lens_field_that_does_not_exist_is_refused_with_a_guess():
    with pytest.raises(ValueError, match='did you mean "focal_mm"'):
        path(key(1)).with_lens({"focal": 50})
    with pytest.raises(ValueError, match="focal_mm is -1"):
        path(key(1)).with_lens({"focal_mm": -1})


# ---- easing and speed ------------------------------------------------------------------------------------------------


def test_channels_are_eased_each_for_itself():
    easing = Easings(position="hold", focal="linear", roll="ease-in")
    move = path(
        key(0, (1.0, 1.0, 1.0), focal_mm=20.0, roll=0.0, easing=easing),
        key(4, (9.0, 1.0, 1.0), focal_mm=80.0, roll=1.0),
    )
    pose = move.pose_at(2)
    assert pose[:3, 3].tolist() == [1, 1, 1]
    assert move.lens_at(2).focal_mm == pytest.approx(40, abs=1e-12)
    assert pose[2, 0] == pytest.approx(-math.sin(0.375), abs=EXACT)


def test_at_constant_speed_every_frame_covers_the_same_length_and_the_pan_keeps_its_place():
    keys = [
        key(1, (0.0, 0.0, 0.0), look_at=(0.0, 5.0, 0.0)),
        key(2, (1.0, 0.0, 0.0), look_at=(1.0, 5.0, 0.0)),
        key(11, (10.0, 0.0, 0.0), look_at=(10.0, 5.0, 0.0)),
    ]
    keys[0] = CameraKey(1, (0.0, 0.0, 0.0), look_at=(0.0, 5.0, 0.0), easing=Easings(position="linear"))
    move = path(*keys, speed="constant")
    positions = [move.pose_at(f)[0, 3] for f in range(1, 12)]
    assert np.diff(positions) == pytest.approx([1.0] * 10, abs=1e-9)
    assert (move.first, move.last) == (1, 11)


def test_constant_speed_is_refused_where_the_camera_rests():
    with pytest.raises(ValueError, match="keys 0 and 1 are in one place"):
        path(key(1), key(2), key(3, (1.0, 0.0, 0.0)), speed="constant")


def test_the_same_frame_gives_the_same_bits_every_time_and_in_any_order():
    rng = np.random.default_rng(11)

    def move():
        rows = np.random.default_rng(12).normal(size=(6, 8))
        return path(
            *(
                key(10 * i, tuple(r[:3]), rotation=tuple(r[3:7]), focal_mm=30 + r[7], roll=r[7])
                for i, r in enumerate(rows)
            ),
            speed="constant",
        )

    frames = rng.permutation(np.linspace(-5, 55, 40))
    once = {f: move().at(f, 640, 360) for f in frames}
    again = move()
    for f in sorted(frames):
        camera = again.at(f, 640, 360)
        assert camera.pose.tobytes() == once[f].pose.tobytes()
        assert (camera.fx, camera.lens) == (once[f].fx, once[f].lens)


def test_baking_is_asking_for_each_frame():
    move = path(key(1), key(5, (1.0, 2.0, 3.0)))
    cameras = move.bake(range(1, 6), 64, 36)
    assert len(cameras) == 5
    assert np.array_equal(cameras[2].pose, move.at(3, 64, 36).pose)


@pytest.mark.parametrize(
    "bad",
    [
        {"rotation": None},
        {"look_at": (1.0, 1.0, 1.0), "rotation": LEVEL},
        {"look_at": (0.0, 0.0, 0.0)},
        {"focal_mm": 0.0},
        {"focus_m": -1.0},
        {"roll": math.nan},
        {"position": (math.inf, 0.0, 0.0)},
    ],
)
def test_a_key_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match=r"camera|focal|focus"):
        key(1, **bad)


def test_a_path_without_keys_or_out_of_order_is_refused():
    with pytest.raises(ValueError, match="at least one key"):
        path()
    with pytest.raises(ValueError, match="ascending"):
        path(key(2), key(1))
    with pytest.raises(ValueError, match="finite"):
        path(key(1)).pose_at(math.nan)
