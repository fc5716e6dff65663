"""Keyframe curves: what a camera operator expects of a move, with values worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splatfilm.base.curves import EASINGS, ConstantSpeed, Curve, RotationCurve, eased, easing
from splatfilm.base.rigid import multiply, normalised, quaternion_about, slerp

EXACT = 1e-12  # float64 on numbers near one


def angle_between(a, b) -> float:
    """Of two rotations, radians; stable near zero."""
    w, x, y, z = multiply((a[0], -a[1], -a[2], -a[3]), b)
    return 2 * math.atan2(math.hypot(x, y, z), abs(w))


# ---- values ----------------------------------------------------------------------------------------------------------


def test_every_key_is_met_to_the_bit():
    rng = np.random.default_rng(5)
    times = np.cumsum(rng.uniform(0.1, 30, 20))
    values = rng.normal(size=(20, 3))
    curve = Curve(times, values)
    for t, v in zip(times, values, strict=True):
        assert np.array_equal(curve.at(t), v)


def test_two_keys_give_a_straight_line_at_even_speed():
    curve = Curve([1001, 1011], [[0, 0, 0], [10, 20, -5]])
    assert curve.at(1004) == pytest.approx([3, 6, -1.5], abs=EXACT)
    assert curve.at(1010) == pytest.approx([9, 18, -4.5], abs=EXACT)


def test_evenly_spaced_keys_on_a_line_keep_even_speed():
    curve = Curve([0, 1, 2, 3], [[0.0], [2.0], [4.0], [6.0]])
    for t in np.linspace(0, 3, 31):
        assert curve.at(t)[0] == pytest.approx(2 * t, abs=EXACT)


def test_the_tangent_between_even_keys_is_the_harmonic_mean_of_the_slopes():
    # Slopes 1 and 3 over equal times: 2 / (1/1 + 1/3) = 1.5; at the free start (3 * 1 - 1.5) / 2 = 0.75.
    # Hermite at the middle of the first segment: 1/2 + (0.75 - 1.5) / 8.
    curve = Curve([0, 1, 2], [[0.0], [1.0], [4.0]])
    assert curve.at(0.5)[0] == pytest.approx(0.5 - 0.75 / 8, abs=EXACT)


def test_a_camera_that_rests_between_two_equal_keys_does_not_drift():
    curve = Curve([0, 1, 11, 12], [[0, 0, 0], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [5, 5, 5]])
    for t in np.linspace(1, 11, 23):
        assert np.array_equal(curve.at(t), [0.1, 0.2, 0.3])


def test_a_fast_move_before_a_long_slow_one_does_not_overshoot():
    curve = Curve([0, 1, 101], [[0.0], [10.0], [10.5]])
    values = [curve.at(t)[0] for t in np.linspace(0, 101, 2000)]
    assert all(b >= a for a, b in itertools.pairwise(values))
    assert max(values) <= 10.5


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(-100, 100)), min_size=2, max_size=8))
def test_in_one_dimension_nothing_leaves_the_interval_between_two_keys(steps):
    times = np.cumsum([s[0] for s in steps])
    values = [s[1] for s in steps]
    curve = Curve(times, np.array(values)[:, None])
    for i in range(len(times) - 1):
        low, high = sorted(values[i : i + 2])
        slack = 1e-9 * (1 + abs(low) + abs(high))
        for u in np.linspace(0, 1, 17)[1:-1]:
            assert low - slack <= curve.at(times[i] + u * (times[i + 1] - times[i]))[0] <= high + slack


def test_four_keys_on_a_circle_make_the_circle():
    angles = np.radians(np.arange(0, 361, 90))
    curve = Curve(np.arange(5.0), np.stack([3 * np.cos(angles), 3 * np.sin(angles)], axis=1))
    radii = [math.hypot(*curve.at(t)) for t in np.linspace(0, 4, 401)]
    assert min(radii) >= 3 * (1 - 1e-9)
    assert max(radii) <= 3 * 1.0003


def test_unevenly_spaced_keys_on_a_circle_stay_close_to_it():
    degrees = np.array([0, 20, 80, 120, 150, 230])
    angles = np.radians(degrees)
    curve = Curve(degrees / 10, np.stack([np.cos(angles), np.sin(angles)], axis=1))
    radii = [math.hypot(*curve.at(t)) for t in np.linspace(0, 23, 500)]
    assert max(abs(r - 1) for r in radii) < 0.02


def test_the_curve_turns_with_its_keys():
    # Nothing in the rule knows about axes: rotating the keys rotates the curve.
    rng = np.random.default_rng(2)
    times, values = np.cumsum(rng.uniform(0.2, 5, 7)), rng.normal(size=(7, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    plain, turned = Curve(times, values), Curve(times, values @ turn.T)
    for t in np.linspace(times[0], times[-1], 57):
        assert turned.at(t) == pytest.approx(turn @ plain.at(t), abs=1e-9)


def test_velocity_is_continuous_at_smooth_keys_of_any_spacing():
    rng = np.random.default_rng(8)
    times, values = np.cumsum(rng.uniform(0.5, 5, 9)), rng.normal(size=(9, 3))
    curve, step = Curve(times, values), 1e-6
    for t in times[1:-1]:
        before = (curve.at(t) - curve.at(t - step)) / step
        after = (curve.at(t + step) - curve.at(t)) / step
        assert before == pytest.approx(after, abs=1e-4)


def test_a_turn_straight_back_comes_to_rest_at_the_key():
    curve = Curve([0, 10, 20], [[0, 0, 0], [4, 0, 0], [0, 0, 0]])
    assert curve.at(10.01) == pytest.approx([4, 0, 0], abs=1e-4)
    assert max(curve.at(t)[0] for t in np.linspace(0, 20, 401)) == 4


def test_moving_a_key_leaves_the_far_segments_alone():
    times = np.arange(8.0)
    values = np.random.default_rng(1).normal(size=(8, 3))
    moved = values.copy()
    moved[2] += 1
    a, b = Curve(times, values), Curve(times, moved)
    for t in (4.0, 4.3, 5.5, 6.9):
        assert np.array_equal(a.at(t), b.at(t))
    assert not np.array_equal(a.at(3.5), b.at(3.5))


def test_outside_its_keys_a_curve_holds_the_end_values():
    curve = Curve([1, 2], [[3.0], [4.0]])
    assert curve.at(-100)[0] == 3
    assert curve.at(2)[0] == curve.at(1e9)[0] == 4


def test_one_key_is_a_constant():
    assert np.array_equal(Curve([7], [[1, 2, 3]]).at(99), [1, 2, 3])


# ---- easings ---------------------------------------------------------------------------------------------------------


def test_easings_start_at_nought_and_end_at_one():
    for name, curve in EASINGS.items():
        assert curve(0.0) == 0
        assert curve(1.0) == (0 if name == "hold" else 1)


@pytest.mark.parametrize(
    ("how", "middle"), [("ease-in", 0.375), ("ease-out", 0.625), ("ease-in-out", 0.5), ("linear", 0.5), ("hold", 0.0)]
)
def test_easings_have_these_values_half_way(how, middle):
    assert eased(how, 0.5) == middle
    curve = Curve([0, 1], [[0.0], [8.0]], [how, "smooth"])
    assert curve.at(0.5)[0] == pytest.approx(8 * middle, abs=EXACT)


def test_ease_in_starts_from_rest_and_joins_a_smooth_segment_without_a_jolt():
    curve, step = Curve([0, 1, 2], [[0.0], [1.0], [2.0]], ["ease-in", "smooth", "smooth"]), 1e-6
    assert (curve.at(step)[0] - curve.at(0)[0]) / step == pytest.approx(0, abs=1e-5)
    assert (curve.at(1)[0] - curve.at(1 - step)[0]) / step == pytest.approx(1, abs=1e-5)
    assert (curve.at(1 + step)[0] - curve.at(1)[0]) / step == pytest.approx(1, abs=1e-5)


def test_hold_jumps_and_the_far_side_of_the_jump_is_not_seen():
    curve = Curve([0, 1, 2, 3], [[0.0], [1.0], [50.0], [51.0]], ["smooth", "hold", "smooth", "smooth"])
    assert curve.at(0.5)[0] == pytest.approx(0.5, abs=EXACT)
    assert curve.at(1.999)[0] == 1
    assert curve.at(2)[0] == 50
    assert curve.at(2.5)[0] == pytest.approx(50.5, abs=EXACT)


def test_a_linear_segment_is_straight_and_the_next_curve_leaves_in_its_direction():
    curve = Curve([0, 1, 2], [[0, 0], [1, 0], [1.7, 0.7]], ["linear", "smooth", "smooth"])
    assert curve.at(0.25) == pytest.approx([0.25, 0], abs=EXACT)
    just_after = (curve.at(1 + 1e-6) - curve.at(1)) / 1e-6
    assert just_after == pytest.approx([1, 0], abs=1e-4)


def test_a_timing_curve_matches_values_known_from_the_web():
    # CSS `ease` is cubic-bezier(0.25, 0.1, 0.25, 1); at x = 0.5 it is 0.80240 (W3C css-easing, browsers agree).
    assert eased((0.25, 0.1, 0.25, 1.0), 0.5) == pytest.approx(0.80240, abs=1e-5)
    assert eased((0.0, 0.0, 1.0, 1.0), 0.3) == pytest.approx(0.3, abs=EXACT)
    assert eased((0.3, -0.5, 0.6, 1.0), 0.1) < 0  # anticipation is allowed


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("ease-inout", 'did you mean "ease-in-out"?'),
        ([0.1, 0.2, 0.3], "four numbers"),
        ([0.1, 0.2, 1.3, 1.0], "0..1"),
        ([0.1, "a", 0.3, 1.0], "four numbers"),
        ([0.1, True, 0.3, 1.0], "four numbers"),
        ([0.1, math.nan, 0.3, 1.0], "four numbers"),
        ([0.1, 101, 0.3, 1.0], "within -100..100"),
        ([0.1, 10**400, 0.3, 1.0], "four numbers"),
        (3, "is no easing"),
    ],
)
def test_what_is_no_easing_is_refused_with_what_would_be(bad, says):
    with pytest.raises(ValueError, match=r"easing|timing curve") as caught:
        easing(bad)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("times", "values"),
    [
        ([], np.zeros((0, 3))),
        ([1, 1], [[0.0], [1.0]]),
        ([2, 1], [[0.0], [1.0]]),
        ([1, 2], [[0.0], [math.nan]]),
        ([1], [[0.0], [1.0]]),
    ],
)
def test_keys_that_make_no_curve_are_refused(times, values):
    with pytest.raises(ValueError, match=r"curve|keys|match|finite"):
        Curve(times, values)


# ---- rotations -------------------------------------------------------------------------------------------------------


def test_rotations_take_the_short_way_round():
    # 350 degrees and 10 degrees are 20 apart, through 0; the sign of a quaternion is no rotation.
    start, end = quaternion_about([0, 0, 1], math.radians(350)), quaternion_about([0, 0, 1], math.radians(10))
    for sign in (1, -1):
        middle = RotationCurve([0, 2], [start, sign * end]).at(1)
        assert angle_between(middle, [1, 0, 0, 0]) == pytest.approx(0, abs=EXACT)


def test_two_rotations_give_slerp():
    a, b = normalised([1, 2, 3, 4]), normalised([2, -1, 0.5, 1])
    for how in ("smooth", "linear"):
        curve = RotationCurve([0, 1], [a, b], [how, how])
        for t in (0.1, 0.5, 0.83):
            assert angle_between(curve.at(t), slerp(a, b, t)) < 1e-7


def test_a_pan_is_the_one_dimensional_curve_of_its_angle():
    times, degrees = [0, 3, 4, 10], np.array([0.0, 40, 90, 95])
    pan = RotationCurve(times, [quaternion_about([0, 0, 1], a) for a in np.radians(degrees)])
    angle = Curve(times, np.radians(degrees)[:, None])
    for t in np.linspace(0, 10, 41):
        assert angle_between(pan.at(t), quaternion_about([0, 0, 1], angle.at(t)[0])) < 1e-9


def test_turning_speed_is_continuous_at_the_keys():
    rng = np.random.default_rng(4)
    keys = [normalised([3, *rng.normal(size=3)]) for _ in range(7)]
    times, step = np.cumsum(rng.uniform(0.5, 3, 7)), 1e-5
    curve = RotationCurve(times, keys)

    def turning(t):
        w, x, y, z = curve.at(t)
        return multiply((w, -x, -y, -z), curve.at(t + step))[1:] * 2 / step

    for t in times[1:-1]:
        assert abs(np.abs(turning(t - step)) - np.abs(turning(t))).max() < 1e-3


def test_every_rotation_key_is_met_and_results_are_unit():
    rng = np.random.default_rng(6)
    keys = rng.normal(size=(9, 4))
    curve = RotationCurve(np.arange(9.0), keys)
    for i, key in enumerate(keys):
        assert angle_between(curve.at(i), normalised(key)) < 1e-7
    for t in np.linspace(0, 8, 77):
        assert np.linalg.norm(curve.at(t)) == pytest.approx(1, abs=EXACT)


def test_rotation_keys_before_a_key_and_just_before_it_join():
    rng = np.random.default_rng(9)
    curve = RotationCurve(np.arange(6.0), rng.normal(size=(6, 4)))
    for t in range(1, 6):
        assert angle_between(curve.at(t - 1e-9), curve.at(t)) < 1e-7


def test_a_camera_that_does_not_turn_between_two_equal_keys_has_one_rotation_to_the_bit():
    rng = np.random.default_rng(3)
    for _ in range(50):
        a, b, c = rng.normal(size=(3, 4))
        curve = RotationCurve([0, 1, 2, 3], [a, b, b, c])
        for t in (1.1, 1.5, 1.99):
            assert np.array_equal(curve.at(t), curve.at(1))


def test_a_zero_quaternion_is_refused():
    with pytest.raises(ValueError, match="zero"):
        RotationCurve([0, 1], [[1, 0, 0, 0], [0, 0, 0, 0]])


# ---- constant speed --------------------------------------------------------------------------------------------------


def test_constant_speed_covers_equal_lengths_in_equal_times():
    curve = Curve([0, 1, 5, 6, 20], [[0, 0, 0], [3, 0, 0], [4, 4, 0], [4, 4, 2], [9, 9, 9]])
    clock = ConstantSpeed(curve)
    fine = np.array([curve.at(clock.time_at(t)) for t in np.linspace(0, 20, 801)])
    steps = np.linalg.norm(np.diff(fine, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.01


def test_constant_speed_on_a_line_is_worked_out_by_hand():
    # 1 m in 1 s, then 9 m in 1 s: at constant speed the first metre takes 0.2 s.
    clock = ConstantSpeed(Curve([0, 1, 2], [[0.0], [1.0], [10.0]], ["linear"] * 3))
    assert clock.time_at(0.2) == pytest.approx(1.0, abs=1e-12)
    assert clock.time_at(1.1) == pytest.approx(1.5, abs=1e-12)
    assert (clock.time_at(0), clock.time_at(2), clock.time_at(-5), clock.time_at(7)) == (0, 2, -5, 7)


def test_what_rests_or_is_eased_has_no_constant_speed():
    with pytest.raises(ValueError, match="keys 1 and 2 are in one place"):
        ConstantSpeed(Curve([0, 1, 2], [[0.0], [1.0], [1.0]]))
    with pytest.raises(ValueError, match="key 0 has the easing ease-in"):
        ConstantSpeed(Curve([0, 1], [[0.0], [1.0]], ["ease-in", "smooth"]))
