"""The outside of a rig's mesh, and what a garment keeps in."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from splatfilm.stage.actor import covered
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import Rig, parts_named
from splatfilm.stage.rigs.surface import nearest, normals
from splatfilm.stage.shell import FINE, kept_in, outside, shell

RIG = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"


def tube(radius: float, low: float, high: float) -> NDArray[np.float64]:  # [T, 3, 3]
    """An open tube about Z, facing outwards, of facets some centimetres wide and high."""
    a = np.linspace(0, 2 * np.pi, 49)
    ring = np.stack([radius * np.cos(a), radius * np.sin(a)], axis=1)
    levels = np.linspace(low, high, 1 + round((high - low) / 0.05))
    found = []
    for below, above in itertools.pairwise(levels):
        bottom, top = np.insert(ring, 2, below, axis=1), np.insert(ring, 2, above, axis=1)
        found.append(np.stack([bottom[:-1], bottom[1:], top[1:]], axis=1))
        found.append(np.stack([bottom[:-1], top[1:], top[:-1]], axis=1))
    return np.concatenate(found)


def corners_of(rig: Rig, *parts: str) -> NDArray[np.float64]:
    assert rig.mesh is not None
    return rig.mesh.vertices[rig.mesh.triangles[parts_named(rig.mesh, parts)]]


def test_a_long_tube_keeps_in_all_that_a_wall_inside_of_it_sends_out() -> None:
    wall = np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0]])
    assert kept_in(wall, wall / 0.1, tube(0.2, -0.8, 0.8)).min() > 0.98


def test_what_leaves_by_the_end_of_a_tube_is_the_part_of_a_disc_beyond_its_edge() -> None:
    # From a wall 0.1 m inside, 0.1 m above the end: half of a disc less its strip up to sin 45 degrees is 0.0908 of it.
    share = kept_in(np.array([[0.1, 0.0, 0.0]]), np.array([[1.0, 0, 0]]), tube(0.2, -0.1, 0.8))[0]
    assert share == pytest.approx(1 - 0.0908, abs=0.04)


def test_nothing_keeps_in_what_stands_beside_it_and_faces_away() -> None:
    assert kept_in(np.array([[0.3, 0.0, 0.0]]), np.array([[1.0, 0, 0]]), tube(0.2, -1, 1))[0] == 0


def test_points_of_a_shell_lie_on_the_outside_of_the_mesh_and_face_away_from_it() -> None:
    rig = load_rig(RIG)
    points, facing = shell(rig, ("gown",))
    corners = corners_of(rig, "gown")
    found = nearest(points[::50], corners)
    assert found.distance.max() < 1e-6
    assert ((normals(corners)[found.triangle] * facing[::50]).sum(axis=1) > 0.999).mean() > 0.99
    assert kept_in(points[::50], facing[::50], corners, FINE).max() <= 0.9
    assert len(points) > 20_000


def test_points_of_a_shell_are_as_dense_everywhere() -> None:
    rig = load_rig(RIG)
    points, _ = shell(rig, ("pyjamas",))
    trousers = points[(points[:, 2] > 0.2) & (points[:, 2] < 0.3)], points[(points[:, 2] > 0.4) & (points[:, 2] < 0.5)]
    assert 0.6 < len(trousers[0]) / len(trousers[1]) < 1.1  # they widen upwards


def test_the_inner_side_of_cloth_is_not_outside() -> None:
    rig = load_rig(RIG)
    assert rig.mesh is not None
    assert len(outside(rig, ("gown",))) < parts_named(rig.mesh, ("gown",)).sum()


def test_trousers_are_hidden_under_a_skirt_that_hangs_far_before_them() -> None:
    rig = load_rig(RIG)
    own = corners_of(rig, "pyjamas").mean(axis=1)
    hidden = covered(rig, own.astype(np.float32), ("gown",), ("pyjamas",))
    thighs = (own[:, 2] > 0.55) & (own[:, 2] < 0.65)
    assert hidden[thighs].mean() > 0.95
    assert not hidden[own[:, 2] < 0.3].any(), "what hangs out below"


def test_wrists_and_neck_can_be_looked_at_past_cuff_and_collar() -> None:
    rig = load_rig(RIG)
    own = corners_of(rig, "body").mean(axis=1)
    neck = (own[:, 2] > 1.33) & (own[:, 2] < 1.38) & (np.abs(own[:, 0]) < 0.06)
    hidden = covered(rig, own.astype(np.float32), ("gown",), ("body",))
    assert neck.sum() > 20 and hidden[neck].mean() < 0.3
    sleeves = corners_of(rig, "pyjamas").mean(axis=1)
    cuffs = (np.abs(sleeves[:, 0]) > 0.47) & (sleeves[:, 2] < 0.95)
    assert cuffs.sum() > 20
    assert covered(rig, sleeves.astype(np.float32), ("gown",), ("pyjamas",))[cuffs].mean() < 0.5
