"""Where the first splats stand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from splatfilm.cameras import Camera
from splatfilm.capture import SparsePoints
from splatfilm.reconstruct.initialise import from_frusta, from_points, neighbour_distance, scene_extent


def camera_at(x: float, y: float, z: float) -> Camera:
    pose = np.eye(4)
    pose[:3, 3] = (x, y, z)
    return Camera(pose, 100.0, 100.0, 50.0, 40.0, 100, 80)


def test_points_a_metre_apart_have_neighbours_at_the_mean_square_of_their_three_nearest() -> None:
    line = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]])
    # The end's neighbours are at 1, 2 and 3 m, the inner ones' at 1, 1 and 2 m.
    expected = [np.sqrt(14 / 3), np.sqrt(2.0), np.sqrt(2.0), np.sqrt(14 / 3)]
    assert neighbour_distance(line).tolist() == pytest.approx(expected)


def test_neighbour_distances_of_many_points_are_near_the_exact_ones_and_never_under() -> None:
    points = np.random.default_rng(3).random((1500, 3))
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    exact = np.sqrt(np.sort(squares, axis=1)[:, :3].mean(axis=1))
    found = neighbour_distance(points)
    assert (found >= exact - 1e-12).all()
    assert (found / exact).mean() < 1.05


def test_points_on_one_spot_do_not_make_splats_without_size() -> None:
    points = SparsePoints(np.zeros((5, 3), np.float32), np.full((5, 3), 255, np.uint8))
    gaussians = from_points(points, 100, 2.0, np.random.default_rng(0))
    assert torch.isfinite(gaussians["log_scales"]).all()


def test_a_single_point_makes_a_splat_of_a_sensible_size() -> None:
    points = SparsePoints(np.zeros((1, 3), np.float32), np.full((1, 3), 255, np.uint8))
    gaussians = from_points(points, 100, 2.0, np.random.default_rng(0))
    assert gaussians["log_scales"].exp().max() == pytest.approx(0.4)


def test_a_white_point_makes_a_white_splat() -> None:
    points = SparsePoints(np.zeros((1, 3), np.float32), np.full((1, 3), 255, np.uint8))
    gaussians = from_points(points, 100, 2.0, np.random.default_rng(0))
    assert gaussians["sh0"].flatten().tolist() == pytest.approx([0.5 / 0.28209479177387814] * 3)


def test_more_points_than_the_budget_are_thinned_out() -> None:
    random = np.random.default_rng(1)
    points = SparsePoints(random.random((300, 3), dtype=np.float32), np.zeros((300, 3), np.uint8))
    gaussians = from_points(points, 100, 1.0, random)
    assert all(len(values) == 100 for values in gaussians.values())
    assert len(torch.unique(gaussians["means"], dim=0)) == 100


def test_random_splats_stand_in_front_of_the_cameras_and_inside_their_pictures() -> None:
    camera = camera_at(1, 2, 3)
    gaussians = from_frusta([camera], 500, 2.0, np.random.default_rng(2))
    local = gaussians["means"].double().numpy() - camera.position
    assert (local[:, 2] > 0.29).all()
    u = local[:, 0] / local[:, 2] * 100 + 50
    v = local[:, 1] / local[:, 2] * 100 + 40
    assert ((u > -0.1) & (u < 100.1) & (v > -0.1) & (v < 80.1)).all()


def test_the_extent_is_a_tenth_more_than_the_reach_of_the_cameras() -> None:
    assert scene_extent([camera_at(-2, 0, 0), camera_at(2, 0, 0)], None) == pytest.approx(2.2)


def test_cameras_on_one_spot_leave_the_extent_to_the_points() -> None:
    points = SparsePoints(np.array([[0, 0, 3], [0, 0, 5], [0, 4, 0]], np.float32), np.zeros((3, 3), np.uint8))
    assert scene_extent([camera_at(0, 0, 0)] * 2, points) == pytest.approx(4.0)
    assert scene_extent([camera_at(0, 0, 0)] * 2, None) == 1.0
