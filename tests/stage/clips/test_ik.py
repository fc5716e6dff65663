"""Inverse kinematics against its promises: arrives within a millimetre, and no bone changes its length."""

from __future__ import annotations

import numpy as np
import pytest
from clip_makers import person

from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.ik import fabrik, limited, two_bone
from splatfilm.stage.rigs import Skeleton


def test_a_right_angle_is_where_pythagoras_says() -> None:
    # Bones of 3 and 4 reach 5 away with a right angle; the middle stands 9/5 along and 12/5 to the side.
    bend = two_bone([0, 0, 0], [5, 0, 0], (3.0, 4.0), [0, 0, 1])
    assert np.allclose(bend.middle, [1.8, 0, 2.4], atol=1e-12)
    assert np.allclose(bend.end, [5, 0, 0], atol=1e-12)
    assert np.allclose(bend.normal, [0, 1, 0])


def test_a_target_out_of_reach_is_approached_in_a_straight_line() -> None:
    bend = two_bone([0, 0, 0], [0, 0, -9], (1.0, 2.0), [0, -1, 0])
    assert np.allclose(bend.end, [0, 0, -3], atol=1e-6)
    assert np.linalg.norm(bend.middle) == pytest.approx(1.0, abs=1e-12)


def test_a_pole_along_the_limb_still_gives_a_limb() -> None:
    bend = two_bone([0, 0, 0], [0, 0, -1], (1.0, 1.0), [0, 0, -1])
    assert np.linalg.norm(bend.middle) == pytest.approx(1.0, abs=1e-12)


def test_two_bones_reach_random_targets_to_a_millionth_and_keep_their_lengths() -> None:
    rng = np.random.default_rng(11)
    for _ in range(2000):
        a, b = rng.uniform(0.1, 0.5, 2)
        way = rng.normal(size=3)
        target = way / np.linalg.norm(way) * rng.uniform(abs(a - b) * 1.001 + 1e-3, (a + b) * 0.999)
        bend = two_bone([0, 0, 0], target, (a, b), rng.normal(size=3))
        assert np.linalg.norm(bend.end - target) < 1e-9
        assert abs(np.linalg.norm(bend.middle) - a) < 1e-12
        assert abs(np.linalg.norm(bend.end - bend.middle) - b) < 1e-12


def test_a_body_s_hands_and_feet_reach_99_percent_of_targets_within_a_millimetre() -> None:
    body = Body(person())
    rng = np.random.default_rng(5)
    rest = Puppet(body)
    errors = []
    for k in range(300):
        side = ("left", "right")[k % 2]
        puppet = Puppet(body)
        puppet.bend("chest", body.delta(rng.uniform(-30, 30, 3)))
        way = rng.normal(size=3)
        target = puppet.place(f"arm.{side}") + way / np.linalg.norm(way) * rng.uniform(0.03, 0.519)
        puppet.hand(side, target, rng.normal(size=3))
        errors.append(np.linalg.norm(puppet.place(f"hand.{side}") - target))
        for a, b in (("arm", "forearm"), ("forearm", "hand")):
            length = np.linalg.norm(puppet.place(f"{b}.{side}") - puppet.place(f"{a}.{side}"))
            before = np.linalg.norm(rest.place(f"{b}.{side}") - rest.place(f"{a}.{side}"))
            assert abs(length - before) < 1e-12
    assert np.mean(np.array(errors) < 0.001) >= 0.99


def test_a_chain_reaches_99_percent_of_targets_within_a_millimetre() -> None:
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(200):
        lengths = rng.uniform(0.05, 0.3, 5)
        chain = np.concatenate([[np.zeros(3)], np.cumsum(lengths[:, None] * [[0, 0, 1.0]], axis=0)])
        chain[1:, 0] += 0.01 * np.arange(1, 6)
        way = rng.normal(size=3)
        target = way / np.linalg.norm(way) * rng.uniform(0.3, 0.98) * lengths.sum()
        made = fabrik(chain, target)
        errors.append(np.linalg.norm(made[-1] - target))
        was = np.linalg.norm(np.diff(chain, axis=0), axis=1)
        assert np.allclose(np.linalg.norm(np.diff(made, axis=0), axis=1), was, atol=1e-12)
        assert np.array_equal(made[0], chain[0])
    assert np.mean(np.array(errors) < 0.001) >= 0.99


def test_a_chain_towards_a_far_target_is_straight() -> None:
    made = fabrik([[0, 0, 0], [0, 0, 1], [0, 0, 2]], [9, 0, 0])
    assert np.allclose(made, [[0, 0, 0], [1, 0, 0], [2, 0, 0]])


def test_a_straight_chain_can_fold_towards_its_own_root() -> None:
    made = fabrik([[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 3]], [0, 0, 1.5])
    assert np.linalg.norm(made[-1] - [0, 0, 1.5]) < 1e-3


def test_limits_are_never_passed_and_small_angles_stay() -> None:
    assert limited([0.2, -0.3], [1.0, 1.0]).tolist() == [0.2, -0.3]
    assert np.all(np.abs(limited([5.0, -50.0], [1.0, 1.0])) <= 1.0)
    slope = (limited([0.7 + 1e-6], [1.0]) - limited([0.7 - 1e-6], [1.0])) / 2e-6
    assert slope[0] == pytest.approx(1.0, abs=1e-4)


def test_knees_bend_forward_and_elbows_backward() -> None:
    body = Body(person())
    puppet = Puppet(body)
    puppet.leg("left", puppet.place("thigh.left") - (0, 0, 0.6), np.eye(3), -body.axes[:, 1])
    assert puppet.place("shin.left")[1] < puppet.place("thigh.left")[1] - 0.1
    puppet.hand("left", puppet.place("arm.left") - (0, 0.2, 0.3), body.axes[:, 1])
    assert puppet.place("forearm.left")[1] > puppet.place("arm.left")[1]


def test_a_body_without_legs_says_what_is_missing() -> None:
    joints = person().joints
    with pytest.raises(ValueError, match=r"no joints for arm\.left, .* thigh\.left"):
        Body(Skeleton(joints[:6]))
