"""Roles, retargeting and foot lock, on made and on real motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clip_makers import HALF, person

from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.bvh import read_bvh
from splatfilm.stage.clips.clip import Clip, Track
from splatfilm.stage.clips.feet import FootLock
from splatfilm.stage.clips.retarget import Retarget, match
from splatfilm.stage.clips.roles import find_roles, guess_role
from splatfilm.stage.rigs import Joint, Skeleton
from splatfilm.stage.rigs.gltf import read_rig


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("mixamorig:LeftUpLeg", "thigh.left"),
        ("mixamorig:LeftLeg", "shin.left"),
        ("mixamorig:RightForeArm", "forearm.right"),
        ("mixamorig:LeftHandThumb2", "thumb2.left"),
        ("mixamorig:RightHandPinky1", "little1.right"),
        ("mixamorig:LeftToeBase", "toes.left"),
        ("mixamorig:Hips", "hips"),
        ("pelvis", "hips"),
        ("upperarm_l", "arm.left"),
        ("calf_r", "shin.right"),
        ("clavicle_l", "shoulder.left"),
        ("ball_r", "toes.right"),
        ("DEF-forearm.L", "forearm.left"),
        ("UpperLeg_R", "thigh.right"),
        ("LeftShoulder", "shoulder.left"),
        ("thigh.left", "thigh.left"),
        ("neck_01", "neck"),
        ("joint_Root", None),
        ("Camera", None),
        ("mixamorig:Spine1", None),
    ],
)
def test_names_say_what_joints_are_for(name: str, role: str | None) -> None:
    assert guess_role(name) == role


def test_a_spine_of_any_length_has_a_first_and_a_last() -> None:
    names = ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"]
    skeleton = Skeleton(tuple(Joint(n, i - 1, (0, 0, 0.1)) for i, n in enumerate(names)))
    roles = find_roles(skeleton)
    assert (roles["spine"], roles["chest"], roles["neck"]) == (1, 3, 4)


def a_pose_rig(size: float) -> Skeleton:
    """The T-posed person with arms that hang at rest, larger, and with joints of axes of their own."""
    joints = []
    for j in person(size).joints:
        if j.name.startswith("forearm") or j.name.startswith("hand"):
            joints.append(Joint(j.name, j.parent, (0, 0, -abs(j.translation[0])), j.rotation))
        else:
            joints.append(j)
    return Skeleton(tuple(joints))


def test_an_arm_that_points_ahead_points_ahead_on_any_rest_pose() -> None:
    source = person()
    # The T-posed left arm (along +X) turned about Z by -90 degrees points along -Y: ahead.
    clip = Clip("point", source, (Track("arm.left", "rotation", [0.0], [[HALF, 0, 0, -HALF]]),))
    body = Body(a_pose_rig(2.0))
    puppet = Puppet(body, Retarget(body, clip).at(0))
    way = puppet.place("hand.left") - puppet.place("arm.left")
    assert np.allclose(way, [0, -1.04, 0], atol=1e-9)  # 0.27 + 0.25 m, twice as large
    other = puppet.place("hand.right") - puppet.place("arm.right")
    assert np.allclose(other, [-1.04, 0, 0], atol=1e-9)  # the T-pose's, though this rig's arms hang


def test_hips_travel_as_far_as_legs_are_longer() -> None:
    clip = Clip("go", person(), (Track("hips", "translation", [0.0, 1.0], [[0, 0, 0.9], [0, -1, 0.7]]),))
    body = Body(person(1.5))
    puppet = Puppet(body, Retarget(body, clip).at(1.0))
    assert np.allclose(puppet.place("hips"), [0, -1.5, 1.05], atol=1e-9)


def test_a_skeleton_of_its_own_retargets_to_itself() -> None:
    rng = np.random.default_rng(2)
    skeleton = person()
    tracks = [Track(n, "rotation", [0.0], rng.normal(size=(1, 4)) * 0.3 + [[1, 0, 0, 0]]) for n in skeleton.names[2:]]
    clip = Clip("any", skeleton, tuple(tracks))
    body = Body(skeleton)
    assert np.allclose(Retarget(body, clip).at(0).rotations, clip.at(0).rotations, atol=1e-9)


def test_what_does_not_match_is_reported(repository: Path, shared_data: Path) -> None:
    source = read_bvh(shared_data / "bandai_bvh" / "dataset-1_bow_normal_001.bvh").skeleton
    report = match(source, read_rig(repository / "captures" / "ada" / "rig.glb").skeleton)
    assert len(report.pairs) == 21
    assert report.source_left == ("joint_Root",)
    assert {"eye.left", "thumb1.right"} <= set(report.target_left)
    with pytest.raises(ValueError, match=r"no joints for hips, .*; name them"):
        Retarget(Body(person()), Clip("c", Skeleton((Joint("a"),)), ()))


def test_real_walks_stand_still_on_ada_s_feet_once_they_are_locked(repository: Path, shared_data: Path) -> None:
    body = Body(read_rig(repository / "captures" / "ada" / "rig.glb").skeleton)
    for name in ("dataset-2_walk-turn-right_active_001",):
        walked = FootLock(body, Retarget(body, read_bvh(shared_data / "bandai_bvh" / f"{name}.bvh")))
        assert len(walked.planted) >= 8
        for stand in walked.planted:
            places = []
            for t in np.linspace(stand.start, stand.end, 4):
                puppet = Puppet(body, walked.at(float(t)))
                places.append(np.concatenate([puppet.place(f"toes.{stand.side}"), puppet.place(f"foot.{stand.side}")]))
            assert np.ptp(places, axis=0).max() < 1e-6
        middle = Puppet(body, walked.at(walked.duration / 2))
        assert 0.62 < middle.place("hips")[2] < 0.86
