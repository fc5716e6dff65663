"""USD skeleton animation and point caches, written by usd-core itself; skips without it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.stage.clips.usd import read_point_cache, read_usd_clip
from splatfilm.stage.rigs import world_transforms


def test_without_usd_core_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(MissingPartError, match=r"pip install \"splatfilm\[usd\]\""):
        read_usd_clip(tmp_path / "a.usda")


ARM = """#usda 1.0
(
    defaultPrim = "Arm"
    metersPerUnit = 0.01
    upAxis = "Y"
    startTimeCode = 1
    endTimeCode = 25
    timeCodesPerSecond = 24
)
def SkelRoot "Arm" (prepend apiSchemas = ["SkelBindingAPI"])
{
    def Skeleton "Skel" (prepend apiSchemas = ["SkelBindingAPI"])
    {
        uniform token[] joints = ["shoulder", "shoulder/elbow"]
        uniform matrix4d[] bindTransforms = [
            ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,100,0,1))]
        uniform matrix4d[] restTransforms = [
            ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,100,0,1))]
        rel skel:animationSource = </Arm/Anim>
    }
    def SkelAnimation "Anim"
    {
        uniform token[] joints = ["shoulder", "shoulder/elbow"]
        uniform token[] blendShapes = ["jawOpen"]
        float3[] translations.timeSamples = { 1: [(0,0,0),(0,100,0)], 25: [(50,0,0),(0,100,0)] }
        quatf[] rotations.timeSamples = {
            1: [(1,0,0,0),(1,0,0,0)], 25: [(0.70710678,0,0,0.70710678),(1,0,0,0)] }
        half3[] scales.timeSamples = { 1: [(1,1,1),(1,1,1)] }
        float[] blendShapeWeights.timeSamples = { 1: [0], 25: [1] }
    }
    def Mesh "Cloth"
    {
        double3 xformOp:translate = (0, 10, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        point3f[] points.timeSamples = { 1: [(0,0,0),(100,0,0),(0,0,100)], 25: [(0,200,0),(100,0,0),(0,0,100)] }
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
    }
}
"""


@pytest.fixture
def arm(tmp_path: Path) -> Path:
    pytest.importorskip("pxr")
    path = tmp_path / "arm.usda"
    path.write_text(ARM)
    return path


def test_a_skeleton_s_animation_comes_in_metres_with_z_up(arm: Path) -> None:
    clip = read_usd_clip(arm)
    assert (clip.rate, clip.duration) == (24, 1.0)
    assert clip.skeleton.names == ("shoulder", "elbow")
    start = world_transforms(clip.skeleton, clip.at(0))[:, :3, 3]
    assert np.allclose(start, [[0, 0, 0], [0, 0, 1]], atol=1e-9)
    # A quarter turn about the file's Z brings the upward bone to -X; the shoulder has gone 0.5 m along X.
    end = world_transforms(clip.skeleton, clip.at(1))[:, :3, 3]
    assert np.allclose(end, [[0.5, 0, 0], [-0.5, 0, 0]], atol=1e-6)
    assert clip.at(0.5).shapes["jawOpen"] == pytest.approx(0.5)


def test_a_point_cache_runs_straight_between_samples(arm: Path) -> None:
    cache = read_point_cache(arm)
    assert cache.times.tolist() == [0.0, 1.0]
    assert np.allclose(cache.at(0.25), [[0, 0, 0.6], [1, 0, 0.1], [0, -1, 0.1]], atol=1e-6)
    assert np.allclose(cache.at(9)[0], [0, 0, 2.1], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rel skel:animationSource = </Arm/Anim>", "", "bound to no animation"),
        ("(1,1,1),(1,1,1)", "(1,1,1),(2,1,1)", "joints are scaled"),
        (
            '"shoulder", "shoulder/elbow"]\n        uniform token[] b',
            '"shoulder", "wrist"]\n        uniform token[] b',
            "wrist",
        ),
        ("def SkelAnimation", "def SkelAnimatoin {", "not a USD file"),
        ('def Skeleton "Skel"', 'def Scope "Skel"', "expected one Skeleton, found none"),
    ],
)
def test_a_broken_file_is_refused(arm: Path, old: str, new: str, message: str) -> None:
    assert old in ARM
    arm.write_text(ARM.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_usd_clip(arm)


def test_points_that_change_their_number_are_refused(arm: Path) -> None:
    arm.write_text(ARM.replace("25: [(0,200,0),(100,0,0),(0,0,100)]", "25: [(0,200,0)]"))
    with pytest.raises(InputError, match=r"1 points at time 25\.0, expected 3"):
        read_point_cache(arm)
