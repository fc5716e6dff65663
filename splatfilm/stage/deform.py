"""The deformation core: whatever moves splats ends here, as a position and a deformation gradient for each of them.

For a motion x' = phi(X) with gradient F = d phi / dX at a splat's centre, the covariance becomes F C F^T (exact where
phi is affine) and the colour learnt at rest is seen along R^T d, where R is the rotation of F = V R (polar
decomposition). So `Splats` carries R in its quaternions and `turns`, V in its `stretches`, and no coefficient is
touched: T. Xie et al., "PhysGaussian", CVPR 2024, section 3.3, with R kept instead of rotated coefficients.

Limbs are moved by dual quaternions (L. Kavan et al., "Skinning with dual quaternions", I3D 2007), whose result is
rigid, so V stays an identity; that path runs in the compiled kernels on the CPU and in torch on CUDA.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splatfilm.splats.posed import IDENTITY_STRETCH, multiplied, packed, quaternions, rotation_matrices, symmetric
from splatfilm.splats.splats import Splats

MOST_STRETCH = 2.0
"""How much longer or shorter, along any axis, a blendshape may make a splat."""
_AT_REST = 1e-9  # a gradient that is no further from the identity moves nothing
_NEWTON_STEPS = 12
_SETTLED = 1e-9
_COLLAPSED = 1e-6  # a determinant below which, relative to the gradient's size cubed, only an SVD finds the rotation


@dataclass(frozen=True, eq=False)
class Motion:
    """What a driver says about N splats: where they are now and how their surroundings are deformed."""

    positions: Tensor  # [N, 3] metres
    gradients: Tensor  # [N, 3, 3] F, columns on the right: dx' = F dX


@dataclass(frozen=True, eq=False)
class Carriers:
    """Which bones carry each splat: up to four, the heaviest first, weights summing to 1."""

    joints: Tensor  # [N, 4] int32
    weights: Tensor  # [N, 4] float32


def polar(gradients: Tensor) -> tuple[Tensor, Tensor]:  # [N, 3, 3] -> R [N, 3, 3], V [N, 3, 3]
    """F = V R with R a rotation and V symmetric, in float64.

    Newton's iteration with determinant scaling (N. Higham, "Computing the polar decomposition - with applications",
    SIAM J. Sci. Stat. Comput. 7, 1986); matrices that are singular or turned inside out go through an SVD, and their V
    is then not positive.
    """
    f = gradients.double()
    size = f.square().sum(dim=(-1, -2)).sqrt() / 3**0.5
    bad = torch.linalg.det(f) <= _COLLAPSED * size**3
    x = torch.where(bad[:, None, None], torch.eye(3, dtype=f.dtype, device=f.device), f)
    for step in range(_NEWTON_STEPS):
        cofactors = torch.stack(
            [torch.linalg.cross(x[:, (i + 1) % 3], x[:, (i + 2) % 3], dim=-1) for i in range(3)], dim=1
        )
        det = (x[:, 0] * cofactors[:, 0]).sum(dim=-1)[:, None, None]
        scale = det.abs().pow(-1 / 3) if step < 4 else 1.0
        before, x = x, 0.5 * (scale * x + cofactors / (scale * det))
        if not bool(((x - before).abs() > _SETTLED).any()):  # it converges quadratically: the next step is rounding
            break
    if bool(bad.any()):
        u, _, vt = torch.linalg.svd(f[bad])
        flip = torch.ones(len(u), 3, dtype=f.dtype, device=f.device)
        flip[:, 2] = torch.linalg.det(u @ vt)
        x = x.clone()
        x[bad] = (u * flip[:, None, :]) @ vt
    v = f @ x.transpose(-1, -2)
    return x, 0.5 * (v + v.transpose(-1, -2))


def deformed(splats: Splats, motion: Motion) -> Splats:
    """Splats at rest, moved by a driver. Raises `ValueError` where a gradient is not finite."""
    if not bool(torch.isfinite(motion.gradients).all() and torch.isfinite(motion.positions).all()):
        raise ValueError("positions and gradients of a deformation must be finite")
    rotation, stretch = polar(motion.gradients)
    turns = quaternions(rotation)
    dtype = splats.means.dtype
    return dataclasses.replace(
        splats,
        means=motion.positions.to(dtype),
        quats=multiplied(turns, splats.quats.double()).to(dtype),
        stretches=packed(stretch).to(dtype),
        turns=turns.to(dtype),
    )


def skinned(splats: Splats, carriers: Carriers, bones: Tensor) -> Splats:
    """Splats at rest, moved by the blended dual quaternions of their bones.

    `bones` [B, 8] float32, real wxyz then dual wxyz, from rest to now. The same bits at any thread count and on any
    instruction set on the CPU. Means, quaternions and turns are new tensors, everything else is shared.
    """
    if splats.device.type != "cpu":
        return _skinned_by_torch(splats, carriers, bones.to(splats.device))
    from splatfilm.render.kernels import array, extension

    means, quats, turns = torch.empty_like(splats.means), torch.empty_like(splats.quats), torch.empty_like(splats.quats)
    extension().skin(
        array(splats.means),
        array(splats.quats),
        carriers.joints.contiguous().numpy(),
        array(carriers.weights),
        array(bones),
        means.numpy(),
        quats.numpy(),
        turns.numpy(),
    )
    return dataclasses.replace(splats, means=means, quats=quats, turns=turns)


def carried(points: Tensor, carriers: Carriers, bones: Tensor) -> Tensor:  # [N, 3] -> [N, 3]
    """Points at rest where bones carry them: as the means of `skinned`, on the CPU to the bit."""
    if points.device.type != "cpu":
        quats = points.new_tensor([[1.0, 0.0, 0.0, 0.0]]).expand(len(points), 4)
        return _blended_duals(points, quats, carriers, bones.to(points.device))[0]
    from splatfilm.render.kernels import array, extension

    moved, nothing = torch.empty_like(points), np.empty(0, dtype=np.float32)
    given = (array(points), nothing, carriers.joints.contiguous().numpy(), array(carriers.weights), array(bones))
    extension().skin(*given, moved.numpy(), nothing, nothing)
    return moved


def _skinned_by_torch(splats: Splats, carriers: Carriers, bones: Tensor) -> Splats:
    """`skinned` on any device, to rounding."""
    means, quats, turns = _blended_duals(splats.means, splats.quats, carriers, bones)
    return dataclasses.replace(splats, means=means, quats=quats, turns=turns)


def _blended_duals(
    means: Tensor, quats: Tensor, carriers: Carriers, bones: Tensor
) -> tuple[Tensor, Tensor, Tensor]:  # means, quats, turns
    own = bones[carriers.joints.long()]  # [N, 4, 8]
    side = torch.where((own[:, :, :4] * own[:, :1, :4]).sum(dim=-1) < 0, -1.0, 1.0)
    blend = (own * (carriers.weights * side)[:, :, None]).sum(dim=1)
    blend = blend / blend[:, :4].norm(dim=-1, keepdim=True)
    turns, dual = blend[:, :4], blend[:, 4:]
    conjugate = turns * turns.new_tensor([1.0, -1.0, -1.0, -1.0])
    shift = 2 * multiplied(dual, conjugate)[:, 1:]
    moved = (rotation_matrices(turns) * means[:, None, :]).sum(dim=-1) + shift
    return moved, multiplied(turns, quats), turns


def blended(
    splats: Splats,
    carriers: Carriers,
    matrices: Tensor,  # [B, 3, 4] from rest to now
    weight_gradients: Tensor | None = None,  # [N, 4, 3] d weight / dX, a metre
) -> Motion:
    """Linear blend skinning, for parity with other programs: it loses volume where joints twist.

    The gradient is the whole Jacobian, sum w A + sum (A X + t) (grad w)^T; without `weight_gradients` weights count as
    even around each splat, which is exact only away from joints.
    """
    own = matrices.to(splats.means)[carriers.joints.long()]  # [N, 4, 3, 4]
    placed = (own[..., :3] * splats.means[:, None, None, :]).sum(dim=-1) + own[..., 3]  # [N, 4, 3]
    gradients = (carriers.weights[:, :, None, None] * own[..., :3]).sum(dim=1)
    if weight_gradients is not None:
        gradients = gradients + (placed[..., :, None] * weight_gradients[..., None, :]).sum(dim=1)
    return Motion((carriers.weights[..., None] * placed).sum(dim=1), gradients)


def shaped(skin: Splats, rows: Tensor, gradients: Tensor) -> Splats:  # [M], [M, 3, 3]
    """Skinned splats whose `rows` were deformed by `gradients` before the bones moved them."""
    turns, stretches = _own_motion(gradients)
    return reshaped(skin, rows, turns, packed(stretches))


def reshaped(skin: Splats, rows: Tensor, own: Tensor, own_stretches: Tensor) -> Splats:
    """Skinned splats whose `rows` [M] were turned (`own` [M, 4]) and stretched [M, 6] before the bones moved them.

    The bones turn by R; the gradient of both is R F = (R V R^T)(R Q) for F = V Q. In the compiled kernels on the CPU.
    """
    assert skin.turns is not None, "skinned splats have turns"
    if skin.stretches is None:
        stretches = skin.means.new_tensor(IDENTITY_STRETCH).repeat(len(skin), 1)
    else:
        stretches = skin.stretches.clone()
    turns, quats = skin.turns.clone(), skin.quats.clone()
    if skin.device.type == "cpu":
        from splatfilm.render.kernels import extension

        given = (part.detach().double().contiguous().numpy().reshape(-1) for part in (own, own_stretches))
        extension().put_shapes(rows.numpy(), *given, quats.numpy(), turns.numpy(), stretches.numpy())
        return dataclasses.replace(skin, quats=quats, turns=turns, stretches=stretches)
    dtype, bones = skin.means.dtype, skin.turns[rows].double()
    stretches[rows] = _turned(symmetric(own_stretches.double()), bones).to(dtype)
    turns[rows] = multiplied(bones, own).to(dtype)
    # The bones' quaternion is undone, the shape's put in, and the bones' put back.
    back = bones * bones.new_tensor([1.0, -1.0, -1.0, -1.0])
    quats[rows] = multiplied(multiplied(multiplied(bones, own), back), skin.quats[rows].double()).to(dtype)
    return dataclasses.replace(skin, quats=quats, turns=turns, stretches=stretches)


def _turned(stretch: Tensor, turns: Tensor) -> Tensor:  # [M, 3, 3] symmetric, [M, 4] -> [M, 6]
    """R V R^T, number by number: many small products of matrices are slow, and differ from processor to processor."""
    w, x, y, z = turns.T.contiguous()
    r = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    xx, xy, xz, _, yy, yz, _, _, zz = stretch.reshape(-1, 9).T.contiguous()
    v = ((xx, xy, xz), (xy, yy, yz), (xz, yz, zz))
    half = [[row[0] * v[0][j] + row[1] * v[1][j] + row[2] * v[2][j] for j in range(3)] for row in r]
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    return torch.stack([half[i][0] * r[j][0] + half[i][1] * r[j][1] + half[i][2] * r[j][2] for i, j in pairs], dim=-1)


def _own_motion(gradients: Tensor) -> tuple[Tensor, Tensor]:  # [T, 3, 3] -> [T, 4], [T, 3, 3] float64
    """Quaternions and limited stretches of gradients. Most of a face is at rest most of the time, and costs nothing."""
    eye = torch.eye(3, dtype=torch.float64, device=gradients.device)
    own = torch.zeros(len(gradients), 4, dtype=torch.float64, device=gradients.device)
    own[:, 0] = 1.0
    stretch = eye.repeat(len(gradients), 1, 1)
    moved = torch.nonzero((gradients.double() - eye).abs().amax(dim=(1, 2)) > _AT_REST)[:, 0]
    if len(moved):
        rotation, pulled = polar(gradients[moved])
        own[moved], stretch[moved] = quaternions(rotation), limited(pulled)
    return own, stretch


def limited(stretch: Tensor) -> Tensor:  # [..., 3, 3] symmetric
    """Stretches with none of their factors beyond `MOST_STRETCH` or its inverse.

    Lips that part pull the triangles between them to twelve times their length; splats there would become needles.
    """
    # A factor differs from 1 by at most the matrix's distance from the identity, so few need their factors found.
    eye = torch.eye(3, dtype=stretch.dtype, device=stretch.device)
    far = ((stretch - eye).square().sum(dim=(-1, -2)) > (1 - 1 / MOST_STRETCH) ** 2).nonzero(as_tuple=True)
    if not len(far[0]):
        return stretch
    factors, axes = torch.linalg.eigh(stretch[far])
    kept = factors.clamp(1 / MOST_STRETCH, MOST_STRETCH)
    within = (kept == factors).all(dim=-1)[..., None, None]
    result = stretch.clone()
    result[far] = torch.where(within, stretch[far], (axes * kept[..., None, :]) @ axes.transpose(-1, -2))
    return result


def gradients_of(splats: Splats) -> Tensor:  # -> [N, 3, 3] float64
    """The deformation gradients F = V R that moved splats carry; identities where nothing moved them."""
    eye = torch.eye(3, dtype=torch.float64, device=splats.device).expand(len(splats), 3, 3)
    rotation = eye if splats.turns is None else rotation_matrices(splats.turns.double())
    return rotation if splats.stretches is None else symmetric(splats.stretches.double()) @ rotation
