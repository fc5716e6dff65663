"""Skeletons, poses and forward kinematics."""

from __future__ import annotations

import numpy as np
import pytest

from splatfilm.base.rigid import quaternion_about
from splatfilm.stage.rigs import Joint, Pose, Skeleton, rest_pose, world_transforms
from splatfilm.stage.rigs.skeleton import ordered

ARM = Skeleton((Joint("upper", -1, (0, 0, 1)), Joint("lower", 0, (0, 0, 1)), Joint("hand", 1, (0, 0, 0.5))))


def test_a_bent_elbow_puts_the_hand_where_it_belongs() -> None:
    rotations = rest_pose(ARM).rotations.copy()
    rotations[1] = quaternion_about((0, 1, 0), np.pi / 2)  # z to x
    world = world_transforms(ARM, Pose(rest_pose(ARM).translations, rotations))
    np.testing.assert_allclose(world[2, :3, 3], [0.5, 0, 2], atol=1e-12)


def test_rest_scales_carry_to_the_children() -> None:
    big = Skeleton((Joint("a", -1, scale=(2, 2, 2)), Joint("b", 0, (1, 0, 0))))
    np.testing.assert_allclose(world_transforms(big, rest_pose(big))[1, :3, 3], [2, 0, 0])


def test_parents_must_come_first_and_names_must_differ() -> None:
    with pytest.raises(ValueError, match="parents must come first"):
        Skeleton((Joint("a", 1), Joint("b", -1)))
    with pytest.raises(ValueError, match="both called 'a'"):
        Skeleton((Joint("a"), Joint("a", 0)))


def test_joints_are_put_in_order_and_cycles_are_named() -> None:
    assert ordered([("hand", 1), ("arm", 2), ("spine", None)]) == (2, 1, 0)
    with pytest.raises(ValueError, match="a -> b -> a"):
        ordered([("a", 1), ("b", 0)])
    with pytest.raises(ValueError, match="'a' has the parent 7"):
        ordered([("a", 7)])


def test_a_pose_refuses_what_is_no_pose() -> None:
    with pytest.raises(ValueError, match="not zero"):
        Pose(np.zeros((1, 3)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="finite"):
        Pose(np.full((1, 3), np.nan), np.array([[1.0, 0, 0, 0]]))
    with pytest.raises(ValueError, match="does not fit"):
        world_transforms(ARM, Pose(np.zeros((1, 3)), np.array([[1.0, 0, 0, 0]])))
    assert rest_pose(ARM).shape_weights(["jawOpen"]).tolist() == [0.0]
