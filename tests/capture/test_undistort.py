"""Lenses straightened, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from splatfilm.cameras import Camera, Distortion
from splatfilm.cameras.distortion import distort
from splatfilm.capture.undistort import pinhole, straighten


def camera(distortion: Distortion, size: tuple[int, int] = (80, 60), focal: float = 50.0) -> Camera:
    return Camera(np.eye(4), focal, focal, size[0] / 2, size[1] / 2, *size, distortion)


def at(distortion: Distortion, x: float, y: float) -> tuple[float, float]:
    bent_x, bent_y = distort(distortion, np.array([x]), np.array([y]))
    return float(bent_x[0]), float(bent_y[0])


def test_radial_terms_stretch_along_the_radius() -> None:
    # r2 = 0.25; 1 + 0.1 * 0.25 + 0.02 * 0.0625 = 1.02625
    assert at(Distortion("brown-conrady", (0.1, 0.02)), 0.3, 0.4) == pytest.approx((0.307875, 0.4105))


def test_tangential_terms_are_opencvs() -> None:
    # x' = x + 2 p1 x y + p2 (r2 + 2 x^2) with p1 = 0.01, p2 = 0.02 at (0.3, 0.4); y' likewise.
    expected = (
        0.3 + 2 * 0.01 * 0.12 + 0.02 * (0.25 + 2 * 0.09),
        0.4 + 0.01 * (0.25 + 2 * 0.16) + 2 * 0.02 * 0.12,
    )
    assert at(Distortion("brown-conrady", (0, 0, 0.01, 0.02)), 0.3, 0.4) == pytest.approx(expected)


def test_rational_terms_divide() -> None:
    # (1 + 0.5 * 0.25^3) / (1 + 0.2 * 0.25), third radial and first rational coefficient
    factor = (1 + 0.5 * 0.25**3) / (1 + 0.2 * 0.25)
    lens = Distortion("brown-conrady", (0, 0, 0, 0, 0.5, 0.2))
    assert at(lens, 0.3, 0.4) == pytest.approx((0.3 * factor, 0.4 * factor))


def test_a_fisheye_without_coefficients_maps_the_angle_to_the_radius() -> None:
    assert at(Distortion("kannala-brandt", (0, 0, 0, 0)), 1.0, 0.0) == pytest.approx((math.pi / 4, 0.0))
    assert at(Distortion("kannala-brandt", (0.1,)), 1.0, 0.0)[0] == pytest.approx(
        math.pi / 4 * (1 + 0.1 * (math.pi / 4) ** 2)
    )
    assert at(Distortion("kannala-brandt", (0.1,)), 0.0, 0.0) == (0.0, 0.0)


def test_a_straightened_picture_shows_at_each_ray_what_the_lens_recorded_for_it() -> None:
    lens = camera(Distortion("brown-conrady", (-0.2, 0.05, 0.002, -0.003)))
    # The photograph's two channels hold its own pixel coordinates, which bilinear sampling reproduces exactly.
    columns, rows = np.meshgrid(np.arange(80) + 0.5, np.arange(60) + 0.5)
    photograph = np.stack([columns, rows], axis=2).astype(np.float32)
    straight, known = straighten(photograph, lens)
    for row, column in ((30, 40), (10, 12), (55, 70)):
        x, y = (column + 0.5 - 40) / 50, (row + 0.5 - 30) / 50
        bent_x, bent_y = at(lens.distortion, x, y)  # type: ignore[arg-type]
        assert known[row, column] == 1
        assert straight[row, column].tolist() == pytest.approx([bent_x * 50 + 40, bent_y * 50 + 30], abs=1e-3)


def test_pixels_outside_the_photograph_are_not_known() -> None:
    _, known = straighten(np.ones((60, 80, 3), np.float32), camera(Distortion("brown-conrady", (0.2,))))
    assert known[30, 40] == 1
    assert known[0, 0] == 0  # a pincushion's corner: the photograph ends before it
    assert 0.5 < known.mean() < 1


def test_pixels_beyond_the_fold_of_the_polynomial_are_not_known() -> None:
    # r (1 - 0.5 r^2) stops growing at r = sqrt(2/3) = 0.816; the corner is at r = 1.0.
    _, known = straighten(np.ones((60, 80, 3), np.float32), camera(Distortion("brown-conrady", (-0.5,))))
    radius = np.hypot(*np.meshgrid((np.arange(80) - 39.5) / 50, (np.arange(60) - 29.5) / 50))
    assert (known[radius > 0.83] == 0).all()
    assert (known[radius < 0.80] == 1).all()


def test_a_pinhole_keeps_everything_but_the_bend() -> None:
    lens = camera(Distortion("brown-conrady", (0.2,)))
    straight = pinhole(lens)
    assert straight.distortion is None
    assert (straight.fx, straight.cx, straight.width) == (lens.fx, lens.cx, lens.width)
