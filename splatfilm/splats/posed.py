"""Splats that something has moved: their covariances, their colours, and plain splats that look the same.

A splat that a rig or a simulation moves keeps what was learnt of it and carries the motion beside it, in
`Splats.stretches` and `Splats.turns`. Renderers take that as it is; files do not know it, so writing one means baking:
covariances back into quaternions and scales, coefficients rotated band by band.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from splatfilm.splats import sh as harmonics
from splatfilm.splats.splats import Splats

IDENTITY_STRETCH = (1.0, 0.0, 0.0, 1.0, 0.0, 1.0)
IDENTITY_TURN = (1.0, 0.0, 0.0, 0.0)
_SMALLEST = 1e-9  # metres: what a flattened axis is baked as, since a size must be greater than 0


def is_moved(splats: Splats) -> bool:
    """Whether the splats carry a motion beside what was learnt."""
    return splats.stretches is not None or splats.turns is not None


def rotation_matrices(quats: Tensor) -> Tensor:  # [..., 4] unit wxyz -> [..., 3, 3]
    """Rotation matrices of unit quaternions, differentiable."""
    w, x, y, z = quats.unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def quaternions(rotations: Tensor) -> Tensor:  # [N, 3, 3] -> [N, 4] unit wxyz, w >= 0
    """Quaternions of rotation matrices, by the largest component (S. Sheppard 1978)."""
    m = rotations
    trace = m[:, 0, 0] + m[:, 1, 1] + m[:, 2, 2]
    diagonal = torch.diagonal(m, dim1=-2, dim2=-1)
    # Four times the square of each component, then the row of products with the largest of them.
    squares = torch.stack([1 + trace, *(1 + 2 * diagonal[:, i] - trace for i in range(3))], dim=-1)
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    table = torch.stack(
        [
            torch.stack([squares[:, 0], wx, wy, wz], dim=-1),
            torch.stack([wx, squares[:, 1], xy, xz], dim=-1),
            torch.stack([wy, xy, squares[:, 2], yz], dim=-1),
            torch.stack([wz, xz, yz, squares[:, 3]], dim=-1),
        ],
        dim=1,
    )
    best = squares.argmax(dim=-1)
    q = table[torch.arange(len(m), device=m.device), best]
    q = q / q.norm(dim=-1, keepdim=True)
    return torch.where(q[:, :1] < 0, -q, q)


def multiplied(a: Tensor, b: Tensor) -> Tensor:  # [..., 4], [..., 4] -> [..., 4]
    """Hamilton product: the rotation `b` followed by `a`."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        dim=-1,
    )


def symmetric(packed: Tensor) -> Tensor:  # [N, 6] xx xy xz yy yz zz -> [N, 3, 3]
    """Symmetric matrices from their six numbers."""
    return packed[:, (0, 1, 2, 1, 3, 4, 2, 4, 5)].reshape(-1, 3, 3)


def packed(matrices: Tensor) -> Tensor:  # [N, 3, 3] -> [N, 6] xx xy xz yy yz zz
    """The six numbers of symmetric matrices; what is not quite symmetric is averaged."""
    even = 0.5 * (matrices + matrices.transpose(-1, -2))
    return even.reshape(-1, 9)[:, (0, 1, 2, 4, 5, 8)]


def factors(splats: Splats) -> Tensor:  # -> [N, 3, 3]
    """Matrices A whose product A A^T is the covariance: the splat's three axes, each one standard deviation long."""
    axes = rotation_matrices(splats.quats)
    if splats.stretches is not None:
        axes = symmetric(splats.stretches) @ axes
    return axes * splats.scales[:, None, :]


def covariances(splats: Splats) -> Tensor:  # -> [N, 3, 3] square metres
    """The covariances of splats, moved or not."""
    a = factors(splats)
    return a @ a.transpose(-1, -2)


def colours(splats: Splats, position: Tensor, degree: int | None = None) -> Tensor:  # [3] world -> [N, 3]
    """The colours that a camera at `position` sees, not clamped: coefficients as learnt, directions turned back."""
    degree = splats.sh_degree if degree is None else min(degree, splats.sh_degree)
    directions = torch.nn.functional.normalize(splats.means - position, dim=-1)
    if splats.turns is not None:
        directions = (rotation_matrices(splats.turns) * directions[:, :, None]).sum(dim=1)  # R^T d
    return harmonics.evaluate(splats.sh[:, : (degree + 1) ** 2], directions)


def baked(splats: Splats) -> Splats:
    """Plain splats that look the same, for files: no stretches, no turns. Itself when nothing has moved it."""
    if not is_moved(splats):
        return splats
    result = splats
    if splats.turns is not None:
        result = dataclasses.replace(result, sh=harmonics.rotate_each(splats.sh, splats.turns), turns=None)
    if splats.stretches is not None:
        wide = dataclasses.replace(
            splats, quats=splats.quats.double(), scales=splats.scales.double(), stretches=splats.stretches.double()
        )
        sizes, axes = torch.linalg.eigh(covariances(wide))
        axes = torch.where((torch.linalg.det(axes) < 0)[:, None, None], -axes, axes)
        scales = sizes.clamp_min(_SMALLEST**2).sqrt().to(splats.scales.dtype)
        result = dataclasses.replace(
            result, quats=quaternions(axes).to(splats.quats.dtype), scales=scales, stretches=None
        )
    return result
