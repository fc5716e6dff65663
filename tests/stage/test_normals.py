"""Which way splats on a mesh face: on the real rig of the sample film, whose gown is cloth with two sides."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import torch

from splatfilm.splats import Splats
from splatfilm.stage.normals import FLAT, mesh_normals
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.shell import shell

RIG = load_rig(Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb")


def balls(points: np.ndarray) -> Splats:
    """Round splats, which have no axis of their own."""
    count = len(points)
    return Splats(
        torch.from_numpy(points.astype(np.float32)),
        torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        torch.full((count, 3), 0.005),
        torch.ones(count),
        torch.zeros(count, 1, 3),
    )


def test_splats_in_cloth_face_as_its_outside() -> None:
    points, facing = shell(RIG, ("gown",))
    above = points[:, 2] > 0.65  # farther down the inner side is seen too
    points, facing = points[above][::40], facing[above][::40]
    for depth in (0.0, 0.004, 0.008):
        found = mesh_normals(RIG, balls(points - depth * facing), ("gown",))
        assert found is not None
        cosine = (found * facing).sum(axis=1)
        assert (cosine > math.cos(math.radians(30))).mean() > 0.92, depth
        assert (cosine > 0).mean() > 0.97, depth


def test_near_a_hem_the_side_that_is_seen_from_around_is_the_outside() -> None:
    points, facing = shell(RIG, ("gown",))
    hem = (points[:, 2] > 0.38) & (points[:, 2] < 0.6)
    points, facing = points[hem], facing[hem]
    away = points[:, :2] - np.median(points, axis=0)[:2]
    away /= np.sqrt((away**2).sum(axis=1, keepdims=True))
    outer = (facing[:, :2] * away).sum(axis=1) > 0.3
    for depth in (0.0, 0.01):  # on the outer side, and nearer to the inner one
        found = mesh_normals(RIG, balls((points - depth * facing)[outer]), ("gown",))
        assert found is not None
        assert ((found[:, :2] * away[outer]).sum(axis=1) > 0).mean() > 0.95, depth


def test_a_splat_over_the_spine_faces_backwards_wherever_in_the_cloth_it_is() -> None:
    found = mesh_normals(RIG, balls(np.array([[0.0, 0.09, 1.15], [0.0, 0.085, 1.0]])), ("gown",))
    assert found is not None and (found[:, 1] > 0.5).all()


def test_the_axis_of_a_flat_splat_counts_as_much_as_the_mesh() -> None:
    point = np.array([[0.0, 0.095, 1.1]])
    plain = mesh_normals(RIG, balls(point), ("gown",))
    assert plain is not None
    side = np.cross(plain[0], (0.0, 0.0, 1.0))
    tilted = math.cos(0.4) * plain[0] + math.sin(0.4) * side / np.linalg.norm(side)
    turn = np.cross((0.0, 0.0, 1.0), tilted)  # the third axis, the shortest, is brought there
    quat = np.array([1 + tilted[2], *turn])
    disc = dataclasses.replace(
        balls(point),
        quats=torch.from_numpy((quat / np.linalg.norm(quat))[None].astype(np.float32)),
        scales=torch.tensor([[0.01, 0.01, 1e-5]]),
    )
    found = mesh_normals(RIG, disc, ("gown",))
    assert FLAT == 0.5 and found is not None
    assert abs(math.acos(float(found[0] @ plain[0])) - 0.2) < 0.01


def test_without_a_mesh_there_are_none() -> None:
    assert mesh_normals(dataclasses.replace(RIG, mesh=None), balls(np.zeros((1, 3))), ()) is None
