"""Real spherical harmonics up to degree 3 in the sign convention of 3D Gaussian splatting, and their rotation.

The basis is that of Kerbl et al. 2023 (the signed real basis of P.-P. Sloan, "Stupid spherical harmonics tricks",
2008, appendix A2): coefficient l^2 + l + m of band l. Other libraries (e3nn among them) use other signs and axes, so
the rotation matrices are built from this basis itself and cannot disagree with it.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from splatfilm.base.rigid import matrix_from_quaternion

Array = NDArray[np.float64]
COLOUR_OFFSET = 0.5  # colour = SH sum + 0.5
C0 = 0.5 * sqrt(1 / pi)
_C1 = 0.5 * sqrt(3 / pi)
_C2 = (0.5 * sqrt(15 / pi), 0.25 * sqrt(5 / pi), 0.25 * sqrt(15 / pi))
_C3 = (0.25 * sqrt(35 / (2 * pi)), 0.5 * sqrt(105 / pi), 0.25 * sqrt(21 / (2 * pi)), 0.25 * sqrt(7 / pi))


def basis(directions: Tensor, degree: int) -> Tensor:  # [..., 3] unit -> [..., (degree + 1)^2]
    """Every basis function at unit directions, differentiable."""
    x, y, z = directions.unbind(-1)
    return torch.stack(_basis_columns(x, y, z, torch.ones_like(x), degree), dim=-1)


def evaluate(sh: Tensor, directions: Tensor) -> Tensor:  # [..., K, 3], [..., 3] unit -> [..., 3]
    """Colour seen along `directions` (from the camera to the splat): SH sum + 0.5, not clamped."""
    degree = int(sqrt(sh.shape[-2])) - 1
    return (basis(directions, degree)[..., None] * sh).sum(dim=-2) + COLOUR_OFFSET


def rotation_matrices(rotation: ArrayLike, degree: int) -> tuple[Array, ...]:  # [4] or [3, 3] -> (2l + 1)^2 for l = 1..
    """Matrices D_l, l = 1..degree, with D_l k the coefficients of the rotated function: c'(d) = c(R^T d).

    `rotation` is a wxyz quaternion or a rotation matrix. D_l[m, k] is the integral of Y_m(d) Y_k(R^T d) over the
    sphere. The product rule with 4 Gauss-Legendre heights and 8 meridians integrates polynomials up to degree 7
    exactly, and band 3 needs 6: no matrix is inverted, and plain sums alone stand between rotation and result.
    """
    given = np.asarray(rotation, dtype=np.float64)
    matrix = matrix_from_quaternion(given) if given.shape == (4,) else given
    x, y, z = _POINTS.T
    back = [x * matrix[0, i] + y * matrix[1, i] + z * matrix[2, i] for i in range(3)]  # R^T d
    turned = _numpy_basis(np.stack(back, axis=1), degree)
    plain = _numpy_basis(_POINTS, degree)
    result = []
    for band in range(1, degree + 1):
        own = slice(band**2, (band + 1) ** 2)
        total = np.zeros((2 * band + 1, 2 * band + 1))
        for weight, here, there in zip(_WEIGHTS, plain[:, own], turned[:, own], strict=True):
            total += weight * (here[:, None] * there)
        result.append(total)
    return tuple(result)


def rotate(sh: Tensor, rotation: ArrayLike) -> Tensor:  # [N, K, 3] -> [N, K, 3]
    """Coefficients of the same colours turned by `rotation` (wxyz quaternion or matrix): c'(d) = c(R^T d).

    Keeps device and dtype, differentiable; band 0 keeps its bits. Sums run in a fixed order by separate multiplications
    and additions rather than by a library's matrix product, whose last bit depends on threads and memory alignment.
    """
    degree = int(sqrt(sh.shape[1])) - 1
    if degree == 0:
        return sh
    matrices = [torch.from_numpy(matrix).to(sh) for matrix in rotation_matrices(rotation, degree)]
    blocks = torch.split(sh.reshape(len(sh), -1), _BLOCK)
    return torch.cat([_rotated(block, matrices) for block in blocks]).reshape(sh.shape)


def rotate_each(sh: Tensor, quats: Tensor) -> Tensor:  # [N, K, 3], [N, 4] unit wxyz -> [N, K, 3]
    """Coefficients of the same colours, each splat's turned by a rotation of its own. About 1 s for 100 000 splats."""
    degree = int(sqrt(sh.shape[1])) - 1
    if degree == 0:
        return sh
    points = torch.from_numpy(_POINTS).to(sh.device)
    weighted = basis(points, degree) * torch.from_numpy(_WEIGHTS).to(sh.device)[:, None]  # [Q, K]
    parts = []
    for rows, turns in zip(torch.split(sh, _BLOCK), torch.split(quats, _BLOCK), strict=True):
        w, axis = turns[:, None, :1].double(), turns[:, None, 1:].double()
        t = w * points - torch.linalg.cross(axis.expand(-1, len(points), 3), points.expand(len(rows), -1, 3))
        back = points - 2 * torch.linalg.cross(axis.expand_as(t), t)  # R^T d
        matrices = torch.einsum("qm,nqk->nmk", weighted, basis(back, degree))
        bands = [rows[:, :1]]
        for band in range(1, degree + 1):
            own = slice(band**2, (band + 1) ** 2)
            bands.append((matrices[:, own, own] @ rows[:, own].double()).to(sh.dtype))
        parts.append(torch.cat(bands, dim=1))
    return torch.cat(parts)


_BLOCK = 8192  # splats a block: its planes stay in a processor's cache while they are summed


def _rotated(rows: Tensor, matrices: list[Tensor]) -> Tensor:  # [n, K * 3] -> [n, K * 3]
    planes = rows.t().contiguous().reshape(-1, 3 * len(rows))  # [K, 3 n]: a coefficient's values side by side
    bands = [planes[:1]]
    for band, matrix in enumerate(matrices, start=1):
        own = planes[band**2 : (band + 1) ** 2]
        total = matrix[:, 0, None] * own[0]
        for k in range(1, 2 * band + 1):
            total = total + matrix[:, k, None] * own[k]
        bands.append(total)
    return torch.cat(bands).reshape(-1, len(rows)).t()


def _basis_columns(x, y, z, one, degree: int):  # type: ignore[no-untyped-def]  # tensors or arrays alike
    columns = [C0 * one]
    if degree >= 1:
        columns += [-_C1 * y, _C1 * z, -_C1 * x]
    if degree >= 2:
        xx, yy, zz = x * x, y * y, z * z
        columns += [_C2[0] * x * y, -_C2[0] * y * z, _C2[1] * (2 * zz - xx - yy)]
        columns += [-_C2[0] * x * z, _C2[2] * (xx - yy)]
    if degree >= 3:
        columns += [-_C3[0] * y * (3 * xx - yy), _C3[1] * x * y * z, -_C3[2] * y * (4 * zz - xx - yy)]
        columns += [_C3[3] * z * (2 * zz - 3 * xx - 3 * yy), -_C3[2] * x * (4 * zz - xx - yy)]
        columns += [0.5 * _C3[1] * z * (xx - yy), -_C3[0] * x * (xx - 3 * yy)]
    return columns


def _numpy_basis(directions: Array, degree: int) -> Array:  # [Q, 3] -> [Q, K]
    x, y, z = directions.T
    return np.stack(_basis_columns(x, y, z, np.ones_like(x), degree), axis=-1)


def _product_rule() -> tuple[Array, Array]:  # -> [32, 3] unit directions, [32] weights that sum to 4 pi
    inner, outer = sqrt(3 / 7 - 2 / 7 * sqrt(6 / 5)), sqrt(3 / 7 + 2 / 7 * sqrt(6 / 5))
    heavy, light = (18 + sqrt(30)) / 36, (18 - sqrt(30)) / 36
    half = sqrt(0.5)
    meridians = ((1, 0), (half, half), (0, 1), (-half, half), (-1, 0), (-half, -half), (0, -1), (half, -half))
    points, weights = [], []
    for height, weight in ((inner, heavy), (-inner, heavy), (outer, light), (-outer, light)):
        radius = sqrt(1 - height * height)
        for cosine, sine in meridians:
            points.append((radius * cosine, radius * sine, height))
            weights.append(weight * 2 * pi / len(meridians))
    return np.array(points), np.array(weights)


_POINTS, _WEIGHTS = _product_rule()
