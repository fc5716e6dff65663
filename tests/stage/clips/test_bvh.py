"""BVH: the trap of position channels, units, axes, real motion capture, and broken files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.stage.clips.bvh import read_bvh
from splatfilm.stage.rigs import world_transforms

ARM = """HIERARCHY
ROOT shoulder
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT elbow
  {
    OFFSET 0 1 0
    CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 1 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0416667
0 0 0 0 0 0   0 1 0 0 0 0
0 2 0 90 0 0   0 1 0 0 0 0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "arm.bvh"
    path.write_text(text)
    return path


def test_position_channels_replace_the_offset(tmp_path: Path) -> None:
    clip = read_bvh(written(tmp_path, ARM))
    pose = clip.at(0)
    # Y up becomes Z up: the elbow is one above the shoulder, not two as OFFSET plus position would make it.
    assert np.allclose(world_transforms(clip.skeleton, pose)[1, :3, 3], [0, 0, 1], atol=1e-15)


def test_axes_and_order_are_as_worked_out_by_hand(tmp_path: Path) -> None:
    clip = read_bvh(written(tmp_path, ARM))
    assert clip.rate == 24
    # Second frame: up 2, then a quarter turn about the file's Z brings the upward bone to the file's -X.
    assert np.allclose(world_transforms(clip.skeleton, clip.at(clip.duration))[1, :3, 3], [-1, 0, 2], atol=1e-12)


def test_rotations_follow_the_order_of_the_channels(tmp_path: Path) -> None:
    text = ARM.replace("0 2 0 90 0 0 ", "0 0 0 90 90 0 ")
    clip = read_bvh(written(tmp_path, text))
    # Z then X about the turned axes: R = Rz(90) Rx(90); up (0,1,0) -> Rx: (0,0,1) -> Rz: (0,0,1); in Z up: (0,-1,0).
    assert np.allclose(world_transforms(clip.skeleton, clip.at(clip.duration))[1, :3, 3], [0, -1, 0], atol=1e-12)


def test_units_can_be_said(tmp_path: Path) -> None:
    clip = read_bvh(written(tmp_path, ARM), unit=0.0254)
    assert np.allclose(world_transforms(clip.skeleton, clip.at(0))[1, :3, 3], [0, 0, 0.0254])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "hello", r"arm\.bvh:1: not a BVH file"),
        ("Yrotation\n  JOINT", "Yrotatoin\n  JOINT", r"arm\.bvh:5: .*unknown channel.*did you mean \"Yrotation\""),
        ("CHANNELS 6 X", "CHANNELS 5 X", r"arm\.bvh:5: 5 channels announced, 6 named"),
        ("Frames: 2", "Frames: 3", "3 frames announced, the file ends after 2"),
        ("Frames: 2", "Frames: 1", r"arm\.bvh:20: MOTION: 1 frames announced, more follow"),
        ("0 1 0 0 0 0\n0 2", "0 1 0 0 0\n0 2", r"arm\.bvh:19: frame 0: expected 12 finite numbers, found 11"),
        ("0 2 0 90", "0 nan 0 90", "finite numbers"),
        ("0 2 0 90", "0 two 0 90", "expected 12 numbers"),
        ("}\nMOTION", "MOTION", "before 1 braces"),
        ("JOINT elbow", "JOINT shoulder", "both called 'shoulder'"),
        ("Frame Time: 0.0416667", "Frame Time: 0", "no motion"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in ARM
    with pytest.raises(InputError, match=message):
        read_bvh(written(tmp_path, ARM.replace(old, new, 1)))


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    for cut in range(0, len(ARM) - len("0 1 0 0 0 0\n"), 5):
        with pytest.raises(InputError):
            read_bvh(written(tmp_path, ARM[:cut]))


def test_real_captures_stand_upright_in_metres_with_bones_of_constant_length(shared_data: Path) -> None:
    files = sorted((shared_data / "bandai_bvh").glob("*.bvh"))
    assert len(files) == 12
    for file in files:
        clip = read_bvh(file)
        assert clip.rate == Fraction(30)
        index = clip.skeleton.index
        for seconds in (0.0, clip.duration / 2, clip.duration):
            at = world_transforms(clip.skeleton, clip.at(seconds))[:, :3, 3]
            assert 1.0 < at[index("Head"), 2] < 1.8, file.name
            assert -0.15 < min(at[index("Toes_L"), 2], at[index("Toes_R"), 2]) < 0.45, file.name
            forearm = np.linalg.norm(at[index("Hand_L")] - at[index("LowerArm_L")])
            assert abs(forearm - np.linalg.norm(clip.skeleton.joints[index("Hand_L")].translation)) < 1e-4
