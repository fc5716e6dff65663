"""Spherical harmonics: the 3DGS basis and its rotation against direct evaluation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import matrix_from_quaternion, multiply, normalised, quaternion_about
from splatfilm.splats import sh

ROTATIONS = normalised(np.random.default_rng(7).normal(size=(8, 4)))


def directions(count: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.nn.functional.normalize(torch.randn(count, 3, generator=generator, dtype=torch.float64), dim=1).to(
        dtype
    )


def coefficients(count: int, basis: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(count, basis, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64).to(dtype)


def test_the_basis_has_the_signs_and_constants_of_3dgs() -> None:
    """The numbers of the reference rasteriser (Kerbl et al. 2023, `auxiliary.h`), at one direction worked by hand."""
    x, y, z = 2 / 7, 3 / 7, 6 / 7
    expected = [
        0.28209479177387814,
        -0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x,
        1.0925484305920792 * x * y, -1.0925484305920792 * y * z, 0.31539156525252005 * (2 * z * z - x * x - y * y),
        -1.0925484305920792 * x * z, 0.5462742152960396 * (x * x - y * y),
        -0.5900435899266435 * y * (3 * x * x - y * y), 2.890611442640554 * x * y * z,
        -0.4570457994644658 * y * (4 * z * z - x * x - y * y),
        0.3731763325901154 * z * (2 * z * z - 3 * x * x - 3 * y * y),
        -0.4570457994644658 * x * (4 * z * z - x * x - y * y), 1.445305721320277 * z * (x * x - y * y),
        -0.5900435899266435 * x * (x * x - 3 * y * y),
    ]  # fmt: skip
    found = sh.basis(torch.tensor([x, y, z], dtype=torch.float64), 3)
    assert found.tolist() == pytest.approx(expected, abs=1e-15)


def test_the_basis_is_orthonormal_on_the_sphere() -> None:
    heights, weights = np.polynomial.legendre.leggauss(10)
    angles = np.arange(20) * (2 * math.pi / 20)
    radius = np.sqrt(1 - heights**2)[:, None]
    points = np.stack([radius * np.cos(angles), radius * np.sin(angles), heights[:, None] + 0 * angles], axis=-1)
    values = sh.basis(torch.from_numpy(points.reshape(-1, 3)), 3).numpy()
    area = np.repeat(weights, 20) * (2 * math.pi / 20)
    assert np.abs(np.einsum("q,qi,qj->ij", area, values, values) - np.eye(16)).max() < 1e-14


def test_constant_colour_is_half_plus_c0() -> None:
    """1 / (2 sqrt(pi)) = 0.2821: a coefficient of 1 adds 0.2821 to the middle grey of 0.5."""
    colour = sh.evaluate(torch.ones(1, 1, 3), torch.tensor([[0.0, 0.0, 1.0]]))
    assert colour.tolist() == [[pytest.approx(0.78209479)] * 3]


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_rotated_coefficients_give_the_colours_of_rotated_directions(
    degree: int, dtype: torch.dtype, tolerance: float
) -> None:
    k, d = coefficients(500, (degree + 1) ** 2, dtype), directions(500, dtype)
    for quaternion in ROTATIONS:
        back = torch.from_numpy(matrix_from_quaternion(quaternion)).to(dtype)
        found = sh.evaluate(sh.rotate(k, quaternion), d)
        assert (found - sh.evaluate(k, d @ back)).abs().max() < tolerance  # rows of d @ R are R^T d


def test_a_quarter_turn_about_z_by_hand() -> None:
    """c = -C1 x along +x is dark towards +x; turned by 90 degrees about z it must be dark towards +y: -C1 y."""
    k = torch.zeros(1, 4, 3, dtype=torch.float64)
    k[0, 3] = 1.0
    turned = sh.rotate(k, quaternion_about((0, 0, 1), math.pi / 2))
    expected = torch.zeros(1, 4, 3, dtype=torch.float64)
    expected[0, 1] = 1.0
    assert torch.allclose(turned, expected, atol=1e-15)


def test_rotation_matrices_are_orthogonal_and_compose() -> None:
    for a, b in zip(ROTATIONS[:4], ROTATIONS[4:], strict=True):
        first, second = sh.rotation_matrices(a, 3), sh.rotation_matrices(b, 3)
        both = sh.rotation_matrices(multiply(a, b), 3)
        for one, two, combined in zip(first, second, both, strict=True):
            assert np.abs(one @ one.T - np.eye(len(one))).max() < 1e-14
            assert np.abs(one @ two - combined).max() < 1e-14


def test_a_quaternion_and_its_matrix_rotate_alike() -> None:
    k = coefficients(20, 16)
    by_matrix = sh.rotate(k, matrix_from_quaternion(ROTATIONS[0]))
    assert torch.equal(by_matrix, sh.rotate(k, ROTATIONS[0]))


def test_the_identity_rotation_moves_nothing_beyond_rounding_and_the_constant_band_keeps_its_bits() -> None:
    k = coefficients(100, 16, torch.float32)
    assert (sh.rotate(k, (1, 0, 0, 0)) - k).abs().max() < 1e-6
    assert torch.equal(sh.rotate(k, ROTATIONS[1])[:, 0], k[:, 0])


def test_a_splat_rotates_to_the_same_bits_alone_in_any_crowd_and_at_any_thread_count() -> None:
    k = coefficients(20_000, 16, torch.float32)
    threads = torch.get_num_threads()
    whole = sh.rotate(k, ROTATIONS[2])
    try:
        torch.set_num_threads(1)
        assert torch.equal(sh.rotate(k, ROTATIONS[2]), whole)
    finally:
        torch.set_num_threads(threads)
    for row in (0, 1, 8191, 8192, 19_999):
        assert torch.equal(sh.rotate(k[row : row + 1], ROTATIONS[2])[0], whole[row])


def test_rotation_is_differentiable() -> None:
    k = coefficients(3, 9).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: sh.rotate(c, ROTATIONS[3]), (k,))


def test_coefficients_that_are_a_view_rotate_like_their_copy() -> None:
    wide = coefficients(40, 16)
    view = wide[::2, :9]
    assert torch.equal(sh.rotate(view, ROTATIONS[4]), sh.rotate(view.clone(), ROTATIONS[4]))
