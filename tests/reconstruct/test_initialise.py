"""Where the first splats stand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from splatfilm.cameras import Camera
from splatfilm.capture import SparsePoints
from splatfilm.reconstruct.initialise import (
    chosen_points,
    from_frusta,
    from_points,
    neighbour_distance,
    on_surface,
    scene_extent,
)
from splatfilm.reconstruct.trainer import View
from splatfilm.splats.posed import rotation_matrices


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


def wall(count: int) -> SparsePoints:
    """Points of a wall in x and z that faces -y."""
    x, z = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, count)] * 2))
    positions = np.stack([x, np.zeros_like(x), z], axis=1).astype(np.float32)
    return SparsePoints(
        positions, np.full(positions.shape, 128, np.uint8), np.tile(np.float32([0, -1, 0]), (len(x), 1))
    )


def view_from(x: float, y: float, colour: tuple[float, float, float], focal: float) -> View:
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T  # looks along +y, down is -z
    pose[:3, 3] = (x, y, 0)
    camera = Camera(pose, focal, focal, 50.0, 50.0, 100, 100)
    picture = torch.tensor(colour, dtype=torch.float16).expand(100, 100, 3)
    return View("v", camera, picture, torch.ones(100, 100, dtype=torch.float16), None)


def test_splats_that_begin_on_a_surface_lie_flat_on_it() -> None:
    gaussians = on_surface(wall(20), 2.0)
    quats, scales = gaussians["quats"].double(), gaussians["log_scales"].exp()
    shortest = rotation_matrices(quats)[:, :, 2]
    assert torch.allclose(shortest, torch.tensor([0.0, -1, 0], dtype=torch.float64).expand(400, 3), atol=1e-6)
    assert (scales[:, 2] < 0.3 * scales[:, 0]).all() and torch.equal(scales[:, 0], scales[:, 1])


def test_a_normal_that_points_straight_down_turns_a_splat_over() -> None:
    points = wall(4)
    down = SparsePoints(points.positions, points.colours, np.tile(np.float32([0, 0, -1]), (16, 1)))
    quats = on_surface(down, 2.0)["quats"].double()
    assert torch.allclose(rotation_matrices(quats)[:, 2, 2], torch.full((16,), -1.0, dtype=torch.float64))


def test_points_of_a_surface_have_the_colour_that_photographs_before_it_show() -> None:
    before, behind = view_from(0, -3, (1, 0.5, 0), 60), view_from(0, 3, (0, 0, 1), 60)
    found = chosen_points(wall(30), [before, behind], 500)
    assert len(found.positions) == 150  # the rest of the budget grows where detail is
    assert (found.colours == [255, 128, 0]).all()


def test_points_of_a_surface_are_densest_where_a_photograph_is_near() -> None:
    far, near = view_from(0, -3, (1, 1, 1), 60), view_from(-0.5, -0.6, (1, 1, 1), 60)
    found = chosen_points(wall(100), [far, near], 2000)
    left = (found.positions[:, 0] < 0).sum()
    assert left > 1.3 * (len(found.positions) - left)


def test_pixels_of_something_else_give_a_surface_no_colour() -> None:
    own = [np.zeros((100, 100), bool)]
    found = chosen_points(wall(30), [view_from(0, -3, (1, 0, 0), 60)], 500, own)
    assert (found.colours == 128).all()
