"""A tiled rasteriser in plain torch: what one would write without kernels, and the rival of `benchmarks/raster.py`.

The same semantics as the kernels' (classic mode): EWA projection, depth sort, 16 x 16 tiles by bounding box, blending
by cumulative products over the splats of each tile; autograd gives the gradients.
"""

from __future__ import annotations

import torch
from torch import Tensor

from splatfilm.cameras.camera import Camera
from splatfilm.render.constants import BLUR, COLOUR_OFFSET, FRUSTUM_MARGIN, MAX_ALPHA, MAX_EXTENT, MIN_ALPHA, TILE
from splatfilm.render.constants import MIN_TRANSMITTANCE as LEAST
from splatfilm.splats.splats import Splats

SH = [0.28209479177387814, 0.4886025119029199]
SH2 = [1.0925484305920792, -1.0925484305920792, 0.31539156525252005, -1.0925484305920792, 0.5462742152960396]
SH3 = [-0.5900435899266435, 2.890611442640554, -0.4570457994644658, 0.3731763325901154]
SH3 += [-0.4570457994644658, 1.445305721320277, -0.5900435899266435]


def _colours(directions: Tensor, sh: Tensor) -> Tensor:
    x, y, z = torch.nn.functional.normalize(directions, dim=-1).unbind(-1)
    xx, yy, zz = x * x, y * y, z * z
    basis = [torch.full_like(x, SH[0]), -SH[1] * y, SH[1] * z, -SH[1] * x]
    basis += [c * b for c, b in zip(SH2, (x * y, y * z, 2 * zz - xx - yy, x * z, xx - yy), strict=True)]
    cubic = (y * (3 * xx - yy), x * y * z, y * (4 * zz - xx - yy), z * (2 * zz - 3 * xx - 3 * yy))
    cubic += (x * (4 * zz - xx - yy), z * (xx - yy), x * (xx - 3 * yy))
    basis += [c * b for c, b in zip(SH3, cubic, strict=True)]
    return (torch.stack(basis, -1)[..., None] * sh).sum(-2).add(COLOUR_OFFSET).clamp_min(0)


def _project(s: Splats, camera: Camera) -> tuple[Tensor, ...]:
    """Centres, conics (a, b, c), half extents, colours with depth, opacities, depth: of splats in view, by depth."""
    view = torch.tensor(camera.world_to_camera(), dtype=torch.float32)
    t = s.means @ view[:3, :3].T + view[:3, 3]
    ids = torch.nonzero(t[:, 2] > 0.01).flatten()
    ids = ids[torch.argsort(t[ids, 2].detach())]
    x, y, z = t[ids].unbind(-1)
    qw, qx, qy, qz = torch.nn.functional.normalize(s.quats[ids], dim=-1).unbind(-1)
    rows = [1 - 2 * (qy * qy + qz * qz), 2 * (qx * qy - qw * qz), 2 * (qx * qz + qw * qy)]
    rows += [2 * (qx * qy + qw * qz), 1 - 2 * (qx * qx + qz * qz), 2 * (qy * qz - qw * qx)]
    rows += [2 * (qx * qz - qw * qy), 2 * (qy * qz + qw * qx), 1 - 2 * (qx * qx + qy * qy)]
    arms = view[:3, :3] @ (torch.stack(rows, -1).reshape(-1, 3, 3) * s.scales[ids, None])
    limit_x, limit_y = (
        0.5 * (1 + FRUSTUM_MARGIN) * n / f for n, f in ((camera.width, camera.fx), (camera.height, camera.fy))
    )
    gx, gy = (x / z).clamp(-limit_x, limit_x), (y / z).clamp(-limit_y, limit_y)
    m1 = (camera.fx / z)[:, None] * (arms[:, 0] - gx[:, None] * arms[:, 2])
    m2 = (camera.fy / z)[:, None] * (arms[:, 1] - gy[:, None] * arms[:, 2])
    a, b, c = (m1 * m1).sum(-1) + BLUR, (m1 * m2).sum(-1), (m2 * m2).sum(-1) + BLUR
    det = a * c - b * b
    centres = torch.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], -1)
    extents = MAX_EXTENT * torch.stack([a, c], -1).detach().sqrt()
    colours = _colours(s.means[ids] - torch.tensor(camera.position, dtype=torch.float32), s.sh[ids])
    values = torch.cat([colours, z[:, None], torch.ones_like(z)[:, None]], -1)
    return centres, torch.stack([c / det, -b / det, a / det], -1), extents, values, s.opacities[ids]


def render(splats: Splats, camera: Camera) -> Tensor:
    """[H, W, 5]: colour, sum of weight times depth, alpha; black background."""
    centres, conics, extents, values, opacities = _project(splats, camera)
    low, high = (centres - extents).detach(), (centres + extents).detach()
    bands = []
    for top in range(0, camera.height, TILE):
        in_band = torch.nonzero((low[:, 1] < top + TILE) & (high[:, 1] > top)).flatten()
        row = []
        for left in range(0, camera.width, TILE):
            ids = in_band[(low[in_band, 0] < left + TILE) & (high[in_band, 0] > left)]
            ys, xs = (
                torch.arange(top, min(top + TILE, camera.height)),
                torch.arange(left, min(left + TILE, camera.width)),
            )
            dx = xs + 0.5 - centres[ids, 0, None]
            dy = ys + 0.5 - centres[ids, 1, None]
            a, b, c = conics[ids].T[:, :, None, None]
            sigma = 0.5 * (a * dx[:, None] ** 2 + c * dy[:, :, None] ** 2) + b * dx[:, None] * dy[:, :, None]
            alpha = (opacities[ids, None, None] * torch.exp(-sigma)).clamp_max(MAX_ALPHA)
            alpha = torch.where((alpha >= MIN_ALPHA) & (sigma >= 0), alpha, 0.0)
            after = torch.cumprod(1 - alpha, 0)
            before = torch.cat([torch.ones_like(after[:1]), after[:-1]])
            weights = torch.where(after > LEAST, alpha * before, 0.0)
            row.append(torch.einsum("nhw,nc->hwc", weights, values[ids]))
        bands.append(torch.cat(row, 1))
    return torch.cat(bands, 0)
