"""What splats hang on is stretched where limbs bend: under a raised arm a sleeve is three times as long as at rest.

Bones carry splats rigidly, so without this the splats of a stretched place would part, and what lies below shows
between them. Here each is stretched in the plane of the triangle that it hangs on, as far as bones stretch that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splatfilm.splats.posed import IDENTITY_STRETCH
from splatfilm.stage import deform
from splatfilm.stage.rigs.binding import Binding
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.rigs.skeleton import Array

_EVEN = 1e-3  # a stretch that differs from 1 by less is none
_FLAT = 1e-12  # square metres


@dataclass(frozen=True, eq=False)
class Drape:
    """The triangles that a layer's splats hang on, and what carries their corners."""

    corners: Tensor  # [V, 3] at rest
    carriers: deform.Carriers
    triangles: Tensor  # [T, 3] int64
    rest: Tensor  # [T, 3] float32: a, b, c of the inverse [a b; 0 c] of their edges at rest; 0 without area
    triangle: Tensor  # [N] int64

    def only(self, rows: Tensor) -> Drape:  # [M] int64
        """The drape of some of the splats, with the triangles and corners that they need."""
        used, triangle = torch.unique(self.triangle[rows], return_inverse=True)
        vertices, triangles = torch.unique(self.triangles[used], return_inverse=True)
        carriers = deform.Carriers(self.carriers.joints[vertices], self.carriers.weights[vertices])
        return Drape(self.corners[vertices], carriers, triangles, self.rest[used], triangle)

    def stretches(self, bones: Tensor, scale: float) -> Tensor:  # [B, 8] -> [N, 6]
        """How the splats are stretched by bones' dual quaternions, in a place of that scale."""
        corners = self.corners if scale == 1.0 else self.corners * scale
        now = deform.carried(corners, self.carriers, bones)
        rest = self.rest if scale == 1.0 else self.rest / scale
        if now.device.type != "cpu":
            return draped_by_torch(now[self.triangles], rest, deform.MOST_STRETCH)[self.triangle]
        from splatfilm.render.kernels import array, extension

        out = np.empty((len(self.triangle), 6), dtype=np.float32)
        numbers = (self.triangles.numpy(), array(rest), self.triangle.numpy())
        extension().drape(array(now), *numbers, deform.MOST_STRETCH, out)
        return torch.from_numpy(out)


def drape_of(rig: Rig, binding: Binding, device: torch.device) -> Drape | None:
    """The drape of a layer as it is bound; none where there is no mesh."""
    mesh = rig.mesh
    if mesh is None or not len(binding):
        return None
    used, triangle = np.unique(binding.triangle, return_inverse=True)
    vertices, triangles = np.unique(mesh.triangles[used], return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    at = torch.from_numpy(mesh.vertices[vertices].astype(np.float32))
    corners = at.to(device)
    carriers = deform.Carriers(
        torch.from_numpy(mesh.joints[vertices].astype(np.int32)).to(device),
        torch.from_numpy(mesh.weights[vertices].astype(np.float32)).to(device),
    )
    numbers = [torch.from_numpy(part.astype(np.int64)).to(device) for part in (triangles, triangle.reshape(-1))]
    rest = torch.from_numpy(_inverse_edges(mesh.vertices[mesh.triangles[used]]).astype(np.float32)).to(device)
    return Drape(corners, carriers, numbers[0], rest, numbers[1])


def _inverse_edges(corners: Array) -> Array:  # [T, 3, 3] -> [T, 3]
    """The inverse of a triangle's two edges in its own plane, the first along x."""
    e, f = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.sqrt((e * e).sum(axis=1))
    area = np.sqrt((np.cross(e, f) ** 2).sum(axis=1))
    good = (area > _FLAT) & (length > 0)
    length, area = np.where(good, length, 1.0), np.where(good, area, 1.0)
    along, across = (e * f).sum(axis=1) / length, area / length
    inverse = np.stack([1 / length, -along / (length * across), 1 / across], axis=1)
    return np.asarray(np.where(good[:, None], inverse, 0.0))


def draped_by_torch(corners: Tensor, rest: Tensor, most: float) -> Tensor:  # [T, 3, 3], [T, 3] -> [T, 6]
    """What `csrc/drape.cpp` does, on any device, to rounding: V of F = V R in a triangle's plane, nothing across."""
    e, f = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = e.norm(dim=1).clamp(min=1e-20)
    n = torch.linalg.cross(e, f)
    area = n.norm(dim=1)
    t, n = e / length[:, None], n / area.clamp(min=1e-30)[:, None]
    u = torch.linalg.cross(n, t)
    p, q, r = length * rest[:, 0], length * rest[:, 1] + (f * t).sum(1) * rest[:, 2], area / length * rest[:, 2]
    root = p * r
    even = (p * p + q * q + r * r + 2 * root).clamp(min=1e-30).rsqrt()
    xx, xy, yy = (p * p + q * q + root) * even, q * r * even, (r * r + root) * even
    mean, half = (xx + yy) / 2, (xx - yy) / 2
    far = (half * half + xy * xy).sqrt()
    high, low = (mean + far).clamp(1 / most, most), (mean - far).clamp(1 / most, most)
    scale = torch.where(far > 0, (high - low) / (2 * far.clamp(min=1e-30)), torch.zeros_like(far))
    vxx, vxy, vyy = (high + low) / 2 + scale * half - 1, scale * xy, (high + low) / 2 - scale * half - 1
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    added = [
        vxx * t[:, i] * t[:, j] + vxy * (t[:, i] * u[:, j] + u[:, i] * t[:, j]) + vyy * u[:, i] * u[:, j]
        for i, j in pairs
    ]
    moved = (((mean + far - 1).abs() > _EVEN) | ((mean - far - 1).abs() > _EVEN)) & (area > 0) & (rest[:, 0] > 0)
    return torch.where(moved[:, None], torch.stack(added, dim=1), 0.0) + corners.new_tensor(IDENTITY_STRETCH)
