"""Distances between pictures, held to values worked out by hand and to published test data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bedroom import Bedroom, look_at

from splatfilm.compare import pixels
from splatfilm.compare.views import Lazy, View, scaled_truth, to_bytes
from splatfilm.compare.warp import carried, comparable, project, ray_angle, sample, sight

# Sharma, Wu, Dalal 2005, table 1: pairs 1, 4, 7, 8, 13, 17, 20, 25, 31, 34
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
    ((50.0, -0.001, 2.49), (50.0, 0.0009, -2.49), 4.8045),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "two", "expected"), SHARMA)
def test_colour_differences_are_those_of_the_published_test_data(one, two, expected: float) -> None:
    assert pixels.ciede2000(np.array(one), np.array(two)) == pytest.approx(expected, abs=1e-4)
    assert pixels.ciede2000(np.array(two), np.array(one)) == pytest.approx(expected, abs=1e-4)


def test_lab_of_white_black_and_red() -> None:
    found = pixels.lab(np.array([[1.0, 1, 1], [0, 0, 0], [1, 0, 0]]))
    assert found == pytest.approx(np.array([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]), abs=0.02)


def test_decibels_of_a_known_error() -> None:
    black = np.zeros((12, 12, 3), np.float32)
    assert pixels.psnr(black, black) == math.inf
    assert pixels.psnr(black, black + np.float32(0.1)) == pytest.approx(20.0, abs=1e-4)
    mask = np.zeros((12, 12), bool)
    mask[:6] = True
    half = black.copy()
    half[6:] = 0.5
    assert pixels.psnr(black, half, mask) == math.inf
    assert pixels.psnr(black, half) == pytest.approx(10 * math.log10(8))


def test_structure_is_1_for_equal_pictures_and_as_computed_for_flat_ones() -> None:
    flat = np.full((20, 20, 3), 0.2, np.float32)
    lighter = np.full((20, 20, 3), 0.4, np.float32)
    assert pixels.ssim(flat, flat) == pytest.approx(1)
    assert pixels.ssim(flat, lighter) == pytest.approx((2 * 0.08 + 1e-4) / (0.04 + 0.16 + 1e-4), abs=1e-5)
    with pytest.raises(ValueError, match="11x11"):
        pixels.ssim(flat[:8], flat[:8])


def test_detail_of_a_chequerboard() -> None:
    """Every pixel differs from its four neighbours by 1: the Laplacian is +-4 * 255, its variance 1020 squared."""
    board = (np.indices((10, 10)).sum(0) % 2)[..., None].repeat(3, -1).astype(np.float32)
    assert pixels.laplacian_variance(board) == pytest.approx(1020**2, rel=1e-3)
    assert pixels.laplacian_variance(np.full((10, 10, 3), 0.3, np.float32)) == 0


def test_growing_and_shrinking_a_mask() -> None:
    mask = np.zeros((7, 7), bool)
    mask[3, 3] = True
    assert pixels.grown(mask).sum() == 9
    assert (pixels.shrunk(pixels.grown(mask)) == mask).all()
    assert pixels.shrunk(np.ones((5, 5), bool)).sum() == 9, "the border is an edge"


def test_bilinear_samples_are_between_pixel_centres() -> None:
    image = np.array([[[0.0], [1.0]], [[2.0], [3.0]]])
    assert sample(image, np.array([0.5, 1.0, 1.0]), np.array([0.5, 0.5, 1.0]))[:, 0].tolist() == [0, 0.5, 1.5]
    assert np.isnan(sample(image, np.array([0.2]), np.array([1.0]))).all()


def test_a_point_in_front_of_the_camera_lands_on_its_centre() -> None:
    camera = look_at((0, 0, 0), (0, 5, 0))
    u, v, z = project(np.array([[0.0, 3.0, 0.0], [0.0, -3.0, 0.0]]), camera)
    assert (u[0], v[0], z[0]) == pytest.approx((104, 58.5, 3))
    assert np.isnan(z[1])
    assert ray_angle(look_at((0, 0, 0), (0, 5, 0)), look_at((5, 5, 0), (0, 5, 0)), np.array([[0.0, 5.0, 0]])) == (
        pytest.approx(90)
    )


def test_a_picture_carried_by_true_depth_is_the_other_view(shot_a, shot_b) -> None:
    a, b = shot_a.views[0], shot_b.views[0]
    where = sight(a, b)
    still = np.ones(4, bool)
    mask = comparable(a, b, where, still)
    assert 0.2 < where.share < 0.95
    assert pixels.psnr(carried(a.picture, where), b.picture, mask) > 32
    assert not comparable(a, b, where, np.zeros(4, bool)).any()
    without_bed = comparable(a, b, where, np.array([True, False, True, True]))
    assert not (without_bed & (b.ids == 1)).any() and without_bed.sum() < mask.sum()


def test_what_something_hides_is_not_seen() -> None:
    """From behind the ball, nothing of the ball's front may count as seen."""
    room = Bedroom()
    front = room.look(look_at((-1.5, -1.5, 0.4), (-1.5, 0.2, 0.25)))
    back = room.look(look_at((-1.5, 2.0, 0.4), (-1.5, 0.2, 0.25)))
    where = sight(front, back)
    assert (back.ids == 3).sum() > 100
    seen_ball = (where.seen & (back.ids == 3)).sum()
    assert seen_ball < 0.05 * (back.ids == 3).sum()


def test_scaling_a_truth_keeps_what_it_sees(shot_a) -> None:
    small = scaled_truth(shot_a, 104, 39)
    view, whole = small.views[0], shot_a.views[0]
    assert view.picture.shape == (39, 104, 3) and view.depth.shape == (39, 104)
    assert view.camera.fx == whole.camera.fx / 2 and view.camera.fy == pytest.approx(whole.camera.fy / 3)
    assert view.picture[0, 0] == pytest.approx(
        whole.picture[:3, :2].mean(axis=(0, 1)), abs=1 / 255
    )  # in 8 bits, as clips are
    with pytest.raises(ValueError, match="never enlarged"):
        scaled_truth(shot_a, 512, 288)


def test_a_lazy_sequence_makes_what_is_asked_for_and_keeps_a_few() -> None:
    made: list[int] = []
    lazy = Lazy(100, lambda i: made.append(i) or i, keep=2)
    assert [lazy[3], lazy[3], lazy[-1]] == [3, 3, 99]
    assert made == [3, 99]
    assert list(lazy[10:12]) == [10, 11] and len(lazy[10:]) == 90
    assert lazy[3] == 3 and made.count(3) == 2
    with pytest.raises(IndexError):
        lazy[100]


def test_bytes_are_rounded_half_up() -> None:
    view = View(np.array([[[0.5 / 255, 0.49 / 255, 2.0]]], np.float32), None, None, None)  # type: ignore[arg-type]
    assert to_bytes(view.picture).tolist() == [[[1, 0, 255]]]
